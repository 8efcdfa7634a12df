/**
 * What a search has seen so far: worlds, time, promises judged, fault sites, and findings.
 *
 * Worlds are merged in the order of their numbers, whoever was faster, and after the last finding that was asked for no
 * more is merged. So equal numbers give equal tallies, however many worked on them. Findings are told apart by promise and
 * sentence at first, a few worlds each, because the same sentence may have several causes; once they have been shrunk, by
 * promise and by what the small world is made of.
 */
import { PLAIN_LINK } from "../link/index.ts";
import type { Plan } from "../story/plan.ts";
import { type Coverage, type Covered, cover, createCoverage } from "./coverage.ts";

/** Worlds that are kept for one promise and sentence. */
const WORLDS_OF_A_KIND = 2;

/** What the tally needs to know of a world. */
export interface Seen extends Covered {
  readonly number: number;
  readonly key: string;
  readonly simulatedMicros: number;
}

/** A tally; make it with {@link createTally}. */
export interface Tally<T extends Seen> extends Coverage {
  worlds: number;
  simulatedMicros: number;
  broken: number;
  readonly findings: T[];
  readonly findingsMax: number;
  /** Worlds that came before their turn, and whose turn it is. */
  readonly early: Map<number, T>;
  next: number;
}

/** A tally that begins with the world `first`. */
export function createTally<T extends Seen>(first: number, findingsMax: number): Tally<T> {
  return {
    worlds: 0,
    simulatedMicros: 0,
    broken: 0,
    ...createCoverage(),
    findings: [],
    findingsMax,
    early: new Map(),
    next: first,
  };
}

/** Whether all that was asked for has been found. */
export function isFull<T extends Seen>(tally: Tally<T>): boolean {
  return new Set(tally.findings.map(({ key }) => key)).size >= tally.findingsMax;
}

/** Takes a world in, and those that waited for it. */
export function merge<T extends Seen>(tally: Tally<T>, seen: T): void {
  tally.early.set(seen.number, seen);
  for (let ready = tally.early.get(tally.next); ready !== undefined; ready = tally.early.get(tally.next)) {
    tally.early.delete(tally.next++);
    if (!isFull(tally)) count(tally, ready);
  }
}

function count<T extends Seen>(tally: Tally<T>, seen: T): void {
  tally.worlds++;
  tally.simulatedMicros += seen.simulatedMicros;
  cover(tally, seen);
  if (seen.key === "") return;
  tally.broken++;
  if (tally.findings.filter(({ key }) => key === seen.key).length < WORLDS_OF_A_KIND) tally.findings.push(seen);
}

/** What a small world is made of: knobs, kinds of steps, troubles of links, traits of peers. Equal shapes are one finding. */
export function shapeOfPlan(plan: Plan): string {
  const parts = new Set<string>(Object.keys(plan.knobs ?? {}));
  for (const { operation } of plan.steps) {
    parts.add(operation.type);
    if (operation.type === "link")
      for (const key of Object.keys({ ...operation.up, ...operation.down })) parts.add(key);
    if (operation.type === "buggify") for (const site of operation.sites) parts.add(site);
  }
  for (const { up, down, nearWrap, impostor, atStart } of plan.peers) {
    for (const [key, plain] of Object.entries(PLAIN_LINK)) {
      if ([up, down].some((link) => JSON.stringify(link[key as "cut"]) !== JSON.stringify(plain))) parts.add(key);
    }
    for (const [name, holds] of Object.entries({ nearWrap, impostor, late: !atStart })) if (holds) parts.add(name);
  }
  return [...parts].sort((a, b) => (a < b ? -1 : 1)).join(" ");
}
