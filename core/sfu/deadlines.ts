/**
 * When a participant must be looked at next: the earliest of what its connection and its media wait for. Each participant
 * has one entry in the shard's timer heap, and all proxies together have one.
 */
import { after, earliest, type Micros } from "../base/micros.ts";
import { timerHeapClear, timerHeapSet } from "../base/timer-heap.ts";
import { peerNextTimeout } from "../peer/peer.ts";
import type { Participant, Shard } from "./state.ts";

/** Puts a participant's next deadline into the heap, or takes it out when the participant is gone. */
export function setParticipantTimer(shard: Shard, participant: Participant): void {
  if (shard.participants.has(participant.id)) {
    timerHeapSet(shard.timers, participant.id, nextDeadline(shard, participant));
  } else {
    timerHeapClear(shard.timers, participant.id);
  }
}

/** The key of the proxies' common turn in the timer heap: participants have positive keys, rooms negative ones. */
export const PROXIES_TIMER_KEY = 0;

/** Gives the proxies a turn soon, unless they are to have one anyway. */
export function setProxiesTimer(shard: Shard, now: Micros): void {
  if (shard.timers.positions.has(PROXIES_TIMER_KEY)) return;
  timerHeapSet(shard.timers, PROXIES_TIMER_KEY, after(now, shard.tunables.nackReorderMicros));
}

/** The time by which a participant's present connection must stand. */
export function connectDeadline({ tunables }: Shard, participant: Participant): Micros {
  return after(participant.offeredAt, tunables.connectMicros);
}

function nextDeadline(shard: Shard, participant: Participant): Micros {
  const connection = earliest(peerNextTimeout(participant.peer), participant.turnedAwayAt);
  if (!participant.connected) return earliest(connection, connectDeadline(shard, participant));
  return earliest(connection, earliest(participant.nextTickAt, participant.nextReportAt));
}
