/**
 * RTCP coming in: reports of publishers, and what subscribers ask for.
 *
 * A NACK is answered from the publication's packet cache, within a budget for each participant, so that nobody can have
 * the server send more than it was asked to forward. PLI and FIR become a wish for a keyframe at the stream that the slot
 * shows. What a subscriber estimates (REMB, transport-wide feedback) and BYE are not acted upon: a source that is gone is
 * noticed by its silence, and a participant by its DTLS or ICE.
 */

import type { Micros } from "../base/micros.ts";
import { seqAdd16 } from "../base/sequence.ts";
import { buggify } from "../fault-sites.ts";
import { mediaClockReport, wallToNtpMiddle } from "../media/media-clock.ts";
import { packetCacheFind, packetCacheLength, packetCacheOffset, packetCachePutAt } from "../media/packet-cache.ts";
import { receiveStatisticsSenderReport } from "../media/receive-statistics.ts";
import { rttFromReportBlock, rttSample } from "../media/rtt.ts";
import { rewriterSourceOf } from "../media/stream-rewriter.ts";
import { peerOpenRtcp } from "../peer/peer.ts";
import { headerExtensionsScan } from "../wire/header-extensions.ts";
import {
  RTCP,
  RTCP_TYPE,
  rtcpCheck,
  rtcpCountOrFormat,
  rtcpPacketLength,
  rtcpPacketType,
  rtcpSenderSsrc,
} from "../wire/rtcp.ts";
import {
  feedbackMediaSsrc,
  firCount,
  firSsrc,
  isFir,
  isNack,
  isPli,
  nackBlp,
  nackPairCount,
  nackPid,
} from "../wire/rtcp-feedback.ts";
import {
  reportBlockDelay,
  reportBlockLastSenderReport,
  reportBlockOffset,
  reportBlockSsrc,
  senderReportNtpHigh,
  senderReportNtpLow,
  senderReportRtpTimestamp,
} from "../wire/rtcp-reports.ts";
import { sendAgain } from "./forward.ts";
import { describePacket } from "./packet.ts";
import type { ShardPorts } from "./ports.ts";
import { relayClock } from "./relays.ts";
import { wallAt } from "./reports.ts";
import { wantKeyframeOf } from "./requests.ts";
import type { Participant, Shard, Slot } from "./state.ts";

/** Takes an SRTCP packet of a connected participant. */
export function receiveRtcp(
  shard: Shard,
  ports: ShardPorts,
  now: Micros,
  participant: Participant,
  bytes: Uint8Array,
  offset: number,
  sealedLength: number,
): void {
  const { counters } = shard.history;
  const length = peerOpenRtcp(participant.peer, ports.crypto, bytes, offset, sealedLength);
  if (length < 0 || buggify(ports.faults, "rtcp/open-fails", participant.id)) {
    counters.rtcpRefused++;
    return;
  }
  if (rtcpCheck(bytes, offset, length) !== RTCP.OK || buggify(ports.faults, "rtcp/malformed", participant.id)) {
    counters.rtcpMalformed++;
    return;
  }
  counters.rtcpReceived++;
  for (let at = offset; at < offset + length; at += rtcpPacketLength(bytes, at)) {
    receivePacket(shard, ports, now, participant, bytes, at);
  }
}

function receivePacket(
  shard: Shard,
  ports: ShardPorts,
  now: Micros,
  participant: Participant,
  bytes: Uint8Array,
  at: number,
): void {
  const type = rtcpPacketType(bytes, at);
  const { faults } = ports;
  if (type === RTCP_TYPE.SENDER_REPORT && !buggify(faults, "rtcp/sender-report-missed", participant.id)) {
    takeSenderReport(shard, now, participant, bytes, at);
  }
  if (type === RTCP_TYPE.SENDER_REPORT || type === RTCP_TYPE.RECEIVER_REPORT) {
    if (buggify(faults, "rtcp/report-blocks-missed", participant.id)) return;
    takeReportBlocks(shard, now, participant, bytes, at);
  } else if (isNack(bytes, at)) {
    answerNack(shard, ports, now, participant, bytes, at);
  } else if (isPli(bytes, at)) {
    wishKeyframe(shard, ports, now, participant.slotsBySsrc.get(feedbackMediaSsrc(bytes, at)));
  } else if (isFir(bytes, at)) {
    const count = firCount(bytes, at);
    for (let i = 0; i < count; i++) {
      wishKeyframe(shard, ports, now, participant.slotsBySsrc.get(firSsrc(bytes, at, i)));
    }
  }
}

function takeSenderReport(shard: Shard, now: Micros, participant: Participant, bytes: Uint8Array, at: number): void {
  const inbound = participant.inbound.get(rtcpSenderSsrc(bytes, at) | 0);
  if (inbound === undefined || inbound.isRtx) return;
  const { statistics, clock } = inbound.stream;
  const ntpHigh = senderReportNtpHigh(bytes, at);
  const ntpLow = senderReportNtpLow(bytes, at);
  const timestamp = senderReportRtpTimestamp(bytes, at);
  receiveStatisticsSenderReport(statistics, now, ntpHigh, ntpLow, timestamp);
  mediaClockReport(clock, now, ntpHigh, ntpLow, timestamp);
  relayClock(shard, participant, inbound.stream);
}

function takeReportBlocks(shard: Shard, now: Micros, participant: Participant, bytes: Uint8Array, at: number): void {
  const count = rtcpCountOrFormat(bytes, at);
  const middle = wallToNtpMiddle(wallAt(shard, now));
  for (let i = 0; i < count; i++) {
    const block = reportBlockOffset(bytes, at, i);
    if (!participant.slotsBySsrc.has(reportBlockSsrc(bytes, block))) continue;
    const lastReport = reportBlockLastSenderReport(bytes, block);
    rttSample(participant.rtt, rttFromReportBlock(middle, lastReport, reportBlockDelay(bytes, block)));
  }
}

function wishKeyframe(shard: Shard, ports: ShardPorts, now: Micros, slot: Slot | undefined): void {
  const route = slot?.route;
  // While he is left out, no keyframe would get to him, and that he asks for one goes without saying afterwards.
  if (route?.leftOut) return;
  if (route?.publication.kind !== "video" || buggify(ports.faults, "rtcp/wish-ignored", route.slot.id)) return;
  const stream = route.stream ?? route.publication.best;
  if (stream !== null) wantKeyframeOf(shard, now, stream, route.stream !== null);
}

function answerNack(
  shard: Shard,
  ports: ShardPorts,
  now: Micros,
  participant: Participant,
  bytes: Uint8Array,
  at: number,
): void {
  const ssrc = feedbackMediaSsrc(bytes, at);
  const slot = participant.slotsBySsrc.get(ssrc);
  // What was repeated is asked for by its own number; that of the RTX packet means something else.
  if (slot === undefined || slot.media.slotSsrc !== ssrc) return;
  if (buggify(ports.faults, "rtcp/nack-ignored", slot.id)) return;
  const { counters } = shard.history;
  fillBudget(shard, participant, now);
  const pairs = nackPairCount(bytes, at);
  for (let i = 0; i < pairs; i++) {
    const pid = nackPid(bytes, at, i);
    let bits = (nackBlp(bytes, at, i) << 1) | 1;
    for (let k = 0; bits !== 0; k++, bits >>>= 1) {
      if ((bits & 1) === 0) continue;
      if (retransmit(shard, ports, now, slot, seqAdd16(pid, k))) counters.rtpRetransmitted++;
      else counters.retransmitsRefused++;
    }
  }
}

/** Sends one packet again, if it was sent, is still at hand and the budget allows it. */
function retransmit(shard: Shard, ports: ShardPorts, now: Micros, slot: Slot, sequence: number): boolean {
  const { owner, route } = slot;
  const { source, scan, packet } = shard.scratch;
  const { faults } = ports;
  if (owner.retransmitBudget < 1 || route === null || buggify(faults, "again/over-budget", owner.id)) return false;
  if (!rewriterSourceOf(slot.rewriter, sequence, source) || buggify(faults, "again/history-forgotten", slot.id)) {
    return false;
  }
  const stream = shard.streams.get(source.source);
  // After a switch, what the slot showed before is no longer the subscriber's to see.
  if (stream === undefined || stream.cache === null || stream.publication !== route.publication) return false;
  const cached = packetCacheFind(stream.cache, now, source.sequence);
  if (cached < 0 || buggify(faults, "again/cache-evicted", stream.id)) return false;
  const { bytes } = stream.cache;
  const offset = packetCacheOffset(stream.cache, cached);
  const length = packetCacheLength(stream.cache, cached);
  headerExtensionsScan(scan, bytes, offset, length);
  if (!describePacket(packet, scan, stream.publication.media, bytes, offset, length)) return false;
  const cachedAt = packetCachePutAt(stream.cache, cached);
  if (buggify(faults, "again/not-sent", slot.id)) return false;
  if (!sendAgain(shard, ports, route, bytes, sequence, source.segmentIndex, cachedAt)) return false;
  owner.retransmitBudget--;
  return true;
}

/** A token bucket: `retransmitsPerSecondMax`, at most `retransmitBurstPackets` at once. */
function fillBudget({ tunables }: Shard, participant: Participant, now: Micros): void {
  const { retransmitsPerSecondMax, retransmitBurstPackets } = tunables;
  const earned = Math.floor(((now - participant.retransmitFilledAt) * retransmitsPerSecondMax) / 1_000_000);
  if (earned === 0) return;
  participant.retransmitBudget = Math.min(retransmitBurstPackets, participant.retransmitBudget + earned);
  participant.retransmitFilledAt = now;
}
