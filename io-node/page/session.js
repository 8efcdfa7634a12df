/**
 * One connection to the server: one offer, one answer, a watch over what the server says of the call, and a goodbye.
 *
 * The offer has a camera and a microphone to send and a fixed number of slots to receive; all of them stay for the whole
 * call. The server fills the slots and says what each shows (watch.js). A muted device is a sender without a track, so that
 * nothing flows and others see it muted; no second offer is ever needed.
 */
import { askNow, closeWatch, openWatch } from "./watch.js";

const VIDEO_SLOTS = 8;
const AUDIO_SLOTS = 4;

/** How long the connection may take at first, and may be away later, before the call is given up. */
const CONNECT_MILLIS = 20_000;
const AWAY_MILLIS = 15_000;

/** How long it may be away when the watch hears nothing either: then it is the server that is gone. */
const SILENT_MILLIS = 4_000;

/** How long the server's reason for closing the call may take to come. */
const REASON_MILLIS = 1_500;

/** How long the goodbye may take before the connection is closed without it. */
const GOODBYE_MILLIS = 500;

const SIMULCAST = [
  { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  { rid: "f", scaleResolutionDownBy: 1, maxBitrate: 1_700_000 },
];

/** A join that the server has refused or could not be asked for; the message is for people. */
export class JoinError extends Error {}

/**
 * Joins a room. `handlers` hear of it: `connection(state)`, `roster(roster)`, `bindings(slots)`, and once, at the end,
 * `ended(reason, detail)`. Answers with the session; throws a {@link JoinError}.
 */
export async function join({ room, name, camera, microphone, codec, simulcast }, handlers) {
  const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  const session = {
    pc,
    room,
    handlers,
    location: "",
    watch: null,
    ended: false,
    audio: pc.addTransceiver(microphone ?? "audio", { direction: "sendonly" }),
    video: pc.addTransceiver(camera ?? "video", { direction: "sendonly", sendEncodings: encodings(codec, simulcast) }),
    /** Receiving transceivers by mid, once the offer is set. */
    slots: new Map(),
    awayTimer: 0,
  };
  preferCodec(session.video, codec);
  const slots = [];
  for (let i = 0; i < AUDIO_SLOTS; i++) slots.push(pc.addTransceiver("audio", { direction: "recvonly" }));
  for (let i = 0; i < VIDEO_SLOTS; i++) slots.push(pc.addTransceiver("video", { direction: "recvonly" }));
  try {
    await pc.setLocalDescription();
    for (const slot of slots) session.slots.set(slot.mid, slot);
    const answer = await post(session, name);
    watchConnection(session);
    await pc.setRemoteDescription({ type: "answer", sdp: answer });
  } catch (error) {
    close(session);
    forget(session);
    throw error instanceof JoinError
      ? error
      : new JoinError(`The browser could not use the server's answer (${error.message}).`);
  }
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

function encodings(codec, simulcast) {
  if (!simulcast) return [{ maxBitrate: 1_700_000 }];
  // Without a word about it, browsers put the layers of VP9 and AV1 into one stream instead.
  const layers = codec === "vp9" || codec === "av1" ? { scalabilityMode: "L1T3" } : {};
  return SIMULCAST.map((encoding) => ({ ...encoding, ...layers }));
}

function preferCodec(transceiver, codec) {
  const all = RTCRtpSender.getCapabilities("video")?.codecs ?? [];
  const wanted = all.filter(({ mimeType }) => mimeType.toLowerCase() === `video/${codec}`);
  if (wanted.length === 0)
    throw new JoinError(`This browser can't send ${codec.toUpperCase()}; remove ?codec= from the address.`);
  const repair = all.filter(({ mimeType }) => mimeType.toLowerCase() === "video/rtx");
  transceiver.setCodecPreferences([...wanted, ...repair]);
}

async function post(session, name) {
  const url = `/api/v1/rooms/${encodeURIComponent(session.room)}/participants?name=${encodeURIComponent(name)}`;
  const body = session.pc.localDescription.sdp;
  let response;
  try {
    response = await fetch(url, { method: "POST", headers: { "content-type": "application/sdp" }, body });
  } catch {
    throw new JoinError("The server does not answer. Check your network, or try again in a moment.");
  }
  if (!response.ok) throw new JoinError(await refusal(response));
  session.location = response.headers.get("location") ?? "";
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
  awayFor(session, CONNECT_MILLIS, "connect-timeout");
  pc.addEventListener("connectionstatechange", () => {
    if (session.ended) return;
    handlers.connection(pc.connectionState);
    if (pc.connectionState === "connected") {
      clearTimeout(session.awayTimer);
      session.awayTimer = 0;
    } else if (pc.connectionState === "failed") end(session, "connection-lost", "");
    else if (pc.connectionState === "disconnected") {
      awayFor(session, AWAY_MILLIS, "connection-lost");
      setTimeout(() => endIfSilent(session), SILENT_MILLIS);
    }
  });
  // One transport carries everything: when the server closes it, the call is over.
  const transport = session.audio.sender.transport;
  transport?.addEventListener("statechange", () => {
    if (transport.state === "closed") {
      // The watch knows why, or learns it in a moment.
      if (session.watch !== null) askNow(session.watch);
      setTimeout(() => end(session, "closed", ""), REASON_MILLIS);
    }
    if (transport.state === "failed") end(session, "connection-lost", "");
  });
}

function endIfSilent(session) {
  if (session.pc.connectionState === "disconnected" && session.watch?.hears !== true) {
    end(session, "server-gone", "");
  }
}

function awayFor(session, millis, reason) {
  if (session.awayTimer !== 0) return;
  session.awayTimer = setTimeout(() => end(session, reason, ""), millis);
}

function end(session, reason, detail) {
  if (session.ended) return;
  close(session);
  // The server may not have noticed yet; after its own goodbye this finds nothing, which is fine.
  if (reason === "connection-lost" || reason === "connect-timeout") forget(session);
  session.handlers.ended(reason, detail);
}

function close(session) {
  stopListening(session);
  session.pc.close();
}

function stopListening(session) {
  session.ended = true;
  clearTimeout(session.awayTimer);
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
