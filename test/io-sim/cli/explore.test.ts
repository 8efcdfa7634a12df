/** Whether somebody who has no time for worlds to be made small gets them as they are. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { command } from "../../support/commands/command.ts";

/** Every world that is generated is one that breaks. */
vi.mock("../../../io-sim/search/generate.ts", async () => {
  const { default: broken } = await import("../../support/stories/broken-story.ts");
  return { generatePlan: () => broken };
});

const folder = mkdtempSync(join(tmpdir(), "lockstep-explore-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What comes of a search for one world that is interrupted, in such a turn, from its so manieth phase on that listens. */
async function interrupted(phase: number, turn: (act: () => void) => void) {
  const listeners = process.listenerCount("SIGINT");
  let heard = 0;
  const interrupt = (event: string | symbol) => {
    if (event === "SIGINT" && ++heard === phase) turn(() => process.emit("SIGINT"));
  };
  process.on("newListener", interrupt);
  const out = join(folder, `${phase} ${turn.name}`);
  const outcome = await command("explore", "--seeds", "1", "--workers", "0", "--json", "--out", out);
  process.off("newListener", interrupt);
  expect(process.listenerCount("SIGINT")).toBe(listeners);
  const [finding] = JSON.parse(outcome.out).findings;
  expect([outcome.status, readdirSync(out).length]).toEqual([1, 1]);
  return { tries: finding.tries, err: outcome.err };
}

it.each([
  ["before it is tried", queueMicrotask, 0],
  ["after it was tried once", setImmediate, 1],
])("an interrupt ends the shrinking of a world %s, and it is written as it is", async (_, turn, tries) => {
  const err = "The worlds stay as small as they are now, and are written. Once more ends it at once.\n";
  expect(await interrupted(2, turn)).toEqual({ tries, err });
});

it("an interrupt of the search does not keep what was found from being made small", async () => {
  const { tries, err } = await interrupted(1, setImmediate);
  expect(tries).toBeGreaterThan(1);
  expect(err).toContain("The search ends here");
});
