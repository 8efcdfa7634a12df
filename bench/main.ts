/**
 * `lockstep bench SUBJECT`: what Lockstep costs on this machine and what its simulator is worth, each subject in a folder
 * of its own.
 *
 * The report goes to standard output, for people or with `--json` as one object; a progress line goes to standard error
 * while that is a terminal. The exit status is 0 when everything was measured, 1 when something could not be, and 2 when
 * the command was used wrongly, with one sentence that says how.
 */
import { EXIT } from "../io-sim/cli/misuse.ts";
import { didYouMean } from "../io-sim/cli/nearest.ts";

/** A benchmark gets the words behind its name and answers the exit status. */
type Benchmark = (words: readonly string[]) => Promise<number>;

interface Subject {
  readonly help: string;
  readonly load: () => Promise<Benchmark>;
}

const SUBJECTS: ReadonlyMap<string, Subject> = new Map([
  ["core", { help: "the core alone", load: async () => (await import("./core/command.ts")).benchCore }],
  ["forward", { help: "a server under load", load: async () => (await import("./forward/command.ts")).benchForward }],
  [
    "joins",
    {
      help: "a storm of joins, with real handshakes",
      load: async () => (await import("./joins/command.ts")).benchJoins,
    },
  ],
  ["limit", { help: "kernel and cipher alone", load: async () => (await import("./limit/command.ts")).benchLimit }],
  [
    "overload",
    {
      help: "a server with more work than time",
      load: async () => (await import("./overload/command.ts")).benchOverload,
    },
  ],
  ["peers", { help: "the same load through Janus", load: async () => (await import("./peers/command.ts")).benchPeers }],
  [
    "planted",
    { help: "seeds until a mistake is found", load: async () => (await import("./planted/command.ts")).benchPlanted },
  ],
  [
    "receive",
    {
      help: "a datagram's way in, alone",
      load: async () => (await import("./receive/command.ts")).benchReceive,
    },
  ],
  ["shards", { help: "one shard and two", load: async () => (await import("./shards/command.ts")).benchShards }],
  [
    "shrink",
    { help: "worlds of ten people made small", load: async () => (await import("./shrink/command.ts")).benchShrink },
  ],
]);

const HELP = `Usage: lockstep bench <subject> [flags]

${[...SUBJECTS].map(([name, { help }]) => `  ${name.padEnd(9)} ${help}`).join("\n")}

  "lockstep bench <subject> --help" shows a subject's flags
`;

/** Runs `bench …`; `argv` is what follows the word. Answers the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  const [name, ...words] = argv;
  if (name === "--help" || name === "-h") {
    process.stdout.write(HELP);
    return EXIT.HELD;
  }
  const subject = name === undefined ? undefined : SUBJECTS.get(name);
  if (subject !== undefined) return (await subject.load())(words);
  const known = [...SUBJECTS.keys()].join(", ");
  process.stderr.write(
    name === undefined
      ? `Say what to measure: "lockstep bench SUBJECT" with one of ${known}.\n`
      : `There is no benchmark called "${name}"; there is ${known}.${didYouMean(name, [...SUBJECTS.keys()])}\n`,
  );
  return EXIT.MISUSED;
}
