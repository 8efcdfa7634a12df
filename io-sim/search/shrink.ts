/**
 * Makes a world in which a promise breaks as small as it can be, while the same promise breaks in the same way.
 *
 * Big pieces go first: everyone of whom the breach does not speak, the time after the breach, peers, promises that were not
 * broken, steps. Then what is left is made plain (./plainer.ts). Then chance: of all accidents only those stay without which
 * nothing breaks. Last, numbers become round. Sets are halved and quartered as in delta debugging (Zeller and Hildebrandt,
 * 2002). A candidate counts only when it makes sense, when `isFair` says that its promises may be made at all, and when its
 * run breaks under the same key (./attempt.ts); everything keeps its name and its seed, so that the chance of what stays
 * does not move.
 */
import type { Decision, DecisionPlan } from "../base/decisions.ts";
import type { PeerPlan, Plan } from "../story/plan.ts";
import { run } from "../world/run.ts";
import { attempt, isSound } from "./attempt.ts";
import { type Change, plainer, rounder } from "./plainer.ts";

/** How a world is shrunk. */
export interface ShrinkOptions {
  /**
   * Asked before each try, with the events that all tries together have run, and those of the whole world; false ends the
   * search with what there is.
   */
  readonly goesOn: (events: number, worldEvents: number) => boolean;
  /** Whether a candidate's promises may be made; see ./settling.ts. */
  readonly isFair: (plan: Plan) => boolean;
  /** Hears of each step forward. */
  readonly onSmaller?: (plan: Plan, tries: number) => void;
}

/** What came of it. */
export interface Shrunk {
  /** What breaks, before as after; see ./attempt.ts. */
  readonly key: string;
  readonly plan: Plan;
  /** Runs that were made. */
  readonly tries: number;
  /** Events of all those runs. */
  readonly events: number;
}

/** The accidents of a stream that may stay in a shrunk world; more are left to chance. */
const ACCIDENTS_MAX = 40;

interface Search {
  readonly seed: number;
  readonly key: string;
  readonly options: ShrinkOptions;
  /** Whether the breach comes before the drain, which then need not be run. */
  readonly withoutDrain: boolean;
  /** Plans that were tried; none is tried twice, so changes that undo each other come to an end. */
  readonly tried: Set<string>;
  plan: Plan;
  /** What the latest plan breaks with, and when. */
  detail: string;
  atMicros: number;
  tries: number;
  events: number;
  /** Of the world as it came. */
  readonly worldEvents: number;
}

/** Shrinks a plan that breaks with this seed; the key is "" when it does not. */
export function shrinkPlan(plan: Plan, seed: number, options: ShrinkOptions): Shrunk {
  const search = beginSearch(plan, seed, options);
  if (search.key !== "") takes(search, onlyTheNamed(search));
  for (let before: Plan | undefined; before !== search.plan && search.key !== "" && goesOn(search); ) {
    before = search.plan;
    endSooner(search);
    leaveOut(search, (now) => now.peers, withPeers);
    for (const list of ["finally", "always", "steps"] as const) {
      leaveOut(
        search,
        (now): readonly unknown[] => now[list],
        (now, kept) => ({ ...now, [list]: kept }),
      );
    }
    leaveOut(search, (now) => Object.entries(now.knobs ?? {}), withKnobs);
    greedily(search, plainer);
    fewerAccidents(search);
    greedily(search, rounder);
  }
  return { key: search.key, plan: search.plan, tries: search.tries, events: search.events };
}

/** The first run of all, without the drain if the breach comes before it. */
function beginSearch(plan: Plan, seed: number, options: ShrinkOptions): Search {
  const early = attempt(plan, seed, { withoutDrain: true });
  const withoutDrain = early.key !== "";
  const { key, detail, atMicros, events } = withoutDrain ? early : attempt(plan, seed);
  return {
    seed,
    key,
    options,
    withoutDrain,
    tried: new Set([JSON.stringify(plan)]),
    plan,
    detail,
    atMicros,
    tries: 1,
    events,
    worldEvents: events,
  };
}

function goesOn(search: Search): boolean {
  return search.options.goesOn(search.events, search.worldEvents);
}

/** Takes the candidate if it breaks in the same way. */
function takes(search: Search, candidate: Plan): boolean {
  const { options, seed, key, withoutDrain } = search;
  const text = JSON.stringify(candidate);
  if (search.tried.has(text) || !goesOn(search) || !isSound(candidate) || !options.isFair(candidate)) return false;
  search.tried.add(text);
  search.tries++;
  const tried = attempt(candidate, seed, { withoutDrain });
  search.events += tried.events;
  if (tried.key !== key) return false;
  search.plan = candidate;
  search.detail = tried.detail;
  search.atMicros = tried.atMicros;
  options.onSmaller?.(candidate, search.tries);
  return true;
}

/** The world with nobody but those whom the sentence of the breach names. */
function onlyTheNamed({ plan, detail }: Search): Plan {
  const named = plan.peers.filter(({ name }) => new RegExp(`\\b${name}\\b`).test(detail));
  return named.length === 0 ? plan : withPeers(plan, named);
}

/** The plan with these steps up to this moment, without a steady time that never comes. */
function endedAt({ steady, ...rest }: Plan, steps: Plan["steps"], runForMicros: number): Plan {
  const comes = steady !== undefined && steady.fromMicros < runForMicros;
  return { ...rest, ...(comes ? { steady } : {}), steps, runForMicros };
}

/** The story need not go on after the breach; steps that never come are left out with it. */
function endSooner(search: Search): void {
  const { runForMicros } = search.plan;
  const { atMicros } = search;
  const ends = [atMicros < 0 ? 0 : atMicros + 1_000, runForMicros / 4, runForMicros / 2, (runForMicros * 3) / 4];
  for (const end of ends.map(Math.floor)) {
    const steps = search.plan.steps.filter((step) => step.atMicros <= end);
    // A little sooner is not worth it: it would undo the rounding.
    if (end < 0.9 * runForMicros && takes(search, endedAt(search.plan, steps, end))) return;
  }
}

/** Delta debugging over a list in the plan: leaves out halves, then quarters, down to single items. */
function leaveOut<T>(
  search: Search,
  listOf: (plan: Plan) => readonly T[],
  withList: (plan: Plan, kept: T[]) => Plan,
): void {
  for (let chunk = listOf(search.plan).length; chunk >= 1; ) {
    let removed = false;
    for (let from = 0; from < listOf(search.plan).length; ) {
      const list = listOf(search.plan);
      const kept = [...list.slice(0, from), ...list.slice(from + chunk)];
      if (takes(search, withList(search.plan, kept))) removed = true;
      else from += chunk;
      if (!goesOn(search)) return;
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

/** Tries all candidates in turn, each made from the plan as it then is. */
function greedily(search: Search, candidates: (plan: Plan) => Change[]): void {
  for (const change of candidates(search.plan)) {
    if (!goesOn(search)) return;
    takes(search, change(search.plan));
  }
}

/** Of each stream whose answers are yes and no, tries none of its accidents, then only those that are needed. */
function fewerAccidents(search: Search): void {
  if (!goesOn(search)) return;
  for (const { site, entity, accidents } of accidentsIn(search)) {
    const known = search.plan.decisions?.find((plan) => plan.site === site && plan.entity === entity);
    if (known?.others === 0 && known.answers.length <= 1) continue;
    const fixed = takes(search, withAccidents(search.plan, site, entity, accidents)) || known?.others === 0;
    if (!fixed || accidents.length > ACCIDENTS_MAX) continue;
    leaveOut(
      search,
      (plan) => accidentsOf(plan, site, entity),
      (plan, kept) => withAccidents(plan, site, entity, kept),
    );
  }
}

/** By stream: which of its decisions were accidents, if yes and no are all that it answers. */
function accidentsIn(search: Search): { site: string; entity: string; accidents: number[] }[] {
  const log: Decision[] = [];
  const { withoutDrain } = search;
  try {
    search.events += run(search.plan, search.seed, { withoutDrain, decisionLog: log }).world.loop.ran;
  } catch {
    // What the run throws is what is looked for; the decisions before it are in the log.
  }
  const groups = new Map<string, Decision[]>();
  for (const decision of log) {
    const key = `${decision.site}|${decision.entity}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [decision]);
    else group.push(decision);
  }
  forgetUnused(search, groups);
  return [...groups.values()]
    .filter((decisions) => decisions.every(({ answer }) => answer === 0 || answer === 1))
    .map((decisions) => ({
      site: decisions[0]!.site,
      entity: decisions[0]!.entity,
      accidents: decisions.filter(({ answer }) => answer !== 0).map(({ ordinal }) => ordinal),
    }))
    .filter(({ accidents }) => accidents.length > 0);
}

/** Fixed answers that nobody asks for any more say nothing. */
function forgetUnused(search: Search, asked: ReadonlyMap<string, unknown>): void {
  const { decisions = [], ...rest } = search.plan;
  const used = decisions.filter(({ site, entity }) => asked.has(`${site}|${entity}`));
  if (used.length === decisions.length) return;
  takes(search, used.length === 0 ? rest : { ...rest, decisions: used });
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
