/**
 * What the screens of those who are looked at showed: for each camera a row with the width of its picture, which is its
 * layer, its frames a second, and where it stood still. Rows side by side can be read with ten cameras, curves in one plot
 * cannot.
 */
(() => {
  const { data, state, followers, make, percentOf, isChosen, section } = window.report;
  const { ruler, axis, valuesOf, smoothed, pathOf, grid } = window.report;

  /** Rows are drawn for so many people; all of a large room would be no help. */
  const VIEWERS_MAX = 3;
  /** Frames a second are over this many ticks, because a single tick has two or three of them. */
  const FRAME_TICKS = 10;

  function screens() {
    if (state.chosen.length === 0) return [];
    const viewers = data.peers.map(({ name }) => name).filter(isChosen);
    const blocks = viewers.slice(0, VIEWERS_MAX).flatMap(screen);
    if (blocks.length === 0) return [];
    const legend = make(
      "ul",
      { class: "legend" },
      make("li", {}, make("i", { class: "width-swatch" }), "width of the picture, which is its layer"),
      make("li", {}, make("i", { class: "frames-swatch" }), "frames a second"),
      make("li", {}, make("i", { class: "shade-swatch" }), "stands still"),
    );
    const times = make("div", { class: "strip times" }, make("span"), ruler());
    return [
      section("What was on the screen", "At the end of a row: what it is at the cursor.", legend, ...blocks, times),
    ];
  }

  function screen(viewer) {
    const cameras = data.strips.filter((strip) => strip.viewer === viewer && strip.source.endsWith("/camera"));
    if (cameras.length === 0) return [];
    const seen = cameras.map((strip) => ({
      ...strip,
      widths: whileShown(strip, valuesOf(nameOf(strip, "width"), false)),
      frames: smoothed(valuesOf(nameOf(strip, "frames"), false), FRAME_TICKS, 1e6),
    }));
    // One scale for all rows: what is larger than another is larger on the page.
    const greatest = (values) => values.reduce((most, value) => Math.max(most, value), 1);
    const widest = greatest(seen.map(({ widths }) => greatest(widths)));
    const fastest = greatest(seen.map(({ frames }) => greatest(frames)));
    const title = `${viewer}’s screen: up to ${widest} px and ${Math.round(fastest)} frames a second`;
    return [
      make("div", { class: "viewer" }, make("h3", { text: title }), ...seen.map((row) => rowOf(row, widest, fastest))),
    ];
  }

  function rowOf({ source, segments, widths, frames }, widest, fastest) {
    const svg = make("svg", { viewBox: "0 0 1000 100", preserveAspectRatio: "none", "aria-hidden": "true" });
    const frozen = segments.filter(([from, , name]) => name === "frozen" && from < data.endsAt);
    svg.append(
      grid([100]),
      make("path", { class: "width-area", d: `${pathOf(widths, 1.1 * widest, true)} L1000,100 L0,100 Z` }),
      ...frozen.map(shade),
      make("path", {
        class: "curve frames-curve",
        d: pathOf(frames, 1.1 * fastest, false),
        "vector-effect": "non-scaling-stroke",
      }),
    );
    const value = make("span", { class: "strip-sum" });
    followers.push(() => {
      const tick = Math.min(widths.length - 1, Math.floor(state.now / data.tickMicros));
      const width = widths[tick] ?? 0;
      value.textContent = width === 0 ? "no picture" : `${width} px, ${Math.round(frames[tick] ?? 0)} /s`;
    });
    const name = make("span", { class: "strip-name", text: source.replace("/", "’s ") });
    return make("div", { class: "strip screen" }, name, axis(svg), value);
  }

  function shade([from, to]) {
    const width = Math.max(1, 10 * percentOf(Math.min(to, data.endsAt) - from));
    return make("rect", { class: "shade", x: 10 * percentOf(from), width, y: 0, height: 100 });
  }

  function nameOf({ viewer, source }, what) {
    return `seen/${viewer}/${source}/${what}`;
  }

  /** A picture has a width only while it is shown. */
  function whileShown({ segments }, values) {
    return values.map((value, tick) => {
      const at = tick * data.tickMicros;
      const name = segments.find(([from, to]) => from <= at && at < to)?.[2];
      return name === "playing" || name === "frozen" ? value : 0;
    });
  }

  Object.assign(window.report, { screens });
})();
