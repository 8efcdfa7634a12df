/**
 * `lockstep bench forward`: what the whole server costs for each packet that it forwards, and what it adds in delay.
 */
import { writeFileSync } from "node:fs";
import { LIMITS } from "../../core/index.ts";
import { EXIT, Misuse } from "../../io-sim/cli/misuse.ts";
import { answer, createSubcommand } from "../../io-sim/cli/subcommand.ts";
import type { RoomShape } from "../load/shape.ts";
import { describeMachine } from "../machine.ts";
import { addNumbers, boundedNumber, type NumberTexts, RATE, RUNS, readNumbers, SECONDS, SIZE } from "../numbers.ts";
import { readRuns, repeat, summarize, summaryText } from "../runs.ts";
import { checkPlot, FLAGS, measuring, serveWords } from "../words.ts";
import type { ForwardOptions } from "./measure-forward.ts";

const ROOM_MAX = LIMITS.participantsPerRoomMax - 1;
const STEPS_MAX = 50;

const NUMBERS = {
  publishers: { help: "publishers of one video stream each, in each room", usual: 1, least: 1, greatest: 32 },
  subscribers: { help: "subscribers of all of them, in each room", usual: 100, least: 1, greatest: ROOM_MAX },
  rooms: { help: "rooms", usual: 1, least: 1, greatest: 1_000 },
  rate: { ...RATE, usual: 1_000 },
  size: SIZE,
  seconds: { ...SECONDS, help: "seconds that each rate is measured", usual: 5 },
  runs: RUNS,
} as const;

interface Flags extends NumberTexts<typeof NUMBERS> {
  readonly meeting?: string;
  readonly speakers?: string;
  readonly ramp?: string;
  readonly server?: string;
  readonly io?: string;
  readonly shards?: string;
  readonly limits: boolean;
  readonly plot?: string;
  readonly json?: boolean;
}

/** Runs `bench forward …`. */
export function benchForward(words: readonly string[]): Promise<number> {
  const command = addNumbers(
    createSubcommand(
      "bench forward",
      "Measure a server under load, over real sockets, DTLS and SRTP.",
      "lockstep bench forward --meeting 10 --rooms 5",
    ),
    NUMBERS,
  )
    .option(
      "--meeting <N>",
      "rooms of N who all send video and sound and receive all others, in place of --publishers and --subscribers",
    )
    .option("--speakers <N>", "of a meeting, only so many who send")
    .option("--ramp <FROM..TO/STEPS>", "a ramp of rates in place of --rate")
    .option(...FLAGS.io)
    .option(...FLAGS.shards)
    .option("--server <URL>", "another server, of this machine or another, in place of one of its own")
    .option("--no-limits", "leave out what kernel and cipher alone would cost")
    .option("--plot <FILE>", "write cost and delay against load as SVG")
    .option(...FLAGS.json);
  return answer(command, words, measure);
}

async function measure(flags: Flags): Promise<number> {
  const options = readOptions(flags);
  const runs = readRuns(flags.runs);
  checkPlot(flags.plot);
  // Loaded only now, so that help and wrong use are answered at once.
  const { measureForward } = await import("./measure-forward.ts");
  const { createForwardReport, forwardFigures, forwardText, medianReport } = await import("./report.ts");
  const machine = describeMachine();
  return measuring(async (progress) => {
    const reports = await repeat(runs, progress, async (ofRun) => {
      const figures = await measureForward(options, ofRun);
      return createForwardReport(machine, options, figures);
    });
    const report = medianReport(reports);
    const figures = forwardFigures(reports);
    process.stdout.write(
      flags.json === true
        ? `${JSON.stringify({ ...report, runs, summary: summarize(figures) })}\n`
        : `${forwardText(report)}${summaryText(figures)}`,
    );
    if (flags.plot !== undefined) writeFileSync(flags.plot, (await import("./plot.ts")).forwardPlot(report));
    return reports.some(({ steps }) => steps.some(({ wrong }) => wrong > 0)) ? EXIT.BROKEN : EXIT.HELD;
  });
}

function readOptions(flags: Flags): ForwardOptions {
  const numbers = readNumbers(flags, NUMBERS);
  const rates = flags.ramp === undefined ? [numbers.rate] : readRamp(flags.ramp);
  if (flags.server !== undefined && !/^https?:\/\/[^/]+\/?$/.test(flags.server)) {
    throw new Misuse(`--server takes the address of a page such as http://192.0.2.1:8080, not "${flags.server}".`);
  }
  if (flags.server !== undefined && (flags.io !== undefined || flags.shards !== undefined)) {
    throw new Misuse("--io and --shards are for a server of the benchmark's own: leave out --server.");
  }
  return {
    rooms: numbers.rooms,
    room: readRoom(flags, numbers),
    packetsPerSecond: rates[0]!,
    packetBytes: numbers.size,
    rates,
    seconds: numbers.seconds,
    server: flags.server?.replace(/\/$/, ""),
    serveWords: serveWords(flags),
    limits: flags.limits,
  };
}

function readRoom(flags: Flags, { publishers, subscribers }: Record<"publishers" | "subscribers", number>): RoomShape {
  if (flags.meeting !== undefined) {
    const people = boundedNumber(flags.meeting, "--meeting", 2, 32);
    const speakers = flags.speakers === undefined ? people : boundedNumber(flags.speakers, "--speakers", 1, people);
    return { kind: "meeting", people, speakers };
  }
  if (flags.speakers !== undefined) throw new Misuse("--speakers is for a meeting: say how large with --meeting.");
  if (publishers + subscribers > ROOM_MAX + 1) throw new Misuse(`A room takes ${ROOM_MAX + 1} participants at most.`);
  return { kind: "fan-out", publishers, subscribers };
}

function readRamp(text: string): number[] {
  const parts = /^(\d+)\.\.(\d+)\/(\d+)$/.exec(text);
  if (parts === null) throw new Misuse(`--ramp takes rates and steps such as 500..4000/8, not "${text}".`);
  const [from, to] = [parts[1]!, parts[2]!].map((word) => boundedNumber(word, "--ramp", RATE.least, RATE.greatest)) as [
    number,
    number,
  ];
  const steps = boundedNumber(parts[3]!, "--ramp", 2, STEPS_MAX);
  if (to <= from) throw new Misuse("--ramp goes from a lower rate to a higher one.");
  return Array.from({ length: steps }, (_, step) => Math.round(from + ((to - from) * step) / (steps - 1)));
}
