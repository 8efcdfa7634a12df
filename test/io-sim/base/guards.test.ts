/** Whether the walls around a run stand, say who ran into them, and are gone afterwards. */
import { describe, expect, it } from "vitest";
import { createNodeCrypto } from "../../../io-crypto/index.ts";
import { type GuardState, letProviderOut, withoutHostGlobals } from "../../../io-sim/base/guards.ts";
import { run } from "../../../io-sim/world/run.ts";
import { smallStory } from "../../support/stories/small-story.ts";

const TRESPASSES: readonly [string, () => unknown][] = [
  ["Math.random", () => Math.random()],
  ["Date", () => Date.now()],
  ["Date", () => new Date()],
  ["performance", () => performance.now()],
  ["setTimeout", () => setTimeout(() => {}, 0)],
  ["setImmediate", () => setImmediate(() => {})],
  ["queueMicrotask", () => queueMicrotask(() => {})],
  ["crypto", () => crypto.getRandomValues(new Uint8Array(4))],
  ["process.hrtime", () => process.hrtime()],
];

function guard(coreOnStack: boolean): GuardState {
  return { coreOnStack, outsiderOnStack: false };
}

describe("the walls around a run", () => {
  it.each(TRESPASSES)("stop whoever reaches for %s, and say whether it was the core", (name, trespass) => {
    expect(() => withoutHostGlobals(guard(true), trespass)).toThrow(`the core reached for ${name}`);
    expect(() => withoutHostGlobals(guard(false), trespass)).toThrow(`the simulated world reached for ${name}`);
  });

  it("are taken down again, even after a failure", () => {
    const before = [Math.random, Date, setTimeout, process.hrtime];
    expect(() => withoutHostGlobals(guard(true), () => Date.now())).toThrow();
    expect([Math.random, Date, setTimeout, process.hrtime]).toEqual(before);
    expect(Number.isFinite(Date.now() + Math.random())).toBe(true);
  });

  it("leave Math an object of plain values, as V8 computes with no other kind at full speed", () => {
    const seen = withoutHostGlobals(guard(false), () => Object.getOwnPropertyDescriptor(Math, "random"));
    expect(seen?.get).toBe(undefined);
    expect(seen?.value).not.toBe(Math.random);
  });

  it("let out who hears of a run's progress, and nobody else", () => {
    let told = 0;
    run(smallStory(), 1, { onProgress: () => (told += Number(Date.now() > 0 && Math.random() < 1)) });
    expect(told).toBeGreaterThan(10);
    expect(() => run(smallStory(), 1, { haltBefore: () => Date.now() === 0 })).toThrow(
      "the simulated world reached for Date",
    );
  });

  it("have a door for the provider of cryptography, whose answers do not depend on what is behind it", () => {
    const state = guard(false);
    const provider = letProviderOut(state, createNodeCrypto());
    const key = new Uint8Array(32).fill(7);
    const sign = () => withoutHostGlobals(state, () => provider.signEcdsaP256(key, key));
    expect(sign()).toEqual(sign());
    expect(state.outsiderOnStack).toBe(false);
  });

  it("stop a run whose core is impure", () => {
    const impure = () =>
      run(smallStory(), 1, {
        wrapCrypto: (inner) => ({
          ...inner,
          hmacSha256: (key, bytes) => inner.hmacSha256(key, bytes.fill(Date.now())),
        }),
      });
    // The world is made before the walls are up; from then on every derivation of a key runs into them.
    expect(impure).toThrow("the core reached for Date");
  });
});
