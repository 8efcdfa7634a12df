/**
 * `lockstep bench receive`: what a datagram costs on its way in, as the server takes it and in the ways that it might.
 */
import { EXIT, Misuse } from "../../io-sim/cli/misuse.ts";
import { answer, createSubcommand } from "../../io-sim/cli/subcommand.ts";
import { describeMachine, machineLine } from "../machine.ts";
import { addNumbers, type NumberTexts, RUNS, readNumbers, SECONDS } from "../numbers.ts";
import { middleRun, type Reports, type RunFigure, readRuns, repeat, summarize, summaryText } from "../runs.ts";
import { FLAGS, measuring } from "../words.ts";
import type { WayFigure } from "./measure-receive.ts";
import type { ReceiveShape } from "./ways.ts";

const NUMBERS = {
  flows: { help: "participants, half of them on either of two shards", usual: 200, least: 2, greatest: 4_000 },
  burst: { help: "datagrams that one sends together: a power of two", usual: 1, least: 1, greatest: 64 },
  size: { help: "bytes of a datagram", unit: "BYTES", usual: 1_200, least: 32, greatest: 1_472 },
  seconds: { ...SECONDS, help: "seconds that each way is measured", usual: 2 },
  runs: RUNS,
} as const;

type Flags = NumberTexts<typeof NUMBERS> & { readonly json?: boolean };

/** Runs `bench receive …`. */
export function benchReceive(words: readonly string[]): Promise<number> {
  const command = addNumbers(
    createSubcommand(
      "bench receive",
      "Measure what taking a datagram in costs, in more ways than one.",
      "lockstep bench receive --flows 1000 --burst 4",
    ),
    NUMBERS,
  ).option(...FLAGS.json);
  return answer(command, words, measure);
}

async function measure(flags: Flags): Promise<number> {
  const { flows, burst, size, seconds } = readNumbers(flags, NUMBERS);
  if ((burst & (burst - 1)) !== 0) throw new Misuse(`--burst takes a power of two, not ${burst}.`);
  const shape: ReceiveShape = { flows, burst, datagramBytes: size };
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
    process.stdout.write(`Load        ${flows} senders of ${size} bytes, ${burst} at a time; two shards\n\n`);
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
