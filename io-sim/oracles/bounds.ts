/**
 * How long things may take, from what the protocols ask and the links explain; nothing here was tuned.
 *
 * A handshake is so many round trips, a first picture so many more; where packets get lost, repetitions and their backoff
 * come on top. The numbers are those of the usual tunables; a server that is made to wait longer is given as much more.
 * What links explain otherwise stands in ./ways.ts.
 */
import { TUNABLES, type Tunables } from "../../core/index.ts";
import { type LinkPlan, linkSlowestMicros } from "../link/index.ts";
import { longerThanUsual, longestWaitBeyondUsual } from "../world/knobs.ts";
import type { Peer } from "../world/topology.ts";
import { losesPackets } from "./ways.ts";

/**
 * Time that the protocols need beside the round trips: a keyframe request that waits for its turn, one that serves somebody
 * else, and a camera's period.
 */
const FIRST_PICTURE_MICROS = 3 * TUNABLES.keyframeRequestMicros.usual;
/** Time for a handshake beside its round trips: each side's timer may be about to run when its answer comes. */
const CONNECT_MICROS = 500_000;
/**
 * What repetitions cost where packets are lost: four in a row of one handshake, each of which is waited for twice as long as
 * the one before, the first time for 400 ms (RFC 6347 §4.2.4.1, as clients do it).
 */
const LOSS_MICROS = (2 ** 4 - 1) * 400_000;

/** What L2 allows after healing, beside what the links explain. */
const HEALED_MICROS = 5_000_000;

/** What the server answers before somebody is connected, each time as soon as it moves: a join, a check and two flights. */
const CONNECT_ANSWERS = 4;

/** The longest that a peer may take from its join to a connection, at a server that stands still so long at a time. */
export function connectBound(peer: Peer, tunables: Tunables, standstillMicros: number): number {
  const { up, down } = peer.plan;
  const backoff = longerThanUsual(tunables, "dtlsRetransmitFirstMicros", "dtlsRetransmitLastMicros");
  const lost = up.loseDtls.length + down.loseDtls.length;
  const handshake = lost === 0 ? 0 : Math.min(12_000_000, 400_000 * 2 ** lost) + lost * backoff;
  const losses = losesPackets(up) || losesPackets(down) ? LOSS_MICROS + backoff : 0;
  return CONNECT_MICROS + CONNECT_ANSWERS * standstillMicros + 12 * roundTrip(up, down) + handshake + losses;
}

/** What a peer's links add to the time until a picture of it, or before it, is shown. */
export function pictureBound(up: LinkPlan, down: LinkPlan, tunables: Tunables): number {
  const thinning = longerThanUsual(tunables, "keyframeRequestMicros", "layerSilentMicros", "mediaTickMicros");
  const backoff = longerThanUsual(tunables, "keyframeRequestLastMicros", "keyframeAgainLastMicros", "nackRepeatMicros");
  const losses = losesPackets(up) || losesPackets(down) ? LOSS_MICROS + backoff : 0;
  return FIRST_PICTURE_MICROS + thinning + 6 * roundTrip(up, down) + losses;
}

/** What is allowed after healing, beside what the links explain: whatever waits at the server waits no longer than this. */
export function healingBound(tunables: Tunables): number {
  return HEALED_MICROS + longestWaitBeyondUsual(tunables);
}

function roundTrip(up: LinkPlan, down: LinkPlan): number {
  return linkSlowestMicros(up) + linkSlowestMicros(down);
}
