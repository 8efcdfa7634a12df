/**
 * What an operator can decide, from flags and environment: the flag wins, then the variable, then the default.
 *
 * Everything has a default that works: `lockstep serve` alone makes a server for this machine and its network.
 */
import { Command, CommanderError } from "commander";
import { z } from "zod";
import { candidateAddress, isOneHost } from "./addresses.ts";
import { IO_CHOICES, type IoChoice, PRIORITY_CHOICES, type PriorityChoice } from "./io-choice.ts";
import { LOG_LEVELS } from "./log.ts";

/** The settings of `lockstep serve`. */
export interface ServeOptions {
  readonly httpPort: number;
  /** Undefined listens on every address. */
  readonly httpHost: string | undefined;
  readonly udpPort: number;
  /** How datagrams and ciphers are reached; left out, as "auto". */
  readonly io?: IoChoice;
  /** Whether threads of shards come before others; left out, "raised". */
  readonly priority?: PriorityChoice;
  /** How many shards share the rooms; left out, the host chooses. */
  readonly shards?: number | undefined;
  /** Empty takes the machine's own addresses. */
  readonly publicAddresses: readonly string[];
  /** The directory for journals of the shards; left out, none are written. */
  readonly journal?: string | undefined;
  /** MiB of journals that each shard may keep. */
  readonly journalLimit?: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

/** The settings, or what to say instead of serving. */
export type ParsedOptions =
  | { readonly kind: "options"; readonly options: ServeOptions }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "wrong"; readonly sentence: string };

/** Where a setting comes from. */
interface Setting {
  readonly flag: string;
  readonly variable: string;
  readonly help: string;
}

const SETTINGS = {
  httpPort: { flag: "--http-port <port>", variable: "LOCKSTEP_HTTP_PORT", help: "TCP port of the page and the API" },
  httpHost: { flag: "--http-host <host>", variable: "LOCKSTEP_HTTP_HOST", help: "address to listen on for HTTP" },
  udpPort: {
    flag: "--udp-port <port>",
    variable: "LOCKSTEP_UDP_PORT",
    help: "UDP port of the first shard; those of the others follow it",
  },
  publicAddresses: {
    flag: "--public-address <ip[:port]>",
    variable: "LOCKSTEP_PUBLIC_ADDRESS",
    help: "address (and port, where it is mapped) under which clients reach the UDP port; repeat it for more, best first",
  },
  io: {
    flag: "--io <kind>",
    variable: "LOCKSTEP_IO",
    help: `native speed: ${IO_CHOICES.join(", ")}; auto is fast where this machine can`,
  },
  priority: {
    flag: "--priority <kind>",
    variable: "LOCKSTEP_PRIORITY",
    help: `of the shards' threads: ${PRIORITY_CHOICES.join(", ")}; raised is before others, as far as the system allows`,
  },
  shards: {
    flag: "--shards <count>",
    variable: "LOCKSTEP_SHARDS",
    help: "shards that share the rooms, each with a UDP port and, where native speed can be had, a thread of its own",
  },
  journal: {
    flag: "--journal <directory>",
    variable: "LOCKSTEP_JOURNAL",
    help: "record what each shard is told, without media and keys, for lockstep replay",
  },
  journalLimit: {
    flag: "--journal-limit <MiB>",
    variable: "LOCKSTEP_JOURNAL_LIMIT",
    help: "size of the journals that are kept of each shard; the oldest go first",
  },
  logLevel: { flag: "--log-level <level>", variable: "LOCKSTEP_LOG_LEVEL", help: `one of ${LOG_LEVELS.join(", ")}` },
} as const satisfies Record<keyof ServeOptions, Setting>;

/** MiB of journals that each shard may keep when nobody says otherwise. */
export const JOURNAL_MEBIBYTES = 256;

const DEFAULTS = {
  httpPort: "8080",
  httpHost: "every address",
  udpPort: "40000",
  io: "auto",
  priority: "raised",
  shards: "with threads one for each core, less one on four cores and more; else 1",
  journal: "none",
  journalLimit: String(JOURNAL_MEBIBYTES),
  logLevel: "info",
} as const;

const EXAMPLE = "lockstep serve --public-address 203.0.113.5 --journal /var/lib/lockstep";

const PORT = "must be a port from 0 to 65535 (0 lets the system choose)";
const port = z
  .string()
  .regex(/^\d{1,5}$/, PORT)
  .transform(Number)
  .refine((value) => value <= 65_535, PORT);

/** More threads than this no machine has cores for. */
const SHARDS_MAX = 256;
const SHARDS = `must be a number from 1 to ${SHARDS_MAX}`;
const shards = z
  .string()
  .regex(/^\d{1,3}$/, SHARDS)
  .transform(Number)
  .refine((value) => value >= 1 && value <= SHARDS_MAX, SHARDS);

/** A journal of a quarter of this holds a few seconds of a busy shard; and more than a tebibyte is a slip of the pen. */
const JOURNAL_LIMIT = "must be a number of MiB from 4 to 1048576";
const journalLimit = z
  .string()
  .regex(/^\d{1,7}$/, JOURNAL_LIMIT)
  .transform(Number)
  .refine((value) => value >= 4 && value <= 1_048_576, JOURNAL_LIMIT);

const publicAddress = z
  .string()
  .refine((text) => candidateAddress(text, 1) !== undefined, "must be an IPv4 or IPv6 address, with :port if need be")
  .refine((text) => isOneHost(candidateAddress(text, 1)?.ip ?? ""), "must be an address that clients can send to");

const schema = z.object({
  httpPort: port.default(Number(DEFAULTS.httpPort)),
  httpHost: z
    .string()
    .regex(/^[A-Za-z0-9.:-]+$/, "must be an address or a host name")
    .optional(),
  udpPort: port.default(Number(DEFAULTS.udpPort)),
  publicAddresses: z.array(publicAddress).default([]),
  io: z.enum(IO_CHOICES, `must be one of ${IO_CHOICES.join(", ")}`).default(DEFAULTS.io),
  priority: z.enum(PRIORITY_CHOICES, `must be one of ${PRIORITY_CHOICES.join(", ")}`).default(DEFAULTS.priority),
  shards: shards.optional(),
  journal: z.string().min(1, "must be a directory").optional(),
  journalLimit: journalLimit.default(Number(DEFAULTS.journalLimit)),
  logLevel: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(", ")}`).default(DEFAULTS.logLevel),
});

/** Reads the words after `lockstep serve` and the environment. Never throws for what a user wrote. */
export function parseServeOptions(words: readonly string[], environment: NodeJS.ProcessEnv): ParsedOptions {
  const command = serveCommand();
  try {
    command.parse([...words], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: "help", text: `${command.helpInformation()}\nExample: ${EXAMPLE}\n` };
    // A suggestion of commander's stands on a line of its own.
    const said = error.message
      .replace(/^error: /, "")
      .replaceAll("\n", " ")
      .replace(/\.$/, "");
    return { kind: "wrong", sentence: `${capital(said)}; "lockstep serve --help" lists the flags.` };
  }
  return validate(command.opts(), environment);
}

function serveCommand(): Command {
  const command = new Command("lockstep serve")
    .description("Serves calls: a page and an API over HTTP, media over one UDP port for each shard.")
    .helpOption("-h, --help", "show this help")
    .allowExcessArguments(false)
    .configureOutput({ writeOut: () => {}, writeErr: () => {} })
    .exitOverride();
  for (const [name, { flag, variable, help }] of Object.entries(SETTINGS)) {
    const fallback = name === "publicAddresses" ? "this machine's" : DEFAULTS[name as keyof typeof DEFAULTS];
    const option = command.createOption(flag, `${help} (${variable}; default: ${fallback})`);
    option.attributeName = () => name;
    if (name === "publicAddresses") {
      option.argParser((value: string, earlier: string[] | undefined) => [...(earlier ?? []), ...splitList(value)]);
    }
    command.addOption(option);
  }
  return command;
}

function validate(flags: Record<string, unknown>, environment: NodeJS.ProcessEnv): ParsedOptions {
  const given: Record<string, unknown> = {};
  for (const [name, { variable }] of Object.entries(SETTINGS)) {
    // An empty variable is one that a deployment left blank: it decides nothing.
    const written = environment[variable]?.trim() || undefined;
    const fromVariable = name === "publicAddresses" && written !== undefined ? splitList(written) : written;
    given[name] = flags[name] ?? fromVariable;
  }
  const result = schema.safeParse(given);
  if (result.success) {
    const { udpPort, shards } = result.data;
    if (udpPort + (shards ?? 1) - 1 > 65_535) {
      return {
        kind: "wrong",
        sentence: `There are no ${shards} ports from --udp-port ${udpPort} on; choose a lower one.`,
      };
    }
    const { httpHost, journal } = result.data;
    if (journal === undefined && given.journalLimit !== undefined) {
      const source = flags.journalLimit === undefined ? SETTINGS.journalLimit.variable : "--journal-limit";
      return {
        kind: "wrong",
        sentence: `${source} bounds what --journal keeps, and no directory for journals is named.`,
      };
    }
    return { kind: "options", options: { ...result.data, httpHost, shards, journal } };
  }
  const issue = result.error.issues[0]!;
  const name = issue.path[0] as keyof typeof SETTINGS;
  const { flag, variable } = SETTINGS[name];
  const source = flags[name] === undefined ? variable : flag.split(" ")[0];
  const value = issue.path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown>)[key], given);
  return { kind: "wrong", sentence: `${source} ${issue.message}, and "${String(value)}" is not.` };
}

function splitList(text: string): string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
