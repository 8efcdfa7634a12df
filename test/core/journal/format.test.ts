/** Sparse bytes: what is written comes back, and long runs of zeros take no room. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { journalTitle, micros } from "../../../core/index.ts";
import { ITEM, putByte, putNumber, putSparse, readFrames } from "../../../core/journal/format.ts";
import { nextItem } from "../../../core/journal/items.ts";
import { createMemorySink } from "../../support/shards/recording.ts";

/** Bytes, `offset` of them left out in front, so that they may begin in the middle of a word. */
function roundTrip(bytes: Uint8Array): { back: Uint8Array; written: number } {
  const sink = createMemorySink();
  putByte(sink, ITEM.CACHED);
  putNumber(sink, 1);
  putNumber(sink, 2);
  putSparse(sink, bytes);
  sink.drain();
  const items = readFrames(sink.pages()[0]!, journalTitle().length).bytes;
  const item = nextItem({ bytes: items, at: 0, now: micros(2 ** 33), isCut: false });
  if (item?.kind !== ITEM.CACHED) throw new Error("another item");
  return { back: item.bytes, written: items.length };
}

describe("sparse bytes", () => {
  const run = fc.tuple(fc.nat(40), fc.nat(40));

  it("come back as they were, and each long run of zeros takes a few bytes, wherever in a word it begins", () => {
    fc.assert(
      fc.property(fc.array(run, { maxLength: 12 }), fc.nat(3), (runs, offset) => {
        const parts = runs.flatMap(([kept, zeros]) => [new Uint8Array(kept).fill(7), new Uint8Array(zeros)]);
        const whole = new Uint8Array(Buffer.concat([new Uint8Array(offset), ...parts]));
        const bytes = whole.subarray(offset);
        const { back, written } = roundTrip(bytes);
        expect(back).toEqual(bytes.slice());
        // Zeros meet where nothing is kept between them.
        const kept = String.fromCharCode(...bytes).replace(/\0{16,}/g, "");
        expect(written).toBeLessThanOrEqual(kept.length + 4 * (runs.length + 2));
      }),
    );
  });
});
