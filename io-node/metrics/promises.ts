/**
 * What the server finds out about its own promises while it serves: how often each was judged and how often it was broken,
 * for the metrics (./metrics.ts).
 *
 * Each shard looks at itself once a second (core/sfu/invariants.ts); what each id promises is in io-sim/oracles/promises.ts.
 * One that is broken is a mistake of ours, whatever peers do: please report it with the line that stands in the log.
 */
import { type Finding, STATE_PROMISES, type StatePromise } from "../../core/index.ts";

/** How often each promise was judged and broken since the start, by all shards. */
export interface PromiseTally {
  readonly judged: Map<StatePromise, number>;
  readonly broken: Map<StatePromise, number>;
}

/** Nothing has been judged. */
export function createPromiseTally(): PromiseTally {
  const zeroes = () => new Map(STATE_PROMISES.map((promise) => [promise, 0]));
  return { judged: zeroes(), broken: zeroes() };
}

/** Counts what a look at a shard has found. */
export function tallyFindings({ judged, broken }: PromiseTally, findings: readonly Finding[]): void {
  for (const { promise, trouble } of findings) {
    judged.set(promise, judged.get(promise)! + 1);
    if (trouble !== "") broken.set(promise, broken.get(promise)! + 1);
  }
}
