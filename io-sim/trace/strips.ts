/**
 * What viewers see of sources over time, as strips: playing, frozen, not yet, muted, without a slot, away.
 *
 * While the run goes on, facts are written down as spans of time: who is there, who is muted, what a slot shows, when
 * frames came. When it is over, a strip for each viewer and source follows from the facts that concern it.
 */

/** A picture that stands still for this long is frozen; sound, whose packets come each 20 ms, sooner. */
export const FROZEN_MICROS = { video: 250_000, audio: 150_000 } as const;

/** Spans of one fact that are kept; later ones extend the last. */
const SPANS_MAX = 5_000;

/** From one moment to another, in microseconds of the loop. */
export interface Span {
  readonly from: number;
  to: number;
}

/** Facts by name; a fact that still holds has `to` at Infinity. */
export type FactBook = Map<string, Span[]>;

/** How a source looks to a viewer. */
export type StripState = "playing" | "frozen" | "waiting" | "muted" | "unslotted" | "away";

/** A stretch of a strip. */
export interface StripSegment {
  readonly from: number;
  to: number;
  state: StripState;
}

/** What a viewer saw of a source. */
export interface Strip {
  readonly viewer: string;
  /** `peer/camera` or `peer/microphone`. */
  readonly source: string;
  readonly segments: readonly StripSegment[];
}

/** Says from now on whether a fact holds. */
export function factSet(book: FactBook, name: string, now: number, holds: boolean): void {
  const spans = spansOf(book, name);
  const last = spans.at(-1);
  const held = last !== undefined && last.to === Number.POSITIVE_INFINITY;
  if (held && !holds) last.to = now;
  if (held || !holds) return;
  if (spans.length < SPANS_MAX) spans.push({ from: now, to: Number.POSITIVE_INFINITY });
  else last!.to = Number.POSITIVE_INFINITY;
}

/** Says that something happened now that lasts until it has not happened again for `gapMicros`. */
export function factPulse(book: FactBook, name: string, now: number, gapMicros: number): void {
  const spans = spansOf(book, name);
  const last = spans.at(-1);
  if (last !== undefined && (now - last.to < gapMicros || spans.length >= SPANS_MAX)) last.to = now;
  else spans.push({ from: now, to: now });
}

function spansOf(book: FactBook, name: string): Span[] {
  let spans = book.get(name);
  if (spans === undefined) {
    spans = [];
    book.set(name, spans);
  }
  return spans;
}

/** The names of the facts that decide a strip. */
export const FACT = {
  here: (peer: string) => `here/${peer}`,
  muted: (source: string) => `muted/${source}`,
  slotted: (viewer: string, source: string) => `slotted/${viewer}/${source}`,
  shown: (viewer: string, source: string) => `shown/${viewer}/${source}`,
} as const;

/** The strip of one viewer and source between two moments. */
export function stripOf(book: FactBook, viewer: string, source: string, from: number, to: number): Strip {
  const owner = source.slice(0, source.lastIndexOf("/"));
  const facts = {
    viewer: book.get(FACT.here(viewer)) ?? [],
    owner: book.get(FACT.here(owner)) ?? [],
    muted: book.get(FACT.muted(source)) ?? [],
    slotted: book.get(FACT.slotted(viewer, source)) ?? [],
    shown: book.get(FACT.shown(viewer, source)) ?? [],
  };
  const edges = new Set([from, to]);
  for (const span of Object.values(facts).flat()) {
    for (const edge of [span.from, span.to]) if (edge > from && edge < to) edges.add(edge);
  }
  const times = [...edges].sort((a, b) => a - b);
  const segments: StripSegment[] = [];
  let seen = false;
  for (let i = 0; i + 1 < times.length; i++) {
    const start = times[i]!;
    const covers = (spans: readonly Span[]) => spans.some((span) => span.from <= start && start < span.to);
    const playing = covers(facts.shown);
    seen ||= playing;
    let state: StripState = seen ? "frozen" : "waiting";
    if (!covers(facts.viewer) || !covers(facts.owner)) state = "away";
    else if (covers(facts.muted)) state = "muted";
    else if (playing) state = "playing";
    else if (!covers(facts.slotted)) state = "unslotted";
    // Whoever comes back, or is unmuted, or gets a slot, waits for a first frame again.
    if (state === "away" || state === "muted" || state === "unslotted") seen = false;
    segments.push({ from: start, to: times[i + 1]!, state });
  }
  const frozen = source.endsWith("/camera") ? FROZEN_MICROS.video : FROZEN_MICROS.audio;
  return { viewer, source, segments: joinAlike(forgiveShort(segments, frozen)) };
}

/** Between the last frame and whatever comes next there is always a moment; it is frozen only when it is long. */
function forgiveShort(segments: StripSegment[], frozen: number): StripSegment[] {
  segments.forEach((segment, index) => {
    const short = segment.to - segment.from < frozen;
    const before = segments[index - 1]?.state;
    if (short && segment.state === "frozen" && before === "playing") segment.state = "playing";
  });
  return segments;
}

function joinAlike(segments: readonly StripSegment[]): StripSegment[] {
  const joined: StripSegment[] = [];
  for (const segment of segments) {
    const last = joined.at(-1);
    if (last !== undefined && last.state === segment.state) last.to = segment.to;
    else joined.push({ ...segment });
  }
  return joined;
}
