/** Whether every tunable has room around its usual value, and a shard refuses what will not do with a sentence. */
import { describe, expect, it } from "vitest";
import { createShard, type Shard, shardRestore, shardSnapshot } from "../../core/index.ts";
import { createTunables, type Knobs, TUNABLE_NAMES, TUNABLES, USUAL_TUNABLES } from "../../core/tunables.ts";
import { createNodeCrypto } from "../../io-crypto/index.ts";
import { createShardWorld, join, sendRtp, testBoot } from "../support/shards/shard-world.ts";
import { vp8Packet } from "../support/wire/media.ts";
import { offerOf } from "../support/wire/offers.ts";

const isPower = (value: number) => (value & (value - 1)) === 0;

/** Under which names objects stand in the shard's state that have tunables, and which sets of tunables they have. */
function holders(shard: Shard): { parts: Set<string>; sets: Set<unknown> } {
  const [parts, sets, seen] = [new Set<string>(), new Set<unknown>(), new Set<unknown>()];
  const look = (name: string, value: unknown): void => {
    if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || seen.has(value)) return;
    seen.add(value);
    if (Object.hasOwn(value, "tunables")) {
      parts.add(name);
      sets.add((value as Shard).tunables);
    }
    for (const [key, inner] of value instanceof Map ? value : Object.entries(value)) look(String(key), inner);
  };
  look("shard", shard);
  return { parts, sets };
}

describe("a tunable", () => {
  it.each(TUNABLE_NAMES)("can be as usual, and least or greatest beside usual ones: %s", (name) => {
    const { usual, least, greatest, unit, isPowerOfTwo } = TUNABLES[name];
    expect(usual).toBeGreaterThanOrEqual(least);
    expect(usual).toBeLessThanOrEqual(greatest);
    expect(least).toBeLessThan(greatest);
    expect(name.endsWith("Micros")).toBe(unit === "µs");
    if (isPowerOfTwo) expect([usual, least, greatest].every(isPower)).toBe(true);
    for (const value of [least, usual, greatest]) expect(createTunables({ [name]: value })[name]).toBe(value);
  });

  it("may be at its least or its greatest together with all others", () => {
    for (const end of ["least", "greatest"] as const) {
      const knobs = Object.fromEntries(TUNABLE_NAMES.map((name) => [name, TUNABLES[name][end]]));
      expect(createTunables(knobs)).toEqual(knobs);
    }
  });

  it("has the same place in every set, so that equal shards have equal snapshots", () => {
    expect(Object.keys(createTunables({ mediaTickMicros: 5_000, consentMicros: 15_000_000 }))).toEqual(TUNABLE_NAMES);
  });
});

describe("what a shard can't be made with", () => {
  it.each<[string, Knobs, RegExp]>([
    ["too little", { nackTriesMax: 0 }, /nackTriesMax is a whole number from 1 to 20 questions, not 0/],
    ["too much", { consentMicros: 31_000_000 }, /consentMicros is a whole number from 15000000 to 30000000 µs/],
    ["a fraction", { nackRepeatMicros: 20_000.5 }, /a whole number/],
    ["no number", { nackRepeatMicros: "soon" as never }, /not soon/],
    ["no power of two", { packetCachePackets: 500 }, /packetCachePackets is a power of two, not 500/],
    ["an unknown name", { warpFactor: 9 } as Knobs, /no tunable "warpFactor"; there are consentMicros, /],
    ["more saved up than can be missing", { nackSavedMax: 200, nackMissingMax: 100 }, /do not go together.*saved up/],
    ["a lane that its home forgets", { nackMissingMax: 512, relayHistoryPackets: 256 }, /do not go together.*lane/],
  ])("is refused with a sentence: %s", (_what, tunables, sentence) => {
    const boot = testBoot();
    const config = { ...boot.config, tunables };
    expect(() => createShard({ ...boot, config }, createNodeCrypto())).toThrow(
      expect.objectContaining({ code: "bad-config", message: expect.stringMatching(sentence) }),
    );
  });
});

describe("a shard", () => {
  it("has the usual tunables, but for those of its boot record, and a restored one the same", () => {
    const boot = testBoot();
    expect(createShardWorld().shard.tunables).toEqual(USUAL_TUNABLES);
    const config = { ...boot.config, tunables: { nackTriesMax: 3 } };
    const other = createShard({ ...boot, config }, createNodeCrypto());
    expect(other.tunables).toEqual({ ...USUAL_TUNABLES, nackTriesMax: 3 });
    expect(shardRestore(shardSnapshot(other), createNodeCrypto()).tunables).toEqual(other.tunables);
  });

  it("hands its tunables to every part that asks for one, and a restored one does too", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: offerOf([{ kind: "video", ssrc: 7 }]) });
    join(world, { name: "bob", offer: offerOf([{ kind: "video" }]) });
    sendRtp(world, ana, vp8Packet({ ssrc: 7, sequence: 1, keyframe: true }));
    for (const shard of [world.shard, shardRestore(shardSnapshot(world.shard), createNodeCrypto())]) {
      const { parts, sets } = holders(shard);
      expect([...parts].sort((a, b) => (a < b ? -1 : 1))).toEqual([
        "dtls",
        "ice",
        "keyframes",
        "nack",
        "room",
        "shard",
      ]);
      expect([...sets]).toEqual([shard.tunables]);
      expect(sets.has(shard.tunables)).toBe(true);
    }
  });
});
