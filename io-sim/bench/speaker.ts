/**
 * What the speaker of a benchmark sends: VP8 as browsers send it, 30 pictures a second in packets of equal size.
 *
 * Only what an SFU looks at is real: the RTP header with its extensions, the payload descriptor of RFC 7741 with picture
 * id, TL0PICIDX and temporal layer, and the frame tag, which makes the very first picture a keyframe. Packets are made and
 * sealed a batch at a time, before anything is measured.
 */
import { type Micros, micros, shardHandle } from "../../core/index.ts";
import { headerBytes } from "../client/media-cipher.ts";
import { nextPacket, type OutStream } from "../client/out-stream.ts";
import { BATCH_PACKETS, type Call, slotOffset } from "./call.ts";

const PACKETS_PER_PICTURE = 8;
const TIMESTAMP_STEP = 3_000;
/** X; then I, L and T. */
const DESCRIPTOR_BYTES = 6;

/** Where the speaker is in the film. */
export interface Speaker {
  readonly call: Call;
  readonly stream: OutStream;
  readonly payloadBytes: number;
  sent: number;
}

/** A speaker whose packets have `packetBytes` bytes before they are sealed. */
export function createSpeaker(call: Call, packetBytes: number): Speaker {
  const stream = call.speaker.media.outStreams[0]!;
  // A probe tells how long the header is; its sequence number is given back.
  const probe = nextPacket(stream, 0, false, new Uint8Array(1), 0, -1);
  stream.sequence = probe.header.sequenceNumber;
  return { call, stream, payloadBytes: packetBytes - headerBytes(probe).length, sent: 0 };
}

/** The least packet that can be asked for: a header with its extensions, and a payload that starts a keyframe. */
export const PACKET_BYTES_MIN = 100;

/** Puts the next packets, sealed, into the arena of the call. */
export function fillBatch(speaker: Speaker): void {
  const { call, stream, payloadBytes } = speaker;
  const { cipher } = call.speaker.media;
  if (cipher === undefined) throw new Error("the speaker of the benchmark is not connected");
  for (let index = 0; index < BATCH_PACKETS; index++) {
    const picture = Math.floor(speaker.sent / PACKETS_PER_PICTURE);
    const part = speaker.sent % PACKETS_PER_PICTURE;
    const packet = nextPacket(
      stream,
      (stream.timestampBase + picture * TIMESTAMP_STEP) >>> 0,
      part === PACKETS_PER_PICTURE - 1,
      payloadOf(payloadBytes, picture, part),
      speaker.sent & 0xffff,
      -1,
    );
    const sealed = cipher.sealRtp(packet);
    call.arena.set(sealed, slotOffset(index));
    call.lengths[index] = sealed.length;
    speaker.sent++;
  }
}

/** Hands the batch to the shard, one packet each `intervalMicros`; answers the time of the last one. */
export function handBatch({ call }: Speaker, start: Micros, intervalMicros: number): Micros {
  const { input, lengths, shard, ports } = call;
  input.flow = 0;
  for (let index = 0; index < BATCH_PACKETS; index++) {
    input.now = micros(start + index * intervalMicros);
    input.offset = slotOffset(index);
    input.length = lengths[index]!;
    shardHandle(shard, ports, input);
  }
  return input.now;
}

function payloadOf(length: number, picture: number, part: number): Uint8Array {
  const payload = new Uint8Array(length).fill(picture);
  const starts = part === 0;
  const temporalLayer = picture % 2;
  const head = [
    0x80 | (starts ? 0x10 : 0),
    0xe0,
    0x80 | ((picture >> 8) & 0x7f),
    picture & 0xff,
    (picture >> 1) & 0xff,
    temporalLayer << 6,
  ];
  payload.set(head);
  if (starts) payload.set(frameStart(picture === 0), DESCRIPTOR_BYTES);
  return payload;
}

/** The frame tag (RFC 6386 §9.1): a keyframe of 1280 x 720, or a frame between two of them. */
function frameStart(keyframe: boolean): number[] {
  return keyframe ? [0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02] : [0x11, 0x02, 0x00];
}
