/**
 * What a person is told when a promise is broken: about twelve lines, the last of which is the command that shows it again.
 */
import { PROMISES } from "./oracles/promises.ts";
import { showTime } from "./rows.ts";
import type { Verdict } from "./run.ts";

/** Rows of the trace in a report. */
const ROWS = 5;

/** The report on a broken run; empty when the run held. */
export function failureReport(verdict: Verdict): string[] {
  const { broken, world, story, seed } = verdict;
  if (broken === undefined) return [];
  const { plan } = world;
  const last = world.rows.slice(-ROWS).map((row) => `    ${showTime(world, row.time).padStart(10)}  ${row.text}`);
  return [
    `BROKEN  ${story}, seed ${seed}`,
    `  "${plan.story}"`,
    `  ${broken.promise}: ${PROMISES[broken.promise]}`,
    `  ${broken.detail}`,
    `  at ${showTime(world, broken.time)}, event ${broken.event}, after ${verdict.inputs} inputs; fingerprint ${verdict.fingerprint}`,
    `  ${plan.peers.length} peers, ${plan.steps.length} steps, ${plan.always.length + plan.finally.length} promises of its own; before it:`,
    ...last,
    `  replay: node lockstep.mjs replay "${story}" --seed ${seed} --trace`,
  ];
}

/** The whole trace of a run, one line a row. */
export function traceLines(verdict: Verdict): string[] {
  const { world } = verdict;
  return world.rows.map((row) => `${showTime(world, row.time).padStart(12)}  ${row.text}`);
}
