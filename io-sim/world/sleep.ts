/**
 * Processes and devices that stand still for a while: what is to happen there meanwhile waits, and happens in order.
 *
 * Who is to wake up at one moment may be made to sleep on until another. What waits already then waits on, and stays before
 * whatever comes later: no queue of a device that stands still changes its order.
 */
import { micros } from "../../core/index.ts";
import { EVENT_CLASS, type EventLoop, type LoopEvent, postpone, schedule } from "../base/event-loop.ts";

/** Who may stand still; make it with {@link createSleep}. */
export interface Sleep {
  readonly loop: EventLoop;
  until: number;
  /** The longest that anything may have had to wait. */
  longestMicros: number;
  /** When the last standstill began, or since when the first of what still waited then had been waiting. */
  since: number;
  /** What waits, in order; some of it may have happened. */
  waiting: Waiting[];
}

/** What waits for somebody, and since when. */
interface Waiting {
  readonly event: LoopEvent;
  readonly since: number;
}

/** Somebody who is awake. */
export function createSleep(loop: EventLoop): Sleep {
  return { loop, until: 0, longestMicros: 0, since: 0, waiting: [] };
}

/** Nothing happens for a while from now on. */
export function sleepFor(sleep: Sleep, forMicros: number): void {
  const until = micros(sleep.loop.now + forMicros);
  if (until <= sleep.until) return;
  const waiting = sleep.waiting.filter(({ event }) => event.run !== undefined);
  if (!isAsleep(sleep)) sleep.since = waiting[0]?.since ?? sleep.loop.now;
  sleep.until = until;
  sleep.longestMicros = Math.max(sleep.longestMicros, until - sleep.since);
  sleep.waiting = waiting.map(({ event, since }) => ({ event: postpone(sleep.loop, event, until), since }));
}

/** Whether what is to happen has to wait. */
export function isAsleep({ until, loop }: Sleep): boolean {
  return until > loop.now;
}

/** What waits does so in vain: whom it is for is no more. */
export function forgetWaiting(sleep: Sleep): void {
  for (const { event } of sleep.waiting) event.run = undefined;
  sleep.waiting = [];
}

/** Acts in the order of asking when who sleeps has woken up. */
export function waitUntilAwake(sleep: Sleep, act: () => void): void {
  const event = schedule(sleep.loop, micros(sleep.until), EVENT_CLASS.DATAGRAM, act);
  sleep.waiting.push({ event, since: sleep.loop.now });
}
