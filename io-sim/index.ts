/**
 * What stories, tools and tests need of the simulator.
 */
export type { Plan, StoryPromise } from "./plan.ts";
export {
  at,
  buggify,
  cut,
  departs,
  freezes,
  garbage,
  heal,
  join,
  kbps,
  kill,
  leave,
  link,
  move,
  ms,
  mute,
  only,
  pause,
  percent,
  plays,
  profile,
  restart,
  scenario,
  seconds,
  unmute,
} from "./scenario.ts";
