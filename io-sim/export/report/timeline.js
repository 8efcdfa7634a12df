/**
 * The top of a report: what the run was and what became of it, whom to look at, and the timeline that is scrubbed.
 */
(() => {
  const { data, state, followers, flags, make, clock, percentOf, lasting, setNow } = window.report;
  const { ALL, view, onLook, zoom, lookAtAll, ruler } = window.report;

  /** The command that shows the run again, and a button that takes it along. */
  function replayLine() {
    const copy = make("button", { type: "button", text: "Copy" });
    copy.addEventListener("click", () => {
      navigator.clipboard?.writeText(data.replay).then(
        () => {
          copy.textContent = "Copied";
        },
        () => getSelection().selectAllChildren(copy.previousElementSibling),
      );
    });
    return make("div", { class: "replay" }, make("code", { text: data.replay, tabindex: "0" }), copy);
  }

  /** Which promise broke, what was seen, and buttons that go there and to those whom the sentence names. */
  function breach(choose) {
    const { promise, sentence, detail, at, event, people, standstill } = data.broken;
    const way = (text, act) => {
      const button = make("button", { type: "button", text });
      button.addEventListener("click", act);
      return button;
    };
    const judged = standstill === null ? "Go to" : "Go to where it was judged,";
    const ways = [way(`${judged} ${clock(at, 3)}, event ${event}`, () => setNow(at))];
    if (standstill !== null) {
      const { from, to } = standstill;
      ways.unshift(way(`Go to where it stood still, ${clock(from, 3)}, for ${lasting(to - from)}`, () => setNow(from)));
    }
    ways.push(...people.map((name) => way(`Look at ${name}`, () => choose([name]))));
    return make(
      "div",
      { class: "breach" },
      make("p", {}, make("b", { text: `${promise} is broken. ` }), sentence),
      make("p", { text: detail }),
      make("p", { class: "ways" }, ...ways),
    );
  }

  function header(choose) {
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
      replayLine(),
    );
    if (data.broken !== null) element.append(breach(choose));
    const lost = Object.entries(data.forgotten).filter(([, count]) => count > 0);
    if (lost.length > 0) {
      const what = lost.map(([name, count]) => `${count.toLocaleString("en")} ${name}`).join(", ");
      const text = `Not all of the run fits into a report: of its middle, ${what} are left out.`;
      element.append(make("p", { class: "notice", text }));
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
    const step = make("b");
    const latest = make("span");
    const play = make("button", { class: "play", type: "button", "aria-label": "Play", text: "▶" });
    slider.addEventListener("input", () => setNow(Number(slider.value)));
    const track = make("div", { class: "track" }, slider, ruler(ALL), sight());
    track.append(...flags.map(flagButton));
    followers.push(() => {
      slider.value = state.now;
      slider.setAttribute("aria-valuetext", clock(state.now));
      time.textContent = clock(state.now);
      const lastStep = flags.findLast(({ at }) => at <= state.now);
      const lastRow = data.rows.findLast(({ at }) => at <= state.now);
      step.textContent = lastStep === undefined ? "" : `${clock(lastStep.at)}  ${lastStep.text}`;
      const isNews = lastRow !== undefined && lastRow.kind !== "story" && lastRow.at > (lastStep?.at ?? -1);
      latest.textContent = isNews ? `${clock(lastRow.at)}  ${sentenceOf(lastRow)}` : "";
    });
    bindKeys(playback(play));
    const happening = make("p", { class: "happening" }, step, latest);
    const row = make("div", { class: "scrub-row" }, play, time, track, zoomButtons());
    return make("div", { class: "scrub" }, row, happening);
  }

  /** The part of the run that strips and plots show, as a band on the timeline. */
  function sight() {
    const band = make("i");
    onLook(() => {
      band.style.cssText = `left: ${percentOf(view.from)}%; width: ${percentOf(view.span)}%`;
    });
    return make("div", { class: "sight" }, band);
  }

  function zoomButtons() {
    const buttons = [
      ["−", "Look from farther away", () => zoom(0.5)],
      ["+", "Look closer", () => zoom(2)],
      ["all", "Show the whole run", lookAtAll],
    ].map(([text, title, act]) => {
      const button = make("button", { type: "button", text, title, "aria-label": title });
      button.addEventListener("click", act);
      return button;
    });
    onLook(() => {
      const isAll = view.span === data.endsAt;
      buttons[0].disabled = isAll;
      buttons[2].disabled = isAll;
    });
    return make("div", { class: "zoom", role: "group", "aria-label": "How much of the run is in sight" }, ...buttons);
  }

  function flagButton({ at, kind, text }) {
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
    return flag;
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
      if (before > 0) setNow(state.now + 1_000 * (stamp - before));
      before = stamp;
      if (state.now >= data.endsAt) toggle();
      else frame = requestAnimationFrame(advance);
    };
    const toggle = () => {
      const starts = frame === 0;
      if (starts && state.now >= data.endsAt) setNow(0);
      cancelAnimationFrame(frame);
      before = 0;
      frame = starts ? requestAnimationFrame(advance) : 0;
      button.textContent = starts ? "❚❚" : "▶";
      button.setAttribute("aria-label", starts ? "Pause" : "Play");
    };
    button.addEventListener("click", toggle);
    return toggle;
  }

  function bindKeys(toggle) {
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const onButton = event.target instanceof HTMLButtonElement;
      const step = event.shiftKey ? 1_000_000 : 100_000;
      const { now } = state;
      const moves = {
        ArrowLeft: () => setNow(now - step),
        ArrowRight: () => setNow(now + step),
        Home: () => setNow(0),
        End: () => setNow(data.endsAt),
        n: () => setNow(flags.find(({ at }) => at > now)?.at ?? data.endsAt),
        p: () => setNow(flags.findLast(({ at }) => at < now)?.at ?? 0),
        "+": () => zoom(2),
        "-": () => zoom(0.5),
        0: lookAtAll,
        " ": onButton ? undefined : toggle,
      };
      const move = moves[event.key];
      if (move === undefined) return;
      event.preventDefault();
      move();
    });
  }

  /** Buttons for everyone, for those whom a breach concerns, and for each person; redraws what depends on the choice. */
  function chooser(redraw) {
    const choices = [["Everyone", []], ...concerned(), ...data.peers.map(({ name }) => [name, [name]])];
    const buttons = choices.map(([text, names]) => {
      const button = make("button", { type: "button", text });
      button.addEventListener("click", ({ shiftKey }) => choose(shiftKey ? toggled(names) : names));
      return button;
    });
    const choose = (names) => {
      state.chosen = names;
      buttons.forEach((button, index) => {
        const [, own] = choices[index];
        const isWhole = own.length === names.length && own.every((name) => names.includes(name));
        const isOneOfThem = own.length === 1 && names.includes(own[0]);
        button.setAttribute("aria-pressed", String(isWhole || isOneOfThem));
      });
      redraw();
      setNow(state.now);
    };
    return {
      element: make("div", { class: "chips", role: "group", "aria-label": "Whom to show" }, ...buttons),
      choose,
    };
  }

  /** Those of whom a breach speaks, when they are several and not all. */
  function concerned() {
    const people = data.broken?.people ?? [];
    return people.length < 2 || people.length === data.peers.length ? [] : [["Those concerned", people]];
  }

  /** The choice with these people in it, or without them when they were. */
  function toggled(names) {
    const { chosen } = state;
    const isIn = names.length > 0 && names.every((name) => chosen.includes(name));
    return isIn ? chosen.filter((name) => !names.includes(name)) : [...new Set([...chosen, ...names])];
  }

  Object.assign(window.report, { header, scrubber, chooser });
})();
