/**
 * How long things may take, from what the protocols ask and the links explain; nothing here was tuned.
 *
 * A handshake is so many round trips, a first picture so many more; where packets get lost, repetitions and their backoff
 * come on top. The numbers are those of the usual tunables; a server that is made to wait longer is given as much more.
 * What links explain otherwise stands in ./ways.ts.
 */
import type { Tunables } from "../../core/index.ts";
import { longerThanUsual, longestWaitBeyondUsual } from "../knobs.ts";
import { type LinkPlan, linkIsLossy, linkSlowestMicros } from "../link.ts";
import type { Peer } from "../topology.ts";

/** Time that the protocols need beside the round trips: the server's thinning of keyframe requests, a camera's period. */
const FIRST_PICTURE_MICROS = 1_500_000;
/** Time for a handshake beside its round trips, and what repetitions cost when packets are lost. */
const CONNECT_MICROS = 500_000;
const LOSS_MICROS = 6_000_000;

/** What L2 allows after healing, beside what the links explain. */
const HEALED_MICROS = 5_000_000;

/** The longest that a peer may take from its join to a connection. */
export function connectBound(peer: Peer, tunables: Tunables): number {
  const { up, down } = peer.plan;
  const backoff = longerThanUsual(tunables, "dtlsRetransmitFirstMicros", "dtlsRetransmitLastMicros");
  const lost = up.loseDtls.length + down.loseDtls.length;
  const handshake = lost === 0 ? 0 : Math.min(12_000_000, 400_000 * 2 ** lost) + lost * backoff;
  const losses = linkIsLossy(up) || linkIsLossy(down) ? LOSS_MICROS + backoff : 0;
  return CONNECT_MICROS + 12 * roundTrip(up, down) + handshake + losses;
}

/** What a peer's link adds to the time until a picture of it, or before it, is shown. */
export function pictureBound(peer: Peer, tunables: Tunables): number {
  const { up, down } = peer.plan;
  const thinning = longerThanUsual(tunables, "keyframeRequestMicros", "layerSilentMicros", "mediaTickMicros");
  const backoff = longerThanUsual(tunables, "keyframeRequestLastMicros", "keyframeAgainLastMicros", "nackRepeatMicros");
  const losses = linkIsLossy(up) || linkIsLossy(down) ? LOSS_MICROS + backoff : 0;
  return FIRST_PICTURE_MICROS + thinning + 6 * roundTrip(up, down) + losses;
}

/** What is allowed after healing, beside what the links explain: whatever waits at the server waits no longer than this. */
export function healingBound(tunables: Tunables): number {
  return HEALED_MICROS + longestWaitBeyondUsual(tunables);
}

function roundTrip(up: LinkPlan, down: LinkPlan): number {
  return linkSlowestMicros(up) + linkSlowestMicros(down);
}
