/**
 * `lockstep serve`: reads the settings, starts a server, says where it is, and ends it when asked to.
 *
 * People read stdout, a few lines at the start; programs read stderr, one JSON line for each thing that happened. The exit
 * status is 0 after SIGTERM or SIGINT, 1 when a port can't be had or the shard has found a mistake of its own, 2 for wrong
 * use.
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
  const ending = endOf(log);
  try {
    const server = await startServer(parsed.options, log, ending.fail);
    process.stdout.write(greeting(server, parsed.options));
    const status = await ending.promise;
    await end(server, log, status);
    return status;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`lockstep serve: ${error.message}\n`);
    return 1;
  }
}

/** Waits for the signal to end, or for a failure. A second signal ends at once. */
function endOf(log: Log): { promise: Promise<number>; fail: (error: unknown) => void } {
  let finish: (status: number) => void;
  const promise = new Promise<number>((resolve) => {
    finish = resolve;
  });
  const fail = (error: unknown) => {
    log.fatal({ err: error }, "the shard has found a mistake of its own and stops");
    finish(1);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      log.info({ signal }, "ending");
      process.once(signal, () => process.exit(1));
      finish(0);
    });
  }
  return { promise, fail };
}

async function end(server: RunningServer, log: Log, status: number): Promise<void> {
  setTimeout(() => process.exit(status), END_MILLIS).unref();
  // A shard that has failed answers no commands: there is nobody to wait for.
  if (status !== 0) process.exit(status);
  const sessions = await server.stop();
  log.info({ sessions }, "ended");
}

function greeting(server: RunningServer, options: ServeOptions): string {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  const local = options.httpHost === undefined || options.httpHost === "::" || options.httpHost === "0.0.0.0";
  const lines = [
    `Lockstep ${version}`,
    `  page        ${pageUrl(local ? "localhost" : options.httpHost, server.httpPort)}`,
    `  media       UDP port ${server.udpPort}`,
    `  io          ${server.io}${server.ioWhy === "" ? "" : `: ${server.ioWhy}`}`,
    `  candidates  ${server.addresses.join(", ")}`,
  ];
  return `${lines.join("\n")}\n`;
}
