/**
 * Knobs: the tunables of the server (core/tunables.ts) as the simulator turns them, and what follows for who waits.
 *
 * Deadlines are made for the usual tunables. Where a knob makes the server wait longer, whoever judges gives it as much more
 * time; where it waits less long, nobody is owed anything sooner.
 */
import {
  type Knobs,
  TUNABLE_NAMES,
  TUNABLES,
  type Tunable,
  type TunableName,
  tunablesTrouble,
} from "../../core/index.ts";
import { below, between, createStream, type Stream } from "../base/random.ts";

/**
 * The knobs of a world with this seed: in half of all none, in the others each tunable turned with a probability of a
 * quarter, to its least, its greatest or an odd value. One that would not go together with those before it stays as usual.
 */
export function drawKnobs(seed: number): Knobs {
  if (below(createStream(seed, "knobs", "any"), 2) === 0) return {};
  let knobs: Knobs = {};
  for (const name of TUNABLE_NAMES) {
    const stream = createStream(seed, "knobs", name);
    if (below(stream, 4) !== 0) continue;
    const more = { ...knobs, [name]: drawValue(stream, TUNABLES[name]) };
    if (tunablesTrouble(more) === "") knobs = more;
  }
  return knobs;
}

function drawValue(stream: Stream, { least, greatest, isPowerOfTwo }: Tunable): number {
  const kind = below(stream, 3);
  if (kind < 2) return kind === 0 ? least : greatest;
  return isPowerOfTwo
    ? least << below(stream, Math.clz32(least) - Math.clz32(greatest) + 1)
    : between(stream, least, greatest);
}

/** By how much these knobs make the times of these names longer than usual, all together; 0 for those that are shorter. */
export function longerThanUsual(knobs: Knobs, ...names: TunableName[]): number {
  return names.reduce((sum, name) => sum + Math.max(0, valueIn(knobs, name) - TUNABLES[name].usual), 0);
}

/** How much longer than usual it may take until the server notices that something has healed. */
export function longestWaitBeyondUsual(knobs: Knobs): number {
  return longerThanUsual(knobs, "keyframeRequestLastMicros", "dtlsRetransmitLastMicros", "iceSilentMicros");
}

/** The knobs that are turned, for people: "nackTriesMax 1, reportMicros 250000 µs"; "" for none. */
export function knobsText(knobs: Knobs = {}): string {
  const turned = TUNABLE_NAMES.filter((name) => knobs[name] !== undefined);
  return turned.map((name) => `${name} ${knobs[name]}${TUNABLES[name].unit === "µs" ? " µs" : ""}`).join(", ");
}

function valueIn(knobs: Knobs, name: TunableName): number {
  return knobs[name] ?? TUNABLES[name].usual;
}
