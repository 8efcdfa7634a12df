/**
 * Ways to make a story short: it ends when its promise is broken, and nobody waits for what comes next.
 *
 * What time costs in a search is worth more than anything but people: a step in the fortieth second has all tries of the
 * search run forty seconds. So ends come first, and then each pause between two moments of the story is made short.
 */
import type { Plan } from "../story/plan.ts";

/** A story that goes on for so long after its breach breaks in the same way when that comes a little later. */
export const LATE_MICROS = 1_000_000;

/** Pauses that are tried, the shortest first. */
const PAUSES_MICROS = [1_000_000, 3_000_000, 10_000_000];

/** The pause before the end is no shorter at first, so that the breach may still come later. */
const LAST_MICROS = 3_000_000;

/** Stories are told in whole seconds, of which there is one at least. */
const SECOND_MICROS = 1_000_000;

/** A change of the end that saves less than this share of the story is not worth it: it would undo the rounding. */
const WORTH = 0.9;

/** The plan with what happens up to this moment, without a steady time that never comes. */
function endedAt({ steady, ...rest }: Plan, runForMicros: number): Plan {
  const comes = steady !== undefined && steady.fromMicros < runForMicros;
  const steps = rest.steps.filter(({ atMicros }) => atMicros <= runForMicros);
  return { ...rest, ...(comes ? { steady } : {}), steps, runForMicros };
}

/** The plan that ends soon after a breach at this time of the story, which is negative when the story had not begun. */
export function endedAfter(plan: Plan, breachMicros: number): Plan {
  const end = Math.max(0, breachMicros) + LATE_MICROS;
  return end < plan.runForMicros ? endedAt(plan, end) : plan;
}

/** Plans that end sooner, the shortest first. */
export function endings(plan: Plan, breachMicros: number): Plan[] {
  const { runForMicros } = plan;
  const ends = [Math.max(0, breachMicros) + 1_000, runForMicros / 4, runForMicros / 2, (runForMicros * 3) / 4];
  return ends
    .map((end) => Math.ceil(end / SECOND_MICROS) * SECOND_MICROS)
    .filter((end) => end < WORTH * runForMicros)
    .map((end) => endedAt(plan, end));
}

/** Plans in which pauses are shorter: all of them, then each for itself. The last is the one before the end. */
export function hurried(plan: Plan): Plan[] {
  const moments = momentsOf(plan);
  const plans: Plan[] = [];
  for (const most of PAUSES_MICROS) {
    plans.push(withPauses(plan, moments, (_, isLast) => (isLast ? Math.max(most, LAST_MICROS) : most)));
    plans.push(withPauses(plan, moments, (pause, isLast) => (isLast ? pause : most)));
  }
  for (let index = 0; index < moments.length; index++) {
    for (const most of PAUSES_MICROS) {
      const short = (pause: number, isLast: boolean, at: number) => {
        if (at !== index) return pause;
        return isLast ? Math.max(most, LAST_MICROS) : most;
      };
      plans.push(withPauses(plan, moments, short));
    }
  }
  return plans;
}

/** All times of the story at which something begins, or ends, in order. */
function momentsOf({ steps, steady, turn, runForMicros }: Plan): number[] {
  const times = new Set([...steps.map(({ atMicros }) => atMicros), runForMicros]);
  if (steady !== undefined) times.add(steady.fromMicros);
  if (turn !== undefined) times.add(turn.atMicros);
  return [...times].sort((a, b) => a - b);
}

/** The plan in which the pause before each moment is no longer than `most` says. */
function withPauses(
  plan: Plan,
  moments: readonly number[],
  most: (pause: number, isLast: boolean, index: number) => number,
): Plan {
  const moved = new Map<number, number>();
  let before = 0;
  let now = 0;
  moments.forEach((moment, index) => {
    const pause = moment - before;
    now += Math.min(pause, most(pause, index === moments.length - 1, index));
    before = moment;
    moved.set(moment, now);
  });
  const { steps, steady, turn, runForMicros } = plan;
  return {
    ...plan,
    runForMicros: moved.get(runForMicros)!,
    steps: steps.map((step) => ({ ...step, atMicros: moved.get(step.atMicros)! })),
    ...(steady === undefined ? {} : { steady: { ...steady, fromMicros: moved.get(steady.fromMicros)! } }),
    ...(turn === undefined ? {} : { turn: { ...turn, atMicros: moved.get(turn.atMicros)! } }),
  };
}
