/**
 * Commands run within a test: what they wrote, and the status that they would exit with.
 */
import { vi } from "vitest";
import { main as bench } from "../../../bench/main.ts";
import { main as simulator } from "../../../io-sim/cli/main.ts";

interface Outcome {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command of the simulator, such as `command("sim", "--json")`, and keeps what it wrote. */
export function command(...words: string[]): Promise<Outcome> {
  return kept(() => simulator(words));
}

/** Runs a benchmark, such as `benchCommand("core", "--json")`, and keeps what it wrote. */
export function benchCommand(...words: string[]): Promise<Outcome> {
  return kept(() => bench(words));
}

async function kept(main: () => Promise<number>): Promise<Outcome> {
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
    const status = await main();
    return { status, out, err };
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
}
