/** What a host does with the ways to others: packets that may be lost and are counted, mail that may not, and its turn. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Faults, LIMITS, type Micros, type RelayInput } from "../../../core/index.ts";
import { RELAY_SITES } from "../../../io-node/fault-sites.ts";
import {
  closeWay,
  createRelayWays,
  createWayMemory,
  openWay,
  type RelayWays,
  relayMail,
  relayPacket,
  settleWays,
  TAKE_BYTES,
  takeRelayed,
  WAITING_BYTES_MAX,
  waysHold,
} from "../../../io-node/relay/relay-ways.ts";
import { threadCode } from "../../../io-node/thread-code.ts";
import { every3rd } from "../../support/hosts/failing-host.ts";
import type { WayReaderFound, WayReaderTask } from "../../support/hosts/way-reader.ts";
import { RECORD, SIGNAL } from "../../support/hosts/way-signals.ts";

const NOW = 9_000_000_000 as Micros;
const PACKET_BYTES = 1_200;

/** The hosts of two shards, 3 and 5, that can reach each other; the send slots of the first hold what `fill` writes. */
function createPair(faults?: Faults) {
  const slots = new Uint8Array(4 * LIMITS.datagramBytesMax);
  const [first, second] = [slots, new Uint8Array(LIMITS.datagramBytesMax)].map((sendBytes) =>
    createRelayWays(sendBytes, new Uint8Array(TAKE_BYTES), faults),
  ) as [RelayWays, RelayWays];
  const { there, back } = createWayMemory();
  openWay(first, { number: 5, outgoing: there, incoming: back, wakeFd: 7 });
  openWay(second, { number: 3, outgoing: back, incoming: there, wakeFd: 8 });
  const woken: number[] = [];
  const settle = () => settleWays(first, ({ wakeFd }) => woken.push(wakeFd));
  const packet = (value: number) => {
    slots.fill(value, LIMITS.datagramBytesMax, LIMITS.datagramBytesMax + PACKET_BYTES);
    relayPacket(first, 5, LIMITS.datagramBytesMax, PACKET_BYTES);
  };
  const mail = (value: number, length = 100) => relayMail(first, 5, new Uint8Array(length).fill(value));
  return { first, second, woken, settle, packet, mail, taken: () => taken(second) };
}

/** Takes one batch: length and first byte of each record. */
function taken(ways: RelayWays): [length: number, first: number][] {
  const records: [number, number][] = [];
  takeRelayed(ways, NOW, ({ bytes, offset, length }: RelayInput) => void records.push([length, bytes[offset]!]));
  return records;
}

/** Takes batches and settles until nothing moves any more. */
function drained({ second, settle }: ReturnType<typeof createPair>): [length: number, first: number][] {
  const all: [number, number][] = [];
  for (settle(); waysHold(second); settle()) all.push(...taken(second));
  return all;
}

describe("what is relayed", () => {
  it("is seen when the host settles, with the number of the shard that it comes from and one time for all of a batch", () => {
    const { second, woken, settle, packet, mail } = createPair();
    packet(1);
    mail(2);
    packet(3);
    expect([waysHold(second), woken]).toEqual([false, []]);
    settle();
    expect([waysHold(second), woken]).toEqual([true, [7]]);
    const seen: unknown[] = [];
    takeRelayed(second, NOW, ({ kind, now, shard, bytes, offset, length }) => {
      seen.push([kind, now, shard, length, bytes[offset], bytes[offset + length - 1]]);
    });
    expect(seen).toEqual([
      ["relay", NOW, 3, PACKET_BYTES, 1, 1],
      ["relay", NOW, 3, 100, 2, 2],
      ["relay", NOW, 3, PACKET_BYTES, 3, 3],
    ]);
    expect(waysHold(second)).toBe(false);
  });

  it("wakes the other once for all that it has not seen", () => {
    const { woken, settle, packet, taken } = createPair();
    for (let i = 0; i < 3; i++) {
      packet(i);
      settle();
    }
    expect(woken).toEqual([7]);
    taken();
    packet(9);
    settle();
    expect(woken).toEqual([7, 7]);
  });

  it("is taken in bounded batches, so that sockets have their turn", () => {
    const { settle, packet, taken, second } = createPair();
    for (let i = 0; i < 300; i++) packet(i % 256);
    settle();
    const counts = [];
    while (waysHold(second)) counts.push(taken().length);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(300);
    expect(Math.max(...counts) * PACKET_BYTES).toBeLessThanOrEqual(TAKE_BYTES);
    expect(counts.length).toBeGreaterThan(2);
  });
});

describe("a full ring", () => {
  it("drops packets and counts them, takes mail all the same, and takes packets again when there is room", () => {
    const pair = createPair();
    const { first, packet, mail } = pair;
    for (let i = 0; i < 2_000; i++) packet(1);
    const { relayedPackets, relayDropped } = first.counters;
    expect([relayedPackets + relayDropped, relayDropped > 0, relayedPackets > 100]).toEqual([2_000, true, true]);
    mail(2);
    expect(first.ways.get(5)!.waiting).toEqual([]);
    const all = drained(pair);
    expect(all).toHaveLength(relayedPackets + 1);
    expect(all.at(-1)).toEqual([100, 2]);
    packet(3);
    expect(drained(pair)).toEqual([[PACKET_BYTES, 3]]);
  });

  it("keeps mail that finds no room and lets no packet pass it: all of it arrives, in its turn", () => {
    const pair = createPair();
    const { first, settle, packet, mail } = pair;
    for (let i = 0; i < 2_000; i++) packet(1);
    for (let i = 0; i < 40; i++) mail(i, 10_000);
    expect(first.ways.get(5)!.waiting.length).toBeGreaterThan(0);
    const dropped = first.counters.relayDropped;
    packet(99);
    expect(first.counters.relayDropped).toBe(dropped + 1);
    expect(settle()).toBe(true);
    const all = drained(pair).filter(([length]) => length !== PACKET_BYTES);
    expect(all.map(([, value]) => value)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect([settle(), first.ways.get(5)!.waitingBytes]).toEqual([false, 0]);
  });

  it("lets a packet in behind the mail that waited, once the other has made room", () => {
    const pair = createPair();
    const { second, settle, packet, mail, taken } = pair;
    for (let i = 0; i < 2_000; i++) packet(1);
    for (let i = 0; i < 40; i++) mail(2, 10_000);
    settle();
    while (waysHold(second)) taken();
    packet(3);
    const values = drained(pair).map(([, value]) => value);
    expect([values.at(0), values.at(-1), values.indexOf(3)]).toEqual([2, 3, values.length - 1]);
  });

  it("gives a shard up that has been told so much and reads nothing, and says so once", () => {
    const { first, packet, mail } = createPair();
    for (let bytes = 0; bytes <= WAITING_BYTES_MAX + 2 * 1_048_576; bytes += 4_194_304) mail(1, 4_194_304);
    expect(first.givenUp).toEqual([5]);
    expect(first.ways.get(5)!.waiting).toEqual([]);
    mail(1);
    packet(1);
    expect([first.givenUp, first.counters.relayDropped]).toEqual([[5], 1]);
  });
});

describe("mail", () => {
  it("of any length arrives whole and in order", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3_000_000 }), { maxLength: 6 }), (lengths) => {
        const pair = createPair();
        const wanted = lengths.map((length, index): [number, number] => [length, index + 1]);
        for (const [length, value] of wanted) pair.mail(value, length);
        expect(drained(pair)).toEqual(wanted);
      }),
      { numRuns: 20 },
    );
  });
});

describe("a shard that is gone", () => {
  it("is told nothing, and what it said and nobody took is forgotten", () => {
    const { first, second, settle, packet, mail, woken } = createPair();
    packet(1);
    settle();
    closeWay(second, 3);
    expect([waysHold(second), taken(second)]).toEqual([false, []]);
    closeWay(first, 5);
    packet(2);
    mail(3);
    expect([settle(), first.counters.relayDropped, first.counters.relayedMail, woken]).toEqual([false, 1, 0, [7]]);
  });
});

/** A thread that takes what is relayed, once it is let, and the ways that lead to it. */
async function startReader() {
  const { there, back } = createWayMemory();
  const signals = new Int32Array(new SharedArrayBuffer(16));
  const workerData: WayReaderTask = { there, back, signals };
  const { text } = threadCode(new URL("../../support/hosts/way-reader.ts", import.meta.url));
  const thread = new Worker(text, { eval: true, workerData, execArgv: [] });
  await once(thread, "message");
  const found = once(thread, "message") as Promise<[WayReaderFound]>;
  const slots = new Uint8Array(2 * LIMITS.datagramBytesMax);
  const relays = createRelayWays(slots, new Uint8Array(TAKE_BYTES));
  openWay(relays, { number: 5, outgoing: there, incoming: back, wakeFd: -1 });
  const raise = (signal: number) => {
    Atomics.add(signals, signal, 1);
    Atomics.notify(signals, signal);
  };
  return { found, signals, relays, words: new Int32Array(slots.buffer), raise };
}

describe("a flood between two threads", { timeout: 60_000 }, () => {
  it("never holds up the one who writes; what is not dropped and counted arrives whole and in its turn", async () => {
    const { found, signals, relays, words, raise } = await startReader();
    let [packets, mail] = [0, 0];
    const write = (target: Int32Array, isMail: boolean) => {
      target.fill(isMail ? mail : packets);
      target[RECORD.IS_MAIL] = isMail ? 1 : 0;
      target[RECORD.NUMBER] = isMail ? mail : packets;
      target[RECORD.OTHERS] = isMail ? packets : mail;
    };
    const settle = () => settleWays(relays, () => raise(SIGNAL.BELL));
    const flood = (count: number) => {
      for (let i = 0; i < count; i++) {
        packets += 1;
        const length = 200 + 4 * (packets % 300);
        write(words.subarray(0, length >>> 2), false);
        relayPacket(relays, 5, 0, length);
        if (packets % 50 === 0) {
          mail += 1;
          // Every other letter is longer than a piece.
          const record = new Int32Array(100 + 6_000 * (mail % 2));
          write(record, true);
          relayMail(relays, 5, new Uint8Array(record.buffer));
        }
        if (packets % 32 === 0) settle();
      }
    };
    // Who sleeps takes nothing, and all of this goes through without him.
    flood(5_000);
    const asleep = { ...relays.counters };
    expect(Atomics.load(signals, SIGNAL.TAKEN)).toBe(0);
    expect([asleep.relayedMail, asleep.relayedPackets + asleep.relayDropped]).toEqual([mail, packets]);
    expect([asleep.relayDropped > 0, asleep.relayedPackets > 100]).toEqual([true, true]);
    raise(SIGNAL.BEGIN);
    // From here on both are at it. The reader need not keep up, but neither is it left behind for good.
    for (let rounds = 0; rounds < 40; rounds++) {
      const before = Atomics.load(signals, SIGNAL.TAKEN);
      flood(1_000);
      expect(Atomics.wait(signals, SIGNAL.TAKEN, before, 20_000)).not.toBe("timed-out");
    }
    for (let tries = 0; settle() && tries < 20_000; tries++) {
      Atomics.wait(signals, SIGNAL.TAKEN, Atomics.load(signals, SIGNAL.TAKEN), 1);
    }
    raise(SIGNAL.END);
    raise(SIGNAL.BELL);
    const { relayedPackets, relayDropped } = relays.counters;
    expect(await found).toEqual([{ packets: relayedPackets, mail, torn: 0, outOfOrder: 0 }]);
    expect(relayedPackets + relayDropped).toBe(packets);
  });
});

describe("failing ways", () => {
  it.each(Object.keys(RELAY_SITES))("%s: lose no mail and keep its order, and count each packet", (site) => {
    const { state, faults } = every3rd(site);
    const pair = createPair(faults);
    const { first, settle, woken, packet, mail } = pair;
    const came: [number, number][] = [];
    for (let value = 1; value <= 20; value++) {
      packet(value);
      mail(value, 3);
      settle();
      came.push(...pair.taken());
    }
    state.on = false;
    expect(state.fired).toBeGreaterThan(0);
    // Whoever looks again finds all of it, woken or not.
    came.push(...drained(pair));
    const values = (length: number) => came.filter((each) => each[0] === length).map((each) => each[1]);
    const sorted = [...values(PACKET_BYTES)].sort((a, b) => a - b);
    expect(values(3)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(values(PACKET_BYTES)).toEqual(sorted);
    const { relayedPackets, relayDropped } = first.counters;
    expect([relayedPackets, relayedPackets + relayDropped]).toEqual([sorted.length, 20]);
    expect(relayDropped > 0).toBe(site === "relay/ring-full");
    woken.length = 0;
    packet(99);
    settle();
    expect([woken, pair.taken()]).toEqual([[7], [[PACKET_BYTES, 99]]]);
  });
});
