/**
 * The numbers that a shard's peers have among each other, and by which their key handles are numbered
 * (core/crypto/handles.ts): small, no two of the living alike, and found without looking at anybody.
 */
import { must } from "../base/assert.ts";

/** Which numbers are free: those that were given back, and all from `next` on. */
export interface PeerIndexes {
  next: number;
  /** The one that was given back last is taken first. */
  free: number[];
}

/** All numbers are free. */
export function createPeerIndexes(): PeerIndexes {
  return { next: 0, free: [] };
}

/** Takes a number. */
export function takePeerIndex(indexes: PeerIndexes): number {
  return indexes.free.length === 0 ? indexes.next++ : must(indexes.free.pop(), "a number is free");
}

/** Gives a number back. When all have been, nothing is left that tells of them. */
export function returnPeerIndex(indexes: PeerIndexes, index: number): void {
  indexes.free.push(index);
  if (indexes.free.length < indexes.next) return;
  indexes.next = 0;
  indexes.free = [];
}
