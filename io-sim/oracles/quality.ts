/**
 * The oracle of quality: holds what people perceive in the steady time of a plan against the bars.
 *
 * The promises are Q1 to Q9, the numbers are in ./quality-bars.ts and what is measured in ./steady.ts. A claim is judged
 * once for each pair of a viewer and a source, or for each viewer or link, when the story is over.
 */
import { linkSlowestMicros } from "../link.ts";
import { befalls } from "../plan.ts";
import type { Peer } from "../topology.ts";
import type { Source, World, WorldWatcher } from "../world.ts";
import { judge, type PromiseBook } from "./promises.ts";
import type { QualityBars } from "./quality-bars.ts";
import { createSteady, type Pair, type Steady } from "./steady.ts";
import { canBePerceivedFrom, perceptionOf } from "./story.ts";

/** The oracle: a watcher, and the judgement when the story is over. */
export interface QualityOracle extends WorldWatcher {
  judgeStory(): void;
}

/** The oracle of this world. */
export function createQualityOracle(world: World, book: PromiseBook, bars: QualityBars): QualityOracle {
  const steady = createSteady(world);
  return { ...steady, judgeStory: () => judgeSteadyTime(world, book, bars, steady) };
}

function judgeSteadyTime(world: World, book: PromiseBook, bars: QualityBars, steady: Steady): void {
  const among = (world.plan.steady?.among ?? []).map((name) => world.peers.get(name)!);
  for (const viewer of among) {
    judgeScreens(book, bars, steady, viewer);
    judgeQueues(book, bars, steady, viewer);
    for (const source of sourcesBefore(world, viewer, among)) {
      const pair = steady.pairs.get(`${viewer.plan.name}/${source.id}`);
      judgeFirst(world, book, bars, viewer, source);
      judgeFlow(world, book, bars, viewer, source, pair);
      if (pair !== undefined) judgePair(world, book, bars, pair);
    }
  }
  judgeFairness(book, bars, steady);
}

/** The cameras and microphones that a viewer has a slot for and is to perceive all along. */
function sourcesBefore(world: World, viewer: Peer, among: readonly Peer[]): Source[] {
  return [...world.sources.values()].filter(({ peer, kind, client }) => {
    if (peer === viewer || peer.client !== client || peer.plan.room !== viewer.plan.room || !among.includes(peer))
      return false;
    const isMuted = kind === "camera" ? client.media.cameraMuted : client.media.microphoneMuted;
    const rivals = [...world.sources.values()].filter(
      (other) => other.kind === kind && other.peer.plan.room === peer.plan.room && other.peer !== viewer,
    );
    const slots = kind === "camera" ? viewer.plan.videoSlots : viewer.plan.audioSlots;
    return !isMuted && rivals.length <= slots;
  });
}

function nameOf({ peer, kind }: Source): string {
  return `${peer.plan.name}/${kind}`;
}

/** Q1, of those who were there from the start and whom nothing befell before they saw each other. */
function judgeFirst(world: World, book: PromiseBook, bars: QualityBars, viewer: Peer, source: Source): void {
  if (source.kind !== "camera" || !viewer.plan.atStart || !source.peer.plan.atStart || viewer.client === undefined)
    return;
  const from = canBePerceivedFrom(world, viewer.client, nameOf(source));
  const bound = bars.firstPictureMicros + bars.firstPictureRoundTrips * roundTrips(viewer, source.peer);
  if (world.zeroAt + calmFor(world, [viewer, source.peer]) < from + bound) return;
  const seen = perceptionOf(world, viewer.client, nameOf(source));
  const waited = seen === undefined ? world.loop.now - from : seen.firstAt - from;
  const late = () =>
    `${viewer.plan.name} waited ${waited} µs for the first picture of ${nameOf(source)}; the bar is ${bound} µs.`;
  judge(book, "Q1", waited <= bound, late);
}

/**
 * How long the story leaves these peers and the server alone; 0 when it ever changes one of their links, because only the
 * last of these is known to be good.
 */
function calmFor({ plan }: World, peers: readonly Peer[]): number {
  const names = peers.map((peer) => peer.plan.name);
  const touching = plan.steps.filter(({ operation }) => befalls(operation, names));
  if (touching.some(({ operation }) => operation.type === "link")) return 0;
  return touching[0]?.atMicros ?? plan.runForMicros;
}

function roundTrips(viewer: Peer, owner: Peer): number {
  const ways = [viewer.up, viewer.down, owner.up, owner.down];
  return ways.reduce((sum, { plan }) => sum + linkSlowestMicros(plan), 0);
}

/** Q2 and Q4: nothing stands still, up to the end. */
function judgeFlow(
  world: World,
  book: PromiseBook,
  bars: QualityBars,
  viewer: Peer,
  source: Source,
  pair: Pair | undefined,
): void {
  const { now } = world.loop;
  const begun = world.zeroAt + (world.plan.steady?.fromMicros ?? 0);
  const gap = Math.max(pair?.longestGapMicros ?? 0, now - (pair?.lastAt ?? begun));
  const isCamera = source.kind === "camera";
  const bound = isCamera
    ? bars.freezeMicros + bars.freezeRoundTrips * roundTrips(viewer, source.peer)
    : bars.silenceMicros;
  const still = () => `${nameOf(source)} stood still for ${gap} µs before ${viewer.plan.name}; the bar is ${bound} µs.`;
  judge(book, isCamera ? "Q2" : "Q4", gap <= bound, still);
}

/** Q5, Q6 and Q8. */
function judgePair(world: World, book: PromiseBook, bars: QualityBars, pair: Pair): void {
  const { viewer, source, lipSyncMicros, layerChanges, count, best } = pair;
  const who = `${viewer.plan.name} before ${nameOf(source)}`;
  if (source.kind !== "camera") return;
  if (pair.mappingMicros !== undefined) {
    judge(
      book,
      "Q5",
      lipSyncMicros <= bars.lipSyncMicros,
      () => `Lips and voice are ${lipSyncMicros} µs apart for ${who}.`,
    );
  }
  if (source.client.media.encoders.length < 2) return;
  const minutes = (world.loop.now - world.zeroAt - world.plan.steady!.fromMicros) / 60_000_000;
  const allowed = Math.ceil(bars.layerChangesPerMinute * minutes);
  judge(
    book,
    "Q6",
    layerChanges <= allowed,
    () => `${who}: the layer changed ${layerChanges} times; the bar is ${allowed}.`,
  );
  const percent = Math.floor((100 * best) / Math.max(1, count));
  judge(
    book,
    "Q8",
    percent >= bars.utilisationPercent,
    () => `${who}: ${percent} % of the pictures were of the best layer.`,
  );
}

/** Q3: of all pictures that came, few could not be shown. */
function judgeScreens(book: PromiseBook, bars: QualityBars, steady: Steady, viewer: Peer): void {
  const shown = [...steady.pairs.values()]
    .filter((pair) => pair.viewer === viewer && pair.source.kind === "camera")
    .reduce((sum, { count }) => sum + count, 0);
  if (shown === 0) return;
  const skipped = steady.skippedBy(viewer);
  const torn = () => `${viewer.plan.name} was not shown ${skipped} pictures of ${shown + skipped}.`;
  judge(book, "Q3", 100 * skipped <= bars.tornPercent * (shown + skipped), torn);
}

/** Q7: nothing stands in the queues of a viewer's link. */
function judgeQueues(book: PromiseBook, bars: QualityBars, steady: Steady, viewer: Peer): void {
  for (const { entity } of [viewer.up, viewer.down]) {
    const stood = steady.standing.get(entity);
    if (stood === undefined) continue;
    const standing = () => `A queue of ${stood} µs stood on the link ${entity} for a second.`;
    judge(book, "Q7", stood <= bars.standingQueueMicros, standing);
  }
}

/** Q9: viewers of the same camera are shown as much. */
function judgeFairness(book: PromiseBook, bars: QualityBars, steady: Steady): void {
  const bySource = new Map<Source, Pair[]>();
  for (const pair of steady.pairs.values()) {
    if (pair.source.kind === "camera") bySource.set(pair.source, [...(bySource.get(pair.source) ?? []), pair]);
  }
  for (const [source, pairs] of bySource) {
    if (pairs.length < 2) continue;
    const counts = pairs.map(({ count }) => count);
    const percent = Math.floor((100 * Math.min(...counts)) / Math.max(...counts));
    const unfair = () => `Of ${nameOf(source)} one viewer was shown ${percent} % of what another one was.`;
    judge(book, "Q9", percent >= bars.fairnessPercent, unfair);
  }
}
