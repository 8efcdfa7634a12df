/** The hash of a whole state: equal for equal states whoever has hashed what before, and another for whatever is changed. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFingerprint, decodePlain, encodePlain, fingerprintHex } from "../../../core/index.ts";
import { createStateHasher, hashState } from "../../../io-sim/base/state-hash.ts";

function hashOf(state: object, hasher = createStateHasher()): string {
  const hash = createFingerprint();
  hashState(hasher, hash, state);
  return fingerprintHex(hash);
}

/** A state with everything in it that a state may hold, and with cycles. */
function everything() {
  const owner = { name: "ana", streams: [] as object[], at: 8_589_934_592 };
  const stream = { owner, bytes: Uint8Array.from({ length: 1_203 }, (_, i) => i * 7), near: Uint8Array.of(1, 2, 3) };
  owner.streams.push(stream);
  return {
    owner,
    byName: new Map<string, object>([["ana", owner]]),
    seen: new Set([5, "five", stream]),
    counts: new Uint16Array(101),
    times: Float64Array.of(0.5, -0, Number.NaN, ...new Array<number>(20).fill(2 ** 40)),
    wide: "Łódź 🎈",
    none: [undefined, null, true, false, -1, -0, Number.NaN, 2 ** 31],
  };
}

type Everything = ReturnType<typeof everything>;

const CHANGES: [string, (state: Everything) => void][] = [
  ["a byte at the beginning of many", ({ owner }) => bytesOf(owner).set([9], 0)],
  ["the last of many bytes", ({ owner }) => bytesOf(owner).set([9], 1_202)],
  ["one of a few bytes", ({ owner }) => (owner.streams[0] as { near: Uint8Array }).near.set([9], 2)],
  ["the last of many 16-bit words", ({ counts }) => counts.set([9], 100)],
  ["a sign of zero", ({ none }) => none.splice(5, 1, 0)],
  ["a time", ({ owner }) => (owner.at += 1)],
  ["a text", (state) => (state.wide = "Łódź 🎉")],
  ["nothing for undefined", ({ none }) => none.splice(0, 1, null)],
  ["the order of a map", ({ byName, owner }) => byName.delete("ana") && byName.set("bob", owner).set("ana", owner)],
  ["an item of a set", ({ seen }) => seen.add("six")],
  ["an item more", ({ none }) => none.push(undefined)],
  ["the name of a key", ({ owner }) => Object.assign(owner, { called: owner.name, name: undefined })],
  ["a copy in the place of the same", (state) => state.byName.set("ana", { ...state.owner })],
  ["bytes of another kind", (state) => Object.assign(state, { counts: new Int16Array(101) })],
];

function bytesOf(owner: Everything["owner"]): Uint8Array {
  return (owner.streams[0] as { bytes: Uint8Array }).bytes;
}

describe("the hash of a state", () => {
  it("is the same for an equal state, and for what comes back out of a snapshot", () => {
    expect(hashOf(everything())).toBe(hashOf(everything()));
    expect(hashOf(decodePlain(encodePlain(everything())) as object)).toBe(hashOf(everything()));
  });

  it.each(CHANGES)("is another one after a change: %s", (_name, change) => {
    const hasher = createStateHasher();
    const state = everything();
    const before = hashOf(state, hasher);
    change(state);
    const after = hashOf(state, hasher);
    expect(after).not.toBe(before);
    expect(after).toBe(hashOf(state));
  });

  it("depends on no state that was hashed before, of whatever kind", () => {
    const values = fc.array(fc.oneof(fc.anything({ withMap: true, withSet: true }), fc.uint8Array({ maxLength: 100 })));
    const hasher = createStateHasher();
    fc.assert(fc.property(values, (state) => hashOf(state, hasher) === hashOf(state)));
  });

  it("is another one for two states that are different", () => {
    const value = fc.anything({ withMap: true, withSet: true });
    fc.assert(
      fc.property(value, value, (a, b) => {
        const equal = Buffer.compare(encodePlain([a]), encodePlain([b])) === 0;
        expect(hashOf([a]) === hashOf([b])).toBe(equal);
      }),
    );
  });

  it("goes on in the hash that is handed in", () => {
    const hash = createFingerprint();
    const hasher = createStateHasher();
    const seen = new Set<string>();
    for (let i = 0; i < 10; i++) {
      hashState(hasher, hash, [1]);
      seen.add(fingerprintHex(hash));
    }
    expect(seen.size).toBe(10);
  });

  it("refuses what is no plain data, and is none the worse for it", () => {
    const hasher = createStateHasher();
    class Handle {}
    expect(() => hashOf([{}, { deep: [() => 1] }, {}], hasher)).toThrow("plain data holds no function");
    expect(() => hashOf([new Handle()], hasher)).toThrow("no instance of a class");
    expect(() => hashOf([{ [Symbol("x")]: 1, a: 1 }], hasher)).toThrow("plain data holds no symbol");
    expect(hashOf(everything(), hasher)).toBe(hashOf(everything()));
  });

  it("lets go of containers that are no more", () => {
    const hasher = createStateHasher();
    for (let i = 0; i < 50; i++) hashOf([{ i }, { i }], hasher);
    expect(hasher.known.size).toBeLessThan(10);
  });
});
