/**
 * What a person is told when a promise is broken: about twelve lines, the last of which is the command that shows it again.
 */

import { readableTimes } from "../base/readable-times.ts";
import { type BrokenPromise, PROMISES } from "../oracles/promises.ts";
import type { Plan } from "../story/plan.ts";
import { knobsText } from "../world/knobs.ts";
import { showRow, showTime, type TraceRow, whoOf } from "../world/rows.ts";
import type { Verdict } from "../world/run.ts";
import type { World } from "../world/world.ts";
import { peopleNamed } from "./people-named.ts";
import { replayCommand } from "./replay-command.ts";

/** What the report can't know from the verdict. */
export interface FailureContext {
  /** What the command line finds the story by, when that is not its name. */
  readonly replayName?: string;
  /** Files that were written about the run. */
  readonly artifacts?: readonly string[];
}

/** Rows of the trace in a report. */
const ROWS = 4;

/** Columns of a row's text: who is in a large room fills more than a line. */
const ROW_COLUMNS = 110;

/** People that are named one by one. */
const NAMES_MAX = 6;

/** The report on a broken run; empty when the run held. */
export function failureReport(verdict: Verdict, context: FailureContext = {}): string[] {
  const { broken, world, story, seed, inputs, fingerprint } = verdict;
  if (broken === undefined) return [];
  const { replayName = story, artifacts = [] } = context;
  const before = rowsBefore(verdict.world, broken);
  return [
    `BROKEN  ${story}, seed ${seed}: "${world.plan.story}"`,
    field("promise", `${broken.promise}: ${PROMISES[broken.promise]}`),
    field("seen", readableTimes(broken.detail)),
    field(
      "when",
      `${showTime(world, broken.time)}, event ${broken.event}, input ${inputs}; fingerprint ${fingerprint}`,
    ),
    field("who", describePeople(world.plan, broken.detail)),
    field("plan", describePlan(world.plan)),
    ...knobsOf(world.plan),
    ...before.map((row, index) => field(index === 0 ? "before" : "", showRow(world, { ...row, who: whoOf(row) }))),
    ...artifacts.map((file, index) => field(index === 0 ? "files" : "", file)),
    field("replay", replayCommand(replayName, seed)),
  ];
}

/** The last rows before the breach that are no other people's: of those concerned, of the server and of the story. */
function rowsBefore({ plan, rows }: World, { time, detail }: BrokenPromise): TraceRow[] {
  const named = new Set(peopleNamed(plan.peers, detail).map(({ name }) => name));
  const concerns = ({ who }: TraceRow) => who === "" || named.size === 0 || named.has(who);
  const before = rows.filter((row) => row.time <= time && concerns(row)).slice(-ROWS);
  return before.map((row) => ({ ...row, text: cutOff(row.text) }));
}

function cutOff(text: string): string {
  return text.length <= ROW_COLUMNS ? text : `${text.slice(0, ROW_COLUMNS - 1)}…`;
}

function field(name: string, text: string): string {
  return `  ${name.padEnd(7)}  ${text}`;
}

/** Those of whom the sentence speaks, with what they are in the call; everyone when it names nobody. */
function describePeople(plan: Plan, detail: string): string {
  const named = peopleNamed(plan.peers, detail);
  const people = named.length > 0 ? named : plan.peers;
  const shown = people.slice(0, NAMES_MAX).map(({ name, room, camera, microphone }) => {
    const sends = [...(camera === null ? [] : [camera]), ...(microphone === null ? [] : ["microphone"])];
    return `${name} in ${room}${sends.length === 0 ? "" : ` with ${sends.join(" and ")}`}`;
  });
  const more = people.length - shown.length;
  return `${shown.join("; ")}${more > 0 ? `; ${more} more` : ""}`;
}

function describePlan(plan: Plan): string {
  const rooms = new Set(plan.peers.map(({ room }) => room)).size;
  const promises = plan.always.length + plan.finally.length;
  const parts = [
    `${count(plan.peers.length, "peer")} in ${count(rooms, "room")}`,
    count(plan.steps.length, "step") || "no steps",
    `${plan.runForMicros / 1_000_000} s`,
    promises === 0 ? "no promise of its own" : `${count(promises, "promise")} of its own`,
    plan.decisions === undefined ? "" : `${count(plan.decisions.length, "fixed decision")}`,
  ];
  return parts.filter((part) => part !== "").join(", ");
}

/** What the server was made with, where that is not as usual. */
function knobsOf({ knobs }: Plan): string[] {
  const text = knobsText(knobs);
  return text === "" ? [] : [field("knobs", readableTimes(text))];
}

/** "2 rooms"; "" for none. */
function count(number: number, word: string): string {
  return number === 0 ? "" : `${number} ${word}${number === 1 ? "" : "s"}`;
}
