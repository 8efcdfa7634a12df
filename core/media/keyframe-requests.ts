/**
 * Thins the wishes for a keyframe of one inbound stream (PLI of RFC 4585 §6.3.1, FIR of RFC 5104 §4.3.1).
 *
 * Many subscribers may want a keyframe at once; one request serves them all. A wish stays until a keyframe comes: it is
 * repeated after `keyframeRequestMicros`, then after twice as long each time, up to
 * `keyframeRequestLastMicros`. A wish soon after a request waits for its turn, so that no crowd of joining viewers
 * can make a publisher send nothing but keyframes; it is never dropped.
 */
import { after, type Micros, NEVER } from "../base/micros.ts";
import type { Tunables } from "../tunables.ts";

/** The wishes for one stream; treat the fields as private. */
export interface KeyframeRequests {
  readonly tunables: Tunables;
  wanted: boolean;
  /** When the last request went out; 0, before all times, for never. */
  requestedAt: Micros;
  /** Requests since the last keyframe. */
  unanswered: number;
  /** The least time from the last request to the next. */
  wait: Micros;
}

/** Nothing wanted, nothing sent. */
export function createKeyframeRequests(tunables: Tunables): KeyframeRequests {
  return { tunables, wanted: false, requestedAt: 0 as Micros, unanswered: 0, wait: 0 as Micros };
}

/** Somebody needs a keyframe that starts after `now`. */
export function keyframeWanted(requests: KeyframeRequests, _now: Micros): void {
  requests.wanted = true;
}

/** A keyframe has started: all wishes so far are granted. A wish after it is a new one, thinned like any other. */
export function keyframeArrived(requests: KeyframeRequests, _now: Micros): void {
  keyframeForget(requests);
}

/** Nobody wants a keyframe any longer: the stream has no subscriber, or is gone. */
export function keyframeForget(requests: KeyframeRequests): void {
  requests.wanted = false;
  requests.unanswered = 0;
  requests.wait = requests.tunables.keyframeRequestMicros;
}

/** Whether a request is to be sent now; true counts as sent. */
export function keyframeDue(requests: KeyframeRequests, now: Micros): boolean {
  if (now < keyframeNextTimeout(requests)) return false;
  const { keyframeRequestMicros, keyframeRequestLastMicros } = requests.tunables;
  const wait = requests.unanswered === 0 ? keyframeRequestMicros : requests.wait * 2;
  requests.wait = Math.min(wait, keyframeRequestLastMicros) as Micros;
  requests.requestedAt = now;
  requests.unanswered++;
  return true;
}

/**
 * When {@link keyframeDue} should be asked next: in the past when a request is due by now, {@link NEVER} when nobody wants
 * a keyframe.
 */
export function keyframeNextTimeout(requests: KeyframeRequests): Micros {
  return requests.wanted ? after(requests.requestedAt, requests.wait) : NEVER;
}
