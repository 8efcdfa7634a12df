/**
 * Which entity must be woken next.
 *
 * Each key (a small integer) has at most one deadline. A binary heap orders them by (deadline, order of setting), so that
 * equal deadlines fire in the order in which they were set. Setting and clearing cost O(log n); asking for the next one is
 * free. It's plain data: three arrays and an index.
 */
import { assert } from "./assert.ts";
import { type Micros, NEVER } from "./micros.ts";

/** A heap of deadlines; make one with {@link createTimerHeap} and treat its fields as private. */
export interface TimerHeap {
  keys: number[];
  deadlines: Micros[];
  orders: number[];
  /** Where in the heap each key stands. */
  positions: Map<number, number>;
  nextOrder: number;
}

/** An empty heap. */
export function createTimerHeap(): TimerHeap {
  return { keys: [], deadlines: [], orders: [], positions: new Map(), nextOrder: 1 };
}

/** The earliest deadline, or {@link NEVER}. */
export function timerHeapNext(heap: TimerHeap): Micros {
  return heap.deadlines.length > 0 ? heap.deadlines[0]! : NEVER;
}

/** Sets the deadline of `key`, replacing the one it had; {@link NEVER} clears it. An unchanged deadline keeps its turn. */
export function timerHeapSet(heap: TimerHeap, key: number, deadline: Micros): void {
  const position = heap.positions.get(key);
  if (position !== undefined && heap.deadlines[position] === deadline) return;
  if (position !== undefined) removeAt(heap, position);
  if (deadline === NEVER) return;
  heap.keys.push(key);
  heap.deadlines.push(deadline);
  heap.orders.push(heap.nextOrder++);
  heap.positions.set(key, heap.keys.length - 1);
  siftUp(heap, heap.keys.length - 1);
}

/** Forgets `key`; nothing happens when it has no deadline. */
export function timerHeapClear(heap: TimerHeap, key: number): void {
  const position = heap.positions.get(key);
  if (position !== undefined) removeAt(heap, position);
}

/** Takes out the earliest key whose deadline is at or before `now`, or answers -1. */
export function timerHeapPop(heap: TimerHeap, now: Micros): number {
  if (heap.keys.length === 0 || heap.deadlines[0]! > now) return -1;
  const key = heap.keys[0]!;
  removeAt(heap, 0);
  return key;
}

function removeAt(heap: TimerHeap, position: number): void {
  const last = heap.keys.length - 1;
  assert(position <= last, "the timer heap holds the position that its index names");
  if (position !== last) swap(heap, position, last);
  heap.positions.delete(heap.keys[last]!);
  heap.keys.pop();
  heap.deadlines.pop();
  heap.orders.pop();
  if (heap.keys.length === 0) heap.nextOrder = 1;
  if (position === last) return;
  siftDown(heap, position);
  siftUp(heap, position);
}

function siftUp(heap: TimerHeap, start: number): void {
  let child = start;
  while (child > 0) {
    const parent = (child - 1) >> 1;
    if (!before(heap, child, parent)) return;
    swap(heap, child, parent);
    child = parent;
  }
}

function siftDown(heap: TimerHeap, start: number): void {
  let parent = start;
  for (;;) {
    const left = 2 * parent + 1;
    if (left >= heap.keys.length) return;
    const right = left + 1;
    const child = right < heap.keys.length && before(heap, right, left) ? right : left;
    if (!before(heap, child, parent)) return;
    swap(heap, child, parent);
    parent = child;
  }
}

function before(heap: TimerHeap, a: number, b: number): boolean {
  const difference = heap.deadlines[a]! - heap.deadlines[b]!;
  return difference !== 0 ? difference < 0 : heap.orders[a]! < heap.orders[b]!;
}

function swap(heap: TimerHeap, a: number, b: number): void {
  const { keys, deadlines, orders, positions } = heap;
  const key = keys[a]!;
  const deadline = deadlines[a]!;
  const order = orders[a]!;
  keys[a] = keys[b]!;
  deadlines[a] = deadlines[b]!;
  orders[a] = orders[b]!;
  keys[b] = key;
  deadlines[b] = deadline;
  orders[b] = order;
  positions.set(keys[a]!, a);
  positions.set(key, b);
}
