/**
 * `lockstep bench receive`: what a datagram costs on its way in, as the server takes it and in the ways that it might.
 */
import { EXIT, Misuse } from "../../io-sim/cli/misuse.ts";
import { answer, createSubcommand } from "../../io-sim/cli/subcommand.ts";
import { describeMachine, machineLine } from "../machine.ts";
import { middleRun, type Reports, type RunFigure, readRuns, repeat, summarize, summaryText } from "../runs.ts";
import { boundedNumber, FLAGS, measuring } from "../words.ts";
import type { WayFigure } from "./measure-receive.ts";
import type { ReceiveShape } from "./ways.ts";

const DEFAULTS = { flows: "200", burst: "1", size: "1200", seconds: "2", runs: "1" } as const;

type Flags = Readonly<Record<keyof typeof DEFAULTS, string>> & { readonly json?: boolean };

/** Runs `bench receive …`. */
export function benchReceive(words: readonly string[]): Promise<number> {
  const command = createSubcommand(
    "bench receive",
    "Measure what taking a datagram in costs, in more ways than one.",
    "lockstep bench receive --flows 1000 --burst 4",
  )
    .option("--flows <N>", "participants, half of them on either of two shards", DEFAULTS.flows)
    .option("--burst <N>", "datagrams that one sends together: a power of two", DEFAULTS.burst)
    .option("--size <BYTES>", "bytes of a datagram", DEFAULTS.size)
    .option("--seconds <N>", "seconds that each way is measured", DEFAULTS.seconds)
    .option(...FLAGS.runs, DEFAULTS.runs)
    .option(...FLAGS.json);
  return answer(command, words, measure);
}

async function measure(flags: Flags): Promise<number> {
  const shape: ReceiveShape = {
    flows: boundedNumber(flags.flows, "--flows", 2, 4_000),
    burst: boundedNumber(flags.burst, "--burst", 1, 64),
    datagramBytes: boundedNumber(flags.size, "--size", 32, 1_472),
  };
  if ((shape.burst & (shape.burst - 1)) !== 0) throw new Misuse(`--burst takes a power of two, not ${shape.burst}.`);
  const seconds = boundedNumber(flags.seconds, "--seconds", 1, 600);
  const runs = readRuns(flags.runs);
  const { measureReceive } = await import("./measure-receive.ts");
  const machine = describeMachine();
  return measuring(async (progress) => {
    const all = await repeat(runs, progress, (ofRun) => measureReceive(shape, seconds, ofRun));
    progress("", 1);
    const figures = receiveFigures(all);
    const ways = middleRun(all, ([first]) => totalOf(first!));
    if (flags.json === true) {
      const report = { benchmark: "receive", machine, options: { ...shape, seconds }, ways, runs };
      process.stdout.write(`${JSON.stringify({ ...report, summary: summarize(figures) })}\n`);
      return EXIT.HELD;
    }
    process.stdout.write(`Machine     ${machineLine(machine)}\n`);
    const { flows, burst, datagramBytes } = shape;
    process.stdout.write(`Load        ${flows} senders of ${datagramBytes} bytes, ${burst} at a time; two shards\n\n`);
    for (const each of ways) process.stdout.write(wayLine(each));
    process.stdout.write(summaryText(figures));
    return EXIT.HELD;
  });
}

function wayLine(figure: WayFigure): string {
  const { name, sendMicros, receiveMicros } = figure;
  const parts = `sent and queued ${sendMicros.toFixed(2)}, read ${receiveMicros.toFixed(2)}`;
  return `${name.padEnd(30)}${totalOf(figure).toFixed(2)} µs a datagram (${parts})\n`;
}

function totalOf({ sendMicros, receiveMicros }: WayFigure): number {
  return sendMicros + receiveMicros;
}

function receiveFigures(runs: Reports<readonly WayFigure[]>): RunFigure[] {
  return runs[0].flatMap(({ name }, index) => [
    { name: `${name}, µs a datagram`, digits: 2, values: runs.map((run) => totalOf(run[index]!)) },
    { name: `${name}, of it reading`, digits: 2, values: runs.map((run) => run[index]!.receiveMicros) },
  ]);
}
