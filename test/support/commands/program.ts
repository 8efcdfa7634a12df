/** The real program, `lockstep`, run within a test in a process of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const LOCKSTEP = fileURLToPath(new URL("../../../lockstep.mjs", import.meta.url));

/** Runs `lockstep …`, and keeps what it wrote and the status that it exits with. */
export async function program(...words: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [LOCKSTEP, ...words], { stdio: ["ignore", "pipe", "pipe"] });
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
