/**
 * Numbers that mean the same on every shard of a server.
 *
 * Participants and publications are spoken of across shards, so the upper part of their numbers is the number of the shard
 * on which they live, and whoever knows a number knows where to send mail. Shards are numbered by their host and no number
 * is ever given out again: a shard that takes the place of a crashed one is another shard, and nothing can point at the
 * dead one by mistake. On shard 0 the numbers are 1, 2, 3, …, as if there were no others.
 */

const IDS_PER_SHARD = 0x1_0000_0000;

/** The first number that a shard gives out. */
export function firstId(shard: number): number {
  return shard * IDS_PER_SHARD + 1;
}

/** The number of the shard that has given this number out. */
export function shardOf(id: number): number {
  return Math.floor(id / IDS_PER_SHARD);
}
