/** Whether memory for packets is handed out once, empty, and never to two. */
import { describe, expect, it } from "vitest";
import { carve, carveCopy, createSlab } from "../../../io-sim/base/slab.ts";

describe("a slab", () => {
  it("hands out bytes that are all zero and nobody else's, over many pieces", () => {
    const slab = createSlab();
    const views = Array.from({ length: 500 }, (_, index) => carve(slab, 1 + ((index * 37) % 1_500)));
    expect(views.every((view) => view.every((byte) => byte === 0))).toBe(true);
    for (const [index, view] of views.entries()) view.fill(1 + (index % 255));
    expect(views.every((view, index) => view.every((byte) => byte === 1 + (index % 255)))).toBe(true);
    expect(new Set(views.map(({ buffer }) => buffer)).size).toBeGreaterThan(3);
  });

  it("has views of any length, also of none and of more than a piece", () => {
    const slab = createSlab();
    for (const length of [0, 1, 65_535, 65_536, 65_537, 200_000]) expect(carve(slab, length).length).toBe(length);
  });

  it("copies a whole array, and the middle of one", () => {
    const slab = createSlab();
    const source = Uint8Array.of(1, 2, 3, 4, 5);
    const copies = [carveCopy(slab, source, 0, 5), carveCopy(slab, source, 1, 3)];
    source.fill(9);
    expect(copies.map((copy) => [...copy])).toEqual([
      [1, 2, 3, 4, 5],
      [2, 3, 4],
    ]);
  });
});
