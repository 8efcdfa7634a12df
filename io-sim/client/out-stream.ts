/**
 * One RTP stream that the client sends: numbering, header extensions, the memory for retransmissions, sender reports.
 *
 * A camera with three layers is three of these. The SDES extensions (mid, rid) ride on every packet until the server's
 * first report block shows that it has bound the SSRC, as browsers do. RTX has its own SSRC and numbering (RFC 4588), and
 * is bound by a report block of its own.
 */
import { writeU16 } from "../../core/base/bytes.ts";
import type { Micros } from "../../core/base/micros.ts";
import { seqAdd16, seqAdd32, seqDistance16 } from "../../core/base/sequence.ts";
import { utf8Encode } from "../../core/base/text.ts";
import { below, type Stream } from "../base/random.ts";
import { EXTENSION_ID } from "./offer.ts";
import type { SenderInfo } from "./plain-rtcp.ts";
import type { WrittenRtp } from "./plain-rtp.ts";

/** Packets that a stream sends before its sequence numbers wrap, when it begins near there. */
export const NEAR_WRAP_PACKETS = 61;

/** Packets that are kept for retransmission, in a ring with as many places as the next power of two. */
const MEMORY_PACKETS = 600;
const MEMORY_PLACES = 1_024;

/** Seconds from 1900 (NTP) to 1970 (Unix). */
const NTP_UNIX_SECONDS = 2_208_988_800;

/** What a stream is made of. */
export interface OutStreamPlan {
  readonly kind: "audio" | "video";
  readonly ssrc: number;
  readonly rtxSsrc: number;
  readonly payloadType: number;
  readonly clockRate: number;
  /** When the stream's clock began to run. */
  readonly clockOrigin: Micros;
  readonly mid: string;
  readonly rid: string;
  readonly extensionIds: readonly number[];
}

/** The state of one stream; make it with {@link createOutStream}. */
export interface OutStream extends OutStreamPlan {
  sequence: number;
  rtxSequence: number;
  readonly timestampBase: number;
  /** Whether the server has shown that it knows the SSRC, and that of the retransmissions. */
  bound: boolean;
  rtxBound: boolean;
  /** The number of the last FIR about it, -1 before the first: the same again asks for nothing (RFC 5104 §4.3.1.1). */
  lastFir: number;
  readonly memory: (Remembered | undefined)[];
  packetsSent: number;
  octetsSent: number;
  retransmitted: number;
}

/**
 * A packet that may have to be sent again. The place in the memory is one object for all packets that come to lie in it: what
 * lives for seconds and then dies is the dearest garbage.
 */
interface Remembered {
  sequence: number;
  marker: boolean;
  padded: boolean;
  timestamp: number;
  payload: Uint8Array;
}

/** A stream that has sent nothing. With `nearWrap` its sequence numbers and its timestamps wrap within the first seconds. */
export function createOutStream(plan: OutStreamPlan, random: Stream, nearWrap: boolean): OutStream {
  // Drawn in any case, so that what is drawn later is the same near the wrap and far from it.
  const [sequence, rtxSequence, timestampBase] = [below(random, 0x8000), below(random, 0x8000), random.next()];
  return {
    ...plan,
    sequence: nearWrap ? 0x1_0000 - NEAR_WRAP_PACKETS : sequence,
    rtxSequence: nearWrap ? 0xffff - 2 : rtxSequence,
    timestampBase: nearWrap ? 0xffff_ffff - 4 * plan.clockRate : timestampBase,
    bound: false,
    rtxBound: false,
    lastFir: -1,
    memory: new Array<Remembered | undefined>(MEMORY_PLACES).fill(undefined),
    packetsSent: 0,
    octetsSent: 0,
    retransmitted: 0,
  };
}

/** The media time of `now` on the stream's clock, 32 bits. */
export function mediaTimestamp(stream: OutStream, now: Micros): number {
  const elapsed = now - stream.clockOrigin;
  return seqAdd32(stream.timestampBase, Math.floor((elapsed * (stream.clockRate / 1_000)) / 1_000));
}

/** Numbers a payload and keeps it for retransmission. `level` is -dBov for audio, -1 for video; it may end in padding. */
export function nextPacket(
  stream: OutStream,
  timestamp: number,
  marker: boolean,
  payload: Uint8Array,
  transportSequence: number,
  level: number,
  padded = false,
): WrittenRtp {
  const packet: WrittenRtp = {
    payloadType: stream.payloadType,
    marker,
    sequence: stream.sequence,
    timestamp,
    ssrc: stream.ssrc,
    extensions: extensionsOf(stream, transportSequence, level, EXTENSION_ID.RID),
    payload,
    padded,
  };
  if (stream.rtxSsrc !== 0) remember(stream, packet);
  stream.sequence = seqAdd16(stream.sequence, 1);
  stream.packetsSent++;
  stream.octetsSent += payload.length;
  return packet;
}

function remember({ memory }: OutStream, packet: WrittenRtp): void {
  const { sequence, marker, timestamp, payload, padded = false } = packet;
  const place = memory[sequence & (MEMORY_PLACES - 1)];
  if (place === undefined) {
    memory[sequence & (MEMORY_PLACES - 1)] = { sequence, marker, padded, timestamp, payload };
    return;
  }
  place.sequence = sequence;
  place.marker = marker;
  place.padded = padded;
  place.timestamp = timestamp;
  place.payload = payload;
}

/** A retransmission of an earlier packet (RFC 4588 §4), or undefined when it is not remembered. */
export function retransmission(stream: OutStream, sequence: number, transportSequence: number): WrittenRtp | undefined {
  const original = stream.memory[sequence & (MEMORY_PLACES - 1)];
  if (original?.sequence !== sequence) return undefined;
  if (seqDistance16(sequence, stream.sequence) > MEMORY_PACKETS) return undefined;
  const payload = new Uint8Array(original.payload.length + 2);
  writeU16(payload, 0, sequence);
  payload.set(original.payload, 2);
  const packet: WrittenRtp = {
    payloadType: stream.payloadType + 1,
    marker: original.marker,
    sequence: stream.rtxSequence,
    timestamp: original.timestamp,
    ssrc: stream.rtxSsrc,
    extensions: extensionsOf(stream, transportSequence, -1, EXTENSION_ID.REPAIRED_RID),
    payload,
    padded: original.padded,
  };
  stream.rtxSequence = seqAdd16(stream.rtxSequence, 1);
  stream.retransmitted++;
  return packet;
}

function extensionsOf(
  stream: OutStream,
  transportSequence: number,
  level: number,
  ridId: number,
): WrittenRtp["extensions"] {
  const extensions: Extension[] = [];
  if (level >= 0) {
    add(extensions, stream, EXTENSION_ID.AUDIO_LEVEL, Uint8Array.of((level < 127 ? 0x80 : 0) | level));
  }
  const counted = Uint8Array.of(transportSequence >> 8, transportSequence & 255);
  add(extensions, stream, EXTENSION_ID.TRANSPORT_CC, counted);
  if (ridId === EXTENSION_ID.RID ? !stream.bound : !stream.rtxBound) {
    add(extensions, stream, EXTENSION_ID.MID, utf8Encode(stream.mid));
    if (stream.rid !== "") add(extensions, stream, ridId, utf8Encode(stream.rid));
  }
  return extensions;
}

type Extension = WrittenRtp["extensions"][number];

/** Adds an extension that the answer has accepted. */
function add(extensions: Extension[], { extensionIds }: OutStream, id: number, payload: Uint8Array): void {
  if (extensionIds.includes(id)) extensions.push({ id, payload });
}

/** What a sender report says of the stream at `now` (RFC 3550 §6.4.1); `wallMicros` is the wall clock then. */
export function senderInfo(stream: OutStream, now: Micros, wallMicros: number): SenderInfo {
  return {
    ssrc: stream.ssrc,
    // The seconds begin again in 2036, with the next era (RFC 5905 §6).
    ntpSeconds: (Math.floor(wallMicros / 1_000_000) + NTP_UNIX_SECONDS) % 0x1_0000_0000,
    ntpFraction: Math.floor(((wallMicros % 1_000_000) * 0x1_0000_0000) / 1_000_000),
    timestamp: mediaTimestamp(stream, now),
    packets: stream.packetsSent >>> 0,
    octets: stream.octetsSent >>> 0,
  };
}
