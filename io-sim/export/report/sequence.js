/**
 * Who said what to whom, as a sequence diagram: a lane for each shard and for each person, and a row for each message, or
 * for as many of a kind as followed each other. Shards speak to each other in it too.
 */
(() => {
  const { data, NARROW, make, clock, setNow, isChosen, section, follow } = window.report;

  const KIND_COLOURS = {
    signalling: "var(--ink)",
    ice: "var(--soft)",
    dtls: "var(--second)",
    keyframe: "var(--frozen)",
    nack: "var(--waiting)",
    media: "var(--playing)",
    reports: "var(--soft)",
    relay: "var(--relay)",
    drop: "var(--danger)",
  };

  /** Kinds whose rows are streams rather than single messages. */
  const STREAMS = ["media", "relay"];

  const ROW_HEIGHT = 26;
  const HEAD_HEIGHT = 26;

  function sequence() {
    // A message's end is the name of a person or the place of a shard, and so is a lane.
    const lanes = [...data.shards.keys(), ...data.peers.map(({ name }) => name).filter(isChosen)];
    const lane = laneWidth(lanes.length);
    const width = lane * lanes.length;
    const rows = data.messages
      .filter(({ from, to, at }) => lanes.includes(from) && lanes.includes(to) && at <= data.endsAt)
      .sort((a, b) => a.at - b.at);
    const drawn = rows.map((message) => messageRow(message, lanes, lane));
    const style = `--lanes: ${width}px; --lane: ${lane}px`;
    const box = make("div", { class: "scroller", style, tabindex: "0", "aria-label": "Messages" });
    box.append(heading(lanes, lane), ...drawn);
    follow(box, drawn, rows);
    const lead =
      "Signalling, connectivity checks, handshakes and requests as they were sent; what goes on and on is one row.";
    return section("Who said what", lead, box);
  }

  function laneWidth(count) {
    const room = NARROW ? document.documentElement.clientWidth - 64 : 520;
    return Math.max(NARROW ? 18 : 22, Math.min(76, Math.floor(room / count)));
  }

  function nameOf(end) {
    return typeof end === "number" ? data.shards[end] : end;
  }

  /** The names of the lanes, aslant where they would run into each other. */
  function heading(lanes, lane) {
    const names = lanes.map(nameOf);
    const longest = Math.max(...names.map((name) => name.length));
    const aslant = longest * 7 > lane - 4;
    const height = aslant ? Math.min(110, 22 + longest * 5.2) : HEAD_HEIGHT;
    const labels = names.map((name, index) => {
      const [x, y] = [lane * (index + 0.5), height - 8];
      const turned = aslant ? { transform: `rotate(-50 ${x} ${y})` } : { "text-anchor": "middle" };
      const text = name.length > 20 ? `${name.slice(0, 19)}…` : name;
      return make("text", { x, y, ...turned }, text);
    });
    const svg = make("svg", { width: lane * lanes.length, height, overflow: "visible" }, ...labels);
    return make(
      "div",
      { class: "message head" },
      make("time", { text: "time" }),
      make("div", { class: "lanes" }, svg),
      make("span", { text: "message" }),
    );
  }

  function messageRow({ from, to, kind, text, at, until, count }, lanes, lane) {
    const x = (end) => lane * (lanes.indexOf(end) + 0.5);
    const arrow = arrowOf(kind, x(from), x(to), until > at);
    const svg = make("svg", { width: lane * lanes.length, height: ROW_HEIGHT, "aria-hidden": "true" }, ...arrow);
    const across = make("div", { class: "lanes" }, svg);
    const more = [
      count > 1 ? `× ${count.toLocaleString("en")}` : "",
      until > at ? `for ${((until - at) / 1e6).toFixed(1)} s` : "",
    ];
    const label = make("span", { text }, make("small", { text: more.filter((part) => part !== "").join(", ") }));
    const title = `${nameOf(from)} to ${nameOf(to)}: ${text}`;
    const row = make(
      "button",
      { class: "message", type: "button", title },
      make("time", { text: clock(at) }),
      across,
      label,
    );
    row.addEventListener("click", () => setNow(at));
    return row;
  }

  /** From lane to lane, with a head; what was dropped ends half way, in a cross. */
  function arrowOf(kind, from, to, lasts) {
    const colour = KIND_COLOURS[kind];
    const middle = ROW_HEIGHT / 2;
    const isDrop = kind === "drop";
    const ends = isDrop ? (from + to) / 2 : to;
    const back = to > from ? -7 : 7;
    const style = `stroke: ${colour}; stroke-width: ${lasts && STREAMS.includes(kind) ? 3 : 1.5}`;
    const line = make("line", { x1: from, x2: ends, y1: middle, y2: middle, style });
    const head = isDrop
      ? make("path", { d: `M${ends - 4},${middle - 4} l8,8 m-8,0 l8,-8`, style: `stroke: ${colour}; stroke-width: 2` })
      : make("polygon", {
          points: `${to},${middle} ${to + back},${middle - 4} ${to + back},${middle + 4}`,
          style: `fill: ${colour}`,
        });
    return [line, head];
  }

  Object.assign(window.report, { sequence });
})();
