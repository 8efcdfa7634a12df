/**
 * `lockstep bench core`: what the core costs on this machine.
 *
 * The report goes to standard output, as a table for people or with `--json` as one object; a progress line goes to
 * standard error while that is a terminal. The exit status is 0 when everything was measured and 2 when the command was
 * used wrongly, with one sentence that says how.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Command, CommanderError } from "commander";
import { LIMITS } from "../../core/index.ts";
import type { CoreBenchOptions } from "../bench/core-bench.ts";
import type { Meter } from "../bench/meter.ts";
import { PACKET_BYTES_MIN } from "../bench/speaker.ts";
import { benchReport, describeMachine } from "./bench-report.ts";

const DEFAULTS = { fanout: "1,10,100", packets: "1000000", size: "1200", seconds: "10" } as const;

/** A shard takes a room of 500; one of them speaks. */
const FAN_OUT_MAX = LIMITS.participantsPerRoomMax - 1;
const PACKET_BYTES_MAX = LIMITS.rtpPacketBytesMax - 16;

/** Something the caller must do differently; the message is the sentence that says what. */
class Misuse extends Error {}

/** Runs `bench …`; `argv` is what follows the word. Answers the exit status. */
export async function main(argv: string[]): Promise<number> {
  let parsed: { options: CoreBenchOptions; json: boolean };
  try {
    parsed = parse(argv);
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (!(error instanceof CommanderError || error instanceof Misuse)) throw error;
    process.stderr.write(`${error.message.replace(/^error: /, "")}\n`);
    return 2;
  }
  // Loaded only now, so that help and wrong use are answered at once.
  const { measureCore } = await import("../bench/core-bench.ts");
  const machine = describeMachine();
  const figures = measureCore(parsed.options, createMeter(), createProgress());
  const report = { benchmark: "core", machine, options: parsed.options, ...figures } as const;
  process.stdout.write(parsed.json ? `${JSON.stringify(report)}\n` : benchReport(report));
  return 0;
}

function parse(argv: string[]): { options: CoreBenchOptions; json: boolean } {
  const command = new Command("lockstep bench")
    .exitOverride()
    .showHelpAfterError(false)
    .showSuggestionAfterError(false)
    .configureOutput({ writeErr: () => {} })
    .description("Measures what the core costs on this machine: forwarding, garbage, simulated time.")
    .argument("<subject>", 'what to measure: "core" is all there is')
    .option("--fanout <LIST>", "subscribers of the one publication", DEFAULTS.fanout)
    .option("--packets <N>", "packets forwarded for each figure; a tenth with real cryptography", DEFAULTS.packets)
    .option("--size <BYTES>", "bytes of an RTP packet before it is sealed", DEFAULTS.size)
    .option("--seconds <N>", "simulated seconds of each room", DEFAULTS.seconds)
    .option("--json", "one JSON object");
  if (argv.length === 0) throw new Misuse('Say what to measure: "lockstep bench core".');
  command.parse(argv, { from: "user" });
  const [subject] = command.args;
  if (subject !== "core") throw new Misuse(`There is no benchmark called "${subject}"; "lockstep bench core" is one.`);
  const flags = command.opts<Record<keyof typeof DEFAULTS, string> & { json?: boolean }>();
  return {
    json: flags.json === true,
    options: {
      fanOuts: flags.fanout.split(",").map((text) => wholeNumber(text, "--fanout", 1, FAN_OUT_MAX)),
      packets: wholeNumber(flags.packets, "--packets", 1, 1_000_000_000),
      packetBytes: wholeNumber(flags.size, "--size", PACKET_BYTES_MIN, PACKET_BYTES_MAX),
      seconds: wholeNumber(flags.seconds, "--seconds", 1, 3_600),
    },
  };
}

function wholeNumber(text: string, flag: string, least: number, greatest: number): number {
  const value = /^\d{1,10}$/.test(text.trim()) ? Number(text) : -1;
  if (value < least || value > greatest) {
    const list = flag === "--fanout" ? "whole numbers" : "a whole number";
    throw new Misuse(`${flag} takes ${list} of ${least} to ${greatest}, not "${text}".`);
  }
  return value;
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

function createProgress(): (what: string, part: number) => void {
  let shown = "";
  return (what, part) => {
    if (process.stderr.isTTY !== true) return;
    const line = `${what}: ${Math.floor(part * 100)} %`;
    if (line !== shown) process.stderr.write(`\r\u001b[K${part < 1 ? line : ""}`);
    shown = line;
  };
}
