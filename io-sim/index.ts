/**
 * What stories, tools and tests need of the simulator.
 */
export type { Plan, StoryPromise } from "./plan.ts";
export {
  at,
  buggify,
  clock,
  cut,
  departs,
  freezes,
  garbage,
  heal,
  inherit,
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
  signalling,
  swizzle,
  unmute,
} from "./scenario.ts";
