/**
 * The part of `lockstep replay` that looks closer: stop somewhere, show the state, step on and back, take another fork.
 */
import { createInterface } from "node:readline";
import type { DecisionPlan } from "../decisions.ts";
import { decisionName, decisionsOf, type Inspection, inspect, type Stop } from "../inspection.ts";
import { readableWorld } from "../readable-state.ts";
import { rowAsJson, showRow, showTime } from "../rows.ts";
import { Misuse, wholeNumber } from "./misuse.ts";
import type { Story } from "./stories.ts";

/** The flags of `replay` that look closer. */
export interface LookingOptions {
  readonly until?: string;
  readonly back?: string;
  readonly state?: boolean;
  readonly step?: boolean;
  readonly fork?: string;
  readonly decisions?: boolean;
  readonly json?: boolean;
}

/** Rows of the past that are shown where a run has stopped. */
const SHOWN_ROWS = 12;

/** Whether any of these flags was given. */
export function looksCloser(options: LookingOptions): boolean {
  const { until, back, state, step, fork, decisions } = options;
  return [until, back, fork].some((flag) => flag !== undefined) || [state, step, decisions].includes(true);
}

/** Does what the flags ask for; answers whether no promise had been broken by the moment at which the run stopped. */
export async function look(story: Story, seed: number, options: LookingOptions): Promise<boolean> {
  const { plan } = story;
  if (options.decisions === true) {
    for (const decision of decisionsOf(plan, seed)) {
      process.stdout.write(`${decisionName(decision)}=${decision.answer}\n`);
    }
    return true;
  }
  const forks = options.fork === undefined ? [] : [readFork(story, seed, options.fork)];
  let inspection = inspect(plan, seed, readStop(options.until), forks);
  if (options.back !== undefined) {
    const event = Math.max(0, inspection.event - wholeNumber(options.back, "--back"));
    inspection = inspect(plan, seed, { kind: "event", event }, forks);
  }
  show(inspection, options);
  if (options.step === true) inspection = await walk(inspection, (event) => inspect(plan, seed, event, forks), options);
  return inspection.verdict.verdict === "held";
}

/** The moment that `--until` names: an event (`1200`), or a time of the story (`12.5s`). */
export function readStop(text: string | undefined): Stop {
  if (text === undefined) return { kind: "end" };
  if (/^\d{1,12}$/.test(text)) return { kind: "event", event: Number(text) };
  if (/^\d{1,6}(\.\d{1,6})?s$/.test(text)) {
    return { kind: "time", micros: Math.round(Number(text.slice(0, -1)) * 1_000_000) };
  }
  throw new Misuse(`--until takes an event such as 1200 or a time such as 12.5s, not "${text}".`);
}

/** The decision that `--fork` changes. It has to be one that the run consumes. */
export function readFork(story: Story, seed: number, text: string): DecisionPlan {
  const [name, value, ...rest] = text.split("=");
  if (name === undefined || value === undefined || rest.length > 0 || !/^-?\d{1,12}$/.test(value)) {
    throw new Misuse(`--fork takes SITE/ENTITY/ORDINAL=VALUE, such as link/loss/ana/up/17=1, not "${text}".`);
  }
  const decision = decisionsOf(story.plan, seed).find((candidate) => decisionName(candidate) === name);
  if (decision === undefined) {
    throw new Misuse(`The run makes no decision called "${name}"; "--decisions" lists those that it makes.`);
  }
  const { site, entity, ordinal } = decision;
  return { site, entity, answers: [[ordinal, Number(value)]], others: null };
}

function show(inspection: Inspection, options: LookingOptions): void {
  const { verdict, event, rows } = inspection;
  const { world, fingerprint } = verdict;
  if (options.state === true) {
    process.stdout.write(`${JSON.stringify(readableWorld(world), undefined, options.json === true ? 0 : 2)}\n`);
    return;
  }
  const place = { event, time: showTime(world, world.loop.now), fingerprint, promise: verdict.promise };
  if (options.json === true) {
    process.stdout.write(
      `${JSON.stringify({ story: verdict.story, seed: verdict.seed, ...place, rows: rows.map((row) => rowAsJson(world, row)) })}\n`,
    );
    return;
  }
  for (const row of rows.slice(-SHOWN_ROWS)) process.stdout.write(`${showRow(world, row)}\n`);
  const broken = verdict.broken === undefined ? "" : `  ${verdict.broken.promise}: ${verdict.broken.detail}`;
  process.stdout.write(`at event ${event}, ${place.time}, fingerprint ${fingerprint}${broken}\n`);
}

/** One event for each line that is read: nothing goes on, `b` back, `s` shows the state, `q` ends. */
async function walk(
  start: Inspection,
  again: (stop: Stop) => Inspection,
  options: LookingOptions,
): Promise<Inspection> {
  let inspection = start;
  process.stderr.write("Enter: next event; b: back; s: state; q: quit\n");
  for await (const line of createInterface({ input: process.stdin })) {
    const word = line.trim();
    if (word === "q") break;
    if (word === "s") {
      show(inspection, { ...options, state: true });
      continue;
    }
    const event = Math.max(0, inspection.event + (word === "b" ? -1 : 1));
    inspection = again({ kind: "event", event });
    show(inspection, { ...options, state: false });
  }
  return inspection;
}
