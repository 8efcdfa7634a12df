/**
 * What a worker of `lockstep sim` does: runs a story with a seed and says what it has come to.
 *
 * The plan travels with the task, so a worker needs no file; what goes back is what the table, the scoreboard, a line of
 * JSON or the report on a broken promise are made of.
 */
import { failureReport } from "../inspection/failure-report.ts";
import type { QualityFigures } from "../oracles/quality-figures.ts";
import type { Covered } from "../search/coverage.ts";
import type { Plan } from "../story/plan.ts";
import { type QualityRow, run } from "../world/run.ts";
import type { Trade } from "./crew.ts";

/** One run that is asked for. */
export interface SimTask {
  readonly plan: Plan;
  readonly seed: number;
  /** What the command line finds the story by. */
  readonly replayName: string;
  readonly safetyAlone: boolean;
  /** Stops when the story is over and leaves out what is judged after everyone has left. */
  readonly withoutDrain: boolean;
  /** Measures the figures of quality as well. */
  readonly measures: boolean;
}

/** What a run has come to. */
export interface SimAnswer extends Covered {
  readonly story: string;
  readonly seed: number;
  readonly verdict: "held" | "broken";
  readonly promise: string;
  /** What was seen of the breach; "" when all held. */
  readonly detail: string;
  readonly fingerprint: string;
  readonly simulatedMicros: number;
  readonly wallMillis: number;
  readonly quality: readonly QualityRow[];
  readonly figures: QualityFigures | undefined;
  /** The report on a broken promise; empty when all held. */
  readonly report: readonly string[];
}

/** Does one run. */
function work({ plan, seed, replayName, safetyAlone, withoutDrain, measures }: SimTask): SimAnswer {
  const startedAt = performance.now();
  const verdict = run(plan, seed, { safetyAlone, withoutDrain, measures });
  const { story, promise, fingerprint, simulatedMicros, quality, figures, judged, excused, world } = verdict;
  return {
    story,
    seed,
    verdict: verdict.verdict,
    promise,
    detail: verdict.broken?.detail ?? "",
    fingerprint,
    simulatedMicros,
    wallMillis: Math.round(performance.now() - startedAt),
    quality,
    figures,
    judged: [...judged],
    excused: [...excused],
    sites: [...world.sites.counts],
    report: failureReport(verdict, { replayName }),
  };
}

/** The trade of those who run stories. */
export const SIMULATING = { module: import.meta.url, name: "SIMULATING", work } satisfies Trade<SimTask, SimAnswer>;
