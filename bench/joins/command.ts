/**
 * `lockstep bench joins`: what a join costs, how many come in a second, and whether everybody then hears and sees.
 */
import { LIMITS } from "../../core/index.ts";
import { EXIT, Misuse } from "../../io-sim/cli/misuse.ts";
import { answer, createSubcommand } from "../../io-sim/cli/subcommand.ts";
import { describeMachine } from "../machine.ts";
import { addNumbers, type NumberTexts, RATE, RUNS, readNumbers } from "../numbers.ts";
import { middleRun, readRuns, repeat, summarize, summaryText } from "../runs.ts";
import { FLAGS, measuring, serveWords } from "../words.ts";
import type { JoinsOptions } from "./measure-joins.ts";

/** Everybody has a slot for each of them, and an offer has so many m-lines for either kind. */
const SPEAKERS_MAX = LIMITS.sdpMediaMax / 2;

const NUMBERS = {
  participants: { help: "those who join", usual: 500, least: 2, greatest: 10_000 },
  within: { help: "the time in which they come", unit: "SECONDS", usual: 5, least: 1, greatest: 600 },
  room: { help: "participants of each room", usual: 10, least: 2, greatest: LIMITS.participantsPerRoomMax },
  // One alone in a room would neither hear nor see.
  speakers: { help: "of these, those who send video and sound", usual: 2, least: 2, greatest: SPEAKERS_MAX },
  rate: { ...RATE, usual: 10, greatest: 1_000 },
  runs: RUNS,
} as const;

type Flags = NumberTexts<typeof NUMBERS> & {
  readonly io?: string;
  readonly shards?: string;
  readonly json?: boolean;
};

/** Runs `bench joins …`. */
export function benchJoins(words: readonly string[]): Promise<number> {
  const command = addNumbers(
    createSubcommand(
      "bench joins",
      "Measure joins with real handshakes: their price, and a storm of them.",
      "lockstep bench joins --participants 1000 --room 20",
    ),
    NUMBERS,
  )
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
  const { participants, within, room: people, speakers, rate } = readNumbers(flags, NUMBERS);
  if (participants % people !== 0)
    throw new Misuse(`--participants must fill rooms of ${people}: take a multiple of it.`);
  if (speakers > people) throw new Misuse(`--speakers takes no more than the ${people} of a room, not ${speakers}.`);
  return {
    participants,
    withinSeconds: within,
    people,
    speakers,
    packetsPerSecond: rate,
    serveWords: serveWords(flags),
  };
}
