/** The benchmarks as commands, run within a test in a process of their own, and whether this machine can measure a server. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { loadNative } from "../../io-crypto/native.ts";

const LOCKSTEP = fileURLToPath(new URL("../../lockstep.mjs", import.meta.url));

/** Runs `lockstep bench …`, and keeps what it wrote and the status that it exits with. */
export async function bench(...words: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [LOCKSTEP, "bench", ...words], { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (part) => {
    stdout += String(part);
  });
  child.stderr.on("data", (part) => {
    stderr += String(part);
  });
  const [status] = (await once(child, "close")) as [number];
  return { status, stdout, stderr };
}

/** Why the load generator does not work on this machine; empty where it does. */
export function whyNoLoad(): string {
  const native = loadNative();
  return typeof native === "string" ? native : "";
}
