/**
 * A peer connection with all that a call needs of it: a camera and a microphone to send and a fixed number of slots to receive,
 * which stay for as long as it lasts. The server fills the slots and says what each shows (watch.js). A muted device is a
 * sender without a track, so that nothing flows and others see it muted; no second offer is ever made on a connection.
 */

const VIDEO_SLOTS = 8;
const AUDIO_SLOTS = 4;

const SIMULCAST = [
  { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  { rid: "f", scaleResolutionDownBy: 1, maxBitrate: 1_700_000 },
];

/** A join that the server has refused or could not be asked for; the message is for people. */
export class JoinError extends Error {}

/**
 * Opens a connection and answers with it and its offer: `{ pc, audio, video, slots, offer }`, the slots being receiving
 * transceivers by mid. Throws a {@link JoinError}, and leaves nothing open then.
 */
export async function openConnection({ camera, microphone, codec, simulcast }) {
  const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  try {
    const audio = pc.addTransceiver(microphone ?? "audio", { direction: "sendonly" });
    const video = pc.addTransceiver(camera ?? "video", {
      direction: "sendonly",
      sendEncodings: encodings(codec, simulcast),
    });
    preferCodec(video, codec);
    const receivers = [];
    for (let i = 0; i < AUDIO_SLOTS; i++) receivers.push(pc.addTransceiver("audio", { direction: "recvonly" }));
    for (let i = 0; i < VIDEO_SLOTS; i++) receivers.push(pc.addTransceiver("video", { direction: "recvonly" }));
    await pc.setLocalDescription();
    const slots = new Map(receivers.map((slot) => [slot.mid, slot]));
    return { pc, audio, video, slots, offer: pc.localDescription.sdp };
  } catch (error) {
    pc.close();
    throw asJoinError(error);
  }
}

/** Hands a connection the server's answer. Throws a {@link JoinError}. */
export async function useAnswer(pc, sdp) {
  try {
    await pc.setRemoteDescription({ type: "answer", sdp });
  } catch (error) {
    throw asJoinError(error);
  }
}

function asJoinError(error) {
  if (error instanceof JoinError) return error;
  return new JoinError(`The browser could not use the server's answer (${error.message}).`);
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
