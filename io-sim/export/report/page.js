/**
 * The ground that the parts of a report stand on: the data that lie in the page, the one cursor that moves through all of
 * it, and how elements are made. Texts from the data are only ever set as text.
 *
 * Everything hangs on one number, the time at the cursor, in microseconds since the beginning of the run. Whoever draws
 * something that depends on it registers with `followers`.
 */
window.report = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const NARROW = matchMedia("(max-width: 720px)").matches;
  const SVG_NAMES = ["svg", "path", "line", "rect", "text", "g", "polygon"];

  /** The time at the cursor, and the person that is looked at; "" for all of them. */
  const state = { now: data.broken === null ? data.zeroAt : data.broken.at, chosen: "" };
  const followers = [];

  /** What the cursor can jump to: the steps of the story, and where a promise broke. */
  const flags = data.rows.filter(({ kind, at }) => kind === "story" && at <= data.endsAt);
  if (data.broken !== null) {
    const { at, promise } = data.broken;
    flags.push({ kind: "breach", at, text: `${promise} is broken` });
  }

  /** Makes an element; `properties` are attributes, but for `text`, `style` and listeners such as `onclick`. */
  function make(name, properties = {}, ...children) {
    const isSvg = SVG_NAMES.includes(name);
    const element = isSvg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
      if (key === "text") element.textContent = value;
      else if (key === "style") element.style.cssText = value;
      else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else element.setAttribute(key, value);
    }
    element.append(...children);
    return element;
  }

  /** A time of the run as one of the story: what has passed of it, as everywhere else. */
  function clock(at, digits = 2) {
    const seconds = Math.floor(((at - data.zeroAt) / 1e6) * 10 ** digits) / 10 ** digits;
    return `${seconds.toFixed(digits).replace(/^-(0\.?0*)$/, "$1")} s`;
  }

  function percentOf(at) {
    return (100 * at) / data.endsAt;
  }

  function setNow(at) {
    state.now = Math.min(data.endsAt, Math.max(0, Math.round(at)));
    for (const follow of followers) follow();
  }

  function plural(count, word) {
    return `${count} ${word}${count === 1 ? "" : "s"}`;
  }

  function isChosen(name) {
    return state.chosen === "" || state.chosen === name;
  }

  /** Seconds from one round time to the next, so that there are about `most` of them over the whole run. */
  function roundStep(most) {
    const steps = [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600];
    return steps.find((seconds) => data.endsAt / (1e6 * seconds) <= most) ?? 3_600;
  }

  /** How many round times an axis has room for. */
  const ROUND_TIMES = NARROW ? 5 : 10;

  function roundTimes() {
    const step = 1e6 * roundStep(ROUND_TIMES);
    const times = [];
    for (let at = data.zeroAt % step; at <= data.endsAt; at += step) times.push(at);
    return times;
  }

  /** The times below an axis; `before` and `after` go around the part of the width at which a time stands. */
  function ruler(before = "calc(100% * ", after = ")") {
    const digits = roundStep(ROUND_TIMES) < 1 ? 1 : 0;
    const marks = roundTimes().map((at) =>
      make("span", { text: clock(at, digits), style: `left: ${before}${percentOf(at) / 100}${after}` }),
    );
    return make("div", { class: "ruler", "aria-hidden": "true" }, ...marks);
  }

  /** A row in which a pointer moves the cursor, and in which the cursor, the story's steps and the breach stand. */
  function axis(...children) {
    const line = make("div", { class: "cursor" });
    const place = () => {
      line.style.left = `${percentOf(state.now)}%`;
    };
    const marks = flags.map(({ kind, at }) =>
      make("div", { class: kind === "breach" ? "mark breach-mark" : "mark", style: `left: ${percentOf(at)}%` }),
    );
    const element = make("div", { class: "axis" }, ...children, ...marks, line);
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

  function section(title, lead, ...children) {
    return make("section", {}, make("h2", { text: title }), make("p", { class: "lead", text: lead }), ...children);
  }

  /** A table whose cells are texts or elements; `heads` name its columns, if they need names. */
  function table(rows, heads = []) {
    const line = (cells, name) => {
      const made = cells.map((cell) =>
        cell instanceof Element && cell.matches("td, th") ? cell : make(name, {}, cell),
      );
      return make("tr", {}, ...made);
    };
    const head = heads.length === 0 ? [] : [make("thead", {}, line(heads, "th"))];
    return make("table", {}, ...head, make("tbody", {}, ...rows.map((cells) => line(cells, "td"))));
  }

  /** Marks the rows at the cursor and keeps the latest of them in view. Rows are in the order of time. */
  function follow(box, elements, rows) {
    let shown = -1;
    const classes = elements.map(() => "");
    const place = () => {
      const last = rows.findLastIndex(({ at }) => at <= state.now);
      elements.forEach((element, index) => {
        const { until = rows[index].at } = rows[index];
        const next = index > last ? "later" : state.now <= until || index === last ? "now" : "";
        if (next === classes[index]) return;
        if (classes[index] !== "") element.classList.remove(classes[index]);
        if (next !== "") element.classList.add(next);
        classes[index] = next;
      });
      if (last === shown) return;
      shown = last;
      const target = elements[Math.max(0, last)];
      if (target !== undefined) box.scrollTop = target.offsetTop - box.clientHeight / 2;
    };
    followers.push(place);
  }

  return {
    ...{ data, state, followers, flags, NARROW },
    ...{ make, clock, percentOf, setNow, plural, isChosen, roundTimes, ruler, axis, section, table, follow },
  };
})();
