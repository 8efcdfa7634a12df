/**
 * Which mailbox runs next: the production's answer and the simulator's. Neither has any state of its own.
 */
import { keyedBelow } from "../base/keyed-random.ts";
import type { Scheduler } from "./ports.ts";

/** First come, first served. */
export const FIRST_COME_FIRST_SERVED: Scheduler = { pick: () => 0 };

/** Any legal order, chosen by the seed. */
export function seededScheduler(seed: number): Scheduler {
  return { pick: (ordinal, count) => keyedBelow(seed, "mailbox", 0, ordinal, count) };
}
