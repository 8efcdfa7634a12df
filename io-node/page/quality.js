/**
 * How well the network carries the call, from the browser's statistics: a hint to somebody whose voice breaks up for others,
 * or for whom theirs do, that it is his own connection.
 *
 * What counts is what is lost for good, in both directions, and the time there and back. One bad look is nothing: a cell
 * changes, a lift goes past. So what is said changes only after two looks in a row that agree.
 */

/** From these on a look is bad. */
const LOST_SHARE = 0.08;
const ROUND_TRIP_SECONDS = 0.6;

/** With fewer packets than this a share says nothing. */
const PACKETS_MIN = 50;

const LOOKS = 2;

/** Nothing is known yet. */
export function createQuality() {
  return { lost: 0, received: 0, streak: 0, poor: false };
}

/** Takes in a look at the statistics (an iterable of reports); answers whether the connection is poor. */
export function lookAtStats(quality, reports) {
  let [lost, received, isBad] = [0, 0, false];
  for (const one of reports) {
    if (one.type === "inbound-rtp") {
      lost += one.packetsLost ?? 0;
      received += one.packetsReceived ?? 0;
    }
    if (one.type === "remote-inbound-rtp" && one.fractionLost > LOST_SHARE) isBad = true;
    if (one.type === "candidate-pair" && one.nominated && one.currentRoundTripTime > ROUND_TRIP_SECONDS) isBad = true;
  }
  const lostNow = Math.max(0, lost - quality.lost);
  const all = lostNow + received - quality.received;
  if (all >= PACKETS_MIN && lostNow / all > LOST_SHARE) isBad = true;
  Object.assign(quality, { lost, received });
  quality.streak = isBad === quality.poor ? 0 : quality.streak + 1;
  if (quality.streak >= LOOKS) Object.assign(quality, { poor: isBad, streak: 0 });
  return quality.poor;
}
