/**
 * The top of a report: what the run was and what became of it, whom to look at, and the timeline that is scrubbed.
 */
(() => {
  const { data, state, followers, flags, make, clock, percentOf, setNow, ruler } = window.report;

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
    const { promise, sentence, detail, at, event } = data.broken;
    const jump = make("button", { type: "button", text: `Go to ${clock(at, 3)}, event ${event}` });
    jump.addEventListener("click", () => setNow(at));
    const named = data.broken.people.map((name) => {
      const look = make("button", { type: "button", text: `Look at ${name}` });
      look.addEventListener("click", () => choose(name));
      return look;
    });
    return make(
      "div",
      { class: "breach" },
      make("p", {}, make("b", { text: `${promise} is broken. ` }), sentence),
      make("p", { text: detail }),
      make("p", { class: "ways" }, jump, ...named),
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
    const track = make("div", { class: "track" }, slider, ruler("calc(8px + (100% - 16px) * ", ")"));
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
    return make("div", { class: "scrub" }, make("div", { class: "scrub-row" }, play, time, track), happening);
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
        " ": onButton ? undefined : toggle,
      };
      const move = moves[event.key];
      if (move === undefined) return;
      event.preventDefault();
      move();
    });
  }

  /** A button for everyone, and one for each person; redraws what depends on the choice. */
  function chooser(redraw) {
    const names = ["", ...data.peers.map(({ name }) => name)];
    const buttons = names.map((name) => {
      const button = make("button", { type: "button", text: name === "" ? "Everyone" : name });
      button.addEventListener("click", () => choose(name));
      return button;
    });
    const choose = (name) => {
      state.chosen = name;
      buttons.forEach((button, index) => {
        button.setAttribute("aria-pressed", String(names[index] === name));
      });
      redraw();
      setNow(state.now);
    };
    return {
      element: make("div", { class: "chips", role: "group", "aria-label": "Whom to show" }, ...buttons),
      choose,
    };
  }

  Object.assign(window.report, { header, scrubber, chooser });
})();
