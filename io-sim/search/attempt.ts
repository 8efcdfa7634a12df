/**
 * One try of a world for tools that search: whether it broke, and under which key two breaches are the same.
 *
 * A key is the promise with the shape of what was seen: names and numbers are taken out of the sentence, so that the same
 * mistake in another world, or in a smaller one, has the same key. What throws outside the core is a finding too.
 */
import { LockstepError } from "../../core/index.ts";
import type { Excuse } from "../oracles/excuses.ts";
import type { PromiseId } from "../oracles/promises.ts";
import { checkPlan, type Plan } from "../story/plan.ts";
import { type RunOptions, run } from "../world/run.ts";
import type { SiteCount } from "../world/sites.ts";
import type { World } from "../world/world.ts";
import { involvedIn } from "./involved.ts";

/** What a try has come to. */
export interface Attempt {
  /** "" when everything held. */
  readonly key: string;
  readonly promise: PromiseId | "";
  readonly detail: string;
  /** Whether no promise was seen to break, but the run itself threw. */
  readonly hasThrown: boolean;
  /** The story's time of the breach, or -1 when the story had not begun. */
  readonly atMicros: number;
  /** Whether it broke when everybody was leaving, or had left. */
  readonly isInDrain: boolean;
  readonly fingerprint: string;
  readonly simulatedMicros: number;
  /** Everybody in the plan, who has most to do with the breach first; see ./involved.ts. */
  readonly involved: readonly string[];
  /** Events that the loop has run: what the try has cost, on any machine. */
  readonly events: number;
  /** How often each promise was judged. */
  readonly judged: ReadonlyMap<PromiseId, number>;
  /** How often each excuse was used. */
  readonly excused: ReadonlyMap<Excuse, number>;
  /** How often each fault site was reached and fired. */
  readonly sites: ReadonlyMap<string, SiteCount>;
}

/** Runs a plan with a seed. */
export function attempt(plan: Plan, seed: number, options: RunOptions = {}): Attempt {
  let entered: World | undefined;
  const onWorld: RunOptions["onWorld"] = (world, book) => {
    entered = world;
    options.onWorld?.(world, book);
  };
  try {
    const { broken, promise, fingerprint, simulatedMicros, judged, excused, world } = run(plan, seed, {
      ...options,
      onWorld,
    });
    const detail = broken?.detail ?? "";
    const key = broken === undefined ? "" : `${promise}: ${shapeOf(detail, plan)}`;
    const atMicros = broken === undefined || world.zeroAt === 0 ? -1 : broken.time - world.zeroAt;
    const involved = broken === undefined ? [] : involvedIn(world, detail);
    const cost = { simulatedMicros, events: world.loop.ran };
    return {
      key,
      promise,
      detail,
      hasThrown: false,
      atMicros,
      isInDrain: broken !== undefined && world.isDraining,
      involved,
      fingerprint,
      ...cost,
      judged,
      excused,
      sites: world.sites.counts,
    };
  } catch (error) {
    const detail = `The run threw: ${error instanceof Error ? error.message : String(error)}`;
    const key = `S0: ${shapeOf(detail, plan)}`;
    return {
      key,
      promise: "S0",
      detail,
      hasThrown: true,
      atMicros: -1,
      isInDrain: entered?.isDraining ?? false,
      involved: entered === undefined ? [] : involvedIn(entered, detail),
      fingerprint: "",
      simulatedMicros: 0,
      events: entered?.loop.ran ?? 0,
      judged: new Map(),
      excused: new Map(),
      sites: entered?.sites.counts ?? new Map(),
    };
  }
}

/** Whether the plan makes sense at all. */
export function isSound(plan: Plan): boolean {
  try {
    checkPlan(plan);
    return true;
  } catch (error) {
    if (error instanceof LockstepError) return false;
    throw error;
  }
}

/** A sentence without its names and numbers, and without how many of them it lists. */
function shapeOf(sentence: string, plan: Plan): string {
  let shape = sentence;
  const words = plan.peers.flatMap(({ name, room }) => [name, room]).sort((a, b) => b.length - a.length);
  for (const word of words) shape = shape.replaceAll(new RegExp(`\\b${word}\\b(#\\d+)?`, "g"), "somebody");
  return shape.replaceAll(/-?\d+/g, "#").replaceAll(/(#|somebody)(,? \1)+/g, "$1");
}
