/**
 * The plan of a run: plain JSON that, with a seed, decides everything.
 *
 * A scenario file compiles to a plan (./scenario.ts); a journal or a shrunk world could carry one. Times are whole
 * microseconds; those of steps count from the moment at which everyone who joins at the start is connected.
 */
import { type Knobs, LockstepError, tunablesTrouble, VIDEO_PARTS } from "../../core/index.ts";
import type { DecisionPlan } from "../base/decisions.ts";
import type { Ppm } from "../base/random.ts";
import type { ClientMediaPlan } from "../client/client-media.ts";
import type { Habit } from "../client/misbehaviour.ts";
import type { VideoCodec } from "../client/payload.ts";
import type { LinkPlan } from "../link/index.ts";
import type { GarbageKind } from "../world/garbage.ts";
import type { ShardsPlan } from "../world/shards.ts";
import type { SignallingPlan } from "../world/signalling.ts";
import { checkSites } from "../world/sites.ts";

/** A camera of the plan. */
export type CameraKind = "vp8" | "vp8-simulcast" | "vp9" | "h264";

/** Cameras by kind: sizes and bit rates as browsers choose them for a small call, thinned out to keep runs short. */
export const CAMERAS: Readonly<Record<CameraKind, Omit<NonNullable<ClientMediaPlan["camera"]>, "source">>> = {
  vp8: oneLayer("VP8"),
  vp9: oneLayer("VP9"),
  h264: oneLayer("H264"),
  "vp8-simulcast": {
    codec: "VP8",
    framesPerSecond: 20,
    layers: [
      { rid: "q", width: 320, height: 180, rateBps: 80_000 },
      { rid: "h", width: 640, height: 360, rateBps: 200_000 },
      { rid: "f", width: 1_280, height: 720, rateBps: 500_000 },
    ],
  },
};

function oneLayer(codec: VideoCodec) {
  return { codec, framesPerSecond: 20, layers: [{ rid: "", width: 640, height: 360, rateBps: 250_000 }] };
}

/** Somebody in the plan. */
export interface PeerPlan {
  readonly name: string;
  readonly room: string;
  readonly camera: CameraKind | null;
  /** Loudness in -dBov, or null for no microphone. */
  readonly microphone: number | null;
  readonly audioSlots: number;
  readonly videoSlots: number;
  readonly up: LinkPlan;
  readonly down: LinkPlan;
  /** Whether the peer joins when the world begins; otherwise a step lets it join. */
  readonly atStart: boolean;
  readonly nearWrap: boolean;
  readonly impostor: boolean;
  /** How the peer's clients are made; see ../client/client.ts. */
  readonly persona?: "chromium" | "thin";
  /** Whose keys, SSRCs and credentials the peer's clients have, if not their own. */
  readonly likeness?: string;
  /** The page makes a new connection when the server has not answered for so long; never, when this is missing. */
  readonly rejoinAfterMicros?: number;
  /** The place of the shard that the peer joins; when it is missing, peers take shards in turn. */
  readonly shard?: number;
}

/**
 * Where a peer moves: another address and port, another port only, an address of the other IP, or a second address that it
 * uses beside the first.
 */
export type MovePlan = "address" | "port" | "ipv4" | "ipv6" | "beside";

/** One thing that happens. */
export type Operation =
  | { readonly type: "join" | "leave" | "kill"; readonly peer: string }
  /** The page makes a new connection in place of the one that it has, and stays who it is. */
  | { readonly type: "reconnect"; readonly peer: string }
  /** Goes and comes back so often, one time after the other. */
  | { readonly type: "rejoin"; readonly peer: string; readonly times: number; readonly everyMicros: number }
  | { readonly type: "move"; readonly peer: string; readonly to: MovePlan; readonly noticed: boolean }
  /** The peer gets the address that `from` has given up or has died at. */
  | { readonly type: "inherit"; readonly peer: string; readonly from: string }
  /** The peer's device stands still; what comes and what it would send waits. */
  | { readonly type: "stall"; readonly peer: string; readonly forMicros: number }
  /** The peer's client has a bad habit for a while; see ../client/misbehaviour.ts. */
  | { readonly type: "misbehave"; readonly peer: string; readonly habit: Habit; readonly forMicros: number }
  /** The peer's wall clock is set by so much, and drifts from now on. */
  | { readonly type: "clock"; readonly peer: string; readonly stepMicros: number; readonly driftPpm: number }
  | ({ readonly type: "signalling"; readonly peer: string } & SignallingPlan)
  | { readonly type: "mute" | "unmute"; readonly peer: string; readonly source: "camera" | "microphone" }
  | { readonly type: "link"; readonly peer: string; readonly up: Partial<LinkPlan>; readonly down: Partial<LinkPlan> }
  | {
      readonly type: "garbage";
      readonly kind: GarbageKind;
      readonly perSecond: number;
      readonly forMicros: number;
    }
  /** Goes on from a snapshot of itself. */
  | { readonly type: "restart" }
  /** Dies with all that it knew; another process begins after a while. */
  | { readonly type: "crash"; readonly forMicros: number }
  /** The shard in this place dies with all that it knew; a fresh one takes its place at once. */
  | { readonly type: "crash-shard"; readonly place: number }
  /** Half of these links are clogged one by one, and unclogged in another order. */
  | { readonly type: "swizzle"; readonly peers: readonly string[]; readonly overMicros: number }
  /** The server's process stands still; what comes meanwhile waits. */
  | { readonly type: "pause"; readonly forMicros: number }
  /** The server leaves out so many {@link VIDEO_PARTS} of the video for want of time; 0 ends it. */
  | { readonly type: "overload"; readonly parts: number }
  /** From now on these sites fail with this probability; see ../world/sites.ts. */
  | { readonly type: "buggify"; readonly sites: readonly string[]; readonly sharePpm: Ppm };

/** An operation with its time and a sentence. */
export interface StepPlan {
  readonly atMicros: number;
  readonly label: string;
  readonly operation: Operation;
}

/** What a story promises for all of its time. `source` is `peer/camera` or `peer/microphone`. */
export type AlwaysPromise =
  /** Once it is shown, no picture (or sound) of it stands still for longer. */
  { readonly kind: "freezes"; readonly viewer: string; readonly source: string; readonly shorterThanMicros: number };

/** What a story promises for its end. */
export type FinallyPromise =
  /** The viewer is shown the source, for the first time within `withinMicros` of both being there, and still at the end. */
  | { readonly kind: "plays"; readonly viewer: string; readonly source: string; readonly withinMicros: number }
  /** The server lets the peer go, for this reason. */
  | { readonly kind: "departs"; readonly peer: string; readonly reason: string }
  /** Nobody sees the peer leave: from its first join to the end of the story it is one participant. */
  | { readonly kind: "stays"; readonly peer: string };

/** What the story itself promises, beyond the promises that hold in every story. */
export type StoryPromise = AlwaysPromise | FinallyPromise;

/** A committed seed and why it is there. */
export interface SeedPlan {
  readonly seed: number;
  readonly why: string;
}

/** From some time on, to the end of the story, nothing befalls these peers and the server: they are owed quality. */
export interface SteadyPlan {
  readonly fromMicros: number;
  readonly among: readonly string[];
}

/** What is further apart than this keeps its order, whatever a plan says. */
const SWAPS_WITHIN_MICROS_MAX = 1_000;

/** All that a run needs besides its seed. */
export interface Plan {
  readonly name: string;
  /** What a user of the call would say. */
  readonly story: string;
  readonly seeds: readonly SeedPlan[];
  readonly cipher: "real" | "checksum";
  /** How the mailboxes of the shard are served: oldest first, or in an order that the seed picks. */
  readonly scheduler: "fifo" | "seeded";
  /** The shards of the server; when it is missing there is one. */
  readonly shards?: ShardsPlan;
  /** Tunables of the server's shards that are not as usual. */
  readonly knobs?: Knobs;
  /** Whether the server's own counters, and the rollover counters of both ends, begin shortly before they wrap. */
  readonly serverNearWrap?: boolean;
  /** Timers of the server fire up to this much late. */
  readonly timerLateMicros: number;
  /**
   * What comes over different ways within so long of each other may change places, as the seed decides: 0 for what is
   * simultaneous. When it is missing, all is in the order of its making.
   */
  readonly swapsWithinMicros?: number;
  readonly runForMicros: number;
  readonly peers: readonly PeerPlan[];
  readonly steps: readonly StepPlan[];
  readonly always: readonly AlwaysPromise[];
  readonly finally: readonly FinallyPromise[];
  readonly steady?: SteadyPlan;
  /** What the server's clock showed at the beginning; 2026-01-01 when this is missing. */
  readonly wallMicros?: number;
  /** Answers of chance that are fixed; a shrunk world names the few accidents that it needs. */
  readonly decisions?: readonly DecisionPlan[];
  /** From this time of the story on, all chance is drawn from another seed: a fork of the world without it. */
  readonly turn?: { readonly atMicros: number; readonly seed: number };
}

/** Judges a plan: throws "bad-config" with one sentence when it makes no sense. */
export function checkPlan(plan: Plan): void {
  const refuse = (sentence: string): never => {
    throw new LockstepError("bad-config", `The story "${plan.name}" ${sentence}`);
  };
  const names = new Set(plan.peers.map((peer) => peer.name));
  if (plan.name.trim() === "") refuse("has no name.");
  if (plan.seeds.length === 0) refuse("names no seed: write down at least one, with its reason.");
  if (names.size !== plan.peers.length) refuse("has two peers of the same name.");
  if (names.size === 0) refuse("has no peers.");
  const known = (name: string) => names.has(name) || refuse(`speaks of "${name}", who is not among its peers.`);
  const shards = plan.shards?.count ?? 1;
  const hasShard = (place: number) => place < shards || refuse(`speaks of shard ${place}, but has only ${shards}.`);
  if (shards > 1 && plan.steps.some(({ operation }) => operation.type === "crash")) {
    refuse("crashes a server of several shards as a whole: let them die one by one.");
  }
  const swaps = plan.swapsWithinMicros ?? 0;
  if (swaps < 0 || swaps > SWAPS_WITHIN_MICROS_MAX) {
    refuse(
      `lets change places what is ${swaps} µs apart: ${SWAPS_WITHIN_MICROS_MAX} µs at most, for jitter is a trait of links.`,
    );
  }
  if (shards < 1) refuse("has no shard: a server has one at least.");
  const trouble = tunablesTrouble(plan.knobs ?? {});
  if (trouble !== "") refuse(`turns a knob wrongly. ${trouble}`);
  for (const peer of plan.peers) hasShard(peer.shard ?? 0);
  for (const step of plan.steps) {
    if (step.atMicros < 0 || step.atMicros > plan.runForMicros)
      refuse(`has the step "${step.label}" outside its time.`);
    if ("peer" in step.operation) known(step.operation.peer);
    if (step.operation.type === "inherit") known(step.operation.from);
    if (step.operation.type === "swizzle") for (const peer of step.operation.peers) known(peer);
    if (step.operation.type === "buggify") checkSites(step.operation.sites);
    if (step.operation.type === "crash-shard") hasShard(step.operation.place);
    if (step.operation.type === "overload" && step.operation.parts > VIDEO_PARTS) {
      refuse(`leaves out ${step.operation.parts} parts of the video in "${step.label}"; there are ${VIDEO_PARTS}.`);
    }
  }
  for (const name of plan.steady?.among ?? []) known(name);
  const disturbs = ({ atMicros, operation }: StepPlan, { fromMicros, among }: SteadyPlan) =>
    atMicros >= fromMicros && befalls(operation, among);
  const { steady } = plan;
  const disturbing = steady === undefined ? undefined : plan.steps.find((step) => disturbs(step, steady));
  if (disturbing !== undefined) refuse(`has the step "${disturbing.label}" in its steady time.`);
  if (steady !== undefined && steady.fromMicros >= plan.runForMicros) refuse("ends before its steady time begins.");
  for (const promise of [...plan.always, ...plan.finally]) {
    if ("peer" in promise) known(promise.peer);
    else {
      known(promise.viewer);
      const [peer, source] = promise.source.split("/");
      known(peer ?? "");
      const owner = plan.peers.find((candidate) => candidate.name === peer);
      const exists =
        source === "camera" ? owner?.camera !== null : source === "microphone" && owner?.microphone !== null;
      if (!exists) refuse(`speaks of "${promise.source}", which nobody has.`);
    }
  }
  for (const value of wholeNumbers(plan)) if (!Number.isSafeInteger(value)) refuse(`holds ${value}, no whole number.`);
}

/** Whether an operation touches one of these peers: it is done to him, or to more than a single one, such as the server. */
export function befalls(operation: Operation, names: readonly string[]): boolean {
  return !("peer" in operation) || names.includes(operation.peer);
}

function wholeNumbers(value: unknown): number[] {
  if (typeof value === "number") return [value];
  if (value === null || typeof value !== "object") return [];
  return Object.values(value).flatMap(wholeNumbers);
}
