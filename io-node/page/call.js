/**
 * The page: a lobby to come in by, the call, and the way back to the lobby when it ends.
 *
 * The address holds the room (`/r/standup` or `/?room=standup`) and, for those who compare, `codec=vp8|h264|vp9|av1`,
 * `simulcast=0`, `name=` and `join=1` (come in without a click). What the page knows stands in one plain object,
 * `window.lockstep.state`, which tests and curious people may read.
 */
import { callAddress, copy, roomFromAddress, roomLink, suggestRoom } from "./address.js";
import { serverIsBack } from "./comeback.js";
import { JoinError } from "./connection.js";
import { openCamera, openDevices, openMicrophone, openScreen } from "./devices.js";
import { createQuality, lookAtStats } from "./quality.js";
import { screensIn } from "./screens.js";
import { join, leave, sendTrack } from "./session.js";
import { clearStage, createStage, enlarge, initials, playAudio, showLevel, showPeople, unblockAudio } from "./stage.js";

const CODECS = ["vp8", "h264", "vp9", "av1"];
const ROOM_NAME = /^[A-Za-z0-9._-]{1,64}$/;
/** Sounds are often regular in tenths of a second: looks at them that are so too could fall into the same pauses for ever. */
const LEVEL_MILLIS = 110;
const QUALITY_MILLIS = 3_000;
const SCREENS_MILLIS = 1_000;
const OWN = "0";

/** After these ends the page comes back by itself, as soon as the server takes calls. */
const COMES_BACK = ["drained", "server-gone", "gone", "shard-lost", "shard-failed"];

/** Sentences for the end of a call, by the reason that the server or the connection gives. */
const ENDINGS = {
  left: "You have left the call.",
  "closed-by-peer": "The call was closed.",
  "consent-expired": "The server had not heard from this browser for a while. Check your network and rejoin.",
  "connect-timeout": "The media connection could not be made: the network may be blocking UDP to the server.",
  "dtls-failed": "The encrypted connection could not be set up. Please rejoin.",
  "room-full": "The room was full when this browser came in. Try again when somebody has left.",
  "shard-lost": "The part of the server that carried this room has failed.",
  "shard-failed": "The part of the server that carried your call has failed.",
  drained: "The server is shutting down or restarting.",
  "connection-lost": "The connection to the server was lost. Check your network and rejoin.",
  "server-gone": "The server does not answer any more.",
  closed: "The server has closed the call. Please rejoin.",
  gone: "The server does not know this call any more; it may have restarted.",
};

const COMING_BACK = "This page rejoins as soon as the server takes calls again.";

/** What stands over the tiles while the media connection does not stand. */
const STATES = { connecting: "Connecting…", reconnecting: "Connection lost, trying again…" };
/** What is said of a device that stops by itself. That nobody shows a screen any more can be seen. */
const STOPPED = { camera: "The camera has stopped.", microphone: "The microphone has stopped.", screen: "" };
const POOR = "Your connection is poor: voices and pictures may break up.";

const query = new URLSearchParams(location.search);
const find = (id) => document.getElementById(id);

/** Kept, because the stage takes the invitation out of the page while it is not wanted. */
const invitationLink = find("invitation-link");

const state = {
  /** "lobby", "joining", "connecting", "connected", "reconnecting" or "ended". */
  phase: "lobby",
  room: "",
  name: "",
  participant: 0,
  roster: [],
  slots: [],
  /** The mids of the slots that show a screen. */
  screens: [],
  connection: "new",
  /** What the lobby says, or empty. */
  notice: "",
  /** What is sent of one's own. */
  on: { camera: false, microphone: false, screen: false },
  /** The network carries the call badly. */
  poor: false,
};

const page = {
  session: null,
  /** The devices in use, and what their pictures are shown from. A muted microphone stays in use. */
  tracks: { camera: null, microphone: null, screen: null },
  streams: { camera: null, screen: null },
  shownRoster: false,
  quality: createQuality(),
  /** Counts what makes the page stop waiting for the server to come back. */
  turn: 0,
};
const stage = createStage({
  tilesElement: find("tiles"),
  playersElement: find("players"),
  invitation: find("invitation"),
  onBlocked() {
    find("unblock-sound").hidden = page.session === null;
  },
});

window.lockstep = {
  state,
  get pc() {
    return page.session?.pc ?? null;
  },
  get session() {
    return page.session;
  },
};

start();

async function start() {
  find("room").value = roomFromAddress(query) || suggestRoom();
  find("name").value = query.get("name") ?? remembered();
  find("join-form").addEventListener("submit", (event) => {
    event.preventDefault();
    enter();
  });
  find("name").addEventListener("input", showPreview);
  find("leave").addEventListener("click", () => goodbye("left"));
  for (const id of ["share", "invite"]) find(id).addEventListener("click", share);
  for (const id of ["mic", "lobby-mic"]) find(id).addEventListener("click", toggleMicrophone);
  for (const id of ["camera", "lobby-camera"]) find(id).addEventListener("click", toggleCamera);
  find("screen").addEventListener("click", toggleScreen);
  find("screen").hidden = navigator.mediaDevices?.getDisplayMedia === undefined;
  find("unblock-sound").addEventListener("click", () => {
    unblockAudio(stage);
    find("unblock-sound").hidden = true;
  });
  document.addEventListener("keydown", shortcut);
  window.addEventListener("pagehide", () => {
    if (page.session !== null) leave(page.session);
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && page.session !== null) ended("left", "");
  });
  setInterval(showLevels, LEVEL_MILLIS);
  setInterval(showQuality, QUALITY_MILLIS);
  setInterval(showScreens, SCREENS_MILLIS);
  showPhase("lobby");
  showDevices();
  await takeDevices();
  if (query.get("join") === "1") enter();
}

async function takeDevices() {
  find("device-notice").textContent = "Asking for your camera and microphone…";
  const { camera, microphone, notice } = await openDevices();
  use("camera", camera);
  use("microphone", microphone);
  showDeviceNotice(notice);
  showDevices();
}

/** Joins the room in the form. */
async function enter() {
  if (state.phase === "joining" || page.session !== null) return;
  page.turn += 1;
  const room = find("room").value.trim();
  const name = find("name").value.trim();
  if (!ROOM_NAME.test(room)) {
    showNotice("A room's name has letters, digits, hyphens, underscores and dots, 64 at most.");
    find("room").focus();
    return;
  }
  remember(name);
  Object.assign(state, {
    room,
    name,
    participant: 0,
    roster: [],
    slots: [],
    screens: [],
    connection: "new",
    poor: false,
  });
  page.shownRoster = false;
  page.quality = createQuality();
  showNotice("");
  showPhase("joining");
  const codec = CODECS.includes(query.get("codec")) ? query.get("codec") : "vp8";
  const media = { camera: page.tracks.camera, microphone: state.on.microphone ? page.tracks.microphone : null, codec };
  try {
    const wish = { room, name, ...media, simulcast: query.get("simulcast") !== "0" };
    page.session = await join(wish, { connection, replaced, roster, bindings, ended });
  } catch (error) {
    showPhase("ended");
    showNotice(error instanceof JoinError ? error.message : `The call could not be started (${error.message}).`);
    find("join").focus();
    return;
  }
  // The devices may have changed while the server was answering.
  syncSenders();
  history.replaceState(null, "", callAddress(state.room, query));
  playAudio(stage, page.session.slots);
  showPhase("connecting");
  showRoom();
  find("mic").focus();
}

function connection(now) {
  state.connection = now;
  if (now === "connected") showPhase("connected");
  else if (now === "disconnected" || now === "failed") showPhase("reconnecting");
}

/** The session has a new connection: other players, other tracks, and counts that begin anew. */
function replaced() {
  page.quality = createQuality();
  syncSenders();
  playAudio(stage, page.session.slots);
  showRoom();
}

function roster({ you, participants }) {
  const before = new Map(state.roster.map((each) => [each.participant, each]));
  const after = new Map(participants.map((each) => [each.participant, each]));
  state.participant = you;
  state.roster = participants;
  if (page.shownRoster) {
    for (const [key, each] of after) if (!before.has(key) && key !== you) announce(`${nameOf(each)} joined`);
    for (const [key, each] of before) if (!after.has(key) && key !== you) announce(`${nameOf(each)} left`);
  }
  page.shownRoster = true;
  showRoom();
}

function bindings(slots) {
  state.slots = slots;
  showRoom();
}

function ended(reason, detail) {
  goodbye(reason, detail);
}

/** Goes back to the lobby, saying why. */
function goodbye(reason, detail = "") {
  const { session } = page;
  if (session === null) return;
  page.session = null;
  leave(session);
  use("screen", null);
  clearStage(stage);
  Object.assign(state, { participant: 0, roster: [], slots: [], connection: "closed" });
  showPhase("ended");
  const comesBack = COMES_BACK.includes(reason);
  // What such an end says of itself is that one should join again.
  const more = comesBack ? COMING_BACK : detail;
  showNotice(`${ENDINGS[reason] ?? "The call has ended."} ${more}`.trim(), reason === "left" ? "calm" : "warning");
  find("join").focus();
  if (comesBack) comeBack();
}

/** Joins again when the server takes calls, unless somebody has decided otherwise before. */
async function comeBack() {
  const turn = ++page.turn;
  const isOver = () => page.turn !== turn;
  if (await serverIsBack(isOver)) enter();
  else if (!isOver()) showNotice("The server has not come back. Try again later.");
}

function showRoom() {
  if (page.session === null) return;
  const slotOf = new Map();
  for (const slot of state.slots) {
    if (slot.kind === "video" && slot.participant !== 0) slotOf.set(slot.participant, slot);
  }
  const others = state.roster.filter(({ participant }) => participant !== state.participant);
  const people = others.map((each) => {
    const slot = slotOf.get(each.participant);
    const stream = slot === undefined ? null : streamOf(slot.mid);
    const isPaused = slot?.paused === true;
    const flows = (kind) => each.publications.some((one) => one.kind === kind && one.flowing);
    const key = String(each.participant);
    return {
      key,
      name: nameOf(each),
      own: false,
      screen: slot !== undefined && state.screens.includes(slot.mid),
      stream,
      flowing: flows("video") && !isPaused,
      muted: !flows("audio"),
    };
  });
  const name = state.name || "Guest";
  const { on } = state;
  const stream = page.streams.screen ?? page.streams.camera;
  const own = { name, own: true, screen: on.screen, stream, flowing: stream !== null, muted: !on.microphone };
  showPeople(stage, [...people, { key: OWN, ...own }]);
  find("call-room").textContent = state.room;
  find("call-count").textContent = others.length === 0 ? "Only you so far" : `${others.length + 1} people`;
  invitationLink.textContent = roomLink(state.room).replace(/^https?:\/\//, "");
  document.title = `${state.room} · Lockstep`;
}

const streams = new WeakMap();

/** The stream of a slot: one for its life, so that a tile can tell whether its picture comes from elsewhere now. */
function streamOf(mid) {
  const track = page.session.slots.get(mid)?.receiver.track;
  if (track === undefined) return null;
  if (!streams.has(track)) streams.set(track, new MediaStream([track]));
  return streams.get(track);
}

async function showLevels() {
  const { session } = page;
  if (session === null) return;
  for (const { kind, mid, participant } of state.slots) {
    if (kind !== "audio" || participant === 0) continue;
    const sources = session.slots.get(mid)?.receiver.getSynchronizationSources() ?? [];
    const fresh = sources.filter(({ timestamp }) => performance.timeOrigin + performance.now() - timestamp < 1_000);
    showLevel(stage, String(participant), Math.max(0, ...fresh.map(({ audioLevel }) => audioLevel ?? 0)));
  }
  if (!state.on.microphone) return showLevel(stage, OWN, 0);
  const stats = await session.audio.sender.getStats();
  for (const one of stats.values()) if (one.type === "media-source") showLevel(stage, OWN, one.audioLevel ?? 0);
}

async function showQuality() {
  const { session, quality } = page;
  if (session === null || state.phase !== "connected") return;
  const stats = await session.pc.getStats();
  if (page.session !== session) return;
  state.poor = lookAtStats(quality, stats.values());
  if (state.phase === "connected") showPhase("connected");
}

/** Looks which slots show a screen now. */
async function showScreens() {
  const { session } = page;
  if (session === null) return;
  const screens = screensIn((await session.pc.getStats()).values());
  if (page.session !== session || String(screens) === String(state.screens)) return;
  state.screens = screens;
  showRoom();
}

async function toggleMicrophone() {
  if (page.tracks.microphone === null) {
    const { track, notice } = await openMicrophone();
    use("microphone", track);
    say(notice);
  } else state.on.microphone = !state.on.microphone;
  devicesChanged();
}

async function toggleCamera() {
  if (page.tracks.camera === null) {
    const { track, notice } = await openCamera();
    use("camera", track);
    say(notice);
  } else use("camera", null);
  devicesChanged();
}

/** Shows a screen in the place of the camera, or the camera again. */
async function toggleScreen() {
  if (page.tracks.screen === null) {
    const { track, notice } = await openScreen();
    // The call may have ended while the browser was asking.
    if (page.session === null) track?.stop();
    else use("screen", track);
    say(notice);
  } else use("screen", null);
  devicesChanged();
}

/** Takes the track of a camera, a microphone or a screen into use in place of the one before; null for none. */
function use(device, track) {
  page.tracks[device]?.stop();
  page.tracks[device] = track;
  if (device in page.streams) page.streams[device] = track === null ? null : new MediaStream([track]);
  state.on[device] = track !== null;
  track?.addEventListener("ended", () => {
    if (page.tracks[device] !== track) return;
    use(device, null);
    if (STOPPED[device] !== "") say(STOPPED[device]);
    devicesChanged();
  });
}

/** Sends and shows what is in use now. */
function devicesChanged() {
  syncSenders();
  showDevices();
}

function syncSenders() {
  const { camera, microphone, screen } = page.tracks;
  if (microphone !== null) microphone.enabled = state.on.microphone;
  if (page.session === null) return;
  sendTrack(page.session.audio, state.on.microphone ? microphone : null);
  sendTrack(page.session.video, screen ?? camera);
}

function showDevices() {
  const set = (id, on, what, key) => {
    find(id).setAttribute("aria-pressed", String(on));
    const hint = find(id).hasAttribute("aria-keyshortcuts") ? ` (${key})` : "";
    find(id).title = `Turn your ${what} ${on ? "off" : "on"}${hint}`;
  };
  for (const id of ["mic", "lobby-mic"]) set(id, state.on.microphone, "microphone", "M");
  for (const id of ["camera", "lobby-camera"]) set(id, state.on.camera, "camera", "V");
  find("screen").setAttribute("aria-pressed", String(state.on.screen));
  find("screen").title = `${state.on.screen ? "Stop showing" : "Show"} your screen in place of your camera (S)`;
  showPreview();
  showRoom();
}

function showPreview() {
  if (find("preview").srcObject !== page.streams.camera) find("preview").srcObject = page.streams.camera;
  find("preview-off").hidden = state.on.camera;
  find("preview-avatar").textContent = initials(find("name").value);
}

function showPhase(phase) {
  state.phase = phase;
  const inCall = phase === "connected" || phase in STATES;
  document.body.dataset.phase = phase;
  const said = STATES[phase] ?? (phase === "connected" && state.poor ? POOR : "");
  // What is said again would be read out again.
  if (find("call-state").textContent !== said) find("call-state").textContent = said;
  find("lobby").hidden = inCall;
  find("call").hidden = !inCall;
  find("join").disabled = phase === "joining";
  find("join").textContent = { joining: "Joining…", ended: "Rejoin" }[phase] ?? "Join the call";
  if (!inCall) {
    document.title = "Lockstep";
    find("notices").replaceChildren();
    find("unblock-sound").hidden = true;
  }
}

/** Says a sentence in the lobby: a "warning", or "calm" when it is only what somebody wanted. */
function showNotice(sentence, tone = "warning") {
  state.notice = sentence;
  find("lobby-notice").dataset.tone = tone;
  find("lobby-notice").textContent = sentence;
  find("lobby-notice").hidden = sentence === "";
}

/** Says something about a device where it can be seen now. */
function say(sentence) {
  if (page.session === null) showDeviceNotice(sentence);
  else if (sentence !== "") announce(sentence);
}

function showDeviceNotice(sentence) {
  find("device-notice").textContent = sentence;
  find("device-notice").className = sentence === "" ? "help" : "notice";
}

function announce(sentence) {
  const note = document.createElement("p");
  note.textContent = sentence;
  find("notices").append(note);
  setTimeout(() => note.remove(), 4_000);
}

async function share() {
  const link = roomLink(state.room);
  try {
    if (matchMedia("(pointer: coarse)").matches && navigator.share !== undefined) await navigator.share({ url: link });
    else {
      await copy(link);
      announce("The link is copied; send it to those you want here.");
    }
  } catch (error) {
    // Closing the share sheet is an answer too.
    if (error.name !== "AbortError") announce(`Send this link: ${link}`);
  }
}

function shortcut(event) {
  const typing = event.target instanceof HTMLInputElement;
  if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat || page.session === null) return;
  if (event.key.toLowerCase() === "m") toggleMicrophone();
  if (event.key.toLowerCase() === "v") toggleCamera();
  if (event.key.toLowerCase() === "s" && !find("screen").hidden) toggleScreen();
  if (event.key === "Escape") enlarge(stage, "");
}

function nameOf({ participant, name }) {
  return name === "" ? `Guest ${participant}` : name;
}

function remembered() {
  try {
    return localStorage.getItem("lockstep.name") ?? "";
  } catch {
    return "";
  }
}

function remember(name) {
  try {
    localStorage.setItem("lockstep.name", name);
  } catch {
    // A browser that keeps nothing asks for the name each time.
  }
}
