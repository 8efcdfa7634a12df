/**
 * The one queue that makes time pass.
 *
 * Everything in a simulated world happens as an event of this loop: datagrams that arrive, timers, frames that a camera
 * hands over. Events are ordered by (time, class, tie, insertion). Time is whole microseconds from MICROS_ORIGIN and jumps
 * from event to event, there are no ticks. `tie` is zero in an ordinary run, so what is simultaneous happens in the order
 * of its insertion; a perturbed run passes a keyed source of ties, and simultaneous events of a class change places.
 *
 * Events of one lane never do. A lane is whatever keeps its order by nature, such as a link; an event is in the lane of the
 * one that led to it unless it is put into another.
 *
 * What is nearly simultaneous changes places when there is a window. Then each lane is a door that is opened now and then,
 * as a host reads its sockets one after the other: what comes waits until then, for no longer than the window. So nothing
 * happens before it may, and a lane still keeps its order. Only what comes over a way waits ({@link scheduleArrival}):
 * clocks, cameras and steps are on time, and being overtaken by those that wait changes places with them too.
 */
import { MICROS_ORIGIN, type Micros, micros } from "../../core/index.ts";

/**
 * What an event is, in the order in which simultaneous ones happen: the plan's own steps come first. What shards tell each
 * other comes before any datagram, so that over ways without delay a datagram has led to all that it leads to before the
 * next one, as on one shard.
 */
export const EVENT_CLASS = { STEP: 0, RELAY: 1, DATAGRAM: 2, TIMER: 3, MEDIA: 4 } as const;

/** An event that waits for its time; {@link cancel} takes it back. */
export interface LoopEvent {
  time: Micros;
  readonly eventClass: number;
  tie: number;
  order: number;
  readonly lane: number;
  run: Act | undefined;
  /** What `run` gets: making this costs less than making a function that knows it. */
  what: unknown;
  /** What hangs on this one: the event that comes right after it whatever else is scheduled. */
  next: LoopEvent | undefined;
}

/** What happens in an event. */
type Act = (what: never) => void;

/** The loop; make it with {@link createEventLoop} and leave its fields to the functions below. */
export interface EventLoop {
  /** When it began. */
  readonly origin: Micros;
  now: Micros;
  /**
   * A heap with four below each, and beside it the times of its events: most comparisons touch nothing else. An event that is
   * scheduled right after another for the same time, as when a packet goes to everybody in a room, is not in it: it hangs on
   * that other one, and takes its place.
   */
  readonly heap: LoopEvent[];
  times: Float64Array;
  /** The event that was scheduled last, while it waits. */
  last: LoopEvent | undefined;
  /** How many events have been scheduled, and how many have run. */
  scheduled: number;
  ran: number;
  /** The insertion number of the event that runs, -1 before the first; and its lane. */
  running: number;
  lane: number;
  /** How many lanes there are; the first, 0, is for what is in no other. */
  lanes: number;
  /** By insertion number: the event that scheduled this one, -1 for nobody. For tools that ask why; else undefined. */
  lineage: number[] | undefined;
  /** Where ties come from, or undefined for first come, first served. */
  readonly ties: Ties | undefined;
  /** How long what comes over a way may have to wait, in a perturbed run. */
  readonly windowMicros: number;
}

/** A 32-bit number that says where among what is simultaneous a lane's turn is; times count from the loop's beginning. */
export type Ties = (lane: number, time: number) => number;

/** Events that there is room for at first; the room doubles. */
const TIMES_AT_FIRST = 1_024;

/** A loop without events. `ties` perturbs the order of what is simultaneous, and of what is `windowMicros` apart. */
export function createEventLoop(ties?: Ties, origin: Micros = MICROS_ORIGIN, windowMicros = 0): EventLoop {
  const counts = { scheduled: 0, ran: 0, running: -1, lane: 0, lanes: 1 };
  return {
    origin,
    now: origin,
    heap: [],
    times: new Float64Array(TIMES_AT_FIRST),
    last: undefined,
    ...counts,
    lineage: undefined,
    ties,
    windowMicros,
  };
}

/** A lane that nothing is in yet. */
export function createLane(loop: EventLoop): number {
  return loop.lanes++;
}

/** Lets `run` happen at `time`; what lies in the past happens now, after everything that was scheduled for now. */
export function schedule(
  loop: EventLoop,
  time: Micros,
  eventClass: number,
  run: () => void,
  lane: number = loop.lane,
): LoopEvent {
  return scheduleWith(loop, time, eventClass, run, undefined, lane);
}

function scheduleWith(
  loop: EventLoop,
  time: Micros,
  eventClass: number,
  run: Act,
  what: unknown,
  lane: number,
): LoopEvent {
  const event: LoopEvent = { time, eventClass, tie: 0, order: 0, lane, run, what, next: undefined };
  enqueue(loop, event, time);
  return event;
}

/** Lets an event that is happening, or has happened, happen again at `time`, as if it were made anew. */
export function scheduleAgain(loop: EventLoop, event: LoopEvent, time: Micros, run: () => void): void {
  event.run = run;
  enqueue(loop, event, time);
}

function enqueue(loop: EventLoop, event: LoopEvent, time: Micros): void {
  const at = time < loop.now ? loop.now : time;
  event.time = at;
  event.tie = loop.ties === undefined ? 0 : loop.ties(event.lane, at - loop.origin);
  event.order = loop.scheduled++;
  loop.lineage?.push(loop.running);
  const { last } = loop;
  loop.last = event;
  // Nothing can ever come between the two: the numbers of their insertion are neighbours.
  if (last !== undefined && last.time === at && last.eventClass === event.eventClass && last.tie === event.tie) {
    last.next = event;
  } else push(loop, event);
}

/**
 * Lets `run` happen, of `what`, when something comes over the way of this lane: at `time`, or when its door is opened after
 * that.
 */
export function scheduleArrival<What>(
  loop: EventLoop,
  time: Micros,
  run: (what: What) => void,
  what: What,
  lane: number,
  eventClass: number = EVENT_CLASS.DATAGRAM,
): void {
  const { ties, windowMicros } = loop;
  if (ties === undefined || windowMicros === 0) scheduleWith(loop, time, eventClass, run, what, lane);
  else scheduleAtDoor(loop, ties, time, eventClass, () => run(what), lane);
}

function scheduleAtDoor(
  loop: EventLoop,
  ties: Ties,
  time: Micros,
  eventClass: number,
  run: () => void,
  lane: number,
): void {
  const { windowMicros, lineage } = loop;
  const comes = () => {
    // Also what comes at the very moment of opening stands behind those who wait.
    const opensAt = loop.origin + doorOpensAt(ties, windowMicros, lane, loop.now - loop.origin);
    if (opensAt < loop.now) run();
    else {
      const waits = schedule(loop, micros(opensAt), eventClass, run, lane);
      if (lineage !== undefined) lineage[waits.order] = lineage[arrival.order]!;
    }
  };
  const arrival = schedule(loop, time, eventClass, comes, lane);
}

/** When a lane is looked at in the window around `time`; each lane has windows of its own, one after the other. */
function doorOpensAt(ties: Ties, windowMicros: number, lane: number, time: number): number {
  const spanMicros = windowMicros + 1;
  const begins = time - ((time + ties(lane, 0)) % spanMicros);
  return begins + (ties(lane, begins) % spanMicros);
}

/** Takes an event back; nothing happens when it has run already. */
export function cancel(event: LoopEvent | undefined): void {
  if (event !== undefined) event.run = undefined;
}

/** Lets an event that waits happen at another time, as if it had been scheduled for that just now, but by who did. */
export function postpone(loop: EventLoop, event: LoopEvent, time: Micros): LoopEvent {
  const { run, eventClass, lane, order, what } = event;
  if (run === undefined) return event;
  event.run = undefined;
  const later = scheduleWith(loop, time, eventClass, run, what, lane);
  if (loop.lineage !== undefined) loop.lineage[later.order] = loop.lineage[order]!;
  return later;
}

/** How many events are still to happen. */
export function countWaiting({ heap }: EventLoop): number {
  let count = 0;
  for (const first of heap) {
    for (let event: LoopEvent | undefined = first; event !== undefined; event = event.next) {
      if (event.run !== undefined) count++;
    }
  }
  return count;
}

/** Runs every event up to and including `time`, then lets the clock stand there. */
export function runUntil(loop: EventLoop, time: Micros): void {
  while (loop.heap.length > 0 && loop.heap[0]!.time <= time) step(loop);
  if (time > loop.now) loop.now = time;
}

/** Runs the next event; answers false when there is none. */
export function step(loop: EventLoop): boolean {
  const event = pop(loop);
  if (event === undefined) return false;
  loop.now = event.time;
  const { run, what } = event;
  if (run !== undefined) {
    // What has happened keeps nothing alive: the engine may hold on to events for a while, and packets are large.
    event.run = undefined;
    event.what = undefined;
    loop.ran++;
    loop.running = event.order;
    loop.lane = event.lane;
    run(what as never);
  }
  return true;
}

/** Whether of two events at the same time the first comes first. */
function precedes(a: LoopEvent, b: LoopEvent): boolean {
  if (a.eventClass !== b.eventClass) return a.eventClass < b.eventClass;
  if (a.tie !== b.tie) return a.tie < b.tie;
  return a.order < b.order;
}

function push(loop: EventLoop, event: LoopEvent): void {
  const { heap } = loop;
  if (heap.length === loop.times.length) {
    const more = new Float64Array(2 * heap.length);
    more.set(loop.times);
    loop.times = more;
  }
  const { times } = loop;
  const { time } = event;
  let child = heap.length;
  heap.push(event);
  while (child > 0) {
    const parent = (child - 1) >> 2;
    const above = times[parent]!;
    if (above < time || (above === time && !precedes(event, heap[parent]!))) break;
    heap[child] = heap[parent]!;
    times[child] = above;
    child = parent;
  }
  heap[child] = event;
  times[child] = time;
}

/** Takes the first event out; what hangs on it stands in its place, before everything else as well. */
function pop(loop: EventLoop): LoopEvent | undefined {
  const { heap } = loop;
  const first = heap[0];
  if (first === undefined) return undefined;
  const { next } = first;
  if (next !== undefined) {
    first.next = undefined;
    heap[0] = next;
    return first;
  }
  if (first === loop.last) loop.last = undefined;
  const last = heap.pop()!;
  if (heap.length > 0) sink(loop, last);
  return first;
}

/** Puts an event into the place of the first, and then below all that come before it. */
function sink({ heap, times }: EventLoop, last: LoopEvent): void {
  const { length } = heap;
  const { time } = last;
  let parent = 0;
  for (;;) {
    let child = 4 * parent + 1;
    if (child >= length) break;
    let below = times[child]!;
    const end = child + 4 < length ? child + 4 : length;
    for (let other = child + 1; other < end; other++) {
      const beside = times[other]!;
      if (beside > below || (beside === below && !precedes(heap[other]!, heap[child]!))) continue;
      child = other;
      below = beside;
    }
    if (below > time || (below === time && !precedes(heap[child]!, last))) break;
    heap[parent] = heap[child]!;
    times[parent] = below;
    parent = child;
  }
  heap[parent] = last;
  times[parent] = time;
}
