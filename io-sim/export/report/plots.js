/**
 * Numbers over time: rates, queues, estimates and what was lost, each as a small plot. What stayed at zero is said in a
 * sentence, so that the plots that are there have something to show.
 */
(() => {
  const { data, state, followers, make, percentOf, isChosen, whoIsChosen, section } = window.report;
  const { onLook, roundTimes, ruler, axis } = window.report;

  /** Rates are shown over this many ticks, because a single frame is no rate. */
  const SMOOTH_TICKS = 5;

  const UNITS = {
    "bit/s": (value) =>
      value === Number.MAX_VALUE
        ? "anything"
        : value >= 1e6
          ? `${round(value / 1e6, 2)} Mbit/s`
          : `${Math.round(value / 1e3)} kbit/s`,
    bytes: (value) => (value >= 1e6 ? `${round(value / 1e6, 2)} MB` : `${round(value / 1e3, value < 1e4 ? 1 : 0)} kB`),
    ms: (value) => (value >= 1e4 ? `${round(value / 1e3, 1)} s` : `${round(value, value < 100 ? 1 : 0)} ms`),
    packets: (value) => `${Math.round(value)}`,
  };
  const COLOURS = ["var(--accent)", "var(--second)", "var(--frozen)", "var(--relay)", "var(--waiting)"];

  /** The number with so many digits behind its point, but no zeros at its end. */
  function round(value, digits) {
    return String(Number(value.toFixed(digits)));
  }

  /** The values of a series for all ticks of the page; rates in bits per second, smoothed. */
  function valuesOf(name, asRate) {
    const ticks = Math.max(1, Math.floor(data.endsAt / data.tickMicros));
    const series = data.series[name];
    if (series === undefined) return new Array(ticks).fill(0);
    const last = series.rests === "same" ? (series.values.at(-1) ?? 0) : 0;
    const raw = Array.from({ length: ticks }, (_, tick) => series.values[tick] ?? last);
    return asRate ? smoothed(raw, SMOOTH_TICKS, 8e6) : raw;
  }

  /** What came within the last `most` ticks, times `factor`, each second. */
  function smoothed(values, most, factor) {
    let sum = 0;
    return values.map((value, tick) => {
      sum += value - (values[tick - most] ?? 0);
      return (sum * factor) / (Math.min(most, tick + 1) * data.tickMicros);
    });
  }

  function sumOf(names, asRate) {
    const all = names.filter((name) => data.series[name] !== undefined).map((name) => valuesOf(name, asRate));
    return all.reduce((sum, values) => sum.map((value, tick) => value + values[tick]), valuesOf("", false));
  }

  /**
   * A plot of some curves in one unit, or the sentence `quiet` when there is nothing to see. A curve that `bounds` the
   * others does not stretch the scale: it is seen where it matters.
   */
  function plot(title, unit, curves, quiet) {
    const highest = greatest(curves.flatMap(({ values, bounds }) => (bounds ? [] : [greatest(values)])));
    if (highest === 0) return quiet;
    const near = curves.flatMap(({ values, bounds }) =>
      bounds ? values.filter((value) => value < 2.5 * highest) : [],
    );
    const top = niceTop(Math.max(highest, greatest(near)));
    const svg = make("svg", { viewBox: "0 0 1000 100", preserveAspectRatio: "none", "aria-hidden": "true" });
    svg.append(grid([0, 50, 100]));
    const legend = make("ul", { class: "legend" });
    curves.forEach(({ name, values, filled, bounds }, index) => {
      const colour = bounds ? "var(--soft)" : COLOURS[index % COLOURS.length];
      const d = pathOf(values, top, bounds);
      if (filled) svg.append(make("path", { class: "area", d: `${d} L1000,100 L0,100 Z`, style: `fill: ${colour}` }));
      const kind = bounds ? "curve bounds" : "curve";
      svg.append(make("path", { class: kind, d, style: `stroke: ${colour}`, "vector-effect": "non-scaling-stroke" }));
      const value = make("b");
      followers.push(() => {
        value.textContent = UNITS[unit](
          values[Math.min(values.length - 1, Math.floor(state.now / data.tickMicros))] ?? 0,
        );
      });
      const swatch = make("i", bounds ? { class: "bounds-swatch" } : { style: `background: ${colour}` });
      legend.append(make("li", {}, swatch, `${name} `, value));
    });
    const line = axis(svg);
    line.append(...[top, top / 2].map((value) => make("span", { class: "level", text: UNITS[unit](value) })));
    return make("div", { class: "plot" }, make("h3", { text: title }), legend, line, ruler());
  }

  /** Lines at these heights, and at the round times in sight. */
  function grid(heights) {
    const line = (x1, x2, y1, y2) =>
      make("line", { class: "grid", x1, x2, y1, y2, "vector-effect": "non-scaling-stroke" });
    const lines = make("g");
    onLook(() => {
      const upright = roundTimes().map((at) => line(10 * percentOf(at), 10 * percentOf(at), 0, 100));
      lines.replaceChildren(...heights.map((y) => line(0, 1000, y, y)), ...upright);
    });
    return lines;
  }

  function greatest(values) {
    return values.reduce((most, value) => Math.max(most, value), 0);
  }

  /** The curve; where a value does not fit, it is left out. Points on a straight line are said once. */
  function pathOf(values, top, steps) {
    let path = "";
    let isDrawn = false;
    values.forEach((value, tick) => {
      const fits = value <= top;
      const isMiddle = isDrawn && fits && value === values[tick - 1] && value === values[tick + 1];
      if (isMiddle) return;
      const x = (10 * percentOf(tick * data.tickMicros)).toFixed(1);
      const y = (100 - (100 * value) / top).toFixed(1);
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
    const { chosen } = state;
    const names = data.peers.map(({ name }) => name).filter(isChosen);
    const drawn = [...linkPlots(names), ...(chosen.length === 0 ? betweenShards() : wayPlots(chosen))];
    const shown = drawn.filter((each) => typeof each !== "string");
    const quiet = drawn.filter((each) => typeof each === "string").join(" ");
    const more = chosen.length === 0 ? " Choose one person to see layers, frames, estimates and round trips." : "";
    return section(
      titleOf(chosen),
      `Rates are over half a second, headers included.${more}`,
      make("div", { class: "plots" }, ...shown),
      ...(quiet === "" ? [] : [make("p", { class: "quiet", text: quiet })]),
    );
  }

  function titleOf(chosen) {
    if (chosen.length === 0) return "The links of all together";
    return chosen.length === 1 ? `${chosen[0]}’s link` : `The links of ${whoIsChosen()} together`;
  }

  /** What the links of these people carry, hold back and lose. */
  function linkPlots(names) {
    const who = whoIsChosen();
    const link = (direction, fate) => names.map((name) => `link/${name}/${direction}/${fate}`);
    const both = (fate, asRate) =>
      ["up", "down"].map((direction) => ({ name: direction, values: sumOf(link(direction, fate), asRate) }));
    const rate = (title, direction, quiet) => {
      const curves = [
        { name: "arrived", values: sumOf(link(direction, "delivered"), true), filled: true },
        { name: "sent", values: sumOf(link(direction, "offered"), true) },
        ...boundsOf(direction),
      ];
      return plot(title, "bit/s", curves, quiet);
    };
    return [
      rate(`Bitrate in: ${who} to the server`, "up", "Nothing was sent to the server."),
      rate(`Bitrate out: the server to ${who}`, "down", "The server sent nothing."),
      plot("Queue at the bottleneck", "bytes", both("queue", false), "Nothing ever had to queue."),
      plot("Dropped", "bit/s", both("dropped", true), "No link dropped anything."),
    ];
  }

  /** What bounds the rate of the person who is looked at: what the link carries, and what a browser believes it may send. */
  function boundsOf(direction) {
    if (state.chosen.length !== 1) return [];
    const [chosen] = state.chosen;
    // Less than nothing is a link without end; it bounds nothing.
    const capacity = valuesOf(`link/${chosen}/${direction}/capacity`, false);
    const carries = capacity.map((bps) => (bps < 0 ? Number.MAX_VALUE : bps));
    const bounded = carries.some((bps) => bps < Number.MAX_VALUE);
    const estimate = direction === "up" ? data.series[`estimate/${chosen}/bandwidth up`] : undefined;
    return [
      ...(bounded ? [{ name: "the link carries", values: carries, bounds: true }] : []),
      ...(estimate === undefined
        ? []
        : [{ name: "estimate", values: valuesOf(`estimate/${chosen}/bandwidth up`, false) }]),
    ];
  }

  /** What the server knows of the ways to these people. */
  function wayPlots(viewers) {
    const curves = (what, factor) =>
      viewers.map((name) => {
        return { name, values: valuesOf(`estimate/${name}/${what}`, false).map((value) => value * factor) };
      });
    const trips = curves("round trip", 1e-3);
    const missing = curves("missing packets", 1);
    return [
      plot("Round trip, as the server estimates it", "ms", trips, "The server had no estimate of the round trip."),
      plot("Packets that the viewer misses", "packets", missing, "No viewer ever missed a packet."),
    ];
  }

  /** What shards send each other, and what of it is lost. */
  function betweenShards() {
    if (data.shards.length === 1) return [];
    return ["packets", "mail", "lost"].map((what) => {
      const curves = data.shards.flatMap((shard, place) => {
        const ways = Object.keys(data.series).filter((name) => name.startsWith(`way/${place} `) && name.endsWith(what));
        return ways.length === 0 ? [] : [{ name: `from ${shard}`, values: sumOf(ways, true) }];
      });
      const quiet = what === "lost" ? "Nothing was lost between shards." : "";
      return plot(`Between shards: ${what}`, "bit/s", curves, quiet);
    });
  }

  Object.assign(window.report, { plots, valuesOf, smoothed, pathOf, grid });
})();
