/** The timer heap against a list that is searched from end to end. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MICROS_ORIGIN, type Micros, micros, NEVER } from "../../../core/base/micros.ts";
import {
  createTimerHeap,
  timerHeapClear,
  timerHeapNext,
  timerHeapPop,
  timerHeapSet,
} from "../../../core/base/timer-heap.ts";

/** `count` microseconds after the clock's origin. */
function at(count: number): Micros {
  return micros(MICROS_ORIGIN + count);
}

/** The keys that are due at `now`, in the order in which the heap gives them up. */
function popAll(heap: ReturnType<typeof createTimerHeap>, now: Micros): number[] {
  const keys: number[] = [];
  for (let key = timerHeapPop(heap, now); key >= 0; key = timerHeapPop(heap, now)) keys.push(key);
  return keys;
}

describe("the timer heap", () => {
  it("has no deadline when it is empty", () => {
    const heap = createTimerHeap();
    expect(timerHeapNext(heap)).toBe(NEVER);
    expect(timerHeapPop(heap, at(1_000))).toBe(-1);
  });

  it("wakes a key at its deadline and not before", () => {
    const heap = createTimerHeap();
    timerHeapSet(heap, 7, at(10));
    expect(timerHeapPop(heap, at(9))).toBe(-1);
    expect(timerHeapPop(heap, at(10))).toBe(7);
  });

  it("wakes equal deadlines in the order in which they were set", () => {
    const heap = createTimerHeap();
    for (const key of [5, 3, 9, 1, 7]) timerHeapSet(heap, key, at(10));
    expect(popAll(heap, at(10))).toEqual([5, 3, 9, 1, 7]);
  });

  it("keeps a key's turn when its deadline is set to what it was", () => {
    const heap = createTimerHeap();
    for (const key of [5, 3]) timerHeapSet(heap, key, at(10));
    timerHeapSet(heap, 5, at(10));
    expect(popAll(heap, at(10))).toEqual([5, 3]);
  });

  it("takes a key's turn away when its deadline moves and comes back", () => {
    const heap = createTimerHeap();
    for (const key of [5, 3]) timerHeapSet(heap, key, at(10));
    timerHeapSet(heap, 5, at(20));
    timerHeapSet(heap, 5, at(10));
    expect(popAll(heap, at(10))).toEqual([3, 5]);
  });

  it("forgets a key whose deadline is set to never", () => {
    const heap = createTimerHeap();
    timerHeapSet(heap, 5, at(10));
    timerHeapSet(heap, 5, NEVER);
    expect(timerHeapNext(heap)).toBe(NEVER);
  });

  it("stays in order when the timer that fills a gap is earlier than those above the gap", () => {
    const heap = createTimerHeap();
    for (const deadline of [4, 3, 2, 6, 7, 5, 1]) timerHeapSet(heap, deadline, at(deadline));
    timerHeapClear(heap, 6);
    expect(popAll(heap, at(100))).toEqual([1, 2, 3, 4, 5, 7]);
  });

  it("does not mind clearing a key that it does not hold", () => {
    const heap = createTimerHeap();
    timerHeapClear(heap, 5);
    expect(heap).toEqual(createTimerHeap());
  });
});

/** What one step of a run does. */
type Step =
  | { readonly do: "set"; readonly key: number; readonly deadline: number }
  | { readonly do: "never"; readonly key: number }
  | { readonly do: "clear"; readonly key: number }
  | { readonly do: "pop"; readonly now: number };

const key = fc.nat(12);
const time = fc.nat(15);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("set" as const), key, deadline: time }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("never" as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("clear" as const), key }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("pop" as const), now: time }) },
);

interface Timer {
  readonly key: number;
  readonly deadline: number;
}

/** The same thing, slowly: timers in the order of their setting. */
function runModel(timers: Timer[], action: Step): { timers: Timer[]; popped: number } {
  switch (action.do) {
    case "set": {
      if (timers.some((timer) => timer.key === action.key && timer.deadline === action.deadline)) {
        return { timers, popped: -1 };
      }
      const others = timers.filter((timer) => timer.key !== action.key);
      return { timers: [...others, { key: action.key, deadline: action.deadline }], popped: -1 };
    }
    case "never":
    case "clear":
      return { timers: timers.filter((timer) => timer.key !== action.key), popped: -1 };
    case "pop": {
      const earliest = Math.min(...timers.map((timer) => timer.deadline));
      const first = timers.find((timer) => timer.deadline === earliest);
      if (first === undefined || first.deadline > action.now) return { timers, popped: -1 };
      return { timers: timers.filter((timer) => timer !== first), popped: first.key };
    }
  }
}

describe("any run of the timer heap", () => {
  it("goes as the model's does", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const heap = createTimerHeap();
        let timers: Timer[] = [];
        for (const action of steps) {
          const model = runModel(timers, action);
          timers = model.timers;
          if (action.do === "set") timerHeapSet(heap, action.key, at(action.deadline));
          else if (action.do === "never") timerHeapSet(heap, action.key, NEVER);
          else if (action.do === "clear") timerHeapClear(heap, action.key);
          else expect(timerHeapPop(heap, at(action.now))).toBe(model.popped);
          const next = Math.min(...timers.map((timer) => timer.deadline));
          expect(timerHeapNext(heap)).toBe(timers.length > 0 ? at(next) : NEVER);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("ends like a new heap once everything has been taken out", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const heap = createTimerHeap();
        for (const action of steps) if (action.do === "set") timerHeapSet(heap, action.key, at(action.deadline));
        popAll(heap, at(1_000));
        expect(heap).toEqual(createTimerHeap());
      }),
    );
  });
});
