/**
 * The reconnect command: a new connection for a participant who is there already. Whoever has changed networks so thoroughly
 * that no check reaches the server from where he was, or whose page has lost its connection, offers anew and stays the one
 * that he is to all others: nobody sees him leave and come.
 *
 * The connection that he had ends at once, with its flows, its keys and its slots, before the new one has been heard of: two
 * living connections would be two people to everything that counts streams. The new one has numbers, credentials and SSRCs
 * of its own. A publication whose m-line the offer has again (same mid, same kind) goes on: it keeps its number and its
 * routes, has new streams, and its receivers go over to these at a keyframe, as they do between layers. What the offer does
 * without is withdrawn; what is new in it appears once the connection stands, and then the slots are filled as well.
 *
 * Everything that can be wrong is found first, so a refused command leaves the old connection as it is.
 */
import type { Micros } from "../base/micros.ts";
import type { NegotiatedMedia } from "../peer/negotiated.ts";
import {
  addOfferedStreams,
  addSlots,
  answerOffer,
  createConnection,
  createPublication,
  takeSlotIds,
} from "./connection.ts";
import { setParticipantTimer } from "./deadlines.ts";
import { deliverMail } from "./delivery.ts";
import { silencePublication } from "./flowing.ts";
import { forgetPayloadTypes } from "./forward.ts";
import { closeSlots, endConnection, tellRoom, withdrawPublication } from "./lifecycle.ts";
import { allocatorRef, postMail } from "./mail.ts";
import type { Command, CommandReply, ShardPorts } from "./ports.ts";
import { renewProxies } from "./relays.ts";
import type { OwnPublication, Participant, Shard } from "./state.ts";
import { forgetStream } from "./streams.ts";

/** Carries out a reconnect for the participant whom it is about, and answers with the reply to it. */
export function reconnectParticipant(
  shard: Shard,
  ports: ShardPorts,
  now: Micros,
  participant: Participant,
  commandId: number,
  command: Command & { type: "reconnect" },
): CommandReply {
  const { id, room } = participant;
  if ((command.connection ?? participant.connection) !== participant.connection) {
    const detail = "This participant has another connection by now; go on with the answer to that, or join again.";
    return { commandId, type: "refused", code: "stale-connection", detail };
  }
  const answered = answerOffer(shard, ports, shard.history.nextParticipant, participant.cname, command.offer);
  if (!answered.ok) return { commandId, type: "refused", code: answered.code, detail: answered.detail };
  const { connection, session, answer } = answered;
  shard.history.nextParticipant++;

  endConnection(shard, ports, now, participant, true);
  closeSlots(shard, participant);
  Object.assign(participant, createConnection(shard, ports, now, answered));
  shard.ufrags.set(participant.peer.ice.localUfrag, participant);
  addSlots(shard, participant, takeSlotIds(shard, session));
  for (const slot of participant.slots) shard.slots.set(slot.id, slot);
  carryOver(shard, participant, session.media);

  const allocator = allocatorRef(id);
  postMail(shard.mail, allocator, allocator, { to: "allocator", type: "slots", slots: [] });
  ports.outbox.event({ type: "reconnecting", room, participant: id, connection });
  deliverMail(shard, ports, now);
  setParticipantTimer(shard, participant);
  return { commandId, type: "reconnected", participant: id, connection, answer };
}

/** Gives the participant the publications of these m-lines: those that it had on them, and others. */
function carryOver(shard: Shard, participant: Participant, media: readonly NegotiatedMedia[]): void {
  const former = participant.publications;
  participant.publications = [];
  // All of them first, as an SSRC may stand for another publication now.
  for (const publication of former) {
    silencePublication(shard, publication);
    for (const stream of [...publication.streams]) forgetStream(shard, stream);
  }
  for (const each of media) {
    if (!each.publishes) continue;
    const kept = former.find(({ kind, media: { mid } }) => kind === each.kind && mid === each.mid);
    if (kept !== undefined) renew(shard, kept, each);
    const publication = kept ?? createPublication(shard, participant, each);
    participant.publications.push(publication);
    shard.publications.set(publication.id, publication);
  }
  const gone = former.filter((publication) => !participant.publications.includes(publication));
  if (gone.length === 0) return;
  for (const publication of gone) withdrawPublication(shard, publication);
  const publications = gone.map((publication) => publication.id);
  tellRoom(shard, participant, { to: "room", type: "withdrawn", participant: participant.id, publications });
}

/** Lets a publication go on with what the new connection has negotiated for it. */
function renew(shard: Shard, publication: OwnPublication, media: NegotiatedMedia): void {
  publication.media = media;
  for (const route of publication.routes) forgetPayloadTypes(route);
  renewProxies(shard, publication);
  addOfferedStreams(shard, publication);
}
