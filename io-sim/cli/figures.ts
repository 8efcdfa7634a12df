/**
 * The figures of runs that people look at: how long they waited for the first picture, and the worst that stood still.
 *
 * All of them are the worst of a run: of all pictures (or voices) that anybody was shown, the one that came last or stood
 * still for longest. A gap counts between two pictures that were shown one after the other, whatever the reason: a covered
 * camera is one as well.
 */
import type { QualityRow } from "../world/run.ts";

/** What a run felt like, in microseconds; undefined where nobody was shown any picture, or heard any voice. */
export interface Figures {
  readonly firstPictureMicros: number | undefined;
  readonly worstFreezeMicros: number | undefined;
  readonly worstSilenceMicros: number | undefined;
}

/** The figures of one run, or of several together. */
export function figuresOf(quality: readonly QualityRow[]): Figures {
  const pictures = quality.filter(({ source }) => source.endsWith("/camera"));
  const voices = quality.filter(({ source }) => source.endsWith("/microphone"));
  return {
    firstPictureMicros: most(pictures.map(({ firstAfterMicros }) => firstAfterMicros)),
    worstFreezeMicros: most(pictures.map(({ longestGapMicros }) => longestGapMicros)),
    worstSilenceMicros: most(voices.map(({ longestGapMicros }) => longestGapMicros)),
  };
}

/** The value that so many hundredths of these lie at or below: the nearest rank. */
export function percentile(values: readonly number[], hundredths: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((sorted.length * hundredths) / 100) - 1)] ?? 0;
}

function most(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : Math.max(...values);
}
