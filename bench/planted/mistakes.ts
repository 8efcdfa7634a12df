/**
 * Mistakes that people really make, to be planted into the core: what does not find them proves nothing when it finds
 * nothing (`lockstep bench planted`).
 *
 * Each is small and each compiles; most are one line that a review could miss. They break as many of the simulator's
 * promises as a mistake in the core can break; the others are shown to fail in `test/io-sim/oracles.test.ts`.
 */
import { CONTROL_MISTAKES } from "./control-mistakes.ts";
import { MEDIA_MISTAKES } from "./media-mistakes.ts";
import type { Mistake } from "./mistake.ts";
import { REPORT_MISTAKES } from "./report-mistakes.ts";
import { TRANSPORT_MISTAKES } from "./transport-mistakes.ts";

/** All mistakes. */
export const MISTAKES: readonly Mistake[] = [
  ...MEDIA_MISTAKES,
  ...TRANSPORT_MISTAKES,
  ...CONTROL_MISTAKES,
  ...REPORT_MISTAKES,
];
