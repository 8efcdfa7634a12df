/**
 * `lockstep bench joins`: what a join costs, how many come in a second, and whether everybody then hears and sees.
 */
import { LIMITS } from "../../core/index.ts";
import { EXIT, Misuse } from "../../io-sim/cli/misuse.ts";
import { answer, createSubcommand } from "../../io-sim/cli/subcommand.ts";
import { describeMachine } from "../machine.ts";
import { middleRun, readRuns, repeat, summarize, summaryText } from "../runs.ts";
import { boundedNumber, FLAGS, measuring, serveWords } from "../words.ts";
import type { JoinsOptions } from "./measure-joins.ts";

/** Everybody has a slot for each of them, and an offer has so many m-lines for either kind. */
const SPEAKERS_MAX = LIMITS.sdpMediaMax / 2;

const DEFAULTS = { participants: "500", within: "5", room: "10", speakers: "2", rate: "10", runs: "1" } as const;

type Flags = Readonly<Record<keyof typeof DEFAULTS, string>> & {
  readonly io?: string;
  readonly shards?: string;
  readonly json?: boolean;
};

/** Runs `bench joins …`. */
export function benchJoins(words: readonly string[]): Promise<number> {
  const command = createSubcommand(
    "bench joins",
    "Measure joins with real handshakes: their price, and a storm of them.",
    "lockstep bench joins --participants 1000 --room 20",
  )
    .option("--participants <N>", "those who join", DEFAULTS.participants)
    .option("--within <SECONDS>", "the time in which they come", DEFAULTS.within)
    .option("--room <N>", "participants of each room", DEFAULTS.room)
    .option(...FLAGS.speakers, DEFAULTS.speakers)
    .option(...FLAGS.videoRate, DEFAULTS.rate)
    .option(...FLAGS.runs, DEFAULTS.runs)
    .option(...FLAGS.io)
    .option(...FLAGS.shards)
    .option(...FLAGS.json);
  return answer(command, words, measure);
}

async function measure(flags: Flags): Promise<number> {
  const options = readOptions(flags);
  const runs = readRuns(flags.runs);
  // Loaded only now, so that help and wrong use are answered at once.
  const { measureJoins } = await import("./measure-joins.ts");
  const { joinsFigures, joinsText } = await import("./report.ts");
  const machine = describeMachine();
  return measuring(async (progress) => {
    const all = await repeat(runs, progress, (ofRun) => measureJoins(options, ofRun));
    const median = middleRun(all, ({ price }) => price.cpuMillisPerJoin);
    const report = { benchmark: "joins", machine, options, ...median } as const;
    const figures = joinsFigures(all);
    process.stdout.write(
      flags.json === true
        ? `${JSON.stringify({ ...report, runs, summary: summarize(figures) })}\n`
        : `${joinsText(report)}${summaryText(figures)}`,
    );
    return all.every((each) => each.everybodyHearsAndSees) ? EXIT.HELD : EXIT.BROKEN;
  });
}

function readOptions(flags: Flags): JoinsOptions {
  const people = boundedNumber(flags.room, "--room", 2, LIMITS.participantsPerRoomMax);
  const participants = boundedNumber(flags.participants, "--participants", people, 10_000);
  if (participants % people !== 0)
    throw new Misuse(`--participants must fill rooms of ${people}: take a multiple of it.`);
  return {
    participants,
    withinSeconds: boundedNumber(flags.within, "--within", 1, 600),
    people,
    // One alone in a room would neither hear nor see.
    speakers: boundedNumber(flags.speakers, "--speakers", 2, Math.min(people, SPEAKERS_MAX)),
    packetsPerSecond: boundedNumber(flags.rate, "--rate", 1, 1_000),
    serveWords: serveWords(flags),
  };
}
