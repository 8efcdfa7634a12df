/**
 * The engine is no input: a run has the same fingerprint without the optimising compilers, without any compiler, and with
 * other seeds for the engine's own hashes and random numbers. Other versions of Node are `npm run test:nodes`.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { run } from "../../io-sim/world/run.ts";
import story from "../support/stories/engine-story.ts";

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const COMMAND = [
  path("../../lockstep.mjs"),
  "sim",
  path("../support/stories/engine-story.ts"),
  "--workers",
  "0",
  "--json",
];

/** The fingerprint of the story, run by a Node of its own with these flags. */
async function fingerprintWith(flags: readonly string[], seed = 1): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, ...COMMAND, "--seed", String(seed)]);
  return (JSON.parse(stdout) as { fingerprint: string }).fingerprint;
}

describe("a run", () => {
  const here = run(story, 1).fingerprint;

  it.each([
    ["without the optimising compilers", ["--no-opt"]],
    ["without any compiler", ["--jitless"]],
    ["with other seeds for hashes and random numbers", ["--hash-seed=7", "--random-seed=7"]],
    ["with a third seed for hashes", ["--hash-seed=123456789"]],
  ])("comes out the same %s", async (_how, flags) => {
    expect(await fingerprintWith(flags)).toBe(here);
  });

  it("comes out otherwise with another seed of its own, so that a difference would be seen", async () => {
    expect(await fingerprintWith([], 2)).not.toBe(here);
  });
});
