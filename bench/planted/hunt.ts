/**
 * The hunt for a planted mistake, as a trade of worker threads: how many seeds it takes, and how small its world can be.
 *
 * A breach counts only when the same world holds up to that moment with the core as it is: what breaks without the mistake
 * does not show that the mistake was found. Answers depend on the task alone.
 */
import { MICROS_ORIGIN } from "../../core/index.ts";
import type { Trade } from "../../io-sim/cli/crew.ts";
import type { PromiseId } from "../../io-sim/oracles/promises.ts";
import { attempt } from "../../io-sim/search/attempt.ts";
import { generatePlan } from "../../io-sim/search/generate.ts";
import type { Plan } from "../../io-sim/story/plan.ts";
import type { World } from "../../io-sim/world/world.ts";
import { buildPlanted, type PlantedBuild } from "./build.ts";
import { MISTAKES } from "./mistakes.ts";

/** Events that making one world small may cost: some tens of seconds. */
const SHRINK_EVENTS_MAX = 600_000;

/** Worlds to look in: this plan with the seeds from `first` on, or without a plan those that
 * `explore` makes of numbers, with the usual tunables: what a mistake breaks has nothing to do with a knob. */
export interface HuntTask {
  readonly mistake: string;
  readonly plan: Plan | undefined;
  readonly first: number;
  readonly most: number;
  /** Whether the world in which it is found is made small. */
  readonly shrinks: boolean;
}

/** Where a mistake was found. */
export interface Found {
  /** How many seeds it took. */
  readonly tries: number;
  readonly seed: number;
  readonly promise: PromiseId | "";
  readonly detail: string;
  /** The world, made small if that was asked for. */
  readonly plan: Plan;
  /** Runs that this took. */
  readonly shrinkTries: number;
}

const builds = new Map<string, Promise<PlantedBuild>>();

/** Looks for a mistake; undefined when it was not found in so many worlds. */
async function hunt({ mistake, plan, first, most, shrinks }: HuntTask): Promise<Found | undefined> {
  const build = await buildOf(mistake);
  for (let tries = 1; tries <= most; tries++) {
    const seed = first + tries - 1;
    const world = plan ?? generatePlan(seed, "torture", false);
    const { key, promise, detail, simulatedMicros } = build.attempt(world, seed);
    if (key === "" || !holdsWithout(world, seed, simulatedMicros)) continue;
    const found = { tries, seed, promise, detail, plan: world, shrinkTries: 0 };
    return shrinks ? shrunk(build, found) : found;
  }
  return undefined;
}

/** Whether the core as it is keeps its promises in this world, up to the moment at which it broke with the mistake. */
function holdsWithout(world: Plan, seed: number, untilMicros: number): boolean {
  const haltBefore = ({ loop }: World) => loop.now - MICROS_ORIGIN > untilMicros;
  return attempt(world, seed, { haltBefore }).key === "";
}

/** The same with a small world, in which the core as it is keeps every promise to the end. */
async function shrunk({ shrinkPlan }: PlantedBuild, found: Found): Promise<Found> {
  const { plan, seed } = found;
  const goesOn = (events: number) => events < SHRINK_EVENTS_MAX;
  const holds = (world: Plan) => attempt(world, seed).key === "";
  let small = await shrinkPlan(plan, seed, { goesOn, isFair: () => true });
  // Seldom what is left breaks something of its own; then each step has to be looked at.
  if (!holds(small.plan)) small = await shrinkPlan(plan, seed, { goesOn, isFair: holds });
  return { ...found, detail: small.detail, plan: small.plan, shrinkTries: small.tries };
}

function buildOf(id: string): Promise<PlantedBuild> {
  const build = builds.get(id) ?? buildPlanted(MISTAKES.find((mistake) => mistake.id === id)!);
  builds.set(id, build);
  return build;
}

/** The trade of those who hunt. */
export const HUNTING: Trade<HuntTask, Found | undefined> = { module: import.meta.url, name: "HUNTING", work: hunt };
