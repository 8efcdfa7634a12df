/**
 * The join command: an SDP offer in, an answer and a participant out (RFC 8829 §5.3).
 *
 * Everything that can be wrong is found before anything is made, so a refused join leaves nothing behind. Credentials, SSRCs
 * and first sequence numbers are derived from the seeds of the boot record and the participant's number.
 */

import { keyedUint32 } from "../base/keyed-random.ts";
import { type Micros, NEVER } from "../base/micros.ts";
import { hexEncode, utf8Encode } from "../base/text.ts";
import { deriveEntropy } from "../crypto/entropy.ts";
import { buggify, type Faults } from "../fault-sites.ts";
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
import { createAllocator } from "./allocator.ts";
import { returnPeerIndex, takePeerIndex } from "./peer-indexes.ts";
import type { Command, CommandReply, RefusalCode, ShardPorts } from "./ports.ts";
import { isLeftOut } from "./shedding.ts";
import { createSlot, type OwnPublication, type Participant, type Shard, type Slot } from "./state.ts";
import { createStream } from "./streams.ts";

/**
 * First sequence numbers lie in the lower half of the circle: a receiver that loses everything before the first wrap could
 * not guess the rollover counter (RFC 3711 §3.3.1).
 */
const FIRST_SEQUENCE_MASK = 0x7fff;

/** What a join came to: a participant that stands in the shard's tables, or a refusal. */
export type JoinOutcome =
  | { readonly ok: true; readonly participant: Participant; readonly answer: string }
  | { readonly ok: false; readonly code: RefusalCode; readonly detail: string };

/** Carries out a join. The caller tells the room and answers the command. */
export function joinShard(
  shard: Shard,
  ports: ShardPorts,
  now: Micros,
  command: Command & { type: "join" },
): JoinOutcome {
  const { crypto, faults } = ports;
  const refusal = refuseEarly(shard, faults, command.room);
  if (refusal) return refusal;
  const offer = parseSdp(command.offer);
  if (!offer.ok) return { ok: false, code: "bad-sdp", detail: offer.detail };

  const id = shard.history.nextParticipant;
  const ufrag = freeUfrag(shard, ports, id);
  const password = hexEncode(deriveEntropy(crypto, shard.entropySeed, "ice-password", id, 0, 16));
  const cname = hexEncode(deriveEntropy(crypto, shard.entropySeed, "cname", id, 0, 8));
  const result = negotiate(offer.session, {
    ufrag,
    password,
    fingerprint: shard.fingerprint,
    candidates: shard.candidates,
    sessionId: String(keyedUint32(shard.randomSeed, "sdp-session", id, 0)),
    cname,
    ssrcs: distinctSsrcs(shard.randomSeed, faults, id, 2 * LIMITS.sdpMediaMax),
  });
  if (!result.ok) return { ok: false, code: "bad-sdp", detail: result.detail };

  shard.history.nextParticipant++;
  const participant = createParticipant(shard, ports, now, command, result.session, { id, ufrag, password, cname });
  register(shard, participant);
  return { ok: true, participant, answer: result.answer };
}

/** The reply to a join. */
export function joinReply(commandId: number, outcome: JoinOutcome): CommandReply {
  if (!outcome.ok) return { commandId, type: "refused", code: outcome.code, detail: outcome.detail };
  const { id, resource } = outcome.participant;
  return { commandId, type: "joined", participant: id, resource, answer: outcome.answer };
}

/** Whether text is a room's name: letters, digits, `-`, `_` and `.`, 1 to `LIMITS.roomNameLengthMax` of them. */
export function isRoomName(text: string): boolean {
  if (text.length < 1 || text.length > LIMITS.roomNameLengthMax) return false;
  return /^[A-Za-z0-9._-]+$/.test(text);
}

function refuseEarly(
  shard: Shard,
  faults: Faults | undefined,
  roomName: string,
): (JoinOutcome & { ok: false }) | undefined {
  if (shard.draining) {
    return { ok: false, code: "draining", detail: "This server is shutting down; join again in a moment." };
  }
  if (!isRoomName(roomName)) {
    return {
      ok: false,
      code: "bad-room-name",
      detail: `A room name has 1 to ${LIMITS.roomNameLengthMax} letters, digits, dots, dashes or underscores.`,
    };
  }
  const isFull = shard.participants.size >= LIMITS.participantsPerShardMax;
  if (isFull || buggify(faults, "join/shard-full", 0)) {
    return { ok: false, code: "shard-full", detail: "This server is full; try again when somebody has left." };
  }
  const members = shard.rooms.get(roomName)?.members.size ?? 0;
  if (members >= LIMITS.participantsPerRoomMax || buggify(faults, "join/room-full", 0)) {
    const detail = `This room is full: it has ${members} participants; try again when somebody has left.`;
    return { ok: false, code: "room-full", detail };
  }
  return undefined;
}

/** A local ufrag that no living participant has: 8 characters (RFC 8445 §5.3 asks for 24 bits at least). */
function freeUfrag(shard: Shard, { crypto, faults }: ShardPorts, id: number): string {
  for (let ordinal = 0; ; ordinal++) {
    const ufrag = hexEncode(deriveEntropy(crypto, shard.entropySeed, "ice-ufrag", id, ordinal, 4));
    const taken = shard.ufrags.has(ufrag) || (ordinal === 0 && buggify(faults, "join/ufrag-taken", id));
    if (!taken) return ufrag;
  }
}

/** SSRCs for one participant's slots, all different and none zero. */
function distinctSsrcs(seed: number, faults: Faults | undefined, id: number, count: number): number[] {
  const ssrcs = new Set<number>();
  for (let ordinal = 0; ssrcs.size < count; ordinal++) {
    const ssrc = keyedUint32(seed, "ssrc", id, ordinal);
    const taken = ordinal === 0 && buggify(faults, "join/ssrc-taken", id);
    if (ssrc !== 0 && !taken) ssrcs.add(ssrc);
  }
  return [...ssrcs];
}

function createParticipant(
  shard: Shard,
  { crypto, faults }: ShardPorts,
  now: Micros,
  command: Command & { type: "join" },
  session: NegotiatedSession,
  names: { id: number; ufrag: string; password: string; cname: string },
): Participant {
  const { id } = names;
  const { firstNumbers } = shard;
  const slotIds = session.media.map(() => shard.history.nextSlot++);
  const allocatorSlots = session.media.flatMap((media, index) =>
    media.isSlot ? [slotOfAllocator(shard, slotIds[index]!, media)] : [],
  );
  const participant: Participant = {
    id,
    room: command.room,
    home: command.home ?? shard.number,
    name: command.name.slice(0, LIMITS.displayNameLengthMax),
    resource: hexEncode(deriveEntropy(crypto, shard.entropySeed, "resource", id, 0, 16)),
    joinedAt: now,
    turnedAwayAt: NEVER,
    connected: false,
    peer: createPeer(
      {
        index: peerIndex(shard, faults, id),
        credentials: { localUfrag: names.ufrag, localPassword: names.password },
        certificate: shard.certificate,
        privateKey: shard.privateKey,
        remoteFingerprint: session.remoteFingerprint,
        secret: deriveEntropy(crypto, shard.entropySeed, "dtls", id, 0, 32),
        tunables: shard.tunables,
        ...(firstNumbers === null
          ? {}
          : { srtpIndexBefore: firstNumbers.srtpIndex - 1, srtcpIndex: firstNumbers.srtcpIndex }),
      },
      now,
    ),
    session,
    allocator: createAllocator(id, allocatorSlots),
    publications: [],
    slots: [],
    inbound: new Map(),
    slotsBySsrc: new Map(),
    feedbackSsrc: keyedUint32(shard.randomSeed, "feedback-ssrc", id, 0) || 1,
    cname: names.cname,
    arrivals: createTransportArrivals(firstNumbers?.feedbackCount ?? 0),
    ntpOffset: createNtpOffset(),
    rtt: createRtt(),
    nextTickAt: NEVER,
    nextTransportFeedbackAt: NEVER,
    nextReportAt: NEVER,
    retransmitBudget: shard.tunables.retransmitBurstPackets,
    retransmitFilledAt: now,
  };
  addSlots(shard, participant, slotIds);
  addPublications(shard, participant);
  return participant;
}

function slotOfAllocator(shard: Shard, slot: number, { mid, kind }: NegotiatedMedia) {
  return { slot, mid, kind, leftOut: isLeftOut(shard, slot, kind) };
}

function addSlots(shard: Shard, participant: Participant, slotIds: readonly number[]): void {
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

function addPublications(shard: Shard, participant: Participant): void {
  for (const media of participant.session.media) {
    if (!media.publishes) continue;
    const publication: OwnPublication = {
      id: shard.history.nextPublication++,
      kind: media.kind,
      owner: participant,
      lane: null,
      media,
      streams: [],
      best: null,
      routes: [],
      relays: [],
      flowing: false,
      loudness: createLoudness(),
    };
    participant.publications.push(publication);
    const rtxSsrcs = new Set(media.rtxOf.map(([, rtx]) => rtx));
    for (const ssrc of media.ssrcs) {
      if (rtxSsrcs.has(ssrc) || media.rids.length > 0) continue;
      createStream(shard, publication, ssrc, "");
    }
  }
}

function peerIndex({ peerIndexes }: Shard, faults: Faults | undefined, id: number): number {
  const index = takePeerIndex(peerIndexes);
  if (!buggify(faults, "join/peer-index-taken", id)) return index;
  const other = takePeerIndex(peerIndexes);
  returnPeerIndex(peerIndexes, index);
  return other;
}

function register(shard: Shard, participant: Participant): void {
  shard.participants.set(participant.id, participant);
  shard.ufrags.set(participant.peer.ice.localUfrag, participant);
  shard.resources.set(participant.resource, participant);
  for (const publication of participant.publications) shard.publications.set(publication.id, publication);
  for (const slot of participant.slots) shard.slots.set(slot.id, slot);
}
