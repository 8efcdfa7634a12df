/**
 * Mistakes in what the server says of itself and of others: reports, feedback, estimates and counters.
 *
 * Nobody sees them; they make voices part from lips, and senders slow for no reason.
 */
import { edit, type Mistake } from "./mistake.ts";

/** All mistakes in reports. */
export const REPORT_MISTAKES: readonly Mistake[] = [
  {
    id: "sender-report-off",
    what: "sender reports have pictures 5 ms late",
    story: "a clean call",
    promise: "S9",
    edits: [
      edit(
        "sfu/reports.ts",
        "mediaClockTimestampAt(stream.clock, now)",
        '(mediaClockTimestampAt(stream.clock, now) - (slot.media.kind === "video" ? 450 : 0))',
      ),
    ],
  },
  {
    id: "sender-report-miscounts",
    what: "each keyframe's first packet is counted twice in sender reports",
    story: "a clean call",
    promise: "S9",
    edits: [
      edit(
        "sfu/forward.ts",
        "slot.packetsSent = (slot.packetsSent + 1) >>> 0;",
        "slot.packetsSent = (slot.packetsSent + (packet.keyframe ? 2 : 1)) >>> 0;",
      ),
    ],
  },
  {
    id: "sender-report-count-late",
    what: "a sender report counts one packet too few",
    story: "a clean call",
    promise: "S9",
    edits: [
      edit(
        "sfu/reports.ts",
        "const { packetsSent, octetsSent } = slot;",
        "const packetsSent = slot.packetsSent - 1;\n  const { octetsSent } = slot;",
      ),
    ],
  },
  {
    id: "receiver-report-off",
    what: "receiver reports have a packet come that has not",
    story: "a clean call",
    promise: "S9",
    edits: [
      edit(
        "media/receive-statistics.ts",
        "block.extendedHighest = stats.highestSequence >>> 0;",
        "block.extendedHighest = (stats.highestSequence + 1) >>> 0;",
      ),
    ],
  },
  {
    id: "losses-miscounted",
    what: "receiver reports count a loss too many",
    story: "a clean call",
    promise: "S9",
    edits: [
      edit(
        "media/receive-statistics.ts",
        "const lost = expected - stats.received;",
        "const lost = expected + 1 - stats.received;",
      ),
    ],
  },
  {
    id: "arrival-misnumbered",
    what: "transport-wide feedback speaks of the packet behind",
    story: "a clean call",
    promise: "S9",
    edits: [
      edit(
        "sfu/streams.ts",
        "transportArrival(participant.arrivals, now, readU16(bytes, scan.offsets[i]!));",
        "transportArrival(participant.arrivals, now, (readU16(bytes, scan.offsets[i]!) + 1) & 0xffff);",
      ),
    ],
  },
  {
    id: "round-trip-unchecked",
    what: "a report that tells no round trip is taken for one",
    story: "a clean call",
    promise: "S17",
    edits: [edit("media/rtt.ts", "  if (rttMicros < 0) return;\n", "")],
  },
  {
    id: "forwarded-uncounted",
    what: "what is forwarded is not counted",
    story: "the page was reloaded",
    promise: "S18",
    edits: [edit("sfu/forward.ts", "  counters.rtpForwarded++;\n", "")],
  },
];
