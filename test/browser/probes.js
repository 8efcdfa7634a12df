/**
 * What tests ask of a page, run inside it: `probes` is there before the page's own scripts. Only what the browser has really
 * received, decoded and played counts.
 */
window.probes = { useCamera, connected, readStats, readBindings, readTiles, pictureChange };

/** Makes every camera that the page opens one of this size ({ width, height, frameRate }). */
function useCamera(size) {
  const devices = navigator.mediaDevices;
  const open = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wish) => {
    const stream = await open(wish);
    for (const track of stream.getVideoTracks()) await track.applyConstraints(size);
    return stream;
  };
}

/** Resolves once the media connection stands; rejects, with what the page says, after `millis`. */
async function connected(millis) {
  for (const end = Date.now() + millis; Date.now() < end; await sleep(50)) {
    if (window.lockstep?.state.phase === "connected") return;
  }
  throw new Error(`not connected: ${JSON.stringify(window.lockstep?.state)}`);
}

/** Sums up getStats: see CallStats in calls.ts. */
async function readStats() {
  const report = await window.lockstep.pc.getStats();
  const all = [...report.values()];
  const incoming = all.filter((each) => each.type === "inbound-rtp");
  const video = incoming.filter((each) => each.kind === "video" && each.framesDecoded > 0);
  const audio = incoming.filter((each) => each.kind === "audio" && each.packetsReceived > 0);
  const sum = (list, field) => list.reduce((total, each) => total + (each[field] ?? 0), 0);
  const sent = all.filter((each) => each.type === "outbound-rtp" && each.kind === "video");
  return {
    video: video.map((each) => ({
      mid: each.mid,
      framesDecoded: each.framesDecoded,
      width: each.frameWidth,
      codec: report.get(each.codecId)?.mimeType ?? "",
    })),
    audio: audio.map((each) => ({ mid: each.mid, energy: each.totalAudioEnergy ?? 0, packets: each.packetsReceived })),
    packetsReceived: sum(incoming, "packetsReceived"),
    freezes: sum(video, "freezeCount"),
    framesDropped: sum(video, "framesDropped"),
    widestSent: Math.max(0, ...sent.filter((each) => each.framesPerSecond > 0).map((each) => each.frameWidth)),
    layers: sent.map((each) => each.rid ?? "").sort(),
    layersSent: sent.filter((each) => each.packetsSent > 20).map((each) => each.rid ?? ""),
  };
}

/** The page's own number, whose publications its slots show, and the names in the roster. */
function readBindings() {
  const { state } = window.lockstep;
  return {
    own: state.participant,
    bound: state.slots.map((slot) => slot.participant).filter((participant) => participant !== 0),
    names: state.roster.map((each) => each.name),
  };
}

/** What the tiles show: see ShownPerson in calls.ts. */
function readTiles() {
  return [...document.querySelectorAll("#tiles .tile[data-person]")].map((tile) => ({
    name: tile.querySelector(".name").textContent,
    muted: !tile.querySelector(".muted").hidden,
    picture: tile.dataset.picture === "true",
  }));
}

/** The mean change of a pixel's brightness, 0 to 255, within half a second, in the incoming picture that changes most. */
async function pictureChange() {
  const tracks = new Set([...window.lockstep.session.slots.values()].map((slot) => slot.receiver.track));
  const isIncoming = (video) => video.srcObject?.getVideoTracks().some((track) => tracks.has(track));
  const shown = [...document.querySelectorAll("video")].filter(isIncoming);
  const before = shown.map(grab);
  await sleep(500);
  const changes = shown.map((video, index) => {
    const after = grab(video);
    let difference = 0;
    for (let i = 1; i < after.length; i += 4) difference += Math.abs(after[i] - before[index][i]);
    return difference / (after.length / 4);
  });
  return Math.max(0, ...changes);
}

function grab(video) {
  const canvas = new OffscreenCanvas(64, 36);
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 64, 36);
  return context.getImageData(0, 0, 64, 36).data;
}

function sleep(millis) {
  return new Promise((resolve) => setTimeout(resolve, millis));
}
