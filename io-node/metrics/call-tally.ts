/**
 * What has become of joins and calls since the server began, counted for the metrics (./metrics.ts): how many were let in, how
 * long their connections took, which were refused and why, and how each participant's time ended.
 */
import type { LeaveReason, RefusalCode } from "../../core/index.ts";

/** Why a join or a reconnect may be refused; the first two before a shard hears of it. */
export type JoinRefusal = "not-sdp" | "too-long" | RefusalCode;

/** Counts since the start. */
export interface CallTally {
  joined: number;
  reconnecting: number;
  connected: number;
  /** From each offer to its connection, all together. */
  connectMicros: number;
  readonly refused: Map<JoinRefusal, number>;
  readonly left: Map<LeaveReason, number>;
}

const REFUSALS = {
  "bad-room-name": 0,
  "bad-sdp": 0,
  draining: 0,
  "not-found": 0,
  "not-sdp": 0,
  overloaded: 0,
  "room-full": 0,
  "shard-failed": 0,
  "shard-full": 0,
  "stale-connection": 0,
  "too-long": 0,
} satisfies Record<JoinRefusal, 0>;

const ENDS = {
  "closed-by-peer": 0,
  "connect-timeout": 0,
  "consent-expired": 0,
  drained: 0,
  "dtls-failed": 0,
  left: 0,
  "room-full": 0,
  "shard-failed": 0,
  "shard-lost": 0,
} satisfies Record<LeaveReason, 0>;

/** Nobody has come. All reasons are there with zero: a graph can only show a first time that rises from something. */
export function createCallTally(): CallTally {
  const refused = new Map(Object.entries(REFUSALS) as [JoinRefusal, number][]);
  const left = new Map(Object.entries(ENDS) as [LeaveReason, number][]);
  return { joined: 0, reconnecting: 0, connected: 0, connectMicros: 0, refused, left };
}

/** Counts one for a reason. */
export function tallyOne<Reason>(counts: Map<Reason, number>, reason: Reason): void {
  counts.set(reason, (counts.get(reason) ?? 0) + 1);
}
