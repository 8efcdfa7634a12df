/**
 * How long things may take, from what the protocols ask and the links explain; nothing here was tuned.
 *
 * A handshake is so many round trips, a first picture so many more; where packets get lost, repetitions and their backoff
 * come on top.
 */
import { type LinkPlan, linkIsLossy, linkSlowestMicros } from "../link.ts";
import type { Peer } from "../topology.ts";

/** Time that the protocols need beside the round trips: the server's thinning of keyframe requests, a camera's period. */
const FIRST_PICTURE_MICROS = 1_500_000;
/** Time for a handshake beside its round trips, and what repetitions cost when packets are lost. */
const CONNECT_MICROS = 500_000;
const LOSS_MICROS = 6_000_000;

/** The longest that a peer may take from its join to a connection. */
export function connectBound(peer: Peer): number {
  const { up, down } = peer.plan;
  const lost = up.loseDtls.length + down.loseDtls.length;
  const handshake = lost === 0 ? 0 : Math.min(12_000_000, 400_000 * 2 ** lost);
  return (
    CONNECT_MICROS + 12 * roundTrip(up, down) + handshake + (linkIsLossy(up) || linkIsLossy(down) ? LOSS_MICROS : 0)
  );
}

/** What a peer's link adds to the time until a picture of it, or before it, is shown. */
export function pictureBound(peer: Peer): number {
  const { up, down } = peer.plan;
  return FIRST_PICTURE_MICROS + 6 * roundTrip(up, down) + (linkIsLossy(up) || linkIsLossy(down) ? LOSS_MICROS : 0);
}

function roundTrip(up: LinkPlan, down: LinkPlan): number {
  return linkSlowestMicros(up) + linkSlowestMicros(down);
}
