/**
 * `lockstep serve`: reads the settings, starts a server, says where it is, and ends it when asked to.
 *
 * People read stdout, a few lines at the start; programs read stderr, one JSON line for each thing that happened. The exit
 * status is 0 after SIGTERM or SIGINT, 1 when a port can't be had or the disk of the journals stands still at the end, 2 for
 * wrong use.
 */
import { programVersion } from "../program.ts";
import { pageUrl } from "./addresses.ts";
import { endAtOnce } from "./end-process.ts";
import { createLog } from "./log.ts";
import { parseServeOptions, type ServeOptions } from "./options.ts";
import type { RunningServer } from "./server.ts";

/** An end that takes longer than this is cut short: orchestrators kill after a few seconds. */
const END_MILLIS = 1_800;

/** Runs `lockstep serve` until it is asked to end; answers with the exit status. */
export async function main(words: readonly string[]): Promise<number> {
  // Before anything that takes time.
  const end = hearSignals();
  const parsed = parseServeOptions(words, process.env);
  if (parsed.kind === "help") {
    process.stdout.write(parsed.text);
    return 0;
  }
  if (parsed.kind === "wrong") {
    process.stderr.write(`lockstep serve: ${parsed.sentence}\n`);
    return 2;
  }
  // Loaded only now, so that help and wrong use are answered at once.
  const { StartError, startServer } = await import("./server.ts");
  const log = createLog(parsed.options.logLevel);
  let server: RunningServer | undefined;
  try {
    server = await startServer(parsed.options, log);
    process.stdout.write(greeting(server, parsed.options));
    log.info(startFields(server), "serving");
    log.info({ signal: await end.wanted(() => leave(server, 1)) }, "ending");
    setTimeout(leave, END_MILLIS, server, 0).unref();
    const sessions = await server.stop();
    log.info({ sessions }, "ended");
    if (server.isAtDisk()) leave(server, 0);
    return 0;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`lockstep serve: ${error.message}\n`);
    return 1;
  }
}

/** Ends the process at once, whatever still goes on. With a thread that waits for a disk it can't end in order. */
function leave(server: RunningServer | undefined, status: number): void {
  if (server?.isAtDisk() === true) endAtOnce(1);
  process.exit(status);
}

/**
 * Hears the signals that end the process. Before anybody has asked for them, nobody is in a call and there is nothing to say
 * goodbye to: then the first ends the process at once. At the second, `atSecond` is called.
 */
function hearSignals(): { wanted(atSecond: () => void): Promise<NodeJS.Signals> } {
  let first: NodeJS.Signals | undefined;
  let tell: ((signal: NodeJS.Signals) => void) | undefined;
  let again = () => {};
  const hear = (signal: NodeJS.Signals) => {
    if (tell === undefined) process.exit(0);
    if (first !== undefined) again();
    first = signal;
    tell(signal);
  };
  process.on("SIGTERM", hear).on("SIGINT", hear);
  return {
    wanted: (atSecond) =>
      new Promise((resolve) => {
        again = atSecond;
        tell = resolve;
      }),
  };
}

/** What the log says of a start; the time is since the process began. */
function startFields({ httpPort, udpPorts, io, addresses }: RunningServer): object {
  const afterMillis = Math.round(performance.now());
  return { version: programVersion(), httpPort, udpPorts, io, addresses, afterMillis };
}

function greeting(server: RunningServer, options: ServeOptions): string {
  const local = options.httpHost === undefined || options.httpHost === "::" || options.httpHost === "0.0.0.0";
  const { length } = server.udpPorts;
  const shards = length === 1 ? "1 shard" : `${length} shards`;
  const lines = [
    `Lockstep ${programVersion()}`,
    `  page        ${pageUrl(local ? "localhost" : options.httpHost, server.httpPort)}`,
    `  media       ${portsText(server.udpPorts)}`,
    `  io          ${server.io}, ${shards}${priorityText(server.hosts)}${server.ioWhy === "" ? "" : `: ${server.ioWhy}`}`,
    ...(options.journal === undefined
      ? []
      : [`  journals    ${options.journal}, up to ${options.journalLimit} MiB of each shard`]),
    `  candidates  ${server.addresses.join(", ")}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** ` at nice -10 in slices of 0.1 ms`, as far as the system has granted that: each shard has asked for the same. */
function priorityText([host]: RunningServer["hosts"]): string {
  if (host?.priority === undefined) return "";
  const { nice, sliceMicros } = host.priority;
  const share = nice === 0 ? "" : ` at nice ${nice}`;
  return sliceMicros === 0 ? share : `${share} in slices of ${sliceMicros / 1_000} ms`;
}

/** `UDP port 40000`, `UDP ports 40000 to 40003`, or all of them where they don't follow each other. */
function portsText(ports: readonly number[]): string {
  const [first] = ports;
  if (ports.length === 1) return `UDP port ${first}`;
  const follow = ports.every((port, index) => port === first! + index);
  return `UDP ports ${follow ? `${first} to ${ports.at(-1)}` : ports.join(", ")}`;
}
