/**
 * Measures a bare forwarder (./bare.ts, ./limit.c) under the load that the server gets: the same packets, the same sockets,
 * a generator in a process of its own.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createNodeCrypto } from "../../io-crypto/index.ts";
import { type Generator, passSeconds, startGenerator } from "../load/generator.ts";
import { givenSessionKeys } from "../load/given-keys.ts";
import type { Counted, LoadPeerPlan } from "../load/messages.ts";
import { filmSsrc, givenSlotSsrc } from "../load/peer.ts";
import { type CpuTime, cpuBetween, readCpu } from "../server/process-meter.ts";
import { writeEnd } from "./ends.ts";

/** Seconds before anything is measured: V8 has compiled what is hot by then. */
const WARM_SECONDS = 2;

/** What is forwarded to how many. */
export interface LimitShape {
  readonly subscribers: number;
  readonly packetsPerSecond: number;
  readonly packetBytes: number;
  readonly seconds: number;
}

/** What it costs. */
export interface LimitFigure {
  readonly microsPerPacket: number;
  readonly userMicrosPerPacket: number;
  readonly systemMicrosPerPacket: number;
  readonly lossRatio: number;
  readonly verified: number;
}

/** Through the fast host's adapter, without the core. */
export function measureAdapterLimit(shape: LimitShape): Promise<LimitFigure> {
  const words = ["--import", import.meta.resolve("tsx"), fileURLToPath(new URL("./bare.ts", import.meta.url))];
  return measureForwarder(process.execPath, words, shape);
}

/** In C, compiled now; a sentence when this machine has no compiler or no OpenSSL of its own. */
export async function measureCLimit(shape: LimitShape): Promise<LimitFigure | string> {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-limit-"));
  try {
    const program = join(folder, "limit");
    const source = fileURLToPath(new URL("./limit.c", import.meta.url));
    const { status, error } = spawnSync("cc", ["-O2", "-o", program, source, "-ldl"], { stdio: "ignore" });
    if (error !== undefined || status !== 0 || !existsSync(program)) {
      return "There is no C compiler here (cc), so the limit in C is not known.";
    }
    return await measureForwarder(program, [], shape);
  } catch (error) {
    if (error instanceof ForwarderError) return `The limit in C could not be measured: ${error.message}.`;
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A forwarder that does not begin. */
class ForwarderError extends Error {}

async function measureForwarder(command: string, words: readonly string[], shape: LimitShape): Promise<LimitFigure> {
  const child = spawn(command, words, { stdio: ["pipe", "pipe", "pipe"] });
  let generator: Generator | undefined;
  try {
    const port = await firstLine(child);
    const meeting = { kind: "given", ip: "127.0.0.1", port: Number(port) } as const;
    generator = await startGenerator({ meeting, peers: peersOf(shape) }, () => {});
    child.stdin!.end(`${endsOf(generator.ports).join("\n")}\n`);
    generator.setRate(1);
    await passSeconds(WARM_SECONDS);
    const before = readCpu(child.pid!);
    const counted = await generator.count(shape.seconds);
    return figureOf(cpuBetween(before, readCpu(child.pid!)), counted);
  } finally {
    await generator?.stop();
    child.kill();
  }
}

function figureOf({ userMicros, systemMicros }: CpuTime, { received, lost, verified, wrong }: Counted): LimitFigure {
  if (received === 0 || wrong > 0) throw new Error(`a bare forwarder forwarded ${received} packets, ${wrong} wrong`);
  return {
    microsPerPacket: (userMicros + systemMicros) / received,
    userMicrosPerPacket: userMicros / received,
    systemMicrosPerPacket: systemMicros / received,
    lossRatio: lost / (received + lost),
    verified,
  };
}

function peersOf({ subscribers, packetsPerSecond, packetBytes }: LimitShape): LoadPeerPlan[] {
  const publisher = {
    room: "",
    sends: [{ kind: "video", packetsPerSecond, packetBytes } as const],
    audioSlots: 0,
    videoSlots: 0,
  };
  const subscriber = { room: "", sends: [], audioSlots: 0, videoSlots: 1 };
  return [publisher, ...new Array<LoadPeerPlan>(subscribers).fill(subscriber)];
}

function endsOf(ports: readonly number[]): string[] {
  const crypto = createNodeCrypto();
  return ports.map((port, index) => {
    const { cipherKey: key, salt } = givenSessionKeys(crypto, index);
    return writeEnd({ port, key, salt, ssrc: index === 0 ? filmSsrc(0, 0) : givenSlotSsrc(index) });
  });
}

/** The first line that a process prints; throws with what it complained of when it ends before. */
async function firstLine(child: ChildProcess): Promise<string> {
  let text = "";
  let complaint = "";
  child.stdout!.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  child.stderr!.setEncoding("utf8").on("data", (part: string) => {
    complaint += part;
  });
  const ended = once(child, "close");
  while (!text.includes("\n")) {
    if (child.exitCode !== null) throw new ForwarderError(complaint.trim());
    await Promise.race([once(child.stdout!, "data"), ended]);
  }
  return text.trim();
}
