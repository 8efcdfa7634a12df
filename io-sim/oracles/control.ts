/**
 * The oracle that reads the server's RTCP, once a client has opened it, and knows what was true when it was sent.
 *
 * What it says of time, of packets that came and of packets that are missing is laid beside the ledger (S9); keyframe
 * requests are counted against the clock (S10, L5), and no SRTCP index is ever used twice (S7). A packet that is lost on its
 * way to the client is not judged; one that comes twice is judged once.
 */
import { type DatagramInput, type Micros, micros, shardOf } from "../../core/index.ts";
import type { Client } from "../client/client.ts";
import type { SfuNode } from "../world/node.ts";
import { longestStandstillMicros, longestWayMicros } from "../world/shards.ts";
import { type Peer, peerOf } from "../world/topology.ts";
import { type World, type WorldWatcher, wallOrigin } from "../world/world.ts";
import { excused, failedToKnow, failedToSend, hasMisbehaved, wasClockSet } from "./excuses.ts";
import { eachPacket, FORMAT, REPORT, readNack, readNtpTime, readTransportFeedback } from "./feedback-reading.ts";
import {
  hasArrived,
  isControl,
  isMedia,
  isWild,
  type Ledger,
  noteClock,
  outgoingStream,
  REMEMBERED,
  readU32,
  type SourceStream,
  sourceStream,
  timestampAt,
  transportArrivedAt,
  unwrapped,
} from "./ledger.ts";
import { breach, judge, type PromiseBook, upheld } from "./promises.ts";
import { shortestTripSoFar, slowestUpSoFar } from "./ways.ts";

/** RTCP packets of one client that are remembered from when they are sent until they are opened; a power of two. */
const SENT_REMEMBERED = 256;
/** The reference time of transport-wide feedback has 24 bits, each 64 ms. */
const REFERENCE_TIME_WRAPS_MICROS = 0x100_0000 * 64_000;
/** What promise S9 allows a clock to be wrong by, and a feedback's clock, which counts in 250 µs. */
const CLOCK_MICROS = 1_000;
/** How long until a publisher's reports have settled its clock at the server, and a slot shows what it shows. */
const SETTLED_MICROS = 5_000_000;
/** Beside the way, the time in which what one shard has learnt of a clock comes to all others, if none stands still. */
const RELAY_MICROS = 100_000;
/** By how much a round of feedbacks may be shorter than it should be. */
const FEEDBACK_EARLY_MICROS = 100_000;
/** By how much a round trip that reports tell may be short of the true one. */
const MEASURED_MICROS = 5_000;
/** So many requests for one stream are a storm (L5), whatever the links are like: within the span, and within what their least
 * distance and the longest wait for another keyframe allow. */
const STORM_REQUESTS = 20;
const STORM_MICROS = 15_000_000;
const STORM_THINNED = 30;

/** An RTCP packet as it left the server. */
interface SentControl {
  readonly index: number;
  readonly at: Micros;
  heard: boolean;
  /** Of a sender report: what its stream was made of, and how much had been sent. */
  readonly source: SourceStream | undefined;
  readonly timestampOffset: number;
  readonly packets: number;
  /** Since when the server had the connection, and so may have sent something on it. */
  readonly connectedAt: number;
  /** Of a sender report: whether a report of its source's own has told this shard of the clock. */
  readonly isClockKnown: boolean;
  /** By how much the server may have it late because it stood still itself when it learnt of the clock. */
  readonly heldMicros: number;
  /** Of a receiver report: what had come in on each stream. */
  readonly received: readonly ReturnType<typeof tally>[];
}

/** A compound packet of a client with sender reports of these streams. */
interface Reported {
  readonly client: Client;
  readonly index: number;
  readonly ssrcs: readonly number[];
}

/** What is known of the RTCP to one client, and from it. */
interface ClientControl {
  readonly sent: (SentControl | undefined)[];
  readonly reported: (Reported | undefined)[];
  lastIndex: number;
  /** When the feedback with each count was sent. */
  readonly feedbackAt: Map<number, number>;
  /** The feedback's clock minus the world's. */
  clock: number | undefined;
  /** The number of the last FIR about each stream. */
  readonly lastFir: Map<number, number>;
  /** When keyframes of each stream were asked for. */
  readonly asked: Map<number, number[]>;
  /** The latest error of each kind of each publisher's clock. */
  readonly errors: Map<Client, Partial<Record<"audio" | "video", { readonly micros: number; readonly at: number }>>>;
}

function createClientControl(): ClientControl {
  return {
    sent: new Array<SentControl | undefined>(SENT_REMEMBERED).fill(undefined),
    reported: new Array<Reported | undefined>(SENT_REMEMBERED).fill(undefined),
    lastIndex: -1,
    feedbackAt: new Map(),
    clock: undefined,
    lastFir: new Map(),
    asked: new Map(),
    errors: new Map(),
  };
}

/** The oracle of this world. */
export function createControlOracle(world: World, book: PromiseBook, ledger: Ledger): WorldWatcher {
  const clients = new Map<Client, ClientControl>();
  /** When the server came to have the connection of each participant, which is before the client has it. */
  const connectedAt = new Map<number, number>();
  const controlOf = (client: Client): ClientControl => {
    let control = clients.get(client);
    if (control === undefined) {
      control = createClientControl();
      clients.set(client, control);
    }
    return control;
  };
  /** What is in hand reports of these streams. */
  let reported: Reported | undefined;
  let taken = 0;
  return {
    crashed() {
      clients.clear();
    },
    event(event) {
      if (event.type === "connected") connectedAt.set(event.participant, world.loop.now);
    },
    beforeInput(input, node) {
      const client = input.kind === "datagram" ? reporterOf(world, ledger, input, node) : undefined;
      reported = client === undefined ? undefined : reportedIn(controlOf(client), client, input as DatagramInput);
      taken = node.shard.history.counters.rtcpReceived;
    },
    afterInput(_input, _effects, { shard }) {
      if (reported === undefined || shard.history.counters.rtcpReceived === taken) return;
      noteClock(ledger, reported.client, world.loop.now, reported.ssrcs);
    },
    reported(client, sealed, ssrcs) {
      const index = srtcpIndex(client, sealed);
      controlOf(client).reported[index % SENT_REMEMBERED] = { client, index, ssrcs };
    },
    transmitted(target, bytes, _peer, node) {
      if (!isMedia(bytes) || !isControl(bytes)) return;
      const client = ledger.tenants.at(node, target);
      if (client === undefined) return;
      const control = controlOf(client);
      const index = srtcpIndex(client, bytes);
      const rises = index > control.lastIndex;
      if (!upheld(book, book.tallies.S7, rises))
        breach(book, "S7", `${client.plan.name} was sent SRTCP index ${index} after ${control.lastIndex}.`);
      control.lastIndex = index;
      const since = connectedAt.get(client.participant) ?? world.loop.now;
      control.sent[index % SENT_REMEMBERED] = noteSent(world, ledger, client, index, bytes, since);
    },
    control(client, sealed, plain) {
      const control = controlOf(client);
      const index = srtcpIndex(client, sealed);
      const sent = control.sent[index % SENT_REMEMBERED];
      if (sent === undefined || sent.index !== index || sent.heard) return;
      sent.heard = true;
      if (excused(book, "bad habit", isWild(ledger, client))) return;
      eachPacket(plain, (type, format, at, length) => {
        if (type === REPORT.SENDER) judgeSenderReport(world, book, control, client, sent, plain, at);
        else if (type === REPORT.RECEIVER) judgeReceiverReport(world, book, client, sent, plain, at, format);
        else if (type === REPORT.TRANSPORT && format === FORMAT.NACK) {
          judgeNack(world, book, ledger, client, sent, plain, at, length);
        } else if (type === REPORT.TRANSPORT && format === FORMAT.TRANSPORT_WIDE) {
          judgeTransport(world, book, ledger, control, client, sent, plain, at);
        } else if (type === REPORT.PAYLOAD && (format === FORMAT.PLI || format === FORMAT.FIR)) {
          const ssrc = readU32(plain, at + (format === FORMAT.PLI ? 8 : 12));
          if (format === FORMAT.FIR) judgeFirNumber(book, control, client, ssrc, plain[at + 16]!);
          judgeRequest(world, book, control, client, sent, ssrc);
        }
      });
    },
  };
}

/** Whose reports a datagram has, unless a standstill of the server has held them up. */
function reporterOf(
  world: World,
  { tenants }: Ledger,
  { bytes, flow }: DatagramInput,
  node: SfuNode,
): Client | undefined {
  const isReport = isMedia(bytes) && bytes[1] === REPORT.SENDER;
  return isReport && world.loop.now !== node.sleep.until ? tenants.senderOn(node, flow) : undefined;
}

/** What a datagram reports of, if it is one that the client has sent. */
function reportedIn({ reported }: ClientControl, client: Client, { bytes }: DatagramInput): Reported | undefined {
  const index = srtcpIndex(client, bytes);
  const known = reported[index % SENT_REMEMBERED];
  return known?.index === index ? known : undefined;
}

/** The index of a sealed SRTCP packet: its last word, or that before a tag of ten bytes (RFC 7714 §9, RFC 3711 §3.4). */
function srtcpIndex(client: Client, sealed: Uint8Array): number {
  const behind = client.dtls?.srtp?.profile === 1 ? 10 : 0;
  return readU32(sealed, sealed.length - behind - 4) & 0x7fff_ffff;
}

function noteSent(
  world: World,
  ledger: Ledger,
  client: Client,
  index: number,
  bytes: Uint8Array,
  connectedAt: number,
): SentControl {
  const isSender = bytes[1] === REPORT.SENDER;
  const out = isSender ? outgoingStream(ledger, client, readU32(bytes, 4)) : undefined;
  const reports = bytes[1] === REPORT.RECEIVER && (bytes[0]! & 31) > 0;
  const isClockKnown = knowsClock(world, client, out?.source);
  return {
    index,
    at: world.loop.now,
    heard: false,
    source: out?.source,
    timestampOffset: out?.timestampOffset ?? 0,
    packets: out?.distinct ?? 0,
    connectedAt,
    isClockKnown,
    heldMicros: isClockKnown ? 0 : longestStandstillMicros(world),
    received: reports
      ? [...(ledger.sources.get(client)?.values() ?? [])].filter((each) => each.beginning.length > 0).map(tally)
      : [],
  };
}

/**
 * Whether a report that no standstill had held up has told the shard of a client of the clock: at once where the source's owner
 * is, and anywhere else when word has come over.
 */
function knowsClock(world: World, client: Client, source: SourceStream | undefined): boolean {
  if (source === undefined) return false;
  const isNear = shardOf(source.participant) === shardOf(client.participant);
  const told = isNear ? 0 : RELAY_MICROS + longestWayMicros(world) + longestStandstillMicros(world);
  return world.loop.now >= source.clockTakenAt + told;
}

function tally(source: SourceStream) {
  const { ssrc, beginning, highestDirectly, highestDirectlyAt, receivedDirectly } = source;
  const lost = highestDirectly - beginning[0]!.index + 1 - receivedDirectly;
  return { ssrc, beginning, highest: highestDirectly, highestAt: highestDirectlyAt, lost };
}

/** A sender report's two times are of one moment, and its count is of the packets that were sent (RFC 3550 §6.4.1). */
function judgeSenderReport(
  world: World,
  book: PromiseBook,
  control: ClientControl,
  client: Client,
  sent: SentControl,
  bytes: Uint8Array,
  at: number,
): void {
  const { name } = client.plan;
  const wall = wallOrigin(world.plan) + (sent.at - world.loop.origin);
  const wrongBy = readNtpTime(bytes, at + 8, wall) - wall;
  const reportedAt = micros(sent.at + wrongBy);
  if (!upheld(book, book.tallies.S9, Math.abs(wrongBy) <= CLOCK_MICROS))
    breach(book, "S9", `${name} was told a time of day that is ${wrongBy} µs off.`);
  const packets = readU32(bytes, at + 20);
  // What has failed on its way out counts for the server, and for nobody else.
  const unseen = packets > sent.packets && failedToSend(world, sent.connectedAt, sent.at) > 0;
  const isTrue = packets === sent.packets || excused(book, "failed to send", unseen);
  if (!upheld(book, book.tallies.S9, isTrue))
    breach(book, "S9", `${name} was told of ${packets} packets when ${sent.packets} had been sent.`);
  const { source } = sent;
  if (source === undefined) return;
  const truth = timestampAt(source, reportedAt) + sent.timestampOffset;
  const error = Math.round((((readU32(bytes, at + 16) - truth) | 0) * 1_000_000) / source.clockRate);
  const owner = peerOf(world, source.client);
  if (owner === undefined || excused(book, "disturbed", wasClockSet(world, owner.plan.name, sent.at))) return;
  const late = slowestUpSoFar(world, owner, sent.at) + CLOCK_MICROS + sent.heldMicros;
  const { plan } = source.client;
  if (!upheld(book, book.tallies.S9, error <= CLOCK_MICROS && error >= -late))
    breach(book, "S9", `${name} was told a timestamp of ${plan.name}'s ${source.kind} that is ${error} µs off.`);
  if (sent.at < source.client.connectedAt + SETTLED_MICROS) return;
  if (excused(book, "no report yet", !sent.isClockKnown)) return;
  const missed = failedToKnow(world, source.client.connectedAt, sent.at) > 0;
  if (excused(book, "failed to know", missed)) return;
  judgeLipSync(book, control, client, source, sent.at, error);
}

/** What is told at one moment of sound and picture of one publisher is told by one clock, whatever that clock's error is. */
function judgeLipSync(
  book: PromiseBook,
  control: ClientControl,
  client: Client,
  source: SourceStream,
  at: number,
  error: number,
): void {
  const errors = control.errors.get(source.client) ?? {};
  control.errors.set(source.client, errors);
  errors[source.kind] = { micros: error, at };
  const other = errors[source.kind === "audio" ? "video" : "audio"];
  if (other === undefined || other.at !== at) return;
  const apart = Math.abs(error - other.micros);
  const [viewer, speaker] = [client.plan.name, source.client.plan.name];
  if (!upheld(book, book.tallies.S9, apart <= CLOCK_MICROS))
    breach(book, "S9", `${viewer} was told to play ${speaker}'s lips ${apart} µs off his voice.`);
}

/** The blocks of a receiver report are about what had really come. */
function judgeReceiverReport(
  world: World,
  book: PromiseBook,
  client: Client,
  sent: SentControl,
  bytes: Uint8Array,
  at: number,
  blocks: number,
): void {
  for (let block = at + 8; block < at + 8 + 24 * blocks; block += 24) {
    const ssrc = readU32(bytes, block);
    const truth = sent.received.find((each) => each.ssrc === ssrc);
    const name = () => `${client.plan.name}'s stream ${ssrc}`;
    judge(book, "S9", truth !== undefined, () => `A report speaks of ${name()}, of which nothing had come.`);
    if (truth === undefined) continue;
    const highest = readU32(bytes, block + 8) & 0xffff;
    const lost = (readU32(bytes, block + 4) << 8) >> 8;
    const newest = () => `A report has ${highest} as the newest of ${name()}, which was ${truth.highest & 0xffff}.`;
    // Each failure hides one packet, and the newest until another one comes: for ever when its source has fallen silent.
    const hides = failedToKnow(world, truth.highestAt, sent.at) > 0;
    const isNewest = highest === (truth.highest & 0xffff) || excused(book, "failed to know", hides);
    judge(book, "S9", isNewest, newest);
    const isCounted =
      lost === truth.lost || excused(book, "failed to know", isLossOfWhatIsKnown(world, lost, truth, sent.at));
    judge(book, "S9", isCounted, () => `A report has ${lost} of ${name()} lost, where ${truth.lost} were.`);
  }
}

/**
 * Whether so much is lost as far as the server can know. It counts from the first packet that no failure has hidden from it:
 * what was lost between the hidden ones is not missing to it.
 */
function isLossOfWhatIsKnown(
  world: World,
  lost: number,
  { beginning, lost: trulyLost }: ReturnType<typeof tally>,
  at: Micros,
): boolean {
  const failures = failedToKnow(world, 0, at);
  for (let hidden = 0; hidden < beginning.length && hidden <= failures; hidden++) {
    const { index, at: cameAt } = beginning[hidden]!;
    const unmissed = index - beginning[0]!.index - hidden;
    if (Math.abs(lost - (trulyLost - unmissed)) <= failures - hidden) return true;
    if (failedToKnow(world, cameAt, cameAt) === 0) break;
  }
  return false;
}

/** What is asked for again had not come, and is asked for neither at once again nor for ever. */
function judgeNack(
  world: World,
  book: PromiseBook,
  ledger: Ledger,
  client: Client,
  sent: SentControl,
  bytes: Uint8Array,
  at: number,
  length: number,
): void {
  const source = sourceStream(ledger, client, readU32(bytes, at + 8));
  if (source === undefined) return;
  const { nackTriesMax } = world.tunables;
  const least = leastRepeat(world, peerOf(world, client));
  for (const sequence of readNack(bytes, at, length)) {
    const index = unwrapped(source.highest, sequence);
    const place = index % REMEMBERED;
    const came = hasArrived(source, index) && source.arrivedAt[place]! < sent.at;
    const name = () => `${client.plan.name} was asked for packet ${sequence}`;
    const at = source.arrivedAt[place]!;
    const isNew = !came || excused(book, "failed to know", failedToKnow(world, at, at) > 0);
    judge(book, "S9", isNew, () => `${name()}, which had come.`);
    // Two requests can change places on their way.
    const wait = Math.abs(sent.at - source.askedAt[place]!);
    source.asked[place] = source.asked[place]! + 1;
    source.askedAt[place] = Math.max(source.askedAt[place]!, sent.at);
    judge(book, "S9", wait >= least, () => `${name()} again after ${wait} µs.`);
    const times = source.asked[place]!;
    judge(book, "S9", times <= nackTriesMax, () => `${name()} ${times} times.`);
  }
}

/**
 * The least time between two requests for one packet: no answer can come sooner than in the links' shortest round trip, which
 * the server knows by what a peer's reports say of its own clock, unless they lie.
 */
function leastRepeat(world: World, peer: Peer | undefined): number {
  const { nackRepeatMicros, rttUnknownMicros } = world.tunables;
  const { now } = world.loop;
  if (peer === undefined) return nackRepeatMicros;
  const { name } = peer.plan;
  if (hasMisbehaved(world, name) || wasClockSet(world, name, now)) return nackRepeatMicros;
  // The server assumes a round trip until the first report tells one.
  const trip = shortestTripSoFar(world, peer, now) - MEASURED_MICROS;
  return Math.max(nackRepeatMicros, Math.min(trip, rttUnknownMicros));
}

/** Feedback on arrivals has each packet come when it came, and each feedback is told once. */
function judgeTransport(
  world: World,
  book: PromiseBook,
  ledger: Ledger,
  control: ClientControl,
  client: Client,
  sent: SentControl,
  bytes: Uint8Array,
  at: number,
): void {
  const { name } = client.plan;
  const count = bytes[at + 19]!;
  // The count has eight bits: the same comes again after a round, at the earliest at full speed.
  const { transportFeedbackMicros, transportFeedbacksPerTurnMax } = world.tunables;
  const round = (256 * transportFeedbackMicros) / transportFeedbacksPerTurnMax - FEEDBACK_EARLY_MICROS;
  const again = sent.at - (control.feedbackAt.get(count) ?? 0) < round;
  judge(book, "S9", !again, () => `${name} was told feedback ${count} twice.`);
  control.feedbackAt.set(count, sent.at);
  for (const status of readTransportFeedback(bytes, at)) {
    const arrivedAt = transportArrivedAt(ledger, client, status.sequence);
    if (status.at === undefined) {
      const came = arrivedAt >= 0 && arrivedAt < sent.at;
      const missing = !came || excused(book, "failed to know", failedToKnow(world, arrivedAt, arrivedAt) > 0);
      judge(book, "S9", missing, () => `${name} was told that ${status.sequence} is missing, which had come.`);
      continue;
    }
    judge(book, "S9", arrivedAt >= 0, () => `${name} was told that ${status.sequence} had come, which had not.`);
    if (arrivedAt < 0) continue;
    control.clock ??= status.at - arrivedAt;
    const off = aroundZero(status.at - arrivedAt - control.clock, REFERENCE_TIME_WRAPS_MICROS);
    judge(book, "S9", Math.abs(off) <= CLOCK_MICROS, () => `${name} was told an arrival that is ${off} µs off.`);
  }
}

/** A difference on a clock that wraps: within half a turn around 0. */
function aroundZero(difference: number, turn: number): number {
  return difference - turn * Math.round(difference / turn);
}

/** Each FIR about a stream has a number of its own, else it says nothing new (RFC 5104 §4.3.1.1). */
function judgeFirNumber(book: PromiseBook, control: ClientControl, client: Client, ssrc: number, number: number): void {
  const isNew = control.lastFir.get(ssrc) !== number;
  judge(book, "S9", isNew, () => `${client.plan.name} was asked by FIR ${number} for a keyframe twice.`);
  control.lastFir.set(ssrc, number);
}

/** Requests for keyframes of one stream keep their distance, and become rarer where they go on and on. */
function judgeRequest(
  world: World,
  book: PromiseBook,
  control: ClientControl,
  client: Client,
  sent: SentControl,
  ssrc: number,
): void {
  const asked = control.asked.get(ssrc) ?? [];
  control.asked.set(ssrc, asked);
  const { name } = client.plan;
  // Two requests can change places on their way.
  const nearest = asked.reduce((least, each) => Math.min(least, Math.abs(sent.at - each)), Number.POSITIVE_INFINITY);
  const { keyframeRequestMicros, keyframeAgainLastMicros } = world.tunables;
  const thinned = nearest >= keyframeRequestMicros;
  judge(book, "S10", thinned, () => `${name} was asked for a keyframe ${nearest} µs after it had been.`);
  asked.push(sent.at);
  if (asked.length > STORM_REQUESTS) asked.shift();
  const span = Math.min(
    STORM_MICROS,
    STORM_THINNED * keyframeRequestMicros,
    STORM_REQUESTS * Math.floor(keyframeAgainLastMicros / 2),
  );
  const storm = asked.length === STORM_REQUESTS && sent.at - asked[0]! < span;
  judge(
    book,
    "L5",
    !storm,
    () => `${name} was asked for ${STORM_REQUESTS} keyframes within ${sent.at - asked[0]!} µs.`,
  );
}
