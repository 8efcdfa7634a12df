/**
 * `lockstep bench limit`: what kernel and cipher alone cost for each packet, through the fast host's adapter and in C.
 */
import { EXIT } from "../../io-sim/cli/misuse.ts";
import { answer, createSubcommand } from "../../io-sim/cli/subcommand.ts";
import { describeMachine, machineLine } from "../machine.ts";
import { addNumbers, type NumberTexts, RATE, RUNS, readNumbers, SECONDS, SIZE } from "../numbers.ts";
import { middleRun, type RunFigure, readRuns, repeat, summarize, summaryText } from "../runs.ts";
import { FLAGS, measuring } from "../words.ts";
import type { LimitFigure, LimitShape } from "./measure-limit.ts";

const SUBSCRIBERS_MAX = 2_000;

const NUMBERS = {
  subscribers: {
    help: "sockets that every packet is sealed for and sent to",
    usual: 100,
    least: 1,
    greatest: SUBSCRIBERS_MAX,
  },
  rate: { ...RATE, help: "packets a second that come in", usual: 1_000 },
  size: SIZE,
  seconds: { ...SECONDS, usual: 5 },
  runs: RUNS,
} as const;

type Flags = NumberTexts<typeof NUMBERS> & { readonly json?: boolean };

/** Runs `bench limit …`. */
export function benchLimit(words: readonly string[]): Promise<number> {
  const command = addNumbers(
    createSubcommand(
      "bench limit",
      "Measure what forwarding costs when there is no server behind it.",
      "lockstep bench limit --subscribers 500",
    ),
    NUMBERS,
  ).option(...FLAGS.json);
  return answer(command, words, measure);
}

async function measure(flags: Flags): Promise<number> {
  const { subscribers, rate, size, seconds } = readNumbers(flags, NUMBERS);
  const shape: LimitShape = { subscribers, packetsPerSecond: rate, packetBytes: size, seconds };
  const runs = readRuns(flags.runs);
  const { measureAdapterLimit, measureCLimit } = await import("./measure-limit.ts");
  const machine = describeMachine();
  return measuring(async (progress) => {
    const reports = await repeat(runs, progress, async (ofRun) => {
      ofRun("through the adapter", 0);
      const adapter = await measureAdapterLimit(shape);
      ofRun("in C", 0.5);
      const inC = await measureCLimit(shape);
      ofRun("", 1);
      return { adapter, inC };
    });
    const figures = limitFigures(reports);
    const { adapter, inC } = middleRun(reports, microsOf);
    if (flags.json === true) {
      const c = typeof inC === "string" ? null : inC;
      const report = { benchmark: "limit", machine, options: shape, adapter, c, runs, summary: summarize(figures) };
      process.stdout.write(`${JSON.stringify(report)}\n`);
      return EXIT.HELD;
    }
    process.stdout.write(`Machine     ${machineLine(machine)}\n`);
    process.stdout.write(`Load        ${subscribers} subscribers, packets of ${size} bytes, AES-128-GCM\n`);
    process.stdout.write(figureLine("Adapter", adapter));
    process.stdout.write(typeof inC === "string" ? `${inC}\n` : figureLine("C", inC));
    process.stdout.write(summaryText(figures));
    return EXIT.HELD;
  });
}

/** One run. */
interface LimitRun {
  readonly adapter: LimitFigure;
  /** Or a sentence that says why it is not known. */
  readonly inC: LimitFigure | string;
}

function microsOf({ adapter }: LimitRun): number {
  return adapter.microsPerPacket;
}

function limitFigures(runs: readonly LimitRun[]): RunFigure[] {
  const inC = runs.map((run) => (typeof run.inC === "string" ? null : run.inC.microsPerPacket));
  return [
    { name: "through the adapter, µs a packet", digits: 2, values: runs.map(microsOf) },
    { name: "in C, µs a packet", digits: 2, values: inC },
  ];
}

function figureLine(name: string, figure: LimitFigure): string {
  const { microsPerPacket, userMicrosPerPacket, systemMicrosPerPacket, lossRatio } = figure;
  const parts = `user ${userMicrosPerPacket.toFixed(2)}, system ${systemMicrosPerPacket.toFixed(2)}`;
  const loss = `loss ${(lossRatio * 100).toFixed(3)} %`;
  return `${name.padEnd(12)}${microsPerPacket.toFixed(2)} µs a packet (${parts}), ${loss}\n`;
}
