/**
 * Measures what a packet leaves on the heap on its way from one shard to another and on to its viewers there, and prints it:
 * bytes for each packet that has crossed, in nearly the best of several rounds (see fast-garbage.ts). Two shards and the ways
 * between them (io-node/relay/relay-ways.ts), real ciphers, and no sockets: what those cost is measured by fast-garbage.ts.
 *
 *     node --expose-gc --import tsx test/support/hosts/relay-garbage.ts PACKETS
 */
import { getHeapStatistics } from "node:v8";
import {
  createDatagramInput,
  FIRST_COME_FIRST_SERVED,
  LIMITS,
  type Micros,
  type Outbox,
  type RelayInput,
  type ShardPorts,
  shardHandle,
  shardNextTimeout,
} from "../../../core/index.ts";
import {
  createRelayWays,
  createWayMemory,
  openWay,
  type RelayWays,
  relayMail,
  relayPacket,
  settleWays,
  TAKE_BYTES,
  takeRelayed,
} from "../../../io-node/relay/relay-ways.ts";
import { percentile } from "../../../io-sim/cli/figures.ts";
import { requireOpensslCrypto } from "../crypto/openssl-crypto.ts";
import { passTogether, relay } from "../shards/shard-cluster.ts";
import { check, createShardWorld, deliver, join, type ShardWorld, sealRtp } from "../shards/shard-world.ts";
import { vp8Packet } from "../wire/media.ts";
import { offerOf } from "../wire/offers.ts";

const VIEWERS = 10;
const PACKET_BYTES = 1_000;
/** Packets of a batch that is made before it is weighed, and those of it that go before that; see fast-garbage.ts. */
const PREPARED = 256;
const FIRST = 64;
/** Packets that come in one batch. */
const BURST = 8;
const INTERVAL_MICROS = 100;
/** Packets that cross until V8 has compiled what is hot. */
const WARM = 20_000;
const CONSENT_MICROS = 4_000_000;

/** A shard as a host drives it: what it sends is counted, and what it relays goes into rings. */
interface Driven {
  readonly world: ShardWorld;
  readonly ports: ShardPorts;
  readonly ways: RelayWays;
  readonly takeIn: (input: RelayInput) => void;
}

const crypto = [requireOpensslCrypto(), requireOpensslCrypto()] as const;
const worlds = crypto.map((each, number) => createShardWorld(FIRST_COME_FIRST_SERVED, number, undefined, each));
const cluster = { worlds, loses: () => false, packets: 0 };
const [home, away] = worlds as [ShardWorld, ShardWorld];
const speaker = join(home, { name: "ana", offer: offerOf([{ kind: "video", ssrc: 2000, rtxSsrc: 2001 }]) });
for (let i = 0; i < VIEWERS; i++) {
  join(away, { name: `viewer-${i}`, offer: offerOf([{ kind: "video" }]), home: 0 });
  relay(cluster);
}
passTogether(cluster, 100);

let sent = 0;
const drive = (world: ShardWorld): Driven => {
  const sendBytes = new Uint8Array(LIMITS.datagramBytesMax);
  const ways = createRelayWays(sendBytes, new Uint8Array(TAKE_BYTES));
  const outbox: Outbox = {
    sendBytes,
    reserve: () => 0,
    transmit: () => {
      sent += 1;
    },
    reply: () => {},
    event: () => {},
    relayPacket: (shard, offset, length) => relayPacket(ways, shard, offset, length),
    relayMail: (shard, record) => relayMail(ways, shard, record),
    releaseFlow: () => {},
  };
  const ports = { crypto: world.ports.crypto, outbox, scheduler: FIRST_COME_FIRST_SERVED };
  return { world, ports, ways, takeIn: (input) => shardHandle(world.shard, ports, input) };
};
const [from, to] = [drive(home), drive(away)];
const { there, back } = createWayMemory();
openWay(from.ways, { number: 1, outgoing: there, incoming: back, wakeFd: -1 });
openWay(to.ways, { number: 0, outgoing: back, incoming: there, wakeFd: -1 });
const wake = () => {};

let now = home.now;
let made = 0;
let nextCheckAt: number = now;
/** In one piece of memory, as those of a host are: an address is asked for once. */
const arena = new Uint8Array(PREPARED * LIMITS.datagramBytesMax);
const slots = Array.from({ length: PREPARED }, (_, i) =>
  arena.subarray(i * LIMITS.datagramBytesMax, (i + 1) * LIMITS.datagramBytesMax),
);
const lengths = new Int32Array(PREPARED);
const body = new Array<number>(PACKET_BYTES).fill(7);
const input = createDatagramInput(slots[0]!);
input.flow = speaker.flow;

/** Carries what both have relayed. */
function exchange(): void {
  settleWays(from.ways, wake);
  takeRelayed(to.ways, now, to.takeIn);
  settleWays(to.ways, wake);
  takeRelayed(from.ways, now, from.takeIn);
}

/** Lets time pass, and makes the next packets. */
function prepare(): void {
  now = (now + PREPARED * INTERVAL_MICROS) as Micros;
  for (const { world, ports } of [from, to]) {
    world.now = now;
    if (now >= nextCheckAt) for (const client of world.clients) check(world, client, client.flow);
    if (shardNextTimeout(world.shard) <= now) shardHandle(world.shard, ports, { kind: "timer", now });
    deliver(world);
  }
  if (now >= nextCheckAt) nextCheckAt = now + CONSENT_MICROS;
  exchange();
  for (let i = 0; i < PREPARED; i++, made++) {
    const options = { ssrc: 2000, sequence: made & 0xffff, timestamp: made * 300, keyframe: made === 0 };
    const packet = vp8Packet({ ...options, pictureId: made & 0x7fff, tl0: made & 0xff, body });
    const bytes = sealRtp(home, speaker, packet);
    slots[i]!.set(bytes);
    lengths[i] = bytes.length;
  }
}

function cross(begin: number, end: number): void {
  for (let i = begin; i < end; i += BURST) {
    input.now = now;
    for (let k = i; k < i + BURST; k++) {
      input.bytes = slots[k]!;
      input.length = lengths[k]!;
      shardHandle(from.world.shard, from.ports, input);
    }
    settleWays(from.ways, wake);
    takeRelayed(to.ways, now, to.takeIn);
  }
}

const used = () => getHeapStatistics().used_heap_size;
/** What looking leaves behind. */
function lookBytes(): number {
  const before = used();
  return used() - before;
}
const packets = Number(process.argv[2]);
const { counters } = away.shard.history;
const rounds: number[] = [];
let measured = 0;
while (measured < packets) {
  prepare();
  globalThis.gc!();
  const isWarm = made > WARM;
  cross(0, FIRST);
  const [before, crossed] = [used(), counters.relayPacketsReceived];
  cross(FIRST, PREPARED);
  if (!isWarm) continue;
  const count = counters.relayPacketsReceived - crossed;
  rounds.push((used() - before - lookBytes()) / count);
  measured += count;
}
const { relayPacketsReceived, rtpForwarded } = counters;
const lost = { crossing: made - relayPacketsReceived, forwarding: relayPacketsReceived * VIEWERS - rtpForwarded };
const { relayDropped } = from.ways.counters;
console.log(JSON.stringify({ bytesPerPacket: percentile(rounds, 10), measured, lost, relayDropped, sent }));
for (const each of crypto) each.close();
