/**
 * Access by satellite: low orbits, where the satellite changes each 15 s, and the geostationary one, which is far away.
 *
 * How to read the words behind the numbers is said in ./profile.ts.
 */
import { kbps, ms, percent, seconds } from "../story/units.ts";
import { access, type Profile, queueOf } from "./profile.ts";

/** Low orbit. */
export const LEO: Profile = access(
  "satellites in low orbits; each 15 s the way goes over another one",
  {
    delayMicros: ms(20), // measured: 15 to 25, redrawn each 15 s
    swing: { byMicros: ms(5), everyMicros: seconds(15) },
    handovers: {
      everyMicros: seconds(15), // measured
      spikesMicros: [ms(75), ms(140)], // measured
      spikeLastsMicros: ms(200), // ours
      lossyPpm: percent(30), // ours: "some" handovers
      lossPpm: percent(50), // measured
      lossLastsMicros: [ms(100), ms(500)], // measured
    },
    ...queueOf(ms(200)), // measured
  },
  { rateBps: kbps(10_000) }, // measured
  { rateBps: kbps(100_000) }, // measured
);

/** Geostationary. */
export const GEO: Profile = access(
  "a geostationary satellite: a third of a second each way, and rain",
  {
    delayMicros: ms(300), // measured; light alone needs 240
    jitterMicros: ms(10), // measured
    queueBytes: 500_000, // measured
    burstGoodMicros: seconds(5), // measured
    burstBadMicros: ms(150),
    burstLossPpm: percent(100),
  },
  { rateBps: kbps(3_000) }, // measured
  { rateBps: kbps(15_000) }, // measured
);
