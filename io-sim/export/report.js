/**
 * The report's own script: draws the data that lie in the page, and moves one cursor through all of it.
 *
 * Everything hangs on one number, the time at the cursor, in microseconds since the beginning of the run. Whoever draws
 * something that depends on it registers with `followers`. Texts from the data are only ever set as text.
 */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.getElementById("report");
  const STATES = {
    playing: "playing",
    frozen: "frozen",
    waiting: "not yet",
    muted: "muted",
    unslotted: "no slot",
    away: "away",
  };
  /** Rates are shown over this many ticks, because a single frame is no rate. */
  const SMOOTH_TICKS = 5;
  /** Strips of everyone together. */
  const STRIPS_MAX = 30;
  const NARROW = matchMedia("(max-width: 720px)").matches;

  let now = data.broken === null ? data.zeroAt : data.broken.at;
  let chosen = "";
  const followers = [];

  /** Makes an element; `properties` are attributes, but for `text` and listeners such as `onclick`. */
  function make(name, properties = {}, ...children) {
    const svg = ["svg", "path", "line", "rect", "text", "g", "polygon", "circle"].includes(name);
    const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
      if (key === "text") element.textContent = value;
      else if (key === "style") element.style.cssText = value;
      else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else element.setAttribute(key, value);
    }
    element.append(...children);
    return element;
  }

  function clock(at, digits = 2) {
    const seconds = (at - data.zeroAt) / 1e6;
    return `${seconds.toFixed(digits).replace(/^-(0\.?0*)$/, "$1")} s`;
  }

  function percentOf(at) {
    return (100 * at) / data.endsAt;
  }

  function setNow(at) {
    now = Math.min(data.endsAt, Math.max(0, Math.round(at)));
    for (const follow of followers) follow();
  }

  function plural(count, word) {
    return `${count} ${word}${count === 1 ? "" : "s"}`;
  }

  /** Round seconds, about `most` of them over the whole run, as times. */
  function roundTimes(most) {
    const steps = [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600];
    const step = 1e6 * (steps.find((seconds) => data.endsAt / (1e6 * seconds) <= most) ?? 3_600);
    const times = [];
    for (let at = data.zeroAt % step; at <= data.endsAt; at += step) times.push(at);
    return times;
  }

  /** The times below an axis; `before` and `after` go around the part of the width at which a time stands. */
  function ruler(before = "calc(100% * ", after = ")") {
    const marks = roundTimes(NARROW ? 5 : 10).map((at) =>
      make("span", {
        text: clock(at, data.endsAt < 4e6 ? 1 : 0),
        style: `left: ${before}${percentOf(at) / 100}${after}`,
      }),
    );
    return make("div", { class: "ruler", "aria-hidden": "true" }, ...marks);
  }

  /** A row in which a pointer moves the cursor and in which the cursor stands. */
  function axis(...children) {
    const line = make("div", { class: "cursor" });
    const place = () => {
      line.style.left = `${percentOf(now)}%`;
    };
    const element = make("div", { class: "axis" }, ...children, line);
    const seek = (event) => {
      const box = element.getBoundingClientRect();
      setNow(((event.clientX - box.left) / box.width) * data.endsAt);
    };
    element.addEventListener("pointerdown", (event) => {
      element.setPointerCapture(event.pointerId);
      seek(event);
    });
    element.addEventListener("pointermove", (event) => {
      if (event.buttons === 1) seek(event);
    });
    followers.push(place);
    place();
    return element;
  }

  function header() {
    const { broken } = data;
    const copy = make("button", { type: "button", text: "Copy" });
    copy.addEventListener("click", () => {
      navigator.clipboard?.writeText(data.replay).then(
        () => {
          copy.textContent = "Copied";
        },
        () => getSelection().selectAllChildren(copy.previousElementSibling),
      );
    });
    const fact = (name, value, more) => make("span", {}, `${name} `, make("b", { text: value, ...more }));
    const element = make(
      "header",
      {},
      make(
        "div",
        { class: "over" },
        make("span", { class: `verdict ${data.verdict}`, text: data.verdict }),
        make("span", { text: data.story }),
      ),
      make("h1", { text: `“${data.sentence}”` }),
      make(
        "div",
        { class: "facts" },
        fact("seed", data.seed),
        fact("fingerprint", data.fingerprint, { class: "fingerprint" }),
        fact("people", data.peers.length),
        fact("length", `${((data.endsAt - data.zeroAt) / 1e6).toFixed(1)} s`),
        fact("inputs to the server", data.inputs.toLocaleString("en")),
      ),
      make("div", { class: "replay" }, make("code", { text: data.replay, tabindex: "0" }), copy),
    );
    if (broken !== null) {
      const jump = make("button", { type: "button", text: `Go to ${clock(broken.at, 3)}, event ${broken.event}` });
      jump.addEventListener("click", () => setNow(broken.at));
      element.append(
        make(
          "div",
          { class: "breach" },
          make("p", {}, make("b", { text: `${broken.promise} is broken. ` }), broken.sentence),
          make("p", { text: broken.detail }),
          jump,
        ),
      );
    }
    const lost = Object.entries(data.forgotten).filter(([, count]) => count > 0);
    if (lost.length > 0) {
      const what = lost.map(([name, count]) => `${count} ${name}`).join(", ");
      element.append(
        make("p", { class: "notice", text: `Not all of the run fits into a report: ${what} are left out.` }),
      );
    }
    return element;
  }

  /** The timeline: a slider, which brings its own keys, flags for what the story does, and what happened last. */
  function scrubber() {
    const slider = make("input", {
      type: "range",
      min: 0,
      max: data.endsAt,
      step: 10_000,
      "aria-label": "Time in the run",
    });
    const time = make("output", { class: "clock" });
    const happening = make("p", { class: "happening" });
    const step = make("b");
    const latest = make("span");
    happening.append(step, latest);
    const play = make("button", { class: "play", type: "button", "aria-label": "Play", text: "▶" });
    slider.addEventListener("input", () => setNow(Number(slider.value)));
    const { broken } = data;
    const flags = data.rows.filter(({ kind }) => kind === "story");
    if (broken !== null) flags.push({ kind: "breach", at: broken.at, text: `${broken.promise} is broken` });
    const track = make("div", { class: "track" }, slider, ruler("calc(8px + (100% - 16px) * ", ")"));
    for (const { at, kind, text } of flags) {
      if (at > data.endsAt) continue;
      const flag = make("button", {
        class: kind === "breach" ? "flag breach-flag" : "flag",
        type: "button",
        title: `${clock(at)}: ${text}`,
        "aria-label": `${clock(at)}: ${text}`,
        tabindex: "-1",
        // The middle of the slider's thumb goes from 8 px to 8 px before the end.
        style: `left: calc(8px + (100% - 16px) * ${percentOf(at) / 100})`,
      });
      flag.addEventListener("click", () => setNow(at));
      track.append(flag);
    }
    followers.push(() => {
      slider.value = now;
      slider.setAttribute("aria-valuetext", clock(now));
      time.textContent = clock(now);
      const lastStep = flags.findLast(({ at }) => at <= now);
      const lastRow = data.rows.findLast(({ at }) => at <= now);
      step.textContent = lastStep === undefined ? "" : `${clock(lastStep.at)}  ${lastStep.text}`;
      const isNews = lastRow !== undefined && lastRow.kind !== "story" && lastRow.at > (lastStep?.at ?? -1);
      latest.textContent = isNews ? `${clock(lastRow.at)}  ${sentenceOf(lastRow)}` : "";
    });
    bindKeys(playback(play), flags);
    return make("div", { class: "scrub" }, make("div", { class: "scrub-row" }, play, time, track), happening);
  }

  /** A row of the log as one sentence; a step of the story speaks for itself. */
  function sentenceOf({ kind, who, text }) {
    return kind === "story" || who === "" ? text : `${who} ${text}`;
  }

  /** Lets the run go by in real time; answers what starts and stops it. */
  function playback(button) {
    let frame = 0;
    let before = 0;
    const advance = (stamp) => {
      if (before > 0) setNow(now + 1_000 * (stamp - before));
      before = stamp;
      if (now >= data.endsAt) toggle();
      else frame = requestAnimationFrame(advance);
    };
    const toggle = () => {
      const starts = frame === 0;
      if (starts && now >= data.endsAt) setNow(0);
      cancelAnimationFrame(frame);
      before = 0;
      frame = starts ? requestAnimationFrame(advance) : 0;
      button.textContent = starts ? "❚❚" : "▶";
      button.setAttribute("aria-label", starts ? "Pause" : "Play");
    };
    button.addEventListener("click", toggle);
    return toggle;
  }

  function bindKeys(toggle, flags) {
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const onButton = event.target instanceof HTMLButtonElement;
      const step = event.shiftKey ? 1_000_000 : 100_000;
      const moves = {
        ArrowLeft: () => setNow(now - step),
        ArrowRight: () => setNow(now + step),
        Home: () => setNow(0),
        End: () => setNow(data.endsAt),
        n: () => setNow(flags.find(({ at }) => at > now)?.at ?? data.endsAt),
        p: () => setNow(flags.findLast(({ at }) => at < now)?.at ?? 0),
        " ": onButton ? undefined : toggle,
      };
      const move = moves[event.key];
      if (move === undefined) return;
      event.preventDefault();
      move();
    });
  }

  /** A button for everyone, and one for each person; redraws what depends on the choice. */
  function chooser(redraw) {
    const names = ["", ...data.peers.map(({ name }) => name)];
    const buttons = names.map((name) => {
      const button = make("button", { type: "button", text: name === "" ? "Everyone" : name });
      button.addEventListener("click", () => choose(name));
      return button;
    });
    const choose = (name) => {
      chosen = name;
      buttons.forEach((button, index) => {
        button.setAttribute("aria-pressed", String(names[index] === name));
      });
      redraw();
      setNow(now);
    };
    return {
      element: make("div", { class: "chips", role: "group", "aria-label": "Whom to show" }, ...buttons),
      choose,
    };
  }

  function isChosen(name) {
    return chosen === "" || chosen === name;
  }

  function section(title, lead, ...children) {
    return make("section", {}, make("h2", { text: title }), make("p", { class: "lead", text: lead }), ...children);
  }

  function strips() {
    const legend = make("ul", { class: "legend" });
    for (const [state, word] of Object.entries(STATES)) {
      legend.append(make("li", {}, make("i", { class: `is-${state}` }), word));
    }
    const all = data.strips.filter(({ viewer }) => isChosen(viewer));
    const shown = chosen === "" ? worthShowing(all) : all;
    const leftOut = all.length - shown.length;
    const blocks = [...new Set(shown.map(({ viewer }) => viewer))].map((viewer) =>
      make(
        "div",
        { class: "viewer" },
        make("h3", { text: `${viewer} sees and hears` }),
        ...shown.filter((strip) => strip.viewer === viewer).map(stripRow),
      ),
    );
    if (blocks.length === 0)
      blocks.push(make("p", { class: "lead", text: "Nothing: there was no slot to show it in." }));
    const times = make("div", { class: "strip times" }, make("span"), ruler());
    const lead =
      leftOut === 0
        ? "Each source as each viewer got it, over the whole run."
        : `Those that had most trouble; ${plural(leftOut, "other")} with less or none are seen when you choose a person.`;
    return section("What people got", lead, legend, ...blocks, times);
  }

  /** In a large room nobody reads hundreds of strips: those that stood still for longest, in the order of the page. */
  function worthShowing(all) {
    if (all.length <= STRIPS_MAX) return all;
    const trouble = ({ segments }) =>
      segments.reduce((sum, [from, to, state]) => sum + (/frozen|waiting/.test(state) ? to - from : 0), 0);
    const worst = all.toSorted((a, b) => trouble(b) - trouble(a)).slice(0, STRIPS_MAX);
    return all.filter((strip) => worst.includes(strip));
  }

  function stripRow({ viewer, source, segments }) {
    const bar = make("div", { class: "bar" });
    for (const [from, to, state] of segments) {
      const end = Math.min(to, data.endsAt);
      if (state === "away" || from >= end) continue;
      bar.append(
        make("span", {
          class: `is-${state}`,
          style: `left: ${percentOf(from)}%; width: ${percentOf(end - from)}%`,
          title: `${STATES[state]}, ${clock(from)} to ${clock(end)}`,
        }),
      );
    }
    const frozen = segments.filter(([, , state]) => state === "frozen");
    const longest = Math.max(0, ...frozen.map(([from, to]) => to - from));
    const sum = make("span", { class: "strip-sum" });
    if (frozen.length === 0) sum.textContent = "never frozen";
    else {
      const words = `${plural(frozen.length, "freeze")}, ${(longest / 1e6).toFixed(2)} s`;
      sum.append(make("span", { class: "bad", text: words, title: `the longest took ${longest} µs` }));
    }
    const name = make("span", { class: "strip-name", text: source.replace("/", "’s ") });
    const row = axis(bar);
    row.setAttribute("role", "img");
    row.setAttribute("aria-label", `${viewer}, ${source}: ${sum.textContent}`);
    return make("div", { class: "strip" }, name, row, sum);
  }

  /** The values of a series for all ticks of the page; rates in bits per second, smoothed. */
  function valuesOf(name, asRate) {
    const ticks = Math.max(1, Math.floor(data.endsAt / data.tickMicros));
    const series = data.series[name];
    if (series === undefined) return Array.from({ length: ticks }, () => 0);
    const last = series.rests === "same" ? (series.values.at(-1) ?? 0) : 0;
    const raw = Array.from({ length: ticks }, (_, tick) => series.values[tick] ?? last);
    if (!asRate) return raw;
    return raw.map((_, tick) => {
      const window = raw.slice(Math.max(0, tick - SMOOTH_TICKS + 1), tick + 1);
      return (window.reduce((sum, value) => sum + value, 0) * 8e6) / (window.length * data.tickMicros);
    });
  }

  function sumOf(names, asRate) {
    const all = names.map((name) => valuesOf(name, asRate));
    return all.reduce((sum, values) => sum.map((value, tick) => value + values[tick]));
  }

  const UNITS = {
    "bit/s": (value) =>
      value === Number.MAX_VALUE
        ? "anything"
        : value >= 1e6
          ? `${(value / 1e6).toFixed(2)} Mbit/s`
          : `${Math.round(value / 1e3)} kbit/s`,
    bytes: (value) => (value >= 1e4 ? `${Math.round(value / 1e3)} kB` : `${(value / 1e3).toFixed(1)} kB`),
    px: (value) => (value === 0 ? "–" : `${value} px`),
    fps: (value) => `${Math.round(value)} /s`,
    ms: (value) => `${value.toFixed(1)} ms`,
    packets: (value) => `${value}`,
  };
  const COLOURS = ["var(--accent)", "var(--second)", "var(--frozen)", "var(--soft)", "var(--waiting)"];

  /**
   * A plot of some curves in one unit; `shades` are spans that are marked behind them. A curve that `bounds` the others
   * does not stretch the scale: it is seen where it matters.
   */
  function plot(title, unit, curves, { quiet = "", steps = false, shades = [] } = {}) {
    const highest = Math.max(0, ...curves.flatMap(({ values, bounds }) => (bounds ? [] : values)));
    const legend = make("ul", { class: "legend" });
    const heading = make("h3", { text: title });
    const element = make("div", { class: "plot" }, heading);
    if (highest === 0) {
      element.append(make("div", { class: "quiet", text: quiet }));
      return element;
    }
    const near = curves.flatMap(({ values, bounds }) =>
      bounds ? values.filter((value) => value < 2.5 * highest) : [],
    );
    const top = niceTop(Math.max(highest, ...near));
    const svg = make("svg", { viewBox: "0 0 1000 100", preserveAspectRatio: "none", "aria-hidden": "true" });
    for (const part of [0, 0.5, 1]) {
      svg.append(
        make("line", {
          class: "grid",
          x1: 0,
          x2: 1000,
          y1: 100 * part,
          y2: 100 * part,
          "vector-effect": "non-scaling-stroke",
        }),
      );
    }
    for (const [from, to] of shades) {
      svg.append(
        make("rect", {
          class: "shade",
          x: 10 * percentOf(from),
          width: Math.max(1, 10 * percentOf(to - from)),
          y: 0,
          height: 100,
        }),
      );
    }
    for (const at of roundTimes(NARROW ? 5 : 10)) {
      const x = 10 * percentOf(at);
      svg.append(make("line", { class: "grid", x1: x, x2: x, y1: 0, y2: 100, "vector-effect": "non-scaling-stroke" }));
    }
    curves.forEach(({ name, values, filled, bounds }, index) => {
      const colour = bounds ? "var(--soft)" : COLOURS[index % COLOURS.length];
      const line = pathOf(values, top, steps || bounds);
      if (filled)
        svg.append(make("path", { class: "area", d: `${line} L1000,100 L0,100 Z`, style: `fill: ${colour}` }));
      svg.append(
        make("path", {
          class: bounds ? "curve bounds" : "curve",
          d: line,
          style: `stroke: ${colour}`,
          "vector-effect": "non-scaling-stroke",
        }),
      );
      const value = make("span");
      followers.push(() => {
        value.textContent = ` ${UNITS[unit](values[Math.min(values.length - 1, Math.floor(now / data.tickMicros))] ?? 0)}`;
      });
      legend.append(make("li", {}, make("i", { style: `background: ${colour}` }), name, value));
    });
    const scale = make("li", { text: `up to ${UNITS[unit](top)}` });
    legend.append(scale);
    element.append(legend, axis(svg), ruler());
    return element;
  }

  function pathOf(values, top, steps) {
    let path = "";
    let isDrawn = false;
    values.forEach((value, tick) => {
      const x = (10 * percentOf(tick * data.tickMicros)).toFixed(1);
      const y = (100 - (100 * value) / top).toFixed(1);
      const fits = value <= top;
      if (fits) path += !isDrawn ? `M${x},${y}` : steps ? `H${x}V${y}` : `L${x},${y}`;
      else if (isDrawn) path += `H${x}`;
      isDrawn = fits;
    });
    return isDrawn ? `${path}H1000` : path;
  }

  /** A round number, not below `value`. */
  function niceTop(value) {
    const power = 10 ** Math.floor(Math.log10(value));
    return [1, 1.5, 2, 3, 4, 5, 8, 10].map((step) => step * power).find((step) => step >= value) ?? value;
  }

  function plots() {
    const names = data.peers.map(({ name }) => name).filter(isChosen);
    const link = (direction, fate) => names.map((name) => `link/${name}/${direction}/${fate}`);
    const rate = (title, direction) => {
      const curves = [
        { name: "arrived", values: sumOf(link(direction, "delivered"), true), filled: true },
        { name: "sent", values: sumOf(link(direction, "offered"), true) },
      ];
      if (chosen !== "") {
        // 0 is a link without end; it bounds nothing.
        const values = valuesOf(`link/${chosen}/${direction}/capacity`, false).map((bps) => bps || Number.MAX_VALUE);
        if (values.some((bps) => bps < Number.MAX_VALUE)) {
          curves.push({ name: "the link carries", values, bounds: true });
        }
      }
      return plot(title, "bit/s", curves, { quiet: "Nothing was sent." });
    };
    const who = chosen === "" ? "everyone" : chosen;
    const seen = data.strips.filter(({ viewer }) => viewer === chosen || data.peers.length === 1);
    const cameras = seen.filter(({ source }) => source.endsWith("/camera"));
    const freezes = seen.flatMap(({ segments }) => segments.filter(([, , state]) => state === "frozen"));
    const drawn = [
      rate(`Bitrate in: ${who} to the server`, "up"),
      rate(`Bitrate out: the server to ${who}`, "down"),
      plot(
        "Queue at the bottleneck",
        "bytes",
        [
          { name: "up", values: sumOf(link("up", "queue"), false) },
          { name: "down", values: sumOf(link("down", "queue"), false) },
        ],
        { quiet: "Nothing ever had to queue." },
      ),
      plot(
        "Dropped",
        "bit/s",
        [
          { name: "up", values: sumOf(link("up", "dropped"), true) },
          { name: "down", values: sumOf(link("down", "dropped"), true) },
        ],
        { quiet: "Nothing was dropped." },
      ),
    ];
    if (chosen === "" && data.shards.length > 1) drawn.push(...betweenShards());
    if (chosen !== "") {
      const from = (what) => (strip) => ({ name: strip.source.replace("/", "’s "), values: whileShown(strip, what) });
      drawn.push(
        plot("Width of the picture (layer)", "px", cameras.map(from("width")), {
          steps: true,
          quiet: "No picture was shown.",
        }),
        plot("Frames a second, and freezes", "fps", cameras.map(from("frames")), {
          shades: freezes,
          quiet: "No picture was shown.",
        }),
        plot(
          "Round trip, as the server estimates it",
          "ms",
          [{ name: "smoothed", values: valuesOf(`estimate/${chosen}/round trip`).map((value) => value / 1e3) }],
          { quiet: "The server had no estimate." },
        ),
        plot(
          "Packets that the viewer misses",
          "packets",
          [{ name: "missing", values: valuesOf(`estimate/${chosen}/missing packets`, false) }],
          { quiet: "No packet was ever missing." },
        ),
      );
    }
    const lead = "Rates are over half a second, headers included. Choose one person to see layers, frames and freezes.";
    return section(
      chosen === "" ? "The links of all together" : `${chosen}’s link and screen`,
      lead,
      make("div", { class: "plots" }, ...drawn),
    );
  }

  /** What shards send each other, and what of it is lost. */
  function betweenShards() {
    return ["packets", "lost"].map((what) => {
      const curves = data.shards.flatMap((shard, place) => {
        const ways = Object.keys(data.series).filter((name) => name.startsWith(`way/${place} `) && name.endsWith(what));
        return ways.length === 0 ? [] : [{ name: `from ${shard}`, values: sumOf(ways, true) }];
      });
      return plot(`Between shards: ${what}`, "bit/s", curves, { quiet: "There was nothing." });
    });
  }

  /** Widths only while the source is shown; frames as frames a second. */
  function whileShown({ viewer, source, segments }, what) {
    const values = valuesOf(`seen/${viewer}/${source}/${what}`, false);
    if (what === "frames") {
      return values.map((_, tick) => {
        const window = values.slice(Math.max(0, tick - 2 * SMOOTH_TICKS + 1), tick + 1);
        return (window.reduce((sum, value) => sum + value, 0) * 1e6) / (window.length * data.tickMicros);
      });
    }
    return values.map((value, tick) => {
      const at = tick * data.tickMicros;
      const state = segments.find(([from, to]) => from <= at && at < to)?.[2];
      return state === "playing" || state === "frozen" ? value : 0;
    });
  }

  function drops() {
    const rows = data.drops.filter(({ peer }) => isChosen(peer)).sort((a, b) => b.count - a.count);
    if (rows.length === 0) return section("Dropped packets", "No link dropped anything.");
    const most = rows[0].count;
    const body = rows.map(({ peer, direction, reason, count }) =>
      make(
        "tr",
        {},
        make("td", { text: `${peer}, ${direction}` }),
        make("td", { text: reason }),
        make("td", { class: "share" }, make("i", { style: `width: ${(100 * count) / most}%` })),
        make("td", { class: "number", text: count.toLocaleString("en") }),
      ),
    );
    const head = make(
      "tr",
      {},
      ...["link", "reason", "", "packets"].map((text, index) =>
        make("th", { text, class: index === 3 ? "number" : "" }),
      ),
    );
    return section(
      "Dropped packets",
      "By link and reason.",
      make("table", {}, make("thead", {}, head), make("tbody", {}, ...body)),
    );
  }

  /** What the plan let fail; most runs let nothing. */
  function injected() {
    if (data.sites.length === 0) return [];
    const body = data.sites.map(({ site, reached, fired }) =>
      make(
        "tr",
        {},
        make("td", { text: site }),
        make("td", { class: "number", text: `${fired.toLocaleString("en")} of ${reached.toLocaleString("en")}` }),
      ),
    );
    const lead =
      "Places of the core and of its host that failed on purpose, and how often, of how often they were reached.";
    return [section("Injected failures", lead, make("table", {}, make("tbody", {}, ...body)))];
  }

  const KIND_COLOURS = {
    signalling: "var(--ink)",
    ice: "var(--soft)",
    dtls: "var(--second)",
    keyframe: "var(--frozen)",
    nack: "var(--waiting)",
    media: "var(--playing)",
    reports: "var(--soft)",
    drop: "var(--danger)",
  };

  function sequence() {
    const names = [...data.shards, ...data.peers.map(({ name }) => name).filter(isChosen)];
    const lane = names.length > 12 ? 26 : NARROW || names.length > 8 ? 40 : names.length > 4 ? 52 : 76;
    const x = (index) => lane * (index + 0.5);
    const lanes = () =>
      names.map((_, index) => make("line", { class: "lane", x1: x(index), x2: x(index), y1: 0, y2: 26 }));
    const width = lane * names.length;
    const box = make("div", {
      class: "scroller",
      style: `--lanes: ${width}px`,
      tabindex: "0",
      "aria-label": "Messages",
    });
    const heads = names.map((name, index) => {
      const long = name.length * 6.6 > lane + 2;
      const short = index < data.shards.length ? name.replace("shard ", "#") : `${name.slice(0, lane >> 3)}…`;
      return make("text", { x: x(index), y: 18, "text-anchor": "middle" }, long ? short : name);
    });
    box.append(
      make(
        "div",
        { class: "message head" },
        make("time", { text: "time" }),
        make("svg", { width, height: 26 }, ...heads),
        make("span", { text: "message" }),
      ),
    );
    const rows = data.messages
      .filter(({ peer, at }) => isChosen(peer) && at <= data.endsAt)
      .sort((a, b) => a.at - b.at);
    const drawn = rows.map((message) => {
      const { peer, direction, kind, text, at, until, count } = message;
      const column = names.indexOf(peer, data.shards.length);
      const { shard } = data.peers.find(({ name }) => name === peer);
      const [from, to] = direction === "up" ? [x(column), x(shard)] : [x(shard), x(column)];
      const colour = KIND_COLOURS[kind];
      const ends = kind === "drop" ? (from + to) / 2 : to;
      const toward = to > from ? -1 : 1;
      const head =
        kind === "drop"
          ? make("path", { d: `M${ends - 4},9 l8,8 m-8,0 l8,-8`, style: `stroke: ${colour}; stroke-width: 2` })
          : make("polygon", {
              points: `${to},13 ${to + 7 * toward},9 ${to + 7 * toward},17`,
              style: `fill: ${colour}`,
            });
      const thick = until > at && kind === "media" ? 3 : 1.5;
      const style = `stroke: ${colour}; stroke-width: ${thick}`;
      const line = make("line", { x1: from, x2: ends, y1: 13, y2: 13, style });
      const more = [
        count > 1 ? `× ${count.toLocaleString("en")}` : "",
        until > at ? `for ${((until - at) / 1e6).toFixed(1)} s` : "",
      ];
      const label = make("span", { text }, make("small", { text: more.filter((part) => part !== "").join(", ") }));
      const svg = make("svg", { width, height: 26, "aria-hidden": "true" }, ...lanes(), line, head);
      const who = direction === "up" ? `${peer} to ${names[shard]}` : `${names[shard]} to ${peer}`;
      const row = make(
        "button",
        { class: "message", type: "button", title: `${who}: ${text}` },
        make("time", { text: clock(at) }),
        svg,
        label,
      );
      row.addEventListener("click", () => setNow(at));
      return row;
    });
    box.append(...drawn);
    follow(box, drawn, rows);
    const lead =
      "Signalling, connectivity checks, handshakes and requests as they were sent; what goes on and on is one row.";
    return section("Who said what", lead, box);
  }

  /** Marks the rows at the cursor and keeps the latest of them in view. */
  function follow(box, elements, rows) {
    let shown = -1;
    followers.push(() => {
      const last = rows.findLastIndex(({ at }) => at <= now);
      elements.forEach((element, index) => {
        const { at, until = at } = rows[index];
        element.classList.toggle("later", at > now);
        element.classList.toggle("now", at <= now && (now <= until || index === last));
      });
      if (last === shown) return;
      shown = last;
      const target = elements[Math.max(0, last)];
      if (target !== undefined) box.scrollTop = target.offsetTop - box.clientHeight / 2;
    });
  }

  function promises() {
    const rows = data.promises.map(({ promise, sentence, judged, broken }) =>
      make(
        "tr",
        { class: broken ? "broken-row" : "" },
        make("td", { text: promise }),
        make("td", { text: sentence }),
        make(
          "td",
          { class: "number" },
          broken ? "broken" : judged === 0 ? "not judged" : "held",
          make("small", { text: judged === 0 ? "" : `${judged.toLocaleString("en")} ×` }),
        ),
      ),
    );
    return section(
      "What was promised",
      "Each promise, and how often this run has judged it.",
      make("table", {}, make("tbody", {}, ...rows)),
    );
  }

  function log() {
    const rows = data.rows.filter(({ at }) => at <= data.endsAt);
    const buttons = rows.map((row) => {
      const { at, event, kind, who, text } = row;
      const button = make(
        "button",
        { type: "button", class: `log-${kind}`, title: `event ${event}` },
        make("time", { text: clock(at, 3) }),
        make("b", { text: who === "" || kind === "story" ? kind : who }),
        make("span", { text }),
      );
      button.addEventListener("click", () => setNow(at));
      return button;
    });
    const list = make("ol", { class: "log" }, ...buttons.map((button) => make("li", {}, button)));
    const box = make("div", { class: "scroller", tabindex: "0", "aria-label": "Log" }, list);
    follow(box, buttons, rows);
    return section("What happened", "Steps of the story, and what the server announced.", box);
  }

  function help() {
    const keys = [
      ["←", "→"],
      "a tenth of a second, with ",
      ["Shift"],
      "a second; ",
      ["n"],
      ["p"],
      "next and previous flag; ",
      ["Home"],
      ["End"],
      "; ",
      ["Space"],
      "play.",
    ];
    const parts = keys.flatMap((part) =>
      typeof part === "string" ? [` ${part}`] : part.map((key) => make("kbd", { text: key })),
    );
    return make("p", { class: "keys" }, ...parts);
  }

  const perPerson = make("div");
  const first = header();
  const bar = scrubber();
  const fixedFollowers = () => followers.length;
  const bottom = [...injected(), promises(), log(), help()];
  const keep = fixedFollowers();
  const people = chooser(() => {
    followers.length = keep;
    perPerson.replaceChildren(strips(), plots(), drops(), sequence());
  });
  root.append(first, bar, people.element, perPerson, ...bottom);
  people.choose("");
})();
