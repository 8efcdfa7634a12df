/**
 * A run as data: what crossed the wires, what was said, what viewers saw, and what was promised, on one axis of time.
 *
 * ./recorder.ts watches a run and ./assembly.ts puts its records together; the exports are written from a trace alone.
 * Everything in it is bounded, and what did not fit is counted.
 */
import type { PromiseId } from "../oracles/promises.ts";
import type { TraceRow } from "../world/rows.ts";
import type { Verdict } from "../world/run.ts";
import type { TracedMessage } from "./messages.ts";
import type { TracedPacket } from "./packets.ts";
import type { Strip } from "./strips.ts";
import type { TraceTicks } from "./ticks.ts";

/** What became of one promise. */
export interface TracedPromise {
  readonly promise: PromiseId;
  readonly sentence: string;
  readonly judged: number;
  readonly broken: boolean;
}

/** How many packets one direction of a link has dropped for one reason. */
export interface TracedDrops {
  readonly peer: string;
  readonly direction: "up" | "down";
  readonly reason: string;
  count: number;
}

/** A place that was made to fail, and how often. */
export interface TracedSite {
  readonly site: string;
  readonly reached: number;
  readonly fired: number;
}

/** Somebody in the call, and at which shard. */
export interface TracedPeer {
  readonly name: string;
  readonly room: string;
  readonly addresses: readonly string[];
  /** The place of the shard that takes him in. */
  readonly shard: number;
}

/** A shard as a trace calls it, and where it listens. */
export interface TracedShard {
  readonly name: string;
  readonly addresses: readonly string[];
}

/** A traced run. Times are microseconds of the loop; `zeroAt` is the story's time zero. */
export interface Trace {
  readonly story: string;
  /** What `lockstep replay` is told to find the story. */
  readonly replayName: string;
  readonly sentence: string;
  readonly seed: number;
  readonly verdict: "held" | "broken";
  readonly broken: Verdict["broken"];
  readonly fingerprint: string;
  readonly startsAt: number;
  readonly zeroAt: number;
  /** When the story was over, or broken, and when the run was. */
  readonly storyEndsAt: number;
  readonly endsAt: number;
  /** Microseconds since 1970 at `startsAt`. */
  readonly wallAtStart: number;
  readonly inputs: number;
  readonly peers: readonly TracedPeer[];
  /** The server, or its shards, by their places. A shard that dies leaves its place to the next. */
  readonly shards: readonly TracedShard[];
  readonly packets: readonly TracedPacket[];
  readonly messages: readonly TracedMessage[];
  readonly strips: readonly Strip[];
  /** What happened, in words. */
  readonly rows: readonly TraceRow[];
  readonly ticks: TraceTicks;
  readonly promises: readonly TracedPromise[];
  readonly drops: readonly TracedDrops[];
  /** The places that failed because the plan wanted it. */
  readonly sites: readonly TracedSite[];
  /** What did not fit into the trace. */
  readonly forgotten: { readonly packets: number; readonly messages: number; readonly rows: number };
}
