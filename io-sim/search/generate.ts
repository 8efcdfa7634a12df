/**
 * New worlds out of numbers: each number is one plan, the same on every machine and in every worker.
 *
 * A world is drawn by swarm: first a random half of all classes of faults (./fault-classes.ts) is left out, because a world
 * with a bit of everything hides what only many of one kind bring about. Then come rooms, peers, links and steps. Some
 * numbers are no fresh worlds: a mutation mixes an earlier world with its neighbour, and a fork is an earlier world up to a
 * moment, after which other things happen and chance is another. In half of the fresh worlds a quarter of the server's knobs
 * are turned, in a third some parts of it fail from the start, in a quarter it has more work than time, in a third everything
 * happens at once, before anything can come to rest, and who is made of one of these keeps that. In the end come
 * rest and promises (./settling.ts). In the realistic regime people have ordinary networks and habits, and quality is
 * promised too. The generators are fast-check's.
 */
import fc from "fast-check";
import { VIDEO_PARTS } from "../../core/index.ts";
import { below, createStream } from "../base/random.ts";
import { PROFILES, type ProfileName } from "../profiles/profiles.ts";
import type { LinkOptions } from "../story/link-options.ts";
import type { Persona } from "../story/personas.ts";
import type { CameraKind, Operation, Plan, StepPlan } from "../story/plan.ts";
import {
  at,
  garbage,
  mute,
  type PeerOptions,
  profile,
  type Scenario,
  type StoryStep,
  scenario,
  unmute,
} from "../story/scenario.ts";
import { ms, percent, seconds } from "../story/units.ts";
import { drawKnobs } from "../world/knobs.ts";
import { SITE_NAMES } from "../world/sites.ts";
import { canHappen, type Deed, FAULT_CLASSES, type FaultClass, SEVERAL_SHARDS } from "./fault-classes.ts";
import { failingFromStart, forget, overloaded, promising, SETTLE_MICROS, settled, turned } from "./settling.ts";

/** Torture runs faults at their extremes and judges safety, then recovery; realistic worlds owe quality as well. */
export type Regime = "torture" | "realistic";

const NAMES = ["ana", "bob", "eve", "dan", "mia", "tom", "zoe"] as const;
const ROOMS = ["lounge", "kitchen", "garden"] as const;
/** Twice the one with layers, between which there is most to be done wrong. */
const CAMERAS: readonly (CameraKind | null)[] = ["vp8", "vp8-simulcast", "vp8-simulcast", "vp9", "h264", null];

/** How many steps a world may have beside one of each class. */
const STEPS_MORE_MAX = 4;

/** How many early numbers are worlds of their own before others are made from them. */
const FRESH_FIRST = 6;

/**
 * The plan of this number, 0 or more; with `disturbsServer` false, that without any knobs turned, without parts of the server
 * that fail from the start, and with all the time that its steps take.
 */
export function generatePlan(number: number, regime: Regime, disturbsServer = true): Plan {
  const stream = createStream(number, "explore", regime);
  const seed = stream.next() | 0;
  if (regime === "realistic") return named(sample(ordinaryWorld(), seed), number);
  // Every fifth world is a mutation and every fifth a fork; their parents are fresh ones, so this goes no deeper.
  const kind = number < FRESH_FIRST ? 0 : number % 5;
  const fresh = (other: number) => generatePlan(freshNumber(other), regime, disturbsServer);
  if (kind < 3) {
    const world = swapping(sample(tortureWorld(), seed), number);
    const disturbed = disturbsServer ? turned(hasty(busy(world, number), number), drawKnobs(number)) : world;
    return named(disturbsServer ? failing(disturbed, number) : world, number);
  }
  const parent = fresh(below(stream, number));
  if (kind === 3) return named(sample(mutation(parent, fresh(number - 1)), seed), number);
  return named(sample(fork(parent), seed), number);
}

/** In half of all worlds nothing changes places, in the others what is simultaneous or up to so many microseconds apart. */
const SWAPS_WITHIN_MICROS = [0, 1, 100, 1_000] as const;

function swapping(plan: Plan, number: number): Plan {
  const drawn = below(createStream(number, "explore/swaps", "torture"), 2 * SWAPS_WITHIN_MICROS.length);
  const swapsWithinMicros = SWAPS_WITHIN_MICROS[drawn];
  return swapsWithinMicros === undefined ? plan : { ...plan, swapsWithinMicros };
}

/** One fresh world in so many has a server of which some parts fail from the start until everything heals. */
const FAILING_ONE_IN = 3;

/** Few of many sites fail in a world whose steps chose them: one that is seldom reached would hardly ever fire. */
const FAILING_SITES_MAX = 12;
const FAILING_SHARE_MAX = 40;

function failing(plan: Plan, number: number): Plan {
  const stream = createStream(number, "explore/failing", "torture");
  if (below(stream, FAILING_ONE_IN) !== 0) return plan;
  const sites = new Set<string>();
  for (let left = 1 + below(stream, FAILING_SITES_MAX); left > 0; left--) {
    sites.add(SITE_NAMES[below(stream, SITE_NAMES.length)]!);
  }
  return failingFromStart(plan, [...sites], percent(1 + below(stream, FAILING_SHARE_MAX)));
}

/** One fresh world in so many has a server that has more work than time. */
const BUSY_ONE_IN = 4;

function busy(plan: Plan, number: number): Plan {
  const stream = createStream(number, "explore/busy", "torture");
  if (below(stream, BUSY_ONE_IN) !== 0) return plan;
  const { healsAt } = forget(plan);
  const loads: StepPlan[] = [];
  for (let left = 1 + below(stream, 3); left > 0; left--) {
    const [label, operation] = load(below(stream, VIDEO_PARTS + 1));
    loads.push({ atMicros: below(stream, healsAt), label, operation });
  }
  return overloaded(plan, loads);
}

function load(parts: number): Deed {
  return [`the server leaves out ${parts} of ${VIDEO_PARTS} parts of the video`, { type: "overload", parts }];
}

/** In one fresh world in so many each step follows the one before at once. */
const HASTY_ONE_IN = 3;

/** What "at once" may be: at the same moment, within a round trip, or within a few. */
const AT_ONCE_MICROS = [0, 50_000, 400_000] as const;

/**
 * Steps drawn one by one seldom meet: here whoever makes a new connection is cut off, moves and comes again before the first
 * of these is over, and a shard dies meanwhile. Their order stays, and with it what has to heal.
 */
function hasty(plan: Plan, number: number): Plan {
  const stream = createStream(number, "explore/hasty", "torture");
  if (below(stream, HASTY_ONE_IN) !== 0) return plan;
  const { healsAt } = forget(plan);
  let before = -1;
  const steps = plan.steps.map((step): StepPlan => {
    if (step.atMicros >= healsAt) return step;
    const gap = below(stream, AT_ONCE_MICROS[below(stream, AT_ONCE_MICROS.length)]! + 1);
    before = before < 0 ? step.atMicros : Math.min(step.atMicros, before + gap);
    return { ...step, atMicros: before };
  });
  return promising({ ...plan, steps });
}

/** The nearest number not above this one that is a fresh world's. */
function freshNumber(number: number): number {
  return number < FRESH_FIRST || number % 5 < 3 ? number : number - (number % 5) + 2;
}

function sample<T>(arbitrary: fc.Arbitrary<T>, seed: number): T {
  return fc.sample(arbitrary, { seed, numRuns: 1 })[0]!;
}

function named(plan: Plan, number: number): Plan {
  return { ...plan, name: `world ${number}`, seeds: [{ seed: number, why: "the number of its world" }] };
}

/** A world whose peers are these, in which this happens until `healsAt`. */
function compile(
  peers: readonly PeerOptions[],
  timeline: readonly StoryStep[],
  rest: Pick<Scenario, "cipher" | "scheduler" | "timersLateBy" | "shards" | "serverNearWrap">,
  healsAt: number,
): Plan {
  return scenario({
    name: "world",
    story: "Nobody has told it yet.",
    seeds: { 0: "the number of its world" },
    ...rest,
    peers: Object.fromEntries(peers.map((peer, index) => [NAMES[index]!, peer])),
    timeline: timeline.filter(({ operation }) => canHappen(operation, rest.shards?.count ?? 1)),
    runFor: healsAt + SETTLE_MICROS,
  });
}

function tortureWorld(): fc.Arbitrary<Plan> {
  return fc
    .record({
      classes: fc.subarray([...FAULT_CLASSES]),
      count: fc.integer({ min: 2, max: 5 }),
      healsAt: fc.integer({ min: 2_000, max: 6_000 }).map(ms),
      rooms: fc.integer({ min: 1, max: ROOMS.length }),
      // In half of all runs every counter of the server and of every client starts near its wrap.
      nearWrap: fc.boolean(),
    })
    .chain(({ classes, count, healsAt, rooms, nearWrap }) => {
      const names = NAMES.slice(0, count);
      return fc
        .record({
          peers: fc.tuple(...names.map(() => person(classes, rooms, nearWrap))),
          timeline: steps(classes, names, 0, healsAt),
          worlds: fc.tuple(...classes.map(({ world }) => world ?? fc.constant({}))),
          scheduler: fc.constantFrom("fifo" as const, "seeded" as const),
          core: coreOf(names),
        })
        .map(({ peers, timeline, worlds, scheduler, core }) => {
          const rest = { ...Object.assign({}, ...worlds), scheduler, serverNearWrap: nearWrap };
          const plan = compile(peers, timeline, rest, healsAt);
          return settled(plan, healsAt, core);
        });
    });
}

/** Those who are healed: two at least, as one alone is owed nothing by anybody. */
function coreOf(names: readonly string[]): fc.Arbitrary<string[]> {
  return fc.subarray([...names], { minLength: 2 });
}

function person(classes: readonly FaultClass[], rooms: number, nearWrap: boolean): fc.Arbitrary<PeerOptions> {
  const traits = classes.flatMap(({ peer }) => (peer === undefined ? [] : [peer]));
  return fc
    .record({
      // Half of all are in the first room: who is alone has nothing that could go wrong.
      room: fc.constantFrom(...ROOMS.slice(0, rooms), ...new Array<string>(rooms - 1).fill(ROOMS[0])),
      nearWrap: fc.constant(nearWrap),
      sends: sending(),
      // Whoever neither sent nor received would have nothing to offer, and is refused.
      // Few more often than many, as it is where there are too few that slots change hands.
      receives: fc.record({ audio: fc.constantFrom(0, 1, 1, 2, 3, 5), video: fc.constantFrom(1, 1, 2, 3, 5) }),
      // A browser's layers come and go with what it believes that it may send; without one, all of them flow.
      persona: fc.constantFrom<(Persona | undefined)[]>("chromium", undefined),
      link: troubledLink(classes, false),
      traits: fc.tuple(...traits),
    })
    .map(({ traits: some, persona, ...peer }) => {
      return Object.assign(peer, persona === undefined ? {} : { persona }, ...some) as PeerOptions;
    });
}

function sending(): fc.Arbitrary<NonNullable<PeerOptions["sends"]>> {
  return fc
    .record({ camera: fc.constantFrom(...CAMERAS), microphone: fc.option(fc.integer({ min: 10, max: 90 })) })
    .map(({ camera, microphone }) => ({
      ...(camera === null ? {} : { camera }),
      ...(microphone === null ? {} : { microphone }),
    }));
}

/** A link with the troubles of the swarm, each in half of all links. */
function troubledLink(classes: readonly FaultClass[], extreme: boolean): fc.Arbitrary<LinkOptions> {
  const troubles = classes.flatMap(({ link }) => (link === undefined ? [] : [link(extreme)]));
  return fc
    .tuple(...troubles.map((trouble) => fc.option(trouble, { nil: {} })))
    .map((some) => Object.assign({}, ...some) as LinkOptions);
}

/** Steps of each of these classes, as a class that never happens would have been chosen in vain, and a few more. */
function steps(
  classes: readonly FaultClass[],
  names: readonly string[],
  from: number,
  until: number,
): fc.Arbitrary<StoryStep[]> {
  const who = fc.constantFrom(...names);
  const link = troubledLink(classes, true);
  const deeds = classes.flatMap(({ deed }) => (deed === undefined ? [] : [timed(deed(who, link), from, until)]));
  if (deeds.length === 0) return fc.constant([]);
  return fc
    .tuple(fc.tuple(...deeds), fc.array(fc.oneof(...deeds), { maxLength: STEPS_MORE_MAX, size: "max" }))
    .map(([each, more]) => [...each, ...more]);
}

function timed(deed: fc.Arbitrary<Deed>, from: number, until: number): fc.Arbitrary<StoryStep> {
  const when = fc.integer({ min: Math.floor(from / 1_000), max: Math.floor(until / 1_000) - 1 }).map(ms);
  return fc.tuple(when, deed).map(([time, [label, operation]]) => at(time, label, operation));
}

/** Another world not far from `parent`: some of its steps, some of the donor's, and a few traits changed. */
function mutation(parent: Plan, donor: Plan): fc.Arbitrary<Plan> {
  const names = parent.peers.map((peer) => peer.name);
  const { healsAt, plan: raw } = forget(parent);
  const shards = raw.shards?.count ?? 1;
  const usable = forget(donor).plan.steps.filter(
    ({ operation }) => speaksOf(operation).every((name) => names.includes(name)) && canHappen(operation, shards),
  );
  return fc
    .record({
      kept: fc.subarray([...raw.steps]),
      given: fc.subarray(usable.filter(({ atMicros }) => atMicros < healsAt)),
      shifts: fc.array(fc.integer({ min: -500, max: 500 }), { minLength: 20, maxLength: 20 }),
      wraps: fc.boolean(),
      scheduler: fc.constantFrom("fifo" as const, "seeded" as const),
      simulcast: fc.integer({ min: 0, max: names.length }),
      copied: fc.integer({ min: 0, max: 3 * names.length }),
      core: coreOf(names),
    })
    .map(({ kept, given, shifts, wraps, scheduler, simulcast, copied, core }) => {
      const moved = [...kept, ...given].map((one, index): StepPlan => {
        const time = one.atMicros + ms(shifts[index % shifts.length]!);
        return { ...one, atMicros: Math.max(0, Math.min(healsAt - 1, time)) };
      });
      const peers = raw.peers.map((peer, index) => ({
        ...peer,
        nearWrap: wraps !== peer.nearWrap,
        camera: index === simulcast ? ("vp8-simulcast" as const) : peer.camera,
        ...(index === copied && index > 0 ? { likeness: names[0]! } : {}),
      }));
      return settled({ ...raw, peers, steps: moved, scheduler }, healsAt, core);
    });
}

/** The peers that an operation names. */
function speaksOf(operation: Operation): readonly string[] {
  if (operation.type === "swizzle") return operation.peers;
  if (operation.type === "inherit") return [operation.peer, operation.from];
  return "peer" in operation ? [operation.peer] : [];
}

/** The same world up to a moment; then other things happen, and chance is another. */
function fork(parent: Plan): fc.Arbitrary<Plan> {
  const names = parent.peers.map((peer) => peer.name);
  const { healsAt, plan: raw } = forget(parent);
  return fc
    .record({
      classes: fc.subarray([...FAULT_CLASSES]),
      turnsAt: fc.integer({ min: 0, max: Math.floor(healsAt / 1_000) - 1 }).map(ms),
      seed: fc.integer({ min: 1, max: 1_000_000 }),
      core: coreOf(names),
    })
    .chain(({ classes, turnsAt, seed, core }) =>
      steps(classes, names, turnsAt, healsAt).map((others) => {
        const before = raw.steps.filter(({ atMicros }) => atMicros < turnsAt);
        const after = others.filter(({ operation }) => canHappen(operation, raw.shards?.count ?? 1));
        return settled({ ...raw, steps: [...before, ...after], turn: { atMicros: turnsAt, seed } }, healsAt, core);
      }),
    );
}

/**
 * People with the networks that there are, who come and go and pause what they send, at a server on the internet; those who
 * come to rest owe each other quality.
 */
function ordinaryWorld(): fc.Arbitrary<Plan> {
  const people = ["muting", "leaving", "joining", "moves", "stalls", "cuts", "deaths", "rejoining", "reconnecting"];
  const habits = [...people, "restarts", "pauses", "several shards", "deaths of shards"];
  const classes = FAULT_CLASSES.filter(({ name }) => habits.includes(name));
  return fc
    .record({ classes: fc.subarray(classes), count: fc.integer({ min: 2, max: 5 }) })
    .chain(({ classes: chosen, count }) => {
      const names = NAMES.slice(0, count);
      const healsAt = seconds(6);
      return fc
        .record({
          peers: fc.tuple(...names.map(() => guest(count))),
          timeline: steps(chosen, names, 0, healsAt),
          breaks: fc.array(takingABreak(names, healsAt), { minLength: 1, maxLength: 2 }),
          strangers: fc.option(scanning(healsAt), { nil: [] }),
          loads: fc.array(timed(fc.integer({ min: 0, max: VIDEO_PARTS }).map(load), 0, healsAt), { maxLength: 2 }),
          core: fc.subarray([...names], { minLength: 2 }),
          shards: someShards(),
        })
        .map(({ peers, timeline, breaks, strangers, loads, core, shards }) => {
          const all = [...timeline, ...breaks.flat(), ...strangers, ...loads];
          return settled(compile(peers, all, shards, healsAt), healsAt, core, true);
        });
    });
}

/** Somebody covers a camera, or is quiet, and goes on. */
function takingABreak(names: readonly string[], until: number): fc.Arbitrary<StoryStep[]> {
  const most = Math.floor(until / 1_000);
  return fc
    .record({
      who: fc.constantFrom(...names),
      source: fc.constantFrom("camera" as const, "microphone" as const),
      when: fc.integer({ min: 0, max: most - 3_000 }),
      lasts: fc.integer({ min: 500, max: 2_000 }),
    })
    .map(({ who, source, when, lasts }) => [
      at(ms(when), `${who} pauses the ${source}`, mute(who, source)),
      at(ms(when + lasts), `and goes on`, unmute(who, source)),
    ]);
}

/** What knocks at any port of the internet. */
function scanning(until: number): fc.Arbitrary<StoryStep[]> {
  return fc
    .integer({ min: 1, max: 20 })
    .map((perSecond) => [at(0, "strangers look what is here", garbage({ kind: "scans", perSecond, duration: until }))]);
}

/** Somebody with a network of those that people have. Who sits behind a firewall that drops UDP goes through it by TCP. */
function guest(count: number): fc.Arbitrary<PeerOptions> {
  return fc
    .record({
      sends: sending(),
      receives: fc.constant({ audio: count + 4, video: count + 4 }),
      network: fc.constantFrom(...(Object.keys(PROFILES) as ProfileName[])),
      persona: fc.constantFrom<(Persona | undefined)[]>(undefined, "chromium", "thin", "mobile"),
      nearWrap: fc.boolean(),
    })
    .map(({ network, persona, ...rest }) => ({
      ...rest,
      ...(persona === undefined ? {} : { persona }),
      link: profile(network, network === "corporate" ? { udp: "tunnelled" } : {}),
    }));
}

/** One shard, or a few with ways between them. */
function someShards(): fc.Arbitrary<Pick<Scenario, "shards">> {
  return fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: SEVERAL_SHARDS });
}
