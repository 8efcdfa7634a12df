/**
 * What a journal keeps of the bytes that come in: all that the core reads, and no sound, no picture and no ciphertext.
 *
 *     STUN, DTLS      the whole datagram; a few of them make a call
 *     RTP             the header; of the payload, once it is opened, its head (core/wire/payload.ts)
 *     RTCP            the first eight bytes, and the last ones, where the index stands; opened, the whole of it
 *     anything else   its first two bytes, by which it is refused
 *
 * What is not kept becomes zeros, so everything has the length and the place that it had.
 */
import { copyBytes } from "../base/bytes.ts";
import type { NegotiatedMedia } from "../peer/negotiated.ts";
import type { Shard } from "../sfu/state.ts";
import { DEMUX, demux } from "../wire/demux.ts";
import { payloadCopyHead } from "../wire/payload.ts";
import {
  RELAY,
  RELAY_KIND,
  RELAY_PACKET_HEADER_BYTES,
  relayPacketLane,
  relayRecordCheck,
  relayRecordKind,
  relayRecordLength,
} from "../wire/relay-record.ts";
import {
  RTP,
  rtpCheck,
  rtpCheckHeader,
  rtpHasPadding,
  rtpHeaderLength,
  rtpPaddingLength,
  rtpPayloadLength,
  rtpPayloadType,
  rtpSignedSsrc,
} from "../wire/rtp.ts";
import { type JournalSink, putNumber, putRun } from "./format.ts";

const RTCP_CLEAR_BYTES = 8;
/** The index of SRTCP, and behind it the tag where the profile has it there (RFC 3711 §3.4). */
const RTCP_TAIL_BYTES = 14;
/** What the demultiplexer looks at. */
const LEAD_BYTES = 2;
/** How much of a packet whose header can't be read tells why. */
const BROKEN_HEADER_BYTES = 16;

/** Added to the codec of a retransmission: its payload begins with two bytes of its own (RFC 4588 §4). */
const RTX = 0x100;
const RTX_BYTES = 2;

/** Writes a datagram as sparse bytes, and needs room for all of it. */
export function putDatagram(sink: JournalSink, bytes: Uint8Array, offset: number, length: number): void {
  const kind = demux(bytes, offset, length);
  let head = length;
  let tail = 0;
  if (kind === DEMUX.RTP) head = rtpHead(bytes, offset, length);
  else if (kind === DEMUX.UNKNOWN) head = Math.min(length, LEAD_BYTES);
  else if (kind === DEMUX.RTCP) {
    head = Math.min(length, RTCP_CLEAR_BYTES);
    tail = Math.min(length - head, RTCP_TAIL_BYTES);
  }
  putEnds(sink, bytes, offset, length, head, tail);
}

/** Writes bytes sparse, of which a head and a tail are kept. */
export function putEnds(
  sink: JournalSink,
  bytes: Uint8Array,
  offset: number,
  length: number,
  head: number,
  tail: number,
): void {
  putNumber(sink, length);
  if (length === 0) return;
  putRun(sink, bytes, offset, head);
  putNumber(sink, length - head - tail);
  if (tail === 0) return;
  putRun(sink, bytes, offset + length - tail, tail);
  putNumber(sink, 0);
}

/**
 * Writes the payload of an opened packet, which came on `flow`, as sparse bytes. `header` is where the packet begins. The
 * payload's head is made in `scratch`.
 */
export function putMediaPayload(
  sink: JournalSink,
  shard: Shard,
  flow: number,
  bytes: Uint8Array,
  header: number,
  payload: number,
  length: number,
  scratch: Uint8Array,
): void {
  const codec = codecOf(shard, flow, bytes, header);
  const packet = payload - header + length;
  const padding = Math.min(length, rtpPaddingLength(bytes, header, packet));
  const own = codec >= RTX ? Math.min(RTX_BYTES, length - padding) : 0;
  copyBytes(bytes, payload, scratch, 0, own);
  const media = length - padding - own;
  const head = own + payloadCopyHead(codec % RTX, bytes, payload + own, media, scratch, own);
  putNumber(sink, length);
  if (length === 0) return;
  putRun(sink, scratch, 0, head);
  // The last byte of padding is its length; a packet says that it has some, and has none, when it lies.
  const tail = rtpHasPadding(bytes, header) && head < length ? 1 : 0;
  putNumber(sink, length - head - tail);
  if (tail === 0) return;
  putRun(sink, bytes, payload + length - 1, 1);
  putNumber(sink, 0);
}

/** Writes an open packet as sparse bytes: its header, and the head of its payload, which is made in `scratch`. */
export function putPacket(
  sink: JournalSink,
  media: NegotiatedMedia | undefined,
  bytes: Uint8Array,
  offset: number,
  length: number,
  scratch: Uint8Array,
): void {
  if (media === undefined || rtpCheck(bytes, offset, length) !== RTP.OK) {
    putEnds(sink, bytes, offset, length, rtpHead(bytes, offset, length), 0);
    return;
  }
  const header = rtpHeaderLength(bytes, offset);
  const codec = codecIn(media, rtpPayloadType(bytes, offset));
  copyBytes(bytes, offset, scratch, 0, header);
  const payload = rtpPayloadLength(bytes, offset, length);
  const head = header + payloadCopyHead(codec % RTX, bytes, offset + header, payload, scratch, header);
  const tail = rtpHasPadding(bytes, offset) && head < length ? 1 : 0;
  putNumber(sink, length);
  putRun(sink, scratch, 0, head);
  putNumber(sink, length - head - tail);
  if (tail === 0) return;
  putRun(sink, bytes, offset + length - 1, 1);
  putNumber(sink, 0);
}

/** A copy of what another shard has relayed, without sound and picture. */
export function withoutMedia(shard: Shard, bytes: Uint8Array, offset: number, length: number): Uint8Array {
  const copy = bytes.slice(offset, offset + length);
  for (let at = 0; at < length && relayRecordCheck(copy, at, length) === RELAY.OK; ) {
    const record = relayRecordLength(copy, at);
    if (relayRecordKind(copy, at) === RELAY_KIND.PACKET) {
      const media = shard.lanes.get(relayPacketLane(copy, at))?.media;
      wipeMedia(media, copy, at + RELAY_PACKET_HEADER_BYTES, record - RELAY_PACKET_HEADER_BYTES);
    }
    at += record;
  }
  return copy;
}

/** Makes zeros of the sound or picture in an open packet. */
function wipeMedia(media: NegotiatedMedia | undefined, bytes: Uint8Array, offset: number, length: number): void {
  if (media === undefined || rtpCheck(bytes, offset, length) !== RTP.OK) {
    bytes.fill(0, offset + rtpHead(bytes, offset, length), offset + length);
    return;
  }
  const payload = offset + rtpHeaderLength(bytes, offset);
  const end = payload + rtpPayloadLength(bytes, offset, length);
  const codec = codecIn(media, rtpPayloadType(bytes, offset));
  // In place: each byte of a head is read before it is written.
  const head = payloadCopyHead(codec % RTX, bytes, payload, end - payload, bytes, payload);
  bytes.fill(0, payload + head, rtpHasPadding(bytes, offset) ? offset + length - 1 : end);
}

function rtpHead(bytes: Uint8Array, offset: number, length: number): number {
  const isReadable = rtpCheckHeader(bytes, offset, length) === RTP.OK;
  return isReadable ? rtpHeaderLength(bytes, offset) : Math.min(length, BROKEN_HEADER_BYTES);
}

/** The codec of a packet on a flow, with {@link RTX} added for a retransmission of it; 0 when nothing is known. */
function codecOf(shard: Shard, flow: number, bytes: Uint8Array, header: number): number {
  const participant = shard.flows.get(flow);
  if (participant === undefined) return 0;
  const payloadType = rtpPayloadType(bytes, header);
  const known = participant.inbound.get(rtpSignedSsrc(bytes, header));
  if (known !== undefined) return codecIn(known.stream.publication.media, payloadType);
  const { publications } = participant;
  // Within a bundle a payload type has one meaning (RFC 9143 §9.1).
  for (let i = 0; i < publications.length; i++) {
    const codec = codecIn(publications[i]!.media, payloadType);
    if (codec !== 0) return codec;
  }
  return 0;
}

function codecIn({ codecs }: NegotiatedMedia, payloadType: number): number {
  for (let i = 0; i < codecs.length; i++) {
    const { codec, payloadType: media, rtxPayloadType } = codecs[i]!;
    if (media === payloadType) return codec;
    if (rtxPayloadType === payloadType) return codec + RTX;
  }
  return 0;
}
