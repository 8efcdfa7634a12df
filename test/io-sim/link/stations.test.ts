/** Each station of a link alone: what it does to packets, what it counts, and what it leaves alone. */
import { describe, expect, it } from "vitest";
import { MICROS_ORIGIN, micros } from "../../../core/index.ts";
import { createEventLoop, EVENT_CLASS, runUntil, schedule } from "../../../io-sim/base/event-loop.ts";
import {
  type Bottleneck,
  changeLink,
  createLink,
  type LinkPlan,
  linkCounters,
  linkSend,
  PLAIN_LINK,
} from "../../../io-sim/link/index.ts";
import { type CapacityPlan, linkIsLossy, linkSlowestMicros } from "../../../io-sim/link/plan.ts";
import { type Arrival, greedy, meanOf, numbered, steady } from "../../support/stories/link-probe.ts";

const BARE: LinkPlan = { ...PLAIN_LINK, delayMicros: 0 };

function ids(arrivals: readonly Arrival[]): number[] {
  return arrivals.map(({ id }) => id);
}

function waits(arrivals: readonly Arrival[]): number[] {
  return arrivals.map(({ at, sentAt }) => at - sentAt);
}

/** 1,000 bytes on the wire are 8,000 bits. */
const SIZE = 972;

describe("the sending host", () => {
  it("that stalls sends nothing, and then everything at once and in order", () => {
    const stalls = { everyMicros: [50_000, 50_000], lastsMicros: [20_000, 20_000] } as const;
    const { arrivals, link } = steady({ ...BARE, stalls }, 140, 1_000, 100);
    expect(ids(arrivals)).toEqual(Array.from({ length: 140 }, (_, id) => id));
    expect(arrivals.filter(({ at }) => at === 70_000).length).toBe(21);
    expect(arrivals.some(({ at }) => at >= 50_000 && at < 70_000)).toBe(false);
    const { delayed, delayedMicros } = linkCounters(link).stations.host;
    expect([delayed, delayedMicros]).toEqual([40, 2 * 20 * 10_500]);
  });
});

describe("a capacity", () => {
  /** When packets of 8,000 bits leave that were all there at the beginning. */
  function departures(capacity: CapacityPlan, count: number): number[] {
    const plan = { ...BARE, rateBps: 1_000_000, capacity, queueBytes: 1_000_000 };
    return steady(plan, count, 0, SIZE).arrivals.map(({ at }) => at);
  }

  it("in steps changes in the middle of a packet", () => {
    const steps = [
      { atMicros: 0, bps: 1_000_000 },
      { atMicros: 12_000, bps: 4_000_000 },
    ];
    // The second packet has 4,000 bits left at 12 ms, which take 1 ms.
    expect(departures({ kind: "steps", steps, repeatMicros: 0 }, 3)).toEqual([8_000, 13_000, 15_000]);
  });

  it("of nothing holds packets until there is some again", () => {
    const steps = [
      { atMicros: 0, bps: 0 },
      { atMicros: 500_000, bps: 8_000_000 },
      { atMicros: 501_000, bps: 0 },
    ];
    expect(departures({ kind: "steps", steps, repeatMicros: 1_000_000 }, 2)).toEqual([501_000, 1_501_000]);
  });

  it("on a ramp carries what lies below the line", () => {
    // From 0 to 8 Mbit/s in one second are 4 Mbit, or 500 packets.
    const plan = { kind: "ramp", fromBps: 0, toBps: 8_000_000, overMicros: 1_000_000 } as const;
    const times = departures(plan, 600);
    expect(times.filter((at) => at <= 1_000_000).length).toBe(500);
    expect(times[599]! - times[598]!).toBe(1_000);
    expect(times.filter((at) => at <= 500_000).length).toBe(125);
  });

  it("that oscillates carries its mean over each period", () => {
    const plan = { kind: "oscillation", leastBps: 1_000_000, greatestBps: 7_000_000, periodMicros: 200_000 } as const;
    const times = departures(plan, 550);
    for (const period of [1, 2, 3, 4, 5])
      expect(times.filter((at) => at <= 200_000 * period).length).toBe(100 * period);
    expect(times.filter((at) => at > 50_000 && at <= 150_000).length).toBeGreaterThan(65);
  });

  it("of a trace lets 1,500 bytes leave at each opportunity, and none is kept for later", () => {
    const capacity = { kind: "trace", opportunitiesMicros: [1_000, 5_000, 6_000], periodMicros: 10_000 } as const;
    const plan = { ...BARE, rateBps: 1_000_000, capacity, queueBytes: 1_000_000 };
    // Of 500-byte packets three leave at once; of 1,000-byte ones two need two opportunities.
    expect(steady(plan, 6, 0, 472).arrivals.map(({ at }) => at)).toEqual([1_000, 1_000, 1_000, 5_000, 5_000, 5_000]);
    expect(steady(plan, 3, 0, SIZE).arrivals.map(({ at }) => at)).toEqual([1_000, 5_000, 5_000]);
    expect(steady(plan, 3, 8_000, 472).arrivals.map(({ at }) => at)).toEqual([1_000, 11_000, 21_000]);
  });

  it("that walks spends equal times on all levels", () => {
    const levelsBps = [1_000_000, 2_000_000, 4_000_000, 8_000_000];
    const plan = {
      ...BARE,
      rateBps: 4_000_000,
      capacity: { kind: "markov", levelsBps, dwellMicros: 50_000, reach: 2 },
    };
    const { rates } = greedy(plan as LinkPlan, 200_000_000, 1_000);
    const total = rates.reduce((sum, { micros }) => sum + micros, 0);
    for (const level of levelsBps) {
      const near = rates.filter(({ bps }) => Math.abs(bps - level) < level * 0.03);
      const share = near.reduce((sum, { micros }) => sum + micros, 0) / total;
      expect(share).toBeGreaterThan(0.15);
      expect(share).toBeLessThan(0.3);
    }
  });

  it("that the plan changes reaches the packet that is being sent", () => {
    const loop = createEventLoop();
    const arrivedAt: number[] = [];
    const link = createLink(loop, 1, "test", { ...BARE, rateBps: 1 }, () => arrivedAt.push(loop.now - MICROS_ORIGIN));
    linkSend(link, numbered(0, SIZE));
    runUntil(loop, micros(MICROS_ORIGIN + 1_000_000));
    changeLink(link, { rateBps: 8_000_000 });
    runUntil(loop, micros(MICROS_ORIGIN + 2_000_000));
    expect(arrivedAt.length).toBe(1);
    expect(arrivedAt[0]!).toBeLessThan(1_101_000);
  });
});

describe("a queue", () => {
  it("of packets drops by count, and one of time by the capacity's time", () => {
    const plan = { ...BARE, rateBps: 1_000_000, queueBytes: 1_000_000 };
    expect(steady({ ...plan, queuePackets: 25 }, 100, 0, SIZE).arrivals.length).toBe(25);
    expect(steady({ ...plan, queueMicros: 300_000 }, 100, 0, SIZE).arrivals.length).toBe(37);
  });

  it("under CoDel stands near 5 ms before a sender that yields, and without it at its end", () => {
    const [managed, unmanaged] = [true, false].map((codel) => {
      const plan = { ...BARE, rateBps: 10_000_000, queueMicros: 1_000_000, queueBytes: 1_000_000_000, codel };
      return yielding(plan);
    });
    expect(meanOf(managed!)).toBeLessThan(20_000);
    expect(meanOf(unmanaged!)).toBeGreaterThan(100_000);
  });

  it("under CoDel loses nothing as long as it is short", () => {
    const plan = { ...BARE, rateBps: 10_000_000, codel: true };
    expect(steady(plan, 10_000, 900, SIZE).arrivals.length).toBe(10_000);
  });

  it("that two links share is one queue", () => {
    const loop = createEventLoop();
    const shares = new Map<string, Bottleneck>();
    const plan = { ...BARE, rateBps: 8_000_000, shared: "house/up" };
    const order: string[] = [];
    const [ana, bob] = ["ana", "bob"].map((name) =>
      createLink(loop, 1, `${name}/up`, plan, () => order.push(`${name} ${loop.now - MICROS_ORIGIN}`), shares),
    );
    for (const link of [ana!, bob!, ana!]) linkSend(link, numbered(0, SIZE));
    runUntil(loop, micros(MICROS_ORIGIN + 100_000));
    expect(order).toEqual(["ana 1000", "bob 2000", "ana 3000"]);
    expect([linkCounters(ana!).delivered, linkCounters(bob!).delivered]).toEqual([2, 1]);
  });

  it("with strangers in it comes to rest when nobody needs it", () => {
    const loop = createEventLoop();
    const cross = { bps: 4_000_000, packetBytes: 1_000, onMicros: 50_000, offMicros: 50_000 };
    const link = createLink(loop, 1, "test", { ...BARE, rateBps: 5_000_000, cross }, () => {});
    linkSend(link, numbered(0, SIZE));
    runUntil(loop, micros(MICROS_ORIGIN + 60_000_000));
    expect(link.bottleneck.cross.packets).toBeGreaterThan(50);
    expect(link.bottleneck.cross.packets).toBeLessThan(600);
    expect(loop.heap.length).toBe(0);
  });
});

/** The time that packets of a window sender wait: each arrival widens its window a little, each gap halves it. */
function yielding(plan: LinkPlan): number[] {
  const loop = createEventLoop();
  const sentAt = new Map<number, number>();
  const waited: number[] = [];
  const state = { next: 0, window: 4, flying: 0 };
  const fill = () => {
    for (; state.flying < Math.floor(state.window); state.flying++) {
      sentAt.set(state.next, loop.now);
      linkSend(link, numbered(state.next++, SIZE));
    }
  };
  const link = createLink(loop, 1, "test", plan, ({ bytes }) => {
    const id = bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16);
    if (loop.now > MICROS_ORIGIN + 5_000_000) waited.push(loop.now - sentAt.get(id)!);
    state.flying--;
    state.window += 1 / state.window;
    schedule(loop, micros(loop.now + 20_000), EVENT_CLASS.MEDIA, fill);
  });
  link.onDrop = () => {
    state.flying--;
    state.window = Math.max(2, state.window / 2);
  };
  fill();
  runUntil(loop, micros(MICROS_ORIGIN + 30_000_000));
  return waited;
}

describe("a medium", () => {
  it("with slots lets everything leave together at the next one", () => {
    const { arrivals } = steady({ ...BARE, mac: { kind: "slots", everyMicros: 2_000 } }, 100, 300, 100);
    const phase = arrivals[0]!.at % 2_000;
    expect(arrivals.every(({ at, sentAt }) => at % 2_000 === phase && at - sentAt < 2_000)).toBe(true);
  });

  it("with grants keeps who asks waiting, and lets what has gathered go along", () => {
    const { arrivals, link } = steady(
      { ...BARE, mac: { kind: "grants", waitMicros: [3_000, 9_000] } },
      2_000,
      500,
      100,
    );
    expect(Math.max(...waits(arrivals))).toBeLessThanOrEqual(9_000);
    expect(new Set(arrivals.map(({ at }) => at)).size).toBeLessThan(400);
    expect(ids(arrivals)).toEqual(Array.from({ length: 2_000 }, (_, id) => id));
    expect(linkCounters(link).stations.mac.delayed).toBeGreaterThan(1_500);
  });

  it("with repetition gives up after its tries, and keeps the order", () => {
    const arq = { failPpm: 500_000, waitMicros: [4_000, 8_000], triesMax: 3 } as const;
    const { arrivals, link } = steady({ ...BARE, arq }, 8_000, 20_000, 100);
    expect(linkCounters(link).droppedByArq / 8_000).toBeGreaterThan(0.11);
    expect(linkCounters(link).droppedByArq / 8_000).toBeLessThan(0.14);
    expect(Math.max(...waits(arrivals))).toBeLessThanOrEqual(24_000 + 24_000);
    const dense = ids(steady({ ...BARE, arq }, 1_000, 100, 100).arrivals);
    expect(dense).toEqual([...dense].sort((a, b) => a - b));
  });
});

describe("the receiving host", () => {
  it("hands over in batches, the first packet after the whole time", () => {
    const { arrivals, link } = steady({ ...BARE, batchMicros: 5_000 }, 100, 1_000, 100);
    expect(arrivals.slice(0, 6).map(({ at }) => at)).toEqual([5_000, 5_000, 5_000, 5_000, 5_000, 10_000]);
    expect(linkCounters(link).stations.receiver.delayed).toBe(100);
  });

  it("loses what its buffer does not hold", () => {
    const { arrivals, link } = steady({ ...BARE, batchMicros: 10_000, receiveBufferBytes: 350 }, 9, 1_000, 100);
    expect(ids(arrivals)).toEqual([0, 1, 2]);
    expect(linkCounters(link).droppedByReceiveBuffer).toBe(6);
  });
});

describe("a change of plan", () => {
  it("lets the outages of both directions begin anew together", () => {
    const outages = { everyMicros: [1_000_000, 9_000_000], lastsMicros: [100_000, 900_000] } as const;
    const [up, down] = ["up", "down"].map((direction) => {
      const loop = createEventLoop();
      const lost: number[] = [];
      const link = createLink(loop, 3, `ana/${direction}`, { ...BARE, outages }, () => {});
      link.onDrop = () => lost.push(loop.now - MICROS_ORIGIN);
      for (let i = 0; i < 20_000; i++) {
        runUntil(loop, micros(MICROS_ORIGIN + i * 5_000));
        if (i === 10_000) changeLink(link, { outages: { ...outages } });
        // One direction is silent for a while before the change.
        if (direction === "up" || i > 10_000) linkSend(link, numbered(0, 10));
      }
      return lost.filter((at) => at >= 50_000_000);
    });
    expect(up!.length).toBeGreaterThan(100);
    expect(up).toEqual(down);
  });

  it("into another bottleneck loses nothing that waits in the old one", () => {
    const loop = createEventLoop();
    let arrived = 0;
    const link = createLink(loop, 1, "test", { ...BARE, rateBps: 1_000_000 }, () => arrived++);
    for (let i = 0; i < 10; i++) linkSend(link, numbered(i, SIZE));
    changeLink(link, { shared: "elsewhere", rateBps: 100_000_000 });
    for (let i = 0; i < 10; i++) linkSend(link, numbered(i, SIZE));
    runUntil(loop, micros(MICROS_ORIGIN + 10_000_000));
    expect(arrived).toBe(20);
  });
});

describe("a station's chance", () => {
  it("moves no other station's: with the same seed the same packets are lost, whatever else is drawn", () => {
    const lossy = { ...BARE, lossPpm: 100_000 };
    const lost = (plan: LinkPlan) => new Set(ids(steady(plan, 3_000, 10_000, 100).arrivals));
    const alone = lost(lossy);
    expect(alone.size).toBeLessThan(2_800);
    expect(lost({ ...lossy, jitterMicros: 2_000 })).toEqual(alone);
    expect(lost({ ...lossy, mac: { kind: "grants", waitMicros: [1_000, 5_000] } })).toEqual(alone);
    expect(lost({ ...lossy, duplicatePpm: 500_000, reorderPpm: 100_000, reorderMicros: 5_000 })).toEqual(alone);
  });

  it("in one direction moves nothing in the other", () => {
    const other = (up: Partial<LinkPlan>) => {
      const loop = createEventLoop();
      const arrivals: string[] = [];
      const uplink = createLink(loop, 1, "ana/up", { ...BARE, ...up }, () => {});
      const plan = { ...BARE, lossPpm: 100_000, jitterMicros: 3_000, rateBps: 2_000_000 };
      const downlink = createLink(loop, 1, "ana/down", plan, (packet) =>
        arrivals.push(`${packet.bytes[0]} ${loop.now}`),
      );
      for (let i = 0; i < 500; i++) {
        runUntil(loop, micros(MICROS_ORIGIN + i * 1_000));
        linkSend(uplink, numbered(i, 100));
        linkSend(downlink, numbered(i, 100));
      }
      runUntil(loop, micros(MICROS_ORIGIN + 2_000_000));
      return { arrivals, counters: linkCounters(downlink) };
    };
    const bad = { lossPpm: 300_000, jitterMicros: 9_000, rateBps: 100_000, duplicatePpm: 200_000, corruptPpm: 99_000 };
    expect(other(bad)).toEqual(other({}));
  });
});

describe("what a link is said to be", () => {
  it("covers every delay that it really makes", () => {
    const plan: LinkPlan = {
      ...PLAIN_LINK,
      stalls: { everyMicros: [100_000, 300_000], lastsMicros: [1_000, 30_000] },
      mac: { kind: "grants", waitMicros: [1_000, 20_000] },
      swing: { byMicros: 5_000, everyMicros: 100_000 },
      jitterMicros: 1_000,
      batchMicros: 2_000,
      handovers: {
        everyMicros: 500_000,
        spikesMicros: [40_000],
        spikeLastsMicros: 50_000,
        lossyPpm: 0,
        lossPpm: 0,
        lossLastsMicros: [1, 1],
      },
    };
    const longest = Math.max(...waits(steady(plan, 5_000, 10_000, 100).arrivals));
    expect(longest).toBeLessThanOrEqual(linkSlowestMicros(plan));
    expect(longest).toBeGreaterThan(0.6 * linkSlowestMicros(plan));
    expect([linkIsLossy(PLAIN_LINK), linkIsLossy(plan)]).toEqual([false, true]);
  });
});
