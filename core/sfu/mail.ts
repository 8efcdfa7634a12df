/**
 * Mailboxes: how the actors of the control plane speak.
 *
 * An actor is named by an {@link ActorRef} and owns its state; another actor reaches it by a message alone. Each pair of
 * sender and receiver keeps its order; which pair is served next is the scheduler's choice: the oldest message first in
 * production, any legal order in the simulator. All mail is delivered before an input has been handled, so nothing is in
 * flight between two inputs; a message to an actor that is gone by then is dropped.
 *
 * A letter to an actor on another shard leaves with the input that it was posted in, and is delivered there like any
 * other. Between two shards, too, letters keep their order and none is lost; see relay.ts for what they travel in.
 */
import { assert, must } from "../base/assert.ts";
import type { WallMicros } from "../base/micros.ts";
import { LIMITS } from "../limits.ts";
import type { NegotiatedMedia } from "../peer/negotiated.ts";
import type { LeaveReason } from "./events.ts";
import { shardOf } from "./ids.ts";
import type { Scheduler } from "./ports.ts";

/**
 * Whom a message is for, or from, and on which shard. A room goes by its name, since whoever wants in knows nothing else of
 * it. The id is the participant's for an allocator, the lane's for a proxy, otherwise the actor's own. To a subscriber the
 * publication of another shard is a publication on his own: what stands for it there is a proxy.
 */
export type ActorRef =
  | { readonly actor: "room"; readonly shard: number; readonly id: string }
  | {
      readonly actor: "participant" | "publication" | "allocator" | "proxy";
      readonly shard: number;
      readonly id: number;
    };

/** What a room learns. */
export type RoomMessage =
  | { readonly to: "room"; readonly type: "enter"; readonly participant: number; readonly name: string }
  /** The participant's connection stands, or a new one does: what it publishes can be seen, and its slots can be filled. */
  | {
      readonly to: "room";
      readonly type: "ready";
      readonly participant: number;
      readonly publications: readonly Offering[];
      readonly audioSlots: number;
      readonly videoSlots: number;
    }
  /** The new connection of the participant does without these publications. */
  | {
      readonly to: "room";
      readonly type: "withdrawn";
      readonly participant: number;
      readonly publications: readonly number[];
    }
  | { readonly to: "room"; readonly type: "flowing"; readonly publication: number; readonly flowing: boolean }
  | { readonly to: "room"; readonly type: "loudness"; readonly publication: number; readonly score: number }
  | {
      readonly to: "room";
      readonly type: "exit";
      readonly participant: number;
      readonly reason: LeaveReason;
      readonly detail: string;
    }
  | { readonly to: "room"; readonly type: "rank" }
  /** It is time to look whose pause has become a long one. */
  | { readonly to: "room"; readonly type: "look" };

/** A publication that a subscriber may see. */
export interface Offering {
  readonly publication: number;
  readonly kind: "audio" | "video";
  readonly owner: number;
  readonly activity: Activity;
}

/** Whether packets come of a publication: "paused" when none do or did as yet, "dormant" when that has lasted long. */
export type Activity = "flowing" | "paused" | "dormant";

/** A slot that an allocator may fill. */
export interface SlotOffer {
  /** The shard's number for the slot. */
  readonly slot: number;
  readonly mid: string;
  readonly kind: "audio" | "video";
  /** The shard leaves out what would be shown here (shedding.ts). */
  readonly leftOut: boolean;
}

/** A publication and how loud it is; see core/media/loudness.ts. */
export interface Speaker {
  readonly publication: number;
  readonly score: number;
}

/** What a subscriber's allocator learns. */
export type AllocatorMessage =
  | { readonly to: "allocator"; readonly type: "appeared"; readonly offerings: readonly Offering[] }
  | { readonly to: "allocator"; readonly type: "gone"; readonly publications: readonly number[] }
  /** Video publications have begun or stopped to flow, or have been silent for long. */
  | {
      readonly to: "allocator";
      readonly type: "activity";
      readonly publications: readonly number[];
      readonly activity: Activity;
    }
  | { readonly to: "allocator"; readonly type: "speakers"; readonly speakers: readonly Speaker[] }
  /** These are the slots from now on, all empty: none when a connection has ended, those of the new one when it stands. */
  | { readonly to: "allocator"; readonly type: "slots"; readonly slots: readonly SlotOffer[] }
  /** The slots whose pictures are left out from now on; all others show theirs. */
  | { readonly to: "allocator"; readonly type: "left-out"; readonly slots: readonly number[] };

/** What a publication learns. */
export type PublicationMessage =
  /** `turn` counts what the slot was filled with: mail to several publications may come in another order. */
  | { readonly to: "publication"; readonly type: "subscribe"; readonly slot: number; readonly turn: number }
  | { readonly to: "publication"; readonly type: "unsubscribe"; readonly slot: number }
  /** The room compares voices and asks how loud this one is. */
  | { readonly to: "publication"; readonly type: "measure" }
  | RelayRequest;

/** What a proxy asks of the publication that it stands for. The lane is the proxy's, on the shard that the letter is from. */
export type RelayRequest =
  | { readonly to: "publication"; readonly type: "attach"; readonly lane: number }
  | { readonly to: "publication"; readonly type: "detach"; readonly lane: number }
  /** A subscriber needs a keyframe of this stream, to begin with or once again. */
  | { readonly to: "publication"; readonly type: "keyframe"; readonly stream: number; readonly again: boolean }
  /** Packets that were lost between the shards, by their ordinals in the lane. */
  | {
      readonly to: "publication";
      readonly type: "repair";
      readonly lane: number;
      readonly ordinals: readonly number[];
    };

/** What a proxy learns of the publication that it stands for. */
export type ProxyMessage =
  /** The answer to an attach: packets follow, the first of them with this ordinal. */
  | {
      readonly to: "proxy";
      readonly type: "attached";
      readonly media: NegotiatedMedia;
      readonly streams: readonly StreamView[];
      readonly clockOffset: ClockOffset;
      readonly ordinal: number;
    }
  /** The publisher has a new connection, on which this was negotiated. The streams are told of one by one. */
  | {
      readonly to: "proxy";
      readonly type: "renewed";
      readonly media: NegotiatedMedia;
      readonly clockOffset: ClockOffset;
    }
  | { readonly to: "proxy"; readonly type: "stream"; readonly stream: StreamView }
  | { readonly to: "proxy"; readonly type: "stream-gone"; readonly stream: number }
  /** The publisher has said what time it is, in a report of this stream, or of another publication's, which is a 0 here. */
  | {
      readonly to: "proxy";
      readonly type: "clock";
      readonly clockOffset: ClockOffset;
      readonly stream: number;
      readonly reportWall: WallMicros;
      readonly reportTimestamp: number;
    }
  | { readonly to: "proxy"; readonly type: "gone" };

/** A stream of a publication as its proxies see it. `reports` is 0 while the publisher has not said what time it is. */
export interface StreamView {
  readonly stream: number;
  readonly ssrc: number;
  readonly rid: string;
  readonly reports: number;
  readonly reportWall: WallMicros;
  readonly reportTimestamp: number;
}

/** How far a publisher's clock is behind the wall clock of the shards, in microseconds, and after how many reports. */
export interface ClockOffset {
  readonly wallMicros: number;
  readonly reports: number;
}

/** What a participant learns from a room on another shard. */
export type ParticipantMessage =
  /** The room has no place left. */
  { readonly to: "participant"; readonly type: "turned-away" };

/** Any message of the control plane. */
export type Message = RoomMessage | AllocatorMessage | PublicationMessage | ProxyMessage | ParticipantMessage;

/** A message on its way. */
export interface Letter {
  from: ActorRef;
  to: ActorRef;
  message: Message;
}

/** One message for several actors of another shard. */
export interface Circular {
  from: ActorRef;
  to: ActorRef[];
  message: Message;
}

/** The mail of one shard: letters in the order of posting, those before `head` delivered already. */
export interface Mail {
  /** The shard's number. */
  shard: number;
  letters: Letter[];
  head: number;
  /** What is for other shards, by their numbers. */
  outgoing: Map<number, Circular[]>;
}

/** Mail with nothing in it, of the shard with this number. */
export function createMail(shard: number): Mail {
  return { shard, letters: [], head: 0, outgoing: new Map() };
}

/** A publication as mail is addressed to it: at its home, or on a subscriber's shard, where that may be a proxy. */
export function publicationRef(id: number, shard: number): ActorRef {
  return { actor: "publication", shard, id };
}

/** The allocator of a participant: it is where the participant is. */
export function allocatorRef(participant: number): ActorRef {
  return { actor: "allocator", shard: shardOf(participant), id: participant };
}

/** The room that a participant is in. */
export function roomRef({ room, home }: { readonly room: string; readonly home: number }): ActorRef {
  return { actor: "room", shard: home, id: room };
}

/** Posts a message from one actor to another. One object for many actors of another shard travels there once. */
export function postMail(mail: Mail, from: ActorRef, to: ActorRef, message: Message): void {
  if (to.shard !== mail.shard) {
    postOutside(mail, from, to, message);
    return;
  }
  assert(mail.letters.length < LIMITS.mailboxMessagesMax, "the mailboxes of a shard stay within their bound");
  mail.letters.push({ from, to, message });
}

/**
 * Takes the next letter, or answers undefined when there is none. The scheduler names a waiting letter, counted from the
 * oldest; what is delivered is the first letter between the same two actors, so order within a pair always holds.
 */
export function takeMail(mail: Mail, scheduler: Scheduler, ordinal: number): Letter | undefined {
  const waiting = mail.letters.length - mail.head;
  if (waiting === 0) {
    mail.letters.length = 0;
    mail.head = 0;
    return undefined;
  }
  const pick = waiting === 1 ? 0 : scheduler.pick(ordinal, waiting);
  assert(pick >= 0 && pick < waiting, "a scheduler picks one of the letters that it was offered");
  const named = must(mail.letters[mail.head + pick], "the picked letter exists");
  let at = mail.head;
  while (!samePair(must(mail.letters[at], "the named letter stops the search"), named)) at++;
  const letter = must(mail.letters[at], "the search ends inside the mail");
  mail.letters.copyWithin(mail.head + 1, mail.head, at);
  mail.head++;
  return letter;
}

function samePair(a: Letter, b: Letter): boolean {
  return sameActor(a.to, b.to) && sameActor(a.from, b.from);
}

function sameActor(a: ActorRef, b: ActorRef): boolean {
  return a.id === b.id && a.actor === b.actor && a.shard === b.shard;
}

function postOutside(mail: Mail, from: ActorRef, to: ActorRef, message: Message): void {
  const waiting = mail.outgoing.get(to.shard);
  const last = waiting?.at(-1);
  if (last?.message === message) last.to.push(to);
  else if (waiting === undefined) mail.outgoing.set(to.shard, [{ from, to: [to], message }]);
  else waiting.push({ from, to: [to], message });
}
