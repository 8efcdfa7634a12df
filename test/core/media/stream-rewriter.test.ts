import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MICROS_ORIGIN, type Micros, millis, seconds } from "../../../core/base/micros.ts";
import { seqDistance32 } from "../../../core/base/sequence.ts";
import { LIMITS } from "../../../core/limits.ts";
import {
  CURRENT_SEGMENT,
  createRewriterSource,
  createStreamRewriter,
  rewriterBeginSegment,
  rewriterFrameNumber,
  rewriterIsFarAhead,
  rewriterNewestOf,
  rewriterPictureId,
  rewriterSent,
  rewriterSequence,
  rewriterSkip,
  rewriterSourceOf,
  rewriterTimestamp,
  rewriterTl0,
  rewriterWasSent,
  type StreamRewriter,
} from "../../../core/media/stream-rewriter.ts";

const STARTS_16 = [0, 1, 0x7fff, 0x8000, 65_534, 65_535];
const STARTS_32 = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff];
const start16 = fc.oneof(fc.constantFrom(...STARTS_16), fc.integer({ min: 0, max: 65_535 }));
const start32 = fc.oneof(fc.constantFrom(...STARTS_32), fc.integer({ min: 0, max: 0xffff_ffff }));
const HISTORY = LIMITS.rewriterHistoryPackets;

function at(milliseconds: number): Micros {
  return (MICROS_ORIGIN + millis(milliseconds)) as Micros;
}

/** Begins a segment of source 1 without codec numbers. */
function begin(rewriter: StreamRewriter, now: Micros, sequence: number, timestamp = 0, source = 1): number {
  return rewriterBeginSegment(rewriter, now, source, sequence, timestamp, 90_000, -1, -1, -1);
}

/** Forwards a packet of the current segment; answers its outgoing sequence number, or -1 when it has none. */
function forward(rewriter: StreamRewriter, now: Micros, sequence: number, timestamp = 0): number {
  const out = rewriterSequence(rewriter, sequence);
  if (out >= 0) rewriterSent(rewriter, now, out, rewriterTimestamp(rewriter, timestamp), -1, -1, -1);
  return out;
}

/** What the rewriter must do, by counting everything from the start. */
interface Model {
  first: number;
  /** One entry a line. */
  lines: { skipped: boolean; sent: boolean }[];
  segments: { source: number; firstLine: number; sequence: number }[];
}

function modelOut(model: Model, line: number): number {
  let out = model.first;
  for (let i = 0; i < line; i++) if (model.lines[i]?.skipped !== true) out++;
  return out & 0xffff;
}

function modelReach(model: Model, line: number): void {
  while (model.lines.length <= line) model.lines.push({ skipped: false, sent: false });
}

const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant("packet" as const), ahead: fc.integer({ min: -12, max: 4 }) }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("skip" as const), ahead: fc.integer({ min: -4, max: 3 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant("segment" as const), source: fc.nat(3), sequence: start16 }),
  },
);

describe("stream rewriter", () => {
  it("numbers packets as if everything were counted from the start, and finds each one's source again", () => {
    fc.assert(
      fc.property(
        start16,
        start16,
        fc.array(action, { minLength: 1, maxLength: 120, size: "max" }),
        (first, sequence, actions) => {
          const rewriter = createStreamRewriter(first, 0);
          const model: Model = { first, lines: [], segments: [] };
          const beginBoth = (source: number, inSequence: number) => {
            begin(rewriter, at(0), inSequence, 0, source);
            if (model.segments.at(-1)?.firstLine === model.lines.length) model.segments.pop();
            model.segments.push({ source, firstLine: model.lines.length, sequence: inSequence });
          };
          beginBoth(7, sequence);
          for (const step of actions) {
            if (step.type === "segment") {
              beginBoth(step.source, step.sequence);
              continue;
            }
            const segment = model.segments.at(-1)!;
            const line = model.lines.length - 1 + step.ahead;
            const inSequence = (segment.sequence + line - segment.firstLine) & 0xffff;
            const exists = line >= segment.firstLine && model.lines[line]?.skipped !== true;
            const out = exists ? modelOut(model, line) : -1;
            if (step.type === "packet") {
              expect(forward(rewriter, at(0), inSequence)).toBe(out);
              if (!exists) continue;
              modelReach(model, line);
              model.lines[line]!.sent = true;
            } else {
              const late = line >= segment.firstLine && line < model.lines.length && !model.lines[line]!.skipped;
              expect(rewriterSkip(rewriter, inSequence)).toBe(!late);
              if (late || line < segment.firstLine) continue;
              modelReach(model, line);
              model.lines[line]!.skipped = true;
            }
            if (model.lines.length % 16 === 0) checkSources(rewriter, model);
          }
          checkSources(rewriter, model);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("gives each packet a number of its own", () => {
    fc.assert(
      fc.property(start16, fc.array(action, { maxLength: 150, size: "max" }), (first, actions) => {
        const rewriter = createStreamRewriter(first, 0);
        const owners = new Map<number, string>();
        let segment = begin(rewriter, at(0), 0);
        let newest = -1;
        for (const step of actions) {
          if (step.type === "segment") {
            segment = begin(rewriter, at(0), step.sequence);
            newest = step.sequence - 1;
            continue;
          }
          const sequence = (newest + step.ahead) & 0xffff;
          const owner = `${segment}:${sequence}`;
          if (step.ahead > 0) newest += step.ahead;
          if (step.type === "skip") rewriterSkip(rewriter, sequence);
          const out = step.type === "skip" ? -1 : forward(rewriter, at(0), sequence);
          if (out < 0) continue;
          expect(owners.get(out) ?? owner).toBe(owner);
          owners.set(out, owner);
        }
      }),
    );
  });

  it("leaves no gap where none came in, whatever is left out", () => {
    fc.assert(
      fc.property(start16, start16, fc.array(fc.boolean(), { maxLength: 200 }), (first, sequence, wanted) => {
        const rewriter = createStreamRewriter(first, 0);
        begin(rewriter, at(0), sequence);
        let expected = first;
        for (let i = 0; i < wanted.length; i++) {
          if (!wanted[i]) rewriterSkip(rewriter, (sequence + i) & 0xffff);
          else expect(forward(rewriter, at(0), (sequence + i) & 0xffff)).toBe(expected++ & 0xffff);
        }
      }),
    );
  });

  it("keeps timestamps rising from segment to segment", () => {
    const segment = fc.record({
      pause: fc.integer({ min: 0, max: 400 }),
      timestamp: start32,
      frames: fc.array(fc.integer({ min: 1, max: 9_000 }), { maxLength: 10 }),
    });
    fc.assert(
      fc.property(
        start32,
        fc.array(segment, { minLength: 1, maxLength: 12, size: "max" }),
        (firstTimestamp, segments) => {
          const rewriter = createStreamRewriter(0, firstTimestamp);
          let last = (firstTimestamp - 1) >>> 0;
          let now = 0;
          for (const { pause, timestamp, frames } of segments) {
            now += pause;
            begin(rewriter, at(now), 0, timestamp);
            let inTimestamp = timestamp;
            let sequence = 0;
            for (const frame of [0, ...frames]) {
              inTimestamp = (inTimestamp + frame) >>> 0;
              const out = rewriterTimestamp(rewriter, inTimestamp);
              expect(seqDistance32(last, out)).toBeGreaterThan(0);
              last = out;
              forward(rewriter, at(now), sequence++, inTimestamp);
            }
          }
        },
      ),
    );
  });

  it("starts with the first sequence number and timestamp that it was given", () => {
    const rewriter = createStreamRewriter(65_535, 0xffff_fff0);
    begin(rewriter, at(0), 17, 4_000);
    expect(rewriterSequence(rewriter, 17)).toBe(65_535);
    expect(rewriterTimestamp(rewriter, 4_000)).toBe(0xffff_fff0);
    expect(rewriterSequence(rewriter, 18)).toBe(0);
  });

  it("moves the timestamp by the time between two segments", () => {
    const rewriter = createStreamRewriter(0, 1_000);
    begin(rewriter, at(0), 5, 70_000);
    forward(rewriter, at(0), 5, 70_000);
    begin(rewriter, at(250), 900, 123);
    expect(rewriterTimestamp(rewriter, 123)).toBe(1_000 + 22_500);
  });

  it("moves the timestamp by at least one audio frame", () => {
    const rewriter = createStreamRewriter(0, 0);
    begin(rewriter, at(0), 5, 100);
    forward(rewriter, at(0), 5, 100);
    begin(rewriter, at(3), 900, 123);
    expect(rewriterTimestamp(rewriter, 123)).toBe(1_800);
  });

  it("does not run ahead of the clock however often it switches", () => {
    const rewriter = createStreamRewriter(0, 0);
    let now = 0;
    let out = 0;
    for (let i = 0; i < 1_000; i++) {
      begin(rewriter, at(now), 0, 55);
      out = rewriterTimestamp(rewriter, 55);
      forward(rewriter, at(now), 0, 55);
      now += i % 2 === 0 ? 1 : 99;
    }
    // The last switch came 1 ms after the one before and may be one step early.
    expect(out - (now - 99) * 90).toBeLessThanOrEqual(1_800);
    expect(out - (now - 99) * 90).toBeGreaterThanOrEqual(0);
  });

  it("goes on with picture id, TL0PICIDX and frame number, round their wraps", () => {
    const rewriter = createStreamRewriter(0, 0);
    rewriterBeginSegment(rewriter, at(0), 1, 10, 0, 90_000, 0x7fff, 255, 65_535);
    expect(rewriterPictureId(rewriter, 0x7fff, 15)).toBe(0x7fff);
    rewriterSent(rewriter, at(0), 0, 0, 0x7fff, 255, 65_535);
    rewriterBeginSegment(rewriter, at(40), 2, 10, 0, 90_000, 300, 9, 77);
    expect(rewriterPictureId(rewriter, 300, 15)).toBe(0);
    expect(rewriterPictureId(rewriter, 301, 15)).toBe(1);
    expect(rewriterTl0(rewriter, 9)).toBe(0);
    expect(rewriterFrameNumber(rewriter, 77)).toBe(0);
  });

  it("continues a picture id of 7 bits", () => {
    const rewriter = createStreamRewriter(0, 0);
    rewriterBeginSegment(rewriter, at(0), 1, 10, 0, 90_000, 127, -1, -1);
    rewriterSent(rewriter, at(0), 0, 0, rewriterPictureId(rewriter, 127, 7), -1, -1);
    rewriterBeginSegment(rewriter, at(40), 2, 10, 0, 90_000, 60, -1, -1);
    expect(rewriterPictureId(rewriter, 60, 7)).toBe(0);
    expect(rewriterPictureId(rewriter, 61, 7)).toBe(1);
  });

  it("is not moved back by a late packet", () => {
    const rewriter = createStreamRewriter(0, 0);
    rewriterBeginSegment(rewriter, at(0), 1, 10, 0, 90_000, 0x7ffe, 254, 65_534);
    rewriterSent(rewriter, at(0), 0, 0, 0x7ffe, 254, 65_534);
    rewriterSent(rewriter, at(66), 2, 6_000, 0, 0, 0);
    rewriterSent(rewriter, at(67), 1, 3_000, 0x7fff, 255, 65_535);
    rewriterBeginSegment(rewriter, at(99), 2, 500, 0, 90_000, 40, 40, 40);
    expect(rewriterSequence(rewriter, 500)).toBe(3);
    expect(rewriterTimestamp(rewriter, 0)).toBe(6_000 + 33 * 90);
    expect(rewriterPictureId(rewriter, 40, 15)).toBe(1);
    expect(rewriterTl0(rewriter, 40)).toBe(1);
    expect(rewriterFrameNumber(rewriter, 40)).toBe(1);
  });

  it("takes nothing from before the first packet of a segment", () => {
    const rewriter = createStreamRewriter(100, 0);
    begin(rewriter, at(0), 0);
    expect(forward(rewriter, at(0), 65_535)).toBe(-1);
    expect(forward(rewriter, at(0), 0)).toBe(100);
    expect(forward(rewriter, at(0), 65_535)).toBe(-1);
  });

  it("still knows what came before a segment that has run for more than half a circle", () => {
    const rewriter = createStreamRewriter(0, 0);
    begin(rewriter, at(0), 0);
    for (let i = 0; i < 40_000; i++) forward(rewriter, at(0), i);
    expect(rewriterSequence(rewriter, 40_000)).toBe(40_000);
    expect(rewriterSequence(rewriter, 39_990)).toBe(39_990);
    expect(rewriterSequence(rewriter, 40_000 - HISTORY - 1)).toBe(-1);
  });

  it("refuses a packet that is absurdly far ahead, and says so", () => {
    const rewriter = createStreamRewriter(0, 0);
    begin(rewriter, at(0), 65_000);
    forward(rewriter, at(0), 65_000);
    const edge = (65_000 + LIMITS.sequenceAheadMax) & 0xffff;
    expect(rewriterSequence(rewriter, edge)).toBe(LIMITS.sequenceAheadMax);
    expect(rewriterIsFarAhead(rewriter, edge)).toBe(false);
    expect(rewriterSequence(rewriter, edge + 1)).toBe(-1);
    expect(rewriterIsFarAhead(rewriter, edge + 1)).toBe(true);
  });

  it("knows no source for a number that was never sent", () => {
    const rewriter = createStreamRewriter(10, 0);
    const answer = createRewriterSource();
    expect(rewriterSourceOf(rewriter, 10, answer)).toBe(false);
    begin(rewriter, at(0), 0);
    forward(rewriter, at(0), 0);
    forward(rewriter, at(0), 2);
    expect(rewriterSourceOf(rewriter, 10, answer)).toBe(true);
    expect(rewriterSourceOf(rewriter, 11, answer)).toBe(false);
    expect(rewriterSourceOf(rewriter, 13, answer)).toBe(false);
    expect(rewriterSourceOf(rewriter, 9, answer)).toBe(false);
  });

  it("forgets sent packets when its history has gone by", () => {
    const rewriter = createStreamRewriter(0, 0);
    const answer = createRewriterSource();
    begin(rewriter, at(0), 0);
    for (let i = 0; i < HISTORY; i++) forward(rewriter, at(0), i);
    expect(rewriterSourceOf(rewriter, 0, answer)).toBe(true);
    forward(rewriter, at(0), HISTORY);
    expect(rewriterSourceOf(rewriter, 0, answer)).toBe(false);
    expect(rewriterSourceOf(rewriter, 1, answer)).toBe(true);
  });

  it("tells what went out from what was passed over, until a round of its history has gone by and after it", () => {
    for (const first of STARTS_16) {
      const rewriter = createStreamRewriter(first, 0);
      begin(rewriter, at(0), 100);
      const number = (packet: number) => (first + packet) & 0xffff;
      const forwardAll = (from: number, to: number) => {
        for (let packet = from; packet < to; packet++) forward(rewriter, at(0), 100 + packet);
      };
      const unsent = (from: number, to: number) =>
        Array.from({ length: to - from }, (_, i) => from + i).filter((i) => !rewriterWasSent(rewriter, number(i)));
      forwardAll(0, 3);
      forwardAll(6, 10);
      forwardAll(4, 5);
      expect(unsent(-2, 12)).toEqual([-2, -1, 3, 5, 10, 11]);
      forwardAll(10, HISTORY + 3);
      expect(unsent(4, HISTORY + 5)).toEqual([5, HISTORY + 3, HISTORY + 4]);
      // From here on each number has the bit of one that was passed over, or of a neighbour of it.
      for (let packet = HISTORY + 3; packet < HISTORY + 12; packet++) {
        forwardAll(packet, packet + 1);
        expect(unsent(packet - HISTORY + 5, packet + 1)).toEqual([]);
      }
      forwardAll(HISTORY + 13, HISTORY + 14);
      expect(unsent(20, HISTORY + 14)).toEqual([HISTORY + 12]);
    }
  });

  it("stays exact over many rounds of its history", () => {
    for (const first of STARTS_16) {
      const rewriter = createStreamRewriter(first, 0);
      const answer = createRewriterSource();
      begin(rewriter, at(0), 65_000);
      const sent: { out: number; sequence: number }[] = [];
      let lost = 0;
      for (let place = 0; place < 6 * HISTORY; place++) {
        const sequence = (65_000 + place) & 0xffff;
        // Runs of each kind that never fall on the same bits from one round to the next.
        if (place % 37 < 5) rewriterSkip(rewriter, sequence);
        else if (place % 41 === 7) lost++;
        else sent.push({ out: forward(rewriter, at(0), sequence), sequence });
      }
      expect(lost).toBeGreaterThan(0);
      const wanted = new Map(sent.slice(-HISTORY / 2).map(({ out, sequence }) => [out, sequence]));
      for (let back = 0; back < HISTORY / 2; back++) {
        const out = (sent.at(-1)!.out - back) & 0xffff;
        expect(rewriterSourceOf(rewriter, out, answer)).toBe(wanted.has(out));
        if (!wanted.has(out)) continue;
        expect(answer.sequence).toBe(wanted.get(out));
        expect(rewriterSequence(rewriter, answer.sequence)).toBe(out);
      }
    }
  });

  it("takes nothing from after the end of an older segment", () => {
    const rewriter = createStreamRewriter(0, 0);
    const older = begin(rewriter, at(0), 10);
    for (let i = 0; i < 5; i++) forward(rewriter, at(0), 10 + i);
    begin(rewriter, at(0), 500);
    for (let i = 0; i < 5; i++) forward(rewriter, at(0), 500 + i);
    expect(rewriterSequence(rewriter, 14, older)).toBe(4);
    expect(rewriterSequence(rewriter, 15, older)).toBe(-1);
    expect(rewriterSequence(rewriter, 9, older)).toBe(-1);
  });

  it("finds a packet of an older segment with the offsets of that segment", () => {
    const rewriter = createStreamRewriter(0, 0);
    const answer = createRewriterSource();
    for (let source = 0; source < LIMITS.rewriterSegmentsMax + 1; source++) {
      const pictureId = 1_000 * source;
      rewriterBeginSegment(rewriter, at(100 * source), source, 7_000 + source, 55 * source, 90_000, pictureId, -1, -1);
      rewriterSent(
        rewriter,
        at(100 * source),
        source,
        rewriterTimestamp(rewriter, 55 * source),
        rewriterPictureId(rewriter, pictureId, 15),
        -1,
        -1,
      );
    }
    expect(rewriterSourceOf(rewriter, 0, answer)).toBe(false);
    for (let source = 1; source <= LIMITS.rewriterSegmentsMax; source++) {
      expect(rewriterSourceOf(rewriter, source, answer)).toBe(true);
      expect(answer).toMatchObject({ source, sequence: 7_000 + source });
      expect(rewriterSequence(rewriter, 7_000 + source, answer.segmentIndex)).toBe(source);
      expect(rewriterTimestamp(rewriter, 55 * source, answer.segmentIndex)).toBe(9_000 * source);
      expect(rewriterPictureId(rewriter, 1_000 * source, 15, answer.segmentIndex)).toBe(source);
    }
  });

  it("says of a late packet that it is too late to be left out", () => {
    const rewriter = createStreamRewriter(0, 0);
    begin(rewriter, at(0), 0);
    forward(rewriter, at(0), 0);
    forward(rewriter, at(0), 2);
    expect(rewriterSkip(rewriter, 1)).toBe(false);
    expect(rewriterSkip(rewriter, 3)).toBe(true);
    expect(rewriterSkip(rewriter, 3)).toBe(true);
    expect(rewriterSequence(rewriter, 3)).toBe(-1);
    expect(rewriterSequence(rewriter, 1)).toBe(1);
    expect(rewriterSequence(rewriter, 4)).toBe(3);
  });

  it("replaces a segment that nothing was sent in", () => {
    const rewriter = createStreamRewriter(0, 500);
    begin(rewriter, at(0), 5, 0, 1);
    begin(rewriter, at(9), 80, 44, 2);
    expect(rewriterSequence(rewriter, 80)).toBe(0);
    expect(rewriterTimestamp(rewriter, 44, CURRENT_SEGMENT)).toBe(500);
  });

  it("does not forget older segments for some that nothing was sent in", () => {
    const rewriter = createStreamRewriter(0, 0);
    const answer = createRewriterSource();
    begin(rewriter, at(0), 5, 0, 1);
    forward(rewriter, at(0), 5);
    for (let i = 0; i < 2 * LIMITS.rewriterSegmentsMax; i++) begin(rewriter, at(0), 80, 0, 2);
    expect(rewriterSourceOf(rewriter, 0, answer)).toBe(true);
    expect(answer).toMatchObject({ source: 1, sequence: 5 });
  });

  it.each(STARTS_16)("knows the newest number of each source, also of one that it has left, from %i on", (start) => {
    const rewriter = createStreamRewriter(65_530, 0);
    begin(rewriter, at(0), start, 0, 1);
    expect(rewriterNewestOf(rewriter, 1)).toBe(-1);
    forward(rewriter, at(0), start);
    forward(rewriter, at(0), (start + 9) & 0xffff);
    forward(rewriter, at(0), (start + 7) & 0xffff);
    expect(rewriterNewestOf(rewriter, 1)).toBe((start + 9) & 0xffff);
    begin(rewriter, at(1), 80, 0, 2);
    expect([1, 2, 3].map((source) => rewriterNewestOf(rewriter, source))).toEqual([(start + 9) & 0xffff, -1, -1]);
    for (let i = 0; i < LIMITS.rewriterSegmentsMax; i++) {
      begin(rewriter, at(2), 80 + i, 0, 2);
      forward(rewriter, at(2), 80 + i);
    }
    expect([1, 2].map((source) => rewriterNewestOf(rewriter, source))).toEqual([-1, 79 + LIMITS.rewriterSegmentsMax]);
  });

  it("stays plain data", () => {
    const rewriter = createStreamRewriter(0, 0);
    begin(rewriter, at(0), 5);
    forward(rewriter, at(0), 5);
    const copy = structuredClone(rewriter);
    expect(copy).toEqual(rewriter);
    expect(forward(copy, at(seconds(1) / 1_000), 6)).toBe(1);
  });
});

/** Every line that was sent is found again under its number, and no other number has a source. */
function checkSources(rewriter: StreamRewriter, model: Model): void {
  const answer = createRewriterSource();
  const oldest = model.segments[Math.max(0, model.segments.length - LIMITS.rewriterSegmentsMax)]!;
  for (let line = 0; line < model.lines.length; line++) {
    const { skipped, sent } = model.lines[line]!;
    if (skipped) continue;
    const known = sent && line >= oldest.firstLine;
    const out = modelOut(model, line);
    const found = rewriterSourceOf(rewriter, out, answer);
    const segment = model.segments.findLast((candidate) => candidate.firstLine <= line)!;
    const sequence = (segment.sequence + line - segment.firstLine) & 0xffff;
    const right =
      found &&
      answer.source === segment.source &&
      answer.sequence === sequence &&
      rewriterSequence(rewriter, sequence, answer.segmentIndex) === out;
    // An expectation for each line of each run would be most of the time that the test takes.
    if (found !== known || (known && !right)) expect({ line, found, answer }).toEqual({ line, found: known, segment });
  }
}

describe("a gap before a segment", () => {
  it("leaves one number out, which is nobody's", () => {
    const rewriter = createStreamRewriter(100, 0);
    rewriterBeginSegment(rewriter, at(0), 1, 10, 0, 90_000, -1, -1, -1);
    rewriterSent(rewriter, at(0), 100, 0, -1, -1, -1);
    rewriterBeginSegment(rewriter, at(40), 2, 500, 0, 90_000, -1, -1, -1, true);
    // Nothing was sent in it: the next one takes its place, and leaves out no more than one.
    rewriterBeginSegment(rewriter, at(50), 3, 700, 0, 90_000, -1, -1, -1, true);
    expect([700, 701].map((sequence) => rewriterSequence(rewriter, sequence))).toEqual([102, 103]);
    rewriterSent(rewriter, at(50), 102, 900, -1, -1, -1);
    const source = createRewriterSource();
    expect([101, 100, 102].map((sequence) => rewriterSourceOf(rewriter, sequence, source))).toEqual([
      false,
      true,
      true,
    ]);
    expect(source).toMatchObject({ source: 3, sequence: 700 });
  });
});
