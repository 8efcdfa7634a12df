/**
 * Sender and receiver reports (RFC 3550 §6.4), once in `reportMicros` for each connected participant: for each slot
 * that has sent, what time its timestamps stand for and how much was sent; for each stream that came in, how well.
 */

import { following, type Micros, type WallMicros } from "../base/micros.ts";
import { utf8Encode } from "../base/text.ts";
import { buggify } from "../fault-sites.ts";
import { mediaClockKnown, mediaClockTimestampAt, wallToNtpHigh, wallToNtpLow } from "../media/media-clock.ts";
import { receiveStatisticsReport } from "../media/receive-statistics.ts";
import { rewriterTimestamp } from "../media/stream-rewriter.ts";
import {
  addReportBlock,
  RTCP_COUNT_MAX,
  writeReceiverReport,
  writeSdesCname,
  writeSenderReport,
} from "../wire/rtcp-reports.ts";
import type { ShardPorts } from "./ports.ts";
import { transmitRtcp } from "./requests.ts";
import type { Participant, Shard, Slot } from "./state.ts";

/** Sends the reports that a participant is due. */
export function sendReports(shard: Shard, ports: ShardPorts, now: Micros, participant: Participant): void {
  if (now < participant.nextReportAt) return;
  participant.nextReportAt = following(participant.nextReportAt, now, shard.tunables.reportMicros);
  const cname = utf8Encode(participant.cname);
  for (const slot of participant.slots) {
    if (slot.packetsSent === 0 || buggify(ports.faults, "reports/slot-skipped", slot.id)) continue;
    transmitRtcp(shard, ports, participant, true, (bytes, at) => {
      const length = writeSlotReport(shard, now, slot, bytes, at);
      return length === 0 ? 0 : length + writeSdesCname(bytes, at + length, slot.media.slotSsrc, cname);
    });
  }
  if (participant.publications.length === 0) return;
  if (buggify(ports.faults, "reports/reception-skipped", participant.id)) return;
  transmitRtcp(shard, ports, participant, true, (bytes, at) => {
    const length = writeReceptionReport(shard, now, participant, bytes, at);
    return length === 0 ? 0 : length + writeSdesCname(bytes, at + length, participant.feedbackSsrc, cname);
  });
}

/** The server's wall-clock time. */
export function wallAt(shard: Shard, now: Micros): WallMicros {
  return (shard.bootWall + (now - shard.bootNow)) as WallMicros;
}

/** A report of what the slot's timestamp is right now, by the publisher's clock; 0 while that is not known. */
function writeSlotReport(shard: Shard, now: Micros, slot: Slot, bytes: Uint8Array, at: number): number {
  const stream = slot.route?.stream ?? null;
  if (stream === null || !mediaClockKnown(stream.clock)) return 0;
  const wall = wallAt(shard, now);
  const timestamp = rewriterTimestamp(slot.rewriter, mediaClockTimestampAt(stream.clock, now));
  const { packetsSent, octetsSent } = slot;
  return writeSenderReport(
    bytes,
    at,
    slot.media.slotSsrc,
    wallToNtpHigh(wall),
    wallToNtpLow(wall),
    timestamp,
    packetsSent,
    octetsSent,
  );
}

function writeReceptionReport(
  shard: Shard,
  now: Micros,
  participant: Participant,
  bytes: Uint8Array,
  at: number,
): number {
  const { report } = shard.scratch;
  let length = writeReceiverReport(bytes, at, participant.feedbackSsrc);
  let blocks = 0;
  for (const publication of participant.publications) {
    for (const { statistics } of publication.streams) {
      if (statistics.packets === 0 || blocks === RTCP_COUNT_MAX) continue;
      receiveStatisticsReport(statistics, now, report);
      length = addReportBlock(
        bytes,
        at,
        report.ssrc,
        report.fractionLost,
        report.cumulativeLost,
        report.extendedHighest,
        report.jitter,
        report.lastSr,
        report.delaySinceLastSr,
      );
      blocks++;
    }
  }
  return blocks === 0 ? 0 : length;
}
