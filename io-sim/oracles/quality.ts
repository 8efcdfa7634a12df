/**
 * The oracle of quality: holds what people perceive in the steady time of a plan against the bars.
 *
 * The promises are Q1 to Q9, the numbers are in ./quality-bars.ts and what is measured in ./measurements.ts. A claim is
 * judged once for each pair of a viewer and a source, or for each viewer or link, when the story is over. Where a link
 * explains more than a bar allows, the bar is wider by what ./ways.ts says of it, or nothing is claimed.
 */
import { type Link, linkSlowestMicros } from "../link/index.ts";
import { befalls, type SteadyPlan } from "../story/plan.ts";
import { longestWayMicros } from "../world/shards.ts";
import type { Peer } from "../world/topology.ts";
import type { Source, World, WorldWatcher } from "../world/world.ts";
import { excused } from "./excuses.ts";
import { allPairs, createMeasurements, type Measurements, type Pair, picturesBefore } from "./measurements.ts";
import { judge, type PromiseBook } from "./promises.ts";
import type { QualityBars } from "./quality-bars.ts";
import { isPastOpening } from "./rollover.ts";
import { canBePerceivedFrom, perceptionOf } from "./story.ts";
import { beganWell, holdsUpMicros, losesPackets, mayQueue } from "./ways.ts";

/** The oracle: a watcher, and the judgement when the story is over. */
export interface QualityOracle extends WorldWatcher {
  judgeStory(): void;
}

/** The oracle of this world, which has a steady time. */
export function createQualityOracle(
  world: World,
  book: PromiseBook,
  bars: QualityBars,
  steady: SteadyPlan,
): QualityOracle {
  const measured = createMeasurements(world, steady);
  return { ...measured, judgeStory: () => judgeSteadyTime(world, book, bars, measured) };
}

function judgeSteadyTime(world: World, book: PromiseBook, bars: QualityBars, measured: Measurements): void {
  const among = measured.span.among.map((name) => world.peers.get(name)!);
  for (const viewer of among) {
    const sources = sourcesBefore(book, world, viewer, among);
    judgeScreens(book, bars, measured, viewer, sources);
    judgeQueues(book, bars, measured, viewer);
    for (const source of sources) {
      const pair = measured.pairs.get(viewer)?.get(source.id);
      judgeFirst(world, book, bars, viewer, source);
      judgeFlow(world, book, bars, measured, viewer, source);
      if (pair !== undefined) judgePair(world, book, bars, measured, pair);
    }
  }
  judgeFairness(book, bars, measured);
}

/** The cameras and microphones that a viewer has a slot for and is to perceive all along. */
function sourcesBefore(book: PromiseBook, world: World, viewer: Peer, among: readonly Peer[]): Source[] {
  return [...world.sources.values()].filter(({ peer, kind, client }) => {
    if (peer === viewer || peer.client !== client || peer.plan.room !== viewer.plan.room || !among.includes(peer))
      return false;
    const isMuted = kind === "camera" ? client.media.cameraMuted : client.media.microphoneMuted;
    // A page that was left may be there to the server yet, and to the viewer's new one it is another person.
    const rivals = [...world.sources.values()].filter(
      (other) => other.kind === kind && other.peer.plan.room === peer.plan.room && other.client !== viewer.client,
    );
    const slots = kind === "camera" ? viewer.plan.videoSlots : viewer.plan.audioSlots;
    if (isMuted || excused(book, "few slots", rivals.length > slots)) return false;
    return !excused(book, "past opening", isPastOpening(world, client, kind === "camera" ? "video" : "audio"));
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
  const bound = bars.firstPictureMicros + bars.firstPictureRoundTrips * firstRoundTrips(world, viewer, source.peer);
  if (world.zeroAt + calmFor(world, [viewer, source.peer]) < from + bound) return;
  // Of links that are changed only the last is known to be good, and the first may be bad before time zero already.
  const mayBeBad = [viewer, source.peer].some((peer) => isLinkChanged(world, peer) && !beganWell(peer));
  if (excused(book, "disturbed", mayBeBad)) return;
  const seen = perceptionOf(world, viewer.client, nameOf(source));
  const waited = seen === undefined ? world.loop.now - from : seen.firstAt - from;
  const late = () =>
    `${viewer.plan.name} waited ${waited} µs for the first picture of ${nameOf(source)}; the bar is ${bound} µs.`;
  judge(book, "Q1", waited <= bound, late);
}

/** Whether the story ever changes a link of this peer. */
function isLinkChanged({ plan }: World, peer: Peer): boolean {
  return plan.steps.some(({ operation }) => operation.type === "link" && operation.peer === peer.plan.name);
}

/** How long the story leaves these peers and the server alone. */
function calmFor({ plan }: World, peers: readonly Peer[]): number {
  const names = peers.map((peer) => peer.plan.name);
  return plan.steps.find(({ operation }) => befalls(operation, names))?.atMicros ?? plan.runForMicros;
}

/** There and back over the links that both had when they came. */
function firstRoundTrips(world: World, viewer: Peer, owner: Peer): number {
  const ways = [viewer.plan.up, viewer.plan.down, owner.plan.up, owner.plan.down];
  return ways.reduce((sum, plan) => sum + linkSlowestMicros(plan), 2 * longestWayMicros(world));
}

/** There and back from a viewer to an owner, over the server's shards. */
function roundTrips(world: World, viewer: Peer, owner: Peer): number {
  const between = 2 * longestWayMicros(world);
  return waysBetween(viewer, owner).reduce((sum, { plan }) => sum + linkSlowestMicros(plan), between);
}

function waysBetween(viewer: Peer, owner: Peer): readonly Link[] {
  return [viewer.up, viewer.down, owner.up, owner.down];
}

/** Q2 and Q4: nothing stands still, up to the end, for longer than its way explains. */
function judgeFlow(
  world: World,
  book: PromiseBook,
  bars: QualityBars,
  measured: Measurements,
  viewer: Peer,
  source: Source,
): void {
  const { now } = world.loop;
  const { peer, kind, id } = source;
  const pair = measured.pairs.get(viewer)?.get(id);
  const gap = Math.max(pair?.longestGapMicros ?? 0, now - (pair?.lastAt ?? world.zeroAt + measured.span.fromMicros));
  const isCamera = kind === "camera";
  const held = (links: readonly Link[]) => links.reduce((sum, link) => sum + holdsUpMicros(measured.planOf(link)), 0);
  // A picture waits for repetitions, so the way back of those who ask for them counts as well.
  const bound = isCamera
    ? bars.freezeMicros + bars.freezeRoundTrips * roundTrips(world, viewer, peer) + held(waysBetween(viewer, peer))
    : bars.silenceMicros + held([peer.up, viewer.down]);
  if (isCamera && excused(book, "nothing sent again", isUnrepaired(measured, viewer, peer))) return;
  const still = () => `${nameOf(source)} stood still for ${gap} µs before ${viewer.plan.name}; the bar is ${bound} µs.`;
  judge(book, isCamera ? "Q2" : "Q4", gap <= bound, still);
}

/** Whether pictures are lost for good between these two: one of them is a thin client, on whose way there is loss. */
function isUnrepaired(measured: Measurements, viewer: Peer, owner: Peer): boolean {
  const isThin = ({ plan }: Peer, link: Link) => plan.persona === "thin" && losesPackets(measured.planOf(link));
  return isThin(viewer, viewer.down) || isThin(owner, owner.up);
}

/** Q5, Q6 and Q8. */
function judgePair(world: World, book: PromiseBook, bars: QualityBars, measured: Measurements, pair: Pair): void {
  const { viewer, source, lipSyncMicros, layerChanges, count, best } = pair;
  const who = `${viewer.plan.name} before ${nameOf(source)}`;
  if (source.kind !== "camera") return;
  if (lipSyncMicros !== undefined) {
    const isInTime = lipSyncMicros <= bars.lipSyncMicros;
    judge(book, "Q5", isInTime, () => `Lips and voice are ${lipSyncMicros} µs apart for ${who}.`);
  }
  if (source.client.media.encoders.length < 2) return;
  if (excused(book, "queue on the way", mayQueue(measured.planOf(viewer.down)))) return;
  const minutes = (world.loop.now - world.zeroAt - measured.span.fromMicros) / 60_000_000;
  const allowed = Math.ceil(bars.layerChangesPerMinute * minutes);
  const restless = () => `${who}: the layer changed ${layerChanges} times; the bar is ${allowed}.`;
  judge(book, "Q6", layerChanges <= allowed, restless);
  const percent = Math.floor((100 * best) / Math.max(1, count));
  const lesser = () => `${who}: ${percent} % of the pictures were of the best layer.`;
  judge(book, "Q8", percent >= bars.utilisationPercent, lesser);
}

/** Q3: of all pictures that came, few could not be shown, where no link is gone for longer than a freeze or beyond repair. */
function judgeScreens(
  book: PromiseBook,
  bars: QualityBars,
  measured: Measurements,
  viewer: Peer,
  sources: readonly Source[],
): void {
  const shown = picturesBefore(measured, viewer);
  const cameras = sources.filter(({ kind }) => kind === "camera");
  const links = [viewer.down, ...cameras.map(({ peer }) => peer.up)];
  const isGone = links.some((link) => holdsUpMicros(measured.planOf(link)) > bars.freezeMicros);
  if (shown === 0 || excused(book, "gone for long", isGone)) return;
  const isTorn = cameras.some(({ peer }) => isUnrepaired(measured, viewer, peer));
  if (excused(book, "nothing sent again", isTorn)) return;
  const skipped = measured.skippedBy(viewer);
  const torn = () => `${viewer.plan.name} was not shown ${skipped} pictures of ${shown + skipped}.`;
  judge(book, "Q3", 100 * skipped <= bars.tornPercent * (shown + skipped), torn);
}

/** Q7: nothing stands in the queues of a viewer's link, if it is nobody else's and wide enough. */
function judgeQueues(book: PromiseBook, bars: QualityBars, measured: Measurements, viewer: Peer): void {
  for (const link of [viewer.up, viewer.down]) {
    const stood = measured.standing.get(link.entity);
    if (stood === undefined || excused(book, "queue on the way", mayQueue(measured.planOf(link)))) continue;
    const standing = () => `A queue of ${stood} µs stood on the link ${link.entity} for a second.`;
    judge(book, "Q7", stood <= bars.standingQueueMicros, standing);
  }
}

/** Q9: viewers of the same camera, if nothing holds their ways up or tears their pictures for good, are shown as much. */
function judgeFairness(book: PromiseBook, bars: QualityBars, measured: Measurements): void {
  const bySource = new Map<Source, Pair[]>();
  for (const pair of allPairs(measured)) {
    const isEven = holdsUpMicros(measured.planOf(pair.viewer.down)) <= bars.silenceMicros;
    if (pair.source.kind !== "camera" || !isEven) continue;
    if (excused(book, "nothing sent again", isUnrepaired(measured, pair.viewer, pair.source.peer))) continue;
    bySource.set(pair.source, [...(bySource.get(pair.source) ?? []), pair]);
  }
  for (const [source, pairs] of bySource) {
    if (pairs.length < 2) continue;
    const counts = pairs.map(({ count }) => count);
    const percent = Math.floor((100 * Math.min(...counts)) / Math.max(...counts));
    const unfair = () => `Of ${nameOf(source)} one viewer was shown ${percent} % of what another one was.`;
    judge(book, "Q9", percent >= bars.fairnessPercent, unfair);
  }
}
