/** Whether things happen in the order that the loop promises. */
import { describe, expect, it } from "vitest";
import { keyedUint32, MICROS_ORIGIN, micros } from "../../../core/index.ts";
import {
  cancel,
  countWaiting,
  createEventLoop,
  createLane,
  EVENT_CLASS,
  postpone,
  runUntil,
  schedule,
  scheduleAgain,
  scheduleArrival,
  step,
} from "../../../io-sim/base/event-loop.ts";
import { below, createStream } from "../../../io-sim/base/random.ts";

function later(span: number) {
  return micros(MICROS_ORIGIN + span);
}

/** What came over five ways, put in out of order and several at a time: in the order in which it happened. */
function arrivals(windowMicros: number, areTies = true) {
  const stream = createStream(5, "test", "arrivals");
  const ties = (lane: number, time: number) => keyedUint32(11, `ties/${time}`, lane, 0);
  const loop = createEventLoop(areTies ? ties : undefined, later(0), windowMicros);
  const lanes = Array.from({ length: 5 }, () => createLane(loop));
  const seen: { lane: number; order: number; came: number; now: number }[] = [];
  for (let order = 0; order < 500; order++) {
    const came = below(stream, 40 * (windowMicros + 1));
    for (const lane of lanes) {
      const note = () => seen.push({ lane, order: 500 * came + order, came, now: loop.now - MICROS_ORIGIN });
      scheduleArrival(loop, later(came), note, undefined, lane);
    }
  }
  runUntil(loop, later(50 * (windowMicros + 1)));
  const swapped = seen.slice(1).flatMap((one, index) => {
    const ahead = seen[index]!;
    return ahead.came > one.came || (ahead.came === one.came && ahead.order > one.order) ? [ahead.came - one.came] : [];
  });
  return { seen, swapped };
}

describe("the event loop", () => {
  it("starts at the origin of all clocks", () => {
    expect(createEventLoop().now).toBe(MICROS_ORIGIN);
  });

  it("runs events by time, then class, then order of insertion", () => {
    const loop = createEventLoop();
    const seen: string[] = [];
    const add = (span: number, eventClass: number, name: string) =>
      schedule(loop, later(span), eventClass, () => seen.push(name));
    add(5, EVENT_CLASS.TIMER, "timer at 5");
    add(5, EVENT_CLASS.DATAGRAM, "datagram at 5");
    add(5, EVENT_CLASS.DATAGRAM, "second datagram at 5");
    add(5, EVENT_CLASS.RELAY, "relay at 5");
    add(3, EVENT_CLASS.MEDIA, "media at 3");
    add(5, EVENT_CLASS.STEP, "step at 5");
    runUntil(loop, later(10));
    const atFive = ["step at 5", "relay at 5", "datagram at 5", "second datagram at 5", "timer at 5"];
    expect(seen).toEqual(["media at 3", ...atFive]);
  });

  it("postpones what waits, in the name of whoever scheduled it, and nothing that has run", () => {
    const loop = createEventLoop();
    loop.lineage = [];
    const seen: number[] = [];
    const note = () => seen.push(loop.now - MICROS_ORIGIN);
    const first = schedule(loop, later(1), EVENT_CLASS.STEP, () => {
      const waits = schedule(loop, later(5), EVENT_CLASS.STEP, note);
      schedule(loop, later(2), EVENT_CLASS.STEP, () => {
        const moved = postpone(loop, waits, later(9));
        expect(loop.lineage![moved.order]).toBe(first.order);
        expect(postpone(loop, first, later(9))).toBe(first);
      });
    });
    runUntil(loop, later(20));
    expect(seen).toEqual([9]);
  });

  it("agrees with a sort of a thousand random events", () => {
    const stream = createStream(1, "test", "loop");
    const loop = createEventLoop();
    const seen: number[][] = [];
    const expected: number[][] = [];
    for (let order = 0; order < 1_000; order++) {
      const entry = [below(stream, 50), below(stream, 4), order];
      expected.push(entry);
      schedule(loop, later(entry[0]!), entry[1]!, () => seen.push(entry));
    }
    expected.sort((a, b) => a[0]! - b[0]! || a[1]! - b[1]! || a[2]! - b[2]!);
    runUntil(loop, later(100));
    expect(seen).toEqual(expected);
  });

  it("takes the first of all that wait also where events schedule several at once, some of them for their own time", () => {
    const stream = createStream(2, "test", "bursts");
    const loop = createEventLoop();
    const waiting: number[][] = [];
    let [scheduled, happened, outOfOrder, miscounted] = [0, 0, 0, 0];
    const burst = () => {
      const [time, eventClass] = [loop.now - MICROS_ORIGIN + below(stream, 4), below(stream, 3)];
      for (let left = below(stream, 5); left > 0; left--) {
        const entry = [time, eventClass, scheduled++];
        waiting.push(entry);
        schedule(loop, later(time), eventClass, () => happen(entry));
      }
    };
    const happen = (entry: number[]) => {
      waiting.sort((a, b) => a[0]! - b[0]! || a[1]! - b[1]! || a[2]! - b[2]!);
      if (waiting.shift() !== entry) outOfOrder++;
      if (countWaiting(loop) !== waiting.length) miscounted++;
      if (++happened < 1_000) for (let left = below(stream, 3); left > 0; left--) burst();
    };
    for (let left = 0; left < 9; left++) burst();
    runUntil(loop, later(1_000_000));
    expect([happened > 1_000, outOfOrder, miscounted, waiting.length]).toEqual([true, 0, 0, 0]);
  });

  it("lets the clock stand at each event's time and finally at the time asked for", () => {
    const loop = createEventLoop();
    const seen: number[] = [];
    schedule(loop, later(7), EVENT_CLASS.TIMER, () => seen.push(loop.now - MICROS_ORIGIN));
    runUntil(loop, later(9));
    expect([...seen, loop.now - MICROS_ORIGIN]).toEqual([7, 9]);
  });

  it("never goes back: what was asked for in the past happens now", () => {
    const loop = createEventLoop();
    runUntil(loop, later(20));
    const event = schedule(loop, later(5), EVENT_CLASS.TIMER, () => {});
    expect(event.time).toBe(later(20));
  });

  it("forgets what was cancelled", () => {
    const loop = createEventLoop();
    let ran = false;
    cancel(schedule(loop, later(1), EVENT_CLASS.TIMER, () => (ran = true)));
    runUntil(loop, later(2));
    expect(ran).toBe(false);
  });

  it("changes only the order of what is simultaneous and of one class when ties are given", () => {
    const stream = createStream(3, "test", "ties");
    const loop = createEventLoop(stream.next);
    const seen: number[] = [];
    const add = (i: number) => schedule(loop, later(1), EVENT_CLASS.DATAGRAM, () => seen.push(i), createLane(loop));
    for (let i = 0; i < 20; i++) add(i);
    schedule(loop, later(0), EVENT_CLASS.MEDIA, () => seen.push(-1));
    schedule(loop, later(1), EVENT_CLASS.TIMER, () => seen.push(99));
    runUntil(loop, later(2));
    expect([seen[0], seen.at(-1)]).toEqual([-1, 99]);
    expect(seen.slice(1, -1)).not.toEqual([...seen.slice(1, -1)].sort((a, b) => a - b));
  });

  it("keeps the order within a lane, and an event in the lane of the one that led to it", () => {
    const loop = createEventLoop((lane) => 100 - lane);
    const lanes = [createLane(loop), createLane(loop), createLane(loop)];
    const seen: string[] = [];
    lanes.forEach((lane, name) => {
      for (let turn = 0; turn < 3; turn++) {
        const again = () => {
          seen.push(`${name}${turn}`);
          schedule(loop, later(2), EVENT_CLASS.DATAGRAM, () => seen.push(`${name}${turn}'`));
        };
        schedule(loop, later(1), EVENT_CLASS.DATAGRAM, again, lane);
      }
    });
    runUntil(loop, later(3));
    const turns = ["20", "21", "22", "10", "11", "12", "00", "01", "02"];
    expect(seen).toEqual([...turns, ...turns.map((turn) => `${turn}'`)]);
  });

  it.each([1, 100, 1_000])("lets what comes over ways within %i µs change places, and nothing else", (windowMicros) => {
    const { seen, swapped } = arrivals(windowMicros);
    const waited = seen.map(({ came, now }) => now - came);
    for (const most of [Math.max(...waited), Math.max(...swapped)]) {
      expect(most).toBeLessThanOrEqual(windowMicros);
      expect(most).toBeGreaterThan(0.8 * windowMicros);
    }
    expect(Math.min(...waited)).toBe(0);
    const times = seen.map(({ now }) => now);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it.each([0, 1, 100, 1_000])(
    "keeps the order of each way, whatever else changes places within %i µs",
    (windowMicros) => {
      const { seen, swapped } = arrivals(windowMicros);
      expect(swapped.length).toBeGreaterThan(20);
      for (const lane of new Set(seen.map((one) => one.lane))) {
        const came = seen.filter((one) => one.lane === lane).map(({ order }) => order);
        expect(came).toEqual([...came].sort((a, b) => a - b));
      }
    },
  );

  it("lets only what is simultaneous change places without a window, and nothing without ties", () => {
    expect(Math.max(...arrivals(0).swapped)).toBe(0);
    expect(arrivals(1_000, false).swapped).toEqual([]);
  });

  it("has clocks, cameras and steps overtake what waits, and be on time themselves", () => {
    const origin = later(12_345);
    const loop = createEventLoop((_, time) => (time === 0 ? 0 : 70), origin, 100);
    const seen: string[] = [];
    const note = (name: string) => () => seen.push(`${name} after ${loop.now - since(0)}`);
    // From the second window on, in which doors are opened after 70 µs.
    const since = (span: number) => micros(origin + 101 + span);
    scheduleArrival(loop, since(10), note("an arrival"), undefined, createLane(loop));
    schedule(loop, since(20), EVENT_CLASS.TIMER, note("a timer"));
    schedule(loop, since(30), EVENT_CLASS.STEP, note("a step"));
    runUntil(loop, since(200));
    expect(seen).toEqual(["a timer after 20", "a step after 30", "an arrival after 70"]);
  });

  it("gives an arrival what was put in with it, with a door and without", () => {
    for (const windowMicros of [0, 100]) {
      const loop = createEventLoop(() => 70, later(0), windowMicros);
      const came: string[] = [];
      for (const what of ["one", "two"])
        scheduleArrival(loop, later(2), (it: string) => came.push(it), what, createLane(loop));
      runUntil(loop, later(500));
      expect(came).toEqual(["one", "two"]);
    }
  });

  it("has what waits for its door be the doing of whoever sent it", () => {
    const loop = createEventLoop(() => 70, later(0), 100);
    loop.lineage = [];
    let cause = -1;
    const sends = schedule(loop, later(1), EVENT_CLASS.MEDIA, () => {
      scheduleArrival(loop, later(2), () => (cause = loop.lineage![loop.running]!), undefined, createLane(loop));
    });
    runUntil(loop, later(500));
    expect(cause).toBe(sends.order);
  });

  it("may begin later than all clocks", () => {
    const loop = createEventLoop(undefined, later(7));
    expect(schedule(loop, later(5), EVENT_CLASS.TIMER, () => {}).time).toBe(later(7));
  });

  it("says when nothing is left", () => {
    expect(step(createEventLoop())).toBe(false);
  });

  it("that happens again is put in as if it were made anew", () => {
    const loop = createEventLoop();
    const happened: string[] = [];
    const again = schedule(loop, later(1), EVENT_CLASS.MEDIA, turn);
    function turn() {
      happened.push("again");
      if (happened.length < 6) scheduleAgain(loop, again, later(happened.length), turn);
    }
    schedule(loop, later(1), EVENT_CLASS.MEDIA, () => happened.push("later"));
    schedule(loop, later(4), EVENT_CLASS.MEDIA, () => cancel(again));
    runUntil(loop, later(9));
    expect(happened).toEqual(["again", "later", "again", "again"]);
  });
});
