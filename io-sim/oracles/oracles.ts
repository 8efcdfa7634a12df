/**
 * All oracles of a run together: one watcher after the other, and the judgements at the turns of a run.
 *
 * Each oracle stands at a place from which something can be seen, and judges what can be judged from there, whatever the
 * promise is called. What they promise is in ./promises.ts, each promise once.
 */
import type { World } from "../world.ts";
import { createEndOracle } from "./end.ts";
import { createPlayerOracle } from "./player.ts";
import type { PromiseBook } from "./promises.ts";
import { createStoryOracle } from "./story.ts";
import { createWireOracle } from "./wire.ts";

/** What a run asks of its oracles besides watching. */
export interface Oracles {
  /** When the story is over and everyone is still there. */
  judgeStory(): void;
  /** When everyone has left. */
  judgeEmptiness(): void;
}

/** Has all oracles watch this world and write into this book. */
export function createOracles(world: World, book: PromiseBook): Oracles {
  const wire = createWireOracle(world, book);
  const end = createEndOracle(world, book);
  const story = createStoryOracle(world, book);
  world.watchers.push(wire, createPlayerOracle(world, book), end, story);
  return {
    judgeStory() {
      story.judgeStory();
      end.judgeStory();
      wire.finish();
    },
    judgeEmptiness() {
      end.judgeEmptiness();
    },
  };
}
