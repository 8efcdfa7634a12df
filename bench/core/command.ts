/**
 * `lockstep bench core`: what the core costs on this machine, without sockets and, in half of the figures, without
 * cryptography.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { AEAD_TAG_BYTES, LIMITS } from "../../core/index.ts";
import { EXIT } from "../../io-sim/cli/misuse.ts";
import { answer, createSubcommand } from "../../io-sim/cli/subcommand.ts";
import { describeMachine } from "../machine.ts";
import { addNumbers, boundedNumber, type NumberTexts, RUNS, readNumbers } from "../numbers.ts";
import { readRuns, repeat, summarize, summaryText } from "../runs.ts";
import { createProgress, FLAGS } from "../words.ts";
import type { CoreBenchOptions } from "./core-bench.ts";
import type { Meter } from "./meter.ts";
import { benchReport, coreFigures } from "./report.ts";
import { PACKET_BYTES_MIN } from "./speaker.ts";

/** One of a full room speaks. */
const FAN_OUT_MAX = LIMITS.participantsPerRoomMax - 1;
const PACKET_BYTES_MAX = LIMITS.rtpPacketBytesMax - AEAD_TAG_BYTES;

const NUMBERS = {
  packets: {
    help: "packets forwarded for each figure; a tenth with real cryptography",
    usual: 1_000_000,
    least: 1,
    greatest: 1_000_000_000,
  },
  size: {
    help: "bytes of an RTP packet before it is sealed",
    unit: "BYTES",
    usual: 1_200,
    least: PACKET_BYTES_MIN,
    greatest: PACKET_BYTES_MAX,
  },
  seconds: { help: "simulated seconds of each room", usual: 10, least: 1, greatest: 3_600 },
  runs: RUNS,
} as const;

/** Runs `bench core …`. */
export function benchCore(words: readonly string[]): Promise<number> {
  const command = addNumbers(
    createSubcommand(
      "bench core",
      "Measure the core alone: forwarding, garbage, simulated time.",
      "lockstep bench core --fanout 1,100 --runs 3",
    ),
    NUMBERS,
  )
    .option("--fanout <LIST>", "subscribers of the one publication", "1,10,100")
    .option(...FLAGS.json);
  return answer(command, words, measure);
}

type Flags = NumberTexts<typeof NUMBERS> & { readonly fanout: string; readonly json?: boolean };

async function measure(flags: Flags): Promise<number> {
  const { packets, size, seconds } = readNumbers(flags, NUMBERS);
  const options: CoreBenchOptions = {
    fanOuts: flags.fanout.split(",").map((text) => boundedNumber(text, "--fanout", 1, FAN_OUT_MAX)),
    packets,
    packetBytes: size,
    seconds,
  };
  // Loaded only now, so that help and wrong use are answered at once.
  const runs = readRuns(flags.runs);
  const { measureCore } = await import("./core-bench.ts");
  const machine = describeMachine();
  const meter = createMeter();
  const all = await repeat(runs, createProgress(), (progress) => measureCore(options, meter, progress));
  const figures = coreFigures(all);
  // Each figure has a median of its own; the tables are those of one run.
  const report = { benchmark: "core", machine, options, ...all[0] } as const;
  process.stdout.write(
    flags.json === true
      ? `${JSON.stringify(runs === 1 ? report : { ...report, runs, summary: summarize(figures) })}\n`
      : `${benchReport(report)}${summaryText(figures)}`,
  );
  return EXIT.HELD;
}

/** The clock and the heap of this process. The garbage collector can be called without a flag at the start. */
function createMeter(): Meter {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (options: { type: "minor" }) => void;
  return {
    cpuMicros() {
      const { user, system } = process.cpuUsage();
      return user + system;
    },
    heapBytes: () => process.memoryUsage().heapUsed,
    collect: () => collect({ type: "minor" }),
  };
}
