/**
 * What the simulator's commands share: their exit statuses, and how they say that they were used wrongly.
 */
import { CommanderError } from "commander";
import type { Regime } from "../search/generate.ts";

/** Exit statuses: it held, a promise was broken (or two runs differ, or something was found), wrong use. */
export const EXIT = { HELD: 0, BROKEN: 1, MISUSED: 2 } as const;

/** Something the caller must do differently; the message is the sentence that says what. */
export class Misuse extends Error {}

/** Reads a whole number; the option's name is for the sentence when it is none. */
export function wholeNumber(text: string, option: string): number {
  if (!/^\d{1,15}$/.test(text)) {
    throw new Misuse(`${option} takes a whole number of 0 or more with up to 15 digits, not "${text}".`);
  }
  return Number(text);
}

/** Reads the text behind `--regime`. */
export function readRegime(text: string): Regime {
  if (text !== "torture" && text !== "realistic") {
    throw new Misuse(`--regime takes torture or realistic, not "${text}".`);
  }
  return text;
}

/**
 * Says in one sentence what the caller of `command` ("lockstep sim") did wrong, and answers the exit status; throws what is
 * no misuse.
 */
export function explainMisuse(error: unknown, command: string): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.HELD;
    // A suggestion of commander's stands on a line of its own.
    const what = error.message
      .replace(/^error: /, "")
      .replaceAll("\n", " ")
      .replace(/\.$/, "");
    process.stderr.write(`${command}: ${what}; "${command} --help" shows how.\n`);
    return EXIT.MISUSED;
  }
  if (!(error instanceof Misuse || hasCode(error))) throw error;
  process.stderr.write(`${(error as Error).message}\n`);
  return EXIT.MISUSED;
}

/** Our own errors about configurations and journals have a code and a sentence. */
function hasCode(error: unknown): boolean {
  return error instanceof Error && ["bad-config", "bad-journal"].includes((error as { code?: string }).code ?? "");
}
