/**
 * What a planted mistake is: a change of the core's text that is put in while a copy of it is built (./build.ts).
 *
 * So production holds none of them, not even switched off; nothing is asked for on the packet path, and two builds in one
 * process share nothing. The text that is replaced stands in its file exactly once, or the build refuses.
 */
import type { PromiseId } from "../../io-sim/oracles/promises.ts";

/** A change of one file's text. */
export interface Edit {
  /** From the root of the project. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** A mistake that people really make. */
export interface Mistake {
  readonly id: string;
  /** What goes wrong, in a sentence. */
  readonly what: string;
  /** The story in which it is found soonest, and the promise that breaks there, with a seed of its own or one of the first. */
  readonly story: string;
  readonly promise: PromiseId;
  readonly edits: readonly Edit[];
}

/** A change of one file of the core. */
export function edit(file: string, from: string, to: string): Edit {
  return { file: `core/${file}`, from, to };
}
