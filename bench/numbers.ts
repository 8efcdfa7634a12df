/**
 * The numbers that benchmarks are told: each stands once, in a table of the command, with what its help says of it, its usual
 * value and its bounds. The name in the table is the word of the flag: `rooms` is `--rooms <N>`.
 */
import type { Command } from "commander";
import { Misuse } from "../io-sim/cli/misuse.ts";
import { FILM_PACKET_BYTES_MAX, FILM_PACKET_BYTES_MIN } from "./load/film.ts";

/** A flag that takes a whole number. */
interface NumberFlag {
  readonly help: string;
  /** What the number counts, where its name does not say it, as the help shows it. */
  readonly unit?: "BYTES" | "SECONDS";
  readonly usual: number;
  readonly least: number;
  readonly greatest: number;
}

/** The numbers of a command, by the words of their flags. */
export type NumberFlags = Readonly<Record<string, NumberFlag>>;

/** What commander makes of the flags of a table. */
export type NumberTexts<Table extends NumberFlags> = Readonly<Record<keyof Table, string>>;

/** How long each thing is measured. */
export const SECONDS = { help: "seconds that each is measured", least: 1, greatest: 600 } as const;

/** How often it all is measured. */
export const RUNS = {
  help: "runs of it all, of which the median counts; an odd number",
  usual: 1,
  least: 1,
  greatest: 99,
} as const;

/** Packets of a publisher. */
export const RATE = { help: "packets a second of each video stream", least: 1, greatest: 50_000 } as const;

/** How long a packet is. */
export const SIZE = {
  help: "bytes of a video packet before it is sealed",
  unit: "BYTES",
  usual: 1_200,
  least: FILM_PACKET_BYTES_MIN,
  greatest: FILM_PACKET_BYTES_MAX,
} as const;

/** Adds a table's flags to a command. */
export function addNumbers(command: Command, table: NumberFlags): Command {
  for (const [name, { help, unit = "N", usual }] of Object.entries(table)) {
    // Said as it is written: commander would put a text in quotes.
    command.addOption(command.createOption(`--${name} <${unit}>`, help).default(String(usual), String(usual)));
  }
  return command;
}

/** Reads the numbers of a table; wrong use when one is none, or out of its bounds. */
export function readNumbers<Table extends NumberFlags>(
  texts: NumberTexts<Table>,
  table: Table,
): Record<keyof Table, number> {
  const numbers = Object.entries(table).map(([name, { least, greatest }]) => [
    name,
    boundedNumber(texts[name as keyof Table], `--${name}`, least, greatest),
  ]);
  return Object.fromEntries(numbers) as Record<keyof Table, number>;
}

/** Reads a whole number, or one of a list of them; wrong use when it is none, or out of bounds. */
export function boundedNumber(text: string, flag: string, least: number, greatest: number): number {
  const value = /^\d{1,10}$/.test(text.trim()) ? Number(text) : -1;
  if (value < least || value > greatest) {
    throw new Misuse(`${flag} takes whole numbers of ${least} to ${greatest}, not "${text}".`);
  }
  return value;
}
