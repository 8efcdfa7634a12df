/**
 * What `lockstep bench planted` prints for people: a line for each mistake, with the seeds that it took.
 */
import { PLAIN_LINK } from "../../io-sim/link/index.ts";
import type { Plan } from "../../io-sim/story/plan.ts";
import { type Machine, machineLine } from "../machine.ts";
import type { Found } from "./hunt.ts";
import type { Mistake } from "./mistake.ts";

/** How the hunt was done. */
export interface HuntOptions {
  /** The most seeds that were tried from one start. */
  readonly seeds: number;
  /** How often the hunt began anew, somewhere else among the seeds. */
  readonly starts: number;
}

/** What came of one mistake: from each start what was found, undefined for nothing. */
export interface Hunted {
  readonly mistake: Mistake;
  readonly inStory: readonly (Found | undefined)[];
  /** Empty when nobody looked there. */
  readonly inWorlds: readonly (Found | undefined)[];
}

/** Whether a mistake was found anywhere. */
export function wasFound({ inStory, inWorlds }: Hunted): boolean {
  return [...inStory, ...inWorlds].some((found) => found !== undefined);
}

/** The report on a hunt as text. */
export function huntReport(machine: Machine, { seeds, starts }: HuntOptions, hunted: readonly Hunted[]): string {
  const width = Math.max(...hunted.map(({ mistake }) => mistake.id.length));
  const lines = [
    `Machine     ${machineLine(machine)}`,
    `Conditions  at most ${seeds} seeds from each of ${starts} starts; median, and least to greatest`,
    "",
    `${"mistake".padEnd(width)}  ${"seeds of its story".padEnd(20)}${"generated worlds".padEnd(20)}breaks`,
  ];
  for (const { mistake, inStory, inWorlds } of hunted) {
    const cells = [inStory, inWorlds].map((found) => seedsText(found, seeds).padEnd(20));
    lines.push(`${mistake.id.padEnd(width)}  ${cells.join("")}${promisesOf([...inStory, ...inWorlds])}`.trimEnd());
  }
  const found = hunted.filter(wasFound);
  lines.push("", `${found.length} of ${hunted.length} mistakes were found.`);
  return `${lines.join("\n")}\n`;
}

/** The report on worlds that were made small, as text. */
export function shrinkReport(
  machine: Machine,
  shrunk: readonly { mistake: Mistake; found: Found | undefined }[],
): string {
  const width = Math.max(...shrunk.map(({ mistake }) => mistake.id.length));
  const lines = [
    `Machine     ${machineLine(machine)}`,
    "",
    `${"mistake".padEnd(width)}  clients  faults  simulated     runs  breaks`,
  ];
  for (const { mistake, found } of shrunk) {
    if (found === undefined) {
      lines.push(`${mistake.id.padEnd(width)}  was not found`);
      continue;
    }
    const { plan, shrinkTries, promise } = found;
    const cells = [
      String(plan.peers.length).padStart(7),
      String(faultsOf(plan)).padStart(6),
      `${(plan.runForMicros / 1_000_000).toFixed(1)} s`.padStart(9),
      String(shrinkTries).padStart(7),
    ];
    lines.push(`${mistake.id.padEnd(width)}  ${cells.join("  ")}  ${promise}`);
  }
  return `${lines.join("\n")}\n`;
}

/** How many things happen in a world that trouble it: its steps, and the links that are not plain. */
export function faultsOf({ steps, peers }: Plan): number {
  const plain = JSON.stringify(Object.values(PLAIN_LINK));
  const links = peers.flatMap(({ up, down }) => [up, down]);
  const troubled = links.filter((link) => {
    const values = Object.keys(PLAIN_LINK).map((key) => link[key as keyof typeof PLAIN_LINK]);
    return JSON.stringify(values) !== plain;
  });
  return steps.length + troubled.length;
}

/** The median of what each start took, nothing found counting as more than `most`. */
export function medianTries(found: readonly (Found | undefined)[], most: number): number {
  const sorted = found.map((each) => each?.tries ?? most + 1).sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? most + 1;
}

function seedsText(found: readonly (Found | undefined)[], most: number): string {
  if (found.length === 0) return "";
  const tries = found.map((each) => each?.tries ?? most + 1).sort((a, b) => a - b);
  const text = (count: number) => (count > most ? `>${most}` : String(count));
  const [least, greatest] = [tries[0]!, tries.at(-1)!];
  const spread = least === greatest ? "" : ` (${text(least)} to ${text(greatest)})`;
  return `${text(medianTries(found, most))}${spread}`;
}

function promisesOf(found: readonly (Found | undefined)[]): string {
  return [...new Set(found.flatMap((each) => (each === undefined ? [] : [each.promise])))].join(", ");
}
