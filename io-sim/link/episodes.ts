/**
 * Something that comes and goes by itself: stalls of a host, dips of a capacity, outages.
 *
 * The process is advanced only when somebody asks, and its draws depend on nothing but its own stream. So two directions
 * that hold a process of the same key and the same beginning see the same episodes without sharing any state, however
 * often each of them asks.
 */
import { between, type Stream } from "../base/random.ts";
import type { EpisodesPlan } from "./plan.ts";

/** Where the process is: the present episode, or the next one. */
export interface Episodes {
  readonly stream: Stream;
  startsAt: number;
  endsAt: number;
}

/** A process that begins with quiet at `now`. */
export function createEpisodes(stream: Stream, now: number): Episodes {
  return { stream, startsAt: now, endsAt: now };
}

/** Whether an episode is on at `time`; then `endsAt` says until when, else `startsAt` when the next one begins. */
export function inEpisode(episodes: Episodes, plan: EpisodesPlan, time: number): boolean {
  while (time >= episodes.endsAt) {
    // At least a microsecond each, so that the process always moves on.
    episodes.startsAt = episodes.endsAt + Math.max(1, between(episodes.stream, ...plan.everyMicros));
    episodes.endsAt = episodes.startsAt + Math.max(1, between(episodes.stream, ...plan.lastsMicros));
  }
  return time >= episodes.startsAt;
}
