/**
 * What a run felt like in numbers: the figures of quality over the whole story, whatever befalls whom in it.
 *
 * Each is the worst of all that anybody was shown, or undefined where there is nothing to be said: nobody sends layers, no
 * two watch the same camera, no link has a queue. They are measured as the promises of quality are (./measurements.ts), but
 * judge nothing: a story of a broken line is allowed to look like one.
 */
import type { Link } from "../link/index.ts";
import type { Peer } from "../world/topology.ts";
import type { Source, World } from "../world/world.ts";
import { allPairs, createMeasurements, type Measurements, type Pair, picturesBefore } from "./measurements.ts";

/** Who has watched for less than this has no figure per time. */
const WATCHED_MICROS_MIN = 2_000_000;

/** The figures of one run. */
export interface QualityFigures {
  /** How often a picture stood still for longer than people overlook, before the viewer to whom it happened most. */
  readonly freezes: number | undefined;
  /** Of the pictures that came, those that could not be shown, in thousandths. */
  readonly tornPermille: number | undefined;
  readonly lipSyncMicros: number | undefined;
  readonly layerChangesPerMinute: number | undefined;
  /** Of the pictures of a camera with several layers, those of the best one that came. */
  readonly bestLayerPercent: number | undefined;
  readonly standingQueueMicros: number | undefined;
  /** Of all viewers of a camera, what the least favoured was shown of what the most favoured was, in the time each watched. */
  readonly fairnessPercent: number | undefined;
}

/** Has a world measured from its time zero on; the answer says what has come of it. */
export function measureQuality(world: World): () => QualityFigures {
  const measured = createMeasurements(world, { fromMicros: 0, among: world.plan.peers.map(({ name }) => name) });
  world.watchers.push(measured);
  return () => figuresOf(world, measured);
}

function figuresOf(world: World, measured: Measurements): QualityFigures {
  const pairs = allPairs(measured);
  const pictures = pairs.filter(({ source }) => source.kind === "camera");
  const layered = pictures.filter(({ source }) => source.client.media.encoders.length > 1);
  const watched = layered.filter((pair) => watchedMicros(pair) >= WATCHED_MICROS_MIN);
  const peers = [...world.peers.values()];
  const links = peers.flatMap(({ up, down }) => [up, down]).filter(hasQueue);
  return {
    freezes: most(pictures.map(({ freezes }) => freezes)),
    tornPermille: most(peers.map((viewer) => tornPermille(measured, viewer))),
    lipSyncMicros: most(pairs.map(({ lipSyncMicros }) => lipSyncMicros)),
    layerChangesPerMinute: most(watched.map(changesPerMinute)),
    bestLayerPercent: least(layered.map(({ best, count }) => Math.floor((100 * best) / Math.max(1, count)))),
    standingQueueMicros: most(links.map(({ entity }) => measured.standing.get(entity))),
    fairnessPercent: least(fairness(pictures)),
  };
}

function watchedMicros({ firstAt, lastAt }: Pair): number {
  return lastAt - firstAt;
}

function changesPerMinute(pair: Pair): number {
  return Math.round((pair.layerChanges * 60_000_000) / watchedMicros(pair));
}

function tornPermille(measured: Measurements, viewer: Peer): number | undefined {
  const shown = picturesBefore(measured, viewer);
  const skipped = measured.skippedBy(viewer);
  return shown + skipped === 0 ? undefined : Math.round((1_000 * skipped) / (shown + skipped));
}

function hasQueue({ plan, bottleneck }: Link): boolean {
  return plan.rateBps > 0 || plan.capacity !== null || bottleneck.seenBps > 0;
}

/** For each camera that several have watched: the least of its rates of pictures in percent of the greatest. */
function fairness(pictures: readonly Pair[]): number[] {
  const rates = new Map<Source, number[]>();
  for (const pair of pictures) {
    if (watchedMicros(pair) < WATCHED_MICROS_MIN) continue;
    rates.set(pair.source, [...(rates.get(pair.source) ?? []), (pair.count - 1) / watchedMicros(pair)]);
  }
  const shared = [...rates.values()].filter(({ length }) => length > 1);
  return shared.map((ofViewers) => Math.round((100 * Math.min(...ofViewers)) / Math.max(...ofViewers)));
}

function most(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

function least(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : Math.min(...values);
}
