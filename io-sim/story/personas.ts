/**
 * What kinds of people and devices do without being told, written into the timeline as ordinary steps when a story is
 * compiled; so a plan shows them, and a story can be shortened without them. They depend on the story's first seed and on
 * the peer's name alone.
 *
 * A mobile device sleeps: for some seconds nothing is sent and nothing is read, and then everything at once. A misbehaving
 * one has one bad habit after the other. How Chromium and thin clients are made is their own affair, see ./client.
 */

import { below, between, createStream } from "../base/random.ts";
import { HABITS, type Habit } from "../client/misbehaviour.ts";
import type { Range } from "../link/plan.ts";
import type { StepPlan } from "./plan.ts";

/** A kind of client. */
export type Persona = "chromium" | "thin" | "mobile" | "misbehaving";

/** How long a mobile device is awake, and how long it sleeps (both ours: a screen that goes dark in a pocket). */
const AWAKE: Range = [4_000_000, 30_000_000];
const ASLEEP: Range = [1_000_000, 8_000_000];

/** How long a habit lasts, and how long the peer behaves before the next one. */
const HABIT: Range = [500_000, 2_000_000];
const GOOD: Range = [200_000, 1_500_000];

/** The steps that a persona adds to a story. */
export function personaSteps(
  persona: Persona | undefined,
  seed: number,
  peer: string,
  runForMicros: number,
): StepPlan[] {
  if (persona !== "mobile" && persona !== "misbehaving") return [];
  const stream = createStream(seed, `persona/${persona}`, peer);
  const [quiet, busy] = persona === "mobile" ? [AWAKE, ASLEEP] : [GOOD, HABIT];
  const habits = Object.keys(HABITS) as Habit[];
  const steps: StepPlan[] = [];
  for (let time = between(stream, ...quiet); ; time += between(stream, ...quiet)) {
    const forMicros = between(stream, ...busy);
    if (time + forMicros > runForMicros) return steps;
    if (persona === "mobile") {
      steps.push({ atMicros: time, label: `${peer} sleeps`, operation: { type: "stall", peer, forMicros } });
    } else {
      const habit = habits[below(stream, habits.length)]!;
      const label = `${peer} ${HABITS[habit]}`;
      steps.push({ atMicros: time, label, operation: { type: "misbehave", peer, habit, forMicros } });
    }
    time += forMicros;
  }
}
