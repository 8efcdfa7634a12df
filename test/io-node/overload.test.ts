import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VIDEO_PARTS } from "../../core/index.ts";
import { createOverload, lookAtLoad, type Overload } from "../../io-node/overload.ts";

/** A shard that was this busy for so many looks. */
function busyFor(overload: Overload, busy: number, looks: number, dropped = 0): Overload {
  for (let i = 0; i < looks; i++) lookAtLoad(overload, busy, dropped);
  return overload;
}

const state = ({ refusesJoins, videoPartsLeftOut }: Overload) => [refusesJoins, videoPartsLeftOut];

describe("a shard", () => {
  it("takes joins and all video while it has time", () => {
    expect(state(busyFor(createOverload(), 0.8, 100))).toEqual([false, 0]);
  });

  it("that is nearly full lets nobody else in, and leaves out nothing", () => {
    expect(state(busyFor(createOverload(), 0.9, 100))).toEqual([true, 0]);
  });

  it("that is overloaded refuses joins first, and only then leaves out video, in the end all of it", () => {
    const overload = createOverload();
    const states = Array.from({ length: 40 }, () => state(busyFor(overload, 1, 1)));
    const [refuses, sheds] = [states.findIndex(([joins]) => joins), states.findIndex(([, parts]) => Number(parts) > 0)];
    expect(refuses).toBeGreaterThan(0);
    expect(sheds - refuses).toBeGreaterThanOrEqual(4);
    expect(states.at(-1)).toEqual([true, VIDEO_PARTS]);
  });

  it("that has to drop datagrams is overloaded, however busy it seems", () => {
    expect(state(busyFor(createOverload(), 0.1, 1, 8))).toEqual([true, 0]);
    expect(state(busyFor(createOverload(), 0.1, 10, 8))[1]).toBeGreaterThan(0);
  });

  it("that drops a few datagrams, which had nowhere to go, is not", () => {
    expect(state(busyFor(createOverload(), 0.1, 50, 7))).toEqual([false, 0]);
  });

  it("recovers in the other order, more slowly: video first, joins last", () => {
    const overload = busyFor(createOverload(), 1, 40);
    let looks = 0;
    for (; overload.videoPartsLeftOut > 0; looks++) {
      expect(overload.refusesJoins).toBe(true);
      busyFor(overload, 0.5, 1);
    }
    expect(looks).toBeGreaterThan(3 * VIDEO_PARTS);
    expect(state(busyFor(overload, 0.5, 4))).toEqual([false, 0]);
  });

  it("waits longer and longer while what it gives back is too much, and is as quick as ever when it no longer is", () => {
    const overload = busyFor(createOverload(), 1, 16);
    const calmUntilReturn = () => {
      const before = overload.videoPartsLeftOut;
      let looks = 0;
      for (; overload.videoPartsLeftOut === before; looks++) busyFor(overload, 0, 1);
      return looks;
    };
    const waits = [];
    for (let swing = 0; swing < 5; swing++) {
      calmUntilReturn();
      busyFor(overload, 0, 1, 8);
      waits.push(calmUntilReturn());
      busyFor(overload, 0, 1, 8);
    }
    expect(waits[0]).toBeGreaterThan(4);
    expect(waits.at(-1)).toBe(Math.max(...waits));
    expect(waits.at(-1)).toBe(waits.at(-2));
    const calm = Array.from({ length: 4 }, calmUntilReturn);
    expect(calm.at(-1)).toBe(4);
  });

  it("keeps what it left out while the load is neither high nor low", () => {
    const overload = busyFor(createOverload(), 1, 12);
    busyFor(overload, 0.8, 3);
    const before = state(overload);
    expect(state(busyFor(overload, 0.8, 50))).toEqual(before);
  });

  it("never leaves out video while it lets people in, and stays within its bounds, whatever comes", () => {
    const look = fc.tuple(fc.double({ min: -1, max: 2, noNaN: true }), fc.nat(12));
    fc.assert(
      fc.property(fc.array(look, { maxLength: 200 }), (looks) => {
        const overload = createOverload();
        for (const [busy, dropped] of looks) {
          lookAtLoad(overload, busy, dropped);
          expect(overload.videoPartsLeftOut === 0 || overload.refusesJoins).toBe(true);
          expect(overload.videoPartsLeftOut).toBeGreaterThanOrEqual(0);
          expect(overload.videoPartsLeftOut).toBeLessThanOrEqual(VIDEO_PARTS);
          expect(overload.busy >= 0 && overload.busy <= 1).toBe(true);
        }
        busyFor(overload, 0, 100);
        expect(state(overload)).toEqual([false, 0]);
      }),
    );
  });
});
