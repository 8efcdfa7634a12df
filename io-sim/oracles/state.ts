/**
 * The oracle that looks into the server: whether its tables agree with each other and stay within their bounds.
 *
 * What must be true of a shard whenever it stands still is written down in the core (core/sfu/invariants.ts), because hosts
 * that serve people ask it of theirs as well: S15, R2, S17 and S18. This oracle looks after each input that changes who is
 * there, and now and then besides. What one shard has to do with another may be under way for a while, so that is only held
 * against it when it lasts.
 */
import { disagreementIn, excessIn, lossIn, type Shard, wildEstimateIn } from "../../core/index.ts";
import { longestWayMicros } from "../world/shards.ts";
import type { World, WorldWatcher } from "../world/world.ts";
import { judge, type PromiseBook } from "./promises.ts";

/** Time between two looks when nothing calls for one. */
const LOOK_EVERY_MICROS = 500_000;
/** How long one shard may go on relaying to another that wants no more, or keep whose room has died, beside the way. */
const RECALL_MICROS = 2_000_000;

/** The oracle of this world. */
export function createStateOracle(world: World, book: PromiseBook): WorldWatcher {
  const nextLooks = new Map<Shard, number>();
  const uselessSince = new Map<object, number>();
  return {
    afterInput(input, effects, { shard }) {
      const calls = input.kind === "command" || effects.some((effect) => effect.kind === "event");
      if (!calls && input.now < (nextLooks.get(shard) ?? 0)) return;
      nextLooks.set(shard, input.now + LOOK_EVERY_MICROS);
      const disagreement = disagreementIn(shard) || uselessIn(world, shard, uselessSince);
      judge(book, "S15", disagreement === "", () => `${disagreement}.`);
      const excess = excessIn(shard);
      judge(book, "R2", excess === "", () => `${excess}.`);
      const wild = wildEstimateIn(shard.participants.values());
      judge(book, "S17", wild === "", () => `${wild}.`);
      const lost = lossIn(shard.history.counters);
      judge(book, "S18", lost === "", () => `${lost}.`);
    },
  };
}

/**
 * Whether this shard has for long relayed to another one that no longer has the lane, or kept somebody whose room was on one
 * that has died, in a sentence, or "".
 */
function uselessIn(world: World, shard: Shard, since: Map<object, number>): string {
  const most = RECALL_MICROS + 2 * longestWayMicros(world);
  const lasts = (what: object) => {
    const from = since.get(what) ?? world.loop.now;
    since.set(what, from);
    return world.loop.now - from > most;
  };
  for (const { id, relays } of shard.publications.values()) {
    for (const relay of relays) {
      const other = world.nodes.find((node) => node.shard.number === relay.shard);
      const isWanted = other?.shard.lanes.has(relay.lane) === true;
      if (!isWanted && lasts(relay))
        return `Publication ${id} is relayed to shard ${relay.shard}, where nobody wants it`;
    }
  }
  for (const participant of shard.participants.values()) {
    const { id, home } = participant;
    const hasRoom = !world.shards.dead.has(home);
    if (!hasRoom && lasts(participant)) return `Participant ${id} is in a room of shard ${home}, which has died`;
  }
  return "";
}
