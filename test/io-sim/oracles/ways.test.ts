/** What links explain, and that nothing else is explained by them. */
import { describe, expect, it } from "vitest";
import { type LinkPlan, PLAIN_LINK } from "../../../io-sim/link.ts";
import { linkChange } from "../../../io-sim/link-options.ts";
import { holdsUpMicros, mayQueue } from "../../../io-sim/oracles/ways.ts";
import type { ProfileName } from "../../../io-sim/profiles/profiles.ts";

const up = (profile: ProfileName): LinkPlan => ({ ...PLAIN_LINK, ...linkChange({ profile }).up });
const plain = (change: Partial<LinkPlan>): LinkPlan => ({ ...PLAIN_LINK, ...change });

describe("what a link holds up", () => {
  it("is nothing for one that only takes its time, or loses a packet here and there", () => {
    expect(holdsUpMicros(plain({ delayMicros: 300_000, lossPpm: 30_000 }))).toBe(0);
    expect(holdsUpMicros(plain({ rateBps: 5_000_000 }))).toBe(0);
  });

  it("is as long as it may be gone, stand still, or be late", () => {
    const outages = { everyMicros: [1, 1], lastsMicros: [1_000_000, 4_000_000] } as const;
    expect(holdsUpMicros(plain({ outages }))).toBe(4_000_000);
    expect(holdsUpMicros(plain({ stalls: outages }))).toBe(4_000_000);
    expect(holdsUpMicros(plain({ jitterMicros: 5_000, batchMicros: 2_000 }))).toBe(17_000);
    expect(holdsUpMicros(plain({ burstBadMicros: 12_000, burstGoodMicros: 1, burstLossPpm: 1 }))).toBe(48_000);
  });

  it("is a whole queue only where one may stand", () => {
    const queue = { queueBytes: 125_000 };
    expect(holdsUpMicros(plain({ ...queue, rateBps: 10_000_000 }))).toBe(0);
    expect(holdsUpMicros(plain({ ...queue, rateBps: 1_000_000 }))).toBe(1_000_000);
    expect(holdsUpMicros(plain({ ...queue, rateBps: 10_000_000, shared: "cafe" }))).toBe(100_000);
  });
});

describe("a queue", () => {
  it.each<[ProfileName, boolean]>([
    ["fiber", false],
    ["wifi-good", false],
    ["5g", false],
    ["cable-bloat", false],
    ["wifi-busy", true],
    ["dsl", true],
    ["lte", true],
    ["3g", true],
    ["policed", true],
  ])("may stand upwards on %s: %s", (profile, may) => {
    expect(mayQueue(up(profile))).toBe(may);
  });
});
