/** Whether what waits for somebody who stands still happens late, once and in order. */
import { describe, expect, it } from "vitest";
import { MICROS_ORIGIN, micros } from "../../../core/index.ts";
import { createEventLoop, EVENT_CLASS, type EventLoop, runUntil, schedule } from "../../../io-sim/base/event-loop.ts";
import {
  createSleep,
  forgetWaiting,
  isAsleep,
  type Sleep,
  sleepFor,
  waitUntilAwake,
} from "../../../io-sim/world/sleep.ts";

function later(span: number) {
  return micros(MICROS_ORIGIN + span);
}

/** Somebody to whom something happens each 10 µs, and what has happened when. */
function begin(ends: number): { loop: EventLoop; sleep: Sleep; seen: [number, number][] } {
  const loop = createEventLoop();
  const sleep = createSleep(loop);
  const seen: [number, number][] = [];
  const happen = (name: number) => {
    if (isAsleep(sleep)) waitUntilAwake(sleep, () => happen(name));
    else seen.push([name, loop.now - MICROS_ORIGIN]);
  };
  for (let at = 0; at < ends; at += 10) schedule(loop, later(at), EVENT_CLASS.DATAGRAM, () => happen(at));
  return { loop, sleep, seen };
}

function sleepAt(sleep: Sleep, at: number, forMicros: number): void {
  schedule(sleep.loop, later(at), EVENT_CLASS.STEP, () => sleepFor(sleep, forMicros));
}

describe("somebody who stands still", () => {
  it("lets what comes wait until he goes on", () => {
    const { loop, sleep, seen } = begin(60);
    sleepAt(sleep, 15, 20);
    runUntil(loop, later(100));
    const expected = [0, 10, 20, 30, 40, 50].map((name) => [name, name === 20 || name === 30 ? 35 : name]);
    expect(seen).toEqual(expected);
  });

  it.each([25, 35])("keeps the order of all that waits when he stands still again at %i µs", (again) => {
    const { loop, sleep, seen } = begin(80);
    sleepAt(sleep, 5, 30);
    sleepAt(sleep, again, 30);
    runUntil(loop, later(100));
    const woke = again + 30;
    expect(seen).toEqual([0, 10, 20, 30, 40, 50, 60, 70].map((name) => [name, name === 0 ? 0 : Math.max(name, woke)]));
  });

  it("never does what has waited for him when he is no more", () => {
    const { loop, sleep, seen } = begin(40);
    sleepAt(sleep, 5, 20);
    schedule(loop, later(15), EVENT_CLASS.STEP, () => forgetWaiting(sleep));
    runUntil(loop, later(100));
    expect(seen.map(([name]) => name)).toEqual([0, 20, 30]);
  });

  it("remembers the longest that anything had to wait", () => {
    const { loop, sleep } = begin(80);
    sleepAt(sleep, 5, 20);
    sleepAt(sleep, 10, 30);
    sleepAt(sleep, 60, 15);
    runUntil(loop, later(100));
    expect(sleep.longestMicros).toBe(35);
  });

  it("remembers how long what waited had to when he stands still again before it has happened", () => {
    const { loop, sleep, seen } = begin(80);
    sleepAt(sleep, 5, 30);
    sleepAt(sleep, 35, 24);
    runUntil(loop, later(100));
    expect(seen[1]).toEqual([10, 59]);
    expect(sleep.longestMicros).toBe(49);
  });

  it("is not woken early by a shorter standstill", () => {
    const { loop, sleep, seen } = begin(30);
    sleepAt(sleep, 5, 50);
    sleepAt(sleep, 12, 10);
    runUntil(loop, later(100));
    expect(seen.map(([, at]) => at)).toEqual([0, 55, 55]);
  });
});
