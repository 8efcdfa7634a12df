/**
 * All oracles of a run together: one watcher after the other, and the judgements at the turns of a run.
 *
 * Each oracle stands at a place from which something can be seen, and judges what can be judged from there, whatever the
 * promise is called. What they promise is in ./promises.ts, each promise once.
 */
import type { World } from "../world/world.ts";
import { createAnnouncementOracle } from "./announcements.ts";
import { createControlOracle } from "./control.ts";
import { createEndOracle } from "./end.ts";
import { createForwardingOracle } from "./forwarding.ts";
import { createLedger } from "./ledger.ts";
import { createPatienceOracle } from "./patience.ts";
import { createPlayerOracle } from "./player.ts";
import type { PromiseBook } from "./promises.ts";
import { createQualityOracle } from "./quality.ts";
import type { QualityBars } from "./quality-bars.ts";
import { createStateOracle } from "./state.ts";
import { createStoryOracle } from "./story.ts";
import { createTenants } from "./tenants.ts";
import { createWireOracle } from "./wire.ts";

/** What a run asks of its oracles besides watching. */
export interface Oracles {
  /** When the story is over and everyone is still there. */
  judgeStory(): void;
  /** When everyone has left. */
  judgeEmptiness(): void;
}

/** Has all oracles watch this world and write into this book. */
export function createOracles(world: World, book: PromiseBook, bars: QualityBars): Oracles {
  const tenants = createTenants(world);
  const ledger = createLedger(world, tenants);
  const forwarding = createForwardingOracle(world, book, ledger);
  const wire = createWireOracle(world, book, tenants);
  const end = createEndOracle(world, book);
  const story = createStoryOracle(world, book);
  const { steady } = world.plan;
  // Who measures costs; a plan without a steady time has nothing to be measured.
  const quality = steady === undefined ? undefined : createQualityOracle(world, book, bars, steady);
  world.watchers.push(
    tenants,
    forwarding,
    createControlOracle(world, book, ledger),
    createStateOracle(world, book),
    createPatienceOracle(world, book, ledger),
    createAnnouncementOracle(world, book, ledger),
    wire,
    createPlayerOracle(world, book),
    end,
    story,
  );
  if (quality !== undefined) world.watchers.push(quality);
  return {
    judgeStory() {
      story.judgeStory();
      end.judgeStory();
      quality?.judgeStory();
      forwarding.finish();
      wire.finish();
    },
    judgeEmptiness() {
      end.judgeEmptiness();
    },
  };
}
