/** The numbers of peers: no two of the living alike, none larger than it must be, and nothing left of them at the end. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPeerIndexes, returnPeerIndex, takePeerIndex } from "../../../core/sfu/peer-indexes.ts";

describe("the numbers of peers", () => {
  it("are different ones among the living, and fewer than there have been at a time", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 200 }), (steps) => {
        const indexes = createPeerIndexes();
        const living: number[] = [];
        let most = 0;
        for (const step of steps) {
          // Three steps in ten give one of them back.
          if (step > 14 && living.length > 0) returnPeerIndex(indexes, living.splice(step % living.length, 1)[0]!);
          else living.push(takePeerIndex(indexes));
          most = Math.max(most, living.length);
          expect(new Set(living).size).toBe(living.length);
          expect(Math.max(-1, ...living)).toBeLessThan(most);
        }
        for (const index of living) returnPeerIndex(indexes, index);
        expect(indexes).toEqual(createPeerIndexes());
      }),
    );
  });
});
