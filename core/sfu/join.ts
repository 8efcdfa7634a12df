/**
 * The join command: an SDP offer in, an answer and a participant out. What the offer makes of him is in connection.ts.
 *
 * Everything that can be wrong is found before anything is made, so a refused join leaves nothing behind.
 */

import { type Micros, NEVER } from "../base/micros.ts";
import { hexEncode } from "../base/text.ts";
import { deriveEntropy } from "../crypto/entropy.ts";
import { buggify, type Faults } from "../fault-sites.ts";
import { LIMITS } from "../limits.ts";
import { createAllocator } from "./allocator.ts";
import {
  type AnsweredOffer,
  addSlots,
  answerOffer,
  createConnection,
  createPublication,
  offerSlot,
  type Refusal,
  takeSlotIds,
} from "./connection.ts";
import type { Command, CommandReply, ShardPorts } from "./ports.ts";
import type { Participant, Shard } from "./state.ts";

/** What a join came to: a participant that stands in the shard's tables, or a refusal. */
export type JoinOutcome = { readonly ok: true; readonly participant: Participant; readonly answer: string } | Refusal;

/** Carries out a join. The caller tells the room and answers the command. */
export function joinShard(
  shard: Shard,
  ports: ShardPorts,
  now: Micros,
  command: Command & { type: "join" },
): JoinOutcome {
  const refusal = refuseEarly(shard, ports.faults, command.room);
  if (refusal) return refusal;
  const id = shard.history.nextParticipant;
  const cname = hexEncode(deriveEntropy(ports.crypto, shard.entropySeed, "cname", id, 0, 8));
  const answered = answerOffer(shard, ports, id, cname, command.offer);
  if (!answered.ok) return answered;

  shard.history.nextParticipant++;
  const participant = createParticipant(shard, ports, now, command, answered, cname);
  register(shard, participant);
  return { ok: true, participant, answer: answered.answer };
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

function refuseEarly(shard: Shard, faults: Faults | undefined, roomName: string): Refusal | undefined {
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

function createParticipant(
  shard: Shard,
  ports: ShardPorts,
  now: Micros,
  command: Command & { type: "join" },
  answered: AnsweredOffer,
  cname: string,
): Participant {
  const id = answered.connection;
  const { media } = answered.session;
  const slotIds = takeSlotIds(shard, answered.session);
  const offers = media.flatMap((each, index) => (each.isSlot ? [offerSlot(shard, slotIds[index]!, each)] : []));
  const participant: Participant = {
    id,
    room: command.room,
    home: command.home ?? shard.number,
    name: command.name.slice(0, LIMITS.displayNameLengthMax),
    resource: hexEncode(deriveEntropy(ports.crypto, shard.entropySeed, "resource", id, 0, 16)),
    turnedAwayAt: NEVER,
    cname,
    allocator: createAllocator(id, offers),
    publications: [],
    ...createConnection(shard, ports, now, answered),
  };
  addSlots(shard, participant, slotIds);
  for (const each of media) {
    if (each.publishes) participant.publications.push(createPublication(shard, participant, each));
  }
  return participant;
}

function register(shard: Shard, participant: Participant): void {
  shard.participants.set(participant.id, participant);
  shard.ufrags.set(participant.peer.ice.localUfrag, participant);
  shard.resources.set(participant.resource, participant);
  for (const publication of participant.publications) shard.publications.set(publication.id, publication);
  for (const slot of participant.slots) shard.slots.set(slot.id, slot);
}
