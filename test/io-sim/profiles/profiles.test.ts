/**
 * Calibration: what each profile does to packets is what its table says, within 5 %.
 *
 * The numbers stand here a second time, so that a changed profile is noticed. Each property is measured alone: with the
 * loss off when a capacity is measured, with the capacity held at its median when a queue is. Loss below a percent is
 * measured enlarged (the plan's own number times a factor), since 5 % of 0.001 % would take hundreds of millions of packets.
 */
import { describe, expect, it } from "vitest";
import { MICROS_ORIGIN, micros } from "../../../core/index.ts";
import { createEventLoop, runUntil } from "../../../io-sim/base/event-loop.ts";
import { below, createStream } from "../../../io-sim/base/random.ts";
import { createLink, type LinkPlan, linkCounters, linkSend } from "../../../io-sim/link/index.ts";
import { passLoss } from "../../../io-sim/link/radio.ts";
import { PROFILES, type ProfileName } from "../../../io-sim/profiles/profiles.ts";
import { roamingSteps } from "../../../io-sim/story/roaming.ts";
import { deviationOf, greedy, idleLink, meanOf, numbered, steady } from "../../support/stories/link-probe.ts";

type Direction = "up" | "down";

const TOLERANCE = 0.05;

/** Nothing but capacity, queue and delay. */
const LOSSLESS: Partial<LinkPlan> = { lossPpm: 0, burstBadMicros: 0, outages: null, handovers: null, arq: null };
/** Nothing but the way. */
const BARE: Partial<LinkPlan> = {
  ...LOSSLESS,
  rateBps: 0,
  capacity: null,
  policerBps: 0,
  udp: "passes",
  idleMicros: 0,
};

function planOf(name: ProfileName, direction: Direction, change: Partial<LinkPlan> = {}): LinkPlan {
  return { ...PROFILES[name][direction], ...change };
}

function expectNear(measured: number, wanted: number, tolerance = TOLERANCE): void {
  expect(measured).toBeGreaterThanOrEqual(wanted * (1 - tolerance));
  expect(measured).toBeLessThanOrEqual(wanted * (1 + tolerance));
}

describe("the capacity", () => {
  it.each<[ProfileName, number, number]>([
    ["fiber", 500, 500],
    ["cable-bloat", 100, 10],
    ["dsl", 16, 1],
    ["wifi-good", 100, 100],
    ["wifi-roam", 100, 100],
    ["wifi-busy", 5, 5],
    ["leo", 100, 10],
    ["geo", 15, 3],
    ["corporate", 50, 50],
    ["vpn", 20, 10],
    ["awful", 1, 1],
  ])("of %s is %d Mbit/s down and %d up", (name, down, up) => {
    for (const [direction, mbps] of [
      ["down", down],
      ["up", up],
    ] as const) {
      const plan = planOf(name, direction, { ...LOSSLESS, mac: null, jitterMicros: 0, cross: null, udp: "passes" });
      // As long as a thousand packets take.
      expectNear(greedy(plan, Math.ceil(9_824_000 / mbps), 1_200).bps, mbps * 1_000_000);
    }
  });

  /** The last two: for how many seconds to look, with packets of how many bytes (large ones, to have fewer). */
  it.each<[ProfileName, Direction, number, number, number, number, number]>([
    ["wifi-poor", "down", 1, 6.5, 26, 3_000, 24_000],
    ["lte", "down", 4, 14, 37, 600, 20_000],
    ["lte", "up", 2.5, 11, 27, 600, 20_000],
    ["lte-drive", "down", 0.7, 5.4, 9.5, 600, 8_000],
    ["lte-drive", "up", 0, 1, 1.2, 600, 1_400],
    ["3g", "down", 0, 1.9, 5, 600, 3_000],
  ])("of %s %s varies from %d over %d to %d Mbit/s", (name, direction, least, median, greatest, seconds, size) => {
    const plan = planOf(name, direction, { ...LOSSLESS, mac: null, jitterMicros: 0, swing: null });
    const rates = greedy(plan, seconds * 1_000_000, size).rates.sort((a, b) => a.bps - b.bps);
    const total = rates.reduce((sum, { micros }) => sum + micros, 0);
    const at = (share: number) => {
      let passed = 0;
      for (const { bps, micros } of rates) {
        passed += micros;
        if (passed >= total * share) return bps;
      }
      return 0;
    };
    expectNear(at(0.5), median * 1_000_000);
    expectNear(at(0.999), greatest * 1_000_000);
    // At no capacity a packet takes until there is some again, which shows as a rate near nothing.
    if (least === 0) expect(at(0.01)).toBeLessThan(0.05 * median * 1_000_000);
    else expectNear(at(0.03), least * 1_000_000);
  });

  it("of 3g up is 0.4 Mbit/s", () => {
    expectNear(greedy(planOf("3g", "up", { ...LOSSLESS, mac: null, swing: null }), 5_000_000, 1_200).bps, 400_000);
  });

  it.each<[Direction, number, number]>([
    ["down", 200, 40],
    ["up", 40, 200],
  ])("of 5g %s is %d Mbit/s, and 5 for 0.2 to 1 s now and then", (direction, mbps, seconds) => {
    const plan = planOf("5g", direction, { ...LOSSLESS, mac: null, swing: null });
    const { rates } = greedy(plan, seconds * 1_000_000, 20_000);
    const dips: number[] = [];
    let dip = 0;
    for (const { bps, micros } of rates) {
      if (bps < 7_000_000) dip += micros;
      else if (dip > 0) {
        dips.push(dip);
        dip = 0;
      }
    }
    const sorted = rates.map(({ bps }) => bps).sort((a, b) => a - b);
    expectNear(sorted.at(-1)!, mbps * 1_000_000);
    expectNear(sorted[0]!, 5_000_000);
    expect(dips.length).toBeGreaterThan(seconds / 25);
    expect(Math.min(...dips)).toBeGreaterThan(160_000);
    expect(Math.max(...dips)).toBeLessThan(1_040_000);
  });

  it("of policed is 1.5 Mbit/s behind a burst of 32 KB, and nothing ever waits", () => {
    const { arrivals } = steady(planOf("policed", "down"), 20_000, 1_000, 1_000);
    const late = arrivals.filter(({ at }) => at > 2_000_000);
    expectNear((late.length * 1_028 * 8) / 18, 1_500_000, 0.07);
    expect(new Set(arrivals.map(({ at, sentAt }) => at - sentAt))).toEqual(new Set([30_000]));
    const burst = steady(planOf("policed", "down"), 100, 1, 972);
    expect(burst.arrivals.length).toBe(32);
  });

  it("of wifi-busy is shared by all who name it, with strangers who take 1.5 Mbit/s", () => {
    const loop = createEventLoop();
    const shares = new Map();
    const plan = planOf("wifi-busy", "up", { ...LOSSLESS, mac: null, delayMicros: 0 });
    const received = [0, 0];
    const links = ["ana/up", "bob/up"].map((entity, index) =>
      createLink(loop, 1, entity, plan, () => received[index]!++, shares),
    );
    const seconds = 120;
    const order = createStream(1, "test", "order");
    for (let i = 0; i < seconds * 400; i++) {
      runUntil(loop, micros(MICROS_ORIGIN + i * 2_500));
      const first = below(order, 2);
      linkSend(links[first]!, numbered(0, 1_172));
      linkSend(links[1 - first]!, numbered(0, 1_172));
    }
    const rates = received.map((count) => (count * 1_200 * 8) / seconds);
    const [ana, bob] = rates as [number, number];
    expectNear(ana, bob, 0.1);
    expect(ana + bob).toBeGreaterThan(3_300_000);
    expect(ana + bob).toBeLessThan(4_500_000);
    const { cross } = links[0]!.bottleneck;
    expectNear((cross.packets * 1_200 * 8) / seconds, 1_500_000, 0.1);
  });
});

describe("the delay", () => {
  /** One way in milliseconds: the least, the mean, the greatest; without Gaussian jitter. */
  it.each<[ProfileName, Direction, number, number, number]>([
    ["fiber", "down", 5, 5, 5],
    ["cable-bloat", "down", 10, 10, 10],
    ["cable-bloat", "up", 10, 11, 12],
    ["dsl", "down", 15, 15, 15],
    ["wifi-good", "down", 5, 6, 7],
    ["wifi-poor", "down", 15, 15, 15],
    ["wifi-busy", "up", 10, 14, 18],
    ["wifi-roam", "down", 8, 9, 10],
    ["lte", "down", 26, 40.5, 55],
    ["lte-drive", "up", 40, 60, 80],
    ["3g", "down", 85, 117.5, 150],
    ["5g", "up", 12.5, 18.75, 25],
    ["leo", "down", 15, 20, 25],
    ["geo", "down", 300, 300, 300],
    ["corporate", "down", 21, 30.5, 40],
    ["vpn", "up", 30, 30, 30],
    ["cgnat", "down", 10, 10, 10],
    ["policed", "up", 30, 30, 30],
    ["awful", "down", 250, 250, 250],
  ])("of %s %s is %d to %d to %d ms", (name, direction, least, mean, greatest) => {
    const { arrivals } = steady(planOf(name, direction, { ...BARE, jitterMicros: 0 }), 6_000, 1_000_003, 3);
    const delays = arrivals.map(({ at, sentAt }) => at - sentAt);
    expectNear(Math.min(...delays) / 1_000, least);
    expectNear(meanOf(delays) / 1_000, mean);
    expectNear(Math.max(...delays) / 1_000, greatest);
  });

  it.each<[ProfileName, number]>([
    ["fiber", 0.2],
    ["cable-bloat", 2],
    ["dsl", 2],
    ["wifi-poor", 4],
    ["geo", 10],
    ["awful", 20],
  ])("of %s jitters by %d ms and never reorders", (name, jitter) => {
    for (const direction of ["up", "down"] as const) {
      const { arrivals } = steady(planOf(name, direction, { ...BARE, mac: null, swing: null }), 6_000, 500_000, 3);
      expectNear(deviationOf(arrivals.map(({ at, sentAt }) => at - sentAt)) / 1_000, jitter);
      const dense = steady(planOf(name, direction, BARE), 3_000, 200, 3).arrivals;
      expect(dense.every(({ id }, index) => index === 0 || id > dense[index - 1]!.id)).toBe(true);
    }
  });

  it("of wifi-poor grows by 4 to 8 ms with each repetition, a tenth of the time", () => {
    const plan = planOf("wifi-poor", "up", { ...BARE, jitterMicros: 0, arq: PROFILES["wifi-poor"].up.arq });
    const { arrivals } = steady(plan, 20_000, 200_000, 3);
    const waits = arrivals.map(({ at, sentAt }) => at - sentAt - 15_000).filter((wait) => wait > 0);
    expectNear(waits.length / arrivals.length, 0.1);
    expectNear(Math.min(...waits), 4_000);
    // 1, 2, 3 … tries of 6 ms: 6 ms / (1 - 1/10) in the mean.
    expectNear(meanOf(waits), 6_667);
  });

  it("of leo spikes by 75 or 140 ms at the handover each 15 s", () => {
    const { handovers } = PROFILES.leo.down;
    const plan = planOf("leo", "down", { ...BARE, swing: null, handovers: { ...handovers!, lossyPpm: 0 } });
    const { arrivals } = steady(plan, 45_000, 20_000, 3);
    const spikes = arrivals.filter(({ at, sentAt }) => at - sentAt > 80_000);
    const heights = new Set(
      spikes.filter(({ sentAt }) => sentAt % 15_000_000 < 20_000).map(({ at, sentAt }) => at - sentAt),
    );
    expect([...heights].sort((a, b) => a - b)).toEqual([95_000, 160_000]);
    expect(new Set(spikes.map(({ sentAt }) => Math.floor(sentAt / 15_000_000))).size).toBe(59);
    // Order is kept: what comes after the spike waits for what was held by it.
    expect(spikes.every(({ sentAt }) => sentAt % 15_000_000 < 350_000)).toBe(true);
  });
});

describe("the loss", () => {
  it.each<[ProfileName, number, number]>([
    ["fiber", 0.001, 10_000],
    ["cable-bloat", 0.01, 1_000],
    ["dsl", 0.05, 200],
    ["lte-drive", 0.2, 50],
    ["3g", 0.5, 20],
    ["5g", 0.1, 100],
    ["vpn", 0.1, 100],
    ["awful", 10, 1],
  ])("of %s is %d percent, measured %d times enlarged", (name, share, factor) => {
    for (const direction of ["up", "down"] as const) {
      const lossPpm = PROFILES[name][direction].lossPpm * factor;
      const { link } = idleLink(planOf(name, direction, { outages: null, handovers: null, lossPpm }));
      const packet = numbered(0, 3);
      let lost = 0;
      for (let i = 0; i < 40_000; i++) if (passLoss(link, packet, MICROS_ORIGIN + i * 1_000) < 0) lost++;
      expectNear(lost / 400, share * factor);
    }
  });

  it.each<[ProfileName, number, number, number]>([
    ["wifi-good", 4_000, 12, 0.5],
    ["wifi-roam", 4_000, 12, 0.5],
    ["wifi-poor", 600, 40, 0.7],
    ["wifi-busy", 1_000, 20, 0.5],
    ["lte", 10_000, 60, 0.3],
    ["geo", 5_000, 150, 1],
  ])("of %s comes after %d ms for %d ms and takes %d", (name, goodMillis, badMillis, share) => {
    const { link } = idleLink(planOf(name, "up", { lossPpm: 0 }));
    const packet = numbered(0, 3);
    const good: number[] = [];
    const bad: number[] = [];
    const counts = { inBad: 0, lostInBad: 0, lostInGood: 0 };
    let time: number = MICROS_ORIGIN;
    if (passLoss(link, packet, time) < 0) counts.lostInGood++;
    while (bad.length < 4_000) {
      // Nothing is lost up to the last microsecond of a good time; then packets come all through the bad one.
      const begin = link.radio.changesAt;
      if (passLoss(link, packet, begin - 1) < 0) counts.lostInGood++;
      good.push(begin - time);
      let at = begin;
      for (passLoss(link, packet, at); link.radio.bad; at += badMillis * 100) {
        time = link.radio.changesAt;
        if (at + 1 >= time) break;
        counts.inBad++;
        if (passLoss(link, packet, at + 1) < 0) counts.lostInBad++;
      }
      bad.push(time - begin);
      if (passLoss(link, packet, time) < 0) counts.lostInGood++;
    }
    expectNear(meanOf(good), goodMillis * 1_000);
    expectNear(meanOf(bad), badMillis * 1_000);
    expectNear(counts.lostInBad / counts.inBad, share);
    expect(counts.lostInGood).toBe(0);
  });

  it("of policed, cgnat and corporate is none but what their rules drop", () => {
    for (const name of ["policed", "cgnat", "corporate"] as const) {
      const { arrivals } = steady(planOf(name, "up", { udp: "passes" }), 10_000, 20_000, 100);
      expect(arrivals.length).toBe(10_000);
    }
  });

  it("of lte-drive is total for 1 to 4 s, each 30 to 120 s, both ways at once", () => {
    const [up, down] = (["up", "down"] as const).map((direction) => {
      const loop = createEventLoop();
      const plan = planOf("lte-drive", direction, { lossPpm: 0 });
      const link = createLink(loop, 1, `probe/${direction}`, plan, () => {});
      const packet = numbered(0, 3);
      const outages: number[] = [];
      const quiet: number[] = [];
      let lost = 0;
      let passed = 0;
      // The uplink is asked more often than the downlink, which must not matter.
      for (let i = 0; i < 1_200_000; i++) {
        const at = MICROS_ORIGIN + i * 25_000;
        if (direction === "down" && i % 2 === 1) continue;
        const isLost = passLoss(link, packet, at) < 0;
        if (isLost && passed > 0) quiet.push(at - passed);
        if (!isLost && lost > 0) outages.push(at - lost);
        if (isLost) {
          lost = lost > 0 ? lost : at;
          passed = 0;
        } else {
          passed = passed > 0 ? passed : at;
          lost = 0;
        }
      }
      return { outages, quiet };
    });
    expect(up!.outages.length).toBe(down!.outages.length);
    for (const [index, outage] of up!.outages.entries()) {
      expect(Math.abs(outage - down!.outages[index]!)).toBeLessThanOrEqual(50_000);
    }
    expectNear(meanOf(up!.outages), 2_500_000);
    expectNear(meanOf(up!.quiet), 75_000_000);
    expect(Math.min(...up!.outages)).toBeGreaterThanOrEqual(975_000);
    expect(Math.max(...up!.outages)).toBeLessThanOrEqual(4_025_000);
  });

  it("of leo takes half of what passes in 0.1 to 0.5 s after some handovers", () => {
    const plan = planOf("leo", "up", { ...BARE, swing: null, handovers: PROFILES.leo.up.handovers });
    const { link } = idleLink(plan);
    const packet = numbered(0, 3);
    let lossy = 0;
    let lost = 0;
    let lossyMicros = 0;
    for (let handover = 1; handover <= 2_000; handover++) {
      const begin = MICROS_ORIGIN + handover * 15_000_000;
      for (let at = begin; at < begin + 600_000; at += 10_000) if (passLoss(link, packet, at) < 0) lost++;
      if (link.way.losesUntil === 0) continue;
      lossy++;
      lossyMicros += link.way.losesUntil - begin;
    }
    expectNear(lossy / 2_000, 0.3, 0.08);
    expectNear(lossyMicros / lossy, 300_000);
    expectNear(lost / (lossyMicros / 10_000), 0.5);
  });
});

describe("the queue", () => {
  it.each<[ProfileName, Direction, number]>([
    ["cable-bloat", "up", 1_000],
    ["cable-bloat", "down", 70],
    ["dsl", "up", 300],
    ["dsl", "down", 300],
    ["wifi-good", "up", 16],
    ["wifi-roam", "down", 16],
    ["wifi-poor", "up", 123],
    ["wifi-busy", "down", 48],
    ["lte", "down", 1_000],
    ["lte-drive", "up", 2_000],
    ["3g", "up", 2_000],
    ["5g", "up", 300],
    ["leo", "up", 200],
    ["geo", "up", 1_333],
    ["corporate", "up", 300],
    ["vpn", "down", 300],
    ["awful", "up", 1_000],
  ])("of %s %s holds %d ms", (name, direction, millis) => {
    const plan = planOf(name, direction, {
      ...LOSSLESS,
      mac: null,
      jitterMicros: 0,
      swing: null,
      capacity: null,
      cross: null,
      udp: "passes",
      delayMicros: 0,
    });
    const every = Math.floor((1_200 * 8 * 1_000_000) / plan.rateBps / 2);
    const { arrivals } = steady(plan, Math.ceil((millis * 3_000) / every) + 100, Math.max(1, every), 1_172);
    expectNear(Math.max(...arrivals.map(({ at, sentAt }) => at - sentAt)) / 1_000, millis);
  });

  it("of fiber is CoDel's", () => {
    expect([PROFILES.fiber.up.codel, PROFILES.fiber.down.codel]).toEqual([true, true]);
  });
});

describe("the gate", () => {
  it("of corporate drops UDP, and in its tunnel nothing", () => {
    expect(steady(planOf("corporate", "up"), 100, 1_000, 100).arrivals.length).toBe(0);
    const tunnel = steady(planOf("corporate", "up", { udp: "tunnelled", lossPpm: 100_000 }), 2_000, 5_000, 100);
    expect(tunnel.arrivals.map(({ id }) => id)).toEqual(Array.from({ length: 2_000 }, (_, id) => id));
    expectNear(linkCounters(tunnel.link).repeated, 200, 0.15);
  });

  it("of corporate forgets a connection that was idle for 60 s", () => {
    const plan = planOf("corporate", "down", { udp: "tunnelled" });
    expect(steady(plan, 4, 59_000_000, 100).arrivals.length).toBe(4);
    expect(steady(plan, 4, 61_000_000, 100).arrivals.length).toBe(1);
  });

  it("of vpn swallows packets of more than 1,280 bytes", () => {
    const quiet = { ...LOSSLESS };
    expect(steady(planOf("vpn", "up", quiet), 10, 20_000, 1_252).arrivals.length).toBe(10);
    expect(steady(planOf("vpn", "up", quiet), 10, 20_000, 1_253).arrivals.length).toBe(0);
  });
});

describe("roaming", () => {
  const hours = 100 * 3_600_000_000;

  it("of wifi-roam cuts for 0.1 to 2 s each 30 to 120 s, and sometimes the address changes", () => {
    const steps = roamingSteps(PROFILES["wifi-roam"].roaming!, 1, "ana", 0, hours);
    const cuts = steps.filter(({ operation }) => operation.type === "link" && operation.up.cut === true);
    const heals = steps.filter(({ operation }) => operation.type === "link" && operation.up.cut === false);
    const moves = steps.filter(({ operation }) => operation.type === "move" && operation.noticed);
    const lasts = cuts.map(({ atMicros }, index) => heals[index]!.atMicros - atMicros);
    const quiet = cuts.slice(1).map(({ atMicros }, index) => atMicros - heals[index]!.atMicros);
    expectNear(meanOf(lasts), 1_050_000);
    expect(Math.min(...lasts)).toBeGreaterThanOrEqual(100_000);
    expect(Math.max(...lasts)).toBeLessThanOrEqual(2_000_000);
    expectNear(meanOf(quiet), 75_000_000);
    expect(Math.min(...quiet)).toBeGreaterThanOrEqual(30_000_000);
    expect(Math.max(...quiet)).toBeLessThanOrEqual(120_000_000);
    expectNear(moves.length / cuts.length, 0.3);
  });

  it("of cgnat gives another address each 60 to 600 s, which nobody notices", () => {
    const steps = roamingSteps(PROFILES.cgnat.roaming!, 1, "ana", 0, 3 * hours);
    expect(new Set(steps.map(({ operation }) => operation.type))).toEqual(new Set(["move"]));
    const waits = steps.map(({ atMicros }, index) => atMicros - (index === 0 ? 0 : steps[index - 1]!.atMicros));
    expectNear(meanOf(waits), 330_000_000);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(60_000_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(600_000_000);
  });
});

describe("every profile", () => {
  it("is measured here in whole numbers", () => {
    const names = Object.keys(PROFILES);
    expect(names.length).toBe(18);
    for (const name of names as ProfileName[]) {
      for (const number of JSON.stringify(PROFILES[name]).match(/[\d.]+(?=[,}\]])/g) ?? []) {
        expect(Number.isSafeInteger(Number(number)), `${name}: ${number}`).toBe(true);
      }
    }
  });
});
