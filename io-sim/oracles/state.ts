/**
 * The oracle that looks into the server: whether its tables agree with each other and stay within their bounds.
 *
 * What must be true of a shard whenever it stands still is written down in the core (core/sfu/invariants.ts), because hosts
 * that serve people ask it of theirs as well: S15, R2, S17 and S18. This oracle looks after each input that changes who is
 * there, and now and then besides. What one shard says of another may be under way for a while, so that is only held
 * against it when it lasts.
 */
import { disagreementIn, excessIn, lossIn, type Shard, wildEstimateIn } from "../../core/index.ts";
import type { World, WorldWatcher } from "../world/world.ts";
import { judge, type PromiseBook } from "./promises.ts";

/** Time between two looks when nothing calls for one. */
const LOOK_EVERY_MICROS = 500_000;
/** How long one shard may go on relaying to another that wants no more, beside the way between them. */
const RECALL_MICROS = 2_000_000;

type Relay = Shard["publications"] extends Map<number, { relays: readonly (infer R extends object)[] }> ? R : never;

/** The oracle of this world. */
export function createStateOracle(world: World, book: PromiseBook): WorldWatcher {
  const nextLooks = new Map<Shard, number>();
  const uselessSince = new Map<Relay, number>();
  return {
    afterInput(input, effects, { shard }) {
      const calls = input.kind === "command" || effects.some((effect) => effect.kind === "event");
      if (!calls && input.now < (nextLooks.get(shard) ?? 0)) return;
      nextLooks.set(shard, input.now + LOOK_EVERY_MICROS);
      const disagreement = disagreementIn(shard) || uselessRelay(world, shard, uselessSince);
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

/** Whether this shard has for long relayed to another one that no longer has the lane, in a sentence, or "". */
function uselessRelay(world: World, shard: Shard, uselessSince: Map<Relay, number>): string {
  const { delayMicros, jitterMicros, batchMicros } = world.shards.plan;
  const most = RECALL_MICROS + 2 * (delayMicros + jitterMicros + batchMicros);
  for (const { id, relays } of shard.publications.values()) {
    for (const relay of relays) {
      const other = world.nodes.find((node) => node.shard.number === relay.shard);
      if (other?.shard.lanes.has(relay.lane) === true) continue;
      const since = uselessSince.get(relay) ?? world.loop.now;
      uselessSince.set(relay, since);
      const where = `shard ${relay.shard}, where nobody wants it`;
      if (world.loop.now - since > most) return `Publication ${id} is relayed to ${where}`;
    }
  }
  return "";
}
