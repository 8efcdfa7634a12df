/**
 * The tunables of a shard: timers, cache sizes, thresholds and budgets that could as well be somewhat different.
 *
 * Nothing that is right depends on their exact values, only on how they relate to each other; so they are data. A host
 * leaves them as they are. The simulator turns some of them like knobs, to their least, their greatest or an odd value: a
 * mistake that hides between two timers shows when these change places. What a shard was made with stands in its boot
 * record (`ShardConfig.tunables`), and in its state, where whoever needs a tunable finds it.
 *
 * What must not change is no tunable: bounds that keep memory safe or that a wire format sets, and what each packet asks for
 * once for each receiver, are constants of limits.ts.
 */
import { assert } from "./base/assert.ts";
import { type Micros, millis, seconds } from "./base/micros.ts";
import { LockstepError } from "./errors.ts";
import { LIMITS } from "./limits.ts";

/** What is known of one tunable. All values are whole numbers. */
export interface Tunable {
  /** Its value where nobody has turned it. */
  readonly usual: number;
  readonly least: number;
  readonly greatest: number;
  readonly unit: "µs" | "packets" | "packets/s" | "questions" | "percent" | "flows" | "voices" | "items";
  /** One sentence. */
  readonly what: string;
  /** Only powers of two will do. */
  readonly isPowerOfTwo?: true;
}

const TABLE = {
  consentMicros: {
    ...times(seconds(30), seconds(15), seconds(30)),
    what: "How long a peer may be silent on ICE before its consent has expired; RFC 7675 §5.1 allows 30 s.",
  },
  connectMicros: {
    ...times(seconds(30), seconds(15), seconds(60)),
    what: "How long a participant may take from its join to a finished DTLS handshake.",
  },
  iceSilentMicros: {
    ...times(seconds(8), seconds(2), seconds(12)),
    what: "How long the selected flow may be silent before a check on another one is enough to move there; checks come every 6 s at most (RFC 7675 §5.1).",
  },
  iceFlowsPerPeerMax: {
    ...numbers("flows", LIMITS.iceFlowsPerPeerMax, 2, LIMITS.iceFlowsPerPeerMax),
    what: "Flows that one ICE agent keeps valid; the one that was heard longest ago goes first, never the selected one.",
  },
  dtlsRetransmitFirstMicros: {
    ...times(millis(200), millis(100), millis(1_000)),
    what: "First retransmission of a DTLS flight (RFC 6347 §4.2.4.1 allows less than its 1 s); doubles each time.",
  },
  dtlsRetransmitLastMicros: {
    ...times(seconds(5), seconds(1), seconds(10)),
    what: "The longest wait between two retransmissions of a DTLS flight.",
  },
  dtlsRepeatMicros: {
    ...times(millis(20), millis(5), millis(100)),
    what: "The least time between two sendings of a DTLS flight: how fast a peer can make us repeat ourselves.",
  },
  packetCachePackets: {
    ...numbers("packets", 512, 64, 1_024),
    isPowerOfTwo: true,
    what: "Packets of one video stream kept for retransmission; the oldest are overwritten.",
  },
  packetCacheAgeMicros: {
    ...times(seconds(2), millis(200), seconds(5)),
    what: "How old a packet may be to be sent again, and how long a missing one is asked for.",
  },
  nackMissingMax: {
    ...numbers("packets", 256, 64, 512),
    what: "Missing packets of one stream that are asked for at a time; more make a keyframe request instead.",
  },
  nackTriesMax: { ...numbers("questions", 8, 1, 20), what: "How often one missing packet is asked for." },
  nackReorderMicros: {
    ...times(millis(10), millis(1), millis(100)),
    what: "How long a missing packet may just be out of order before it is asked for.",
  },
  nackReorderPackets: {
    ...numbers("packets", 3, 1, 32),
    what: "Newer packets after which a missing one is asked for at once.",
  },
  nackRepeatMicros: {
    ...times(millis(20), millis(5), millis(200)),
    what: "The least time between two questions for one packet; a longer round trip makes it longer.",
  },
  nackSharePercent: {
    ...numbers("percent", 10, 1, 100),
    what: "Questions for missing packets that each packet of a stream earns: what repetitions that come to nothing may take of its way.",
  },
  nackSavedMax: {
    ...numbers("questions", 64, 1, 256),
    what: "Questions that a stream may have saved up, as it has at first: so many lost at once are asked for at once.",
  },
  rttUnknownMicros: {
    ...times(millis(100), millis(10), millis(500)),
    what: "The round trip to a publisher that is assumed while none has been measured.",
  },
  retransmitsPerSecondMax: {
    ...numbers("packets/s", 2_000, 100, 10_000),
    what: "Packets that one participant may have sent again; NACKs for more are ignored.",
  },
  retransmitBurstPackets: { ...numbers("packets", 500, 10, 1_000), what: "How many of them at once." },
  keyframeRequestMicros: {
    ...times(millis(500), millis(200), seconds(1)),
    what: "The least time between two keyframe requests for one stream.",
  },
  keyframeRequestLastMicros: {
    ...times(seconds(4), seconds(1), seconds(8)),
    what: "The longest wait between two requests for one keyframe: unanswered ones double the wait up to this.",
  },
  keyframeAgainLastMicros: {
    ...times(seconds(2), seconds(1), seconds(4)),
    what: "The longest wait for another keyframe where those that come bring nothing: more of them would only fill the way.",
  },
  catchUpPacketsMax: {
    ...numbers("packets", 256, 0, 512),
    what: "Packets that go on behind a keyframe that had been lost; behind more, another keyframe has to be waited for.",
  },
  layerSilentMicros: {
    ...times(millis(750), millis(200), seconds(2)),
    what: "A stream without a packet for this long does not flow: another layer takes over.",
  },
  publicationSilentMicros: {
    ...times(millis(900), millis(300), millis(900)),
    what: "A publication without a packet for this long is said to be paused (S20 asks for 1 s).",
  },
  slotYieldMicros: {
    ...times(seconds(2), millis(200), seconds(10)),
    what: "How long a video publication that is paused, or has not begun, keeps its slots while another one waits for them.",
  },
  transportFeedbackMicros: {
    ...times(millis(50), millis(20), millis(250)),
    what: "Time between two transport-wide feedback packets to one publisher.",
  },
  transportFeedbacksPerTurnMax: {
    ...numbers("packets", 4, 1, 8),
    what: "Transport-wide feedback packets at a time; what is left waits for the next.",
  },
  reportMicros: {
    ...times(seconds(1), millis(200), seconds(5)),
    what: "Time between two sender or receiver reports.",
  },
  loudnessMicros: {
    ...times(millis(200), millis(50), seconds(1)),
    what: "Time between two rounds of comparing how loud the publications of a room are.",
  },
  loudestPublicationsMax: {
    ...numbers("voices", 32, 1, 64),
    what: "Voices that a room names to its members each round, the loudest first; the others count as silent.",
  },
  mediaTickMicros: {
    ...times(millis(20), millis(5), millis(100)),
    what: "How often a participant whose media flows is looked after: NACKs, keyframe requests, layers.",
  },
  mediaIdleMicros: {
    ...times(seconds(3), seconds(1), seconds(10)),
    what: "A participant without a packet for this long is no longer looked after that often.",
  },
  relayHistoryPackets: {
    ...numbers("packets", 512, 256, 2_048),
    isPowerOfTwo: true,
    what: "Packets of one relay that another shard may ask for again; the oldest are forgotten.",
  },
  relayRepairsMax: {
    ...numbers("packets", 64, 4, 256),
    what: "Packets that one request of another shard has sent again; it may ask for the others later.",
  },
  offeringsPerMessageMax: {
    ...numbers("items", 256, 1, 1_024),
    what: "Publications that a room names in one message to one subscriber; more make more messages.",
  },
  lettersPerRecordMax: {
    ...numbers("items", 64, 1, 1_024),
    what: "Letters that travel between two shards in one record; more make more records.",
  },
} as const satisfies Readonly<Record<string, Tunable>>;

/** The name of a tunable; one of a time ends with "Micros". */
export type TunableName = keyof typeof TABLE;

/** A value for each tunable. */
export type Tunables = { readonly [Name in TunableName]: Name extends `${string}Micros` ? Micros : number };

/** Values for some tunables; the others are as usual. */
export type Knobs = Readonly<Partial<Record<TunableName, number>>>;

/** All tunables, in the order in which {@link createTunables} lays them down. */
export const TUNABLES: Readonly<Record<TunableName, Tunable>> = TABLE;

/** The names of all tunables. */
export const TUNABLE_NAMES = Object.keys(TABLE) as readonly TunableName[];

/** What has to be so between tunables, each with the sentence that says it. */
const RELATIONS: readonly (readonly [(tunables: Tunables) => boolean, string])[] = [
  [(t) => t.iceSilentMicros < t.consentMicros, "iceSilentMicros is shorter than consentMicros"],
  [
    (t) => t.dtlsRepeatMicros <= t.dtlsRetransmitFirstMicros,
    "dtlsRepeatMicros is no longer than dtlsRetransmitFirstMicros",
  ],
  [
    (t) => t.dtlsRetransmitFirstMicros <= t.dtlsRetransmitLastMicros,
    "dtlsRetransmitFirstMicros is no longer than dtlsRetransmitLastMicros",
  ],
  [(t) => t.nackSavedMax <= t.nackMissingMax, "no more questions are saved up than packets can be missing"],
  [(t) => t.nackMissingMax <= t.relayHistoryPackets, "what a lane can miss its home still knows"],
  [
    (t) => t.keyframeRequestMicros <= t.keyframeRequestLastMicros,
    "keyframeRequestMicros is no longer than keyframeRequestLastMicros",
  ],
  [
    (t) => t.keyframeRequestMicros <= t.keyframeAgainLastMicros,
    "keyframeRequestMicros is no longer than keyframeAgainLastMicros",
  ],
  [
    (t) => t.publicationSilentMicros + t.mediaTickMicros <= seconds(1),
    "a pause is noticed, at the next look, within the second of promise S20",
  ],
  [
    (t) => t.publicationSilentMicros < t.mediaIdleMicros,
    "a publication has paused before its owner is no longer looked after",
  ],
];

/** The values of a shard where nobody has turned a knob. */
export const USUAL_TUNABLES: Tunables = createTunables({});

assert(
  TUNABLES.packetCachePackets.greatest <= LIMITS.rewriterHistoryPackets,
  "a slot can name the source of whatever the packet cache holds",
);
assert(
  TUNABLES.packetCachePackets.greatest <= LIMITS.srtpReplayWindowPackets,
  "what the packet cache can send again, SRTP can seal again",
);

/** The usual tunables, but for these. Throws a `LockstepError` "bad-config" where {@link tunablesTrouble} has a sentence. */
export function createTunables(knobs: Knobs): Tunables {
  const trouble = tunablesTrouble(knobs);
  if (trouble !== "") throw new LockstepError("bad-config", trouble);
  return laidDown(knobs);
}

/** Which of these values will not do, and why, or which do not go together, in a sentence; "" when a shard can have them. */
export function tunablesTrouble(knobs: Knobs): string {
  for (const [name, value] of Object.entries(knobs)) {
    const trouble = valueTrouble(name, value);
    if (trouble !== "") return trouble;
  }
  const tunables = laidDown(knobs);
  const broken = RELATIONS.find(([holds]) => !holds(tunables));
  return broken === undefined ? "" : `These tunables do not go together; it has to be so that ${broken[1]}.`;
}

/** Always in the same order: equal shards give equal snapshots. */
function laidDown(knobs: Knobs): Tunables {
  const values = TUNABLE_NAMES.map((name) => [name, knobs[name] ?? TUNABLES[name].usual] as const);
  return Object.fromEntries(values) as unknown as Tunables;
}

function valueTrouble(name: string, value: unknown): string {
  if (!Object.hasOwn(TUNABLES, name)) return `There is no tunable "${name}"; there are ${TUNABLE_NAMES.join(", ")}.`;
  const { least, greatest, unit, isPowerOfTwo } = TUNABLES[name as TunableName];
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least || value > greatest) {
    return `The tunable ${name} is a whole number from ${least} to ${greatest} ${unit}, not ${String(value)}.`;
  }
  return isPowerOfTwo && (value & (value - 1)) !== 0 ? `The tunable ${name} is a power of two, not ${value}.` : "";
}

function times(usual: Micros, least: Micros, greatest: Micros) {
  return numbers("µs", usual, least, greatest);
}

function numbers<Unit extends Tunable["unit"]>(unit: Unit, usual: number, least: number, greatest: number) {
  return { unit, usual, least, greatest };
}
