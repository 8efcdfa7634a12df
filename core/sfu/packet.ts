/**
 * What the SFU has to know of one media packet, read once and kept in `shard.scratch.packet` while it is forwarded, and the
 * few fields of a payload that are counted by the sender and have to be continuous for each receiver.
 */
import { seqDistance16 } from "../base/sequence.ts";
import { LIMITS } from "../limits.ts";
import { rewriterPictureId, rewriterTl0, type StreamRewriter } from "../media/stream-rewriter.ts";
import type { NegotiatedCodec, NegotiatedMedia } from "../peer/negotiated.ts";
import { CODEC } from "../wire/codec.ts";
import { descriptorCheck, descriptorFrameNumber } from "../wire/dependency-descriptor.ts";
import { type ExtensionScan, HEADER_EXTENSION } from "../wire/header-extensions.ts";
import { payloadIsKeyframe } from "../wire/payload.ts";
import {
  rtpHeaderLength,
  rtpMarker,
  rtpPayloadLength,
  rtpPayloadType,
  rtpSequence,
  rtpSignedTimestamp,
} from "../wire/rtp.ts";
import {
  vp8DescriptorLength,
  vp8PatchPictureId,
  vp8PatchTl0,
  vp8PictureId,
  vp8PictureIdBits,
  vp8Tl0PicIdx,
} from "../wire/vp8.ts";
import {
  vp9DescriptorLength,
  vp9PatchPictureId,
  vp9PatchTl0,
  vp9PictureId,
  vp9PictureIdBits,
  vp9Tl0PicIdx,
} from "../wire/vp9.ts";
import type { PacketScratch, Shard, Stream } from "./state.ts";

/** The codec that was negotiated for a payload type of an m-line, or null. */
export function codecOfPayloadType(media: NegotiatedMedia, payloadType: number): NegotiatedCodec | null {
  const { codecs } = media;
  for (let i = 0; i < codecs.length; i++) if (codecs[i]!.payloadType === payloadType) return codecs[i]!;
  return null;
}

/**
 * Reads an open packet that has passed `rtpCheck` into `packet`; `scan` holds its header extensions. Answers false when its
 * payload type was not negotiated.
 */
export function describePacket(
  packet: PacketScratch,
  scan: ExtensionScan,
  media: NegotiatedMedia,
  bytes: Uint8Array,
  offset: number,
  length: number,
): boolean {
  packet.payloadType = rtpPayloadType(bytes, offset);
  const negotiated = codecOfPayloadType(media, packet.payloadType);
  if (negotiated === null) return false;
  packet.codec = negotiated.codec;
  packet.marker = rtpMarker(bytes, offset);
  packet.sequence = rtpSequence(bytes, offset);
  packet.timestamp = rtpSignedTimestamp(bytes, offset);
  packet.payloadOffset = offset + rtpHeaderLength(bytes, offset);
  packet.payloadLength = rtpPayloadLength(bytes, offset, length);
  packet.extensionKinds = media.extensionKinds;
  packet.keyframe =
    packet.payloadLength > 0 && payloadIsKeyframe(packet.codec, bytes, packet.payloadOffset, packet.payloadLength);
  readPayloadNumbers(packet, bytes);
  noteExtensions(packet, scan, media);
  readDescriptor(packet, scan, media, bytes);
  return true;
}

/** How far behind the newest of its stream the packet with this number is. */
export function packetsBehind({ nack, statistics }: Stream, sequence: number): number {
  // A proxy has no numbers of its own to ask for; at home what came as a repetition counts as well.
  if (nack === null && statistics.packets === 0) return 0;
  const newest = nack === null ? statistics.highestSequence : nack.highest;
  return seqDistance16(sequence, newest & 0xffff);
}

/**
 * Whether more has come behind the packet in hand than may be sent after it. A keyframe that comes so late begins nothing:
 * behind it there would be a hole that nobody can fill, and another keyframe has to be waited for all the same.
 */
export function isTooLateToBegin({ scratch, tunables }: Shard, stream: Stream): boolean {
  const behind = packetsBehind(stream, scratch.packet.sequence);
  // Nothing true comes later than that: where the newest number is so far ahead, somebody has lied about it.
  return behind > tunables.catchUpPacketsMax && behind < LIMITS.rewriterHistoryPackets;
}

/**
 * Writes the numbers that a receiver should see into the payload, or with `rewriter` null those that came in. In place:
 * the fields keep their width.
 */
export function patchPayload(
  packet: PacketScratch,
  bytes: Uint8Array,
  rewriter: StreamRewriter | null,
  segmentIndex: number,
): void {
  if (packet.pictureId < 0 && packet.tl0 < 0) return;
  const { payloadOffset, pictureIdBits } = packet;
  const isVp8 = packet.codec === CODEC.VP8;
  if (packet.pictureId >= 0) {
    const pictureId =
      rewriter === null ? packet.pictureId : rewriterPictureId(rewriter, packet.pictureId, pictureIdBits, segmentIndex);
    if (isVp8) vp8PatchPictureId(bytes, payloadOffset, pictureId);
    else vp9PatchPictureId(bytes, payloadOffset, pictureId);
  }
  if (packet.tl0 >= 0) {
    const tl0 = rewriter === null ? packet.tl0 : rewriterTl0(rewriter, packet.tl0, segmentIndex);
    if (isVp8) vp8PatchTl0(bytes, payloadOffset, tl0);
    else vp9PatchTl0(bytes, payloadOffset, tl0);
  }
}

function readPayloadNumbers(packet: PacketScratch, bytes: Uint8Array): void {
  const { payloadOffset, payloadLength } = packet;
  packet.pictureId = -1;
  packet.pictureIdBits = 0;
  packet.tl0 = -1;
  if (packet.codec === CODEC.VP8 && vp8DescriptorLength(bytes, payloadOffset, payloadLength) > 0) {
    packet.pictureId = vp8PictureId(bytes, payloadOffset);
    packet.pictureIdBits = vp8PictureIdBits(bytes, payloadOffset);
    packet.tl0 = vp8Tl0PicIdx(bytes, payloadOffset);
  } else if (packet.codec === CODEC.VP9 && vp9DescriptorLength(bytes, payloadOffset, payloadLength) > 0) {
    packet.pictureId = vp9PictureId(bytes, payloadOffset);
    packet.pictureIdBits = vp9PictureIdBits(bytes, payloadOffset);
    packet.tl0 = vp9Tl0PicIdx(bytes, payloadOffset);
  }
}

function noteExtensions(packet: PacketScratch, scan: ExtensionScan, media: NegotiatedMedia): void {
  packet.extensionsPresent = 0;
  for (let i = 0; i < scan.count; i++) packet.extensionsPresent |= 1 << media.extensionKinds[scan.ids[i]!]!;
}

const DESCRIPTOR_BIT = 1 << HEADER_EXTENSION.DEPENDENCY_DESCRIPTOR;

function readDescriptor(packet: PacketScratch, scan: ExtensionScan, media: NegotiatedMedia, bytes: Uint8Array): void {
  packet.descriptor = -1;
  packet.frameNumber = -1;
  if ((packet.extensionsPresent & DESCRIPTOR_BIT) === 0) return;
  for (let i = 0; i < scan.count; i++) {
    if (media.extensionKinds[scan.ids[i]!] !== HEADER_EXTENSION.DEPENDENCY_DESCRIPTOR) continue;
    if (!descriptorCheck(scan.lengths[i]!)) return;
    packet.descriptor = i;
    packet.frameNumber = descriptorFrameNumber(bytes, scan.offsets[i]!);
    return;
  }
}
