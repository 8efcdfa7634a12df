/**
 * What those whom a broken promise concerns went through before it broke: the steps of the story, what they said and were
 * told, what was dropped on their links, and what they saw.
 *
 * A promise about something that did not happen (a picture that never came, a request that was not repeated) breaks in an
 * event that has nothing to do with it, and no chain of causes tells why. What was there and then stopped does. Where a
 * picture stood still, that is told which went before it stopped and came right after.
 */
import { peopleNamed } from "../inspection/people-named.ts";
import type { Plan } from "../story/plan.ts";
import { traceRows } from "../trace/lines.ts";
import type { TracedMessage } from "../trace/messages.ts";
import { createTraceRecorder } from "../trace/recorder.ts";
import { standstillOf } from "../trace/standstill.ts";
import type { Trace } from "../trace/trace.ts";
import type { ShownRow } from "../world/rows.ts";
import { run } from "../world/run.ts";
import { type Cause, createChain } from "./causal-chain.ts";

/** Rows that are told at most, those before the breach; of a picture that stood still, so many are from after it stopped. */
const ROWS_MAX = 20;
const ROWS_AFTER = 8;

/** Messages that go on all along, and say nothing about what went wrong. */
const CHATTER: ReadonlySet<TracedMessage["kind"]> = new Set(["reports", "ice"]);

/** Runs a plan up to its breach, if there is one, traces it without its packets, and answers its chain of causes as well. */
export function watchedUpToBreach(plan: Plan, seed: number): { trace: Trace; chain: Cause[] } {
  const recorder = createTraceRecorder(0);
  const chain = createChain();
  const verdict = run(plan, seed, {
    onWorld: (world, book) => {
      recorder.onWorld(world, book);
      chain.onWorld(world, book);
    },
  });
  return { trace: recorder.finish(verdict), chain: chain.causes(verdict.broken !== undefined) };
}

/** The history of a traced run, in the order of time; empty for one that held. */
export function historyIn(trace: Trace): ShownRow[] {
  const { broken, peers } = trace;
  if (broken === undefined) return [];
  const named = peopleNamed(peers, broken.detail);
  const concerned = new Set((named.length > 0 ? named : peers).map(({ name }) => name));
  const told = trace.messages.filter(({ kind }) => !CHATTER.has(kind));
  const seen = trace.strips.filter(({ source }) => concerned.has(source.slice(0, source.lastIndexOf("/"))));
  const rows = traceRows({ ...trace, messages: told, strips: seen }).filter(
    ({ time, who }) => time <= broken.time && (who === "story" || concerned.has(who)),
  );
  const standstill = standstillOf(trace);
  if (standstill === undefined) return rows.slice(-ROWS_MAX);
  const before = rows.filter(({ time }) => time <= standstill.from).length;
  return rows.slice(Math.max(0, before + ROWS_AFTER - ROWS_MAX), before + ROWS_AFTER);
}
