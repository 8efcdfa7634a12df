/**
 * `lockstep bench overload`: what a server sheds when it has more work than time, in which order, and how it recovers.
 */
import { writeFileSync } from "node:fs";
import { LIMITS } from "../../core/index.ts";
import { EXIT, Misuse } from "../../io-sim/cli/misuse.ts";
import { answer, createSubcommand } from "../../io-sim/cli/subcommand.ts";
import { describeMachine } from "../machine.ts";
import { addNumbers, boundedNumber, type NumberTexts, readNumbers, SECONDS, SIZE } from "../numbers.ts";
import { checkPlot, FLAGS, measuring, serveWords } from "../words.ts";
import type { OverloadOptions } from "./measure-overload.ts";

const NUMBERS = {
  rooms: { help: "rooms", usual: 2, least: 1, greatest: 1_000 },
  room: { help: "participants of each room", usual: 30, least: 2, greatest: LIMITS.participantsPerRoomMax },
  speakers: { help: "of these, those who send video and sound", usual: 2, least: 1, greatest: 32 },
  size: SIZE,
  settle: { help: "seconds of each step before it is measured", usual: 5, least: 0, greatest: 600 },
  seconds: { ...SECONDS, help: "seconds that each step is measured", usual: 3 },
} as const;
/** What a plan's rate is; the load is a multiple of it. */
const PLAN_RATE = 100;

type Flags = NumberTexts<typeof NUMBERS> & {
  readonly capacity?: string;
  readonly io?: string;
  readonly shards: string;
  readonly plot?: string;
  readonly json?: boolean;
};

/** Runs `bench overload …`. */
export function benchOverload(words: readonly string[]): Promise<number> {
  const command = addNumbers(
    createSubcommand(
      "bench overload",
      "Find what a server carries, give it up to three times that, and see it recover.",
      "lockstep bench overload --plot overload.svg",
    ),
    NUMBERS,
  )
    .option("--capacity <RATE>", "packets a second of each video stream that the server carries, in place of a search")
    .option(...FLAGS.io)
    .option(...FLAGS.shards, "1")
    .option("--plot <FILE>", "write what is kept and what is shed against the load as SVG")
    .option(...FLAGS.json);
  return answer(command, words, measure);
}

async function measure(flags: Flags): Promise<number> {
  const options = readOptions(flags);
  checkPlot(flags.plot);
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
  const { rooms, room: people, speakers, size, settle, seconds } = readNumbers(flags, NUMBERS);
  if (speakers > people) throw new Misuse(`--speakers takes no more than the ${people} of a room, not ${speakers}.`);
  return {
    rooms,
    room: { kind: "meeting", people, speakers },
    packetsPerSecond: PLAN_RATE,
    packetBytes: size,
    capacity: flags.capacity === undefined ? undefined : boundedNumber(flags.capacity, "--capacity", 1, 10_000),
    settleSeconds: settle,
    seconds,
    serveWords: serveWords(flags),
  };
}
