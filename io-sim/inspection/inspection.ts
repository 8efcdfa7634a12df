/**
 * Looking into the middle of a run: where to stop, what had happened by then, and what would be if one decision had been
 * another.
 *
 * A run cannot be wound back, but it can be done again: equal plans and seeds come out equal, so an earlier moment is a
 * second run that stops sooner. Moments are counted in events of the loop, which is exact, or in the story's time.
 */
import type { Decision, DecisionPlan } from "../base/decisions.ts";
import { describeEffects, describeInput, whoseDatagram } from "../journal/input-words.ts";
import type { Plan } from "../story/plan.ts";
import { nodeFingerprint } from "../world/node.ts";
import { type ShownRow, whoOf } from "../world/rows.ts";
import { type RunOptions, run, type Verdict } from "../world/run.ts";
import type { World } from "../world/world.ts";

/** Where a run stops: after so many events, at a moment of the story's time, or when it is over. */
export type Stop =
  | { readonly kind: "event"; readonly event: number }
  | { readonly kind: "time"; readonly micros: number }
  | { readonly kind: "end" };

/** A run that was stopped. */
export interface Inspection {
  readonly verdict: Verdict;
  /** How many events had happened. */
  readonly event: number;
  /** Whether the run came to where it was to stop; it may be over sooner, or break. */
  readonly isReached: boolean;
  /** The last things that happened, oldest first, and among them each input of the server. */
  readonly rows: readonly ShownRow[];
}

/** Rows that an inspection keeps. */
const ROWS = 200;

/** How an inspection differs from the run itself. */
export interface InspectOptions {
  /** Decisions that are told otherwise. */
  readonly decisions?: readonly DecisionPlan[];
  /** Gets the world before anything happens in it, as in {@link RunOptions}. */
  readonly onWorld?: RunOptions["onWorld"];
}

/** Runs a plan until `stop`. */
export function inspect(plan: Plan, seed: number, stop: Stop, options: InspectOptions = {}): Inspection {
  const rows: ShownRow[] = [];
  const add = (row: ShownRow) => {
    rows.push(row);
    if (rows.length > ROWS) rows.shift();
  };
  let catchUp = (): void => {};
  const verdict = run(plan, seed, {
    decisions: options.decisions ?? [],
    haltBefore: (world) => isReached(world, stop),
    onWorld: (world, book) => {
      options.onWorld?.(world, book);
      catchUp = followRows(world, add);
    },
  });
  catchUp();
  const { world } = verdict;
  return { verdict, event: world.loop.ran, isReached: stop.kind === "end" || isReached(world, stop), rows };
}

/** The moment after one event. */
export interface Moment {
  readonly event: number;
  readonly time: number;
  readonly fingerprint: string;
  /** What happened in the event. */
  readonly rows: readonly ShownRow[];
}

/** The moments after each event from `from` to `to`, as far as the run goes. */
export function momentsBetween(
  plan: Plan,
  seed: number,
  from: number,
  to: number,
  decisions: readonly DecisionPlan[] = [],
): Moment[] {
  const moments: Moment[] = [];
  let rows: ShownRow[] = [];
  let catchUp = (): void => {};
  const note = ({ loop, node }: World) => {
    if (moments.at(-1)?.event === loop.ran) return;
    catchUp();
    if (loop.ran >= from) moments.push({ event: loop.ran, time: loop.now, fingerprint: nodeFingerprint(node), rows });
    rows = [];
  };
  const { world } = run(plan, seed, {
    decisions,
    haltBefore: (running) => {
      note(running);
      return running.loop.ran >= to;
    },
    onWorld: (begun) => {
      catchUp = followRows(begun, (row) => rows.push(row));
    },
  });
  note(world);
  return moments;
}

/** Hands on each row of a world, and each input of its server, once; what it answers does so for the rows that are left. */
function followRows(world: World, take: (row: ShownRow) => void): () => void {
  let seen = 0;
  const catchUp = () => {
    for (; seen < world.rows.length; seen++) {
      const row = world.rows[seen]!;
      take({ ...row, who: whoOf(row) });
    }
  };
  world.watchers.push({
    afterInput: (input, effects, { shard }) => {
      catchUp();
      const { now, ran } = world.loop;
      const text = `${describeInput(input)}${whoseDatagram(shard, input)} → ${describeEffects(effects)}`;
      take({ time: now, event: ran, who: "server", text });
    },
  });
  return catchUp;
}

function isReached(world: World, stop: Stop): boolean {
  const { loop, zeroAt } = world;
  if (stop.kind === "event") return loop.ran >= stop.event;
  if (stop.kind === "end" || zeroAt === 0) return false;
  return (loop.heap[0]?.time ?? loop.now) - zeroAt > stop.micros;
}

/** The decisions that a run consumes, in order. */
export function decisionsOf(plan: Plan, seed: number): Decision[] {
  const decisionLog: Decision[] = [];
  run(plan, seed, { decisionLog });
  return decisionLog;
}

/** A decision's name, as it is written on the command line. */
export function decisionName({ site, entity, ordinal }: Decision): string {
  return `${site}/${entity}/${ordinal}`;
}
