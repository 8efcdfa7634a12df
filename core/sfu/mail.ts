/**
 * Mailboxes: how the actors of the control plane speak.
 *
 * An actor is named by an {@link ActorRef} and owns its state; another actor reaches it by a message alone. Each pair of
 * sender and receiver keeps its order; which pair is served next is the scheduler's choice: the oldest message first in
 * production, any legal order in the simulator. All mail is delivered
 * before an input has been handled, so nothing is in flight between two inputs; a message to an actor that is gone by
 * then is dropped.
 */
import { assert, must } from "../base/assert.ts";
import { LIMITS } from "../limits.ts";
import type { LeaveReason } from "./events.ts";
import type { Scheduler } from "./ports.ts";

/** Whom a message is for, or from. The id is the participant's for an allocator, otherwise the actor's own. */
export interface ActorRef {
  readonly actor: "room" | "participant" | "publication" | "allocator";
  readonly id: number;
}

/** What a room learns. */
export type RoomMessage =
  | { readonly to: "room"; readonly type: "enter"; readonly participant: number; readonly name: string }
  /** The participant's connection stands: what it publishes can be seen, and its slots can be filled. */
  | {
      readonly to: "room";
      readonly type: "ready";
      readonly participant: number;
      readonly publications: readonly Offering[];
      readonly audioSlots: number;
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
  | { readonly to: "room"; readonly type: "rank" };

/** A publication that a subscriber may see. */
export interface Offering {
  readonly publication: number;
  readonly kind: "audio" | "video";
  readonly owner: number;
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
  | { readonly to: "allocator"; readonly type: "speakers"; readonly speakers: readonly Speaker[] };

/** What a publication learns. */
export type PublicationMessage =
  | { readonly to: "publication"; readonly type: "subscribe"; readonly slot: number }
  | { readonly to: "publication"; readonly type: "unsubscribe"; readonly slot: number };

/** Any message of the control plane. */
export type Message = RoomMessage | AllocatorMessage | PublicationMessage;

/** A message on its way. */
export interface Letter {
  from: ActorRef;
  to: ActorRef;
  message: Message;
}

/** The mail of one shard: letters in the order of posting, those before `head` delivered already. */
export interface Mail {
  letters: Letter[];
  head: number;
}

/** Mail with nothing in it. */
export function createMail(): Mail {
  return { letters: [], head: 0 };
}

/** Posts a message from one actor to another. */
export function postMail(mail: Mail, from: ActorRef, to: ActorRef, message: Message): void {
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
  return a.to.id === b.to.id && a.from.id === b.from.id && a.to.actor === b.to.actor && a.from.actor === b.from.actor;
}
