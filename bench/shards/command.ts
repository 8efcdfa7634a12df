/**
 * `lockstep bench shards`: what a forwarded packet costs with one shard, and with two of which each has as much to do.
 *
 * Two shards carry twice what one does as long as a packet costs the same, so the price tells how they scale even where the
 * generator takes one of two cores. The load of *each* shard stays the same: what counts is a shard at its work, and one
 * with half as much to do pays for its wake-ups with half as many packets.
 */
import { LIMITS } from "../../core/index.ts";
import { EXIT } from "../../io-sim/cli/misuse.ts";
import { answer, createSubcommand } from "../../io-sim/cli/subcommand.ts";
import { bestStep, type ForwardOptions } from "../forward/measure-forward.ts";
import { shapeWords } from "../load/shape.ts";
import { describeMachine, machineLine } from "../machine.ts";
import { addNumbers, type NumberTexts, RATE, RUNS, readNumbers, SECONDS, SIZE } from "../numbers.ts";
import { type RunFigure, readRuns, repeat, summarize, summaryText } from "../runs.ts";
import { FLAGS, measuring, type Progress } from "../words.ts";

const NUMBERS = {
  rooms: { help: "rooms for each shard, of one publisher each", usual: 4, least: 1, greatest: 500 },
  subscribers: { help: "subscribers in each room", usual: 25, least: 1, greatest: LIMITS.participantsPerRoomMax - 1 },
  rate: { ...RATE, usual: 300 },
  size: SIZE,
  seconds: { ...SECONDS, usual: 5 },
  runs: RUNS,
} as const;
const SHARDS = [1, 2] as const;

type Flags = NumberTexts<typeof NUMBERS> & { readonly json?: boolean };

/** What so many shards needed. */
interface ShardsFigure {
  readonly shards: number;
  readonly cpuMicrosPerForwardedPacket: number;
  readonly packetsPerSecond: number;
  readonly lossRatio: number;
  readonly delayP99Micros: number;
}

/** Runs `bench shards …`. */
export function benchShards(words: readonly string[]): Promise<number> {
  const command = addNumbers(
    createSubcommand(
      "bench shards",
      "Measure what a packet costs with one shard and with two.",
      "lockstep bench shards --rooms 8 --runs 3",
    ),
    NUMBERS,
  ).option(...FLAGS.json);
  return answer(command, words, measure);
}

async function measure(flags: Flags): Promise<number> {
  const { rooms, subscribers, rate, size, seconds } = readNumbers(flags, NUMBERS);
  const options: ForwardOptions = {
    rooms,
    room: { kind: "fan-out", publishers: 1, subscribers },
    packetsPerSecond: rate,
    packetBytes: size,
    rates: [rate],
    seconds,
    server: undefined,
    serveWords: [],
    limits: false,
  };
  const runs = readRuns(flags.runs);
  const machine = describeMachine();
  return measuring(async (progress) => {
    const all = await repeat(runs, progress, (ofRun) => measureShards(options, ofRun));
    const figures = figuresOf(all);
    const summary = summarize(figures);
    if (flags.json === true) {
      const report = { benchmark: "shards", machine, options, shards: all[0], runs, summary };
      process.stdout.write(`${JSON.stringify(report)}\n`);
      return EXIT.HELD;
    }
    const lines = [
      `Machine     ${machineLine(machine)}`,
      `Load        for each shard ${shapeWords(options)}, ${rate} packets/s each; ${options.seconds} s each`,
      "",
      "  shards   packets/s   µs/packet    loss %   delay p99, ms",
      ...all[0].map(figureLine),
      "",
      `By their price, two shards on two cores carry ${gainOf(all[0]).toFixed(2)} times what one carries on one.`,
    ];
    process.stdout.write(`${lines.join("\n")}\n${summaryText(figures)}`);
    return EXIT.HELD;
  });
}

async function measureShards(options: ForwardOptions, progress: Progress): Promise<ShardsFigure[]> {
  // Loaded only now, so that help and wrong use are answered at once.
  const { measureForward } = await import("../forward/measure-forward.ts");
  const figures: ShardsFigure[] = [];
  for (const shards of SHARDS) {
    const load = { ...options, rooms: options.rooms * shards, serveWords: ["--shards", String(shards)] };
    const { steps } = await measureForward(load, (what, part) =>
      progress(`${shards} of ${SHARDS.length} shards, ${what}`, part),
    );
    const { cpuMicrosPerForwardedPacket, packetsPerSecond, lossRatio, addedDelayMicros } = bestStep(steps);
    if (cpuMicrosPerForwardedPacket === null) throw new Error("nothing was forwarded");
    figures.push({
      shards,
      cpuMicrosPerForwardedPacket,
      packetsPerSecond,
      lossRatio,
      delayP99Micros: addedDelayMicros.p99,
    });
  }
  return figures;
}

/** How many times what one shard carries the greatest number of them does, by the price of a packet. */
function gainOf(figures: readonly ShardsFigure[]): number {
  const [one, many] = [figures[0]!, figures.at(-1)!];
  return (many.shards * one.cpuMicrosPerForwardedPacket) / many.cpuMicrosPerForwardedPacket;
}

function figuresOf(runs: readonly ShardsFigure[][]): RunFigure[] {
  const costs = SHARDS.map((shards, index) => ({
    name: `µs a packet with ${shards === 1 ? "one shard" : `${shards} shards`}`,
    digits: 2,
    values: runs.map((figures) => figures[index]!.cpuMicrosPerForwardedPacket),
  }));
  return [...costs, { name: "two shards carry, times one", digits: 2, values: runs.map(gainOf) }];
}

function figureLine(figure: ShardsFigure): string {
  return [
    String(figure.shards).padStart(8),
    Math.round(figure.packetsPerSecond).toLocaleString("en").padStart(12),
    figure.cpuMicrosPerForwardedPacket.toFixed(2).padStart(12),
    (figure.lossRatio * 100).toFixed(3).padStart(10),
    (figure.delayP99Micros / 1_000).toFixed(2).padStart(16),
  ].join("");
}
