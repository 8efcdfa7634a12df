/**
 * What a shard does because time has passed: retransmissions of handshakes, expired consent, reports, and for those whose
 * media flows a turn every `mediaTickMicros`. All who are due at an input's time have their turn in the order of
 * their deadlines.
 */

import { after, following, type Micros, NEVER } from "../base/micros.ts";
import { timerHeapNext, timerHeapPop, timerHeapSet } from "../base/timer-heap.ts";
import { buggify } from "../fault-sites.ts";
import { loudnessValue } from "../media/loudness.ts";
import { peerTimeout } from "../peer/peer.ts";
import { connectDeadline, PROXIES_TIMER_KEY } from "./deadlines.ts";
import { deliverMail, roomTimerKey } from "./delivery.ts";
import { checkFlow, isActive, stopFlow } from "./flowing.ts";
import { shardOf } from "./ids.ts";
import { followConnection, releaseEvictedFlow, removeParticipant } from "./lifecycle.ts";
import { postMail, publicationRef } from "./mail.ts";
import type { ShardPorts } from "./ports.ts";
import { proxiesTurn } from "./proxies.ts";
import { sendReports } from "./reports.ts";
import { requestKeyframeIfDue, requestMissing, sendTransportFeedback } from "./requests.ts";
import { type Room, roomNextTimeout } from "./room.ts";
import type { Participant, Shard } from "./state.ts";

/** Gives everybody who is due by `now` a turn. */
export function runTimers(shard: Shard, ports: ShardPorts, now: Micros): void {
  while (timerHeapNext(shard.timers) <= now) {
    const key = timerHeapPop(shard.timers, now);
    if (key === PROXIES_TIMER_KEY) {
      proxiesTurn(shard, ports, now);
      continue;
    }
    const participant = shard.participants.get(key);
    if (participant !== undefined) {
      if (buggify(ports.faults, "timers/turn-late", participant.id)) {
        timerHeapSet(shard.timers, key, after(now, shard.tunables.mediaTickMicros));
      } else participantTurn(shard, ports, now, participant);
      continue;
    }
    const room = roomOfTimer(shard, key);
    if (room !== undefined) roomTurn(shard, ports, now, room);
  }
}

function participantTurn(shard: Shard, ports: ShardPorts, now: Micros, participant: Participant): void {
  if (!participant.connected && now >= connectDeadline(shard, participant)) {
    const heard = participant.peer.ice.flows.length > 0;
    const detail = heard ? "the DTLS handshake did not finish" : "no ICE check arrived";
    removeParticipant(shard, ports, now, participant, "connect-timeout", detail);
    return;
  }
  if (now >= participant.turnedAwayAt) {
    removeParticipant(shard, ports, now, participant, "room-full", "");
    return;
  }
  if (peerTimeout(participant.peer, now, ports.crypto, ports.outbox)) {
    removeParticipant(shard, ports, now, participant, "consent-expired", "");
    return;
  }
  releaseEvictedFlow(shard, ports, participant);
  if (participant.connected) {
    if (now >= participant.nextTickAt) {
      if (buggify(ports.faults, "timers/media-turn-skipped", participant.id)) {
        participant.nextTickAt = after(now, shard.tunables.mediaTickMicros);
      } else mediaTurn(shard, ports, now, participant);
    }
    sendReports(shard, ports, now, participant);
  }
  followConnection(shard, ports, now, participant);
}

function mediaTurn(shard: Shard, ports: ShardPorts, now: Micros, participant: Participant): void {
  for (const publication of participant.publications) {
    checkFlow(shard, ports, now, publication);
    for (const stream of publication.streams) {
      requestMissing(shard, ports, now, stream);
      requestKeyframeIfDue(shard, ports, now, stream);
    }
  }
  sendTransportFeedback(shard, ports, now, participant);
  if (isActive(shard, participant, now) && !buggify(ports.faults, "flow/seems-idle", participant.id)) {
    participant.nextTickAt = following(participant.nextTickAt, now, shard.tunables.mediaTickMicros);
    return;
  }
  participant.nextTickAt = NEVER;
  // Nobody looks from now on, so nothing may be said to flow.
  for (const publication of participant.publications) stopFlow(shard, ports, now, publication);
}

function roomTurn(shard: Shard, ports: ShardPorts, now: Micros, room: Room): void {
  const to = { actor: "room", shard: shard.number, id: room.name } as const;
  if (now >= room.nextLookAt) postMail(shard.mail, to, to, { to: "room", type: "look" });
  if (now >= room.nextRankingAt) {
    compareVoices(shard, ports, now, room);
    room.nextRankingAt = room.needsRanking ? after(now, shard.tunables.loudnessMicros) : NEVER;
  }
  timerHeapSet(shard.timers, roomTimerKey(room), roomNextTimeout(room));
  deliverMail(shard, ports, now);
}

/**
 * Has the publications of a room say how loud they are, and the room compare them. Those of other shards answer later: the
 * room compares what they said last time.
 */
function compareVoices(shard: Shard, ports: ShardPorts, now: Micros, room: Room): void {
  const to = { actor: "room", shard: shard.number, id: room.name } as const;
  const measure = { to: "publication", type: "measure" } as const;
  for (const member of room.members.values()) {
    const participant = shard.participants.get(member.participant);
    for (const publication of participant?.publications ?? []) {
      if (publication.kind !== "audio") continue;
      postMail(shard.mail, publicationRef(publication.id, shard.number), to, {
        to: "room",
        type: "loudness",
        publication: publication.id,
        score: loudnessValue(publication.loudness, now),
      });
    }
    if (participant !== undefined) continue;
    for (const { publication, kind } of member.publications) {
      if (kind === "audio") postMail(shard.mail, to, publicationRef(publication, shardOf(publication)), measure);
    }
  }
  if (!buggify(ports.faults, "timers/ranking-skipped", room.id)) {
    postMail(shard.mail, to, to, { to: "room", type: "rank" });
  }
}

function roomOfTimer(shard: Shard, key: number): Room | undefined {
  for (const room of shard.rooms.values()) if (roomTimerKey(room) === key) return room;
  return undefined;
}
