/**
 * A room: who is in it, what they publish, and who is loud.
 *
 * The room tells each subscriber's allocator which publications appear and go, in order of arrival, and never a word to
 * anybody outside: it is the isolation boundary. When somebody has fewer audio slots than there are voices it also hands
 * out, a few times a second, the list of the loudest. After each change it tells the host who is there.
 */
import { LIMITS } from "../limits.ts";
import type { ParticipantView, ShardEvent } from "./events.ts";
import { shardOf } from "./ids.ts";
import { type ActorRef, type Mail, type Offering, postMail, type RoomMessage, type Speaker } from "./mail.ts";

/** The state of a room; only {@link roomHandle} changes it. */
export interface Room {
  id: number;
  name: string;
  /** The shard on which it lives. Members may live elsewhere. */
  home: number;
  /** In order of arrival. */
  members: Map<number, Member>;
}

interface Member {
  participant: number;
  name: string;
  ready: boolean;
  audioSlots: number;
  publications: MemberPublication[];
}

interface MemberPublication {
  publication: number;
  kind: "audio" | "video";
  flowing: boolean;
  score: number;
}

/** An empty room. */
export function createRoom(id: number, name: string, home: number): Room {
  return { id, name, home, members: new Map() };
}

/** Takes one message; what follows from it goes into the mail, and what others should know into `events`. */
export function roomHandle(room: Room, message: RoomMessage, mail: Mail, events: ShardEvent[]): void {
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
        publications: [],
      });
      return;
    case "ready":
      memberReady(room, message, mail);
      events.push(rosterOf(room));
      return;
    case "flowing":
      if (setFlowing(room, message.publication, message.flowing)) events.push(rosterOf(room));
      return;
    case "loudness":
      setScore(room, message.publication, message.score);
      return;
    case "rank":
      tellSpeakers(room, mail);
      return;
    case "exit":
      if (memberLeaves(room, message.participant, mail)) events.push(rosterOf(room));
      if (room.members.size === 0) events.push({ type: "room-closed", room: room.name });
  }
}

/** Whether somebody has fewer audio slots than there are voices of others to hear, so that loudness decides. */
export function roomNeedsRanking(room: Room): boolean {
  let voices = 0;
  for (const member of room.members.values()) voices += voicesOf(member);
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

function memberReady(room: Room, message: RoomMessage & { type: "ready" }, mail: Mail): void {
  const newcomer = room.members.get(message.participant);
  if (!newcomer) return;
  const earlier: Offering[] = [];
  const appeared = { to: "allocator", type: "appeared", offerings: message.publications } as const;
  for (const member of room.members.values()) {
    if (!member.ready || member === newcomer) continue;
    for (const { publication, kind } of member.publications) {
      earlier.push({ publication, kind, owner: member.participant });
    }
    if (message.publications.length > 0) tellAllocator(room, mail, member.participant, appeared);
  }
  newcomer.ready = true;
  newcomer.audioSlots = message.audioSlots;
  newcomer.publications = message.publications.map(({ publication, kind }) => ({
    publication,
    kind,
    flowing: false,
    score: 0,
  }));
  for (let from = 0; from < earlier.length; from += LIMITS.offeringsPerMessageMax) {
    const offerings = earlier.slice(from, from + LIMITS.offeringsPerMessageMax);
    tellAllocator(room, mail, newcomer.participant, { to: "allocator", type: "appeared", offerings });
  }
}

/** Takes a member out; answers whether others could see it. */
function memberLeaves(room: Room, participant: number, mail: Mail): boolean {
  const leaver = room.members.get(participant);
  if (!leaver) return false;
  room.members.delete(participant);
  const publications = leaver.publications.map((each) => each.publication);
  const gone = { to: "allocator", type: "gone", publications } as const;
  for (const member of room.members.values()) {
    if (member.ready && publications.length > 0) {
      tellAllocator(room, mail, member.participant, gone);
    }
  }
  return leaver.ready;
}

function setFlowing(room: Room, publication: number, flowing: boolean): boolean {
  const found = findPublication(room, publication);
  if (!found || found.flowing === flowing) return false;
  found.flowing = flowing;
  if (!flowing) found.score = 0;
  return true;
}

function setScore(room: Room, publication: number, score: number): void {
  const found = findPublication(room, publication);
  if (found) found.score = score;
}

function findPublication(room: Room, publication: number): MemberPublication | undefined {
  for (const member of room.members.values()) {
    for (const each of member.publications) if (each.publication === publication) return each;
  }
  return undefined;
}

/** Tells everybody the loudest voices, loudest first; equal scores stay in order of arrival. */
function tellSpeakers(room: Room, mail: Mail): void {
  const speakers: Speaker[] = [];
  const message = { to: "allocator", type: "speakers", speakers } as const;
  for (const member of room.members.values()) {
    for (const { publication, kind, score } of member.publications) {
      if (kind === "audio") speakers.push({ publication, score });
    }
  }
  speakers.sort((a, b) => b.score - a.score || a.publication - b.publication);
  speakers.length = Math.min(speakers.length, LIMITS.loudestPublicationsMax);
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
  postMail(mail, refOf(room), { actor: "allocator", shard: shardOf(participant), id: participant }, message);
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
    const publications = member.publications.map(({ publication, kind, flowing }) => ({ publication, kind, flowing }));
    participants.push({ participant: member.participant, name: member.name, publications });
  }
  return { type: "roster", room: room.name, participants };
}
