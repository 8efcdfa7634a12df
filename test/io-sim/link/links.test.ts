/** What each station of a link does to packets, and that packets are conserved. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MICROS_ORIGIN, micros } from "../../../core/index.ts";
import { createEventLoop, EVENT_CLASS, runUntil, schedule } from "../../../io-sim/base/event-loop.ts";
import { STATIONS } from "../../../io-sim/link/counters.ts";
import {
  changeLink,
  createLink,
  type Link,
  type LinkPlan,
  linkConserves,
  linkCounters,
  linkDropped,
  linkQueueMicros,
  linkSend,
  PLAIN_LINK,
} from "../../../io-sim/link/index.ts";

interface Arrival {
  readonly at: number;
  readonly id: number;
  readonly bytes: Uint8Array;
}

/** Sends `count` packets of `size` bytes, one each `every` microseconds, over a link, and says what arrived when. */
function send(change: Partial<LinkPlan>, count: number, every: number, size = 100, seed = 1) {
  const loop = createEventLoop();
  const arrivals: Arrival[] = [];
  const link = createLink(loop, seed, "test", { ...PLAIN_LINK, delayMicros: 0, ...change }, ({ bytes }) => {
    arrivals.push({ at: loop.now - MICROS_ORIGIN, id: (bytes[1]! << 8) | bytes[2]!, bytes });
  });
  for (let i = 0; i < count; i++) {
    schedule(loop, micros(MICROS_ORIGIN + i * every), EVENT_CLASS.MEDIA, () => linkSend(link, packet(i, size)));
  }
  runUntil(loop, micros(MICROS_ORIGIN + count * every + 10_000_000));
  return { arrivals, link };
}

function packet(id: number, size: number, sentAt = MICROS_ORIGIN) {
  const bytes = new Uint8Array(size);
  bytes[0] = 0x80;
  bytes[1] = id >> 8;
  bytes[2] = id;
  return { bytes, source: "10.0.0.1:1", target: "10.0.0.2:2", overheadBytes: 28, sentAt };
}

function ids(arrivals: readonly Arrival[]): number[] {
  return arrivals.map(({ id }) => id);
}

function inOrder(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

describe("a plain link", () => {
  it("delivers every byte after its delay and in order", () => {
    const { arrivals } = send({ delayMicros: 25_000 }, 100, 1_000);
    expect(ids(arrivals)).toEqual(inOrder(100));
    expect(arrivals.map(({ at }, index) => at - 1_000 * index)).toEqual(inOrder(100).map(() => 25_000));
    expect(arrivals[7]!.bytes).toEqual(packet(7, 100).bytes);
  });
});

describe("jitter", () => {
  it("moves packets and never lets one overtake another", () => {
    const { arrivals } = send({ delayMicros: 20_000, jitterMicros: 5_000 }, 2_000, 500);
    expect(ids(arrivals)).toEqual(inOrder(2_000));
    expect(new Set(arrivals.map(({ at, id }) => at - 500 * id)).size).toBeGreaterThan(500);
  });
});

describe("loss", () => {
  it("loses the share that it is told to", () => {
    const { link } = send({ lossPpm: 100_000 }, 20_000, 100);
    expect(linkCounters(link).droppedByLoss).toBeGreaterThan(1_850);
    expect(linkCounters(link).droppedByLoss).toBeLessThan(2_150);
  });

  it("comes in bursts as long as the bad times, however dense the packets are", () => {
    const burst = { burstGoodMicros: 400_000, burstBadMicros: 20_000, burstLossPpm: 1_000_000 };
    const { arrivals, link } = send(burst, 50_000, 200);
    const share = linkCounters(link).droppedByBurst / 50_000;
    expect(Math.abs(share - 20 / 420)).toBeLessThan(0.012);
    const gaps = arrivals.map(({ id }, index) => (index === 0 ? 0 : id - arrivals[index - 1]!.id - 1));
    const bursts = gaps.filter((gap) => gap > 0);
    const meanMicros = (bursts.reduce((sum, gap) => sum + gap, 0) / bursts.length) * 200;
    expect(Math.abs(meanMicros - 20_000)).toBeLessThan(4_000);
  });

  it("of the handshake takes the datagrams that the plan names", () => {
    const loop = createEventLoop();
    const seen: number[] = [];
    const link = createLink(loop, 1, "test", { ...PLAIN_LINK, loseDtls: [1] }, ({ bytes }) => seen.push(bytes[2]!));
    for (let i = 0; i < 3; i++) {
      const dtls = packet(i, 50);
      dtls.bytes[0] = 22;
      linkSend(link, dtls);
      linkSend(link, packet(10 + i, 50));
    }
    runUntil(loop, micros(MICROS_ORIGIN + 1_000_000));
    expect(seen).toEqual([0, 10, 11, 2, 12]);
  });
});

describe("a bottleneck", () => {
  it("passes exactly its rate, with the remainder of each packet carried on", () => {
    // 128 bytes on the wire are 1,024 bits: at 3,000,000 bit/s 341 1/3 µs each.
    const { arrivals } = send({ rateBps: 3_000_000, queueBytes: 1_000_000 }, 3_000, 1);
    expect(arrivals[2_999]!.at).toBe(1_024_000);
  });

  it("drops what its queue does not hold, and only that", () => {
    const { arrivals, link } = send({ rateBps: 1_000_000, queueBytes: 1_280 }, 100, 1);
    expect(arrivals.length).toBe(10);
    expect(linkCounters(link).droppedByQueue).toBe(90);
  });

  it.each<Partial<LinkPlan>>([
    { queueBytes: 20_000 },
    { queueBytes: 1_000_000, queuePackets: 10, mtuBytes: 128 },
    { queueBytes: 1_000_000, queueMicros: 50_000 },
  ])("keeps no packet longer than is known of its queue, and some almost as long: %j", (queue) => {
    const plan = { ...PLAIN_LINK, delayMicros: 0, rateBps: 1_000_000, ...queue };
    const { arrivals } = send(plan, 400, 10);
    const longest = Math.max(...arrivals.map(({ at, id }) => at - id * 10));
    expect(longest).toBeLessThanOrEqual(linkQueueMicros(plan));
    expect(longest).toBeGreaterThan(0.9 * linkQueueMicros(plan));
    expect(linkQueueMicros({ ...plan, rateBps: 0 })).toBe(0);
  });

  it("counts the headers of IP and UDP", () => {
    const { arrivals } = send({ rateBps: 8_000_000, queueBytes: 10_000 }, 1, 1, 1_000);
    expect(arrivals[0]!.at).toBe(1_028);
  });

  it("still doubles packets", () => {
    const { arrivals } = send({ rateBps: 1_000_000, duplicatePpm: 1_000_000 }, 10, 10_000);
    expect(arrivals.length).toBe(20);
  });
});

describe("accidents", () => {
  it("hold a packet back so that others overtake it, and hold up nobody else", () => {
    const { arrivals, link } = send({ reorderPpm: 50_000, reorderMicros: 20_000 }, 2_000, 1_000);
    const late = arrivals.filter(({ at, id }) => at > 1_000 * id);
    expect(late.length).toBe(linkCounters(link).reordered);
    expect(late.length).toBeGreaterThan(60);
    expect(ids(arrivals)).not.toEqual(inOrder(2_000));
  });

  it("double packets, the second at most as late as the plan says", () => {
    const { arrivals } = send({ duplicatePpm: 1_000_000, duplicateMicros: 5_000 }, 100, 10_000);
    for (let id = 0; id < 100; id++) {
      const [first, second] = arrivals.filter((arrival) => arrival.id === id);
      expect(second!.at - first!.at).toBeLessThanOrEqual(5_000);
      expect(second!.bytes).toEqual(first!.bytes);
    }
  });

  it("flip bits in a copy and leave the sender's bytes alone", () => {
    const loop = createEventLoop();
    const original = packet(1, 100);
    const arrived: Uint8Array[] = [];
    const link = createLink(loop, 1, "test", { ...PLAIN_LINK, corruptPpm: 1_000_000 }, ({ bytes }) => {
      arrived.push(bytes);
    });
    linkSend(link, original);
    runUntil(loop, micros(MICROS_ORIGIN + 1_000_000));
    expect(arrived[0]).not.toEqual(original.bytes);
    expect(original.bytes).toEqual(packet(1, 100).bytes);
  });
});

describe("a cut", () => {
  it("lets nothing pass, not even what is under way", () => {
    const loop = createEventLoop();
    let arrived = 0;
    const link = createLink(loop, 1, "test", PLAIN_LINK, () => arrived++);
    linkSend(link, packet(1, 100));
    changeLink(link, { cut: true });
    linkSend(link, packet(2, 100));
    runUntil(loop, micros(MICROS_ORIGIN + 1_000_000));
    expect([arrived, linkCounters(link).droppedByCut]).toEqual([0, 2]);
  });
});

describe("a link that does nothing but take its time", () => {
  it("carries packets and counts them as if they had been to each station, whatever it becomes", () => {
    const loop = createEventLoop();
    const arrivals: [number, number][][] = [[], []];
    // A connection that may be idle for hours is looked after at the gate, so nothing goes straight.
    const links = [PLAIN_LINK, { ...PLAIN_LINK, idleMicros: 10_000_000_000 }].map((plan, which) =>
      createLink(loop, 1, "test", plan, ({ bytes }) => arrivals[which]!.push([loop.now, bytes.length])),
    );
    expect(links.map(({ straightBytesMax }) => straightBytesMax)).toEqual([1_500, -1]);
    const changes = [{ delayMicros: 3_000 }, { cut: true }, { cut: false }, { clogged: true }, { clogged: false }];
    for (let turn = 0; turn < 60; turn++) {
      for (const link of links) {
        linkSend(link, packet(turn, 100 + 30 * turn, loop.now));
        if (turn % 10 === 9) changeLink(link, changes[(turn - 9) / 10] ?? {});
      }
      runUntil(loop, micros(loop.now + 1_000));
      const [straight, byStations] = links.map(linkCounters);
      expect(straight).toEqual(byStations);
      expect(linkConserves(straight!)).toBe(true);
    }
    expect(arrivals[0]).toEqual(arrivals[1]);
    const { delivered, droppedByCut, droppedByMtu } = linkCounters(links[0]!);
    expect([delivered > 20, droppedByCut > 10, droppedByMtu > 0]).toEqual([true, true, true]);
  });
});

describe("the MTU", () => {
  it("swallows what is larger, headers included", () => {
    const { arrivals, link } = send({ mtuBytes: 1_280 }, 2, 1, 1_253);
    expect([arrivals.length, linkCounters(link).droppedByMtu]).toEqual([0, 2]);
    expect(send({ mtuBytes: 1_280 }, 2, 1, 1_252).arrivals.length).toBe(2);
  });
});

describe("every link", () => {
  const share = fc.integer({ min: 0, max: 400_000 });
  const plans = fc.record({
    jitterMicros: fc.integer({ min: 0, max: 10_000 }),
    lossPpm: share,
    burstGoodMicros: fc.integer({ min: 1, max: 100_000 }),
    burstBadMicros: fc.integer({ min: 0, max: 50_000 }),
    burstLossPpm: share,
    reorderPpm: share,
    reorderMicros: fc.integer({ min: 1, max: 100_000 }),
    duplicatePpm: share,
    duplicateMicros: fc.integer({ min: 0, max: 100_000 }),
    corruptPpm: share,
    rateBps: fc.constantFrom(0, 100_000, 1_000_000),
    queueBytes: fc.integer({ min: 0, max: 20_000 }),
    queuePackets: fc.integer({ min: 0, max: 10 }),
    codel: fc.boolean(),
    stalls: fc.constantFrom(null, { everyMicros: [10_000, 40_000], lastsMicros: [1_000, 20_000] } as const),
    outages: fc.constantFrom(null, { everyMicros: [10_000, 40_000], lastsMicros: [1_000, 20_000] } as const),
    mac: fc.constantFrom(
      null,
      { kind: "slots", everyMicros: 3_000 } as const,
      { kind: "grants", waitMicros: [1_000, 9_000] } as const,
    ),
    arq: fc.constantFrom(null, { failPpm: 300_000, waitMicros: [1_000, 5_000], triesMax: 2 } as const),
    policerBps: fc.constantFrom(0, 0, 500_000),
    policerBurstBytes: fc.constant(2_000),
    cross: fc.constantFrom(null, { bps: 400_000, packetBytes: 300, onMicros: 9_000, offMicros: 9_000 }),
    udp: fc.constantFrom("passes", "passes", "tunnelled", "dropped"),
    batchMicros: fc.constantFrom(0, 4_000),
    receiveBufferBytes: fc.constantFrom(400, 100_000),
  });

  it("conserves packets at each station and at any moment", () => {
    fc.assert(
      fc.property(plans, fc.integer({ min: 1, max: 300_000 }), (plan, until) => {
        const loop = createEventLoop();
        const link = createLink(loop, 1, "test", { ...PLAIN_LINK, ...(plan as Partial<LinkPlan>) }, () => {});
        for (let i = 0; i < 200; i++) {
          runUntil(loop, micros(MICROS_ORIGIN + Math.min(until, i * 700)));
          linkSend(link, packet(i, 100));
          expect(linkConserves(linkCounters(link))).toBe(true);
        }
        const { underWay, stations } = linkCounters(link);
        const held = STATIONS.map((name) => {
          const { entered, made, left, dropped } = stations[name];
          return entered + made - left - dropped;
        });
        expect(held.reduce((sum, count) => sum + count, 0)).toBe(underWay);
      }),
      { numRuns: 60, seed: 8 },
    );
  });

  it("that lost count of a packet would be noticed", () => {
    const { link } = send({ lossPpm: 200_000, rateBps: 1_000_000 }, 200, 700);
    expect(linkConserves(linkCounters(link))).toBe(true);
    for (const spoil of [
      () => linkCounters(link).stations.mac.left++,
      () => linkCounters(link).droppedByLoss++,
      () => linkCounters(link).delivered--,
    ]) {
      const before = structuredClone(linkCounters(link));
      spoil();
      expect(linkConserves(linkCounters(link))).toBe(false);
      Object.assign(linkCounters(link), before);
    }
  });

  it("conserves packets, and the same seed does the same to them", () => {
    fc.assert(
      fc.property(plans, fc.nat(1_000), (plan, seed) => {
        const first = send(plan as Partial<LinkPlan>, 200, 700, 100, seed);
        const again = send(plan as Partial<LinkPlan>, 200, 700, 100, seed);
        expect(linkConserves(linkCounters(first.link))).toBe(true);
        expect(linkCounters(first.link).underWay).toBe(0);
        expect(again.arrivals).toEqual(first.arrivals);
      }),
      { numRuns: 60, seed: 7 },
    );
  });

  it("treats packets otherwise with another seed", () => {
    const plan = { lossPpm: 200_000 };
    expect(ids(send(plan, 200, 100, 100, 1).arrivals)).not.toEqual(ids(send(plan, 200, 100, 100, 2).arrivals));
  });

  it("says how much it dropped, over all reasons", () => {
    const { link }: { link: Link } = send({ lossPpm: 500_000, mtuBytes: 1_000 }, 1_000, 100);
    expect(linkDropped(linkCounters(link))).toBe(1_000 - linkCounters(link).delivered);
  });
});
