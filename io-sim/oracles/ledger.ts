/**
 * The book of the server's door: which packets came in on which stream, and which went out on which, by what their headers
 * say in the clear.
 *
 * Sequence numbers are unwrapped into indices (2^16 plus the first number, so that none is negative), and each stream
 * remembers its last packets in rings. A client tells which frame a packet of its camera belongs to, and which packet a
 * retransmission of its repeats. Nothing is judged here.
 */
import type { Client } from "../client/client.ts";
import type { FramePassport } from "../client/frame-body.ts";
import { mediaTimestamp } from "../client/out-stream.ts";
import { peerOf } from "../world/topology.ts";
import type { World } from "../world/world.ts";
import type { Door } from "./doors.ts";
import { spoilsStreams } from "./excuses.ts";
import type { Tenants } from "./tenants.ts";

/** Packets of a stream that are remembered; a power of two. */
export const REMEMBERED = 2_048;
const MASK = REMEMBERED - 1;
/** Transport-wide numbers of a client that are remembered: more than a round of feedback speaks of. */
const TRANSPORT_REMEMBERED = 4_096;
/** The first packets of a stream that are remembered for ever: more than failures are likely to hide in a row. */
const BEGINNING = 32;

/** A frame of a camera, and the packets that it was sent in. */
export interface Frame {
  readonly passport: FramePassport;
  readonly firstSequence: number;
  readonly packets: number;
}

/** A stream of RTP that a client sends. */
export interface SourceStream {
  readonly client: Client;
  /** Whose it is. He goes on with another client when his connection is replaced; this one is nobody then (topology.ts). */
  readonly participant: number;
  /** When the connection that it came on was replaced, or 0. */
  replacedAt: number;
  readonly ssrc: number;
  readonly kind: "audio" | "video";
  readonly clockRate: number;
  /** The stream whose packets this one repeats, when it is RTX. */
  readonly repairs: SourceStream | undefined;
  /** Streams of the server that are made of this one at present. */
  readonly followers: Set<OutgoingStream>;
  highest: number;
  /** Of the packets that came by themselves, not as RTX: the newest, when it came, and how many. */
  highestDirectly: number;
  highestDirectlyAt: number;
  receivedDirectly: number;
  /** When one of them came last. What is repeated shows that its sender lives, not that the stream goes on. */
  lastDirectlyAt: number;
  /** Those that came first, in that order. */
  readonly beginning: { readonly index: number; readonly at: number }[];
  /** When the first sender report of it was taken that no standstill had held up; or never. */
  clockTakenAt: number;
  /** What came by itself; and what came at all, and when. */
  readonly carried: Float64Array;
  readonly indices: Float64Array;
  readonly arrivedAt: Float64Array;
  /** How often the server has asked for a packet, and when it did last. */
  readonly asked: Uint8Array;
  readonly askedAt: Float64Array;
  /** The frame of each sequence number; of an RTX stream, the number that it repeats. */
  readonly frames: (Frame | undefined)[];
  readonly originals: Float64Array;
}

/**
 * A stream of RTP that the server sends to a client. Each packet of a world is looked at here: numbers are such as the engine
 * keeps in the object itself, so timestamps are signed.
 */
export interface OutgoingStream {
  /** The SSRC as a signed number. */
  readonly key: number;
  readonly isRtx: boolean;
  readonly client: Client;
  /** The last packets, {@link SENT} numbers for each. */
  readonly sent: Float64Array;
  first: number;
  highest: number;
  highestTimestamp: number;
  /** When the first packet that went out of its frame did. */
  highestFrameAt: number;
  distinct: number;
  /** What the server has announced for the slot. */
  bound: Binding | undefined;
  /** The shard that sends it, once it is made of something. */
  door: Door | undefined;
  /** What it is made of at present: what to add to the source's indices and timestamps, and where in the source it began. */
  source: SourceStream | undefined;
  /** What it was made of before something came that may hide a beginning; where nothing has begun, it goes on. */
  hidden: SourceStream | undefined;
  indexOffset: number;
  timestampOffset: number;
  sourceFirst: number;
  /** Where the piece can have begun as well, by what was sent of it so far; empty where that is known. */
  origins: Origin[];
  /** The frame that it began with. */
  keyframe: number;
  begunAt: number;
  /** Whether the last packet was of a source that is not written down. */
  isForeign: boolean;
  /** Whether such packets came right before, so that the server may have begun earlier than is written here. */
  begunUnseen: boolean;
  /** Whether the newest packet is the last one of its frame. */
  endsFrame: boolean;
  /** The packet in hand for which something was last sent on it, and how much was sent for that. */
  lastInput: number;
  sentInInput: number;
  readonly ssrc: number;
  readonly mid: string;
  /** By the payload type of what is sent; video before the first packet. */
  kind: "audio" | "video";
}

/** Where a piece can have begun: with which packet of which source, and what to add to that source's indices and timestamps. */
export interface Origin {
  readonly source: SourceStream;
  readonly first: number;
  readonly indexOffset: number;
  readonly timestampOffset: number;
  /** How many packets that came behind the first were not sent without a reason, if the piece has begun so. */
  owed: number;
}

/** What is remembered of a packet that was sent: its index, its seal, its timestamp, and when it was sent. */
export const SENT = { INDEX: 0, SEAL: 1, TIMESTAMP: 2, AT: 3, SIZE: 4 } as const;

/** All streams of a world. */
export interface Ledger {
  /** Clients by whether they ever spoil their streams on purpose: what those send is not written down. */
  readonly wild: Map<Client, boolean>;
  readonly world: World;
  /** Somebody has the profile of somebody else, and so his SSRCs. */
  readonly hasCopies: boolean;
  /** By SSRC as a signed number: V8 looks one above 2^31 up by way of an object. */
  readonly sources: Map<Client, Map<number, SourceStream>>;
  /** Those to each client, by its ordinal. */
  readonly outgoing: OutgoingStream[][];
  /** Whose addresses are whose; what goes to one that was given up still tells what the server does. */
  readonly tenants: Tenants;
  readonly transport: Map<Client, TransportArrivals>;
  /** The publication and the participant in each slot, as the server has announced them: by participant and mid. */
  readonly bindings: Map<number, Map<string, Binding>>;
}

/** When the packets of a client came, by their transport-wide numbers. */
interface TransportArrivals {
  highest: number;
  readonly indices: Float64Array;
  readonly at: Float64Array;
}

/** What a slot shows. */
export interface Binding {
  readonly publication: number;
  readonly participant: number;
  readonly since: number;
  /** Whether the server leaves it out, and when it has last gone on; 0 for never. */
  readonly paused: boolean;
  readonly goesOnAt: number;
}

/** An empty ledger. */
export function createLedger(world: World, tenants: Tenants): Ledger {
  return {
    wild: new Map(),
    world,
    hasCopies: world.plan.peers.some(({ likeness }) => likeness !== undefined),
    sources: new Map(),
    outgoing: [],
    tenants,
    transport: new Map(),
    bindings: new Map(),
  };
}

/** Whether a client ever spoils its streams on purpose. */
export function isWild(ledger: Ledger, client: Client): boolean {
  const known = ledger.wild.get(client);
  if (known !== undefined) return known;
  const { world } = ledger;
  const wild = spoilsStreams(world, peerOf(world, client)?.plan.name ?? "");
  ledger.wild.set(client, wild);
  return wild;
}

/** The stream that a client sends with this SSRC, or undefined when it sends none. */
export function sourceStream(ledger: Ledger, client: Client, ssrc: number): SourceStream | undefined {
  let streams = ledger.sources.get(client);
  if (streams === undefined) {
    streams = new Map();
    ledger.sources.set(client, streams);
  }
  return sourceAmong(streams, ssrc) ?? newSourceStream(ledger, client, streams, ssrc);
}

/** The stream with this SSRC among those of a client of which something has come. */
export function sourceAmong(streams: ReadonlyMap<number, SourceStream>, ssrc: number): SourceStream | undefined {
  return streams.get(ssrc | 0);
}

/** Stands alone because what a function keeps for its closures is made whenever it is called. */
function newSourceStream(
  ledger: Ledger,
  client: Client,
  streams: Map<number, SourceStream>,
  ssrc: number,
): SourceStream | undefined {
  if (isWild(ledger, client)) return undefined;
  const sent = client.media.outStreams.find((stream) => stream.ssrc === ssrc || stream.rtxSsrc === ssrc);
  if (sent === undefined) return undefined;
  const repairs = sent.ssrc === ssrc ? undefined : sourceStream(ledger, client, sent.ssrc);
  const stream = createSourceStream(client, ssrc, sent.kind, sent.clockRate, repairs);
  streams.set(ssrc | 0, stream);
  return stream;
}

function createSourceStream(
  client: Client,
  ssrc: number,
  kind: "audio" | "video",
  clockRate: number,
  repairs: SourceStream | undefined,
): SourceStream {
  return {
    client,
    participant: client.participant,
    replacedAt: 0,
    ssrc,
    kind,
    clockRate,
    repairs,
    followers: new Set(),
    highest: -1,
    highestDirectly: -1,
    highestDirectlyAt: 0,
    receivedDirectly: 0,
    lastDirectlyAt: 0,
    beginning: [],
    clockTakenAt: Number.POSITIVE_INFINITY,
    carried: new Float64Array(REMEMBERED).fill(-1),
    indices: new Float64Array(REMEMBERED).fill(-1),
    arrivedAt: new Float64Array(REMEMBERED),
    asked: new Uint8Array(REMEMBERED),
    askedAt: new Float64Array(REMEMBERED),
    frames: new Array<Frame | undefined>(REMEMBERED).fill(undefined),
    originals: new Float64Array(repairs === undefined ? 0 : REMEMBERED).fill(-1),
  };
}

/** The stream that the server sends to a client with this SSRC, or undefined when the answer names none. */
export function outgoingStream(ledger: Ledger, client: Client, ssrc: number): OutgoingStream | undefined {
  const { outgoing } = ledger;
  const { ordinal } = client.plan;
  // A list with holes is slow.
  while (outgoing.length <= ordinal) outgoing.push([]);
  const streams = outgoing[ordinal]!;
  const key = ssrc | 0;
  for (let i = 0; i < streams.length; i++) if (streams[i]!.key === key) return streams[i];
  return newOutgoingStream(ledger, client, streams, ssrc);
}

/** Where in what was sent the packet with this index is remembered, if it is. */
export function placeOf(index: number): number {
  return (index & MASK) * SENT.SIZE;
}

/** Whether the packet with this index was sent. */
export function wasSent(out: OutgoingStream, index: number): boolean {
  return out.sent[placeOf(index)] === index;
}

/** Notes what a slot shows now; for all who get something there. */
export function noteBinding(ledger: Ledger, participant: number, mid: string, binding: Binding): void {
  const known = ledger.bindings.get(participant) ?? new Map<string, Binding>();
  ledger.bindings.set(participant, known.set(mid, binding));
  for (const streams of ledger.outgoing) {
    for (const out of streams) if (out.client.participant === participant && out.mid === mid) out.bound = binding;
  }
}

/** Notes that a participant has a new connection: what he sent on those before is on its way at most. */
export function noteReplaced({ sources }: Ledger, participant: number, now: number): void {
  for (const [client, streams] of sources) {
    if (client.participant === participant) continue;
    for (const stream of streams.values()) {
      if (stream.participant === participant && stream.replacedAt === 0) stream.replacedAt = now;
    }
  }
}

/** Forgets what a participant's slots show. */
export function forgetBindings(ledger: Ledger, participant: number): void {
  ledger.bindings.delete(participant);
  for (const streams of ledger.outgoing) {
    for (const out of streams) if (out.client.participant === participant) out.bound = undefined;
  }
}

function newOutgoingStream(
  ledger: Ledger,
  client: Client,
  streams: OutgoingStream[],
  ssrc: number,
): OutgoingStream | undefined {
  const media = client.answer?.media.find((each) => each.ssrc === ssrc || (each.rtxSsrc === ssrc && ssrc !== 0));
  if (media === undefined) return undefined;
  const stream: OutgoingStream = {
    key: ssrc | 0,
    isRtx: media.ssrc !== ssrc,
    client,
    sent: new Float64Array(REMEMBERED * SENT.SIZE).fill(-1),
    first: -1,
    highest: -1,
    highestTimestamp: 0,
    highestFrameAt: 0,
    distinct: 0,
    bound: ledger.bindings.get(client.participant)?.get(media.mid),
    door: undefined,
    source: undefined,
    hidden: undefined,
    indexOffset: 0,
    timestampOffset: 0,
    sourceFirst: 0,
    origins: [],
    keyframe: -1,
    begunAt: 0,
    isForeign: false,
    begunUnseen: false,
    endsFrame: true,
    lastInput: -1,
    sentInInput: 0,
    ssrc,
    mid: media.mid,
    kind: "video",
  };
  streams.push(stream);
  return stream;
}

/** The index that a sequence number means, next to the highest so far. */
export function unwrapped(highest: number, sequence: number): number {
  return highest < 0 ? 0x1_0000 + sequence : highest + (((sequence - highest) << 16) >> 16);
}

/** Whether the packet with this index has come in. */
export function hasArrived(source: SourceStream, index: number): boolean {
  return source.indices[index & MASK] === index;
}

/** When the packet with this index came in, or -1. */
export function arrivedAt(source: SourceStream, index: number): number {
  return hasArrived(source, index) ? source.arrivedAt[index & MASK]! : -1;
}

/** Notes that the server has taken a packet that came by itself; answers whether it is the first time. */
export function noteCarried(carrier: SourceStream, index: number, now: number): boolean {
  carrier.lastDirectlyAt = now;
  if (carrier.carried[index & MASK] === index) return false;
  carrier.carried[index & MASK] = index;
  if (carrier.beginning.length < BEGINNING) carrier.beginning.push({ index, at: now });
  carrier.receivedDirectly++;
  if (index > carrier.highestDirectly) {
    carrier.highestDirectly = index;
    carrier.highestDirectlyAt = now;
  }
  return true;
}

/** Notes that the server has a packet, by itself or as RTX; answers whether that is new. */
export function noteArrival(source: SourceStream, index: number, now: number): boolean {
  if (hasArrived(source, index)) return false;
  const place = index & MASK;
  source.indices[place] = index;
  source.arrivedAt[place] = now;
  // A jump leaves places behind that were asked about other packets.
  for (let each = Math.max(source.highest + 1, index - MASK); each <= index; each++) {
    source.asked[each & MASK] = 0;
    source.askedAt[each & MASK] = 0;
  }
  source.highest = Math.max(source.highest, index);
  return true;
}

/** Notes the arrival of the packet with this transport-wide number. */
export function noteTransport(ledger: Ledger, client: Client, sequence: number, now: number): void {
  let arrivals = ledger.transport.get(client);
  if (arrivals === undefined) {
    arrivals = {
      highest: -1,
      indices: new Float64Array(TRANSPORT_REMEMBERED).fill(-1),
      at: new Float64Array(TRANSPORT_REMEMBERED),
    };
    ledger.transport.set(client, arrivals);
  }
  const index = unwrapped(arrivals.highest, sequence);
  const place = index % TRANSPORT_REMEMBERED;
  if (arrivals.indices[place] === index) return;
  arrivals.indices[place] = index;
  arrivals.at[place] = now;
  arrivals.highest = Math.max(arrivals.highest, index);
}

/** When the packet with this transport-wide number came, or -1. */
export function transportArrivedAt(ledger: Ledger, client: Client, sequence: number): number {
  const arrivals = ledger.transport.get(client);
  if (arrivals === undefined) return -1;
  const index = unwrapped(arrivals.highest, sequence);
  const place = index % TRANSPORT_REMEMBERED;
  return arrivals.indices[place] === index ? arrivals.at[place]! : -1;
}

/**
 * Notes that the server has taken a client's reports of these streams. What is told of a stream that it does not know yet goes
 * by it: one that the offer does not name it knows from the first packet on.
 */
export function noteClock(ledger: Ledger, client: Client, now: number, ssrcs: readonly number[]): void {
  for (const ssrc of ssrcs) {
    const source = sourceStream(ledger, client, ssrc);
    const isKnown = source !== undefined && (source.beginning.length > 0 || isNamed(client, source));
    if (isKnown) source.clockTakenAt = Math.min(source.clockTakenAt, now);
  }
}

/** Whether the offer names a stream, which it does where there are no layers. */
function isNamed({ media }: Client, { kind }: SourceStream): boolean {
  return kind === "audio" || media.plan.camera?.layers.length === 1;
}

/** Notes which packets a frame was sent in. */
export function noteFrame(source: SourceStream, frame: Frame): void {
  for (let i = 0; i < frame.packets; i++) source.frames[(frame.firstSequence + i) & MASK] = frame;
}

/** The frame that the packet with this sequence number belongs to. */
export function frameOf(source: SourceStream, sequence: number): Frame | undefined {
  const frame = source.frames[sequence & MASK];
  if (frame === undefined) return undefined;
  return ((sequence - frame.firstSequence) & 0xffff) < frame.packets ? frame : undefined;
}

/** Notes which packet a retransmission repeats. */
export function noteOriginal(rtx: SourceStream, rtxSequence: number, sequence: number): void {
  if (rtx.originals.length > 0) rtx.originals[rtxSequence & MASK] = rtxSequence * 0x1_0000 + sequence;
}

/** The sequence number that a retransmission repeats, or -1. */
export function originalOf(rtx: SourceStream, rtxSequence: number): number {
  const noted = rtx.originals[rtxSequence & MASK] ?? -1;
  return Math.floor(noted / 0x1_0000) === rtxSequence ? noted % 0x1_0000 : -1;
}

/** The timestamp that the stream's own clock shows at a moment. */
export function timestampAt(source: SourceStream, now: World["loop"]["now"]): number {
  const stream = source.client.media.outStreams.find((each) => each.ssrc === source.ssrc);
  return stream === undefined ? 0 : mediaTimestamp(stream, now);
}

/**
 * Forgets what a process of the server had, as another begins with nothing; but not what it sent, which may still be under
 * way to clients that it has connected. The next process knows none of these, nor do they know its keys.
 */
export function clearLedger(ledger: Ledger): void {
  for (const table of [ledger.sources, ledger.transport, ledger.bindings]) table.clear();
  for (const streams of ledger.outgoing) {
    for (const out of streams) {
      out.source = undefined;
      out.bound = undefined;
    }
  }
}

/** Whether a datagram is RTP or RTCP (RFC 7983 §7). */
export function isMedia(bytes: Uint8Array): boolean {
  return bytes.length >= 12 && bytes[0]! >= 128 && bytes[0]! <= 191;
}

/** Whether what {@link isMedia} is RTCP (RFC 5761 §4). */
export function isControl(bytes: Uint8Array): boolean {
  return bytes[1]! >= 192 && bytes[1]! <= 223;
}

/** Two packets under one index differ in their authentication tags, whatever they differ in; the tag is at the end. */
export function sealOf(bytes: Uint8Array): number {
  const { length } = bytes;
  return (readU32(bytes, length - 4) ^ Math.imul(readU32(bytes, length - 8), 0x0100_0193) ^ length) >>> 0;
}

/** 16 bits in network order. */
export function readU16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 8) | bytes[offset + 1]!;
}

/** 32 bits in network order. */
export function readU32(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!) >>> 0;
}
