/**
 * The oracle that listens to what the server announces: rosters, bindings, who came and who left.
 *
 * It keeps a room of its own from who joined, connected and left, and after each input what was last announced must say
 * the same (S16): a roster names those who are connected, in order of arrival; a slot shows a publication that is there,
 * of somebody else in the room, and no slot stays empty, or with what has long been paused, while somebody waits for it
 * (L3). An announcement that changes nothing is not made. What the roster calls flowing flows, and what has stopped is
 * said to be paused within a second (S20).
 *
 * Where there are several shards, a room lives on one and its members on any, and what one says takes its way to the other.
 * So rooms are looked at when nothing has been said of them for longer than that, and what contradicts the roster has to
 * last for as long.
 */
import { type ShardEvent, shardOf } from "../../core/index.ts";
import type { Client } from "../client/client.ts";
import type { SfuNode } from "../world/node.ts";
import { longestStandstillMicros, longestWayMicros } from "../world/shards.ts";
import { clientOf } from "../world/topology.ts";
import type { World, WorldWatcher } from "../world/world.ts";
import { excused } from "./excuses.ts";
import { isWild, type Ledger } from "./ledger.ts";
import { breach, judge, type PromiseBook, upheld } from "./promises.ts";

/** Time between two looks at what flows. */
const LOOK_EVERY_MICROS = 100_000;
/** What S20 allows: a second. */
const PAUSED_MICROS = 1_000_000;
/** Ways between shards from one thing to what follows from it: there, back, and there again. */
const SHARD_WAYS = 3;

type Roster = Extract<ShardEvent, { type: "roster" }>;
type Bindings = Extract<ShardEvent, { type: "bindings" }>;

/** What is known of one room. */
interface RoomView {
  /** The shard that it lives on, as far as its rosters tell. */
  home: SfuNode | undefined;
  /** Those who are connected, in order of arrival. */
  readonly present: Set<number>;
  /** Those of them who wait for a new connection: nothing can be in their slots. */
  readonly away: Set<number>;
  roster: Roster | undefined;
  text: string;
}

/** What has been announced. */
interface Announced {
  readonly rooms: Map<string, RoomView>;
  readonly bindings: Map<number, Bindings>;
  /** Since when publications have been called paused, by their numbers. */
  readonly pausedSince: Map<number, number>;
  /** Rooms about which something was said that has not been looked at, and when that was. */
  readonly changed: Map<string, number>;
  /** Since when the roster has contradicted what comes, by publication. */
  readonly contradicted: Map<number, number>;
}

/** The oracle of this world. */
export function createAnnouncementOracle(world: World, book: PromiseBook, ledger: Ledger): WorldWatcher {
  const announced: Announced = {
    rooms: new Map(),
    bindings: new Map(),
    pausedSince: new Map(),
    changed: new Map(),
    contradicted: new Map(),
  };
  const isAlone = world.nodes.length === 1;
  let nextLook = 0;
  let fired = 0;
  let blindUntil = 0;
  return {
    crashed() {
      for (const table of Object.values(announced)) table.clear();
    },
    lost: (node) => forgetShard(announced, node, world.loop.now),
    afterInput(input, effects, node) {
      const { now } = input;
      for (const effect of effects) if (effect.kind === "event") follow(book, announced, node, now, effect.event);
      if (isAlone) settleRooms(world, book, announced, now);
      // What was due while the server stood still is said in the moment in which it moves again, each thing in its turn.
      if (now < nextLook || now === node.sleep.until) return;
      nextLook = now + LOOK_EVERY_MICROS;
      const late = isAlone ? 0 : underWay(world);
      if (!isAlone) settleRooms(world, book, announced, now - late);
      if (world.sites.fired > fired) blindUntil = now + PAUSED_MICROS + LOOK_EVERY_MICROS;
      fired = world.sites.fired;
      if (excused(book, "failed lately", now < blindUntil)) return;
      lookAtFlow(world, book, ledger, announced, now, late);
      lookForFrozen(world, book, announced, now, late);
    },
  };
}

/** The longest until what follows from something on another shard has been said here, should shards stand still too. */
function underWay(world: World): number {
  return (
    SHARD_WAYS * (longestWayMicros(world) + longestStandstillMicros(world) + world.plan.timerLateMicros) +
    LOOK_EVERY_MICROS
  );
}

/** Looks at the rooms of which nothing more was said since `before`. */
function settleRooms(world: World, book: PromiseBook, announced: Announced, before: number): void {
  const { changed } = announced;
  for (const [room, at] of changed) {
    if (at > before) continue;
    settle(world, book, announced, room);
    changed.delete(room);
  }
}

/** What a shard that has died knew is gone: its rooms, and whoever was on it. */
function forgetShard({ rooms, bindings, changed }: Announced, node: SfuNode, now: number): void {
  const { number } = node.shard;
  for (const participant of bindings.keys()) if (shardOf(participant) === number) bindings.delete(participant);
  for (const [name, room] of rooms) {
    if (room.home === node) {
      rooms.delete(name);
      changed.delete(name);
      continue;
    }
    for (const participant of room.present) if (shardOf(participant) === number) room.present.delete(participant);
    changed.set(name, now);
  }
}

function roomOf({ rooms }: Announced, name: string): RoomView {
  const room = rooms.get(name) ?? {
    home: undefined,
    present: new Set<number>(),
    away: new Set<number>(),
    roster: undefined,
    text: "[]",
  };
  rooms.set(name, room);
  return room;
}

function follow(book: PromiseBook, announced: Announced, node: SfuNode, now: number, event: ShardEvent): void {
  const { bindings } = announced;
  announced.changed.set(event.room, now);
  const room = roomOf(announced, event.room);
  switch (event.type) {
    case "reconnecting":
      room.away.add(event.participant);
      return;
    case "connected":
      room.present.add(event.participant);
      room.away.delete(event.participant);
      return;
    case "left":
      room.present.delete(event.participant);
      room.away.delete(event.participant);
      bindings.delete(event.participant);
      return;
    case "roster": {
      const text = JSON.stringify(event.participants);
      judge(book, "S16", text !== room.text, () => `The roster of ${event.room} was announced again unchanged.`);
      room.roster = event;
      room.home = node;
      room.text = text;
      notePauses(announced, now, event);
      return;
    }
    case "bindings": {
      const again = JSON.stringify(bindings.get(event.participant)?.slots) === JSON.stringify(event.slots);
      judge(book, "S16", !again, () => `Participant ${event.participant} was shown the same again.`);
      bindings.set(event.participant, event);
      return;
    }
    case "room-closed":
      judge(book, "S16", room.present.size === 0, () => `${event.room} was closed while somebody was in it.`);
  }
}

function notePauses({ pausedSince }: Announced, now: number, { participants }: Roster): void {
  for (const { publication, flowing } of participants.flatMap((each) => each.publications)) {
    if (flowing) pausedSince.delete(publication);
    else if (!pausedSince.has(publication)) pausedSince.set(publication, now);
  }
}

/** What was announced last about a room says what is so. */
function settle(world: World, book: PromiseBook, announced: Announced, name: string): void {
  const room = roomOf(announced, name);
  const named = room.roster?.participants.map(({ participant }) => participant) ?? [];
  // In order of arrival, which on one shard is that of the numbers; who is connected counts.
  const present = [...room.present].sort((a, b) => a - b);
  if (world.nodes.length > 1) named.sort((a, b) => a - b);
  const told = () => `The roster of ${name} names ${named.join(" ")}; there are ${present.join(" ")}.`;
  judge(book, "S16", present.length === 0 || named.join() === present.join(), told);
  for (const participant of present) settleSlots(world, book, room, participant, announced.bindings.get(participant));
}

function settleSlots(
  world: World,
  book: PromiseBook,
  room: RoomView,
  participant: number,
  seen: Bindings | undefined,
): void {
  const others = room.roster?.participants.filter((each) => each.participant !== participant) ?? [];
  const owners = new Map<number, number>();
  for (const other of others) for (const each of other.publications) owners.set(each.publication, other.participant);
  const shown = new Set<number>();
  for (const slot of seen?.slots ?? []) {
    if (slot.publication === 0) continue;
    const isThere = owners.get(slot.publication) === slot.participant;
    const stale = () => `Slot ${slot.mid} of participant ${participant} shows ${slot.publication}, which is not there.`;
    judge(book, "S16", isThere, stale);
    judge(book, "S16", !shown.has(slot.publication), () => `Participant ${participant} is shown something twice.`);
    shown.add(slot.publication);
  }
  for (const kind of ["audio", "video"] as const) {
    const slots = room.away.has(participant) ? 0 : slotsOf(world, participant, kind);
    const offered = others.flatMap((each) => each.publications).filter((each) => each.kind === kind).length;
    const filled = seen?.slots.filter((slot) => slot.kind === kind && slot.publication !== 0).length ?? 0;
    const waits = () => `Participant ${participant} has ${filled} of ${slots} ${kind} slots filled; ${offered} wait.`;
    judge(book, "L3", filled === Math.min(slots, offered), waits);
  }
}

/** Lays what the roster calls flowing beside what came; the roster may be so late. */
function lookAtFlow(
  world: World,
  book: PromiseBook,
  ledger: Ledger,
  { rooms, contradicted }: Announced,
  now: number,
  late: number,
): void {
  const most = PAUSED_MICROS + world.plan.timerLateMicros + late;
  const least = world.tunables.publicationSilentMicros;
  for (const { roster, away } of rooms.values()) {
    for (const { participant, publications } of roster?.participants ?? []) {
      const client = clientOf(world, participant);
      if (client === undefined || excused(book, "bad habit", isWild(ledger, client))) continue;
      const { name } = client.plan;
      for (const { kind, flowing, publication } of publications) {
        const silent = now - lastDirectlyAt(ledger, client, kind);
        if (
          !upheld(
            book,
            book.tallies.S20,
            !flowing || silent <= most || wasReplacedSince(ledger, participant, now - late),
          )
        )
          breach(book, "S20", `${name}'s ${kind} is said to flow after ${silent} µs without.`);
        // Whose connection is being replaced at this moment may have been heard on it a moment ago.
        if (flowing || away.has(participant) || silent >= least) contradicted.delete(publication);
        else if (!contradicted.has(publication)) contradicted.set(publication, now);
        const isSlow = now - (contradicted.get(publication) ?? now + 1) >= late;
        if (!upheld(book, book.tallies.S20, !isSlow))
          breach(book, "S20", `${name}'s ${kind} is said to be paused and came ${silent} µs ago.`);
      }
    }
  }
}

/** When a client's camera or microphone came last by itself, or 0. */
function lastDirectlyAt(ledger: Ledger, client: Client, kind: "audio" | "video"): number {
  let last = 0;
  for (const stream of ledger.sources.get(client)?.values() ?? []) {
    if (stream.kind === kind && stream.repairs === undefined) last = Math.max(last, stream.lastDirectlyAt);
  }
  return last;
}

/** Whether a participant's connection has been replaced since then: of the new one nothing has come, and the old one flowed. */
function wasReplacedSince({ sources }: Ledger, participant: number, since: number): boolean {
  for (const streams of sources.values()) {
    for (const stream of streams.values()) {
      if (stream.participant === participant && stream.replacedAt >= since) return true;
    }
  }
  return false;
}

/** Nobody is shown for long what is paused while something that flows waits for the slot. */
function lookForFrozen(world: World, book: PromiseBook, announced: Announced, now: number, late: number): void {
  const { rooms, bindings, pausedSince } = announced;
  const most = world.tunables.slotYieldMicros + world.plan.timerLateMicros + late;
  for (const { roster } of rooms.values()) {
    for (const { participant } of roster?.participants ?? []) {
      const shown = bindings.get(participant)?.slots ?? [];
      const waits = waitsInVain(roster!, participant, shown);
      let since = Number.POSITIVE_INFINITY;
      for (const { kind, publication } of shown) {
        if (kind === "video") since = Math.min(since, pausedSince.get(publication) ?? now);
      }
      judge(
        book,
        "L3",
        !waits || now - since <= most,
        () => `Participant ${participant} is shown what has paused for ${now - since} µs; others wait.`,
      );
    }
  }
}

/** Whether somebody's picture flows in a room that a participant is not shown. */
function waitsInVain({ participants }: Roster, participant: number, shown: Bindings["slots"]): boolean {
  for (const other of participants) {
    if (other.participant === participant) continue;
    for (const { kind, flowing, publication } of other.publications) {
      if (kind === "video" && flowing && !shows(shown, publication)) return true;
    }
  }
  return false;
}

function shows(slots: Bindings["slots"], publication: number): boolean {
  for (const slot of slots) if (slot.kind === "video" && slot.publication === publication) return true;
  return false;
}

/** How many slots of a kind the answer has given a participant. */
function slotsOf(world: World, participant: number, kind: "audio" | "video"): number {
  const plan = clientOf(world, participant)?.plan.media;
  if (plan === undefined) return 0;
  return kind === "audio" ? plan.audioSlots : plan.videoSlots;
}
