/**
 * What each viewer got of each source, as strips over time: playing, frozen, not yet, muted, without a slot, away.
 */
(() => {
  const { data, state, make, clock, percentOf, lasting, plural, isChosen, ruler, axis, section } = window.report;

  const STATES = {
    playing: "playing",
    frozen: "frozen",
    waiting: "not yet",
    muted: "muted",
    unslotted: "no slot",
    away: "away",
  };

  /** Strips of everyone together. */
  const STRIPS_MAX = 30;

  /** Who has waited for longer than this in all is said to have waited; everyone does for a moment. */
  const WAITING_MICROS = 1_000_000;

  function strips() {
    const legend = make("ul", { class: "legend" });
    for (const [name, word] of Object.entries(STATES)) {
      legend.append(make("li", {}, make("i", { class: `is-${name}` }), word));
    }
    const all = data.strips.filter(({ viewer }) => isChosen(viewer));
    const shown = state.chosen.length === 0 ? worthShowing(all) : all;
    const leftOut = all.length - shown.length;
    const blocks = [...new Set(shown.map(({ viewer }) => viewer))].map((viewer) =>
      make(
        "div",
        { class: "viewer" },
        make("h3", { text: `${viewer} sees and hears` }),
        ...shown.filter((strip) => strip.viewer === viewer).map(stripRow),
      ),
    );
    if (blocks.length === 0) {
      return section("What people got", "Nothing: there was no slot to show it in.");
    }
    const times = make("div", { class: "strip times" }, make("span"), ruler());
    const lead =
      leftOut === 0
        ? "Each source as each viewer got it, over the whole run. Dotted lines are the steps of the story."
        : `Those that had most trouble; ${plural(leftOut, "other")} with less or none are seen when you choose a person.`;
    return section("What people got", lead, legend, ...blocks, times);
  }

  /** In a large room nobody reads hundreds of strips: those that stood still for longest, in the order of the page. */
  function worthShowing(all) {
    if (all.length <= STRIPS_MAX) return all;
    const trouble = (strip) => lengthOf(strip, "frozen") + lengthOf(strip, "waiting");
    const worst = new Set(all.toSorted((a, b) => trouble(b) - trouble(a)).slice(0, STRIPS_MAX));
    return all.filter((strip) => worst.has(strip));
  }

  /** How long a strip was in this state, all together. */
  function lengthOf({ segments }, name) {
    return segments.reduce((sum, [from, to, each]) => sum + (each === name ? to - from : 0), 0);
  }

  function stripRow(strip) {
    const { viewer, source, segments } = strip;
    const bar = make("div", { class: "bar" });
    for (const [from, to, name] of segments) {
      const end = Math.min(to, data.endsAt);
      if (name === "away" || from >= end) continue;
      bar.append(
        make("span", {
          class: `is-${name}`,
          style: `left: ${percentOf(from)}%; width: ${percentOf(end - from)}%`,
          title: `${STATES[name]} for ${lasting(end - from)}, ${clock(from)} to ${clock(end)}`,
        }),
      );
    }
    const sum = summaryOf(strip);
    const row = axis(bar);
    row.setAttribute("role", "img");
    row.setAttribute("aria-label", `${viewer}, ${source}: ${sum.textContent}`);
    const name = make("span", { class: "strip-name", text: source.replace("/", "’s ") });
    const element = make("div", { class: "strip" }, name, row, sum);
    if (brokeIn(strip) !== undefined) element.classList.add("strip-broken");
    return element;
  }

  /** The pause that broke a promise, if it was in this strip. */
  function brokeIn({ viewer, source }) {
    const pause = data.broken?.standstill ?? undefined;
    return pause?.viewer === viewer && pause.source === source ? pause : undefined;
  }

  /** The worst of a strip in a few words: its freezes, else a long wait, else that nothing was wrong. */
  function summaryOf(strip) {
    const frozen = strip.segments.filter(([, , name]) => name === "frozen");
    const words = (text, title = "") =>
      make("span", { class: "strip-sum" }, make("span", { class: "bad", text, title }));
    if (frozen.length > 0) {
      const longest = Math.max(...frozen.map(([from, to]) => to - from));
      const many = frozen.length > 1 ? "longest " : "";
      return words(`${plural(frozen.length, "freeze")}, ${many}${lasting(longest)}`, `the longest took ${longest} µs`);
    }
    const pause = brokeIn(strip);
    if (pause !== undefined) return words(`still for ${lasting(pause.to - pause.from)}`);
    const waited = lengthOf(strip, "waiting");
    if (waited > WAITING_MICROS) return words(`waited ${lasting(waited)}`);
    return make("span", {
      class: "strip-sum",
      text: lengthOf(strip, "playing") === 0 ? "never shown" : "never frozen",
    });
  }

  Object.assign(window.report, { strips });
})();
