/**
 * The questions of a search for a smaller world, in the order in which they gain most.
 *
 * A question is a list of candidates, and its answer is the first of them that breaks in the same way as the world does;
 * who asks goes on from there. So the search says nothing of how candidates are tried: one by one, or several at a time
 * (./shrink.ts). And it may ask what the smallest world yet asks of chance.
 *
 * Few people and little time first. What a run costs grows with both, with people by more than their number, so ten worlds
 * of two people are tried in less time than the whole one once: those who have most to do with the breach (./involved.ts)
 * are tried alone, then with more of the others, up to the breach, and in the plainest of all worlds before the one that was
 * given. What is left after this leap is halved and quartered as in delta debugging (Zeller and Hildebrandt, 2002): peers,
 * promises that were not broken, steps. Then pauses become short (./sooner.ts), traits plain (./plainer.ts), and of all
 * accidents only those stay without which nothing breaks. Last, numbers become round. Everything keeps its name and its seed,
 * so that the chance of what stays does not move.
 */
import type { DecisionPlan } from "../base/decisions.ts";
import type { PromiseId } from "../oracles/promises.ts";
import type { PeerPlan, Plan, StoryPromise } from "../story/plan.ts";
import { type Accident, type LoggedChance, streamName } from "./accidents.ts";
import { type Change, plainer, plainest, rounder } from "./plainer.ts";
import { endedAfter, endings, hurried } from "./sooner.ts";

/** A world that breaks, and when. */
export interface Broken {
  readonly plan: Plan;
  readonly promise: PromiseId | "";
  /** What was seen of it. */
  readonly detail: string;
  /** The story's time of the breach, or -1 when the story had not begun. */
  readonly atMicros: number;
  /** Everybody, who has most to do with the breach first. */
  readonly involved: readonly string[];
}

/** What a search knows. */
export interface Search {
  /** The smallest world yet. */
  best: Broken;
}

/** Candidates, of which the first is wanted that breaks in the same way; or a world that is to tell what it asks of chance. */
export type Question = { readonly candidates: Iterable<Plan> } | { readonly chanceOf: Plan };

/** The candidate that was taken and its place in the list, when there is one; what was asked of chance, when that is known. */
export interface Answer {
  readonly taken?: { readonly index: number; readonly broken: Broken };
  readonly chance?: LoggedChance;
}

/** A search as a series of questions. */
export type Questions<Result = void> = Generator<Question, Result, Answer>;

/** The accidents of a stream that may stay in a shrunk world; more are left to chance. */
const ACCIDENTS_MAX = 40;

/** Asks until nothing makes the world smaller. */
export function* smaller(search: Search): Questions {
  yield* first(search, leaps(search.best));
  for (let before: Plan | undefined; before !== search.best.plan; ) {
    before = search.best.plan;
    yield* first(search, [endedAfter(search.best.plan, search.best.atMicros)]);
    yield* leaveOut(search, (now) => now.peers, withPeers);
    for (const list of ["finally", "always", "steps"] as const) {
      yield* leaveOut(
        search,
        (now): readonly unknown[] => now[list],
        (now, kept) => ({ ...now, [list]: kept }),
      );
    }
    yield* leaveOut(search, (now) => Object.entries(now.knobs ?? {}), withKnobs);
    while ((yield* first(search, hurried(search.best.plan))) >= 0);
    yield* first(search, [plainest(search.best.plan)]);
    yield* greedily(search, plainer);
    yield* fewerAccidents(search);
    // The end comes last: what is left out before may let the breach come later.
    yield* first(search, endings(search.best.plan, search.best.atMicros));
    yield* greedily(search, rounder);
  }
}

/** Asks a question, and goes on from its answer: the place of the candidate that was taken, or -1. */
function* first(search: Search, candidates: Iterable<Plan>): Questions<number> {
  const { taken } = yield { candidates };
  if (taken === undefined) return -1;
  search.best = taken.broken;
  return taken.index;
}

/**
 * Worlds of few people up to the breach, the cheapest first: one, two, three of those who have most to do with it, the first
 * with each of the others, then more and more of them.
 */
function* leaps({ plan, atMicros, involved, detail }: Broken): Iterable<Plan> {
  const ended = endedAfter(plan, atMicros);
  const groups = [1, 2, 3].map((count) => involved.slice(0, count));
  for (const other of involved.slice(2)) groups.push([involved[0]!, other]);
  for (let count = 4; count < involved.length; count = Math.ceil(count * 1.5)) groups.push(involved.slice(0, count));
  for (const group of groups) {
    if (group.length >= plan.peers.length) continue;
    const few = withPeers(
      ended,
      ended.peers.filter(({ name }) => group.includes(name)),
    );
    for (const world of new Set([ofOneKind(few, detail), few])) {
      yield plainest(world);
      yield world;
    }
  }
  yield plainest(ended);
}

/** Where the sentence speaks of pictures alone, the plan without voices, and the other way round: one may hide the other. */
function ofOneKind(plan: Plan, detail: string): Plan {
  const [pictures, voices] = [/\b(camera|video)\b/.test(detail), /\b(microphone|audio)\b/.test(detail)];
  if (pictures === voices) return plan;
  const silent = pictures ? { microphone: null, audioSlots: 0 } : { camera: null, videoSlots: 0 };
  const source = pictures ? "microphone" : "camera";
  const isLeft = (promise: StoryPromise) => "peer" in promise || !promise.source.endsWith(`/${source}`);
  return {
    ...plan,
    peers: plan.peers.map((peer) => ({ ...peer, ...silent })),
    always: plan.always.filter(isLeft),
    finally: plan.finally.filter(isLeft),
  };
}

/** Delta debugging over a list in the plan: leaves out halves, then quarters, down to single items. */
function* leaveOut<T>(
  search: Search,
  listOf: (plan: Plan) => readonly T[],
  withList: (plan: Plan, kept: T[]) => Plan,
): Questions {
  for (let chunk = listOf(search.best.plan).length; chunk >= 1; ) {
    let removed = false;
    for (let from = 0; from < listOf(search.best.plan).length; ) {
      const { plan } = search.best;
      const list = listOf(plan);
      const starts = Array.from({ length: Math.ceil((list.length - from) / chunk) }, (_, turn) => from + turn * chunk);
      const without = (start: number) => withList(plan, [...list.slice(0, start), ...list.slice(start + chunk)]);
      const taken = yield* first(search, starts.map(without));
      if (taken < 0) break;
      removed = true;
      from = starts[taken]!;
    }
    // What could be left out may have been what kept others.
    if (!removed || chunk > 1) chunk >>= 1;
  }
}

/** Without these peers go their steps and promises. */
function withPeers(plan: Plan, peers: PeerPlan[]): Plan {
  const names = new Set(peers.map(({ name }) => name));
  const isThere = (source: string) => names.has(source.slice(0, source.indexOf("/")));
  return {
    ...plan,
    peers,
    steps: plan.steps
      .filter(({ operation }) => !("peer" in operation) || names.has(operation.peer))
      .filter(({ operation }) => operation.type !== "inherit" || names.has(operation.from))
      .map((step) => {
        const { operation } = step;
        if (operation.type !== "swizzle") return step;
        return { ...step, operation: { ...operation, peers: operation.peers.filter((name) => names.has(name)) } };
      }),
    ...(plan.steady === undefined
      ? {}
      : { steady: { ...plan.steady, among: plan.steady.among.filter((name) => names.has(name)) } }),
    always: plan.always.filter(({ viewer, source }) => names.has(viewer) && isThere(source)),
    finally: plan.finally.filter((promise) =>
      "peer" in promise ? names.has(promise.peer) : names.has(promise.viewer) && isThere(promise.source),
    ),
  };
}

/** These knobs are turned, and the others as usual. */
function withKnobs({ knobs: _, ...plan }: Plan, turned: [string, number][]): Plan {
  return turned.length === 0 ? plan : { ...plan, knobs: Object.fromEntries(turned) };
}

/** Takes each change that can be taken, each made to the plan as it then is. */
function* greedily(search: Search, changesOf: (plan: Plan) => Change[]): Questions {
  const changes = changesOf(search.best.plan);
  for (let from = 0; from < changes.length; ) {
    const { plan } = search.best;
    const taken = yield* first(search, changed(plan, changes.slice(from)));
    from += taken < 0 ? changes.length : taken + 1;
  }
}

function* changed(plan: Plan, changes: readonly Change[]): Iterable<Plan> {
  for (const change of changes) yield change(plan);
}

/** Of each stream of accidents, tries none of its accidents, then only those that are needed. */
function* fewerAccidents(search: Search): Questions {
  const { chance } = yield { chanceOf: search.best.plan };
  if (chance === undefined) return;
  yield* forgetUnused(search, chance);
  for (const { site, entity, ordinals } of streamsOf(chance)) {
    const known = search.best.plan.decisions?.find((plan) => plan.site === site && plan.entity === entity);
    if (known?.others === 0 && known.answers.length <= 1) continue;
    const isFixed = (yield* first(search, [withAccidents(search.best.plan, site, entity, ordinals)])) >= 0;
    if ((!isFixed && known?.others !== 0) || ordinals.length > ACCIDENTS_MAX) continue;
    yield* leaveOut(
      search,
      (plan) => accidentsOf(plan, site, entity),
      (plan, kept) => withAccidents(plan, site, entity, kept),
    );
  }
}

/** The streams that had accidents, in the order in which they were first asked, and which of their decisions these were. */
function streamsOf({ streams, accidents }: LoggedChance): { site: string; entity: string; ordinals: number[] }[] {
  const befallen = new Map<string, Accident[]>(streams.map((name) => [name, []]));
  for (const accident of accidents) befallen.get(streamName(accident))!.push(accident);
  return [...befallen.values()].flatMap((those) => {
    const [one] = those;
    if (one === undefined) return [];
    return [{ site: one.site, entity: one.entity, ordinals: those.map(({ ordinal }) => ordinal) }];
  });
}

/** Fixed answers that nobody asks for any more say nothing. */
function* forgetUnused(search: Search, { streams }: LoggedChance): Questions {
  const { decisions = [], ...rest } = search.best.plan;
  const used = decisions.filter((decision) => streams.includes(streamName(decision)));
  if (used.length === decisions.length) return;
  yield* first(search, [used.length === 0 ? rest : { ...rest, decisions: used }]);
}

function accidentsOf(plan: Plan, site: string, entity: string): readonly number[] {
  const found = plan.decisions?.find((decision) => decision.site === site && decision.entity === entity);
  return (found?.answers ?? []).map(([ordinal]) => ordinal);
}

/** Every stream keeps its place in the list, so that a plan with the same accidents is the same plan. */
function withAccidents(plan: Plan, site: string, entity: string, ordinals: readonly number[]): Plan {
  const answers = ordinals.map((ordinal) => [ordinal, 1] as const);
  const decision: DecisionPlan = { site, entity, answers, others: 0 };
  const decisions = [...(plan.decisions ?? [])];
  const place = decisions.findIndex((known) => known.site === site && known.entity === entity);
  decisions.splice(place < 0 ? decisions.length : place, place < 0 ? 0 : 1, decision);
  return { ...plan, decisions };
}
