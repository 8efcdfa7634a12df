/**
 * A thread that reads a ring and sleeps whenever it has seen all of it: it is woken only when the writer says so. It answers
 * with what it took: entries in order, each with its number in the first word and the same number in all others.
 */
import { parentPort, workerData } from "node:worker_threads";
import { entryLength, entryWords, openRingReader, ringHolds, ringTake } from "../../../io-node/relay/shared-ring.ts";

/** What such a thread is told: the ring, a word that changes when it is to wake, and how many entries there will be. */
export interface RingReaderTask {
  readonly memory: SharedArrayBuffer;
  readonly bell: Int32Array;
  readonly entries: number;
}

/** What it has found. */
export interface RingReaderFound {
  readonly taken: number;
  readonly wrong: number;
  /** Times that it slept and nobody woke it although there was something. */
  readonly overslept: number;
}

const { memory, bell, entries } = workerData as RingReaderTask;
const ring = openRingReader(memory);
const batch = new Int32Array(256);
let [taken, wrong, overslept] = [0, 0, 0];

parentPort!.postMessage("ready");
while (taken < entries) {
  const heard = Atomics.load(bell, 0);
  const words = ringTake(ring, batch);
  for (let at = 0; at < words; at += entryWords(batch, at)) {
    taken += 1;
    const end = at + entryWords(batch, at);
    if (entryLength(batch, at) !== 4 * (1 + (taken % 40))) wrong += 1;
    for (let word = at + 1; word < end; word++) if (batch[word] !== taken) wrong += 1;
  }
  // Who has overslept a few times has shown enough.
  if (ringHolds(ring) || taken >= entries || overslept >= 3) continue;
  if (Atomics.wait(bell, 0, heard, 1_000) === "timed-out" && ringHolds(ring)) overslept += 1;
}
parentPort!.postMessage({ taken, wrong, overslept } satisfies RingReaderFound);
