/**
 * Equalities: what may make no difference to anybody in a call, whatever the call.
 *
 * A promise needs a bound, and somebody who chose it. An equality needs none: the same story is run as it stands and once
 * more in another guise, and clients have to get the same. Each equality says how equal: to the bit; or in every picture
 * and sound with its slot and its moment; or, where time itself is what changes, in the order of all these.
 *
 * It has an excuse for plans of which it says nothing: where packets are lost by their number or their time, more packets
 * or another time lose others. A core without TCP cannot be asked whether UDP is as good; a tunnel in TCP can.
 */
import { TUNABLES } from "../../core/index.ts";
import { HEADER_BYTES } from "../base/addresses.ts";
import { type LinkPlan, linkIsLossy, PLAIN_LINK } from "../link/index.ts";
import type { Operation, PeerPlan, Plan } from "../story/plan.ts";
import { ONE_SHARD, type ShardsPlan } from "../world/shards.ts";
import { SITE_NAMES } from "../world/sites.ts";
import type { WorldOptions } from "../world/world.ts";

/** How equal two runs are: to the bit, in what clients get and when, or in what they get and in which order. */
export type Likeness = "bits" | "moments" | "order";

/** The story in another guise. */
export interface Variant {
  readonly what: string;
  readonly plan?: Plan;
  readonly options?: WorldOptions;
}

/** Something that makes no difference. */
export interface Equality {
  readonly name: string;
  readonly likeness: Likeness;
  /** Why it says nothing of this plan, or "". */
  readonly excuse: (plan: Plan) => string;
  /** What the variants are compared with, when it is not the plan itself. */
  readonly base?: (plan: Plan) => Plan;
  /** How the base and all variants look, because the story's own looks would tell them apart. */
  readonly guise?: (plan: Plan) => WorldOptions["guise"];
  /** Whether it says nothing of what follows a keyframe request that leaves a turn earlier or later than in the base. */
  readonly endsWithRequests?: true;
  /** The variants of a base. */
  readonly variants: (plan: Plan) => readonly Variant[];
}

/** All of them. */
export const EQUALITIES: readonly Equality[] = [
  {
    name: "one shard or many",
    likeness: "moments",
    excuse: (plan) =>
      sharesChance(plan) ||
      sharesQueue(plan) ||
      shardDies(plan) ||
      leavesOut(plan) ||
      voicesCompete(plan) ||
      leaveTogether(plan) ||
      timersAreLate(plan),
    guise: weighingAlike,
    // What is repeated between shards may make a wish for a keyframe, or grant one, a turn later than at home.
    endsWithRequests: true,
    // More shards have more ways between them, each with moments of its own.
    base: (plan) => firstCome(inTheOrderOfMaking(withShards(plan, ONE_SHARD))),
    variants: (plan) =>
      [2, 3].map((count) => ({ what: `${count} shards`, plan: withShards(plan, { ...ONE_SHARD, count }) })),
  },
  {
    name: "another start time, near any wrap",
    likeness: "moments",
    excuse: () => "",
    variants: (plan) => [
      ...Object.entries(UPTIMES_SECONDS).map(([what, seconds]) => guised(what, { uptimeMicros: seconds * SECOND })),
      ...Object.entries(WALLS_SECONDS).map(([what, seconds]) => ({
        what,
        plan: { ...plan, wallMicros: seconds * SECOND },
      })),
      ...(holdsBack(plan)
        ? []
        : [
            {
              what: "counters near their wrap",
              plan: withPeers(plan, (peer) => ({ ...peer, nearWrap: !peer.nearWrap })),
            },
          ]),
      { what: "the server's near theirs", plan: { ...plan, serverNearWrap: plan.serverNearWrap !== true } },
    ],
  },
  {
    name: "other names and ports",
    likeness: "moments",
    excuse: () => "",
    variants: () => [
      guised("names spelled backwards", { tell: (name) => `Z.${[...name].reverse().join("")}_` }),
      guised("other addresses and ports", { firstAddress: 700, serverPort: 51_234 }),
    ],
  },
  {
    name: "an unrelated room beside it",
    likeness: "moments",
    excuse: (plan) => sharesChance(plan) || leavesOut(plan),
    base: firstCome,
    variants: (plan) => [{ what: "three strangers next door", plan: withNeighbours(plan) }],
  },
  {
    name: "batches or single records",
    likeness: "moments",
    excuse: (plan) => sharesChance(plan) || shardDies(plan),
    base: (plan) => withShards(plan, LONG_BATCHES),
    variants: () => [guised("records of other shards one by one", { relaysSingly: true })],
  },
  {
    name: "batches or single packets",
    likeness: "order",
    excuse: notStill,
    variants: (plan) => [
      { what: "the server reads its packets each millisecond", plan: withLinks(plan, { batchMicros: 1_000 }, "up") },
    ],
  },
  {
    name: "snapshot and restore anywhere",
    likeness: "bits",
    excuse: () => "",
    variants: () =>
      [0, 13, 29].map((at) => ({
        what: `restored before input ${at}, ${at + 40}, ${at + 80} and so on`,
        options: { restartBefore: (input: number) => input % 40 === at },
      })),
  },
  {
    name: "a fault with probability zero",
    likeness: "bits",
    excuse: () => "",
    variants: (plan) => [
      { what: "all accidents of links", plan: withImpossibleAccidents(plan) },
      {
        what: "all failures of signalling",
        plan: withSteps(
          plan,
          plan.peers.map(({ name }) => ({ type: "signalling", peer: name, ...NO_TROUBLE })),
        ),
      },
      {
        what: "all sites of core and host",
        plan: withSteps(plan, [{ type: "buggify", sites: SITE_NAMES, sharePpm: 0 }]),
      },
    ],
  },
  {
    name: "IPv4 or IPv6",
    likeness: "moments",
    excuse: (plan) => (has(plan, "move") ? "it moves between the two" : ""),
    guise: weighingAlike,
    variants: (plan) => [
      {
        what: "the other IP",
        plan: withPeers(plan, ({ up, down, ...peer }) => ({ ...peer, up: otherIp(up), down: otherIp(down) })),
      },
    ],
  },
  {
    name: "UDP or a lossless tunnel in TCP",
    likeness: "bits",
    excuse: notPerfect,
    variants: (plan) => [{ what: "all in tunnels", plan: withLinks(plan, { udp: "tunnelled" }) }],
  },
  {
    name: "every packet doubled on a perfect link",
    likeness: "moments",
    excuse: notPerfect,
    variants: (plan) => [{ what: "at the same moment", plan: withLinks(plan, { duplicatePpm: 1_000_000 }) }],
  },
  {
    name: "every packet repeated later on a perfect link",
    likeness: "moments",
    excuse: (plan) => notPerfect(plan) || movesAway(plan) || expires(plan),
    variants: (plan) => [
      { what: "up to 40 ms later", plan: withLinks(plan, { duplicatePpm: 1_000_000, duplicateMicros: 40_000 }) },
    ],
  },
  {
    name: "ties permuted without loss",
    likeness: "moments",
    excuse: notPerfect,
    base: inTheOrderOfMaking,
    variants: (plan) => [swapping("what is simultaneous in another order", plan, 0)],
  },
  {
    name: "what is nearly simultaneous permuted without loss",
    likeness: "order",
    excuse: notStill,
    base: inTheOrderOfMaking,
    variants: (plan) => [1, 100, 1_000].map((micros) => swapping(`up to ${micros} µs apart`, plan, micros)),
  },
];

const SECOND = 1_000_000;

/** How long clocks have run (from 2^33 µs on) when something is about to wrap, in the second second of a story. */
const UPTIMES_SECONDS: Readonly<Record<string, number>> = {
  "a while later": 1_000,
  "32 bits of microseconds": 4_294,
  "24 bits of 64 ms, as feedback tells time": 1_065_151,
  "32 bits of milliseconds": 4_286_376,
  "32 bits of 90 kHz": 39_131,
  "32 bits of 48 kHz": 80_887,
};

/** What wall clocks show, in seconds since 1970, when something is about to wrap. */
const WALLS_SECONDS: Readonly<Record<string, number>> = {
  "16 bits of seconds, as reports tell time": 1_769_177_471,
  "the era of NTP": 2 ** 32 - 2_208_988_800 - 1,
};

/** Each batch holds a packet of every voice and picture, and with them the wishes and the news of meanwhile. */
const LONG_BATCHES: ShardsPlan = { ...ONE_SHARD, count: 2, delayMicros: 1_000, batchMicros: 20_000 };

const NO_TROUBLE = { lostPpm: 0, unheardPpm: 0, repeatedPpm: 0, delayMicros: 0 };

/** Accidents with all that belongs to them, and no chance to happen. */
const IMPOSSIBLE: Partial<LinkPlan> = {
  burstGoodMicros: 500_000,
  burstBadMicros: 100_000,
  reorderMicros: 50_000,
  reorderPackets: [2, 9],
  duplicateMicros: 20_000,
  arq: { failPpm: 0, waitMicros: [1_000, 9_000], triesMax: 3 },
};

function guised(what: string, guise: NonNullable<WorldOptions["guise"]>): Variant {
  return { what, options: { guise } };
}

/** Mailboxes in the order of the seed's draw one after the other, so that whoever draws in between changes it. */
function firstCome(plan: Plan): Plan {
  return { ...plan, scheduler: "fifo" };
}

function inTheOrderOfMaking({ swapsWithinMicros: _, ...plan }: Plan): Plan {
  return plan;
}

function swapping(what: string, plan: Plan, swapsWithinMicros: number): Variant {
  return { what, plan: { ...plan, swapsWithinMicros } };
}

function withShards({ shards: _, ...plan }: Plan, shards: ShardsPlan): Plan {
  const peers = plan.peers.map(({ shard: _place, ...peer }) => peer);
  return { ...plan, peers, ...(shards.count === 1 ? {} : { shards }) };
}

function withPeers(plan: Plan, change: (peer: PeerPlan) => PeerPlan): Plan {
  return { ...plan, peers: plan.peers.map(change) };
}

function withLinks(plan: Plan, change: Partial<LinkPlan>, direction: "both" | "up" = "both"): Plan {
  return withPeers(plan, (peer) => ({
    ...peer,
    up: { ...peer.up, ...change },
    down: { ...peer.down, ...(direction === "up" ? {} : change) },
  }));
}

/** What is there already stays; of the rest each link gets what could never happen. */
function withImpossibleAccidents(plan: Plan): Plan {
  const change = (link: LinkPlan): LinkPlan => {
    const off = Object.entries(IMPOSSIBLE).filter(([key]) => {
      const [now, plain] = [link, PLAIN_LINK].map((each) => JSON.stringify(each[key as keyof LinkPlan]));
      return now === plain && !(key.startsWith("reorder") && link.reorderPpm > 0);
    });
    return {
      ...link,
      ...Object.fromEntries(off),
      ...(link.duplicatePpm > 0 ? { duplicateMicros: link.duplicateMicros } : {}),
    };
  };
  return withPeers(plan, ({ up, down, ...peer }) => ({ ...peer, up: change(up), down: change(down) }));
}

function withSteps(plan: Plan, operations: readonly Operation[]): Plan {
  const steps = operations.map((operation) => ({ atMicros: 0, label: "nothing happens", operation }));
  return { ...plan, steps: [...steps, ...plan.steps] };
}

function withNeighbours(plan: Plan): Plan {
  const first = plan.peers[0]!;
  const names = ["stranger-1", "stranger-2", "stranger-3"];
  const link = { up: PLAIN_LINK, down: PLAIN_LINK };
  // All on one shard: what others say to each other is drawn by lot on the ways between shards.
  const strangers = names.map((name, index): PeerPlan => {
    const media = { camera: "vp8-simulcast", microphone: 20 + index, audioSlots: 2, videoSlots: 2 } as const;
    const traits = { atStart: false, nearWrap: false, impostor: false };
    return { name, room: `beside-${first.room}`, shard: 0, ...media, ...link, ...traits };
  });
  const steps = names.map((peer, index) => ({
    atMicros: Math.min(plan.runForMicros, 100_000 * index),
    label: "a stranger comes",
    operation: { type: "join", peer } as const,
  }));
  return { ...plan, peers: [...plan.peers, ...strangers], steps: [...steps, ...plan.steps] };
}

function otherIp(link: LinkPlan): LinkPlan {
  return { ...link, overheadBytes: link.overheadBytes === HEADER_BYTES[6] ? HEADER_BYTES[4] : HEADER_BYTES[6] };
}

function has({ steps }: Plan, ...types: readonly Operation["type"][]): boolean {
  return steps.some(({ operation }) => types.includes(operation.type));
}

/** Every plan of a link that there is at any time. */
function linksOf({ peers, steps }: Plan): Partial<LinkPlan>[] {
  const later = steps.flatMap(({ operation }) => (operation.type === "link" ? [operation.up, operation.down] : []));
  return [...peers.flatMap(({ up, down }) => [up, down]), ...later];
}

/**
 * Whether a link keeps packets back for longer than it takes a stream of repetitions to begin and wrap. Whoever hears of a
 * stream only after its wrap can't open what comes late from before it (RFC 3711 §3.3.1).
 */
function holdsBack(plan: Plan): boolean {
  return linksOf(plan).some(({ reorderMicros = 0 }) => reorderMicros > SECOND);
}

/** Chance that hits whoever comes next hits others when there are others. */
function sharesChance(plan: Plan): string {
  return has(plan, "buggify", "garbage") ? "accidents of the server hit whoever comes next" : "";
}

/** What two shards send at one moment has no order, and in a queue that both go through one waits for the other. */
function sharesQueue(plan: Plan): string {
  const shared = linksOf(plan).some((link) => link.shared !== undefined && link.shared !== "");
  return shared ? "links share a bottleneck" : "";
}

function shardDies(plan: Plan): string {
  return has(plan, "crash", "crash-shard") ? "a shard of it dies" : "";
}

function leavesOut(plan: Plan): string {
  return has(plan, "overload") ? "which video is left out hangs on the numbers of the slots" : "";
}

/**
 * A room ranks the voices of other shards by how loud they were a turn ago. Whoever vanishes and comes back counts twice, and
 * once for himself: to the server the tab of before is there until its consent has run out.
 */
function voicesCompete(plan: Plan): string {
  const { peers, steps } = plan;
  const vanishes = ({ name, rejoinAfterMicros }: PeerPlan) =>
    rejoinAfterMicros !== undefined ||
    steps.some(({ operation: { type, ...rest } }) => {
      return (type === "kill" || type === "rejoin") && "peer" in rest && rest.peer === name;
    });
  const compete = peers.some((viewer) => {
    const others = peers.filter((peer) => peer !== viewer && peer.room === viewer.room && peer.microphone !== null);
    const ownGhosts = viewer.microphone !== null && vanishes(viewer) ? 1 : 0;
    const voices = others.reduce((sum, peer) => sum + (vanishes(peer) ? 2 : 1), ownGhosts);
    return viewer.audioSlots > 0 && voices > viewer.audioSlots;
  });
  return compete ? "somebody hears the loudest alone, and how loud voices on other shards are is known later" : "";
}

/** What two shards do at one moment has no order, and the news of it takes another turn of the loop. */
function leaveTogether({ steps }: Plan): string {
  const leaving = steps.filter(({ operation }) => operation.type === "leave").map(({ atMicros }) => atMicros);
  return new Set(leaving).size < leaving.length ? "some leave at the very same moment" : "";
}

/** Each shard draws for its own timers, one after the other. */
function timersAreLate({ timerLateMicros }: Plan): string {
  return timerLateMicros > 0 ? "how late a timer is hits whichever comes next" : "";
}

/** Where bytes count, all that may be longer or shorter by chance weighs alike. */
function weighingAlike(plan: Plan): WorldOptions["guise"] {
  return boundsBytes(plan) ? { weighsAlike: true } : {};
}

/** Whether some link bounds what passes in bytes. */
function boundsBytes(plan: Plan): boolean {
  return linksOf(plan).some((change) => {
    const { rateBps, capacity, policerBps, mtuBytes } = { ...PLAIN_LINK, ...change };
    return rateBps > 0 || capacity !== null || policerBps > 0 || mtuBytes < PLAIN_LINK.mtuBytes;
  });
}

/** A perfect link loses, doubles and changes nothing and keeps the order; only then are more packets as good as few. */
function notPerfect(plan: Plan): string {
  if (has(plan, "buggify", "garbage", "crash", "crash-shard", "signalling", "misbehave")) return "faults are injected";
  const imperfect = linksOf(plan).some((change) => {
    const link = { ...PLAIN_LINK, ...change };
    const { cut, clogged, stalls, udp, idleMicros, loseDtls, cross, jitterMicros, swing, mac, duplicatePpm } = link;
    const varies = stalls !== null || cross !== null || jitterMicros > 0 || swing !== null || mac !== null;
    const changes = linkIsLossy(link) || cut || clogged || udp !== "passes" || varies || duplicatePpm > 0;
    return changes || idleMicros > 0 || loseDtls.length > 0;
  });
  return imperfect ? "its links are not perfect" : "";
}

/** The last check of somebody who has vanished renews his consent (RFC 7675), and so does a copy of it, a little later. */
function expires({ steps, runForMicros }: Plan): string {
  const lastMicros = runForMicros - TUNABLES.consentMicros.usual;
  const isSeen = steps.some(({ atMicros, operation }) => operation.type === "kill" && atMicros < lastMicros);
  return isSeen ? "somebody who has vanished is let go in it" : "";
}

/** Media from an address that no check has made known is refused (RFC 7675), and a copy of it may come after the check. */
function movesAway(plan: Plan): string {
  return has(plan, "move", "inherit") ? "a packet comes too early from a new address, and its copy need not" : "";
}

/** What comes a millisecond later may come after a step that it came before. */
function notStill(plan: Plan): string {
  return notPerfect(plan) || (plan.steps.length > 0 ? "its steps happen at their moments" : "");
}
