/**
 * The part of `lockstep replay` that looks closer: stop somewhere, show the state, step on and back, take another fork.
 */

import { createInterface } from "node:readline";
import type { DecisionPlan } from "../base/decisions.ts";
import { readableTimes } from "../base/readable-times.ts";
import {
  decisionName,
  decisionsOf,
  type Inspection,
  inspect,
  type Moment,
  momentsBetween,
  type Stop,
} from "../inspection/inspection.ts";
import { readableWorld } from "../inspection/readable-state.ts";
import { createTraceRecorder } from "../trace/recorder.ts";
import { rowAsJson, showRow, showTime } from "../world/rows.ts";
import { Misuse, wholeNumber } from "./misuse.ts";
import { printTrace } from "./running.ts";
import type { Story } from "./stories.ts";

/** The flags of `replay` that look closer. */
export interface LookingOptions {
  readonly until?: string;
  readonly back?: string;
  readonly state?: boolean;
  readonly step?: boolean;
  readonly fork?: string;
  readonly decisions?: boolean;
  readonly trace?: boolean;
  readonly json?: boolean;
}

/** Rows of the past that are shown where a run has stopped. */
const SHOWN_ROWS = 12;

/** Events before and after that are looked at in one go while somebody steps. */
const STEPS_AT_A_TIME = 500;

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
      const [name, { answer }] = [decisionName(decision), decision];
      process.stdout.write(
        options.json === true ? `${JSON.stringify({ decision: name, answer })}\n` : `${name}=${answer}\n`,
      );
    }
    return true;
  }
  const forks = options.fork === undefined ? [] : [readFork(story, seed, options.fork)];
  let stop = readStop(options.until);
  if (options.back !== undefined) {
    const { event } = inspect(plan, seed, stop, { decisions: forks });
    stop = { kind: "event", event: Math.max(0, event - wholeNumber(options.back, "--back")) };
  }
  const recorder = options.trace === true ? createTraceRecorder(0) : undefined;
  const watching = recorder === undefined ? {} : { onWorld: recorder.onWorld };
  const inspection = inspect(plan, seed, stop, { decisions: forks, ...watching });
  if (recorder !== undefined) printTrace(recorder.finish(inspection.verdict), options.json === true);
  show(inspection, { ...options, hasTrace: recorder !== undefined });
  if (options.step === true) await walk(story, seed, forks, inspection);
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

function show(inspection: Inspection, options: LookingOptions & { readonly hasTrace?: boolean }): void {
  const { verdict, event, rows } = inspection;
  const { world, fingerprint } = verdict;
  if (options.state === true) {
    process.stdout.write(`${JSON.stringify(readableWorld(world), undefined, options.json === true ? 0 : 2)}\n`);
    return;
  }
  const place = {
    ...{ event, time: showTime(world, world.loop.now), fingerprint, promise: verdict.promise },
    reached: inspection.isReached,
  };
  if (options.json === true) {
    process.stdout.write(
      `${JSON.stringify({ story: verdict.story, seed: verdict.seed, ...place, rows: rows.map((row) => rowAsJson(world, row)) })}\n`,
    );
    return;
  }
  if (options.hasTrace !== true)
    for (const row of rows.slice(-SHOWN_ROWS)) process.stdout.write(`${showRow(world, row)}\n`);
  const judged =
    verdict.broken === undefined
      ? `every promise held${options.until === undefined && options.back === undefined ? "" : " so far"}`
      : `${verdict.broken.promise}: ${readableTimes(verdict.broken.detail)}`;
  const over = inspection.isReached ? "" : "the run was over before that, ";
  process.stdout.write(`${over}at event ${event}, ${place.time}, fingerprint ${fingerprint}; ${judged}\n`);
}

/** What a line may say while somebody steps. */
const WALK_WORDS = "Enter: next event; b: back; 1200: to that event; s: state; q: quit";

/** One event for each line that is read: an empty one goes on, `b` back, a number there, `s` shows the state, `q` ends. */
async function walk(story: Story, seed: number, decisions: readonly DecisionPlan[], start: Inspection): Promise<void> {
  const { plan } = story;
  const { world } = start.verdict;
  // A run that is done again is slow, so it is asked for many moments at a time.
  const known = new Map<number, Moment>();
  const momentAfter = (event: number): Moment | undefined => {
    if (!known.has(event)) {
      const [from, to] = [Math.max(0, event - STEPS_AT_A_TIME), event + STEPS_AT_A_TIME];
      for (const moment of momentsBetween(plan, seed, from, to, decisions)) known.set(moment.event, moment);
    }
    return known.get(event);
  };
  let event = start.event;
  process.stderr.write(`${WALK_WORDS}\n`);
  for await (const line of createInterface({ input: process.stdin })) {
    const word = line.trim();
    if (word === "q") return;
    if (word === "s") {
      show(inspect(plan, seed, { kind: "event", event }, { decisions }), { state: true });
      continue;
    }
    const target = targetOf(word, event);
    if (target === undefined) {
      process.stderr.write(`"${word}" is none of these. ${WALK_WORDS}\n`);
      continue;
    }
    const moment = momentAfter(target);
    if (moment === undefined) {
      process.stdout.write("The run is over before that.\n");
      continue;
    }
    event = moment.event;
    for (const row of moment.rows) process.stdout.write(`${showRow(world, row)}\n`);
    process.stdout.write(`at event ${event}, ${showTime(world, moment.time)}, fingerprint ${moment.fingerprint}\n`);
  }
}

/** The event that a word leads to from this one; undefined when it is no such word. */
function targetOf(word: string, event: number): number | undefined {
  if (word === "") return event + 1;
  if (word === "b") return Math.max(0, event - 1);
  return /^\d{1,12}$/.test(word) ? Number(word) : undefined;
}
