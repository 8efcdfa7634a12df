/**
 * `lockstep sim --equalities`: what may make no difference in a story, put to the test, as a table or as lines of JSON.
 *
 * A line of the table is one run of a story, and each equality has a column with the number that stands before its name
 * below the table. What differs is told in full: in which variant, and where somebody in the call first got something else.
 */
import { EQUALITIES } from "../equalities/equalities.ts";
import type { Plan } from "../story/plan.ts";
import { createCrew } from "./crew.ts";
import { COMPARING, type EqualityAnswer } from "./equality-worker.ts";

/** One run to compare with its variants. */
export interface EqualityRun {
  readonly plan: Plan;
  readonly seed: number;
}

const MARKS = { held: "=", excused: "-", differs: "X" } as const satisfies Record<EqualityAnswer["verdict"], string>;
const MARK_EARLY = "~";
const LEGEND =
  "= makes no difference, ~ none up to a keyframe request that left at another turn, - says nothing of this story, X makes one";

/** Puts all equalities to the test with these runs; answers whether all held that have no excuse. */
export async function compareRuns(runs: readonly EqualityRun[], workers: number, json: boolean): Promise<boolean> {
  const crew = createCrew(COMPARING, workers);
  const told: EqualityAnswer[] = [];
  const width = Math.max(5, ...runs.map(({ plan }) => plan.name.length));
  try {
    if (!json) process.stdout.write(`${lineOf("story", "seed", width, numbers())}\n`);
    const asked = runs.map((one) => Promise.all(EQUALITIES.map(({ name }) => crew.ask({ ...one, equality: name }))));
    // Whoever fails before his turn must not count as forgotten.
    for (const answers of asked) answers.catch(() => {});
    for (const answers of asked) {
      const ofRun = await answers;
      told.push(...ofRun);
      process.stdout.write(json ? ofRun.map((one) => `${JSON.stringify(one)}\n`).join("") : `${rowOf(ofRun, width)}\n`);
    }
  } finally {
    await crew.close();
  }
  if (!json) for (const line of ending(told)) process.stdout.write(`${line}\n`);
  return told.every(({ verdict }) => verdict !== "differs");
}

function numbers(): string[] {
  return EQUALITIES.map((_, index) => String(index + 1));
}

function rowOf(answers: readonly EqualityAnswer[], width: number): string {
  const { story, seed } = answers[0]!;
  const marks = answers.map(({ verdict, endsEarly }) =>
    verdict === "held" && endsEarly ? MARK_EARLY : MARKS[verdict],
  );
  return lineOf(story, String(seed), width, marks);
}

function lineOf(story: string, seed: string, width: number, cells: readonly string[]): string {
  return `${story.padEnd(width)}  ${seed.padStart(6)}  ${cells.map((cell) => cell.padStart(2)).join(" ")}`;
}

/** What the numbers and marks mean, what differs, and how many comparisons there were. */
function ending(answers: readonly EqualityAnswer[]): string[] {
  const count = (verdict: EqualityAnswer["verdict"]) => answers.filter((each) => each.verdict === verdict).length;
  const differing = answers.filter(({ verdict }) => verdict === "differs");
  const early = answers
    .filter(({ verdict, endsEarly }) => verdict === "held" && endsEarly)
    .map(({ story, seed, equality, comparedMicros }) => {
      return `~  ${story}, seed ${seed}: ${equality}, for ${(comparedMicros / 1_000_000).toFixed(1)} s`;
    });
  return [
    "",
    ...EQUALITIES.map(({ name }, index) => `${String(index + 1).padStart(2)}  ${name}`),
    LEGEND,
    ...differing.flatMap(({ story, seed, equality, variant, difference }) => [
      "",
      `DIFFERENT  ${story}, seed ${seed}: ${equality} (${variant})`,
      `  ${difference}`,
    ]),
    "",
    ...early,
    `${count("held")} of ${count("held") + differing.length} comparisons held, ${count("excused")} were excused.`,
  ];
}
