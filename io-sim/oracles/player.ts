/**
 * The oracle in front of the screens: judges what clients see and hear, by the passports in the media itself.
 *
 * A passport has come through two encryptions and the server's rewriting unchanged, so it says beyond doubt whose picture
 * is in whose slot (S1), and whether it was there before (S7). The screens' own complaints, all of them about what no lost
 * packet explains, become S4 and S6.
 */
import type { Micros, ShardEvent } from "../../core/index.ts";
import type { Client } from "../client/client.ts";
import type { FramePassport } from "../client/frame-body.ts";
import type { VideoPlayer } from "../client/video-player.ts";
import { longestStandstillMicros, longestWayMicros } from "../world/shards.ts";
import type { Source, World, WorldWatcher } from "../world/world.ts";
import { breach, type PromiseBook, upheld } from "./promises.ts";

/** Frames of a layer that there is room for at first; the room doubles. */
const FRAMES_AT_FIRST = 2_048;

/**
 * How long after its owner has left may a picture be sent, beside the time until all shards know. How long it is on its way
 * does not matter, nor when it is shown: queues are long, devices sleep, and a screen may wait for what is lost.
 */
const LINGER_MICROS = 1_000_000;

/** The frames of one layer of one source that were perceived in one slot: a bit for each number. */
interface Perceived {
  readonly mid: string;
  readonly source: number;
  readonly layer: number;
  bits: Uint32Array;
}

/** The oracle of this world. */
export function createPlayerOracle(world: World, book: PromiseBook): WorldWatcher {
  /** By the ordinals of clients. */
  const perceived: Perceived[][] = [];
  const leftAt = new Map<number, number>();

  function judgeSource(client: Client, mid: string, passport: FramePassport, sentAt: Micros): void {
    const source = world.sources.get(passport.source);
    const { name, room } = client.plan;
    if (!upheld(book, book.tallies.S1, source !== undefined))
      breach(book, "S1", `${name} perceived a source that does not exist.`);
    if (source === undefined) return;
    const owner = source.client;
    if (!upheld(book, book.tallies.S1, owner !== client))
      breach(book, "S1", `${name} perceived its own ${source.kind} in slot ${mid}.`);
    if (!upheld(book, book.tallies.S1, owner.plan.room === room))
      breach(book, "S1", `${name} in ${room} perceived ${whoseOf(source)} from ${owner.plan.room}.`);
    const gone = leftAt.get(owner.participant);
    const lingers = gone !== undefined && sentAt > gone + lingerMicros(world);
    if (!upheld(book, book.tallies.S1, !lingers))
      breach(book, "S1", `${name} perceived ${whoseOf(source)} long after its owner had left.`);
  }

  function judgeNew(client: Client, mid: string, passport: FramePassport): void {
    const { name, ordinal } = client.plan;
    while (perceived.length <= ordinal) perceived.push([]);
    const isNew = noteFrame(perceived[ordinal]!, mid, passport);
    if (!upheld(book, book.tallies.S7, isNew))
      breach(book, "S7", `${name} got frame ${passport.frame} of source ${passport.source} twice.`);
  }

  function judgeScreen(client: Client, mid: string): void {
    const screen = screenOf(client, mid);
    if (screen === undefined) return;
    const isWhole = screen.torn === 0 && screen.unreferenced === 0 && screen.garbled === 0;
    if (!upheld(book, book.tallies.S4, isWhole)) breach(book, "S4", complaintOf(client, mid, screen));
    if (!upheld(book, book.tallies.S6, screen.pictureIdJumps === 0))
      breach(book, "S6", complaintOf(client, mid, screen));
  }

  return {
    crashed() {
      leftAt.clear();
    },
    event(event: ShardEvent) {
      if (event.type === "left") leftAt.set(event.participant, world.loop.now);
    },
    perceived(client, mid, kind, passport, sentAt) {
      judgeSource(client, mid, passport, sentAt);
      judgeNew(client, mid, passport);
      if (kind === "video") judgeScreen(client, mid);
    },
  };
}

/** How long after somebody has left his pictures may still be sent. */
function lingerMicros(world: World): number {
  return LINGER_MICROS + longestWayMicros(world) + longestStandstillMicros(world);
}

function screenOf({ media }: Client, mid: string): VideoPlayer | undefined {
  for (let i = 0; i < media.slots.length; i++) if (media.slots[i]!.mid === mid) return media.slots[i]!.screen;
  return undefined;
}

/** Notes that a frame was perceived in a slot; answers whether it is the first time. */
function noteFrame(all: Perceived[], mid: string, { source, layer, frame }: FramePassport): boolean {
  let seen: Perceived | undefined;
  for (let i = 0; i < all.length && seen === undefined; i++) {
    const each = all[i]!;
    if (each.source === source && each.layer === layer && each.mid === mid) seen = each;
  }
  if (seen === undefined) {
    seen = { mid, source, layer, bits: new Uint32Array(FRAMES_AT_FIRST / 32) };
    all.push(seen);
  }
  const word = frame >>> 5;
  if (word >= seen.bits.length) {
    const more = new Uint32Array(2 * Math.max(word, seen.bits.length));
    more.set(seen.bits);
    seen.bits = more;
  }
  const bit = 1 << (frame & 31);
  const isNew = (seen.bits[word]! & bit) === 0;
  seen.bits[word] = seen.bits[word]! | bit;
  return isNew;
}

function whoseOf({ client, kind }: Source): string {
  return `${client.plan.name}'s ${kind}`;
}

function complaintOf(client: Client, mid: string, screen: VideoPlayer): string {
  return `On ${client.plan.name}'s screen ${mid}: ${screen.complaints.at(-1) ?? "no complaint"}.`;
}
