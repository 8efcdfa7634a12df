/**
 * The table of what can go wrong in a generated world: one entry for each class of faults.
 *
 * A swarm takes a random half of the table. A class may bend links (those that peers have from the start moderately, so
 * that a call comes about at all; those that a step brings about up to the extreme), peers, the world as a whole, or add
 * steps to the timeline. Who adds a fault to the simulator adds a line here, and `lockstep explore` finds its way to it.
 */

import fc from "fast-check";
import { HABITS, type Habit } from "../client/misbehaviour.ts";
import { type LinkOptions, linkChange } from "../story/link-options.ts";
import type { Persona } from "../story/personas.ts";
import type { MovePlan, Operation } from "../story/plan.ts";
import type { PeerOptions, Scenario } from "../story/scenario.ts";
import { kbps, ms, percent } from "../story/units.ts";
import type { GarbageKind } from "../world/garbage.ts";
import { SITE_NAMES } from "../world/sites.ts";

/** A step without its time: what it is called and what it does. */
export type Deed = readonly [label: string, operation: Operation];

/** One class of faults. */
export interface FaultClass {
  readonly name: string;
  /** What it may do to a link, moderate or extreme. */
  readonly link?: (extreme: boolean) => fc.Arbitrary<LinkOptions>;
  /** What it may do to a peer. */
  readonly peer?: fc.Arbitrary<Pick<PeerOptions, "joinsLater" | "impostor" | "persona" | "likeness">>;
  /** What it does to the world. */
  readonly world?: fc.Arbitrary<Pick<Scenario, "timersLateBy" | "cipher" | "shards">>;
  /** The steps that it adds; `link` is an extreme link of this swarm. */
  readonly deed?: (peer: fc.Arbitrary<string>, link: fc.Arbitrary<LinkOptions>) => fc.Arbitrary<Deed>;
}

const MOVES: readonly { to: MovePlan; noticed: boolean }[] = [
  { to: "address", noticed: false },
  { to: "address", noticed: true },
  { to: "port", noticed: false },
  { to: "ipv4", noticed: true },
  { to: "ipv6", noticed: true },
  { to: "beside", noticed: true },
];

const source = fc.constantFrom("camera" as const, "microphone" as const);
const direction = fc.constantFrom("both" as const, "up" as const, "down" as const);
const share = (most: number) => fc.integer({ min: 1, max: most }).map(percent);
const span = (most: number, least = 1) => fc.integer({ min: least, max: most }).map(ms);
const oneIn = (count: number) => fc.integer({ min: 1, max: count }).map((value) => value === 1);

const SHARDS_MAX = 3;

/** A few shards with ways between them. */
export const SEVERAL_SHARDS: fc.Arbitrary<Pick<Scenario, "shards">> = fc
  .record({
    count: fc.integer({ min: 2, max: SHARDS_MAX }),
    delay: fc.integer({ min: 0, max: 5_000 }),
    jitter: fc.integer({ min: 0, max: 3_000 }),
    batch: fc.constantFrom(0, 500),
    loss: fc.constantFrom(0, percent(1), percent(5)),
  })
  .map((shards) => ({ shards }));

/** Every class, by what it does to the network, to addresses, to processes, to peers, and to what the code relies on. */
export const FAULT_CLASSES: readonly FaultClass[] = [
  { name: "loss", link: (extreme) => share(extreme ? 30 : 5).map((loss) => ({ loss })) },
  {
    name: "bursts",
    link: (extreme) =>
      fc.record({
        bursts: fc.record({ good: span(4_000, extreme ? 1 : 1_000), bad: span(extreme ? 500 : 60), loss: share(70) }),
      }),
  },
  {
    name: "reordering",
    link: (extreme) => fc.record({ reorder: fc.record({ share: share(extreme ? 50 : 10), by: span(200) }) }),
  },
  {
    name: "duplicates",
    link: (extreme) => fc.record({ duplicate: fc.record({ share: share(50), by: span(extreme ? 5_000 : 400) }) }),
  },
  // What changes bits may change those of a handshake that nothing protects yet, so no call begins on such a link.
  { name: "truncation", link: (extreme) => (extreme ? share(20).map((truncate) => ({ truncate })) : fc.constant({})) },
  { name: "corruption", link: (extreme) => (extreme ? share(20).map((corrupt) => ({ corrupt })) : fc.constant({})) },
  {
    name: "narrow links",
    link: (extreme) =>
      fc
        .record(
          { up: rate(extreme ? 50 : 300), down: rate(extreme ? 50 : 300), queue: fc.integer({ min: 5, max: 200 }) },
          { requiredKeys: [] },
        )
        .map(({ queue, ...rest }) => (queue === undefined ? rest : { ...rest, queue: 1_000 * queue })),
  },
  { name: "long ways", link: (extreme) => span(extreme ? 600 : 150).map((delay) => ({ delay })) },
  { name: "jitter", link: (extreme) => span(extreme ? 50 : 8).map((jitter) => ({ jitter })) },
  {
    name: "small packets",
    link: (extreme) => fc.integer({ min: extreme ? 576 : 1_280, max: 1_499 }).map((mtu) => ({ mtu })),
  },
  { name: "batches", link: (extreme) => span(extreme ? 100 : 10).map((batches) => ({ batches })) },
  {
    name: "lost handshakes",
    link: () => fc.record({ loseDtls: fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 2 }) }),
  },
  {
    name: "worse links",
    deed: (peer, link) =>
      fc
        .tuple(peer, link)
        .map(([who, options]) => [`${who}'s network changes`, { type: "link", peer: who, ...linkChange(options) }]),
  },
  {
    name: "cuts",
    deed: (peer) =>
      fc
        .tuple(peer, direction, fc.boolean())
        .map(([who, way, cut]) => [
          `${who}'s network is ${cut ? "cut" : "whole"}${way === "both" ? "" : ` (${way})`}`,
          { type: "link", peer: who, ...linkChange({ cut, direction: way }) },
        ]),
  },
  {
    name: "moves",
    deed: (peer) =>
      fc
        .tuple(peer, fc.constantFrom(...MOVES))
        .map(([who, { to, noticed }]) => [
          `${who} has another address${noticed ? "" : " and does not know"}`,
          { type: "move", peer: who, to, noticed },
        ]),
  },
  { name: "deaths", deed: (peer) => peer.map((who) => [`${who} vanishes`, { type: "kill", peer: who }]) },
  {
    name: "rejoining",
    deed: (peer) =>
      fc
        .tuple(peer, fc.integer({ min: 2, max: 4 }), span(800, 50))
        .map(([who, times, everyMicros]) => [
          `${who} reloads the page again and again`,
          { type: "rejoin", peer: who, times, everyMicros },
        ]),
  },
  {
    name: "reconnecting",
    deed: (peer) => peer.map((who) => [`${who} makes a new connection`, { type: "reconnect", peer: who }]),
  },
  { name: "leaving", deed: (peer) => peer.map((who) => [`${who} leaves`, { type: "leave", peer: who }]) },
  {
    name: "joining",
    peer: oneIn(3).map((joinsLater) => ({ joinsLater })),
    deed: (peer) => peer.map((who) => [`${who} joins`, { type: "join", peer: who }]),
  },
  {
    name: "muting",
    deed: (peer) =>
      fc
        .tuple(peer, source, fc.boolean())
        .map(([who, what, on]) => [
          `${who}'s ${what} is ${on ? "on" : "off"}`,
          { type: on ? "unmute" : "mute", peer: who, source: what },
        ]),
  },
  {
    name: "stalls",
    deed: (peer) =>
      fc
        .tuple(peer, span(3_000, 10))
        .map(([who, forMicros]) => [`${who}'s device stands still`, { type: "stall", peer: who, forMicros }]),
  },
  {
    name: "wall clocks",
    deed: (peer) =>
      fc
        .tuple(peer, span(3_600_000), fc.integer({ min: -300, max: 300 }))
        .map(([who, stepMicros, driftPpm]) => [
          `${who}'s clock is set`,
          { type: "clock", peer: who, stepMicros, driftPpm },
        ]),
  },
  {
    name: "signalling",
    deed: (peer) =>
      fc
        .record({ peer, lostPpm: share(50), unheardPpm: share(50), repeatedPpm: share(50), delayMicros: span(2_000) })
        .map((trouble) => [`what ${trouble.peer} asks for gets lost`, { type: "signalling", ...trouble }]),
  },
  {
    name: "swizzles",
    deed: (peer) =>
      fc
        .tuple(fc.uniqueArray(peer, { minLength: 1, maxLength: 5 }), span(3_000, 100))
        .map(([peers, overMicros]) => ["links clog one after the other", { type: "swizzle", peers, overMicros }]),
  },
  {
    name: "crashes",
    deed: () => span(500).map((forMicros) => ["the server crashes", { type: "crash", forMicros }]),
  },
  {
    name: "personas",
    peer: fc.constantFrom<Persona[]>("chromium", "thin", "mobile", "misbehaving").map((persona) => ({ persona })),
  },
  // The first two names are in every world. Whoever has his own likeness has none.
  {
    name: "copied profiles",
    peer: fc
      .constantFrom("ana", "bob", undefined, undefined)
      .map((likeness) => (likeness === undefined ? {} : { likeness })),
  },
  {
    name: "bad habits",
    deed: (peer) =>
      fc
        .tuple(peer, fc.constantFrom(...(Object.keys(HABITS) as Habit[])), span(3_000, 100))
        .map(([who, habit, forMicros]) => [
          `${who} ${HABITS[habit]}`,
          { type: "misbehave", peer: who, habit, forMicros },
        ]),
  },
  {
    name: "second-hand addresses",
    deed: (peer) =>
      fc
        .uniqueArray(peer, { minLength: 2, maxLength: 2 })
        .map(([who, from]) => [
          `${who} gets the address that was ${from}'s`,
          { type: "inherit", peer: who!, from: from! },
        ]),
  },
  { name: "IPv6", link: (extreme) => fc.constant(extreme ? {} : { ip: 6 as const }) },
  { name: "several shards", world: SEVERAL_SHARDS },
  {
    name: "deaths of shards",
    deed: () =>
      fc
        .integer({ min: 0, max: SHARDS_MAX - 1 })
        .map((place) => [`the shard in place ${place} dies`, { type: "crash-shard", place }]),
  },
  { name: "impostors", peer: oneIn(8).map((impostor) => ({ impostor })) },
  { name: "late timers", world: span(50).map((timersLateBy) => ({ timersLateBy })) },
  { name: "real ciphers", world: fc.constant({ cipher: "real" as const }) },
  {
    name: "rubbish",
    deed: () =>
      fc
        .tuple(
          fc.constantFrom<GarbageKind>("mixed", "spoofed", "probes"),
          fc.integer({ min: 10, max: 300 }),
          span(2_000, 100),
        )
        .map(([kind, perSecond, forMicros]) => [
          "strangers throw rubbish",
          { type: "garbage", kind, perSecond, forMicros },
        ]),
  },
  { name: "restarts", deed: () => fc.constant(["the server is restored from a snapshot", { type: "restart" }]) },
  {
    name: "pauses",
    deed: () => span(200).map((forMicros) => ["the server stands still", { type: "pause", forMicros }]),
  },
  {
    name: "failing sites",
    deed: () =>
      fc
        .tuple(fc.subarray([...SITE_NAMES], { minLength: 1, maxLength: 5 }), share(20))
        .map(([sites, sharePpm]) => ["parts of the server fail now and then", { type: "buggify", sites, sharePpm }]),
  },
];

/** Whether this can happen to a server of so many shards: one dies as a whole, several one by one. */
export function canHappen(operation: Operation, shards: number): boolean {
  if (operation.type === "crash") return shards === 1;
  return operation.type !== "crash-shard" || (shards > 1 && operation.place < shards);
}

function rate(least: number): fc.Arbitrary<number> {
  return fc.integer({ min: least, max: 3_000 }).map(kbps);
}
