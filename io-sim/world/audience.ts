/**
 * Who hears of what happens to each packet.
 *
 * A world has many watchers, and most want to know little. So those who want something are gathered once for each kind of
 * news that is frequent, and packets pass by all others. What a watcher can hear of stands in ./world.ts; functions are
 * called as such, without their watcher as `this`.
 */
import type { World, WorldWatcher } from "./world.ts";

/** The listeners to one kind of news. */
type Listeners<News extends keyof WorldWatcher> = Required<WorldWatcher>[News][];

/** The listeners of a world, by what they listen to; make it with {@link createAudience}. */
export interface Audience {
  /** How many watchers there were when they were asked. */
  watchers: number;
  beforeInput: Listeners<"beforeInput">;
  afterInput: Listeners<"afterInput">;
  transmitted: Listeners<"transmitted">;
  relayed: Listeners<"relayed">;
  carried: Listeners<"carried">;
  perceived: Listeners<"perceived">;
  filmed: Listeners<"filmed">;
}

/** An audience that nobody has joined. */
export function createAudience(): Audience {
  return {
    watchers: 0,
    beforeInput: [],
    afterInput: [],
    transmitted: [],
    relayed: [],
    carried: [],
    perceived: [],
    filmed: [],
  };
}

/** The listeners of a world as they are now. */
export function audienceOf(world: World): Audience {
  const { audience, watchers } = world;
  if (audience.watchers !== watchers.length) {
    audience.watchers = watchers.length;
    audience.beforeInput = listenersTo(watchers, "beforeInput");
    audience.afterInput = listenersTo(watchers, "afterInput");
    audience.transmitted = listenersTo(watchers, "transmitted");
    audience.relayed = listenersTo(watchers, "relayed");
    audience.carried = listenersTo(watchers, "carried");
    audience.perceived = listenersTo(watchers, "perceived");
    audience.filmed = listenersTo(watchers, "filmed");
  }
  return audience;
}

function listenersTo<News extends keyof WorldWatcher>(watchers: WorldWatcher[], news: News): Listeners<News> {
  return watchers.flatMap((watcher) => {
    const listener = watcher[news];
    return listener === undefined ? [] : [listener as Required<WorldWatcher>[News]];
  });
}
