/**
 * What people perceive from some time on: the measurements behind the promises of quality and behind the scoreboard.
 *
 * A pair is a viewer and a source, both of them among those who are measured. Only what happens in that time counts, so
 * everything is noted when it is perceived; screens and loudspeakers themselves know no more than the whole run.
 * Lip sync is what no player can mend: how far the sender reports of a slot are from mapping its timestamps to the time at
 * which camera and microphone took things in.
 */
import { LIMITS } from "../../core/index.ts";
import type { Client } from "../client/client.ts";
import type { FramePassport } from "../client/frame-body.ts";
import type { Link, LinkPlan } from "../link/index.ts";
import type { SteadyPlan } from "../story/plan.ts";
import { type Peer, peerOf } from "../world/topology.ts";
import { type Source, type World, type WorldWatcher, wallOrigin } from "../world/world.ts";
import { eachPacket, REPORT, readNtpTime } from "./feedback-reading.ts";
import { readU32 } from "./ledger.ts";
import { QUALITY_BARS } from "./quality-bars.ts";

/** Time between two looks at the queues, and how long a queue has to stand to count. */
const LOOK_EVERY_MICROS = 100_000;
const STANDING_LOOKS = 10;
/** Captures that are remembered of a source and layer: more than are ever under way. */
const CAPTURES_REMEMBERED = 512;
/** A layer flows when something of it was filmed this shortly before. */
const FLOWS_MICROS = 500_000;

/** What a viewer got of a source in the time that is measured. */
export interface Pair {
  readonly viewer: Peer;
  readonly source: Source;
  /** Pictures or packets of sound, and those of the best layer that was there to be had. */
  count: number;
  best: number;
  firstAt: number;
  lastAt: number;
  longestGapMicros: number;
  /** How often it stood still for longer than people overlook. */
  freezes: number;
  layer: number;
  layerChanges: number;
  /** How late the reports say that things were taken in, beyond the truth; undefined before that can be said. */
  mappingMicros: number | undefined;
  /** The worst difference of that between sound and picture; undefined before both can be said. */
  lipSyncMicros: number | undefined;
}

/** The measurements of a world; a watcher. */
export interface Measurements extends WorldWatcher {
  /** Whom and from when on. */
  readonly span: SteadyPlan;
  /** By viewer, and then by the number of the source. */
  readonly pairs: ReadonlyMap<Peer, ReadonlyMap<number, Pair>>;
  /** What stood in the queue of a link for a whole second, by its name: the most. */
  readonly standing: ReadonlyMap<string, number>;
  /** Pictures that a viewer's screens have left out since the time began. */
  skippedBy(viewer: Peer): number;
  /** What a link was like when the time began. */
  planOf(link: Link): LinkPlan;
}

/** What is known so far. */
interface Notes {
  readonly world: World;
  readonly beginsAt: number;
  readonly pairs: Map<Peer, Map<number, Pair>>;
  readonly standing: Map<string, number>;
  /** The last looks at the queue of a link. */
  readonly looks: Map<string, number[]>;
  /** By source and layer, see {@link layerKey}: when its last frames were taken in, and when anything was. */
  readonly captures: Map<number, Float64Array>;
  readonly filmedAt: Map<number, number>;
  /** The last sender report of each slot. */
  readonly reports: Map<Client, Map<number, { readonly wall: number; readonly timestamp: number }>>;
  /** What each peer's screens had left out when the time began, and what links were like. */
  readonly skipped: Map<string, number>;
  readonly plans: Map<string, LinkPlan>;
}

/** Measures this world among these people from this time on. */
export function createMeasurements(world: World, span: SteadyPlan): Measurements {
  const among = new Set(span.among);
  const notes: Notes = {
    world,
    get beginsAt() {
      return world.zeroAt + span.fromMicros;
    },
    pairs: new Map(),
    standing: new Map(),
    looks: new Map(),
    captures: new Map(),
    filmedAt: new Map(),
    reports: new Map(),
    skipped: new Map(),
    plans: new Map(),
  };
  const isOn = () => world.zeroAt > 0 && world.loop.now >= notes.beginsAt;
  let nextLook = 0;
  return {
    span,
    pairs: notes.pairs,
    standing: notes.standing,
    skippedBy: (viewer) => skippedOn(world, viewer, among) - (notes.skipped.get(viewer.plan.name) ?? 0),
    planOf: ({ entity, plan }) => notes.plans.get(entity) ?? plan,
    filmed: (_client, _ssrc, _first, _packets, passport) => noteCapture(notes, passport),
    spoke: (_client, passport) => noteCapture(notes, passport),
    control: (client, _sealed, plain) => noteReports(notes, client, plain),
    perceived(client, mid, _kind, passport) {
      if (!isOn()) return;
      const source = world.sources.get(passport.source);
      if (source === undefined || !among.has(source.peer.plan.name)) return;
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
        for (const link of [peer.up, peer.down]) {
          if (!notes.plans.has(link.entity)) notes.plans.set(link.entity, link.plan);
          noteQueue(notes, link);
        }
      }
    },
  };
}

/** All pairs of these measurements. */
export function allPairs({ pairs }: Measurements): Pair[] {
  return [...pairs.values()].flatMap((ofViewer) => [...ofViewer.values()]);
}

/** Pictures of all sources that a viewer was shown. */
export function picturesBefore({ pairs }: Measurements, viewer: Peer): number {
  let shown = 0;
  for (const { source, count } of pairs.get(viewer)?.values() ?? []) if (source.kind === "camera") shown += count;
  return shown;
}

function layerKey(source: number, layer: number): number {
  return source * LIMITS.simulcastLayersMax + layer;
}

function noteCapture({ captures, filmedAt, world }: Notes, { source, layer, frame }: FramePassport): void {
  const key = layerKey(source, layer);
  let times = captures.get(key);
  if (times === undefined) {
    times = new Float64Array(CAPTURES_REMEMBERED);
    captures.set(key, times);
  }
  times[frame % CAPTURES_REMEMBERED] = world.loop.now;
  filmedAt.set(key, world.loop.now);
}

/** Notes the sender reports (RFC 3550 §6.4.1) in a compound packet. */
function noteReports({ reports, world }: Notes, client: Client, plain: Uint8Array): void {
  const now = wallOrigin(world.plan) + (world.loop.now - world.loop.origin);
  eachPacket(plain, (type, _format, at) => {
    if (type !== REPORT.SENDER) return;
    const ofClient = reports.get(client) ?? new Map<number, { wall: number; timestamp: number }>();
    reports.set(client, ofClient);
    const wall = readNtpTime(plain, at + 8, now);
    ofClient.set(readU32(plain, at + 4), { wall, timestamp: readU32(plain, at + 16) });
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
  const gap = now - pair.lastAt;
  pair.longestGapMicros = Math.max(pair.longestGapMicros, gap);
  if (pair.count === 0) pair.firstAt = now;
  else if (gap > QUALITY_BARS.freezeMicros.bar) pair.freezes++;
  pair.lastAt = now;
  pair.count++;
  if (isBest(notes, passport)) pair.best++;
  if (pair.layer >= 0 && pair.layer !== passport.layer) pair.layerChanges++;
  pair.layer = passport.layer;
  const { ssrc, clockRate } = slot.stream;
  const error = mappingError(notes, client, ssrc, clockRate, seen.lastTimestamp, passport);
  if (error !== undefined) compareLips(notes, pair, error);
}

function pairOf({ pairs, beginsAt }: Notes, viewer: Peer, source: Source): Pair {
  const ofViewer = pairs.get(viewer) ?? new Map<number, Pair>();
  const known = ofViewer.get(source.id);
  if (known !== undefined) return known;
  pairs.set(viewer, ofViewer);
  const pair: Pair = {
    viewer,
    source,
    count: 0,
    best: 0,
    firstAt: 0,
    lastAt: beginsAt,
    longestGapMicros: 0,
    freezes: 0,
    layer: -1,
    layerChanges: 0,
    mappingMicros: undefined,
    lipSyncMicros: undefined,
  };
  ofViewer.set(source.id, pair);
  return pair;
}

/** Whether no better layer of this camera flows. */
function isBest({ filmedAt, world }: Notes, { source, layer }: FramePassport): boolean {
  for (let better = layer + 1; better < LIMITS.simulcastLayersMax; better++) {
    const at = filmedAt.get(layerKey(source, better));
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
  { source, layer, frame }: FramePassport,
): number | undefined {
  const report = reports.get(client)?.get(ssrc);
  const takenIn = captures.get(layerKey(source, layer))?.[frame % CAPTURES_REMEMBERED];
  if (report === undefined || takenIn === undefined || takenIn === 0) return undefined;
  const elapsed = Math.round((((timestamp - report.timestamp) | 0) * 1_000) / (clockRate / 1_000));
  return report.wall + elapsed - takenIn;
}

/** Lays a pair beside that of the same viewer and the other source of the same client: its voice or its picture. */
function compareLips({ pairs }: Notes, pair: Pair, error: number): void {
  pair.mappingMicros = error;
  const { camera, microphone } = pair.source.client.media.plan;
  const other = pair.source.kind === "camera" ? microphone : camera;
  const belongs = other === null ? undefined : pairs.get(pair.viewer)?.get(other.source);
  if (belongs?.mappingMicros === undefined) return;
  const off = Math.abs(error - belongs.mappingMicros);
  for (const each of [pair, belongs]) each.lipSyncMicros = Math.max(each.lipSyncMicros ?? 0, off);
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
