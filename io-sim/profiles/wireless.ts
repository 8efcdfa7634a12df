/**
 * Access by wireless LAN and by mobile networks.
 *
 * Media without wires have turns to speak, repeat below IP what was not understood, and lose in bursts. How to read the
 * words behind the numbers is said in ./profile.ts.
 */
import { BYTES_UNLIMITED, type LinkPlan } from "../link/plan.ts";
import { kbps, ms, percent, seconds } from "../story/units.ts";
import { access, type Profile, queueOf, walkOver } from "./profile.ts";

const GOOD_AIR: Partial<LinkPlan> = {
  rateBps: kbps(100_000), // measured
  delayMicros: ms(5), // measured
  mac: { kind: "slots", everyMicros: ms(2) }, // measured: aggregates of up to 2 ms
  queueBytes: 200_000, // measured
  burstGoodMicros: seconds(4), // measured
  burstBadMicros: ms(12),
  burstLossPpm: percent(50),
};

/** One room from the access point. */
export const WIFI_GOOD: Profile = access("wireless, one room from the access point", GOOD_AIR, {}, {});

/** Three walls from the access point. */
export const WIFI_POOR: Profile = access(
  "wireless, three walls from the access point",
  {
    // ours: the rates of an older standard within 1 to 26 Mbit/s; how long each holds, too
    ...walkOver([1_000, 2_000, 4_000, 6_500, 13_000, 19_500, 26_000].map(kbps), ms(500), 3),
    delayMicros: ms(15), // measured
    jitterMicros: ms(4), // measured
    arq: {
      failPpm: percent(10), // ours
      waitMicros: [ms(4), ms(8)], // measured
      triesMax: 7, // IEEE 802.11: the customary limit of short retries
    },
    queueBytes: 100_000, // measured
    burstGoodMicros: ms(600), // measured
    burstBadMicros: ms(40),
    burstLossPpm: percent(70),
  },
  {},
  {},
);

/** A café. */
export const WIFI_BUSY: Profile = access(
  "wireless in a café: all share 5 Mbit/s each way, with strangers",
  {
    rateBps: kbps(5_000), // measured
    cross: { bps: kbps(3_000), packetBytes: 1_200, onMicros: ms(300), offMicros: ms(300) }, // ours: 1.5 Mbit/s in the mean
    delayMicros: ms(10), // measured
    mac: { kind: "slots", everyMicros: ms(8) }, // measured
    queueBytes: BYTES_UNLIMITED,
    queuePackets: 25, // measured
    burstGoodMicros: seconds(1), // measured
    burstBadMicros: ms(20),
    burstLossPpm: percent(50),
  },
  { shared: "wifi-busy/up" },
  { shared: "wifi-busy/down" },
);

/** Walking through a large building. */
export const WIFI_ROAM: Profile = {
  ...access("wireless while walking from access point to access point", { ...GOOD_AIR, delayMicros: ms(8) }, {}, {}),
  roaming: {
    every: [seconds(30), seconds(120)], // measured
    outage: [ms(100), seconds(2)], // measured
    addressChanges: percent(30), // ours
    noticed: true,
  },
};

/** A phone that stands still. */
export const LTE: Profile = access(
  "4G, standing still",
  {
    delayMicros: ms(35), // measured: 25 to 45
    swing: { byMicros: ms(10), everyMicros: seconds(5) }, // ours: how often it is redrawn
    mac: { kind: "grants", waitMicros: [ms(1), ms(10)] }, // measured
    ...queueOf(seconds(1)), // measured: base stations hold a second and more
    burstGoodMicros: seconds(10), // measured
    burstBadMicros: ms(60),
    burstLossPpm: percent(30),
  },
  // measured: the ends and the median; ours: the levels between and how long they hold
  walkOver([2_500, 5_000, 7_000, 9_000, 11_000, 14_000, 18_000, 22_000, 27_000].map(kbps), ms(200), 4),
  walkOver([4_000, 7_000, 10_000, 12_000, 14_000, 18_000, 23_000, 29_000, 37_000].map(kbps), ms(200), 4),
);

/** A phone in a car. */
export const LTE_DRIVE: Profile = access(
  "4G in a moving car",
  {
    delayMicros: ms(47.5), // measured: 35 to 60
    swing: { byMicros: ms(12.5), everyMicros: seconds(5) }, // ours: how often it is redrawn
    mac: { kind: "grants", waitMicros: [ms(5), ms(20)] }, // measured
    ...queueOf(seconds(2)), // RFC 8868: bufferbloat, 1,000 to 2,000 ms
    lossPpm: percent(0.2), // measured
    outages: { everyMicros: [seconds(30), seconds(120)], lastsMicros: [seconds(1), seconds(4)] }, // ours
  },
  // measured: the ends and the median; ours: the levels between and how long they hold
  walkOver([0, 300, 600, 850, 1_000, 1_050, 1_100, 1_150, 1_200].map(kbps), ms(200), 4),
  walkOver([700, 2_000, 3_300, 4_500, 5_400, 6_300, 7_300, 8_400, 9_500].map(kbps), ms(200), 4),
);

/** A phone in the country. */
export const THREE_G: Profile = access(
  "3G",
  {
    delayMicros: ms(87.5), // measured: 75 to 100
    swing: { byMicros: ms(12.5), everyMicros: seconds(5) }, // ours: how often it is redrawn
    mac: { kind: "grants", waitMicros: [ms(10), ms(50)] }, // measured
    ...queueOf(seconds(2)), // RFC 8868: bufferbloat, 1,000 to 2,000 ms
    lossPpm: percent(0.5), // measured
  },
  { rateBps: kbps(400) }, // measured
  // measured: the ends and the median; ours: the levels between and how long they hold
  walkOver([0, 500, 1_000, 1_500, 1_900, 2_500, 3_200, 4_000, 5_000].map(kbps), ms(200), 4),
);

/** A phone that people walk in front of. */
export const FIVE_G: Profile = access(
  "5G at high frequencies: fast, and slow while somebody stands in the way",
  {
    // measured: the depth and the length; ours: how often
    capacity: {
      kind: "dips",
      bps: kbps(5_000),
      episodes: { everyMicros: [seconds(5), seconds(20)], lastsMicros: [ms(200), seconds(1)] },
    },
    delayMicros: ms(16), // measured: 12 to 20
    swing: { byMicros: ms(4), everyMicros: seconds(5) }, // ours: how often it is redrawn
    mac: { kind: "grants", waitMicros: [ms(0.5), ms(5)] }, // measured
    ...queueOf(ms(300)), // RFC 8868: drop-tail, 300 to 500 ms
    lossPpm: percent(0.1), // measured
  },
  { rateBps: kbps(40_000) }, // measured
  { rateBps: kbps(200_000) }, // measured
);
