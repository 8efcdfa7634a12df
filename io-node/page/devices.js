/**
 * Camera and microphone: asked for together, then each alone, so that one that is missing does not take the other with it.
 *
 * A camera that is switched off is stopped, so that its light goes out, and asked for again later. A microphone is kept
 * while muted: asking for it again takes long enough to swallow the first word.
 */

const CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
const MICROPHONE = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

const BOTH = "camera and microphone";
const LISTENING = "You can still join to watch and listen.";

/** Asks for both devices; answers with what there is, and a sentence about what there is not (empty when all is well). */
export async function openDevices() {
  if (navigator.mediaDevices === undefined) {
    const why = "This page was not opened over HTTPS, so the browser keeps camera and microphone closed.";
    return { camera: null, microphone: null, notice: `${why} ${LISTENING}` };
  }
  try {
    const both = await navigator.mediaDevices.getUserMedia({ video: CAMERA, audio: MICROPHONE });
    return { camera: both.getVideoTracks()[0], microphone: both.getAudioTracks()[0], notice: "" };
  } catch (error) {
    // Somebody who has just said no to both is not asked twice more.
    const oneIsAllowed = (await isDenied("camera")) !== (await isDenied("microphone"));
    if (error.name === "NotAllowedError" && !oneIsAllowed) {
      return { camera: null, microphone: null, notice: `${sentence(error.name, BOTH)} ${LISTENING}` };
    }
  }
  const camera = await openCamera();
  const microphone = await openMicrophone();
  return { camera: camera.track, microphone: microphone.track, notice: noticeOf(camera, microphone) };
}

/** Asks for the camera: `{ track, notice }`, and the `reason` (a name of DOMException) when there is no track. */
export function openCamera() {
  return openOne({ video: CAMERA }, "camera");
}

/** Asks for the microphone, and answers like {@link openCamera}. */
export function openMicrophone() {
  return openOne({ audio: MICROPHONE }, "microphone");
}

/** Asks which screen, window or tab to show; answers like {@link openCamera}, without a notice when nobody wants to. */
export async function openScreen() {
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 15 } }, audio: false });
    const [track] = stream.getTracks();
    // Letters that can be read are worth more than motion.
    track.contentHint = "detail";
    return { track, notice: "", reason: "" };
  } catch ({ name }) {
    const notice = name === "NotAllowedError" ? "" : sentence(name, "screen");
    return { track: null, notice, reason: name };
  }
}

async function openOne(constraints, what) {
  try {
    const stream = await navigator.mediaDevices.getUserMedia(constraints);
    return { track: stream.getTracks()[0], notice: "", reason: "" };
  } catch ({ name }) {
    return { track: null, notice: sentence(name, what), reason: name };
  }
}

async function isDenied(name) {
  try {
    return (await navigator.permissions.query({ name })).state === "denied";
  } catch {
    // Not every browser answers this; then nothing is known to be denied.
    return false;
  }
}

function noticeOf(camera, microphone) {
  if (camera.track === null && microphone.track === null) {
    const same = camera.reason === microphone.reason;
    return `${same ? sentence(camera.reason, BOTH) : `${camera.notice} ${microphone.notice}`} ${LISTENING}`;
  }
  const notice = `${camera.notice}${microphone.notice}`;
  return notice === "" ? "" : `${notice} You can join without it.`;
}

function sentence(reason, what) {
  switch (reason) {
    case "NotAllowedError":
      return `This page may not use your ${what}. Allow it in the site settings, beside the address.`;
    case "NotFoundError":
    case "OverconstrainedError":
      return `No ${what.replace(" and ", " or ")} was found. Plug one in and press its button.`;
    case "NotReadableError":
    case "AbortError":
      return `Another program seems to be using your ${what}. Close it and try again.`;
    case "TypeError":
      return `The browser keeps the ${what} closed on pages without HTTPS.`;
    default:
      return `The ${what} can't be opened (${reason}).`;
  }
}
