/**
 * `lockstep bench overload`: what a server sheds when it has more work than time, in which order, and how it recovers.
 */
import { writeFileSync } from "node:fs";
import { LIMITS } from "../../core/index.ts";
import { EXIT } from "../../io-sim/cli/misuse.ts";
import { answer, createSubcommand } from "../../io-sim/cli/subcommand.ts";
import { FILM_PACKET_BYTES_MAX, FILM_PACKET_BYTES_MIN } from "../load/film.ts";
import { describeMachine } from "../machine.ts";
import { boundedNumber, FLAGS, measuring, serveWords } from "../words.ts";
import type { OverloadOptions } from "./measure-overload.ts";

const DEFAULTS = {
  rooms: "2",
  room: "30",
  speakers: "2",
  size: "1200",
  settle: "5",
  seconds: "3",
  shards: "1",
} as const;
/** What a plan's rate is; the load is a multiple of it. */
const PLAN_RATE = 100;

type Flags = Readonly<Record<keyof typeof DEFAULTS, string>> & {
  readonly capacity?: string;
  readonly io?: string;
  readonly plot?: string;
  readonly json?: boolean;
};

/** Runs `bench overload …`. */
export function benchOverload(words: readonly string[]): Promise<number> {
  const command = createSubcommand(
    "bench overload",
    "Find what a server carries, give it up to three times that, and see it recover.",
    "lockstep bench overload --plot overload.svg",
  )
    .option("--rooms <N>", "rooms", DEFAULTS.rooms)
    .option("--room <N>", "participants of each room", DEFAULTS.room)
    .option(...FLAGS.speakers, DEFAULTS.speakers)
    .option(...FLAGS.videoSize, DEFAULTS.size)
    .option("--capacity <RATE>", "packets a second of each video stream that the server carries, in place of a search")
    .option("--settle <N>", "seconds of each step before it is measured", DEFAULTS.settle)
    .option("--seconds <N>", "seconds that each step is measured", DEFAULTS.seconds)
    .option(...FLAGS.io)
    .option(...FLAGS.shards, DEFAULTS.shards)
    .option("--plot <FILE>", "write what is kept and what is shed against the load as SVG")
    .option(...FLAGS.json);
  return answer(command, words, measure);
}

async function measure(flags: Flags): Promise<number> {
  const options = readOptions(flags);
  // Loaded only now, so that help and wrong use are answered at once.
  const { measureOverload } = await import("./measure-overload.ts");
  const { overloadPlot, overloadText } = await import("./report.ts");
  const machine = describeMachine();
  return measuring(async (progress) => {
    const figures = await measureOverload(options, progress);
    const report = { benchmark: "overload", machine, options, ...figures } as const;
    process.stdout.write(flags.json === true ? `${JSON.stringify(report)}\n` : overloadText(report));
    if (flags.plot !== undefined) writeFileSync(flags.plot, overloadPlot(report));
    return figures.broken.length > 0 ? EXIT.BROKEN : EXIT.HELD;
  });
}

function readOptions(flags: Flags): OverloadOptions {
  const people = boundedNumber(flags.room, "--room", 2, LIMITS.participantsPerRoomMax);
  const speakers = boundedNumber(flags.speakers, "--speakers", 1, Math.min(people, 32));
  return {
    rooms: boundedNumber(flags.rooms, "--rooms", 1, 1_000),
    room: { kind: "meeting", people, speakers },
    packetsPerSecond: PLAN_RATE,
    packetBytes: boundedNumber(flags.size, "--size", FILM_PACKET_BYTES_MIN, FILM_PACKET_BYTES_MAX),
    capacity: flags.capacity === undefined ? undefined : boundedNumber(flags.capacity, "--capacity", 1, 10_000),
    settleSeconds: boundedNumber(flags.settle, "--settle", 0, 600),
    seconds: boundedNumber(flags.seconds, "--seconds", 1, 600),
    serveWords: serveWords(flags),
  };
}
