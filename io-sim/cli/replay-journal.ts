/**
 * `lockstep replay` with a journal that a server has written: plays it, whole or up to a moment, and compares every effect.
 */
import { createInterface } from "node:readline";
import { createNodeCrypto } from "../../io-crypto/index.ts";
import { thisProgram } from "../../program.ts";
import { readableState } from "../inspection/readable-state.ts";
import {
  beginPlayback,
  describePlayback,
  type Playback,
  type PlaybackRow,
  type PlaybackStop,
  playbackFingerprint,
  playbackHolds,
  playUntil,
  wallOf,
} from "../journal/playback.ts";
import { EXIT, Misuse, wholeNumber } from "./misuse.ts";

/** The flags of `replay` that a server's journal has a use for. */
export interface JournalOptions {
  readonly until?: string;
  readonly back?: string;
  readonly state?: boolean;
  readonly step?: boolean;
  readonly trace?: boolean;
  readonly json?: boolean;
}

/** Rows of the past that are shown where a playback has stopped. */
const SHOWN_ROWS = 12;

/** Plays the journal in `bytes`, which is what `file` holds; answers the exit status. */
export async function replayServerJournal(file: string, bytes: Uint8Array, options: JournalOptions): Promise<number> {
  const crypto = createNodeCrypto();
  let stop = readStop(options.until);
  let playback = beginPlayback(bytes, crypto);
  const print = (row: PlaybackRow) => process.stdout.write(`${rowText(playback, row, options.json === true)}\n`);
  const onRow = options.trace === true ? print : undefined;
  if (options.back !== undefined) {
    playUntil(playback, stop);
    stop = { kind: "input", input: playback.player.inputs - wholeNumber(options.back, "--back") };
    playback = beginPlayback(bytes, crypto);
  }
  refuseWhatIsBefore(playback, stop);
  playUntil(playback, stop, onRow);
  show(file, playback, options);
  if (options.step === true) playback = await walk(playback, () => beginPlayback(bytes, crypto), print);
  return playbackHolds(playback) ? EXIT.HELD : EXIT.BROKEN;
}

/** A moment before the journal begins is in another one. */
function refuseWhatIsBefore(playback: Playback, stop: PlaybackStop): void {
  const { player } = playback;
  const isBefore =
    stop.kind === "input"
      ? stop.input < player.firstInput
      : stop.kind === "wall" && stop.micros < wallOf(playback, playback.startsAt);
  if (!isBefore) return;
  const begin = `input ${player.firstInput + 1} at ${wallText(playback, playback.startsAt)}`;
  const before = player.firstInput === 0 ? "its shard was not there before" : "see the file before it";
  throw new Misuse(`The journal begins with ${begin}: ${before}.`);
}

/** The moment that `--until` names: an input (`1200`), seconds of the journal (`12.5s`), or a time as in a log. */
function readStop(text: string | undefined): PlaybackStop {
  if (text === undefined) return { kind: "end" };
  if (/^\d{1,15}$/.test(text)) return { kind: "input", input: Number(text) };
  if (/^\d{1,9}(\.\d{1,6})?s$/.test(text)) {
    return { kind: "time", micros: Math.round(Number(text.slice(0, -1)) * 1_000_000) };
  }
  const millis = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(millis)) return { kind: "wall", micros: millis * 1_000 };
  const kinds = "an input such as 1200, a time such as 12.5s, or one of the log such as 2026-01-31T12:00:00.000Z";
  throw new Misuse(`--until takes ${kinds}, not "${text}".`);
}

function show(file: string, playback: Playback, options: JournalOptions): void {
  const { player, rows } = playback;
  const json = options.json === true;
  if (options.state === true) {
    process.stdout.write(`${JSON.stringify(readableState(player.shard), undefined, json ? 0 : 2)}\n`);
    return;
  }
  const looksCloser = options.until !== undefined || options.back !== undefined || options.step === true;
  if (looksCloser && !json && options.trace !== true) {
    for (const row of rows.slice(-SHOWN_ROWS)) process.stdout.write(`${rowText(playback, row, false)}\n`);
  }
  const verdict = playbackHolds(playback) ? "held" : "broken";
  const detail = describePlayback(playback, thisProgram());
  const fingerprint = playbackFingerprint(playback);
  const { inputs, firstInput } = player;
  const micros = player.now - playback.startsAt;
  if (json) {
    const place = { verdict, detail, fingerprint, firstInput: firstInput + 1, lastInput: inputs, micros };
    process.stdout.write(`${JSON.stringify({ journal: file, ...place, wall: wallText(playback, player.now) })}\n`);
    return;
  }
  const range = `inputs ${firstInput + 1} to ${inputs}`;
  const when = `${(micros / 1_000_000).toFixed(3)} s to ${wallText(playback, player.now)}`;
  process.stdout.write(`${verdict.padEnd(6)}  ${file}  ${range}  ${when}  ${fingerprint}  ${detail}\n`);
}

/** One input for each line that is read: an empty one goes on, `b` back, `s` shows the state, `q` ends. */
async function walk(start: Playback, again: () => Playback, print: (row: PlaybackRow) => void): Promise<Playback> {
  let playback = start;
  process.stderr.write("Enter: next input; b: back; s: state; q: quit\n");
  for await (const line of createInterface({ input: process.stdin })) {
    const word = line.trim();
    const { inputs } = playback.player;
    if (word === "q") break;
    if (word === "s") {
      process.stdout.write(`${JSON.stringify(readableState(playback.player.shard), undefined, 2)}\n`);
      continue;
    }
    if (word === "b") {
      playback = again();
      playUntil(playback, { kind: "input", input: inputs - 1 });
      const last = playback.rows.at(-1);
      if (last !== undefined) print(last);
      continue;
    }
    playUntil(playback, { kind: "input", input: inputs + 1 }, print);
    if (playback.player.inputs === inputs) process.stdout.write("The journal is over.\n");
  }
  return playback;
}

function rowText(playback: Playback, { input, time, text }: PlaybackRow, json: boolean): string {
  const wall = wallText(playback, time);
  if (json) return JSON.stringify({ input, micros: time - playback.startsAt, wall, text });
  const seconds = ((time - playback.startsAt) / 1_000_000).toFixed(3);
  return `${`${seconds} s`.padStart(12)}  ${wall.slice(11)}  ${String(input).padStart(8)}  ${text}`;
}

/** A time of the shard as the log writes it. */
function wallText(playback: Playback, time: number): string {
  return new Date(wallOf(playback, time) / 1_000).toISOString();
}
