/**
 * The oracle of how much work an input may lead to (R3), and that time moves on when a timer has run (S19).
 *
 * An input leads to no more than those who are there explain: a few effects for each participant and slot. What comes late may
 * lead to more, as all that lies behind a keyframe goes out with it to everybody who begins there; ./forwarding.ts judges
 * each of these packets.
 */
import { type ShardInput, shardNextTimeout } from "../../core/index.ts";
import type { Effect } from "../world/recording-outbox.ts";
import type { World } from "../world/world.ts";
import { type Door, relayedLane } from "./doors.ts";
import { isControl, isMedia, readU32 } from "./ledger.ts";
import { breach, type PromiseBook, upheld } from "./promises.ts";

/** Effects that any input may have, and how many more there may be for each participant and slot: events, reports. */
const EFFECTS_ALWAYS = 16;
const EFFECTS_EACH = 4;

/** Judges what an input has led to, while the packets in hand have not been noted yet. */
export function judgeWork(
  world: World,
  book: PromiseBook,
  door: Door,
  input: ShardInput,
  effects: readonly Effect[],
): void {
  const { shard } = door.node;
  if (input.kind === "timer") {
    const moves = shardNextTimeout(shard) > input.now;
    if (!upheld(book, book.tallies.S19, moves))
      breach(book, "S19", "The server wants to be woken at the very moment at which it was.");
  }
  const answers = input.kind === "datagram" ? world.tunables.retransmitBurstPackets : 0;
  const there = shard.participants.size + shard.slots.size + world.nodes.length - 1;
  const most = EFFECTS_ALWAYS + EFFECTS_EACH * there * Math.max(1, door.count) + answers;
  const few = effects.length <= most || effects.length - caughtUp(world, door, effects) <= most;
  if (!upheld(book, book.tallies.R3, few)) breach(book, "R3", `One ${input.kind} led to ${effects.length} effects.`);
}

/** How many packets may have gone out because they lie behind one in hand: on each stream, beside one for each in hand. */
function caughtUp({ tunables }: World, door: Door, effects: readonly Effect[]): number {
  const behind = Math.min(tunables.catchUpPacketsMax, packetsBehind(door));
  if (behind <= 0) return 0;
  const sent = new Map<string, number>();
  for (const effect of effects) {
    const stream = streamOf(effect);
    if (stream !== undefined) sent.set(stream, (sent.get(stream) ?? 0) + 1);
  }
  let count = 0;
  for (const packets of sent.values()) count += Math.min(behind, Math.max(0, packets - door.count));
  return count;
}

/** By how much the latest of the packets in hand is late; of those who misbehave that is not known. */
function packetsBehind({ packets, count }: Door): number {
  let most = 0;
  for (let i = 0; i < count; i++) {
    const { source, index } = packets[i]!;
    most = Math.max(most, source === undefined ? Number.POSITIVE_INFINITY : source.highest - index);
  }
  return most;
}

/** Which stream a packet goes out on: to whom, or over which lane. */
function streamOf(effect: Effect): string | undefined {
  if (effect.kind === "relay" && effect.lane === "packets")
    return `to shard ${effect.shard} on ${relayedLane(effect.record, 0)}`;
  if (effect.kind !== "transmit" || !isMedia(effect.bytes) || isControl(effect.bytes)) return undefined;
  return `to ${effect.flow} as ${readU32(effect.bytes, 8)}`;
}
