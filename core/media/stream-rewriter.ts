/**
 * Makes one continuous stream out of pieces of many, so that a receiver never notices what it is cut from.
 *
 * Picture the stream that a slot sends as a strip of film. A *segment* of it is a run of one source stream, glued to the
 * one before: sequence number, picture id, TL0PICIDX and frame number go on by one, the timestamp by the time that really
 * passed. Inside a segment each of them differs from the source's by a constant. The frames of the strip are its *lines*:
 * each source packet, sent, lost or left out, has a line of its own, and lines only ever count up. A packet that is left
 * out on purpose gets a bit in a ring, and the sequence number that goes out is the line minus the bits set before it. A
 * second ring holds which sequence numbers were never sent. So the way back, from a number that a receiver asks for to the
 * source's, is exact for as long as the rings reach, across segments too. Both rings are for exceptions: while there are
 * none, a packet does not touch them, since with a hundred receivers each touch waits for memory.
 *
 * Fields: RTP (RFC 3550 §5.1), VP8 PictureID and TL0PICIDX (RFC 7741 §4.2), VP9 the same (RFC 9628 §4.2), the frame number
 * of the AV1 dependency descriptor. Nothing here touches bytes; whoever forwards writes the numbers into the packet.
 */
import {
  bitRingClear,
  bitRingCount,
  bitRingHas,
  bitRingSet,
  bitRingSetRange,
  createBitRing,
} from "../base/bit-ring.ts";
import { between, type Micros, micros } from "../base/micros.ts";
import { seqAdd16, seqAdd32, seqDistance32, seqNewer16, seqUnwrap16 } from "../base/sequence.ts";
import { LIMITS } from "../limits.ts";
import { clockUnits } from "./clock-units.ts";

/** Stands for the segment that is being sent, wherever a segment is named by its index. */
export const CURRENT_SEGMENT = -1;

const HISTORY = LIMITS.rewriterHistoryPackets;
/** Lines count from here, so that a line is never negative. */
const LINE_ORIGIN = 0x1_0000;
/** The end of a segment that goes on. */
const LINE_OPEN = -1;
/** The least step of the timestamp between two segments, as a part of the clock rate: one Opus frame, 20 ms. */
const STEPS_PER_SECOND = 50;
/** The most that a pause between segments moves the timestamp: a jump of half the circle would look like one back. */
const UNITS_MAX = 0x4000_0000;

/** A run of one source with constant offsets. */
export interface RewriterSegment {
  source: number;
  /** The lines of the segment: `lineFirst` up to, not including, `lineEnd`, which is -1 while it goes on. */
  lineFirst: number;
  lineEnd: number;
  /** What is added to the source's number, modulo the size of each; that of the timestamp as a signed integer. */
  sequenceOffset: number;
  timestampOffset: number;
  pictureIdOffset: number;
  tl0Offset: number;
  frameNumberOffset: number;
  /** How far, in clock units, its timestamps run ahead of the time that has passed. */
  lead: number;
}

/** The outgoing numbers of one stream; treat the fields as private. What each packet asks for comes first. */
export interface StreamRewriter {
  /** The segment that is being sent. */
  current: RewriterSegment | undefined;
  /** The newest line that was sent or left out. */
  lineHighest: number;
  /** Lines left out so far: a line minus this is the sequence number of a packet that is newest. */
  skips: number;
  /** The first outgoing sequence number, and the newest that was passed over; unwrapped. */
  numberFirst: number;
  gapNewest: number;
  /** Of the newest frame that was sent, the timestamp as a signed integer; a -1 of the others means that there was none. */
  started: boolean;
  timestamp: number;
  pictureId: number;
  tl0: number;
  frameNumber: number;
  lead: number;
  sentAt: Micros;
  /** Which lines were left out, and which outgoing numbers were passed over and not sent since. */
  skipped: Uint32Array;
  unsent: Uint32Array;
  /** The last segments; the one with index i is at i modulo `LIMITS.rewriterSegmentsMax`. */
  segments: RewriterSegment[];
  /** Segments begun so far; the current one has the index `segmentCount - 1`. */
  segmentCount: number;
}

/** Where an outgoing packet came from; filled by {@link rewriterSourceOf}. */
export interface RewriterSource {
  /** The number of the inbound stream. */
  source: number;
  /** The sequence number there. */
  sequence: number;
  /** Names the segment to the functions below, for timestamp and picture id. */
  segmentIndex: number;
}

/** A stream whose first packet will have this sequence number (16 bits) and timestamp (32 bits). */
export function createStreamRewriter(firstSequence: number, firstTimestamp: number): StreamRewriter {
  const numberFirst = LINE_ORIGIN + firstSequence;
  return {
    current: undefined,
    lineHighest: numberFirst - 1,
    skips: 0,
    numberFirst,
    gapNewest: numberFirst - 1 - HISTORY,
    started: false,
    timestamp: firstTimestamp | 0,
    pictureId: -1,
    tl0: -1,
    frameNumber: -1,
    lead: 0,
    sentAt: micros(0),
    skipped: createBitRing(HISTORY),
    unsent: createBitRing(HISTORY),
    segments: [],
    segmentCount: 0,
  };
}

/** A record for {@link rewriterSourceOf} to fill. */
export function createRewriterSource(): RewriterSource {
  return { source: 0, sequence: 0, segmentIndex: 0 };
}

/**
 * Goes on with another source, or anew with the same one, from the packet with these numbers: it will be the next packet
 * after the last that was sent. `source` is any number that names the inbound stream and never comes to name another.
 * The picture id, TL0PICIDX and frame number are -1 for a packet without. The timestamp goes on by the time since the
 * newest frame was first sent, at least by 20 ms; where that ran ahead of the clock, the next segment makes up for it.
 * With `gap` one number is left out before it: a frame whose end never went out must not look whole.
 * Answers the segment's index. A segment that nothing was sent in is replaced.
 */
export function rewriterBeginSegment(
  rewriter: StreamRewriter,
  now: Micros,
  source: number,
  sequence: number,
  timestamp: number,
  clockRate: number,
  pictureId: number,
  tl0: number,
  frameNumber: number,
  gap = false,
): number {
  const { current } = rewriter;
  const lineNext = rewriter.lineHighest + 1;
  const lineFirst = gap ? lineNext + 1 : lineNext;
  if (current !== undefined && current.lineFirst >= lineNext) rewriter.segmentCount--;
  else if (current !== undefined) current.lineEnd = lineNext;

  let step = 0;
  let lead = 0;
  if (rewriter.started) {
    const elapsed = clockUnits(between(rewriter.sentAt, now), clockRate);
    const wanted = Math.min(elapsed, UNITS_MAX) - rewriter.lead;
    step = Math.max(wanted, Math.floor(clockRate / STEPS_PER_SECOND));
    lead = step - wanted;
  }
  const segment: RewriterSegment = {
    source,
    lineFirst,
    lineEnd: LINE_OPEN,
    sequenceOffset: seqAdd16(lineFirst, -sequence),
    timestampOffset: seqAdd32(rewriter.timestamp, step - timestamp) | 0,
    pictureIdOffset: offsetAfter(rewriter.pictureId, pictureId, 0x7fff),
    tl0Offset: offsetAfter(rewriter.tl0, tl0, 0xff),
    frameNumberOffset: offsetAfter(rewriter.frameNumber, frameNumber, 0xffff),
    lead,
  };
  const index = rewriter.segmentCount++;
  rewriter.segments[index % LIMITS.rewriterSegmentsMax] = segment;
  rewriter.current = segment;
  return index;
}

/**
 * The outgoing sequence number of a source packet of the segment, or -1 when it has none: it is from before the segment or
 * after its end, it was left out, it is older than `LIMITS.rewriterHistoryPackets` lines, or it is more than
 * `LIMITS.sequenceAheadMax` ahead ({@link rewriterIsFarAhead} tells that case, where a new segment should begin).
 */
export function rewriterSequence(rewriter: StreamRewriter, inSequence: number, segmentIndex = CURRENT_SEGMENT): number {
  const segment = segmentAt(rewriter, segmentIndex);
  if (segment === undefined) return -1;
  const line = lineOfSource(rewriter, segment, inSequence);
  if (line < segment.lineFirst || (line >= segment.lineEnd && segment.lineEnd !== LINE_OPEN)) return -1;
  const ahead = line - rewriter.lineHighest;
  if (ahead > 0) return ahead <= LIMITS.sequenceAheadMax ? seqAdd16(line, -rewriter.skips) : -1;
  if (-ahead >= HISTORY || bitRingHas(rewriter.skipped, line)) return -1;
  return outgoing(rewriter, line) & 0xffff;
}

/** Whether the source's numbers have jumped so far that only a new segment can follow them. */
export function rewriterIsFarAhead(rewriter: StreamRewriter, inSequence: number): boolean {
  const segment = rewriter.current;
  if (segment === undefined) return false;
  return lineOfSource(rewriter, segment, inSequence) - rewriter.lineHighest > LIMITS.sequenceAheadMax;
}

/** The newest number of this source that was sent or left out in the last segment of it that is known, or -1 without one. */
export function rewriterNewestOf(rewriter: StreamRewriter, source: number): number {
  const oldest = Math.max(0, rewriter.segmentCount - LIMITS.rewriterSegmentsMax);
  for (let index = rewriter.segmentCount - 1; index >= oldest; index--) {
    const segment = rewriter.segments[index % LIMITS.rewriterSegmentsMax]!;
    if (segment.source !== source) continue;
    const lineLast = segment.lineEnd === LINE_OPEN ? rewriter.lineHighest : segment.lineEnd - 1;
    if (lineLast >= segment.lineFirst) return seqAdd16(lineLast, -segment.sequenceOffset);
  }
  return -1;
}

/** Whether a packet went out with this sequence number: nothing else may go out with it (RFC 7714 §8.4). */
export function rewriterWasSent(rewriter: StreamRewriter, outSequence: number): boolean {
  const highest = rewriter.lineHighest - rewriter.skips;
  const sequence = seqUnwrap16(highest, outSequence);
  return sequence <= highest && wasSent(rewriter, sequence);
}

/** The outgoing timestamp (32 bits) for one of the segment's source. */
export function rewriterTimestamp(
  rewriter: StreamRewriter,
  inTimestamp: number,
  segmentIndex = CURRENT_SEGMENT,
): number {
  return rewriterSignedTimestamp(rewriter, inTimestamp, segmentIndex) >>> 0;
}

/** As {@link rewriterTimestamp}, but the 32 bits as a signed integer, which the packet path hands on without an object. */
export function rewriterSignedTimestamp(rewriter: StreamRewriter, inTimestamp: number, segmentIndex: number): number {
  const segment = segmentAt(rewriter, segmentIndex);
  return segment === undefined ? inTimestamp | 0 : (inTimestamp + segment.timestampOffset) | 0;
}

/** The outgoing picture id for one of the segment's source; `bits` is the width that it has in the packet, 7 or 15. */
export function rewriterPictureId(
  rewriter: StreamRewriter,
  inPictureId: number,
  bits: number,
  segmentIndex = CURRENT_SEGMENT,
): number {
  const segment = segmentAt(rewriter, segmentIndex);
  const offset = segment === undefined ? 0 : segment.pictureIdOffset;
  return (inPictureId + offset) & (bits === 7 ? 0x7f : 0x7fff);
}

/** The outgoing TL0PICIDX (8 bits) for one of the segment's source. */
export function rewriterTl0(rewriter: StreamRewriter, inTl0: number, segmentIndex = CURRENT_SEGMENT): number {
  const segment = segmentAt(rewriter, segmentIndex);
  return segment === undefined ? inTl0 : (inTl0 + segment.tl0Offset) & 0xff;
}

/** The outgoing frame number (16 bits) of the dependency descriptor for one of the segment's source. */
export function rewriterFrameNumber(
  rewriter: StreamRewriter,
  inFrameNumber: number,
  segmentIndex = CURRENT_SEGMENT,
): number {
  const segment = segmentAt(rewriter, segmentIndex);
  return segment === undefined ? inFrameNumber : seqAdd16(inFrameNumber, segment.frameNumberOffset);
}

/**
 * Notes that a packet of the current segment went out with these outgoing numbers (-1 for those it has not; the
 * timestamp may be signed). Late packets move nothing back. Not to be called for a retransmission.
 */
export function rewriterSent(
  rewriter: StreamRewriter,
  now: Micros,
  outSequence: number,
  outTimestamp: number,
  pictureId: number,
  tl0: number,
  frameNumber: number,
): void {
  const highest = rewriter.lineHighest - rewriter.skips;
  const sequence = seqUnwrap16(highest, outSequence);
  if (sequence > highest) advance(rewriter, sequence + rewriter.skips);
  else if (highest - sequence >= HISTORY) return;
  else bitRingClear(rewriter.unsent, sequence, sequence);

  const frames = rewriter.started ? seqDistance32(rewriter.timestamp, outTimestamp) : 1;
  if (frames > 0) {
    rewriter.timestamp = outTimestamp | 0;
    rewriter.sentAt = now;
    rewriter.started = true;
    rewriter.lead = rewriter.current?.lead ?? 0;
  }
  if (frames >= 0 && pictureId >= 0) rewriter.pictureId = pictureId;
  if (frames >= 0 && tl0 >= 0) rewriter.tl0 = tl0;
  // Spatial layers of one picture have one timestamp and a frame number each.
  if (frameNumber >= 0 && (rewriter.frameNumber < 0 || seqNewer16(frameNumber, rewriter.frameNumber))) {
    rewriter.frameNumber = frameNumber;
  }
}

/**
 * Leaves out a packet of the current segment on purpose. When it is newer than all that were sent or left out, the packets
 * after it close up, and what may still be missing before it keeps its numbers: the answer is true. A late one has a
 * number already, between others that went out: the answer is false, and the caller had better send it than leave a gap
 * that the receiver would ask for again and again.
 */
export function rewriterSkip(rewriter: StreamRewriter, inSequence: number): boolean {
  const segment = rewriter.current;
  if (segment === undefined) return true;
  const line = lineOfSource(rewriter, segment, inSequence);
  if (line < segment.lineFirst) return true;
  const ahead = line - rewriter.lineHighest;
  if (ahead > LIMITS.sequenceAheadMax) return true;
  if (ahead <= 0) return -ahead < HISTORY && bitRingHas(rewriter.skipped, line);
  advance(rewriter, line);
  bitRingSet(rewriter.skipped, line);
  rewriter.skips++;
  return true;
}

/**
 * Finds where the packet with this outgoing sequence number came from. False when none was sent with it, or when that is
 * more than `LIMITS.rewriterHistoryPackets` packets or `LIMITS.rewriterSegmentsMax` segments ago.
 */
export function rewriterSourceOf(rewriter: StreamRewriter, outSequence: number, answer: RewriterSource): boolean {
  const highest = rewriter.lineHighest - rewriter.skips;
  const sequence = seqUnwrap16(highest, outSequence);
  if (sequence > highest || highest - sequence >= HISTORY) return false;
  if (!wasSent(rewriter, sequence)) return false;
  const line = lineOfOutgoing(rewriter, sequence);
  if (line <= rewriter.lineHighest - HISTORY) return false;
  const oldest = Math.max(0, rewriter.segmentCount - LIMITS.rewriterSegmentsMax);
  for (let index = rewriter.segmentCount - 1; index >= oldest; index--) {
    const segment = rewriter.segments[index % LIMITS.rewriterSegmentsMax]!;
    if (line < segment.lineFirst) continue;
    answer.source = segment.source;
    answer.sequence = seqAdd16(line, -segment.sequenceOffset);
    answer.segmentIndex = index;
    return true;
  }
  return false;
}

function segmentAt(rewriter: StreamRewriter, segmentIndex: number): RewriterSegment | undefined {
  if (segmentIndex === CURRENT_SEGMENT) return rewriter.current;
  const oldest = Math.max(0, rewriter.segmentCount - LIMITS.rewriterSegmentsMax);
  if (segmentIndex < oldest || segmentIndex >= rewriter.segmentCount) return undefined;
  return rewriter.segments[segmentIndex % LIMITS.rewriterSegmentsMax];
}

/** What to add to `next` so that it follows `last`; numbers of a stream that had none yet are left as they are. */
function offsetAfter(last: number, next: number, mask: number): number {
  return last < 0 || next < 0 ? 0 : (last + 1 - next) & mask;
}

/** The line of a source packet: of all that it could be, the one nearest to the newest. */
function lineOfSource(rewriter: StreamRewriter, segment: RewriterSegment, inSequence: number): number {
  return seqUnwrap16(rewriter.lineHighest, seqAdd16(inSequence, segment.sequenceOffset));
}

/** The unwrapped outgoing number of a line that was not left out and is at most `HISTORY` back. */
function outgoing(rewriter: StreamRewriter, line: number): number {
  const skipsAfter = bitRingCount(rewriter.skipped, line + 1, rewriter.lineHighest);
  return line - rewriter.skips + skipsAfter;
}

/**
 * The line of an unwrapped outgoing number: the one that was not left out among those whose number this is. Each guess is
 * too high by the lines left out between it and the newest, so the guesses fall until they are right.
 */
function lineOfOutgoing(rewriter: StreamRewriter, sequence: number): number {
  const floor = rewriter.lineHighest - HISTORY;
  let line = sequence + rewriter.skips;
  for (;;) {
    const skipsAfter = bitRingCount(rewriter.skipped, line + 1, rewriter.lineHighest);
    const guess = sequence + rewriter.skips - skipsAfter;
    if (guess <= floor) return floor;
    if (guess === line) break;
    line = guess;
  }
  while (line > floor && bitRingHas(rewriter.skipped, line)) line--;
  return line;
}

/** Whether something went out with this unwrapped number, which is not above the newest. */
function wasSent(rewriter: StreamRewriter, number: number): boolean {
  if (number < rewriter.numberFirst) return false;
  return number > rewriter.gapNewest || !bitRingHas(rewriter.unsent, number);
}

/** Makes `line` the newest one; what lies between has a number that nothing was sent with. */
function advance(rewriter: StreamRewriter, line: number): void {
  const { lineHighest, skips } = rewriter;
  const number = line - skips;
  const next = lineHighest + 1 - skips;
  if (skips > 0) bitRingClear(rewriter.skipped, lineHighest + 1, line);
  if (number > next) {
    bitRingSetRange(rewriter.unsent, next, number - 1);
    rewriter.gapNewest = number - 1;
  }
  // The bit stands for a number one round ago. Once all of a round was sent every bit is clear.
  if (rewriter.gapNewest >= number - HISTORY) bitRingClear(rewriter.unsent, number, number);
  rewriter.lineHighest = line;
}
