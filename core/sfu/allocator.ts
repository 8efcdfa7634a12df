/**
 * The allocator of one subscriber: which publication stands in which of its slots.
 *
 * Video slots fill in order of arrival, and a slot that falls empty takes the one that has waited longest. One that shows
 * what has become dormant is given to one that waits and flows: nobody looks at a frozen picture while there is a living
 * one. What flows is never moved, so no pause makes pictures jump about. Audio fills in the same order while there are
 * slots enough; when there are more voices than slots, the loudest are heard, and who is heard already keeps his slot, for as
 * long as the room counts him among those who speak. A publication of the subscriber's own is never offered to it. A slot
 * that the shard leaves out keeps what stands in it, and is said to be paused.
 */
import { chooseSpeakers } from "../media/loudness.ts";
import type { ShardEvent, SlotView } from "./events.ts";
import { shardOf } from "./ids.ts";
import {
  type Activity,
  type AllocatorMessage,
  allocatorRef,
  type Mail,
  type Offering,
  postMail,
  publicationRef,
  type SlotOffer,
  type Speaker,
} from "./mail.ts";

/** The state of an allocator; only {@link allocatorHandle} changes it. */
export interface Allocator {
  participant: number;
  /** In the order of the m-lines. */
  slots: AllocatorSlot[];
  /** What may be seen, in order of arrival. */
  offerings: Map<number, Offering>;
  /** How many videos of those flow. */
  flowingVideos: number;
}

interface AllocatorSlot extends SlotOffer {
  /** The publication in it, or 0. */
  publication: number;
  /** How often it was filled. */
  turn: number;
  leftOut: boolean;
}

/** An allocator with empty slots. */
export function createAllocator(participant: number, slots: readonly SlotOffer[]): Allocator {
  return { participant, slots: emptySlots(slots), offerings: new Map(), flowingVideos: 0 };
}

/** Takes one message; subscriptions go out as mail, and a changed binding as an event. */
export function allocatorHandle(
  allocator: Allocator,
  room: string,
  message: AllocatorMessage,
  mail: Mail,
  events: ShardEvent[],
): void {
  let changed = false;
  switch (message.type) {
    case "appeared":
      for (const offering of message.offerings) {
        if (offering.owner !== allocator.participant) setOffering(allocator, offering);
      }
      break;
    case "gone":
      changed = forget(allocator, message.publications, mail);
      break;
    case "activity":
      for (const publication of message.publications) setActivity(allocator, publication, message.activity);
      break;
    case "speakers":
      changed = seatSpeakers(allocator, message.speakers, mail);
      break;
    case "slots":
      changed = allocator.slots.some(({ publication }) => publication !== 0);
      allocator.slots = emptySlots(message.slots);
      break;
    case "left-out":
      changed = leaveOut(allocator, message.slots);
      break;
  }
  if (fillSlots(allocator, "audio", mail)) changed = true;
  if (fillSlots(allocator, "video", mail)) changed = true;
  if (changed) events.push(bindingsOf(allocator, room));
}

function emptySlots(slots: readonly SlotOffer[]): AllocatorSlot[] {
  return slots.map(({ slot, mid, kind, leftOut }) => ({ slot, mid, kind, publication: 0, turn: 0, leftOut }));
}

/**
 * Takes publications that are gone out of the slots; answers whether one stood in a slot. What was relayed here from a
 * shard that has crashed has nobody else to say that it is gone, so it is given up by name.
 */
function forget(allocator: Allocator, publications: readonly number[], mail: Mail): boolean {
  let vacated = false;
  for (const publication of publications) {
    if (flows(allocator.offerings.get(publication))) allocator.flowingVideos--;
    allocator.offerings.delete(publication);
    for (const slot of allocator.slots) {
      if (slot.publication !== publication) continue;
      if (shardOf(publication) !== shardOf(allocator.participant)) release(allocator, slot, mail);
      slot.publication = 0;
      vacated = true;
    }
  }
  return vacated;
}

function setActivity(allocator: Allocator, publication: number, activity: Activity): void {
  const offering = allocator.offerings.get(publication);
  if (offering !== undefined) setOffering(allocator, { ...offering, activity });
}

function setOffering(allocator: Allocator, offering: Offering): void {
  const { offerings } = allocator;
  if (flows(offerings.get(offering.publication))) allocator.flowingVideos--;
  if (flows(offering)) allocator.flowingVideos++;
  offerings.set(offering.publication, offering);
}

/** Whether it is a video that flows. */
function flows(offering: Offering | undefined): boolean {
  return offering !== undefined && offering.kind === "video" && offering.activity === "flowing";
}

/** Puts waiting publications of a kind into slots that are for them, in order of arrival; answers whether it did. */
function fillSlots(allocator: Allocator, kind: "audio" | "video", mail: Mail): boolean {
  let changed = false;
  for (const slot of allocator.slots) {
    if (slot.kind !== kind || slot.publication !== 0) continue;
    const waiting = firstWaiting(allocator, kind, "flowing", "paused") || firstWaiting(allocator, kind, "dormant");
    if (waiting === 0) return changed;
    bind(allocator, slot, waiting, mail);
    changed = true;
  }
  // In a large room most messages change nothing here, and nobody should look through all of its publications to see that.
  if (kind === "audio" || !aFlowingVideoWaits(allocator)) return changed;
  for (const slot of allocator.slots) {
    if (allocator.offerings.get(slot.publication)?.activity !== "dormant") continue;
    const waiting = firstWaiting(allocator, kind, "flowing");
    if (waiting === 0) return changed;
    release(allocator, slot, mail);
    bind(allocator, slot, waiting, mail);
    changed = true;
  }
  return changed;
}

function aFlowingVideoWaits({ slots, offerings, flowingVideos }: Allocator): boolean {
  let shown = 0;
  for (const { publication } of slots) if (flows(offerings.get(publication))) shown++;
  return flowingVideos > shown;
}

/** The publication of a kind, and of one of these activities, that has waited longest; 0 for none. */
function firstWaiting({ slots, offerings }: Allocator, kind: "audio" | "video", ...activities: Activity[]): number {
  for (const offering of offerings.values()) {
    if (offering.kind !== kind || !activities.includes(offering.activity)) continue;
    if (!slots.some((slot) => slot.publication === offering.publication)) return offering.publication;
  }
  return 0;
}

/** Lets the loudest into the audio slots; answers whether anything changed. */
function seatSpeakers(allocator: Allocator, speakers: readonly Speaker[], mail: Mail): boolean {
  const slots = allocator.slots.filter((slot) => slot.kind === "audio");
  const candidates = speakers.filter((speaker) => allocator.offerings.has(speaker.publication));
  const current = slots.map((slot) => slot.publication);
  const chosen = chooseSpeakers(candidates, current, slots.length);
  let changed = false;
  for (const [index, slot] of slots.entries()) {
    const publication = chosen[index] ?? 0;
    if (publication === slot.publication || publication === 0) continue;
    release(allocator, slot, mail);
    bind(allocator, slot, publication, mail);
    changed = true;
  }
  return changed;
}

/** Takes note of which slots are left out; answers whether anything changed that is shown. */
function leaveOut(allocator: Allocator, slots: readonly number[]): boolean {
  let changed = false;
  for (const slot of allocator.slots) {
    const leftOut = slots.includes(slot.slot);
    if (slot.leftOut === leftOut) continue;
    slot.leftOut = leftOut;
    if (slot.publication !== 0) changed = true;
  }
  return changed;
}

function bind({ participant }: Allocator, slot: AllocatorSlot, publication: number, mail: Mail): void {
  slot.publication = publication;
  slot.turn++;
  postMail(mail, allocatorRef(participant), publicationRef(publication, mail.shard), {
    to: "publication",
    type: "subscribe",
    slot: slot.slot,
    turn: slot.turn,
  });
}

function release({ participant }: Allocator, slot: AllocatorSlot, mail: Mail): void {
  if (slot.publication === 0) return;
  postMail(mail, allocatorRef(participant), publicationRef(slot.publication, mail.shard), {
    to: "publication",
    type: "unsubscribe",
    slot: slot.slot,
  });
  slot.publication = 0;
}

function bindingsOf(allocator: Allocator, room: string): ShardEvent {
  const slots: SlotView[] = allocator.slots.map(({ mid, kind, publication, leftOut }) => ({
    mid,
    kind,
    publication,
    participant: allocator.offerings.get(publication)?.owner ?? 0,
    paused: leftOut && publication !== 0,
  }));
  return { type: "bindings", room, participant: allocator.participant, slots };
}
