/** Whether strips follow from the facts that concern them. */
import { describe, expect, it } from "vitest";
import { FACT, type FactBook, factPulse, factSet, stripOf } from "../../../io-sim/trace/strips.ts";

const SECOND = 1_000_000;

/** Both are there and the source is in a slot, all the time. */
function together(): FactBook {
  const book: FactBook = new Map();
  for (const name of [FACT.here("ana"), FACT.here("bob"), FACT.slotted("bob", "ana/camera")])
    factSet(book, name, 0, true);
  return book;
}

/** A frame each 50 ms. */
function play(book: FactBook, from: number, to: number): void {
  for (let at = from; at < to; at += 50_000) factPulse(book, FACT.shown("bob", "ana/camera"), at, 250_000);
}

/** The strip of the first ten seconds as `state seconds`. */
function strip(book: FactBook): string[] {
  const { segments } = stripOf(book, "bob", "ana/camera", 0, 10 * SECOND);
  return segments.map(({ from, to, state }) => `${state} ${Math.round((to - from) / SECOND)}`);
}

describe("a strip", () => {
  it("waits, plays, freezes and plays again", () => {
    const book = together();
    play(book, 1 * SECOND, 4 * SECOND);
    play(book, 6 * SECOND, 10 * SECOND);
    expect(strip(book)).toEqual(["waiting 1", "playing 3", "frozen 2", "playing 4"]);
  });

  it("does not call the moment between the last frame and a mute a freeze", () => {
    const book = together();
    play(book, 0, 5 * SECOND);
    factSet(book, FACT.muted("ana/camera"), 5 * SECOND + 100_000, true);
    expect(strip(book)).toEqual(["playing 5", "muted 5"]);
  });

  it("waits again for somebody who comes back", () => {
    const book = together();
    play(book, 0, 3 * SECOND);
    factSet(book, FACT.here("ana"), 3 * SECOND, false);
    factSet(book, FACT.here("ana"), 5 * SECOND, true);
    expect(strip(book)).toEqual(["playing 3", "away 2", "waiting 5"]);
  });

  it("has no slot for what is in none", () => {
    const book = together();
    factSet(book, FACT.slotted("bob", "ana/camera"), 4 * SECOND, false);
    expect(strip(book)).toEqual(["waiting 4", "unslotted 6"]);
  });
});
