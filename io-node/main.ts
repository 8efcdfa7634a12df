/**
 * `lockstep serve`: reads the settings, starts a server, says where it is, and ends it when asked to.
 *
 * People read stdout, a few lines at the start; programs read stderr, one JSON line for each thing that happened. The exit
 * status is 0 after SIGTERM or SIGINT, 1 when a port can't be had, 2 for wrong use.
 */
import { readFileSync } from "node:fs";
import { pageUrl } from "./addresses.ts";
import { createLog, type Log } from "./log.ts";
import { parseServeOptions, type ServeOptions } from "./options.ts";
import type { RunningServer } from "./server.ts";

/** An end that takes longer than this is cut short: orchestrators kill after a few seconds. */
const END_MILLIS = 1_800;

/** Runs `lockstep serve` until it is asked to end; answers with the exit status. */
export async function main(words: readonly string[]): Promise<number> {
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
  const ending = signalToEnd(log);
  try {
    const server = await startServer(parsed.options, log);
    process.stdout.write(greeting(server, parsed.options));
    await ending;
    setTimeout(() => process.exit(0), END_MILLIS).unref();
    const sessions = await server.stop();
    log.info({ sessions }, "ended");
    return 0;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`lockstep serve: ${error.message}\n`);
    return 1;
  }
}

/** Waits for the signal to end. A second signal ends at once. */
function signalToEnd(log: Log): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.once(signal, () => {
        log.info({ signal }, "ending");
        process.once(signal, () => process.exit(1));
        resolve();
      });
    }
  });
}

function greeting(server: RunningServer, options: ServeOptions): string {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  const local = options.httpHost === undefined || options.httpHost === "::" || options.httpHost === "0.0.0.0";
  const { length } = server.udpPorts;
  const shards = length === 1 ? "1 shard" : `${length} shards`;
  const lines = [
    `Lockstep ${version}`,
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
