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

  /** The time at the cursor, the people that are looked at (none of them named: all), and kinds of messages left out. */
  const state = { now: beginning(), chosen: [], leftOut: new Set() };
  const followers = [];

  /** What the cursor can jump to: the steps of the story, and where a promise broke. */
  const flags = data.rows.filter(({ kind, at }) => kind === "story" && at <= data.endsAt);
  if (data.broken !== null) {
    const { at, promise, detail } = data.broken;
    flags.push({ kind: "breach", at, text: `${promise} is broken: ${detail}` });
  }

  /** Where the cursor is at first: at what broke the promise, when that is seen, or where it was judged broken. */
  function beginning() {
    const { broken, zeroAt } = data;
    return broken === null ? zeroAt : (broken.standstill?.from ?? broken.at);
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

  /** Those who are looked at, as one reads their names: "ana, bob and eve"; "everyone" for all. */
  function whoIsChosen() {
    const { chosen } = state;
    if (chosen.length === 0) return "everyone";
    return chosen.length === 1 ? chosen[0] : `${chosen.slice(0, -1).join(", ")} and ${chosen.at(-1)}`;
  }

  /** How long something lasted, in the unit that people would say. */
  function lasting(micros) {
    return micros < 100_000 ? `${Math.round(micros / 1e3)} ms` : `${(micros / 1e6).toFixed(2)} s`;
  }

  function plural(count, word) {
    return `${count} ${word}${count === 1 ? "" : "s"}`;
  }

  function isChosen(name) {
    return state.chosen.length === 0 || state.chosen.includes(name);
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
      if (target === undefined) return;
      // Rows get their true height when they come in sight, so the place is right at the second attempt.
      const center = () => {
        box.scrollTop = target.offsetTop - box.clientHeight / 2;
      };
      center();
      requestAnimationFrame(() => {
        if (last === shown) center();
      });
    };
    followers.push(place);
  }

  return {
    ...{ data, state, followers, flags, NARROW },
    ...{ make, clock, percentOf, setNow, plural, lasting, isChosen, whoIsChosen, section, table, follow },
  };
})();
