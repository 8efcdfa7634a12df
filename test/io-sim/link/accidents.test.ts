/** What befalls packets by accident: clogs, truncation, and being overtaken by a number of others. */
import { describe, expect, it } from "vitest";
import { MICROS_ORIGIN, micros } from "../../../core/index.ts";
import { createEventLoop, EVENT_CLASS, runUntil, schedule } from "../../../io-sim/base/event-loop.ts";
import {
  changeLink,
  createLink,
  type LinkPlan,
  linkConserves,
  linkCounters,
  linkSend,
  type Packet,
  PLAIN_LINK,
} from "../../../io-sim/link/index.ts";
import { steady } from "../../support/stories/link-probe.ts";

const BARE: LinkPlan = { ...PLAIN_LINK, delayMicros: 0 };

describe("a clog", () => {
  /** A packet each millisecond for 20 ms, with the link clogged from 5 ms to 15 ms (or for good). */
  function clogged(ends: boolean) {
    const loop = createEventLoop();
    const got: { id: number; at: number }[] = [];
    const link = createLink(loop, 1, "ana/up", BARE, ({ bytes }) =>
      got.push({ id: bytes[0]!, at: loop.now - MICROS_ORIGIN }),
    );
    const at = (millis: number, act: () => void) =>
      schedule(loop, micros(MICROS_ORIGIN + millis * 1_000), EVENT_CLASS.STEP, act);
    for (let id = 0; id < 20; id++) {
      at(id, () =>
        linkSend(link, {
          bytes: Uint8Array.of(id, 0),
          source: "a:1",
          target: "b:2",
          overheadBytes: 28,
          sentAt: MICROS_ORIGIN,
        }),
      );
    }
    at(5, () => changeLink(link, { clogged: true }));
    if (ends) at(15, () => changeLink(link, { clogged: false }));
    runUntil(loop, micros(MICROS_ORIGIN + 100_000));
    return { got, link };
  }

  it("holds packets, and lets them go at once and in order when it ends", () => {
    const { got, link } = clogged(true);
    expect(got.map(({ id }) => id)).toEqual(Array.from({ length: 20 }, (_, id) => id));
    expect(got.filter(({ at }) => at === 15_000).length).toBe(10);
    expect(linkCounters(link).stations.host.delayedMicros).toBe(1_000 * (1 + 2 + 3 + 4 + 5 + 6 + 7 + 8 + 9));
    expect(linkConserves(linkCounters(link))).toBe(true);
  });

  it("that never ends keeps packets, which count as under way", () => {
    const { got, link } = clogged(false);
    expect(got.length).toBe(6);
    expect(linkCounters(link).underWay).toBe(14);
    expect(linkConserves(linkCounters(link))).toBe(true);
  });
});

describe("truncation", () => {
  it("cuts the end off the stated share of packets, and never the first byte", () => {
    const sizes: number[] = [];
    const loop = createEventLoop();
    const plan = { ...BARE, truncatePpm: 250_000 };
    const link = createLink(loop, 1, "ana/up", plan, ({ bytes }: Packet) => sizes.push(bytes.length));
    const bytes = new Uint8Array(100);
    for (let i = 0; i < 2_000; i++)
      linkSend(link, { bytes, source: "a:1", target: "b:2", overheadBytes: 28, sentAt: MICROS_ORIGIN });
    runUntil(loop, micros(MICROS_ORIGIN + 1_000_000));
    const cut = sizes.filter((size) => size < 100);
    expect(cut.length).toBe(linkCounters(link).truncated);
    expect(Math.abs(cut.length - 500)).toBeLessThan(60);
    expect([Math.min(...cut), Math.max(...cut)]).toEqual([1, 99]);
  });
});

describe("a packet that others overtake", () => {
  it("comes when as many have passed as the plan says", () => {
    const plan: LinkPlan = { ...BARE, reorderPpm: 100_000, reorderMicros: 1_000_000, reorderPackets: [3, 3] };
    const { arrivals, link } = steady(plan, 400, 1_000, 100);
    const late = arrivals.filter(({ at, sentAt }) => at > sentAt);
    expect(late.length).toBeGreaterThan(20);
    expect(linkCounters(link).reordered).toBeGreaterThanOrEqual(late.length);
    for (const { id, at, sentAt } of late) {
      const place = arrivals.findIndex((arrival) => arrival.id === id);
      const passed = arrivals.slice(0, place).filter((arrival) => arrival.id > id);
      expect(passed.length).toBeGreaterThanOrEqual(3);
      expect(at - sentAt).toBeLessThan(10_000);
    }
    expect(linkConserves(linkCounters(link))).toBe(true);
  });

  it("comes after the stated time at the latest, when nobody passes", () => {
    const plan: LinkPlan = { ...BARE, reorderPpm: 1_000_000, reorderMicros: 50_000, reorderPackets: [2, 2] };
    const { arrivals } = steady(plan, 1, 1_000, 100);
    expect(arrivals.map(({ at, sentAt }) => at - sentAt)).toEqual([50_000]);
  });
});
