/**
 * Which shard a room lives on.
 *
 * A room is placed when its first participant comes: on the shard that carries the fewest participants, the first of them
 * when several do. It stays there until the last one has left, so everybody in a room meets on one shard and rooms know
 * nothing of shards. A shard that is starting anew, or has more work than it can do, gets no rooms while there is another;
 * whoever wants to come into a room that lives there is asked to come back later.
 *
 * Plain data and functions, without a clock: the control plane (control.ts) tells what has happened.
 */

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
  readonly shard: number;
  participants: number;
}

/** Shards and the rooms on them; make it with {@link createPlacement}. */
export interface Placement {
  readonly places: readonly Place[];
  readonly rooms: Map<string, PlacedRoom>;
}

/** Why there is no place for a participant now. */
export type NoPlace = "shard-failed" | "overloaded";

/** So many shards that serve, and no rooms. */
export function createPlacement(shards: number): Placement {
  return {
    places: Array.from({ length: shards }, () => ({ serves: true, overloaded: false, participants: 0 })),
    rooms: new Map(),
  };
}

/** Finds a place for one participant more in a room, and counts him in; {@link removeFromRoom} takes him out again. */
export function placeInRoom(placement: Placement, room: string): number | NoPlace {
  const placed = placement.rooms.get(room);
  const shard = placed?.shard ?? freestShard(placement);
  const place = placement.places[shard];
  if (!place?.serves) return "shard-failed";
  if (place.overloaded) return "overloaded";
  place.participants += 1;
  if (placed === undefined) placement.rooms.set(room, { shard, participants: 1 });
  else placed.participants += 1;
  return shard;
}

/** A participant of a room on this shard has left, or did not come in. */
export function removeFromRoom(placement: Placement, room: string, shard: number): void {
  const placed = placement.rooms.get(room);
  // A shard that was lost took its rooms with it, and the name may stand for another room by now.
  if (placed?.shard !== shard) return;
  placement.places[shard]!.participants -= 1;
  placed.participants -= 1;
  if (placed.participants === 0) placement.rooms.delete(room);
}

/** A shard is gone with its rooms; nothing is placed there until {@link shardServes}. */
export function shardIsLost(placement: Placement, shard: number): void {
  Object.assign(placement.places[shard]!, { serves: false, overloaded: false, participants: 0 });
  for (const [room, placed] of placement.rooms) if (placed.shard === shard) placement.rooms.delete(room);
}

/** A shard takes commands, with no rooms. */
export function shardServes(placement: Placement, shard: number): void {
  placement.places[shard]!.serves = true;
}

/** The serving shard with the fewest participants, rather one that is not overloaded; -1 when none serves. */
function freestShard({ places }: Placement): number {
  let best = -1;
  for (const [shard, place] of places.entries()) {
    if (place.serves && (best < 0 || weight(place) < weight(places[best]!))) best = shard;
  }
  return best;
}

function weight({ overloaded, participants }: Place): number {
  return participants + (overloaded ? Number.MAX_SAFE_INTEGER / 2 : 0);
}
