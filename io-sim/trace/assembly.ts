/**
 * The trace of a run that is over, put together from its records and its verdict.
 */
import { PROMISES, type PromiseId } from "../oracles/promises.ts";
import type { TraceRow } from "../world/rows.ts";
import type { Verdict } from "../world/run.ts";
import { placeOf } from "../world/shards.ts";
import { WALL_AT_ORIGIN } from "../world/wall-clock.ts";
import type { World } from "../world/world.ts";
import { createKept, keep, keptThings } from "./kept.ts";
import { type Recording, shardName, sourceName } from "./recording.ts";
import { FACT, type Strip, stripOf } from "./strips.ts";
import type { Trace, TracedPromise, TracedSite } from "./trace.ts";

/** Rows of text that a trace keeps. */
const ROWS_MAX = 10_000;

/** The trace; `replayName` is what the command line finds the story by. */
export function traceOf(recording: Recording, verdict: Verdict, replayName: string): Trace {
  const { world, packets, messages } = recording;
  const { plan, loop } = world;
  const { broken } = verdict;
  const storyEndsAt = world.zeroAt === 0 ? loop.now : Math.min(loop.now, world.zeroAt + plan.runForMicros);
  const rows = createKept<TraceRow>(ROWS_MAX);
  for (const row of world.rows) keep(rows, row);
  return {
    story: plan.name,
    replayName,
    sentence: plan.story,
    seed: verdict.seed,
    verdict: verdict.verdict,
    broken,
    fingerprint: verdict.fingerprint,
    startsAt: loop.origin,
    zeroAt: world.zeroAt === 0 ? loop.origin : world.zeroAt,
    storyEndsAt: broken === undefined ? storyEndsAt : broken.time,
    endsAt: loop.now,
    wallAtStart: WALL_AT_ORIGIN,
    inputs: verdict.inputs,
    peers: [...world.peers.values()].map((peer) => ({
      name: peer.plan.name,
      room: peer.plan.room,
      addresses: [...(recording.addresses.get(peer.plan.name) ?? [peer.address])],
      shard: placeOf(world, peer),
    })),
    shards: world.shards.addresses.map((ofShard, place) => ({
      name: shardName(world, place),
      addresses: Object.values(ofShard),
    })),
    packets: keptThings(packets),
    messages: keptThings(messages.rows),
    strips: stripsOf(recording, storyEndsAt),
    rows: keptThings(rows),
    ticks: recording.ticks,
    promises: promisesOf(verdict),
    drops: [...recording.drops.values()],
    sites: sitesOf(world),
    forgotten: { packets: packets.forgotten, messages: messages.rows.forgotten, rows: rows.forgotten },
  };
}

/** A strip for each source that a viewer was shown at any time, or was to be shown. */
function stripsOf(recording: Recording, endsAt: number): Strip[] {
  const { world, facts } = recording;
  const strips: Strip[] = [];
  for (const viewer of world.peers.keys()) {
    const names = new Set([...world.sources.values()].map(sourceName));
    for (const source of [...names].sort((a, b) => (a < b ? -1 : 1))) {
      const known = facts.has(FACT.shown(viewer, source)) || facts.get(FACT.slotted(viewer, source))?.length;
      if (known) strips.push(stripOf(facts, viewer, source, world.loop.origin, endsAt));
    }
  }
  return strips;
}

function sitesOf({ sites }: World): TracedSite[] {
  const counts = [...sites.counts].map(([site, { reached, fired }]) => ({ site, reached, fired }));
  return counts.filter(({ fired }) => fired > 0);
}

function promisesOf(verdict: Verdict): TracedPromise[] {
  const rows: TracedPromise[] = [];
  for (const [id, sentence] of Object.entries(PROMISES)) {
    const promise = id as PromiseId;
    const judged = verdict.judged.get(promise) ?? 0;
    rows.push({ promise, sentence, judged, broken: verdict.broken?.promise === promise });
  }
  return rows;
}
