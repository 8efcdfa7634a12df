/**
 * What a shard consists of: plain data, and nothing that can't be copied, compared or written down.
 *
 *     Shard ── rooms: Room                                   control plane (room.ts, allocator.ts)
 *           ── participants: Participant ── peer             the connection
 *                                        ── publications ── streams    media coming in (streams.ts)
 *                                        ── slots ── route             media going out (forward.ts)
 *           ── flows: flow -> Participant                    who a datagram is from
 *           ── proxies: PublicationProxy ── streams                     media of other shards (proxies.ts)
 *
 * A publication may be several streams (simulcast layers), each with an SSRC of its own. A route joins a publication to a
 * slot of a subscriber; it is laid by the control plane and walked by the data plane for each packet. A relay joins it to a
 * proxy on another shard, from where routes lead on. Ids count up for the life of the shard and are never used again, so
 * nothing can point at a dead generation.
 */
import type { Micros, WallMicros } from "../base/micros.ts";
import { createTimerHeap, type TimerHeap } from "../base/timer-heap.ts";
import { LIMITS } from "../limits.ts";
import type { KeyframeRequests } from "../media/keyframe-requests.ts";
import type { Loudness } from "../media/loudness.ts";
import type { MediaClock, NtpOffset } from "../media/media-clock.ts";
import type { NackGenerator } from "../media/nack-generator.ts";
import type { PacketCache } from "../media/packet-cache.ts";
import { createReportBlock, type ReceiveStatistics, type ReportBlock } from "../media/receive-statistics.ts";
import type { Rtt } from "../media/rtt.ts";
import {
  createRewriterSource,
  createStreamRewriter,
  type RewriterSource,
  type StreamRewriter,
} from "../media/stream-rewriter.ts";
import type { TransportArrivals } from "../media/transport-arrivals.ts";
import type { CandidateAddress, NegotiatedMedia, NegotiatedSession } from "../peer/negotiated.ts";
import type { Peer } from "../peer/peer.ts";
import type { SrtpSendStream } from "../srtp/context.ts";
import type { Tunables } from "../tunables.ts";
import {
  createExtensionScan,
  createExtensionWriter,
  type ExtensionScan,
  type ExtensionWriter,
  HEADER_EXTENSION,
  headerExtensionsWord,
} from "../wire/header-extensions.ts";
import type { Allocator } from "./allocator.ts";
import { type Counters, createCounters } from "./counters.ts";
import { firstId } from "./ids.ts";
import { createMail, type Mail } from "./mail.ts";
import { createPeerIndexes, type PeerIndexes } from "./peer-indexes.ts";
import type { FirstNumbers } from "./ports.ts";
import type { Room } from "./room.ts";

/** One SFU worker. Make one with `createShard`; feed it with `shardHandle`. */
export interface Shard {
  /** Its number among the shards of a server; see ids.ts. */
  number: number;
  candidates: readonly CandidateAddress[];
  /** Whoever needs one of them has this very object. */
  tunables: Tunables;
  /** Where numbers begin, when it is not as usual. */
  firstNumbers: FirstNumbers | null;
  entropySeed: Uint8Array;
  randomSeed: number;
  /** The pair of times that turns monotonic into wall-clock time. */
  bootNow: Micros;
  bootWall: WallMicros;
  /** The certificate of all its peers (DER), its key and its SHA-256. */
  certificate: Uint8Array;
  privateKey: Uint8Array;
  fingerprint: Uint8Array;
  draining: boolean;
  /** How many parts of the video are left out because the host has no time for them (shedding.ts). */
  videoPartsLeftOut: number;

  rooms: Map<string, Room>;
  participants: Map<number, Participant>;
  peerIndexes: PeerIndexes;
  publications: Map<number, OwnPublication>;
  /** Publications of other shards that somebody here is shown: by the publication's number, and by the lane's. */
  proxies: Map<number, PublicationProxy>;
  lanes: Map<number, PublicationProxy>;
  streams: Map<number, Stream>;
  slots: Map<number, Slot>;
  /** Local ICE ufrag to participant. */
  ufrags: Map<string, Participant>;
  /** HTTP resource to participant. */
  resources: Map<string, Participant>;
  /** Valid flows. */
  flows: Map<number, Participant>;
  timers: TimerHeap;
  mail: Mail;

  /** What has been, and only ever grows: the one part that an empty shard keeps. */
  history: History;
  /** Working memory of one input; never read across two. */
  scratch: Scratch;
}

/** What counts up for the life of a shard. */
export interface History {
  nextRoom: number;
  nextParticipant: number;
  nextPublication: number;
  nextStream: number;
  nextSlot: number;
  nextLane: number;
  mailPicks: number;
  counters: Counters;
}

/** Working memory, made once so that the packet path makes nothing. */
export interface Scratch {
  scan: ExtensionScan;
  writer: ExtensionWriter;
  packet: PacketScratch;
  source: RewriterSource;
  sequences: Uint16Array;
  ordinals: Uint16Array;
  report: ReportBlock;
  /** Streams of which a keyframe has been wished for in this input. */
  wishes: number[];
  /** Means nothing: what was read ahead of its use ends up here. */
  fetched: number;
}

/** What is known of the media packet in hand. */
export interface PacketScratch {
  payloadType: number;
  codec: number;
  marker: boolean;
  sequence: number;
  /** As a signed integer: `timestamp >>> 0` is the RTP timestamp. */
  timestamp: number;
  payloadOffset: number;
  payloadLength: number;
  keyframe: boolean;
  /** Picture id and TL0PICIDX of VP8 and VP9 as they came, and the width of the picture id in bits; -1 and 0 for none. */
  pictureId: number;
  pictureIdBits: number;
  tl0: number;
  /** Index into the scan of the dependency descriptor, or -1; its frame number, or -1. */
  descriptor: number;
  frameNumber: number;
  /** What the ids of the publisher's header extensions mean. */
  extensionKinds: Uint8Array;
  /** The kinds of header extensions that the packet has: a bit for each. */
  extensionsPresent: number;
}

/** Somebody in a room, or on the way in. */
export interface Participant {
  id: number;
  room: string;
  /** The shard on which the room lives. */
  home: number;
  name: string;
  resource: string;
  /** When the room has turned the participant away; `NEVER` while it has not. */
  turnedAwayAt: Micros;
  /** The number of the present connection: the participant's own at first, and later one that nobody else has. */
  connection: number;
  /** When the offer of the present connection came. */
  offeredAt: Micros;
  connected: boolean;
  peer: Peer;
  session: NegotiatedSession;
  allocator: Allocator;
  publications: OwnPublication[];
  slots: Slot[];
  /**
   * Who is meant by an SSRC that comes in: a stream, or the RTX of one. The key is the SSRC as a signed integer, which
   * needs no object to be looked up with.
   */
  inbound: Map<number, InboundSsrc>;
  /** The slot that sends with this SSRC (media or RTX). */
  slotsBySsrc: Map<number, Slot>;
  /** Our SSRC in feedback to this participant. */
  feedbackSsrc: number;
  cname: string;
  arrivals: TransportArrivals;
  ntpOffset: NtpOffset;
  rtt: Rtt;
  nextTickAt: Micros;
  nextTransportFeedbackAt: Micros;
  nextReportAt: Micros;
  /** Packets that may be sent again before the budget is filled up, and when it was last filled. */
  retransmitBudget: number;
  retransmitFilledAt: Micros;
}

/** What an incoming SSRC stands for. */
export interface InboundSsrc {
  stream: OwnStream;
  isRtx: boolean;
}

/** One m-line on which a participant sends: of this shard, or of another one that relays it here. */
export interface Publication {
  id: number;
  kind: "audio" | "video";
  /** Null when he is on another shard. */
  owner: Participant | null;
  /** On which it comes from another shard, or null. */
  lane: Lane | null;
  media: NegotiatedMedia;
  /** In the order in which they were first heard. */
  streams: Stream[];
  /** The stream that subscribers should get, or null while none flows. */
  best: Stream | null;
  routes: Route[];
  /** To other shards, one for each; never on a proxy. */
  relays: Relay[];
  flowing: boolean;
  loudness: Loudness;
}

/** A publication of somebody here. */
export interface OwnPublication extends Publication {
  owner: Participant;
  streams: OwnStream[];
  best: OwnStream | null;
}

/** What stands for a publication of another shard while somebody here is shown it. */
export interface PublicationProxy extends Publication {
  owner: null;
  lane: Lane;
}

/** The way of a proxy's packets from their home to here. */
export interface Lane {
  /** What the home calls this proxy. */
  id: number;
  /** By the number that the home has given the stream. */
  streams: Map<number, Stream>;
  clockOffset: NtpOffset;
  /** Of ordinals: what the lane has lost; null until the home has answered, and for audio. */
  nack: NackGenerator | null;
}

/** From a publication to the proxy that stands for it on another shard. */
export interface Relay {
  shard: number;
  lane: number;
  /** The stream that is being relayed, or null until the first keyframe (or the first audio packet). */
  stream: Stream | null;
  /** Of the next packet, 16 bits. */
  ordinal: number;
  /** How many packets there were since the last keyframe began. */
  packetsOfKeyframe: number;
  /** Which packets the last ordinals were given to, modulo their count; null for audio, which is not repeated. */
  streams: Uint32Array | null;
  sequences: Uint16Array | null;
}

/** One RTP stream coming in: a whole publication, or a layer of one. */
export interface Stream {
  id: number;
  publication: Publication;
  ssrc: number;
  /** 0 while no RTX stream is known. */
  rtxSsrc: number;
  rid: string;
  /** Of the last packet; 0 is `CODEC.NONE`. */
  codec: number;
  payloadType: number;
  /** Width times height of the last keyframe that said so, or 0. */
  pixels: number;
  statistics: ReceiveStatistics;
  clock: MediaClock;
  /** Of video, from its first packet on. */
  nack: NackGenerator | null;
  cache: PacketCache | null;
  keyframes: KeyframeRequests;
  firSequence: number;
  /** What it is called where it comes from: its id, or on a proxy the one that the home has given it. */
  homeId: number;
}

/** A stream of somebody here. */
export interface OwnStream extends Stream {
  publication: OwnPublication;
}

/** One m-line on which a participant receives: one SSRC for life, whatever it shows. What each packet asks for comes first. */
export interface Slot {
  rewriter: StreamRewriter;
  sendStream: SrtpSendStream;
  /** The owner's. */
  peer: Peer;
  /** The extension block of a packet that has the mid alone, as its one word; 0 when it does not fit one. */
  midWord: number;
  /** The kinds of header extensions besides that the receiver takes: a bit for each. */
  extensionsTaken: number;
  /** Whether the newest packet that was sent did not end its frame. */
  midFrame: boolean;
  /** When each of the last sequence numbers was sent, modulo their count; null when nothing is repeated but as RTX. */
  sentAt: Float64Array | null;
  packetsSent: number;
  octetsSent: number;
  id: number;
  owner: Participant;
  media: NegotiatedMedia;
  rtxStream: SrtpSendStream | null;
  rtxSequence: number;
  /** The SDES mid as bytes, for the header extension. */
  mid: Uint8Array;
  route: Route | null;
  /** The turn of the last subscription that was heeded. */
  turn: number;
}

/** From a publication to a slot. */
export interface Route {
  publication: Publication;
  slot: Slot;
  /** The stream that is being forwarded, or null until the first keyframe (or the first audio packet). */
  stream: Stream | null;
  /** The host has no time for it: nothing is forwarded. */
  leftOut: boolean;
  /** Payload types: what comes in is sent as `payloadType`; -1 when the slot can't take it. */
  incomingType: number;
  payloadType: number;
  rtxPayloadType: number;
}

/** A slot for this m-line of a participant, with nothing in it. */
export function createSlot(
  id: number,
  owner: Participant,
  media: NegotiatedMedia,
  streams: { send: SrtpSendStream; rtx: SrtpSendStream | null },
  first: { sequence: number; timestamp: number; rtxSequence: number },
  mid: Uint8Array,
): Slot {
  const { extensionIds } = media;
  return {
    rewriter: createStreamRewriter(first.sequence, first.timestamp),
    sendStream: streams.send,
    peer: owner.peer,
    midWord: headerExtensionsWord(extensionIds[HEADER_EXTENSION.MID]!, mid),
    extensionsTaken: kindsOf(extensionIds),
    midFrame: false,
    sentAt: media.codecs.some((codec) => codec.nack && codec.rtxPayloadType < 0)
      ? new Float64Array(LIMITS.rewriterHistoryPackets)
      : null,
    packetsSent: 0,
    octetsSent: 0,
    id,
    owner,
    media,
    rtxStream: streams.rtx,
    rtxSequence: first.rtxSequence,
    mid,
    route: null,
    turn: 0,
  };
}

/** A bit for each kind that has an id, but for the mid's: that is the slot's own. */
function kindsOf(extensionIds: Uint8Array): number {
  let kinds = 0;
  for (const [kind, id] of extensionIds.entries()) if (id !== 0 && kind !== HEADER_EXTENSION.MID) kinds |= 1 << kind;
  return kinds;
}

/** The parts of the shard with this number that its boot record does not name: all empty. */
export function createShardTables(number: number) {
  return {
    draining: false,
    videoPartsLeftOut: 0,
    rooms: new Map<string, Room>(),
    participants: new Map<number, Participant>(),
    peerIndexes: createPeerIndexes(),
    publications: new Map<number, OwnPublication>(),
    proxies: new Map<number, PublicationProxy>(),
    lanes: new Map<number, PublicationProxy>(),
    streams: new Map<number, Stream>(),
    slots: new Map<number, Slot>(),
    ufrags: new Map<string, Participant>(),
    resources: new Map<string, Participant>(),
    flows: new Map<number, Participant>(),
    timers: createTimerHeap(),
    mail: createMail(number),
    history: {
      nextRoom: 1,
      nextParticipant: firstId(number),
      nextPublication: firstId(number),
      nextStream: 1,
      nextSlot: 1,
      nextLane: 1,
      mailPicks: 0,
      counters: createCounters(),
    },
  };
}

/** Working memory. */
export function createScratch({ nackMissingMax, relayRepairsMax }: Tunables): Scratch {
  return {
    scan: createExtensionScan(),
    writer: createExtensionWriter(),
    packet: {
      payloadType: 0,
      codec: 0,
      marker: false,
      sequence: 0,
      timestamp: 0,
      payloadOffset: 0,
      payloadLength: 0,
      keyframe: false,
      pictureId: -1,
      pictureIdBits: 0,
      tl0: -1,
      descriptor: -1,
      frameNumber: -1,
      extensionKinds: new Uint8Array(256),
      extensionsPresent: 0,
    },
    source: createRewriterSource(),
    sequences: new Uint16Array(nackMissingMax),
    wishes: [],
    ordinals: new Uint16Array(relayRepairsMax),
    report: createReportBlock(),
    fetched: 0,
  };
}
