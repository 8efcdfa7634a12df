/**
 * What people perceive in the steady time of a plan: the measurements behind the promises of quality.
 *
 * A pair is a viewer and a source, both of them among those for whom nothing goes wrong. Only what happens in the steady time
 * counts, so everything is noted when it is perceived; screens and loudspeakers themselves know no more than the whole run.
 * Lip sync is what no player can mend: how far the sender reports of a slot are from mapping its timestamps to the time at
 * which camera and microphone took things in.
 */
import { LIMITS } from "../../core/index.ts";
import type { Client } from "../client/client.ts";
import type { FramePassport } from "../client/frame-body.ts";
import type { Link } from "../link.ts";
import { type Peer, peerOf } from "../topology.ts";
import { type Source, type World, type WorldWatcher, wallOrigin } from "../world.ts";
import { eachPacket, REPORT, readNtpTime } from "./feedback-reading.ts";
import { readU32 } from "./ledger.ts";

/** Time between two looks at the queues, and how long a queue has to stand to count. */
const LOOK_EVERY_MICROS = 100_000;
const STANDING_LOOKS = 10;
/** Captures that are remembered of a source and layer: more than are ever under way. */
const CAPTURES_REMEMBERED = 512;
/** A layer flows when something of it was filmed this shortly before. */
const FLOWS_MICROS = 500_000;

/** What a viewer got of a source in the steady time. */
export interface Pair {
  readonly viewer: Peer;
  readonly source: Source;
  /** Pictures or packets of sound, and those of the best layer that was there to be had. */
  count: number;
  best: number;
  lastAt: number;
  longestGapMicros: number;
  layer: number;
  layerChanges: number;
  /** How late the reports say that things were taken in, beyond the truth; undefined before that can be said. */
  mappingMicros: number | undefined;
  /** The worst difference of that between sound and picture. */
  lipSyncMicros: number;
}

/** The measurements of a world; a watcher. */
export interface Steady extends WorldWatcher {
  readonly pairs: ReadonlyMap<string, Pair>;
  /** What stood in the queue of a link for a whole second, by its name: the most. */
  readonly standing: ReadonlyMap<string, number>;
  /** Pictures that a viewer's screens have left out since the steady time began. */
  skippedBy(viewer: Peer): number;
}

/** What is known so far. */
interface Notes {
  readonly world: World;
  readonly pairs: Map<string, Pair>;
  readonly standing: Map<string, number>;
  /** The last looks at the queue of a link. */
  readonly looks: Map<string, number[]>;
  /** By source and layer: when its last frames were taken in, and when anything was. */
  readonly captures: Map<string, Float64Array>;
  readonly filmedAt: Map<string, number>;
  /** The last sender report of each slot. */
  readonly reports: Map<string, { readonly wall: number; readonly timestamp: number }>;
  /** What each peer's screens had left out when the steady time began. */
  readonly skipped: Map<string, number>;
}

/** Measures this world in its steady time; nothing is measured when it has none. */
export function createSteady(world: World): Steady {
  const { steady } = world.plan;
  const among = new Set(steady?.among ?? []);
  const notes: Notes = {
    world,
    pairs: new Map(),
    standing: new Map(),
    looks: new Map(),
    captures: new Map(),
    filmedAt: new Map(),
    reports: new Map(),
    skipped: new Map(),
  };
  const isOn = () => steady !== undefined && world.zeroAt > 0 && world.loop.now >= world.zeroAt + steady.fromMicros;
  let nextLook = 0;
  return {
    pairs: notes.pairs,
    standing: notes.standing,
    skippedBy: (viewer) => skippedOn(world, viewer, among) - (notes.skipped.get(viewer.plan.name) ?? 0),
    filmed: (_client, _ssrc, _first, _packets, passport) => noteCapture(notes, passport),
    spoke: (_client, passport) => noteCapture(notes, passport),
    control: (client, _sealed, plain) => noteReports(notes, client, plain),
    perceived(client, mid, _kind, passport) {
      const source = world.sources.get(passport.source);
      if (!isOn() || source === undefined || !among.has(source.peer.plan.name)) return;
      const peer = peerOf(world, client);
      if (peer?.client === client && among.has(peer.plan.name))
        notePerceived(notes, peer, client, mid, passport, source);
    },
    afterInput({ now }) {
      if (now < nextLook || !isOn()) return;
      nextLook = now + LOOK_EVERY_MICROS;
      for (const name of among) {
        const peer = world.peers.get(name)!;
        if (!notes.skipped.has(name)) notes.skipped.set(name, skippedOn(world, peer, among));
        for (const link of [peer.up, peer.down]) noteQueue(notes, link);
      }
    },
  };
}

function noteCapture({ captures, filmedAt, world }: Notes, passport: FramePassport): void {
  const key = `${passport.source}/${passport.layer}`;
  let times = captures.get(key);
  if (times === undefined) {
    times = new Float64Array(CAPTURES_REMEMBERED);
    captures.set(key, times);
  }
  times[passport.frame % CAPTURES_REMEMBERED] = world.loop.now;
  filmedAt.set(key, world.loop.now);
}

/** Notes the sender reports (RFC 3550 §6.4.1) in a compound packet. */
function noteReports({ reports, world }: Notes, client: Client, plain: Uint8Array): void {
  const now = wallOrigin(world.plan) + (world.loop.now - world.loop.origin);
  eachPacket(plain, (type, _format, at) => {
    if (type !== REPORT.SENDER) return;
    const wall = readNtpTime(plain, at + 8, now);
    reports.set(`${client.plan.name}/${readU32(plain, at + 4)}`, { wall, timestamp: readU32(plain, at + 16) });
  });
}

function notePerceived(
  notes: Notes,
  peer: Peer,
  client: Client,
  mid: string,
  passport: FramePassport,
  source: Source,
): void {
  const slot = client.media.slots.find((each) => each.mid === mid);
  const seen = slot?.screen?.seen.get(passport.source) ?? slot?.speaker?.heard.get(passport.source);
  const { now } = notes.world.loop;
  // A picture that comes and can't be shown is told of as well.
  if (slot === undefined || seen === undefined || seen.lastAt !== now) return;
  const pair = pairOf(notes, peer, source);
  pair.longestGapMicros = Math.max(pair.longestGapMicros, now - pair.lastAt);
  pair.lastAt = now;
  pair.count++;
  if (isBest(notes, passport)) pair.best++;
  if (pair.layer >= 0 && pair.layer !== passport.layer) pair.layerChanges++;
  pair.layer = passport.layer;
  const { ssrc, clockRate } = slot.stream;
  const error = mappingError(notes, client, ssrc, clockRate, seen.lastTimestamp, passport);
  if (error !== undefined) compareLips(notes, pair, error);
}

function pairOf({ pairs, world }: Notes, viewer: Peer, source: Source): Pair {
  const key = `${viewer.plan.name}/${source.id}`;
  const known = pairs.get(key);
  if (known !== undefined) return known;
  const pair: Pair = {
    viewer,
    source,
    count: 0,
    best: 0,
    lastAt: world.zeroAt + (world.plan.steady?.fromMicros ?? 0),
    longestGapMicros: 0,
    layer: -1,
    layerChanges: 0,
    mappingMicros: undefined,
    lipSyncMicros: 0,
  };
  pairs.set(key, pair);
  return pair;
}

/** Whether no better layer of this camera flows. */
function isBest({ filmedAt, world }: Notes, { source, layer }: FramePassport): boolean {
  for (let better = layer + 1; better < LIMITS.simulcastLayersMax; better++) {
    const at = filmedAt.get(`${source}/${better}`);
    if (at !== undefined && world.loop.now - at < FLOWS_MICROS) return false;
  }
  return true;
}

/** How late a slot's sender reports say that this was taken in, beyond the truth. */
function mappingError(
  { reports, captures }: Notes,
  client: Client,
  ssrc: number,
  clockRate: number,
  timestamp: number,
  passport: FramePassport,
): number | undefined {
  const report = reports.get(`${client.plan.name}/${ssrc}`);
  const takenIn = captures.get(`${passport.source}/${passport.layer}`)?.[passport.frame % CAPTURES_REMEMBERED];
  if (report === undefined || takenIn === undefined || takenIn === 0) return undefined;
  const elapsed = Math.round((((timestamp - report.timestamp) | 0) * 1_000) / (clockRate / 1_000));
  return report.wall + elapsed - takenIn;
}

function compareLips({ pairs }: Notes, pair: Pair, error: number): void {
  pair.mappingMicros = error;
  for (const other of pairs.values()) {
    const belongs = other !== pair && other.viewer === pair.viewer && other.source.client === pair.source.client;
    if (!belongs || other.mappingMicros === undefined) continue;
    const off = Math.abs(error - other.mappingMicros);
    for (const each of [pair, other]) each.lipSyncMicros = Math.max(each.lipSyncMicros, off);
  }
}

/** Keeps the looks of the last second, and of them the least: that is what stood. */
function noteQueue({ looks, standing }: Notes, link: Link): void {
  const last = looks.get(link.entity) ?? [];
  looks.set(link.entity, last);
  last.push(waitMicros(link));
  if (last.length < STANDING_LOOKS) return;
  standing.set(link.entity, Math.max(standing.get(link.entity) ?? 0, Math.min(...last)));
  last.shift();
}

/** Pictures that those screens of a peer have left out so far which show somebody among these. */
function skippedOn(world: World, { client }: Peer, among: ReadonlySet<string>): number {
  let sum = 0;
  for (const { screen } of client?.media.slots ?? []) {
    const owner = world.sources.get(screen?.chainSource ?? -1)?.peer.plan.name;
    if (owner !== undefined && among.has(owner)) sum += screen?.framesSkipped ?? 0;
  }
  return sum;
}

/** How long a packet that comes now waits in the queue of a link. */
function waitMicros({ bottleneck, plan }: Link): number {
  const bps = bottleneck.seenBps || plan.rateBps;
  return bps === 0 ? 0 : Math.floor((bottleneck.queuedBytes * 8_000_000) / bps);
}
