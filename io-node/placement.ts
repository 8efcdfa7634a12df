/**
 * Which shard a room lives on, and which one a participant comes to.
 *
 * A room is placed when its first participant comes: on the shard that carries the fewest, the first of them when several
 * do. That is its home until the last one has left. A shard *takes* somebody when it serves, is not overloaded and is not
 * full. Whoever comes to a room comes to its home or, after that, the first of the shards that it has spilled over to, that
 * takes him and has less than {@link ROOM_SHARE} of the room's participants; else to the freest of the shards that have none
 * of the room; else, where the room is everywhere, to the shard that has the fewest of it.
 *
 * So a room stays together while it fits, since each further shard costs a copy of every publication that is shown there. It
 * does not wait until its home is busy: a thousand people who join within a second are no load before they have joined. A
 * room that has all the participants that a room may have sends the next one to its home, which tells him so.
 */
import { LIMITS } from "../core/index.ts";

/**
 * Participants of one room that a shard takes before the next shard gets some. By what a forwarded packet costs
 * (docs/benchmarks.md), as many viewers of one camera at 200 packets a second take half a core.
 */
export const ROOM_SHARE = 200;

/** A shard as a place for rooms. */
interface Place {
  /** It takes commands. */
  serves: boolean;
  /** It has more work than it can do: nobody else may come. */
  overloaded: boolean;
  /** Its participants, and those whose join is under way. */
  participants: number;
}

/** A room with somebody in it, or on the way into it. */
interface PlacedRoom {
  readonly name: string;
  readonly home: number;
  /** Participants by shard, in the order in which the shards got some; the home stands first and may have none. */
  readonly members: Map<number, number>;
}

/** A participant's place; {@link giveBack} ends it. */
export interface Ticket {
  readonly shard: number;
  readonly room: PlacedRoom;
}

/** Shards and the rooms on them, plain data without a clock; make it with {@link createPlacement}. */
export interface Placement {
  readonly places: readonly Place[];
  /** The rooms that there are, by name. */
  readonly rooms: Map<string, PlacedRoom>;
  readonly roomShare: number;
}

/** Why there is no place for a participant now. */
export type NoPlace = "shard-failed" | "overloaded";

/** So many shards that serve, and no rooms. */
export function createPlacement(shards: number, roomShare: number = ROOM_SHARE): Placement {
  return {
    places: Array.from({ length: shards }, () => ({ serves: true, overloaded: false, participants: 0 })),
    rooms: new Map(),
    roomShare,
  };
}

/** Finds a place for one participant more in a room, and counts him in. */
export function placeInRoom(placement: Placement, name: string): Ticket | NoPlace {
  const { places, rooms } = placement;
  const known = rooms.get(name);
  const found = known === undefined ? freest(places, [...places.keys()]) : shardFor(placement, known);
  // A shard that is full refuses by itself, and says that it is.
  const shard = found < 0 ? places.findIndex(({ serves, overloaded }) => serves && !overloaded) : found;
  if (shard < 0) return places.some(({ serves }) => serves) ? "overloaded" : "shard-failed";
  const room = known ?? { name, home: shard, members: new Map([[shard, 0]]) };
  places[shard]!.participants += 1;
  room.members.set(shard, (room.members.get(shard) ?? 0) + 1);
  rooms.set(name, room);
  return { shard, room };
}

/** A participant has left, or did not come in. To be called once for each ticket. */
export function giveBack(placement: Placement, { shard, room }: Ticket): void {
  placement.places[shard]!.participants -= 1;
  const left = (room.members.get(shard) ?? 0) - 1;
  if (left > 0 || shard === room.home) room.members.set(shard, left);
  else room.members.delete(shard);
  if (roomSize(room) > 0) return;
  // The home may have been lost, and the name may stand for another room by now.
  if (placement.rooms.get(room.name) === room) placement.rooms.delete(room.name);
}

/** A shard is gone, and with it the rooms that had their home there; nothing is placed there until {@link shardServes}. */
export function shardIsLost(placement: Placement, shard: number): void {
  Object.assign(placement.places[shard]!, { serves: false, overloaded: false });
  for (const [name, { home }] of placement.rooms) if (home === shard) placement.rooms.delete(name);
}

/** A shard takes commands, with no rooms. */
export function shardServes(placement: Placement, shard: number): void {
  placement.places[shard]!.serves = true;
}

/** How many rooms have participants on more than one shard. */
export function roomsSpilledOver({ rooms }: Placement): number {
  let count = 0;
  for (const { members } of rooms.values()) if (members.size > 1) count += 1;
  return count;
}

function shardFor({ places, roomShare }: Placement, room: PlacedRoom): number {
  if (roomSize(room) >= LIMITS.participantsPerRoomMax) return room.home;
  for (const [shard, count] of room.members) if (count < roomShare && takes(places[shard]!)) return shard;
  const others = [...places.keys()].filter((shard) => !room.members.has(shard));
  const other = freest(places, others);
  if (other >= 0) return other;
  let best = -1;
  for (const [shard, count] of room.members) {
    if (takes(places[shard]!) && (best < 0 || count < room.members.get(best)!)) best = shard;
  }
  return best;
}

/** The one of these shards that carries the fewest participants among those that take somebody; -1 when none does. */
function freest(places: readonly Place[], shards: readonly number[]): number {
  let best = -1;
  for (const shard of shards) {
    const place = places[shard]!;
    if (takes(place) && (best < 0 || place.participants < places[best]!.participants)) best = shard;
  }
  return best;
}

function takes({ serves, overloaded, participants }: Place): boolean {
  return serves && !overloaded && participants < LIMITS.participantsPerShardMax;
}

function roomSize({ members }: PlacedRoom): number {
  let size = 0;
  for (const count of members.values()) size += count;
  return size;
}
