/**
 * What a report tells in rows: what led to the breach, what was dropped, what failed on purpose, the log, and the promises.
 */
(() => {
  const { data, make, clock, setNow, plural, isChosen, section, table, follow } = window.report;

  /** Rows of dropped packets that are in sight; the others are a list to open. */
  const DROPS_IN_SIGHT = 8;

  /** What led to the breach, event by event, and what those concerned went through; nothing for a run that held. */
  function causes() {
    if (data.broken === null) return [];
    const { promise, detail, at } = data.broken;
    const list = (title, buttons) => {
      if (buttons.length === 0) return [];
      const rows = buttons.map((button) => make("li", {}, button));
      return [make("h3", { text: title }), make("ol", { class: "log" }, ...rows)];
    };
    const links = data.causes.map(({ at: time, text, times }) => {
      const again = times > 1 ? `(and ${times - 1} more like it before)` : "";
      return logButton(time, [make("span", { text: `${text} ` }, make("small", { text: again }))]);
    });
    const rows = data.history.map(({ at: time, who, text }) => {
      const button = logButton(time, [make("b", { text: who }), make("span", { text })]);
      if (who === "story") button.classList.add("log-story");
      return button;
    });
    const end = logButton(at, [make("b", { text: promise }), make("span", { text: `is broken: ${detail}` })]);
    end.classList.add("log-breach");
    const lead = "A click goes to the moment.";
    return [
      section(
        "What led to it",
        lead,
        ...list("What those concerned went through", [...rows, end]),
        ...list("The event in which it broke, and those that scheduled it", links),
      ),
    ];
  }

  function drops() {
    const rows = data.drops.filter(({ peer }) => isChosen(peer)).sort((a, b) => b.count - a.count);
    if (rows.length === 0) return [];
    const most = rows[0].count;
    const body = rows.map(({ peer, direction, reason, count }) => [
      `${peer}, ${direction}`,
      reason,
      make("td", { class: "share" }, make("i", { style: `width: ${(100 * count) / most}%` })),
      make("td", { class: "number", text: count.toLocaleString("en") }),
    ]);
    const heads = () => ["link", "reason", "", make("th", { class: "number", text: "packets" })];
    const [first, others] = [body.slice(0, DROPS_IN_SIGHT), body.slice(DROPS_IN_SIGHT)];
    const title = `${others.length} more, of fewer packets`;
    const rest = make("details", {}, make("summary", { text: title }), table(others, heads()));
    const tables = [table(first, heads()), ...(others.length === 0 ? [] : [rest])];
    return [section("Dropped packets", "By link and reason.", ...tables)];
  }

  /** What the plan let fail; most runs let nothing. */
  function injected() {
    if (data.sites.length === 0) return [];
    const body = data.sites.map(({ site, reached, fired }) => [
      site,
      make("td", { class: "number", text: `${fired.toLocaleString("en")} of ${reached.toLocaleString("en")}` }),
    ]);
    const lead =
      "Places of the core and of its host that failed on purpose, and how often, of how often they were reached.";
    return [section("Injected failures", lead, table(body))];
  }

  /** The promises: the broken one is in sight, the others are a list to open. */
  function promises() {
    const row = ({ promise, sentence, judged, broken }) => {
      const verdict = broken ? "broken" : judged === 0 ? "not judged" : "held";
      const times = make("small", { text: judged === 0 ? "" : `${judged.toLocaleString("en")} ×` });
      return [promise, sentence, make("td", { class: "number" }, verdict, times)];
    };
    const broken = data.promises.filter((each) => each.broken);
    const held = data.promises.filter((each) => !each.broken && each.judged > 0);
    const unjudged = data.promises.filter((each) => !each.broken && each.judged === 0);
    const times = held.reduce((sum, { judged }) => sum + judged, 0);
    const list = (title, some) =>
      some.length === 0 ? [] : [make("details", {}, make("summary", { text: title }), table(some.map(row)))];
    const top = table(broken.map(row));
    top.classList.add("broken-rows");
    return section(
      "What was promised",
      `${plural(held.length, "promise")} held, judged ${times.toLocaleString("en")} times in this run.`,
      ...(broken.length === 0 ? [] : [top]),
      ...list("Those that held", held),
      ...list("Those that this run gave no occasion to judge", unjudged),
    );
  }

  function log() {
    const rows = data.rows
      .filter(({ at, who }) => at <= data.endsAt && (who === "" || isChosen(who)))
      .map((row) => ({ ...row, label: labelOf(row) }));
    if (data.broken !== null) {
      const { at, event, promise, detail } = data.broken;
      rows.push({ at, event, kind: "breach", label: promise, text: `is broken: ${detail}` });
    }
    const buttons = rows.map(({ at, event, kind, label, text }) => {
      const button = logButton(at, [make("b", { text: label }), make("span", { text })]);
      button.classList.add(`log-${kind}`);
      button.title = `event ${event}`;
      return button;
    });
    const list = make("ol", { class: "log" }, ...buttons.map((button) => make("li", {}, button)));
    const box = make("div", { class: "scroller", tabindex: "0", "aria-label": "Log" }, list);
    follow(box, buttons, rows);
    return section("What happened", "Steps of the story, what the server announced, and what clients did.", box);
  }

  function labelOf({ who, kind }) {
    return who === "" || kind === "story" ? kind : who;
  }

  function logButton(at, parts) {
    const button = make("button", { type: "button" }, make("time", { text: clock(at, 3) }), ...parts);
    button.addEventListener("click", () => setNow(at));
    return button;
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
      ["+"],
      ["-"],
      ["0"],
      "closer, farther, the whole run; ",
      ["Space"],
      "play; ",
      ["Shift"],
      "and a click on a name takes it in or out.",
    ];
    const parts = keys.flatMap((part) =>
      typeof part === "string" ? [` ${part}`] : part.map((key) => make("kbd", { text: key })),
    );
    return make("p", { class: "keys" }, ...parts);
  }

  Object.assign(window.report, { causes, drops, injected, promises, log, help });
})();
