/**
 * What the benchmarks' commands share: numbers within bounds, and a progress line for people.
 */
import { Misuse } from "../io-sim/cli/misuse.ts";

/** Reads a whole number, or one of a list of them; wrong use when it is none, or out of bounds. */
export function boundedNumber(text: string, flag: string, least: number, greatest: number): number {
  const value = /^\d{1,10}$/.test(text.trim()) ? Number(text) : -1;
  if (value < least || value > greatest) {
    throw new Misuse(`${flag} takes whole numbers of ${least} to ${greatest}, not "${text}".`);
  }
  return value;
}

/** Shows on standard error, while that is a terminal, what is being done and how much of it, 0 to 1. */
export function createProgress(): (what: string, part: number) => void {
  let shown = "";
  return (what, part) => {
    if (process.stderr.isTTY !== true) return;
    const line = `${what}: ${Math.floor(part * 100)} %`;
    if (line !== shown) process.stderr.write(`\r\u001b[K${part < 1 ? line : ""}`);
    shown = line;
  };
}
