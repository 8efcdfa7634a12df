/**
 * The words that stories are written in: twenty verbs, all of which make data.
 *
 * A story is an object without closures, so it can be printed, generated, shrunk and replayed. `scenario` fills in what
 * the story leaves out and answers the plan that a run needs.
 */
import type { Knobs } from "../../core/index.ts";
import type { DecisionPlan } from "../base/decisions.ts";
import type { Ppm } from "../base/random.ts";
import type { Habit } from "../client/misbehaviour.ts";
import type { ProfileName } from "../profiles/profiles.ts";
import type { GarbageKind } from "../world/garbage.ts";
import { ONE_SHARD, type ShardsPlan } from "../world/shards.ts";
import { LINK_DEFAULTS, type LinkOptions, type Links, linkChange, roamingOf } from "./link-options.ts";
import { type Persona, personaSteps } from "./personas.ts";
import {
  type AlwaysPromise,
  type CameraKind,
  checkPlan,
  type FinallyPromise,
  type Operation,
  type Plan,
  type StepPlan,
} from "./plan.ts";
import { type RoamingPlan, roamingSteps } from "./roaming.ts";

export { kbps, ms, percent, seconds } from "./units.ts";

/** Somebody in a story. */
export interface PeerOptions {
  /** Rooms are worlds of their own. Default "lounge". */
  readonly room?: string;
  readonly sends?: {
    readonly camera?: CameraKind;
    /** `true`, or how loud: -dBov, 0 (loudest) to 127. */
    readonly microphone?: true | number;
  };
  /** How many slots there are, or the sources by name (then there is a slot for each). */
  readonly receives?: { readonly audio?: number; readonly video?: number } | readonly string[];
  readonly link?: Links;
  /** Whether a step lets the peer join. Default: it is there from the start. */
  readonly joinsLater?: boolean;
  /** Whether sequence numbers, timestamps and picture ids start shortly before they wrap. */
  readonly nearWrap?: boolean;
  /** The shard that the peer joins, counted from 0. Default: peers take shards in turn. */
  readonly shard?: number;
  /** Whether the offer names another certificate than the one shown. */
  readonly impostor?: boolean;
  /**
   * How the peer is: made as Chromium is, thin (without header extensions and RTX), mobile (it sleeps now and then), or of
   * one bad habit after the other.
   */
  readonly persona?: Persona;
  /** Whose keys, SSRCs and credentials this peer has, as if somebody had copied a profile. */
  readonly likeness?: string;
  /**
   * The page makes a new connection when the server has not answered for so long, and joins anew when the server does not know
   * it any more. Default: never.
   */
  readonly rejoinsAfter?: number;
}

/** A story as it is written down. */
export interface Scenario {
  readonly name: string;
  /** What a user of the call would say. */
  readonly story: string;
  /** Each committed seed with the reason why it is there. */
  readonly seeds: Readonly<Record<number, string>>;
  readonly peers: Readonly<Record<string, PeerOptions>>;
  readonly timeline?: readonly StoryStep[];
  /** Microseconds; see `seconds`. */
  readonly runFor: number;
  /** What holds all along. */
  readonly always?: readonly AlwaysPromise[];
  /** What holds when the story is over. */
  readonly finally?: readonly FinallyPromise[];
  /** Default "checksum": the fast stand-in for AES. */
  readonly cipher?: "real" | "checksum";
  /** Default "seeded". */
  readonly scheduler?: "fifo" | "seeded";
  /** What the server's clock shows at the beginning, in microseconds since 1970. */
  readonly wallClock?: number;
  /** The shards of the server and the ways between them. Default: one shard. */
  readonly shards?: ShardsOptions;
  /** Tunables of the server (core/tunables.ts) that are not as usual: `{ nackTriesMax: 1, reportMicros: ms(250) }`. */
  readonly knobs?: Knobs;
  /** Whether the server's own counters, and the rollover counters of both ends, begin shortly before they wrap. */
  readonly serverNearWrap?: boolean;
  /** Timers of the server fire up to this much late. Default 0. */
  readonly timersLateBy?: number;
  /** What comes over different ways within so many microseconds may change places, 0 to 1,000. Default: nothing does. */
  readonly swapsWithin?: number;
  /** From this time on nothing befalls these people, nor the server: they are owed quality. Default: nobody is. */
  readonly steady?: { readonly from: number; readonly among: readonly string[] };
  /** Accidents that chance has no say in; see `only`. */
  readonly chance?: readonly DecisionPlan[];
  /** From this time on (see `seconds`), chance is drawn from another seed. */
  readonly chanceTurns?: { readonly at: number; readonly seed: number };
}

/** Shards in a story; times are microseconds. What is not said is 0. */
export interface ShardsOptions {
  readonly count: number;
  readonly delay?: number;
  readonly jitter?: number;
  /** How long records wait for others that go the same way. */
  readonly batch?: number;
  /** Of packets; mail between shards is never lost. */
  readonly loss?: Ppm;
}

/** An operation as stories write it: a new link may bring roaming with it, which becomes steps of its own. */
export type StoryOperation = Operation & { readonly roaming?: RoamingPlan | null };

/** A step as stories write it. */
export type StoryStep = Omit<StepPlan, "operation"> & { readonly operation: StoryOperation };

/** Compiles a story into a plan; throws "bad-config" with a sentence when it makes no sense. */
export function scenario(story: Scenario): Plan {
  const plan: Plan = {
    name: story.name,
    story: story.story,
    seeds: Object.entries(story.seeds).map(([seed, why]) => ({ seed: Number(seed), why })),
    cipher: story.cipher ?? "checksum",
    scheduler: story.scheduler ?? "seeded",
    timerLateMicros: story.timersLateBy ?? 0,
    runForMicros: story.runFor,
    peers: Object.entries(story.peers).map(([name, options]) => compilePeer(name, options)),
    steps: compileSteps(story),
    always: story.always ?? [],
    finally: story.finally ?? [],
    ...(story.serverNearWrap === true ? { serverNearWrap: true } : {}),
    ...(story.swapsWithin === undefined ? {} : { swapsWithinMicros: story.swapsWithin }),
    ...(story.wallClock === undefined ? {} : { wallMicros: story.wallClock }),
    ...(story.chance === undefined ? {} : { decisions: story.chance }),
    ...(story.chanceTurns === undefined
      ? {}
      : { turn: { atMicros: story.chanceTurns.at, seed: story.chanceTurns.seed } }),
    ...(story.steady === undefined ? {} : { steady: { fromMicros: story.steady.from, among: story.steady.among } }),
    ...(story.shards === undefined ? {} : { shards: compileShards(story.shards) }),
    ...(story.knobs === undefined ? {} : { knobs: story.knobs }),
  };
  checkPlan(plan);
  return plan;
}

/** The timeline, and what roaming adds to it. */
function compileSteps(story: Scenario): StepPlan[] {
  const steps = (story.timeline ?? []).map(({ operation: { roaming, ...operation }, ...step }) => ({
    ...step,
    operation,
  }));
  const added: StepPlan[] = [];
  const firstSeed = Number(Object.keys(story.seeds)[0] ?? 0);
  for (const [name, { link: options }] of Object.entries(story.peers)) {
    const changes = (story.timeline ?? [])
      .filter(({ operation }) => "peer" in operation && operation.peer === name && operation.roaming !== undefined)
      .map(({ atMicros, operation }) => ({ atMicros, roaming: operation.roaming ?? null }));
    const links = [{ atMicros: 0, roaming: roamingOf(options ?? {}) ?? null }, ...changes];
    links.forEach(({ atMicros, roaming }, index) => {
      const until = links[index + 1]?.atMicros ?? story.runFor;
      if (roaming !== null) added.push(...roamingSteps(roaming, firstSeed, name, atMicros, until));
    });
    added.push(...personaSteps(story.peers[name]?.persona, firstSeed, name, story.runFor));
  }
  return added.length === 0 ? steps : [...steps, ...added].sort((a, b) => a.atMicros - b.atMicros);
}

function compilePeer(name: string, options: PeerOptions): Plan["peers"][number] {
  const change = linkChange(options.link ?? {});
  const microphone = options.sends?.microphone;
  const slots = countSlots(options.receives ?? {});
  return {
    name,
    room: options.room ?? "lounge",
    camera: options.sends?.camera ?? null,
    microphone: microphone === undefined ? null : microphone === true ? 30 : microphone,
    audioSlots: slots.audio,
    videoSlots: slots.video,
    up: { ...LINK_DEFAULTS, ...change.up },
    down: { ...LINK_DEFAULTS, ...change.down },
    atStart: options.joinsLater !== true,
    nearWrap: options.nearWrap === true,
    impostor: options.impostor === true,
    ...(options.persona === "chromium" || options.persona === "thin" ? { persona: options.persona } : {}),
    ...(options.likeness === undefined ? {} : { likeness: options.likeness }),
    ...(options.rejoinsAfter === undefined ? {} : { rejoinAfterMicros: options.rejoinsAfter }),
    ...(options.shard === undefined ? {} : { shard: options.shard }),
  };
}

function compileShards({ count, delay = 0, jitter = 0, batch = 0, loss }: ShardsOptions): ShardsPlan {
  const times = { delayMicros: delay, jitterMicros: jitter, batchMicros: batch };
  return { ...ONE_SHARD, count, ...times, ...(loss === undefined ? {} : { lossPpm: loss }) };
}

function countSlots(receives: NonNullable<PeerOptions["receives"]>): { audio: number; video: number } {
  if (!isList(receives)) return { audio: receives.audio ?? 0, video: receives.video ?? 0 };
  const video = receives.filter((source) => source.endsWith("/camera")).length;
  return { audio: receives.length - video, video };
}

function isList(receives: NonNullable<PeerOptions["receives"]>): receives is readonly string[] {
  return Array.isArray(receives);
}

/** A step: at this time (microseconds after everyone is connected), in these words, this happens. */
export function at(atMicros: number, label: string, operation: StoryOperation): StoryStep {
  return { atMicros, label, operation };
}

/** Changes the link of a peer; what is not named stays as it is, but a profile names everything. */
export function link(peer: string, links: Links): StoryOperation {
  const operation: Operation = { type: "link", peer, ...linkChange(links) };
  const roaming = roamingOf(links);
  return roaming === undefined ? operation : { ...operation, roaming };
}

/** The link that people on this access network have, but for what is said otherwise: `profile("lte", { loss: 0 })`. */
export function profile(name: ProfileName, overrides: Omit<LinkOptions, "profile"> = {}): LinkOptions {
  return { ...overrides, profile: name };
}

/** Nothing passes any more: in both directions, or in one. */
export function cut(peer: string, direction: "both" | "up" | "down" = "both"): Operation {
  return { type: "link", peer, ...linkChange({ cut: true, direction }) };
}

/** Everything passes again. */
export function heal(peer: string): Operation {
  return { type: "link", peer, ...linkChange({ cut: false }) };
}

/**
 * The peer asks to join; a peer that has left or was killed comes back as a new browser tab. With `times` it goes and comes
 * back so often, in a storm.
 */
export function join(peer: string, storm?: { readonly times: number; readonly every: number }): Operation {
  if (storm === undefined) return { type: "join", peer };
  return { type: "rejoin", peer, times: storm.times, everyMicros: storm.every };
}

/**
 * The peer's page makes a new connection and asks the server to take it in place of the one that it has, as it does when that
 * is lost. Where the server does not know it any more, it joins anew; a peer that is not there joins.
 */
export function reconnect(peer: string): Operation {
  return { type: "reconnect", peer };
}

/** The peer leaves as one should. */
export function leave(peer: string): Operation {
  return { type: "leave", peer };
}

/** The peer vanishes without a word. */
export function kill(peer: string): Operation {
  return { type: "kill", peer };
}

/**
 * The peer's address changes. `"rebinding"` and `"port"` are its NAT's doing, of which it knows nothing; another `"network"`,
 * one of the other IP, or a second one `"beside"` the first it notices.
 */
export function move(
  peer: string,
  how: "rebinding" | "port" | "network" | "ipv4" | "ipv6" | "beside" = "rebinding",
): Operation {
  const to = how === "rebinding" || how === "network" ? "address" : how;
  return { type: "move", peer, to, noticed: how !== "rebinding" && how !== "port" };
}

/** The peer gets the very address and port that another one has left behind. */
export function inherit(peer: string, from: string): Operation {
  return { type: "inherit", peer, from };
}

/** The peer's wall clock is set by so much, and runs too fast (or too slow) by so many millionths from now on. */
export function clock(peer: string, change: { readonly by?: number; readonly drift?: number }): Operation {
  return { type: "clock", peer, stepMicros: change.by ?? 0, driftPpm: change.drift ?? 0 };
}

/**
 * What befalls the peer's requests from now on: the shares that get lost, whose replies nobody hears, and that come twice;
 * and how much later they come at most.
 */
export function signalling(
  peer: string,
  trouble: { readonly lost?: Ppm; readonly unheard?: Ppm; readonly repeated?: Ppm; readonly late?: number },
): Operation {
  const { lost = 0, unheard = 0, repeated = 0, late = 0 } = trouble;
  return { type: "signalling", peer, lostPpm: lost, unheardPpm: unheard, repeatedPpm: repeated, delayMicros: late };
}

/** Half of these peers' links are clogged one by one, and unclogged in another order, within this time. */
export function swizzle(peers: readonly string[], overMicros: number): Operation {
  return { type: "swizzle", peers, overMicros };
}

/** The peer stops sending from a source. */
export function mute(peer: string, source: "camera" | "microphone"): Operation {
  return { type: "mute", peer, source };
}

/** The peer sends from the source again. */
export function unmute(peer: string, source: "camera" | "microphone"): Operation {
  return { type: "unmute", peer, source };
}

/** Strangers throw rubbish at the server's port, some of it under the addresses of peers; `kind` says what kind of it. */
export function garbage(options: { perSecond: number; duration: number; kind?: GarbageKind }): Operation {
  const { perSecond, duration, kind = "mixed" } = options;
  return { type: "garbage", kind, perSecond, forMicros: duration };
}

/** The peer's client has a bad habit for a while; see io-sim/client/misbehaviour.ts. */
export function misbehave(peer: string, habit: Habit, forMicros: number): Operation {
  return { type: "misbehave", peer, habit, forMicros };
}

/**
 * The server process is cut down between two inputs and goes on from a snapshot; or it crashes, and another one that knows
 * of nobody begins after this time.
 */
export function restart(crash?: { readonly after: number }): Operation {
  return crash === undefined ? { type: "restart" } : { type: "crash", forMicros: crash.after };
}

/** The shard in this place dies with all that it knew; a fresh one takes its place at once. */
export function crashShard(place: number): Operation {
  return { type: "crash-shard", place };
}

/** The server's process, or a peer's device, stands still for a while; what comes meanwhile waits. */
export function pause(forMicros: number, peer?: string): Operation {
  return peer === undefined ? { type: "pause", forMicros } : { type: "stall", peer, forMicros };
}

/** The server has more work than time: so many eighths of the video are left out from now on; 0 ends it. */
export function overload(parts: number): Operation {
  return { type: "overload", parts };
}

/** From now on these sites of the core or its host fail with this probability; 0 ends it. See io-sim/world/sites.ts. */
export function buggify(sites: readonly string[], share: Ppm): Operation {
  return { type: "buggify", sites, sharePpm: share };
}

/**
 * Of all accidents that chance could let happen at one place, only these do: `only("link/loss", "ana/up", [17])` loses the
 * eighteenth packet that ana's uplink could lose, and no other.
 */
export function only(site: string, entity: string, ordinals: readonly number[]): DecisionPlan {
  return { site, entity, answers: ordinals.map((ordinal) => [ordinal, 1] as const), others: 0 };
}

/** The viewer is shown (or hears) the source: soon after both are there, and still at the end of the story. */
export function plays(viewer: string, source: string, withinMicros = 3_000_000): FinallyPromise {
  return { kind: "plays", viewer, source, withinMicros };
}

/** How long what the viewer sees (or hears) of the source may stand still. */
export function freezes(viewer: string, source: string): { shorterThan(micros: number): AlwaysPromise } {
  return {
    shorterThan: (shorterThanMicros) => ({ kind: "freezes", viewer, source, shorterThanMicros }),
  };
}

/** Nobody sees the peer leave: from its first join to the end of the story it is one participant. */
export function stays(peer: string): FinallyPromise {
  return { kind: "stays", peer };
}

/** The server lets the peer go, for this reason. */
export function departs(peer: string, reason: string): FinallyPromise {
  return { kind: "departs", peer, reason };
}
