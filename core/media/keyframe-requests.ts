/**
 * Thins the wishes for a keyframe of one inbound stream (PLI of RFC 4585 §6.3.1, FIR of RFC 5104 §4.3.1).
 *
 * Many subscribers may want a keyframe at once; one request serves them all. A wish stays until a keyframe comes: it is
 * repeated after `keyframeRequestMicros`, then after twice as long each time, up to
 * `keyframeRequestLastMicros`, but not before a round trip is over: the answer may be on its way, and a publisher who is asked
 * twice sends two. A wish soon after a request waits for its turn, so that no crowd of joining viewers
 * can make a publisher send nothing but keyframes; it is never dropped.
 *
 * Whoever wants a keyframe *again* was sent one that brought nothing, or is to go over to a layer that keeps coming and going.
 * Either way the publisher's way is most likely too narrow, and a keyframe, as large as several pictures, is what fills such a
 * way up. So wishes of this kind are granted more and more rarely, up to one in `keyframeAgainLastMicros`, until there has been
 * calm for `CALM` times as long. Those who have yet to begin do not have to wait for that.
 *
 * Wishes are thinned in one place, where the publisher is. Who stands between passes each on as soon as it is made, and
 * once: {@link keyframeToPassOn}.
 */
import { after, type Micros, NEVER } from "../base/micros.ts";
import type { Tunables } from "../tunables.ts";

/** So many times the wait between two wishes are calm: the next one has reasons of its own. */
const CALM = 4;
/** Between shards nothing is on its way for long enough to count. */
const NO_TIME = 0 as Micros;

/** The wishes for one stream; treat the fields as private. */
export interface KeyframeRequests {
  readonly tunables: Tunables;
  wanted: boolean;
  /** Whether somebody wants one to begin with. */
  toBegin: boolean;
  /** When the last request went out; 0, before all times, for never. */
  requestedAt: Micros;
  /** Requests since the last keyframe. */
  unanswered: number;
  /** Whether the present wishes have led to a request, and whether to one for somebody who wants one to begin with. */
  asked: boolean;
  askedToBegin: boolean;
  /** The least time from the last request to its repetition. */
  wait: Micros;
  /** The least time from the last request to one for somebody who wants a keyframe again. */
  waitAgain: Micros;
}

/** Nothing wanted, nothing sent. */
export function createKeyframeRequests(tunables: Tunables): KeyframeRequests {
  return {
    tunables,
    wanted: false,
    toBegin: false,
    requestedAt: 0 as Micros,
    unanswered: 0,
    asked: false,
    askedToBegin: false,
    wait: tunables.keyframeRequestMicros,
    waitAgain: tunables.keyframeRequestMicros,
  };
}

/** Somebody needs a keyframe that starts after `now`, to begin with. */
export function keyframeWanted(requests: KeyframeRequests, _now: Micros): void {
  requests.wanted = true;
  requests.toBegin = true;
}

/** Somebody who is shown the publication already needs a keyframe that starts after `now`. */
export function keyframeWantedAgain(requests: KeyframeRequests, _now: Micros): void {
  requests.wanted = true;
}

/** A keyframe has started: all wishes so far are granted. A wish after it is a new one, thinned like any other. */
export function keyframeArrived(requests: KeyframeRequests, _now: Micros): void {
  grant(requests);
  requests.unanswered = 0;
  requests.wait = requests.tunables.keyframeRequestMicros;
}

/**
 * Nobody has a use for a keyframe of this layer now; it may come back. Then its publisher still owes what was asked for: a
 * layer that comes and goes is asked no faster than one that stays.
 */
export function keyframeMoot(requests: KeyframeRequests): void {
  grant(requests);
}

/** Nobody wants a keyframe any longer: the stream has no subscriber, or is gone. */
export function keyframeForget(requests: KeyframeRequests): void {
  grant(requests);
  requests.unanswered = 0;
  requests.wait = requests.tunables.keyframeRequestMicros;
  requests.waitAgain = requests.tunables.keyframeRequestMicros;
}

/** Whether a request is to be sent now, to where it takes so long there and back; true counts as sent. */
export function keyframeDue(requests: KeyframeRequests, now: Micros, rttMicros: Micros): boolean {
  if (now < keyframeNextTimeout(requests, rttMicros)) return false;
  const { unanswered, toBegin, requestedAt, wait, waitAgain } = requests;
  const { keyframeRequestMicros, keyframeRequestLastMicros, keyframeAgainLastMicros } = requests.tunables;
  if (now - requestedAt >= CALM * Math.max(wait, waitAgain, answerTime(requests, rttMicros))) {
    requests.wait = keyframeRequestMicros;
    requests.waitAgain = keyframeRequestMicros;
  } else if (unanswered > 0) requests.wait = Math.min(2 * wait, keyframeRequestLastMicros) as Micros;
  else if (!toBegin) requests.waitAgain = Math.min(2 * waitAgain, keyframeAgainLastMicros) as Micros;
  noteRequest(requests, now);
  return true;
}

/**
 * Whether the wishes are to be passed on now to where they are thinned; true counts as passed on. What has not been said yet
 * goes at once, and again when a request would be repeated, as the keyframe may have got lost on its way from there.
 */
export function keyframeToPassOn(requests: KeyframeRequests, now: Micros): boolean {
  const { wanted, toBegin, asked, askedToBegin } = requests;
  const isNews = wanted && (!asked || (toBegin && !askedToBegin));
  if (!isNews) return keyframeDue(requests, now, NO_TIME);
  noteRequest(requests, now);
  return true;
}

/**
 * When {@link keyframeDue} should be asked next: in the past when a request is due by now, {@link NEVER} when nobody wants
 * a keyframe.
 */
export function keyframeNextTimeout(requests: KeyframeRequests, rttMicros: Micros): Micros {
  const { wanted, toBegin, requestedAt, wait, waitAgain } = requests;
  if (!wanted) return NEVER;
  const least = toBegin ? wait : Math.max(wait, waitAgain);
  return after(requestedAt, Math.max(least, answerTime(requests, rttMicros)) as Micros);
}

/** How long the answer to the last request may be on its way, if it has not come: however far, no longer than is waited. */
function answerTime({ unanswered, tunables }: KeyframeRequests, rttMicros: Micros): number {
  return unanswered === 0 ? 0 : Math.min(rttMicros, tunables.keyframeRequestLastMicros);
}

function noteRequest(requests: KeyframeRequests, now: Micros): void {
  requests.requestedAt = now;
  requests.unanswered++;
  requests.asked = true;
  requests.askedToBegin ||= requests.toBegin;
}

function grant(requests: KeyframeRequests): void {
  requests.wanted = false;
  requests.toBegin = false;
  requests.asked = false;
  requests.askedToBegin = false;
}
