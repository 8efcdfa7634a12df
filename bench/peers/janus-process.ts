/**
 * Janus as Debian ships it, in a process of its own: configured for one VideoRoom on loopback, everything else switched off.
 *
 * Its files are written into a temporary folder, so that nothing of a Janus that is installed here is touched.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JANUS_ROOM } from "./janus-room.ts";

const START_SECONDS_MAX = 15;
const PROBE_MILLIS = 100;

const OTHER_PLUGINS =
  "audiobridge duktape echotest lua nosip recordplay sip streaming textroom videocall voicemail".split(" ");
const OTHER_TRANSPORTS = "mqtt nanomsg pfunix rabbitmq websockets".split(" ");

/** A Janus of the benchmark's own. */
export interface JanusProcess {
  readonly pid: number;
  readonly version: string;
  /** The address of its HTTP interface. */
  readonly apiUrl: string;
  stop(): Promise<void>;
}

/** The version of the Janus that is installed here; empty when there is none. */
export function janusVersion(): string {
  const { stdout, error } = spawnSync("janus", ["--version"], { encoding: "utf8" });
  if (error !== undefined) return "";
  return /\(([\d.]+)\)/.exec(stdout)?.[1] ?? "of unknown version";
}

/** Starts it; throws with what it printed when it does not begin to serve. */
export async function startJanus(): Promise<JanusProcess> {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-janus-"));
  const port = await freePort();
  writeConfiguration(folder, port);
  const child = spawn("janus", ["--configs-folder", folder, "--disable-colors"], { stdio: ["ignore", "pipe", "pipe"] });
  const stop = async () => {
    await end(child);
    rmSync(folder, { recursive: true, force: true });
  };
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (part: string) => {
      text = (text + part).slice(-2_000);
    });
  }
  const apiUrl = `http://127.0.0.1:${port}/janus`;
  const deadline = performance.now() + START_SECONDS_MAX * 1_000;
  while (!(await answers(apiUrl))) {
    if (child.exitCode === null && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, PROBE_MILLIS));
      continue;
    }
    await stop();
    throw new Error(`Janus does not begin to serve: ${text.trim().split("\n").at(-1) ?? ""}`);
  }
  return { pid: child.pid!, version: janusVersion(), apiUrl, stop };
}

function writeConfiguration(folder: string, port: number): void {
  const list = (names: readonly string[]) => names.map((name) => `libjanus_${name}.so`).join(",");
  const files = {
    "janus.jcfg": [
      'general: { debug_level = 2, server_name = "bench" }',
      `plugins: { disable = "${list(OTHER_PLUGINS)}" }`,
      `transports: { disable = "${list(OTHER_TRANSPORTS)}" }`,
    ],
    "janus.transport.http.jcfg": [`general: { http = true, port = ${port}, ip = "127.0.0.1", https = false }`],
    "janus.plugin.videoroom.jcfg": [
      "general: { lock_rtp_forward = false }",
      `room-${JANUS_ROOM}: { description = "bench", publishers = 1, bitrate = 0, fir_freq = 0, videocodec = "vp8" }`,
    ],
  };
  for (const [name, lines] of Object.entries(files)) writeFileSync(join(folder, name), `${lines.join("\n")}\n`);
}

async function answers(apiUrl: string): Promise<boolean> {
  try {
    return (await fetch(`${apiUrl}/info`)).ok;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  // It takes its time to take leave of its plugins, and there is nothing to save.
  const late = setTimeout(() => child.kill("SIGKILL"), 2_000);
  await once(child, "exit");
  clearTimeout(late);
}
