/**
 * Instruments for links: packets with numbers, a steady stream of them, and a greedy sender that keeps the queue filled.
 */
import { MICROS_ORIGIN, micros } from "../../../core/index.ts";
import { createEventLoop, EVENT_CLASS, type EventLoop, runUntil, schedule } from "../../../io-sim/base/event-loop.ts";
import {
  createLink,
  type Link,
  type LinkPlan,
  linkCounters,
  linkSend,
  type Packet,
} from "../../../io-sim/link/index.ts";

/** A packet that came out of a link; times count from the beginning. */
export interface Arrival {
  readonly id: number;
  readonly sentAt: number;
  readonly at: number;
}

/** A packet that carries its number; `size` counts without headers and is at least 3. */
export function numbered(id: number, size: number): Packet {
  const bytes = new Uint8Array(size);
  bytes[0] = id;
  bytes[1] = id >> 8;
  bytes[2] = id >> 16;
  return { bytes, source: "10.0.0.1:1", target: "10.0.0.2:2", overheadBytes: 28, sentAt: MICROS_ORIGIN };
}

/** Sends `count` packets of `size` bytes, one each `every` microseconds, and says which arrived when. */
export function steady(plan: LinkPlan, count: number, every: number, size: number, seed = 1) {
  const loop = createEventLoop();
  const arrivals: Arrival[] = [];
  const link = createLink(loop, seed, "probe/up", plan, ({ bytes }) => {
    const id = bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16);
    arrivals.push({ id, sentAt: id * every, at: loop.now - MICROS_ORIGIN });
  });
  const send = (id: number) => {
    linkSend(link, numbered(id, size));
    if (id + 1 < count) schedule(loop, micros(MICROS_ORIGIN + (id + 1) * every), EVENT_CLASS.MEDIA, () => send(id + 1));
  };
  schedule(loop, MICROS_ORIGIN, EVENT_CLASS.MEDIA, () => send(0));
  runUntil(loop, micros(MICROS_ORIGIN + count * every + 20_000_000));
  return { arrivals, link };
}

/**
 * Keeps a few packets of `size` bytes in the queue for `forMicros`, and answers the rate of each while it was sent: bits
 * per second, with the microseconds for which it held.
 */
export function greedy(plan: LinkPlan, forMicros: number, size: number, seed = 1) {
  const loop = createEventLoop();
  const rates: { readonly bps: number; readonly micros: number }[] = [];
  let last = loop.now;
  const link: Link = createLink(loop, seed, "probe/up", { ...plan, mtuBytes: 65_000, delayMicros: 0 }, () => {
    const micros = loop.now - last;
    if (micros > 0) rates.push({ bps: ((size + 28) * 8 * 1_000_000) / micros, micros });
    last = loop.now;
    linkSend(link, numbered(0, size));
  });
  for (let i = 0; i < 4; i++) linkSend(link, numbered(0, size));
  runUntil(loop, micros(MICROS_ORIGIN + forMicros));
  return { rates, link, bps: (linkCounters(link).delivered * (size + 28) * 8 * 1_000_000) / forMicros };
}

/** A loop with a link that only the test drives. */
export function idleLink(plan: LinkPlan, seed = 1): { loop: EventLoop; link: Link } {
  const loop = createEventLoop();
  return { loop, link: createLink(loop, seed, "probe/up", plan, () => {}) };
}

/** The mean of some numbers. */
export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The standard deviation of some numbers. */
export function deviationOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return Math.sqrt(meanOf(values.map((value) => (value - mean) * (value - mean))));
}
