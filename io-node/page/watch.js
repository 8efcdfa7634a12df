/**
 * The watch: what the server says of the call, as a stream of events where one can be had, by asking again and again where
 * not.
 *
 * Browsers keep six HTTP/1.1 connections to a host for all tabs of a profile together, and a stream holds one for as long as
 * the call lasts: the seventh tab would not even load. So the tabs share a few locks (Web Locks), and only a tab with a lock
 * has a stream; the others, and browsers without locks, ask each second. Both ways lead to the same state, and a stream
 * that the server or something before it refuses gives way to asking, which also learns why.
 */

/** Streams of all tabs of a profile together; the other connections are for everything that is answered at once. */
const STREAMS_MAX = 3;

/** Time between two questions, and how soon and how long they follow each other at first, when much changes. */
const ASK_MILLIS = 1_000;
const ASK_EARLY_MILLIS = 250;
const EARLY_MILLIS = 5_000;

/** How long an answer may take. */
const ANSWER_MILLIS = 4_000;

/**
 * Watches the participant at `location`. `handlers` hear `roster(roster)`, `bindings(slots)`, and once, at the end,
 * `left(reason, detail)`, after which the watch is closed; whoever closes it himself hears no more. `hears` in the answer
 * says whether the server can be heard at the moment.
 */
export function openWatch(location, handlers) {
  const watch = {
    location,
    handlers,
    hears: false,
    closed: false,
    events: null,
    /** Gives the lock back, while there is one. */
    giveBack: null,
    etag: "",
    timer: 0,
    asking: false,
    /** Somebody could not wait for an answer that was under way. */
    askAgain: false,
    openedAt: performance.now(),
  };
  start(watch);
  return watch;
}

/** Asks without waiting for the next turn, as when the call seems to be over. */
export function askNow(watch) {
  clearTimeout(watch.timer);
  if (watch.asking) watch.askAgain = true;
  else ask(watch);
}

/** Ends the watch. */
export function closeWatch(watch) {
  watch.closed = true;
  watch.hears = false;
  clearTimeout(watch.timer);
  closeStream(watch);
}

async function start(watch) {
  watch.giveBack = await takeLock();
  if (watch.closed) closeStream(watch);
  else if (watch.giveBack === null) ask(watch);
  else openStream(watch);
}

/** Takes one of the profile's locks until the answered function is called; answers null when there is none to be had. */
async function takeLock() {
  if (navigator.locks === undefined) return null;
  for (let i = 0; i < STREAMS_MAX; i++) {
    const giveBack = await new Promise((answer) => {
      const hold = (lock) => (lock === null ? answer(null) : new Promise((release) => answer(release)));
      navigator.locks.request(`lockstep-stream-${i}`, { ifAvailable: true }, hold).catch(() => answer(null));
    });
    if (giveBack !== null) return giveBack;
  }
  return null;
}

function openStream(watch) {
  const { handlers } = watch;
  const events = new EventSource(`${watch.location}/events`);
  watch.events = events;
  const on = (type, use) =>
    events.addEventListener(type, (event) => {
      if (!watch.closed) use(JSON.parse(event.data));
    });
  on("roster", (roster) => handlers.roster(roster));
  on("bindings", ({ slots }) => handlers.bindings(slots));
  on("left", (departure) => left(watch, departure));
  events.addEventListener("open", () => {
    watch.hears = !watch.closed;
  });
  // A stream that breaks opens again by itself, which may take long; one that is refused stays closed.
  events.addEventListener("error", () => {
    watch.hears = false;
    if (watch.closed) return;
    if (events.readyState === EventSource.CLOSED) closeStream(watch);
    askNow(watch);
  });
}

function closeStream(watch) {
  watch.events?.close();
  watch.events = null;
  watch.giveBack?.();
  watch.giveBack = null;
}

/** Asks once, and again later unless an open stream does the telling. */
async function ask(watch) {
  if (watch.closed || watch.asking) return;
  watch.asking = true;
  watch.askAgain = false;
  const answer = await fetchState(watch);
  watch.asking = false;
  if (watch.closed) return;
  const streams = watch.events?.readyState === EventSource.OPEN;
  watch.hears = answer !== null || streams;
  if (answer !== null) useAnswer(watch, answer);
  if (watch.closed || (streams && !watch.askAgain)) return;
  const early = performance.now() - watch.openedAt < EARLY_MILLIS;
  const wait = early ? ASK_EARLY_MILLIS : ASK_MILLIS;
  watch.timer = setTimeout(() => ask(watch), watch.askAgain ? 0 : wait);
}

/** Answers with `{ status, etag, body }`, or null when nothing has come or nothing that the server would say. */
async function fetchState({ location, etag }) {
  try {
    const headers = etag === "" ? {} : { "if-none-match": etag };
    const response = await fetch(location, { headers, signal: AbortSignal.timeout(ANSWER_MILLIS) });
    const body = response.status === 304 ? null : await response.json();
    return { status: response.status, etag: response.headers.get("etag") ?? "", body };
  } catch {
    return null;
  }
}

function useAnswer(watch, { status, etag, body }) {
  if (status === 404) left(watch, { reason: "gone", detail: "" });
  else if (status === 410) left(watch, body.left);
  else if (status === 200) {
    watch.etag = etag;
    const { slots, ...roster } = body;
    watch.handlers.roster(roster);
    watch.handlers.bindings(slots);
  }
}

function left(watch, { reason, detail }) {
  closeWatch(watch);
  watch.handlers.left(reason, detail);
}
