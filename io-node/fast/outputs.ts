/**
 * What a shard's thread has to tell the main thread: events and replies, gathered until the shard has handled a batch.
 *
 * To tell something to another thread is to copy it. Rosters name everybody in a room, so in a large room into which many
 * come at a time they would be most of what is copied: 2 ms for one of a thousand people. But each roster makes the one before
 * superfluous. Only the last of a batch is told, and in a large room no sooner than a while after the one before.
 */
import type { CommandReply, Micros, ShardEvent } from "../../core/index.ts";

/** Rosters of rooms with no more participants than this are told at once. */
const ROSTER_AT_ONCE = 100;

/** How long a roster of a larger room keeps the next one waiting, for each participant in it. */
const HELD_MICROS_PER_PARTICIPANT = 100;

/** What is to be told; make it with {@link createOutputs}. */
export interface Outputs {
  events: ShardEvent[];
  replies: CommandReply[];
  /** By the names of rooms: those about which something was told, or is to be. */
  readonly rosters: Map<string, RosterOutput>;
  /** Rosters that still have to be told. */
  waiting: number;
}

interface RosterOutput {
  roster: Roster | undefined;
  /** When it may be told. */
  notBefore: number;
}

type Roster = ShardEvent & { readonly type: "roster" };

/** Nothing to tell. */
export function createOutputs(): Outputs {
  return { events: [], replies: [], rosters: new Map(), waiting: 0 };
}

/** Takes an event. */
export function outputEvent(outputs: Outputs, event: ShardEvent): void {
  if (event.type === "roster") {
    const known = outputs.rosters.get(event.room) ?? { roster: undefined, notBefore: 0 };
    if (known.roster === undefined) outputs.waiting += 1;
    known.roster = event;
    outputs.rosters.set(event.room, known);
    return;
  }
  // What was said of the room before does not bring it back.
  if (event.type === "room-closed") {
    if (outputs.rosters.get(event.room)?.roster !== undefined) outputs.waiting -= 1;
    outputs.rosters.delete(event.room);
  }
  outputs.events.push(event);
}

/** What may be told now, and is no longer there afterwards; undefined when that is nothing. */
export function takeOutputs(outputs: Outputs, now: Micros): Pick<Outputs, "events" | "replies"> | undefined {
  if (outputs.waiting > 0) takeRosters(outputs, now);
  const { events, replies } = outputs;
  if (events.length + replies.length === 0) return undefined;
  outputs.events = [];
  outputs.replies = [];
  return { events, replies };
}

function takeRosters(outputs: Outputs, now: Micros): void {
  for (const known of outputs.rosters.values()) {
    if (known.roster === undefined || now < known.notBefore) continue;
    const { length } = known.roster.participants;
    known.notBefore = length > ROSTER_AT_ONCE ? now + length * HELD_MICROS_PER_PARTICIPANT : 0;
    outputs.events.push(known.roster);
    known.roster = undefined;
    outputs.waiting -= 1;
  }
}
