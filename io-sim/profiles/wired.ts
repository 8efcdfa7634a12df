/**
 * Access by cable, and what stands in its way: fibre, coaxial cable, copper, offices, tunnels, provider NATs, policers.
 *
 * How to read the words behind the numbers is said in ./profile.ts.
 */
import { BYTES_UNLIMITED } from "../link/plan.ts";
import { kbps, ms, percent, seconds } from "../story/units.ts";
import { access, type Profile, queueOf } from "./profile.ts";

/** Fibre to the home. */
export const FIBER: Profile = access(
  "fibre to the home, with a router that manages its queue",
  {
    rateBps: kbps(500_000), // ours: a common tariff
    delayMicros: ms(5), // measured
    jitterMicros: ms(0.2), // measured
    codel: true, // RFC 8289
    queueBytes: BYTES_UNLIMITED,
    queuePackets: 10_000, // ours: many times what CoDel lets stand
    lossPpm: percent(0.001), // measured
  },
  {},
  {},
);

/** Coaxial cable with a bloated uplink. */
export const CABLE_BLOAT: Profile = access(
  "coaxial cable; whoever uploads fills a second of queue",
  {
    delayMicros: ms(10), // measured
    jitterMicros: ms(2), // measured
    lossPpm: percent(0.01), // measured
  },
  {
    rateBps: kbps(10_000), // ours: a common tariff
    mac: { kind: "slots", everyMicros: ms(2) }, // measured: the modem's turns to send
    ...queueOf(ms(1_000)), // RFC 8868: bufferbloat, 1,000 to 2,000 ms
  },
  {
    rateBps: kbps(100_000), // ours: a common tariff
    ...queueOf(ms(70)), // RFC 8868: a queue with management, 70 ms
  },
);

/** Copper. */
export const DSL: Profile = access(
  "copper at some distance from the exchange",
  {
    delayMicros: ms(15), // measured
    jitterMicros: ms(2), // measured
    ...queueOf(ms(300)), // RFC 8868: drop-tail, 300 to 500 ms
    lossPpm: percent(0.05), // measured
  },
  { rateBps: kbps(1_000) }, // ours: a common tariff
  { rateBps: kbps(16_000) }, // ours: a common tariff
);

/** An office that lets no UDP out. */
export const CORPORATE: Profile = access(
  'an office whose firewall drops UDP; with `udp: "tunnelled"` the call goes over TCP',
  {
    udp: "dropped",
    rateBps: kbps(50_000), // ours
    delayMicros: ms(20), // ours
    mac: { kind: "grants", waitMicros: [ms(1), ms(20)] }, // ours: a proxy that takes its time
    ...queueOf(ms(300)), // RFC 8868: drop-tail, 300 to 500 ms
    idleMicros: seconds(60), // ours: firewalls forget idle connections after a minute or more
  },
  {},
  {},
);

/** A tunnel in the plain link. */
export const VPN: Profile = access(
  "a tunnel that makes the way longer and packets smaller, and tells nobody",
  {
    delayMicros: ms(10) + ms(20), // ours: the plain link, and 20 ms to the tunnel's end
    mtuBytes: 1_280, // RFC 8200 §5: the least that IPv6 asks for; tunnels leave up to 1,420
    ...queueOf(ms(300)), // RFC 8868: drop-tail, 300 to 500 ms
    lossPpm: percent(0.1), // ours
  },
  { rateBps: kbps(10_000) }, // ours
  { rateBps: kbps(20_000) }, // ours
);

/** A provider's NAT, on the plain link. */
export const CGNAT: Profile = {
  ...access("a provider's NAT that many share; now and then it forgets a mapping", {}, {}, {}),
  roaming: {
    every: [seconds(60), seconds(600)], // ours: busy NATs forget mappings within minutes
    outage: [0, 0],
    addressChanges: percent(100),
    noticed: false,
  },
};

/** A tariff that is policed. */
export const POLICED: Profile = access(
  "a tariff whose excess is dropped at once and never queued",
  {
    policerBps: kbps(1_500), // measured: policing of video traffic
    policerBurstBytes: 32_000, // measured
    delayMicros: ms(30), // ours
  },
  {},
  {},
);

/** Everything is bad. */
export const AWFUL: Profile = access(
  "everything is bad at once",
  {
    rateBps: kbps(1_000), // ours
    delayMicros: ms(250), // ours
    jitterMicros: ms(20), // ours
    ...queueOf(seconds(1)), // RFC 8868: bufferbloat, 1,000 to 2,000 ms
    lossPpm: percent(10), // ours
  },
  {},
  {},
);
