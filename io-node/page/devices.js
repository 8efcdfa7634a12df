/**
 * Camera and microphone: asked for together, then each alone, so that one that is missing does not take the other with it.
 *
 * A camera that is switched off is stopped, so that its light goes out, and asked for again later. A microphone is kept
 * while muted: asking for it again takes long enough to swallow the first word.
 */

const CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
const MICROPHONE = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** Asks for both devices; answers with what there is, and a sentence about what there is not (empty when all is well). */
export async function openDevices() {
  if (navigator.mediaDevices === undefined) {
    const why = "This page was not opened over HTTPS, so the browser keeps camera and microphone closed.";
    return { camera: null, microphone: null, notice: `${why} You can join, watch and listen.` };
  }
  try {
    const both = await navigator.mediaDevices.getUserMedia({ video: CAMERA, audio: MICROPHONE });
    return { camera: both.getVideoTracks()[0], microphone: both.getAudioTracks()[0], notice: "" };
  } catch (error) {
    if (error.name === "NotAllowedError") return { camera: null, microphone: null, notice: sentence(error, "both") };
  }
  const camera = await openCamera();
  const microphone = await openMicrophone();
  return { camera: camera.track, microphone: microphone.track, notice: bothNotices(camera, microphone) };
}

/** Asks for the camera: `{ track, notice, error }`. */
export function openCamera() {
  return openOne({ video: CAMERA }, "camera");
}

/** Asks for the microphone: `{ track, notice, error }`. */
export function openMicrophone() {
  return openOne({ audio: MICROPHONE }, "microphone");
}

async function openOne(constraints, what) {
  try {
    const stream = await navigator.mediaDevices.getUserMedia(constraints);
    return { track: stream.getTracks()[0], notice: "", error: null };
  } catch (error) {
    return { track: null, notice: sentence(error, what), error };
  }
}

function bothNotices(camera, microphone) {
  const missing = (one) => one.error?.name === "NotFoundError";
  if (missing(camera) && missing(microphone)) {
    return "No camera or microphone was found. You can join, watch and listen.";
  }
  return [camera.notice, microphone.notice].filter((notice) => notice !== "").join(" ");
}

function sentence(error, what) {
  const name = what === "both" ? "camera and microphone" : what;
  switch (error.name) {
    case "NotAllowedError":
      return `The browser may not use your ${name}. You can join without; to change it, use the site settings beside the address.`;
    case "NotFoundError":
    case "OverconstrainedError":
      return `No ${name} was found. You can join without.`;
    case "NotReadableError":
    case "AbortError":
      return `Another program seems to use your ${name}; close it and try again, or join without.`;
    case "TypeError":
      return `The browser keeps the ${name} closed on pages without HTTPS.`;
    default:
      return `The ${name} can't be opened (${error.name}). You can join without.`;
  }
}
