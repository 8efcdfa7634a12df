/**
 * Runs around every test file of the node project: what is resident in the process at its end stays within a bound, and is
 * noted where `npm test` asks for it, so that the summary can say which file needed most.
 */
import { appendFileSync } from "node:fs";
import { relative } from "node:path";
import { afterAll, expect } from "vitest";

/** Files need a few hundred MiB. What leaks in one that does something again and again gets beyond this. */
const RESIDENT_MEBIBYTES_MAX = 2_048;

afterAll(() => {
  const mebibytes = Math.round(process.memoryUsage.rss() / 1_024 / 1_024);
  const file = relative(process.cwd(), expect.getState().testPath ?? "");
  const notes = process.env.LOCKSTEP_TEST_MEMORY;
  if (notes !== undefined) appendFileSync(notes, `${mebibytes} ${file}\n`);
  expect(mebibytes, `MiB resident at the end of ${file}`).toBeLessThan(RESIDENT_MEBIBYTES_MAX);
});
