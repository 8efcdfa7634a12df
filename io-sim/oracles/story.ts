/**
 * Judges what the story itself promises: who plays whom, how long pictures may stand still, who is let go and why.
 */
import type { ShardEvent } from "../../core/index.ts";
import type { Client } from "../client/client.ts";
import type { StoryPromise } from "../story/plan.ts";
import type { Source, World, WorldWatcher } from "../world/world.ts";
import { excused } from "./excuses.ts";
import { judge, type PromiseBook } from "./promises.ts";
import { isPastOpening } from "./rollover.ts";

/** A source plays at the end when something of it came this shortly before. */
const STILL_PLAYING_MICROS = 1_000_000;

/** What one viewer perceived of one source, all slots together. */
export interface Perception {
  readonly count: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly longestGapMicros: number;
}

/** The oracle: a watcher, and the judgement when the story is over. */
export interface StoryOracle extends WorldWatcher {
  judgeStory(): void;
}

/** The oracle of this world. */
export function createStoryOracle(world: World, book: PromiseBook): StoryOracle {
  const reasons = new Map<number, string>();
  return {
    crashed() {
      reasons.clear();
    },
    event(event: ShardEvent) {
      if (event.type === "left") reasons.set(event.participant, event.reason);
    },
    judgeStory() {
      for (const promise of [...world.plan.always, ...world.plan.finally]) {
        if (promise.kind === "departs") judgeDeparture(world, book, promise, reasons);
        else if (promise.kind === "stays") judgeStay(world, book, promise, reasons);
        else judgePlaying(world, book, promise);
      }
    },
  };
}

function judgeDeparture(
  world: World,
  book: PromiseBook,
  promise: Extract<StoryPromise, { kind: "departs" }>,
  reasons: Map<number, string>,
): void {
  const clients = world.peers.get(promise.peer)!.clients;
  const seen = clients.map((client) => reasons.get(client.participant) ?? "still there");
  const sentence = () => `${promise.peer} was to go by "${promise.reason}", but: ${seen.join(", ") || "never joined"}.`;
  judge(book, "STORY", seen.includes(promise.reason), sentence);
}

function judgeStay(
  world: World,
  book: PromiseBook,
  { peer }: Extract<StoryPromise, { kind: "stays" }>,
  reasons: Map<number, string>,
): void {
  const participants = world.peers
    .get(peer)!
    .clients.flatMap(({ participant }) => (participant > 0 ? [participant] : []));
  const seen = participants.map((participant) => reasons.get(participant) ?? "still there");
  const sentence = () => `${peer} was to stay who it is, but: ${seen.join(", ") || "never joined"}.`;
  judge(book, "STORY", seen.join() === "still there", sentence);
}

type PlayingPromise = Exclude<StoryPromise, { kind: "departs" | "stays" }>;

function judgePlaying(world: World, book: PromiseBook, promise: PlayingPromise): void {
  const { viewer, source } = promise;
  if (excused(book, "past opening", isOwedNothing(world, source))) return;
  const client = world.peers.get(viewer)!.client;
  const seen = client === undefined ? undefined : perceptionOf(world, client, source);
  judge(book, "STORY", seen !== undefined, () => `${viewer} never perceived ${source}.`);
  if (client === undefined || seen === undefined) return;
  const standsStill = world.loop.now - seen.lastAt;
  if (promise.kind === "plays") {
    const waited = seen.firstAt - canBePerceivedFrom(world, client, source);
    const late = () => `${viewer} waited ${waited} µs for ${source}; ${promise.withinMicros} µs are allowed.`;
    judge(book, "STORY", waited <= promise.withinMicros, late);
    const over = () => `${viewer} has perceived nothing of ${source} for ${standsStill} µs at the end.`;
    judge(book, "STORY", standsStill <= STILL_PLAYING_MICROS, over);
    return;
  }
  const longest = Math.max(seen.longestGapMicros, standsStill);
  const frozen = () =>
    `${source} stood still for ${longest} µs before ${viewer}; ${promise.shorterThanMicros} µs are too many.`;
  judge(book, "STORY", longest < promise.shorterThanMicros, frozen);
}

/** Whether what this source sends can't be opened any more. */
function isOwedNothing(world: World, name: string): boolean {
  return sourcesCalled(world, name).some(({ client, kind }) =>
    isPastOpening(world, client, kind === "camera" ? "video" : "audio"),
  );
}

/** What a client has perceived of `peer/kind`, over all its slots and all tabs of that peer; undefined for nothing. */
export function perceptionOf(world: World, client: Client, source: string): Perception | undefined {
  const ids = sourcesCalled(world, source).map(({ id }) => id);
  const parts: Perception[] = [];
  for (const slot of client.media.slots) {
    for (const id of ids) {
      const seen = slot.screen?.seen.get(id);
      const heard = slot.speaker?.heard.get(id);
      if (seen !== undefined) parts.push({ ...seen, count: seen.frames });
      if (heard !== undefined) parts.push({ ...heard, count: heard.packets });
    }
  }
  if (parts.length === 0) return undefined;
  return {
    count: parts.reduce((sum, part) => sum + part.count, 0),
    firstAt: Math.min(...parts.map((part) => part.firstAt)),
    lastAt: Math.max(...parts.map((part) => part.lastAt)),
    longestGapMicros: Math.max(...parts.map((part) => part.longestGapMicros)),
  };
}

function sourcesCalled(world: World, name: string): Source[] {
  const [peer, kind] = name.split("/");
  return [...world.sources.values()].filter((source) => source.peer.plan.name === peer && source.kind === kind);
}

/** From when on a client can perceive a source: both are connected. */
export function canBePerceivedFrom(world: World, client: Client, source: string): number {
  return Math.max(client.connectedAt, connectedAt(world, source));
}

/** When the first client of this source was connected. */
function connectedAt(world: World, source: string): number {
  const times = sourcesCalled(world, source)
    .map(({ client }) => client.connectedAt)
    .filter((time) => time > 0);
  return times.length === 0 ? 0 : Math.min(...times);
}
