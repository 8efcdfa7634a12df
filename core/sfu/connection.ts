/**
 * What an offer makes of a participant, in whatever command it comes: an answer, a peer with credentials and keys of its own,
 * slots and publications (RFC 8829 §5.3). A join (join.ts) and a new connection (reconnect.ts) share it.
 *
 * Everything that can be wrong with an offer is found before anything is made. Credentials, keys and SSRCs are derived from
 * the seeds of the boot record and the number of the connection, which no other connection of the shard ever has: so no two
 * have the same, not even two of one participant.
 */
import { keyedUint32 } from "../base/keyed-random.ts";
import { type Micros, NEVER } from "../base/micros.ts";
import { hexEncode, utf8Encode } from "../base/text.ts";
import { deriveEntropy } from "../crypto/entropy.ts";
import { buggify, type Faults } from "../fault-sites.ts";
import type { IceCredentials } from "../ice/agent.ts";
import { LIMITS } from "../limits.ts";
import { createLoudness } from "../media/loudness.ts";
import { createNtpOffset } from "../media/media-clock.ts";
import { createRtt } from "../media/rtt.ts";
import { createTransportArrivals } from "../media/transport-arrivals.ts";
import type { NegotiatedMedia, NegotiatedSession } from "../peer/negotiated.ts";
import { negotiate } from "../peer/negotiation.ts";
import { createPeer } from "../peer/peer.ts";
import { createSrtpSendStream } from "../srtp/context.ts";
import { parseSdp } from "../wire/sdp.ts";
import type { SlotOffer } from "./mail.ts";
import { returnPeerIndex, takePeerIndex } from "./peer-indexes.ts";
import type { RefusalCode, ShardPorts } from "./ports.ts";
import { isLeftOut } from "./shedding.ts";
import { createSlot, type OwnPublication, type Participant, type Shard, type Slot } from "./state.ts";
import { createStream } from "./streams.ts";

/**
 * First sequence numbers lie in the lower half of the circle: a receiver that loses everything before the first wrap could
 * not guess the rollover counter (RFC 3711 §3.3.1).
 */
const FIRST_SEQUENCE_MASK = 0x7fff;

/** Why a command was not carried out. */
export interface Refusal {
  readonly ok: false;
  readonly code: RefusalCode;
  readonly detail: string;
}

/** An offer with its answer: what a connection can be made of. */
export interface AnsweredOffer {
  readonly ok: true;
  /** The number that the connection will have. */
  readonly connection: number;
  readonly answer: string;
  readonly session: NegotiatedSession;
  readonly credentials: IceCredentials;
}

/** What a participant has for as long as one connection lasts. */
export type ConnectionParts = Pick<
  Participant,
  | "connection"
  | "offeredAt"
  | "connected"
  | "peer"
  | "session"
  | "slots"
  | "inbound"
  | "slotsBySsrc"
  | "feedbackSsrc"
  | "arrivals"
  | "ntpOffset"
  | "rtt"
  | "nextTickAt"
  | "nextTransportFeedbackAt"
  | "nextReportAt"
  | "retransmitBudget"
  | "retransmitFilledAt"
>;

/** Answers the offer of the connection that is to have this number, or refuses it; nothing is changed. */
export function answerOffer(
  shard: Shard,
  ports: ShardPorts,
  connection: number,
  cname: string,
  offer: string,
): AnsweredOffer | Refusal {
  const { crypto, faults } = ports;
  const parsed = parseSdp(offer);
  if (!parsed.ok) return { ok: false, code: "bad-sdp", detail: parsed.detail };
  const ufrag = freeUfrag(shard, ports, connection);
  const password = hexEncode(deriveEntropy(crypto, shard.entropySeed, "ice-password", connection, 0, 16));
  const result = negotiate(parsed.session, {
    ufrag,
    password,
    fingerprint: shard.fingerprint,
    candidates: shard.candidates,
    sessionId: String(keyedUint32(shard.randomSeed, "sdp-session", connection, 0)),
    cname,
    ssrcs: distinctSsrcs(shard.randomSeed, faults, connection, 2 * LIMITS.sdpMediaMax),
  });
  if (!result.ok) return { ok: false, code: "bad-sdp", detail: result.detail };
  const credentials = { localUfrag: ufrag, localPassword: password };
  return { ok: true, connection, answer: result.answer, session: result.session, credentials };
}

/** The beginning of a connection: a peer that has heard nothing, and nothing known of its media. */
export function createConnection(
  shard: Shard,
  { crypto, faults }: ShardPorts,
  now: Micros,
  { connection, session, credentials }: AnsweredOffer,
): ConnectionParts {
  const { firstNumbers, tunables } = shard;
  return {
    connection,
    offeredAt: now,
    connected: false,
    peer: createPeer(
      {
        index: peerIndex(shard, faults, connection),
        credentials,
        certificate: shard.certificate,
        privateKey: shard.privateKey,
        remoteFingerprint: session.remoteFingerprint,
        secret: deriveEntropy(crypto, shard.entropySeed, "dtls", connection, 0, 32),
        tunables,
        ...(firstNumbers === null
          ? {}
          : { srtpIndexBefore: firstNumbers.srtpIndex - 1, srtcpIndex: firstNumbers.srtcpIndex }),
      },
      now,
    ),
    session,
    slots: [],
    inbound: new Map(),
    slotsBySsrc: new Map(),
    feedbackSsrc: keyedUint32(shard.randomSeed, "feedback-ssrc", connection, 0) || 1,
    arrivals: createTransportArrivals(firstNumbers?.feedbackCount ?? 0),
    ntpOffset: createNtpOffset(),
    rtt: createRtt(),
    nextTickAt: NEVER,
    nextTransportFeedbackAt: NEVER,
    nextReportAt: NEVER,
    retransmitBudget: tunables.retransmitBurstPackets,
    retransmitFilledAt: now,
  };
}

/** Numbers for the slots that a session may have, one for each of its m-lines. */
export function takeSlotIds(shard: Shard, session: NegotiatedSession): number[] {
  return session.media.map(() => shard.history.nextSlot++);
}

/** Gives a participant the slots of its session, with nothing in them. */
export function addSlots(shard: Shard, participant: Participant, slotIds: readonly number[]): void {
  for (const [index, media] of participant.session.media.entries()) {
    if (!media.isSlot) continue;
    const id = slotIds[index]!;
    const firsts = firstNumbersOf(shard, id);
    const slot: Slot = createSlot(
      id,
      participant,
      media,
      {
        send: createSrtpSendStream(media.slotSsrc, firsts.indexBefore),
        rtx: media.slotRtxSsrc === 0 ? null : createSrtpSendStream(media.slotRtxSsrc, firsts.indexBefore),
      },
      firsts,
      utf8Encode(media.mid),
    );
    participant.slots.push(slot);
    participant.slotsBySsrc.set(media.slotSsrc, slot);
    if (media.slotRtxSsrc !== 0) participant.slotsBySsrc.set(media.slotRtxSsrc, slot);
  }
}

/** The slot with this number as an allocator is told of it. */
export function offerSlot(shard: Shard, slot: number, { mid, kind }: NegotiatedMedia): SlotOffer {
  return { slot, mid, kind, leftOut: isLeftOut(shard, slot, kind) };
}

/** A publication on an m-line on which a participant sends, with the streams that the offer names. */
export function createPublication(shard: Shard, owner: Participant, media: NegotiatedMedia): OwnPublication {
  const publication: OwnPublication = {
    id: shard.history.nextPublication++,
    kind: media.kind,
    owner,
    lane: null,
    media,
    streams: [],
    best: null,
    routes: [],
    relays: [],
    flowing: false,
    loudness: createLoudness(),
  };
  addOfferedStreams(shard, publication);
  return publication;
}

/** Gives a publication the streams whose SSRCs its offer names. Layers introduce themselves (streams.ts). */
export function addOfferedStreams(shard: Shard, publication: OwnPublication): void {
  const { ssrcs, rtxOf, rids } = publication.media;
  const rtxSsrcs = new Set(rtxOf.map(([, rtx]) => rtx));
  for (const ssrc of ssrcs) {
    if (rtxSsrcs.has(ssrc) || rids.length > 0) continue;
    createStream(shard, publication, ssrc, "");
  }
}

/** A local ufrag that no living participant has: 8 characters (RFC 8445 §5.3 asks for 24 bits at least). */
function freeUfrag(shard: Shard, { crypto, faults }: ShardPorts, connection: number): string {
  for (let ordinal = 0; ; ordinal++) {
    const ufrag = hexEncode(deriveEntropy(crypto, shard.entropySeed, "ice-ufrag", connection, ordinal, 4));
    const taken = shard.ufrags.has(ufrag) || (ordinal === 0 && buggify(faults, "join/ufrag-taken", connection));
    if (!taken) return ufrag;
  }
}

/** SSRCs for the slots of one connection, all different and none zero. */
function distinctSsrcs(seed: number, faults: Faults | undefined, connection: number, count: number): number[] {
  const ssrcs = new Set<number>();
  for (let ordinal = 0; ssrcs.size < count; ordinal++) {
    const ssrc = keyedUint32(seed, "ssrc", connection, ordinal);
    const taken = ordinal === 0 && buggify(faults, "join/ssrc-taken", connection);
    if (ssrc !== 0 && !taken) ssrcs.add(ssrc);
  }
  return [...ssrcs];
}

function peerIndex({ peerIndexes }: Shard, faults: Faults | undefined, connection: number): number {
  const index = takePeerIndex(peerIndexes);
  if (!buggify(faults, "join/peer-index-taken", connection)) return index;
  const other = takePeerIndex(peerIndexes);
  returnPeerIndex(peerIndexes, index);
  return other;
}

/** What a slot's streams begin with, and the packet index before that. */
function firstNumbersOf({ firstNumbers, randomSeed }: Shard, slot: number) {
  if (firstNumbers !== null) {
    const { srtpIndex, timestamp } = firstNumbers;
    const sequence = srtpIndex % 0x1_0000;
    return { sequence, timestamp, rtxSequence: sequence, indexBefore: srtpIndex - 1 };
  }
  const random = (site: string) => keyedUint32(randomSeed, site, slot, 0);
  return {
    sequence: random("first-sequence") & FIRST_SEQUENCE_MASK,
    timestamp: random("first-timestamp"),
    rtxSequence: random("first-rtx-sequence") & FIRST_SEQUENCE_MASK,
    indexBefore: -1,
  };
}
