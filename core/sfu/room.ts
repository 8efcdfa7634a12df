/**
 * A room: who is in it, what they publish, and who is loud.
 *
 * The room tells each subscriber's allocator which publications appear and go, in order of arrival, and never a word to
 * anybody outside: it is the isolation boundary. When somebody has fewer audio slots than there are voices it also hands
 * out, a few times a second, the list of the loudest, without those who have stopped. Of video it says which publications
 * flow and which have been silent for so long that others may have their slots. After each change it tells the host who is
 * there.
 */
import { must } from "../base/assert.ts";
import { after, earliest, type Micros, NEVER } from "../base/micros.ts";
import { LIMITS } from "../limits.ts";
import type { Tunables } from "../tunables.ts";
import type { ParticipantView, ShardEvent } from "./events.ts";
import { shardOf } from "./ids.ts";
import {
  type Activity,
  type ActorRef,
  allocatorRef,
  type Mail,
  type Offering,
  postMail,
  type RoomMessage,
  type Speaker,
} from "./mail.ts";

/** The state of a room; only {@link roomHandle} changes it. */
export interface Room {
  id: number;
  name: string;
  /** The shard on which it lives. Members may live elsewhere. */
  home: number;
  readonly tunables: Tunables;
  /** In order of arrival. */
  members: Map<number, Member>;
  /** What those publish who are ready, by number. */
  publications: Map<number, MemberPublication>;
  /** Whether somebody has fewer audio slots than there are voices of others to hear, so that loudness decides. */
  needsRanking: boolean;
  /** When voices are compared next. The shard sees to it, which has to ask them how loud they are. */
  nextRankingAt: Micros;
  /** When somebody's pause may have become a long one. */
  nextLookAt: Micros;
}

interface Member {
  participant: number;
  name: string;
  ready: boolean;
  audioSlots: number;
  videoSlots: number;
  publications: MemberPublication[];
}

interface MemberPublication {
  publication: number;
  kind: "audio" | "video";
  activity: Activity;
  score: number;
  /** Of video: when its pause becomes a long one; `NEVER` while it flows, and afterwards. */
  dormantAt: Micros;
}

/** An empty room. */
export function createRoom(id: number, name: string, home: number, tunables: Tunables): Room {
  return {
    id,
    name,
    home,
    tunables,
    members: new Map(),
    publications: new Map(),
    needsRanking: false,
    nextRankingAt: NEVER,
    nextLookAt: NEVER,
  };
}

/** Takes one message; what follows from it goes into the mail, and what others should know into `events`. */
export function roomHandle(room: Room, now: Micros, message: RoomMessage, mail: Mail, events: ShardEvent[]): void {
  switch (message.type) {
    case "enter":
      if (room.members.size >= LIMITS.participantsPerRoomMax) {
        turnAway(room, message.participant, mail);
        return;
      }
      room.members.set(message.participant, {
        participant: message.participant,
        name: message.name,
        ready: false,
        audioSlots: 0,
        videoSlots: 0,
        publications: [],
      });
      return;
    case "ready":
      if (memberReady(room, now, message, mail)) events.push(rosterOf(room));
      return;
    case "withdrawn":
      if (memberWithdraws(room, message, mail)) events.push(rosterOf(room));
      return;
    case "flowing":
      if (setFlowing(room, now, message.publication, message.flowing, mail)) events.push(rosterOf(room));
      return;
    case "loudness":
      setScore(room, message.publication, message.score);
      return;
    case "rank":
      tellSpeakers(room, mail);
      return;
    case "look":
      lookForDormant(room, now, mail);
      return;
    case "exit":
      if (memberLeaves(room, message.participant, mail)) events.push(rosterOf(room));
      if (room.members.size === 0) events.push({ type: "room-closed", room: room.name });
  }
}

/** When the room wants a turn at the latest: to compare voices, or to look whose pause has become a long one. */
export function roomNextTimeout(room: Room): Micros {
  return earliest(room.nextRankingAt, room.nextLookAt);
}

function hasMoreVoicesThanSlots(room: Room): boolean {
  let voices = 0;
  for (const { kind } of room.publications.values()) if (kind === "audio") voices++;
  for (const member of room.members.values()) {
    if (member.audioSlots > 0 && voices - voicesOf(member) > member.audioSlots) return true;
  }
  return false;
}

/** How many voices a member publishes; none before it is ready. */
function voicesOf(member: Member): number {
  let voices = 0;
  for (const { kind } of member.publications) if (kind === "audio") voices++;
  return voices;
}

/** Takes a member's connection for standing; answers whether that changes what others see. */
function memberReady(room: Room, now: Micros, message: RoomMessage & { type: "ready" }, mail: Mail): boolean {
  const newcomer = room.members.get(message.participant);
  if (!newcomer) return false;
  const before = newcomer.ready ? newcomer.publications.map(({ publication }) => publication).join() : "unseen";
  const earlier: Offering[] = [];
  const offerings = message.publications.filter(({ publication }) => !room.publications.has(publication));
  const appeared = { to: "allocator", type: "appeared", offerings } as const;
  for (const member of room.members.values()) {
    if (!member.ready || member === newcomer) continue;
    // Whoever has a new connection knows already what others publish.
    for (const { publication, kind, activity } of newcomer.ready ? [] : member.publications) {
      earlier.push({ publication, kind, owner: member.participant, activity });
    }
    if (offerings.length > 0) tellAllocator(room, mail, member.participant, appeared);
  }
  newcomer.ready = true;
  newcomer.audioSlots = message.audioSlots;
  newcomer.videoSlots = message.videoSlots;
  for (const { publication, kind } of offerings) {
    const dormantAt = kind === "video" ? after(now, room.tunables.slotYieldMicros) : NEVER;
    room.publications.set(publication, { publication, kind, activity: "paused", score: 0, dormantAt });
    room.nextLookAt = earliest(room.nextLookAt, dormantAt);
  }
  newcomer.publications = message.publications.map(({ publication }) =>
    must(room.publications.get(publication), "the room knows what its member publishes"),
  );
  room.needsRanking = hasMoreVoicesThanSlots(room);
  const { offeringsPerMessageMax } = room.tunables;
  for (let from = 0; from < earlier.length; from += offeringsPerMessageMax) {
    const some = earlier.slice(from, from + offeringsPerMessageMax);
    tellAllocator(room, mail, newcomer.participant, { to: "allocator", type: "appeared", offerings: some });
  }
  return newcomer.publications.map(({ publication }) => publication).join() !== before;
}

/** Takes back what a member publishes no longer; answers whether others could see it. */
function memberWithdraws(room: Room, message: RoomMessage & { type: "withdrawn" }, mail: Mail): boolean {
  const withdrawer = room.members.get(message.participant);
  const publications = message.publications.filter((publication) => room.publications.delete(publication));
  if (withdrawer === undefined || publications.length === 0) return false;
  withdrawer.publications = withdrawer.publications.filter(({ publication }) => room.publications.has(publication));
  tellGone(room, publications, mail);
  return true;
}

/** Takes a member out; answers whether others could see it. */
function memberLeaves(room: Room, participant: number, mail: Mail): boolean {
  const leaver = room.members.get(participant);
  if (!leaver) return false;
  room.members.delete(participant);
  const publications = leaver.publications.map((each) => each.publication);
  for (const publication of publications) room.publications.delete(publication);
  tellGone(room, publications, mail);
  return leaver.ready;
}

function tellGone(room: Room, publications: readonly number[], mail: Mail): void {
  room.needsRanking = hasMoreVoicesThanSlots(room);
  const gone = { to: "allocator", type: "gone", publications } as const;
  for (const member of room.members.values()) {
    if (member.ready && publications.length > 0) {
      tellAllocator(room, mail, member.participant, gone);
    }
  }
}

function setFlowing(room: Room, now: Micros, publication: number, flowing: boolean, mail: Mail): boolean {
  const found = room.publications.get(publication);
  if (!found || (found.activity === "flowing") === flowing) return false;
  found.dormantAt = flowing || found.kind === "audio" ? NEVER : after(now, room.tunables.slotYieldMicros);
  room.nextLookAt = earliest(room.nextLookAt, found.dormantAt);
  found.activity = flowing ? "flowing" : "paused";
  if (found.kind === "video") tellActivity(room, [publication], found.activity, mail);
  return true;
}

function lookForDormant(room: Room, now: Micros, mail: Mail): void {
  room.nextLookAt = NEVER;
  const dormant: number[] = [];
  for (const publication of room.publications.values()) {
    if (publication.dormantAt <= now) {
      publication.dormantAt = NEVER;
      publication.activity = "dormant";
      dormant.push(publication.publication);
    }
    room.nextLookAt = earliest(room.nextLookAt, publication.dormantAt);
  }
  if (dormant.length > 0) tellActivity(room, dormant, "dormant", mail);
}

/** However many pause at once, everybody is told once: in a large room it would be a million letters else. */
function tellActivity(room: Room, publications: readonly number[], activity: Activity, mail: Mail): void {
  const message = { to: "allocator", type: "activity", publications, activity } as const;
  for (const member of room.members.values()) {
    if (member.ready && member.videoSlots > 0) tellAllocator(room, mail, member.participant, message);
  }
}

function setScore(room: Room, publication: number, score: number): void {
  const found = room.publications.get(publication);
  if (found) found.score = score;
}

/**
 * Tells everybody the loudest voices, loudest first; equal scores stay in order of arrival. A voice of which nothing comes, and
 * whose last word has faded away, is not among them: anybody who is there, however low he speaks, may have its slot.
 */
function tellSpeakers(room: Room, mail: Mail): void {
  const speakers: Speaker[] = [];
  const message = { to: "allocator", type: "speakers", speakers } as const;
  for (const member of room.members.values()) {
    for (const { publication, kind, activity, score } of member.publications) {
      if (kind === "audio" && (activity === "flowing" || score > 0)) speakers.push({ publication, score });
    }
  }
  speakers.sort((a, b) => b.score - a.score || a.publication - b.publication);
  speakers.length = Math.min(speakers.length, room.tunables.loudestPublicationsMax);
  for (const member of room.members.values()) {
    if (member.ready && member.audioSlots > 0) {
      tellAllocator(room, mail, member.participant, message);
    }
  }
}

function tellAllocator(
  room: Room,
  mail: Mail,
  participant: number,
  message: Parameters<typeof postMail>[3] & { to: "allocator" },
): void {
  postMail(mail, refOf(room), allocatorRef(participant), message);
}

/** Whoever comes from another shard has not been counted there. */
function turnAway(room: Room, participant: number, mail: Mail): void {
  const to: ActorRef = { actor: "participant", shard: shardOf(participant), id: participant };
  postMail(mail, refOf(room), to, { to: "participant", type: "turned-away" });
}

function refOf(room: Room): ActorRef {
  return { actor: "room", shard: room.home, id: room.name };
}

function rosterOf(room: Room): ShardEvent {
  const participants: ParticipantView[] = [];
  for (const member of room.members.values()) {
    if (!member.ready) continue;
    const publications = member.publications.map(({ publication, kind, activity }) => ({
      publication,
      kind,
      flowing: activity === "flowing",
    }));
    participants.push({ participant: member.participant, name: member.name, publications });
  }
  return { type: "roster", room: room.name, participants };
}
