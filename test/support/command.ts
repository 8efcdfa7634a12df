/** The simulator's commands, run within a test: what they wrote, and the status that they would exit with. */
import { vi } from "vitest";
import { main } from "../../io-sim/cli/main.ts";

/** Runs a command of the simulator, such as `command("sim", "--json")`, and keeps what it wrote. */
export async function command(...words: string[]): Promise<{ status: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const stdout = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  const stderr = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    err += String(text);
    return true;
  });
  try {
    const status = await main(words);
    return { status, out, err };
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
}
