/**
 * The axis of time that strips and plots share, and how much of the run is in sight on it.
 *
 * Whatever stands on an axis has its place in percent of the whole run and lies on a sheet. A closer look makes every sheet
 * wider than its axis and moves it to the left, which two variables of the style say once for all of them. Only what depends
 * on the span in sight (round times, and the lines through them) is made anew: it registers with `lookers`.
 */
(() => {
  const { data, state, followers, flags, NARROW, make, clock, percentOf, setNow } = window.report;

  /** What is in sight: from where on, and how long; the whole run at first. */
  const view = { from: 0, span: data.endsAt };
  const ALL = { ...view };
  /** The shortest span that one can look at. */
  const SHORTEST_MICROS = Math.min(data.endsAt, 1_000_000);
  const lookers = [];

  /** How many round times an axis has room for. */
  const ROUND_TIMES = NARROW ? 5 : 10;
  const ROUND_SECONDS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600];

  /** Seconds from one round time to the next. */
  function roundStep({ span }) {
    return ROUND_SECONDS.find((seconds) => span / (1e6 * seconds) <= ROUND_TIMES) ?? 3_600;
  }

  /** The round times in sight. */
  function roundTimes(sight = view) {
    const step = 1e6 * roundStep(sight);
    const first = data.zeroAt + Math.ceil((sight.from - data.zeroAt) / step) * step;
    const count = Math.floor((sight.from + sight.span - first) / step) + 1;
    return Array.from({ length: count }, (_, index) => first + index * step);
  }

  /** Calls `draw` now and whenever something else comes in sight. */
  function onLook(draw) {
    lookers.push(draw);
    draw();
  }

  /** Shows `span` microseconds from `from` on, as far as the run goes. */
  function look(from, span) {
    view.span = Math.min(data.endsAt, Math.max(SHORTEST_MICROS, span));
    view.from = Math.min(data.endsAt - view.span, Math.max(0, from));
    const { style } = document.documentElement;
    style.setProperty("--zoom", data.endsAt / view.span);
    style.setProperty("--shift", view.from / view.span);
    document.body.classList.toggle("closer", view.span < data.endsAt);
    for (const draw of lookers) draw();
  }

  /** Looks closer (2), or from farther away (0.5), at what is at the cursor, which stays where it is. */
  function zoom(factor) {
    const part = (state.now - view.from) / view.span;
    const span = Math.min(data.endsAt, Math.max(SHORTEST_MICROS, view.span / factor));
    look(state.now - part * span, span);
  }

  function lookAtAll() {
    look(0, data.endsAt);
  }

  /** The times below an axis: of what is in sight, or of the whole run. */
  function ruler(sight = view) {
    const element = make("div", { class: "ruler", "aria-hidden": "true" });
    onLook(() => {
      const digits = roundStep(sight) < 1 ? 1 : 0;
      const times = roundTimes(sight).map((at) =>
        make("span", { text: clock(at, digits), style: `left: ${(100 * (at - sight.from)) / sight.span}%` }),
      );
      element.replaceChildren(...times);
    });
    return element;
  }

  /** A row in which a pointer moves the cursor, and in which the cursor, the story's steps and the breach stand. */
  function axis(...children) {
    const line = make("div", { class: "cursor" });
    const place = () => {
      line.style.left = `${percentOf(state.now)}%`;
    };
    const marks = flags.map(({ kind, at }) => {
      const name = kind === "breach" ? "mark breach-mark" : "mark";
      return make("div", { class: name, style: `left: ${percentOf(at)}%` });
    });
    const sheet = make("div", { class: "sheet" }, ...children, ...marks, line);
    const pointed = make("time", { class: "pointed" });
    const element = make("div", { class: "axis" }, sheet, pointed);
    const timeAt = (event) => {
      const box = sheet.getBoundingClientRect();
      return Math.min(data.endsAt, Math.max(0, ((event.clientX - box.left) / box.width) * data.endsAt));
    };
    element.addEventListener("pointerdown", (event) => {
      element.setPointerCapture(event.pointerId);
      setNow(timeAt(event));
    });
    element.addEventListener("pointermove", (event) => {
      const at = timeAt(event);
      pointed.textContent = clock(at);
      pointed.style.left = `${Math.min(94, Math.max(6, (100 * (at - view.from)) / view.span))}%`;
      if (event.buttons === 1) setNow(at);
    });
    followers.push(place);
    place();
    return element;
  }

  // The cursor takes the sight along.
  followers.push(() => {
    const { now } = state;
    if (now < view.from || now > view.from + view.span) look(now - view.span / 2, view.span);
  });

  Object.assign(window.report, { ALL, view, lookers, onLook, zoom, lookAtAll, roundTimes, ruler, axis });
})();
