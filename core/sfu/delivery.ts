/**
 * Delivers the mail of the control plane until there is none, and tells the host what has become of it.
 */
import { unreachable } from "../base/assert.ts";
import { after, type Micros, NEVER } from "../base/micros.ts";
import { timerHeapClear, timerHeapSet } from "../base/timer-heap.ts";
import { allocatorHandle } from "./allocator.ts";
import { setParticipantTimer } from "./deadlines.ts";
import type { ShardEvent } from "./events.ts";
import { type ActorRef, type Letter, type PublicationMessage, postMail, type RoomMessage, takeMail } from "./mail.ts";
import type { ShardPorts } from "./ports.ts";
import { proxyHandle } from "./proxies.ts";
import { relayHandle } from "./relays.ts";
import { createRoom, type Room, roomHandle, roomNextTimeout } from "./room.ts";
import { routeHandle } from "./routes.ts";
import type { Participant, Shard } from "./state.ts";

/** Runs actors until no mailbox has a message. */
export function deliverMail(shard: Shard, ports: ShardPorts, now: Micros): void {
  const events: ShardEvent[] = [];
  for (;;) {
    const letter = takeMail(shard.mail, ports.scheduler, shard.history.mailPicks);
    if (!letter) break;
    shard.history.mailPicks++;
    deliver(shard, ports, now, letter, events);
  }
  for (const event of events) ports.outbox.event(event);
}

/** The key of a room's turn in the timer heap: participants have positive keys, rooms negative ones. */
export function roomTimerKey(room: Room): number {
  return -room.id;
}

function deliver(shard: Shard, ports: ShardPorts, now: Micros, letter: Letter, events: ShardEvent[]): void {
  const { from, to, message } = letter;
  switch (message.to) {
    case "room": {
      const room = findRoom(shard, to, message);
      if (!room) return;
      roomHandle(room, now, message, shard.mail, events);
      settleRoom(shard, now, room);
      return;
    }
    case "allocator": {
      const participant = participantOf(shard, to);
      if (participant) allocatorHandle(participant.allocator, participant.room, message, shard.mail, events);
      return;
    }
    case "publication":
      deliverToPublication(shard, ports, now, from, to, message);
      return;
    case "proxy": {
      const proxy = to.actor === "proxy" ? shard.lanes.get(to.id) : undefined;
      if (proxy) proxyHandle(shard, now, proxy, message);
      return;
    }
    case "participant": {
      const participant = participantOf(shard, to);
      if (!participant) return;
      participant.turnedAwayAt = now;
      setParticipantTimer(shard, participant);
      return;
    }
    default:
      unreachable(message);
  }
}

/** Ends a room that is empty; gives others the turn that they wait for, which compares voices where slots are too few. */
function settleRoom(shard: Shard, now: Micros, room: Room): void {
  const key = roomTimerKey(room);
  if (room.members.size === 0) {
    shard.rooms.delete(room.name);
    timerHeapClear(shard.timers, key);
    return;
  }
  if (!room.needsRanking) room.nextRankingAt = NEVER;
  else if (room.nextRankingAt === NEVER) room.nextRankingAt = after(now, shard.tunables.loudnessMicros);
  timerHeapSet(shard.timers, key, roomNextTimeout(room));
}

/** The room that a letter is for, which comes to life when the first one enters. */
function findRoom(shard: Shard, to: ActorRef, message: RoomMessage): Room | undefined {
  if (to.actor !== "room") return undefined;
  const found = shard.rooms.get(to.id);
  if (found !== undefined || message.type !== "enter") return found;
  const room = createRoom(shard.history.nextRoom++, to.id, shard.number, shard.tunables);
  shard.rooms.set(to.id, room);
  return room;
}

function participantOf(shard: Shard, to: ActorRef): Participant | undefined {
  return to.actor === "room" ? undefined : shard.participants.get(to.id);
}

function deliverToPublication(
  shard: Shard,
  ports: ShardPorts,
  now: Micros,
  from: ActorRef,
  to: ActorRef,
  message: PublicationMessage,
): void {
  if (to.actor !== "publication") return;
  if (message.type === "subscribe" || message.type === "unsubscribe") {
    routeHandle(shard, now, to.id, message);
    return;
  }
  const publication = shard.publications.get(to.id);
  if (publication !== undefined) relayHandle(shard, ports, now, publication, from, message);
  else if (message.type === "attach") {
    // It has gone while the proxy was asking for it.
    postMail(shard.mail, to, { actor: "proxy", shard: from.shard, id: message.lane }, { to: "proxy", type: "gone" });
  }
}
