/**
 * `lockstep bench forward`: what the whole server costs for each packet that it forwards, and what it adds in delay.
 */
import { writeFileSync } from "node:fs";
import { LIMITS } from "../../core/index.ts";
import { EXIT, Misuse } from "../../io-sim/cli/misuse.ts";
import { answer, createSubcommand } from "../../io-sim/cli/subcommand.ts";
import { FILM_PACKET_BYTES_MAX, FILM_PACKET_BYTES_MIN } from "../load/film.ts";
import type { RoomShape } from "../load/shape.ts";
import { describeMachine } from "../machine.ts";
import { readRuns, repeat, summarize, summaryText } from "../runs.ts";
import { boundedNumber, FLAGS, measuring, serveWords } from "../words.ts";
import type { ForwardOptions } from "./measure-forward.ts";

const DEFAULTS = {
  publishers: "1",
  subscribers: "100",
  rooms: "1",
  rate: "1000",
  size: "1200",
  seconds: "5",
  runs: "1",
} as const;

const ROOM_MAX = LIMITS.participantsPerRoomMax - 1;
const RATE_MAX = 50_000;
const STEPS_MAX = 50;

interface Flags extends Readonly<Record<keyof typeof DEFAULTS, string>> {
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
  const command = createSubcommand(
    "bench forward",
    "Measure a server under load, over real sockets, DTLS and SRTP.",
    "lockstep bench forward --meeting 10 --rooms 5",
  )
    .option("--publishers <N>", "publishers of one video stream each, in each room", DEFAULTS.publishers)
    .option("--subscribers <N>", "subscribers of all of them, in each room", DEFAULTS.subscribers)
    .option(
      "--meeting <N>",
      "rooms of N who all send video and sound and receive all others, in place of the two above",
    )
    .option("--speakers <N>", "of a meeting, only so many who send")
    .option("--rooms <N>", "rooms", DEFAULTS.rooms)
    .option(...FLAGS.videoRate, DEFAULTS.rate)
    .option("--ramp <FROM..TO/STEPS>", "a ramp of such rates in place of one")
    .option(...FLAGS.videoSize, DEFAULTS.size)
    .option("--seconds <N>", "seconds that each rate is measured", DEFAULTS.seconds)
    .option(...FLAGS.runs, DEFAULTS.runs)
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
  const rates = flags.ramp === undefined ? [boundedNumber(flags.rate, "--rate", 1, RATE_MAX)] : readRamp(flags.ramp);
  if (flags.server !== undefined && !/^https?:\/\/[^/]+\/?$/.test(flags.server)) {
    throw new Misuse(`--server takes the address of a page such as http://192.0.2.1:8080, not "${flags.server}".`);
  }
  if (flags.server !== undefined && (flags.io !== undefined || flags.shards !== undefined)) {
    throw new Misuse("--io and --shards are for a server of the benchmark's own: leave out --server.");
  }
  return {
    rooms: boundedNumber(flags.rooms, "--rooms", 1, 1_000),
    room: readRoom(flags),
    packetsPerSecond: rates[0]!,
    packetBytes: boundedNumber(flags.size, "--size", FILM_PACKET_BYTES_MIN, FILM_PACKET_BYTES_MAX),
    rates,
    seconds: boundedNumber(flags.seconds, "--seconds", 1, 600),
    server: flags.server?.replace(/\/$/, ""),
    serveWords: serveWords(flags),
    limits: flags.limits,
  };
}

function readRoom(flags: Flags): RoomShape {
  if (flags.meeting !== undefined) {
    const people = boundedNumber(flags.meeting, "--meeting", 2, 32);
    const speakers = flags.speakers === undefined ? people : boundedNumber(flags.speakers, "--speakers", 1, people);
    return { kind: "meeting", people, speakers };
  }
  if (flags.speakers !== undefined) throw new Misuse("--speakers is for a meeting: say how large with --meeting.");
  const publishers = boundedNumber(flags.publishers, "--publishers", 1, 32);
  const subscribers = boundedNumber(flags.subscribers, "--subscribers", 1, ROOM_MAX);
  if (publishers + subscribers > ROOM_MAX + 1) throw new Misuse(`A room takes ${ROOM_MAX + 1} participants at most.`);
  return { kind: "fan-out", publishers, subscribers };
}

function readRamp(text: string): number[] {
  const parts = /^(\d+)\.\.(\d+)\/(\d+)$/.exec(text);
  if (parts === null) throw new Misuse(`--ramp takes rates and steps such as 500..4000/8, not "${text}".`);
  const [from, to] = [parts[1]!, parts[2]!].map((word) => boundedNumber(word, "--ramp", 1, RATE_MAX)) as [
    number,
    number,
  ];
  const steps = boundedNumber(parts[3]!, "--ramp", 2, STEPS_MAX);
  if (to <= from) throw new Misuse("--ramp goes from a lower rate to a higher one.");
  return Array.from({ length: steps }, (_, step) => Math.round(from + ((to - from) * step) / (steps - 1)));
}
