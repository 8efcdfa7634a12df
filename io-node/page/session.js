/**
 * A session: one participant of a room, from the join to the goodbye. It has one connection at a time (connection.js), and a
 * watch over what the server says of the call (watch.js).
 *
 * When the connection is lost, as by who carries his laptop from one network into another, the session makes a new one: it
 * offers anew to where it has joined, and stays the same participant, whom nobody sees leave. That is tried until the server
 * has surely forgotten him.
 */
import { JoinError, openConnection, useAnswer } from "./connection.js";
import { askNow, closeWatch, openWatch } from "./watch.js";

/** How long the connection may take at first. */
const CONNECT_MILLIS = 20_000;

/** How long it may be away later: the server waits for 30 s, and whoever comes later comes as somebody else. */
const AWAY_MILLIS = 27_000;

/** How long it may be away when the watch hears nothing either: then it is the server that is gone. */
const SILENT_MILLIS = 12_000;

/** How long it may be away before a new one is made: browsers find another path by themselves, when there is one. */
const PATIENCE_MILLIS = 3_000;

/** Time between two tries to make a new one. */
const RETRY_MILLIS = 1_000;

/** How long the answer to an offer may take when the connection was lost. */
const ANSWER_MILLIS = 4_000;

/** How long the server's reason for closing the call may take to come. */
const REASON_MILLIS = 1_500;

/** How long the goodbye may take before the connection is closed without it. */
const GOODBYE_MILLIS = 500;

/** The server knows the participant no longer, or has another connection with it: nothing is left but to join again. */
const FORGOTTEN = [404, 410, 412];

/**
 * Joins a room. `handlers` hear of it: `connection(state)`, `replaced()` when the session has other transceivers than before,
 * `roster(roster)`, `bindings(slots)`, and once, at the end, `ended(reason, detail)`. Answers with the session; throws a
 * {@link JoinError}.
 */
export async function join({ room, name, ...wish }, handlers) {
  const { offer, ...connection } = await openConnection(wish);
  const session = {
    ...connection,
    room,
    wish,
    handlers,
    location: "",
    /** Names the connection to the server. */
    etag: "",
    watch: null,
    ended: false,
    replacing: false,
    awayTimer: 0,
  };
  try {
    const answer = await post(session, name, offer);
    awayFor(session, CONNECT_MILLIS, "connect-timeout");
    watchConnection(session);
    await useAnswer(session.pc, answer);
  } catch (error) {
    close(session);
    forget(session);
    throw error;
  }
  session.online = () => reconnect(session);
  window.addEventListener("online", session.online);
  session.watch = openWatch(session.location, {
    roster: handlers.roster,
    bindings: handlers.bindings,
    left: (reason, detail) => end(session, reason, detail),
  });
  return session;
}

/** Ends the session from this side. It may be called while the page is going away. */
export function leave(session) {
  if (session.ended) return;
  stopListening(session);
  // The goodbye first and the connection after it, so that the server hears why it closes.
  Promise.race([forget(session), sleep(GOODBYE_MILLIS)]).then(() => session.pc.close());
}

/** Puts a track (or null, for muted) into a sender. */
export function sendTrack(transceiver, track) {
  return transceiver.sender.replaceTrack(track);
}

async function post(session, name, offer) {
  const url = `/api/v1/rooms/${encodeURIComponent(session.room)}/participants?name=${encodeURIComponent(name)}`;
  let response;
  try {
    response = await fetch(url, { method: "POST", headers: { "content-type": "application/sdp" }, body: offer });
  } catch {
    throw new JoinError("The server does not answer. Check your network, or try again in a moment.");
  }
  if (!response.ok) throw new JoinError(await refusal(response));
  session.location = response.headers.get("location") ?? "";
  session.etag = response.headers.get("etag") ?? "";
  return response.text();
}

async function refusal(response) {
  try {
    const problem = await response.json();
    return problem.detail;
  } catch {
    return `The server refused the call (status ${response.status}).`;
  }
}

function watchConnection(session) {
  const { pc, handlers } = session;
  const isOver = () => session.ended || session.pc !== pc;
  pc.addEventListener("connectionstatechange", () => {
    if (isOver()) return;
    handlers.connection(pc.connectionState);
    if (pc.connectionState === "connected") {
      clearTimeout(session.awayTimer);
      session.awayTimer = 0;
    } else if (pc.connectionState === "failed") lost(session, 0);
    else if (pc.connectionState === "disconnected") lost(session, PATIENCE_MILLIS);
  });
  // One transport carries everything: when the server closes it, the call is over.
  const transport = session.audio.sender.transport;
  transport?.addEventListener("statechange", () => {
    if (isOver()) return;
    if (transport.state === "closed") {
      // The watch knows why, or learns it in a moment.
      if (session.watch !== null) askNow(session.watch);
      setTimeout(() => {
        if (!isOver()) end(session, "closed", "");
      }, REASON_MILLIS);
    }
    if (transport.state === "failed") lost(session, 0);
  });
}

/** The connection does not carry anything any more, and is replaced if that is so for a while. */
function lost(session, patienceMillis) {
  if (session.awayTimer === 0) {
    awayFor(session, AWAY_MILLIS, "connection-lost");
    const { awayTimer } = session;
    setTimeout(() => {
      if (session.awayTimer === awayTimer) endIfSilent(session);
    }, SILENT_MILLIS);
  }
  const { pc } = session;
  setTimeout(() => {
    if (session.pc === pc) reconnect(session);
  }, patienceMillis);
}

/** Makes a new connection, again and again, until one stands or the session is over. */
async function reconnect(session) {
  const needsOne = () => !session.ended && session.pc.connectionState !== "connected";
  // While the first one is being made there is nothing to replace.
  if (session.replacing || !needsOne() || session.watch === null) return;
  session.replacing = true;
  try {
    while (needsOne() && !(await replace(session))) await sleep(RETRY_MILLIS);
  } catch {
    end(session, "connection-lost", "");
  } finally {
    session.replacing = false;
  }
}

/** Offers another connection; answers whether the server has taken it. */
async function replace(session) {
  const [camera, microphone] = [session.video.sender.track, session.audio.sender.track];
  const { offer, ...connection } = await openConnection({ ...session.wish, camera, microphone });
  const response = await patch(session, offer);
  const former = session.pc;
  if (session.ended || response === null || !response.ok) {
    connection.pc.close();
    if (session.ended) return true;
    if (response === null || response.status >= 500) return false;
    end(session, FORGOTTEN.includes(response.status) ? "gone" : "connection-lost", "");
    return true;
  }
  session.etag = response.headers.get("etag") ?? "";
  Object.assign(session, connection);
  former.close();
  watchConnection(session);
  await useAnswer(session.pc, await response.text());
  session.handlers.replaced();
  return true;
}

/** Answers with the response, or null when none has come. */
async function patch({ location, etag }, offer) {
  const headers = { "content-type": "application/sdp", "if-match": etag };
  try {
    return await fetch(location, { method: "PATCH", headers, body: offer, signal: AbortSignal.timeout(ANSWER_MILLIS) });
  } catch {
    return null;
  }
}

function endIfSilent(session) {
  if (session.watch?.hears !== true) end(session, "server-gone", "");
}

function awayFor(session, millis, reason) {
  if (session.awayTimer !== 0) return;
  session.awayTimer = setTimeout(() => end(session, reason, ""), millis);
}

function end(session, reason, detail) {
  if (session.ended) return;
  close(session);
  // The server may not have noticed yet; after its own goodbye this finds nothing, which is fine.
  if (["connection-lost", "connect-timeout", "gone"].includes(reason)) forget(session);
  session.handlers.ended(reason, detail);
}

function close(session) {
  stopListening(session);
  session.pc.close();
}

function stopListening(session) {
  session.ended = true;
  clearTimeout(session.awayTimer);
  window.removeEventListener("online", session.online);
  if (session.watch !== null) closeWatch(session.watch);
}

async function forget(session) {
  if (session.location === "") return;
  try {
    await fetch(session.location, { method: "DELETE", keepalive: true });
  } catch {
    // A server that can't be reached will notice by itself.
  }
}

function sleep(millis) {
  return new Promise((resolve) => setTimeout(resolve, millis));
}
