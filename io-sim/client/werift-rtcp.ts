/**
 * RTCP by `werift-rtp`: an implementation that shares nothing with the server's, nor with ./plain-rtcp.ts.
 */
import {
  GenericNack,
  PictureLossIndication,
  RtcpPacketConverter,
  RtcpPayloadSpecificFeedback,
  RtcpReceiverInfo,
  RtcpRrPacket,
  RtcpSenderInfo,
  RtcpSourceDescriptionPacket,
  RtcpSrPacket,
  RtcpTransportLayerFeedback,
  SourceDescriptionChunk,
  SourceDescriptionItem,
  TransportWideCC,
} from "werift-rtp";
import { seqAdd16 } from "../../core/base/sequence.ts";
import type { ReadRtcp, RtcpFormat, SenderInfo } from "./plain-rtcp.ts";

/** A view of the same bytes that werift's code can use. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** By werift-rtp. */
export const WERIFT_RTCP: RtcpFormat = {
  writeReports(senders, reporter, blocks, cname) {
    const reports = blocks.map((block) => new RtcpReceiverInfo(block));
    const parts =
      senders.length === 0
        ? [new RtcpRrPacket({ ssrc: reporter, reports }).serialize(), sourceDescription(reporter, cname)]
        : senders.flatMap((sender, index) => [
            senderReport(sender, index === 0 ? reports : []),
            sourceDescription(sender.ssrc, cname),
          ]);
    return Buffer.concat(parts);
  },
  read: (plain) => RtcpPacketConverter.deSerialize(asBuffer(plain)).flatMap(readPacket),
};

/** How far behind the first packet of a NACK's pair the last one that it can name is (RFC 4585 §6.2.1). */
const NACK_PAIR_REACH = 16;

/**
 * A NACK for these packets, in their order. What one pair names beyond the wrap counts on beyond 16 bits on its way in:
 * `werift-rtp` knows no wrap and would begin another pair, as no browser does.
 */
export function writeNack(senderSsrc: number, mediaSourceSsrc: number, sequences: readonly number[]): Uint8Array {
  let pairBegins = sequences[0]!;
  const lost = sequences.map((sequence) => {
    const ahead = seqAdd16(sequence, -pairBegins);
    if (ahead <= NACK_PAIR_REACH) return pairBegins + ahead;
    pairBegins = sequence;
    return sequence;
  });
  return new RtcpTransportLayerFeedback({
    feedback: new GenericNack({ senderSsrc, mediaSourceSsrc, lost }),
  }).serialize();
}

function senderReport(info: SenderInfo, reports: RtcpReceiverInfo[]): Buffer {
  return new RtcpSrPacket({
    ssrc: info.ssrc,
    senderInfo: new RtcpSenderInfo({
      ntpTimestamp: (BigInt(info.ntpSeconds) << 32n) | BigInt(info.ntpFraction),
      rtpTimestamp: info.timestamp,
      packetCount: info.packets,
      octetCount: info.octets,
    }),
    reports,
  }).serialize();
}

/** An SDES packet with one CNAME (RFC 3550 §6.5.1). */
function sourceDescription(ssrc: number, cname: string): Buffer {
  const item = new SourceDescriptionItem({ type: 1, text: cname });
  const chunk = new SourceDescriptionChunk({ source: ssrc, items: [item] });
  return new RtcpSourceDescriptionPacket({ chunks: [chunk] }).serialize();
}

function readPacket(packet: ReturnType<typeof RtcpPacketConverter.deSerialize>[number]): ReadRtcp[] {
  if (packet instanceof RtcpSrPacket || packet instanceof RtcpRrPacket) {
    const isSender = packet instanceof RtcpSrPacket;
    const compactNtp = isSender ? Number((packet.senderInfo.ntpTimestamp >> 16n) & 0xffff_ffffn) : -1;
    return [{ kind: "report", sender: packet.ssrc, compactNtp, about: packet.reports.map(({ ssrc }) => ssrc) }];
  }
  if (packet instanceof RtcpPayloadSpecificFeedback) {
    const { feedback } = packet;
    if (feedback instanceof PictureLossIndication) {
      return [{ kind: "keyframe", ssrcs: [feedback.mediaSsrc], numbers: [] }];
    }
    if (!("fir" in feedback)) return [];
    const { fir } = feedback;
    const numbers = fir.map(({ sequenceNumber }) => sequenceNumber);
    return [{ kind: "keyframe", ssrcs: fir.map(({ ssrc }) => ssrc), numbers }];
  }
  if (!(packet instanceof RtcpTransportLayerFeedback)) return [];
  const { feedback } = packet;
  if (feedback instanceof TransportWideCC) {
    return [{ kind: "arrivals", packets: feedback.packetStatusCount, arrived: feedback.recvDeltas.length }];
  }
  if (!(feedback instanceof GenericNack)) return [];
  const sequences = feedback.lost.map((sequence) => sequence & 0xffff);
  return [{ kind: "nack", ssrc: feedback.mediaSourceSsrc, sequences }];
}
