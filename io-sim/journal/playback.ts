/**
 * Playing a journal that a server has written, up to a moment, and saying what there was to see.
 *
 * Moments are inputs by their number in the shard's life, seconds since the journal begins, or times of the clock on the
 * wall, as they stand in the server's log. An earlier moment is another playback that stops sooner. A row tells of an input
 * what it led to: effects by kind, what the shard has said, and which of its counters moved, for most decisions of the
 * packet path can be told by one of those.
 */
import {
  BEHIND,
  type Counters,
  type CryptoProvider,
  openJournal,
  type Played,
  type Player,
  type Program,
  playerFingerprint,
  playInput,
} from "../../core/index.ts";
import { createRecordingOutbox, type RecordingOutbox, takeEffects } from "../world/recording-outbox.ts";
import { describeEffects, describeInput, whoseDatagram } from "./input-words.ts";
import { compareProgram } from "./journal.ts";

/** Where a playback stops. */
export type PlaybackStop =
  | { readonly kind: "input"; readonly input: number }
  | { readonly kind: "time"; readonly micros: number }
  | { readonly kind: "wall"; readonly micros: number }
  | { readonly kind: "end" };

/** A journal that has been played up to a moment. */
export interface Playback {
  readonly player: Player;
  readonly outbox: RecordingOutbox;
  /** The time at which the journal begins. */
  readonly startsAt: number;
  /** The last rows, oldest first. */
  readonly rows: PlaybackRow[];
  /** The first input that came out otherwise; undefined while none has. */
  difference: Played | undefined;
}

/** What one input led to. */
export interface PlaybackRow {
  readonly input: number;
  readonly time: number;
  readonly text: string;
}

/** Rows that are kept. */
const ROWS = 200;

/** A playback that has not begun; throws a `LockstepError` for what is no journal of this Lockstep. */
export function beginPlayback(file: Uint8Array, crypto: Pick<CryptoProvider, "sha256">): Playback {
  const outbox = createRecordingOutbox({ high: 0, low: 0 });
  const player = openJournal(file, crypto, outbox, attempt);
  takeEffects(outbox);
  return { player, outbox, startsAt: player.now, rows: [], difference: undefined };
}

/** Does something, and answers what it has thrown; empty when nothing. */
export function attempt(act: () => void): string {
  try {
    act();
    return "";
  } catch (error) {
    return String(error);
  }
}

/** Plays on until `stop`, or to the end of the journal; `onRow` gets each row. */
export function playUntil(playback: Playback, stop: PlaybackStop, onRow: (row: PlaybackRow) => void = () => {}): void {
  while (!isReached(playback, stop)) {
    const row = playOne(playback);
    if (row === undefined) return;
    onRow(row);
  }
}

/** Microseconds since 1970 of a time of the shard. */
export function wallOf({ player: { boot } }: Playback, time: number): number {
  return boot.wall + (time - boot.now);
}

/** Whether everything came out as it was recorded so far. */
export function playbackHolds({ difference }: Playback): boolean {
  return difference === undefined;
}

/** What there is to say of the playback, in sentences. `program` is this Lockstep. */
export function describePlayback(playback: Playback, program: Program): string {
  const { player, difference } = playback;
  const same = difference === undefined;
  const verdict = same
    ? `Every effect is as it was recorded${describeEnding(playback)}.`
    : `Input ${difference.number} (${describeInput(difference.input)}) ${difference.difference}.`;
  const provenance = compareProgram(player.program, program, same);
  return provenance === "" ? verdict : `${verdict} ${provenance}`;
}

/** The fingerprint of all effects in the shard's life so far. */
export function playbackFingerprint({ player }: Playback): string {
  return playerFingerprint(player);
}

/** Plays one input; undefined when there is none. */
function playOne(playback: Playback): PlaybackRow | undefined {
  const { player, outbox, rows } = playback;
  const before = { ...player.shard.history.counters };
  const played = playInput(player);
  if (played === undefined) return undefined;
  const effects = takeEffects(outbox);
  if (played.difference !== "") playback.difference ??= played;
  const told = [describeEffects(effects), ...changedCounters(before, player.shard.history.counters)];
  const fate = player.ending?.kind === "failed" ? [`the shard fails: ${player.ending.error}`] : [];
  const otherwise = played.difference === "" ? [] : [`OTHERWISE: ${played.difference}`];
  const text = `${describeInput(played.input)}${whoseDatagram(player.shard, played.input)} → ${[...told, ...fate, ...otherwise].join(", ")}`;
  const row = { input: played.number, time: played.input.now, text };
  rows.push(row);
  if (rows.length > ROWS) rows.shift();
  return row;
}

function isReached(playback: Playback, stop: PlaybackStop): boolean {
  const { player, startsAt } = playback;
  if (stop.kind === "end") return false;
  if (stop.kind === "input") return player.inputs >= stop.input;
  return stop.kind === "time" ? player.now - startsAt >= stop.micros : wallOf(playback, player.now) >= stop.micros;
}

function describeEnding({ player }: Playback): string {
  const { ending, usableBytes, fileBytes, inputs } = player;
  if (ending === undefined || ending.kind === "closed") return "";
  if (ending.kind === "failed") return `, also that the shard fails at input ${inputs} (${ending.error})`;
  if (ending.kind === "stopped") return "; the journal ends there, and the next one goes on if the server did";
  if (ending.kind === "interrupted") return `; ${whyInterrupted(ending.why)}; the server went on without a journal`;
  const where =
    usableBytes < fileBytes ? `; the file is cut or damaged behind byte ${usableBytes} of ${fileBytes}` : "";
  const { input } = ending;
  const work = input === undefined ? "" : `; the shard was at work on input ${inputs + 1} (${describeInput(input)})`;
  return `${where || "; the journal breaks off"}${work}`;
}

/** Why a journal ends early, from the word in it. */
function whyInterrupted(why: string): string {
  if (why === BEHIND) return "the journal ends there because the disk did not keep up";
  return `the journal ends there because the disk took no more (${why})`;
}

/** The counters that an input has moved, but for the one that each datagram moves. */
function changedCounters(before: Counters, after: Counters): string[] {
  return Object.entries(after).flatMap(([name, value]) => {
    const more = value - before[name as keyof Counters];
    return more === 0 || name === "datagramsReceived" ? [] : [`${name} +${more}`];
  });
}
