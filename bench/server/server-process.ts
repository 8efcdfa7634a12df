/**
 * The server that is measured: `lockstep serve` as an operator starts it, in a process of its own, on loopback.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const LOCKSTEP = fileURLToPath(new URL("../../lockstep.mjs", import.meta.url));

/** Lines of --trace-gc: "[pid:isolate]  1234 ms: Scavenge ... / 0.00 ms  (average ...". */
const COLLECTION = /^\[\d+:0x[0-9a-f]+(?::\d+)?\]\s+\d+ ms: (\S+)[^/]*?(\d+\.\d+) \/ \d+\.\d+ ms/;

/** A server of the benchmark's own. */
export interface ServerProcess {
  readonly pid: number;
  readonly url: string;
  /** What the server says of itself: "fast" or "portable". */
  readonly io: string;
  /** Pauses of the garbage collector since the last question, in microseconds. */
  takePauses(): number[];
  stop(): Promise<void>;
}

/** Starts a server with further words; throws with what it printed when it does not start. */
export async function startServerProcess(words: readonly string[]): Promise<ServerProcess> {
  const all = ["serve", "--http-port", "0", "--http-host", "127.0.0.1", "--udp-port", "0"];
  const own = [...all, "--public-address", "127.0.0.1", "--log-level", "warn", ...words];
  const child = spawn(process.execPath, ["--trace-gc", LOCKSTEP, ...own], { stdio: ["ignore", "pipe", "pipe"] });
  const pauses: number[] = [];
  let text = "";
  let rest = "";
  const read = (part: string) => {
    const lines = (rest + part).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const millis = COLLECTION.exec(line)?.[2];
      if (millis !== undefined) pauses.push(Math.round(Number(millis) * 1_000));
      else if (text.length < 10_000) text += `${line}\n`;
    }
  };
  child.stdout.setEncoding("utf8").on("data", read);
  child.stderr.setEncoding("utf8").on("data", read);
  const ended = once(child, "close");
  const greeting = /candidates +\S/;
  while (!greeting.test(text)) {
    if (child.exitCode !== null) throw new Error(`the server did not start: ${text.trim()}`);
    await Promise.race([once(child.stdout, "data"), ended]);
  }
  return {
    pid: child.pid!,
    url: /page +(http:\S+?)\/?\n/.exec(text)![1]!,
    io: /fast|portable/.exec(text)?.[0] ?? "portable",
    takePauses: () => pauses.splice(0),
    stop: () => stop(child),
  };
}

async function stop(child: ChildProcess): Promise<void> {
  child.kill("SIGTERM");
  if (child.exitCode === null && child.signalCode === null) await once(child, "close");
}
