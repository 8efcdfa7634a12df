/** The benchmarks as commands, run within a test in a process of their own, and whether this machine can measure a server. */
import { loadNative } from "../../../io-crypto/native.ts";
import { program } from "./program.ts";

/** Runs `lockstep bench …`, and keeps what it wrote and the status that it exits with. */
export function bench(...words: string[]): ReturnType<typeof program> {
  return program("bench", ...words);
}

/** Why the load generator does not work on this machine; empty where it does. */
export function whyNoLoad(): string {
  const native = loadNative();
  return typeof native === "string" ? native : "";
}
