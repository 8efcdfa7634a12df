/**
 * Video that is left out while the host has more work than time.
 *
 * The host says how many of {@link VIDEO_PARTS} it can't carry (io-node/overload.ts has the rule), and the slots of that part
 * get nothing: one picture stands still for good instead of all of them stuttering. Which part a slot is in depends on its
 * number alone, so everybody loses about the same share, and the same pictures as long as it lasts; the allocators hear of it
 * and tell their clients which slots are paused. When a part comes back, its routes begin anew at a keyframe, as they did at
 * first. Audio is never left out: it is a tenth of the load, and all of the meaning.
 */
import type { Micros } from "../base/micros.ts";
import { allocatorRef, postMail } from "./mail.ts";
import { VIDEO_PARTS } from "./ports.ts";
import { wantKeyframe } from "./requests.ts";
import type { Participant, Shard } from "./state.ts";

/** Leaves out so many parts of the video from now on. */
export function leaveOutVideo(shard: Shard, now: Micros, parts: number): void {
  shard.videoPartsLeftOut = Math.max(0, Math.min(VIDEO_PARTS, Math.trunc(parts)));
  for (const slot of shard.slots.values()) {
    const { route } = slot;
    if (route === null || route.leftOut === isLeftOut(shard, slot.id, slot.media.kind)) continue;
    route.leftOut = !route.leftOut;
    if (route.leftOut) route.stream = null;
    else wantKeyframe(shard, now, route.publication);
  }
  for (const participant of shard.participants.values()) tellAllocator(shard, participant);
}

/** Whether what the slot with this number shows is left out now. */
export function isLeftOut(shard: Shard, slot: number, kind: "audio" | "video"): boolean {
  if (kind !== "video" || shard.videoPartsLeftOut === 0) return false;
  // Numbers of slots that follow each other come to different parts.
  return Math.imul(slot, 0x9e37_79b1) >>> 29 < shard.videoPartsLeftOut;
}

function tellAllocator(shard: Shard, { id, slots }: Participant): void {
  const allocator = allocatorRef(id);
  const leftOut = slots.filter((slot) => isLeftOut(shard, slot.id, slot.media.kind)).map((slot) => slot.id);
  postMail(shard.mail, allocator, allocator, { to: "allocator", type: "left-out", slots: leftOut });
}
