/**
 * A participant's way through a shard after the join: connected once DTLS has finished, and again when it has a new
 * connection (reconnect.ts), gone for one of the reasons in `LeaveReason`. Whoever is gone leaves nothing behind: his flows are
 * released, his keys freed, the routes from and to him taken up, all before the input that ended him has been handled.
 */

import { after, type Micros } from "../base/micros.ts";
import { buggify } from "../fault-sites.ts";
import { iceForgetFlow } from "../ice/agent.ts";
import { peerClose, peerIsConnected, peerRelease } from "../peer/peer.ts";
import { offerSlot } from "./connection.ts";
import { setParticipantTimer } from "./deadlines.ts";
import { deliverMail } from "./delivery.ts";
import type { LeaveReason } from "./events.ts";
import { allocatorRef, postMail, type RoomMessage, roomRef } from "./mail.ts";
import { returnPeerIndex } from "./peer-indexes.ts";
import type { ShardPorts } from "./ports.ts";
import { recallPublication } from "./relays.ts";
import { dropRoute } from "./routes.ts";
import type { OwnPublication, Participant, Shard } from "./state.ts";

/** Lets a participant that has just joined into its room, wherever that lives; it comes to life with the first. */
export function enterRoom(shard: Shard, ports: ShardPorts, now: Micros, participant: Participant): void {
  const { id, room, name } = participant;
  tellRoom(shard, participant, { to: "room", type: "enter", participant: id, name });
  ports.outbox.event({ type: "joined", room, participant: id, name });
  deliverMail(shard, ports, now);
  setParticipantTimer(shard, participant);
}

/** Looks at what a datagram or a timer has done to the connection, and draws the consequences. */
export function followConnection(shard: Shard, ports: ShardPorts, now: Micros, participant: Participant): void {
  const { status, failure } = participant.peer.dtls;
  if (status === "failed") {
    removeParticipant(shard, ports, now, participant, "dtls-failed", failure);
  } else if (status === "closed") {
    removeParticipant(shard, ports, now, participant, "closed-by-peer", "");
  } else {
    if (!participant.connected && peerIsConnected(participant.peer)) connected(shard, ports, now, participant);
    setParticipantTimer(shard, participant);
  }
}

/**
 * Gives a flow to the participant whose check it carried; whoever had it before has lost it (promise S11). Answers whether it
 * has: where it fails, the connection does not have it either, for a host gives flows that nobody has to somebody else.
 */
export function adoptFlow(shard: Shard, ports: ShardPorts, participant: Participant, flow: number): boolean {
  const { ice } = participant.peer;
  releaseEvictedFlow(shard, ports, participant);
  const former = shard.flows.get(flow);
  if (former === participant) return true;
  if (buggify(ports.faults, "door/flow-not-adopted", participant.id)) {
    iceForgetFlow(ice, flow);
    return false;
  }
  if (former !== undefined) iceForgetFlow(former.peer.ice, flow);
  shard.flows.set(flow, participant);
  return true;
}

/** Lets go of the flow that a participant's connection has just given up, if it has. */
export function releaseEvictedFlow(shard: Shard, ports: ShardPorts, participant: Participant): void {
  const { evictedFlow } = participant.peer.ice;
  if (evictedFlow >= 0) releaseFlow(shard, ports, participant, evictedFlow);
}

function releaseFlow(shard: Shard, { outbox }: ShardPorts, participant: Participant, flow: number): void {
  if (shard.flows.get(flow) !== participant) return;
  shard.flows.delete(flow);
  outbox.releaseFlow(flow);
}

/** Ends a participant. A peer that can still be reached is told so with close_notify. */
export function removeParticipant(
  shard: Shard,
  ports: ShardPorts,
  now: Micros,
  participant: Participant,
  reason: LeaveReason,
  detail: string,
): void {
  endConnection(shard, ports, now, participant, reason !== "consent-expired");
  for (const publication of participant.publications) withdrawPublication(shard, publication);
  closeSlots(shard, participant);
  shard.participants.delete(participant.id);
  shard.resources.delete(participant.resource);
  setParticipantTimer(shard, participant);
  ports.outbox.event({ type: "left", room: participant.room, participant: participant.id, reason, detail });

  tellRoom(shard, participant, { to: "room", type: "exit", participant: participant.id, reason, detail });
  deliverMail(shard, ports, now);
}

/** Ends what a participant's connection has: its keys, its flows, its name. `saysSo` lets a peer that can be reached know. */
export function endConnection(
  shard: Shard,
  ports: ShardPorts,
  now: Micros,
  participant: Participant,
  saysSo: boolean,
): void {
  const { peer } = participant;
  if (saysSo) peerClose(peer, now, ports.crypto, ports.outbox);
  peerRelease(peer, ports.crypto);
  for (const flow of peer.ice.flows) releaseFlow(shard, ports, participant, flow);
  returnPeerIndex(shard.peerIndexes, peer.index);
  shard.ufrags.delete(peer.ice.localUfrag);
}

/** Takes a publication off the route table and out of the shard's tables. */
export function withdrawPublication(shard: Shard, publication: OwnPublication): void {
  while (publication.routes.length > 0) dropRoute(shard, publication.routes[0]!);
  recallPublication(shard, publication);
  for (const stream of publication.streams) shard.streams.delete(stream.id);
  shard.publications.delete(publication.id);
}

/** Takes a participant's slots off the route table and out of the shard's tables. */
export function closeSlots(shard: Shard, participant: Participant): void {
  for (const slot of participant.slots) {
    if (slot.route !== null) dropRoute(shard, slot.route);
    shard.slots.delete(slot.id);
  }
}

/** Has a participant tell its room something. */
export function tellRoom(shard: Shard, participant: Participant, message: RoomMessage): void {
  const from = { actor: "participant", shard: shard.number, id: participant.id } as const;
  postMail(shard.mail, from, roomRef(participant), message);
}

function connected(shard: Shard, ports: ShardPorts, now: Micros, participant: Participant): void {
  participant.connected = true;
  participant.nextReportAt = after(now, shard.tunables.reportMicros);
  const { id, room, connection, offeredAt, publications, slots } = participant;
  ports.outbox.event({ type: "connected", room, participant: id, connection, afterMicros: now - offeredAt });
  if (connection !== id) offerSlots(shard, participant);
  tellRoom(shard, participant, {
    to: "room",
    type: "ready",
    participant: id,
    publications: publications.map(({ id: publication, kind }) => ({
      publication,
      kind,
      owner: id,
      activity: "paused",
    })),
    audioSlots: slots.filter((slot) => slot.media.kind === "audio").length,
    videoSlots: slots.filter((slot) => slot.media.kind === "video").length,
  });
  deliverMail(shard, ports, now);
}

/** Has the allocator fill the slots of a new connection. Nothing could be sent to them before: a picture would be torn. */
function offerSlots(shard: Shard, { id, slots }: Participant): void {
  const allocator = allocatorRef(id);
  const offers = slots.map((slot) => offerSlot(shard, slot.id, slot.media));
  postMail(shard.mail, allocator, allocator, { to: "allocator", type: "slots", slots: offers });
}
