/**
 * The oracle that looks into the server: whether its tables agree with each other and stay within their bounds.
 *
 * What must be true of a shard whenever it stands still is written down in the core (core/sfu/invariants.ts), because hosts
 * that serve people ask it of theirs as well: S15, R2, S17 and S18. This oracle looks after each input that changes who is
 * there, and now and then besides.
 */
import { disagreementIn, excessIn, lossIn, wildEstimateIn } from "../../core/index.ts";
import type { World, WorldWatcher } from "../world.ts";
import { judge, type PromiseBook } from "./promises.ts";

/** Time between two looks when nothing calls for one. */
const LOOK_EVERY_MICROS = 500_000;

/** The oracle of this world. */
export function createStateOracle(world: World, book: PromiseBook): WorldWatcher {
  let nextLook = 0;
  return {
    afterInput(input, effects) {
      const calls = input.kind === "command" || effects.some((effect) => effect.kind === "event");
      if (!calls && input.now < nextLook) return;
      nextLook = input.now + LOOK_EVERY_MICROS;
      const { shard } = world.node;
      const disagreement = disagreementIn(shard);
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
