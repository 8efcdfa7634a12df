/**
 * Mistakes in what is done to media: numbers, pictures, what is asked for and what is sent again.
 *
 * The first to break a call when an SFU is new: everything here goes wrong between one packet and the next.
 */
import { edit, type Mistake } from "./mistake.ts";

/** All mistakes with media. */
export const MEDIA_MISTAKES: readonly Mistake[] = [
  {
    id: "gap-on-switch",
    what: "a switch to another source leaves a number out",
    story: "a clean call",
    promise: "S2",
    edits: [
      edit(
        "media/stream-rewriter.ts",
        "const lineFirst = gap ? lineNext + 1 : lineNext;",
        "const lineFirst = lineNext + 1;",
      ),
    ],
  },
  {
    id: "timestamp-jump",
    what: "a switch to another source adds a second to the timestamp",
    story: "a clean call",
    promise: "S3",
    edits: [
      edit(
        "media/stream-rewriter.ts",
        "seqAdd32(rewriter.timestamp, step - timestamp)",
        "seqAdd32(rewriter.timestamp, step + clockRate - timestamp)",
      ),
    ],
  },
  {
    id: "picture-id-jump",
    what: "a switch to another source leaves a picture id out",
    story: "a clean call",
    promise: "S6",
    edits: [
      edit(
        "media/stream-rewriter.ts",
        "offsetAfter(rewriter.pictureId, pictureId, 0x7fff)",
        "offsetAfter(rewriter.pictureId, pictureId - 1, 0x7fff)",
      ),
    ],
  },
  {
    id: "tl0-jump",
    what: "a switch to another source leaves a TL0PICIDX out",
    story: "a clean call",
    promise: "S6",
    edits: [
      edit(
        "media/stream-rewriter.ts",
        "offsetAfter(rewriter.tl0, tl0, 0xff)",
        "offsetAfter(rewriter.tl0, tl0 - 1, 0xff)",
      ),
    ],
  },
  {
    id: "late-packet-dropped",
    what: "a packet that was overtaken is taken for too late",
    story: "loss and reordering",
    promise: "S2",
    edits: [edit("media/stream-rewriter.ts", "if (-ahead >= HISTORY || bitRingHas", "if (ahead < 0 || bitRingHas")],
  },
  {
    id: "repeats-the-next",
    what: "what is sent again is another packet than the one that was asked for",
    story: "loss and reordering",
    promise: "S8",
    edits: [
      edit(
        "media/stream-rewriter.ts",
        "answer.sequence = seqAdd16(line, -segment.sequenceOffset);",
        "answer.sequence = seqAdd16(line + 8, -segment.sequenceOffset);",
      ),
    ],
  },
  {
    id: "begins-anywhere",
    what: "a route begins in the middle of the pictures of its source",
    story: "a viewer joins late",
    promise: "S5",
    edits: [
      edit(
        "sfu/forward.ts",
        'if (publication.kind === "audio" || packet.keyframe) return true;',
        'if (publication.kind === "audio" || packet.keyframe || route.stream === null) return true;',
      ),
    ],
  },
  {
    id: "switch-anywhere",
    what: "a route goes over to another layer in the middle of its pictures",
    story: "counters near their wrap",
    promise: "S5",
    edits: [
      edit(
        "sfu/forward.ts",
        'if (publication.kind === "audio" || packet.keyframe) return true;',
        'if (publication.kind === "audio" || packet.keyframe || route.stream !== null) return true;',
      ),
    ],
  },
  {
    id: "keyframe-of-before",
    what: "a route goes back to a layer at a keyframe from before it left that layer",
    story: "the same moment twice",
    promise: "S7",
    edits: [
      edit(
        "sfu/forward.ts",
        "(isTooLateToBegin(shard, stream) || wasPassed(shard, route, stream))",
        "isTooLateToBegin(shard, stream)",
      ),
    ],
  },
  {
    id: "keyframe-too-late",
    what: "a route begins with a keyframe however late that comes, and leaves out what can't be sent behind it",
    story: "a keyframe that comes too late",
    promise: "S2",
    edits: [edit("sfu/forward.ts", "(isTooLateToBegin(shard, stream) || wasPassed", "(wasPassed")],
  },
  {
    id: "dead-layer-kept",
    what: "a layer that has stopped stays the best until a better one comes",
    story: "the children come home",
    promise: "STORY",
    edits: [
      edit(
        "media/layer-selection.ts",
        "current < layers.length && layers[current]!.flowing ? current : -1",
        "current < layers.length ? current : -1",
      ),
    ],
  },
  {
    id: "marker-lost",
    what: "the marker of a frame's last packet does not go out",
    story: "a clean call",
    promise: "L1",
    edits: [
      edit(
        "sfu/forward.ts",
        "rtpWriteHeader(target, at, payloadType, packet.marker, sentSequence",
        "rtpWriteHeader(target, at, payloadType, false, sentSequence",
      ),
    ],
  },
  {
    id: "begins-unasked",
    what: "a route begins and nobody asks for the keyframe that it needs",
    story: "a viewer joins late",
    promise: "L1",
    edits: [edit("sfu/routes.ts", "  if (!route.leftOut) wantKeyframe(shard, now, publication);\n", "")],
  },
  {
    id: "keyframe-request-lost",
    what: "a keyframe request that gets lost is not repeated",
    story: "she came in the tunnel",
    promise: "L2",
    edits: [
      edit(
        "media/keyframe-requests.ts",
        "  requests.unanswered++;\n",
        "  requests.unanswered++;\n  requests.wanted = false;\n",
      ),
    ],
  },
  {
    id: "keyframe-wish-ignored",
    what: "what viewers ask for by PLI is not asked of the publisher",
    story: "a tunnel",
    promise: "L2",
    edits: [
      edit(
        "sfu/feedback.ts",
        "  if (stream !== null) wantKeyframeOf(shard, now, stream, route.stream !== null);\n",
        "",
      ),
    ],
  },
  {
    id: "beginning-given-up",
    what: "a keyframe counts as the answer to a viewer too who could not begin with it",
    story: "a face that nobody asked for",
    promise: "STORY",
    edits: [
      edit("sfu/forward.ts", "      if (!goesOn) keepWish(now, stream, route);\n", ""),
      edit(
        "sfu/forward.ts",
        "    keepWish(now, stream, route);\n    counters.rtpAwaitingKeyframe++;",
        "    counters.rtpAwaitingKeyframe++;",
      ),
    ],
  },
  {
    id: "keyframe-requests-unthinned",
    what: "keyframe requests are repeated every 40 ms",
    story: "loss and reordering",
    promise: "S10",
    edits: [
      edit(
        "media/keyframe-requests.ts",
        "Math.max(least, answerTime(requests, rttMicros)) as Micros",
        "40_000 as Micros",
      ),
    ],
  },
  {
    id: "keyframe-storm",
    what: "a keyframe that has come does not end the wish for one",
    story: "a clean call",
    promise: "L5",
    edits: [
      edit(
        "media/keyframe-requests.ts",
        "export function keyframeArrived(requests: KeyframeRequests, _now: Micros): void {\n  grant(requests);\n",
        "export function keyframeArrived(requests: KeyframeRequests, _now: Micros): void {\n",
      ),
    ],
  },
  {
    id: "left-out-asks",
    what: "a keyframe is asked for by whoever is left out for want of time",
    story: "a picture that nobody gets",
    promise: "L5",
    edits: [
      edit("sfu/feedback.ts", "  if (route?.leftOut) return;\n", ""),
      edit("sfu/requests.ts", "routes.some((route) => !route.leftOut && isFor(route))", "routes.some(isFor)"),
    ],
  },
  {
    id: "left-out-shown",
    what: "what is left out for want of time is sent all the same to who is said not to get it",
    story: "a server with too much to do",
    promise: "S1",
    edits: [
      edit("sfu/forward.ts", "if (route.leftOut) {", "if (route.leftOut && stream.id < 0) {"),
      edit("sfu/shedding.ts", "if (route.leftOut) route.stream = null;", "if (route.leftOut) route.incomingType = -1;"),
    ],
  },
  {
    id: "left-out-for-good",
    what: "what was left out goes on and nobody asks for the keyframe that it needs",
    story: "a server with too much to do",
    promise: "L4",
    edits: [edit("sfu/shedding.ts", "    else wantKeyframe(shard, now, route.publication);\n", "")],
  },
  {
    id: "left-out-forgotten",
    what: "a slot that is filled while video is left out for want of time is not left out",
    story: "a server with too much to do",
    promise: "S1",
    edits: [edit("sfu/routes.ts", "leftOut: isLeftOut(shard, slot.id, slot.media.kind),", "leftOut: false,")],
  },
  {
    id: "switch-as-beginning",
    what: "whoever goes over to another layer asks as if he had yet to begin, and goes on when the layer has gone",
    story: "a layer that comes and goes",
    promise: "L5",
    edits: [
      edit("sfu/requests.ts", "else if (goesOver) keyframeWantedAgain(", "else if (goesOver) keyframeWanted("),
      edit("sfu/requests.ts", "best === stream || each.stream === stream;", "each.stream !== undefined;"),
    ],
  },
  {
    id: "nack-storm",
    what: "a missing packet is asked for again before any answer can have come",
    story: "loss and reordering",
    promise: "S9",
    edits: [
      edit(
        "media/nack-generator.ts",
        "const wait = Math.max(rttMicros, tunables.nackRepeatMicros);",
        "const wait = tunables.nackRepeatMicros;",
      ),
    ],
  },
  {
    id: "nack-for-what-came",
    what: "what has come late is asked for all the same",
    story: "loss and reordering",
    promise: "S9",
    edits: [
      edit(
        "media/nack-generator.ts",
        "if (generator.missing > 0) takeOff(generator, generator.highest + distance);",
        "",
      ),
    ],
  },
  {
    id: "repeats-without-budget",
    what: "what may be sent again is saved up without an end",
    story: "loss and reordering",
    promise: "R2",
    edits: [
      edit(
        "sfu/feedback.ts",
        "Math.min(retransmitBurstPackets, participant.retransmitBudget + earned)",
        "participant.retransmitBudget + earned",
      ),
    ],
  },
  {
    id: "paused-for-good",
    what: "a stream that has stopped is left out and never taken in again",
    story: "forgotten to unmute",
    promise: "S2",
    edits: [
      edit(
        "sfu/flowing.ts",
        "  publication.flowing = flowing;\n",
        "  publication.flowing = flowing;\n  if (!flowing) for (const route of publication.routes) route.leftOut = true;\n",
      ),
    ],
  },
];
