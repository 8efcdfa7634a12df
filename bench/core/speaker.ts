/**
 * What the speaker of a benchmark sends: VP8 as browsers send it, in packets of equal size, eight to a picture.
 *
 * Only what an SFU looks at is real: the RTP header with its extensions, the payload descriptor of RFC 7741 with picture
 * id, TL0PICIDX and temporal layer, and the frame tag, which makes the very first picture a keyframe. Packets are made and
 * sealed a batch at a time, before anything is measured. One packet object is rewritten for each of them.
 */
import { AEAD_TAG_BYTES, type Micros, micros, shardHandle } from "../../core/index.ts";
import { EXTENSION_ID } from "../../io-sim/client/offer.ts";
import { nextPacket } from "../../io-sim/client/out-stream.ts";
import type { WrittenRtp } from "../../io-sim/client/plain-rtp.ts";
import { BATCH_PACKETS, type Call } from "./call.ts";

/** The least packet that can be asked for: a header with its extensions, and a payload that starts a keyframe. */
export const PACKET_BYTES_MIN = 100;

const PACKETS_PER_PICTURE = 8;
/** 30 pictures a second on a clock of 90 kHz. */
const TIMESTAMP_STEP = 3_000;
const DESCRIPTOR_BYTES = 6;

/** Where the speaker is in the film. */
export interface Speaker {
  readonly call: Call;
  /** Rewritten for each packet. */
  readonly packet: { -readonly [Field in keyof WrittenRtp]: WrittenRtp[Field] };
  /** The value of the transport-wide sequence number's extension. */
  readonly transportSequence: Uint8Array;
  readonly firstSequence: number;
  readonly firstTimestamp: number;
  sent: number;
}

/** A speaker whose packets have `packetBytes` bytes before they are sealed. */
export function createSpeaker(call: Call, packetBytes: number): Speaker {
  const { cipher, outStreams } = call.speaker.media;
  const stream = outStreams[0];
  if (cipher === undefined || stream === undefined) throw new Error("the benchmark's speaker is not connected");
  const packet = { ...nextPacket(stream, stream.timestampBase, false, new Uint8Array(1), 0, -1) };
  // A packet with a payload of one byte tells how long the header is.
  const headerBytes = cipher.sealRtp(packet).length - AEAD_TAG_BYTES - 1;
  packet.payload = new Uint8Array(packetBytes - headerBytes);
  return {
    call,
    packet,
    transportSequence: packet.extensions.find(({ id }) => id === EXTENSION_ID.TRANSPORT_CC)!.payload,
    firstSequence: packet.sequence,
    firstTimestamp: packet.timestamp,
    sent: 0,
  };
}

/** Puts the next batch of packets, sealed, into the slots of the call. */
export function fillBatch(speaker: Speaker): void {
  const { call, packet } = speaker;
  const cipher = call.speaker.media.cipher!;
  for (let index = 0; index < BATCH_PACKETS; index++) {
    rewrite(speaker);
    const sealed = cipher.sealRtp(packet);
    call.slots[index]!.set(sealed);
    call.lengths[index] = sealed.length;
    speaker.sent++;
  }
}

/**
 * Hands `count` packets of the batch to the shard, from that with index `first` on, one each `intervalMicros` on average:
 * those of a picture come together, and what a host reads together it gives one time.
 */
export function handPackets(
  { call }: Speaker,
  first: number,
  count: number,
  start: Micros,
  intervalMicros: number,
): void {
  const { input, slots, lengths, shard, ports } = call;
  input.flow = 0;
  for (let i = 0; i < count; i++) {
    if (i % PACKETS_PER_PICTURE === 0) input.now = micros(start + i * intervalMicros);
    input.bytes = slots[first + i]!;
    input.length = lengths[first + i]!;
    shardHandle(shard, ports, input);
  }
}

/** Gives the packet object the numbers of the next packet. */
function rewrite(speaker: Speaker): void {
  const { packet, transportSequence, sent } = speaker;
  const { payload } = packet;
  const picture = Math.floor(sent / PACKETS_PER_PICTURE);
  const part = sent % PACKETS_PER_PICTURE;
  packet.sequence = (speaker.firstSequence + sent) & 0xffff;
  packet.timestamp = (speaker.firstTimestamp + picture * TIMESTAMP_STEP) >>> 0;
  packet.marker = part === PACKETS_PER_PICTURE - 1;
  transportSequence[0] = sent >> 8;
  transportSequence[1] = sent;
  payload[0] = part === 0 ? 0x90 : 0x80; // X, and S where a picture starts
  payload[1] = 0xe0; // I, L and T
  payload[2] = 0x80 | ((picture >> 8) & 0x7f);
  payload[3] = picture;
  payload[4] = picture >> 1; // TL0PICIDX: every other picture is of temporal layer 0
  payload[5] = (picture & 1) << 6;
  if (part === 0) payload.set(picture === 0 ? KEYFRAME_START : FRAME_START, DESCRIPTOR_BYTES);
}

/** The frame tag of RFC 6386 §9.1: a keyframe of 1280 x 720, and a frame between two of them. */
const KEYFRAME_START = Uint8Array.of(0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02);
const FRAME_START = Uint8Array.of(0x11, 0x02, 0x00);
