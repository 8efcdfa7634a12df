/**
 * Who said what to whom, as a sequence diagram: a lane for each shard and for each person, and a row for each message, or
 * for as many of a kind as followed each other. Shards speak to each other in it too, and the steps of the story and the
 * breach lie across all lanes. Buttons say which colour is what, and take kinds of messages out.
 */
(() => {
  const { data, state, flags, NARROW, make, clock, lasting, setNow, isChosen, section, follow } = window.report;

  /** What each kind of message is called, and its colour. */
  const KINDS = {
    signalling: ["signalling", "var(--ink)"],
    ice: ["checks", "var(--soft)"],
    dtls: ["handshake", "var(--second)"],
    media: ["media", "var(--playing)"],
    reports: ["reports", "var(--muted)"],
    nack: ["packets asked for again", "var(--waiting)"],
    keyframe: ["keyframes asked for", "var(--frozen)"],
    relay: ["between shards", "var(--relay)"],
    drop: ["dropped", "var(--danger)"],
  };

  /** Kinds whose rows are streams rather than single messages. */
  const STREAMS = ["media", "relay"];

  const ROW_HEIGHT = 26;
  const HEAD_HEIGHT = 26;

  /** A letter of a lane's name is this wide at most. */
  const LETTER_WIDTH = 7.8;

  function sequence() {
    // A message's end is the name of a person or the place of a shard, and so is a lane.
    const lanes = [...data.shards.keys(), ...data.peers.map(({ name }) => name).filter(isChosen)];
    const lane = laneWidth(lanes.length);
    const said = data.messages.filter(
      ({ from, to, at }) => lanes.includes(from) && lanes.includes(to) && at <= data.endsAt,
    );
    const place = make("div");
    const draw = () => place.replaceChildren(diagram(said, lanes, lane));
    const lead =
      "Signalling, connectivity checks, handshakes and requests as they were sent; what goes on and on is one row.";
    draw();
    return section("Who said what", lead, kindButtons(said, draw), place);
  }

  function diagram(said, lanes, lane) {
    const steps = flags.map((flag) => ({ ...flag, isStep: true }));
    const rows = [...said.filter(({ kind }) => !state.leftOut.has(kind)), ...steps].sort((a, b) => a.at - b.at);
    const drawn = rows.map((row) => (row.isStep ? stepRow(row) : messageRow(row, lanes, lane)));
    const style = `--lanes: ${lane * lanes.length}px; --lane: ${lane}px`;
    const box = make("div", { class: "scroller", style, tabindex: "0", "aria-label": "Messages" });
    box.append(heading(lanes, lane), ...drawn);
    follow(box, drawn, rows);
    return box;
  }

  /** A button for each kind that there is. */
  function kindButtons(said, draw) {
    const there = Object.entries(KINDS).filter(([name]) => said.some(({ kind }) => kind === name));
    const buttons = there.map(([name, [text, colour]]) => {
      const swatch = make("i", { style: `background: ${colour}` });
      const button = make("button", { type: "button", "aria-pressed": String(!state.leftOut.has(name)) }, swatch, text);
      button.addEventListener("click", () => {
        if (!state.leftOut.delete(name)) state.leftOut.add(name);
        button.setAttribute("aria-pressed", String(!state.leftOut.has(name)));
        draw();
        setNow(state.now);
      });
      return button;
    });
    return make("div", { class: "kinds", role: "group", "aria-label": "Kinds of messages" }, ...buttons);
  }

  /** What the story does, and where it breaks, is said across all lanes. */
  function stepRow({ at, kind, text }) {
    const name = kind === "breach" ? "message step breach-step" : "message step";
    const row = make("button", { class: name, type: "button" }, make("time", { text: clock(at) }), make("b", { text }));
    row.addEventListener("click", () => setNow(at));
    return row;
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
    const aslant = longest * LETTER_WIDTH > lane - 4;
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
    const more = [count > 1 ? `× ${count.toLocaleString("en")}` : "", until > at ? `for ${lasting(until - at)}` : ""];
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
    const [, colour] = KINDS[kind];
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
