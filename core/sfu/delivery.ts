/**
 * Delivers the mail of the control plane until there is none, and tells the host what has become of it.
 */
import { unreachable } from "../base/assert.ts";
import { after, type Micros } from "../base/micros.ts";
import { timerHeapClear, timerHeapSet } from "../base/timer-heap.ts";
import { LIMITS } from "../limits.ts";
import { allocatorHandle } from "./allocator.ts";
import type { ShardEvent } from "./events.ts";
import { type Letter, takeMail } from "./mail.ts";
import type { ShardPorts } from "./ports.ts";
import { type Room, roomHandle, roomNeedsRanking } from "./room.ts";
import { publicationHandle } from "./routes.ts";
import type { Shard } from "./state.ts";

/** Runs actors until no mailbox has a message. */
export function deliverMail(shard: Shard, ports: ShardPorts, now: Micros): void {
  const events: ShardEvent[] = [];
  for (;;) {
    const letter = takeMail(shard.mail, ports.scheduler, shard.history.mailPicks);
    if (!letter) break;
    shard.history.mailPicks++;
    deliver(shard, now, letter, events);
  }
  for (const event of events) ports.outbox.event(event);
}

/** The key of a room's turn in the timer heap: participants have positive keys, rooms negative ones. */
export function roomTimerKey(room: Room): number {
  return -room.id;
}

function deliver(shard: Shard, now: Micros, { to, message }: Letter, events: ShardEvent[]): void {
  switch (message.to) {
    case "room": {
      const room = findRoom(shard, to.id);
      if (!room) return;
      roomHandle(room, message, shard.mail, events);
      settleRoom(shard, now, room);
      return;
    }
    case "allocator": {
      const participant = shard.participants.get(to.id);
      if (participant) allocatorHandle(participant.allocator, participant.room, message, shard.mail, events);
      return;
    }
    case "publication": {
      const publication = shard.publications.get(to.id);
      if (publication) publicationHandle(shard, now, publication, message);
      return;
    }
    default:
      unreachable(message);
  }
}

/** Ends a room that is empty, and wakes the ranking of voices where there are more of them than slots. */
function settleRoom(shard: Shard, now: Micros, room: Room): void {
  const key = roomTimerKey(room);
  if (room.members.size === 0) {
    shard.rooms.delete(room.name);
    timerHeapClear(shard.timers, key);
  } else if (!roomNeedsRanking(room)) {
    timerHeapClear(shard.timers, key);
  } else if (!shard.timers.positions.has(key)) {
    timerHeapSet(shard.timers, key, after(now, LIMITS.loudnessMicros));
  }
}

function findRoom(shard: Shard, id: number): Room | undefined {
  for (const room of shard.rooms.values()) if (room.id === id) return room;
  return undefined;
}
