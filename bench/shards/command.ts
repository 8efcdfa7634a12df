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
import { FILM_PACKET_BYTES_MAX, FILM_PACKET_BYTES_MIN } from "../load/film.ts";
import { shapeWords } from "../load/shape.ts";
import { describeMachine, machineLine } from "../machine.ts";
import { type RunFigure, readRuns, repeat, summarize, summaryText } from "../runs.ts";
import { boundedNumber, FLAGS, measuring, type Progress } from "../words.ts";

const DEFAULTS = { rooms: "4", subscribers: "25", rate: "300", size: "1200", seconds: "5", runs: "1" } as const;
const SHARDS = [1, 2] as const;

type Flags = Readonly<Record<keyof typeof DEFAULTS, string>> & { readonly json?: boolean };

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
  const command = createSubcommand(
    "bench shards",
    "Measure what a packet costs with one shard and with two.",
    "lockstep bench shards --rooms 8 --runs 3",
  )
    .option("--rooms <N>", "rooms for each shard, of one publisher each", DEFAULTS.rooms)
    .option("--subscribers <N>", "subscribers in each room", DEFAULTS.subscribers)
    .option("--rate <N>", "packets a second of each publisher", DEFAULTS.rate)
    .option(...FLAGS.size, DEFAULTS.size)
    .option(...FLAGS.seconds, DEFAULTS.seconds)
    .option(...FLAGS.runs, DEFAULTS.runs)
    .option(...FLAGS.json);
  return answer(command, words, measure);
}

async function measure(flags: Flags): Promise<number> {
  const subscribers = boundedNumber(flags.subscribers, "--subscribers", 1, LIMITS.participantsPerRoomMax - 1);
  const rate = boundedNumber(flags.rate, "--rate", 1, 50_000);
  const options: ForwardOptions = {
    rooms: boundedNumber(flags.rooms, "--rooms", 1, 500),
    room: { kind: "fan-out", publishers: 1, subscribers },
    packetsPerSecond: rate,
    packetBytes: boundedNumber(flags.size, "--size", FILM_PACKET_BYTES_MIN, FILM_PACKET_BYTES_MAX),
    rates: [rate],
    seconds: boundedNumber(flags.seconds, "--seconds", 1, 600),
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
