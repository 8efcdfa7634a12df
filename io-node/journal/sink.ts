/**
 * The shard's end of its journals: frames go into a ring, and nobody waits for a disk.
 *
 * A ring keeps room for one frame and what closes a page. So when an ordinary frame finds no room, there is still room for it
 * and for a closing frame behind it: the page ends whole, and says itself why it does. In the same way the last frame of a
 * shard that has ended has room.
 */
import {
  BEHIND,
  closingFrame,
  FRAME_HEADER_BYTES,
  JOURNAL_MEMORY_BYTES,
  type JournalSink,
  journalFrame,
} from "../../core/index.ts";
import { openRingWriter, type RingWriter, ringPut, ringShow } from "../relay/shared-ring.ts";
import { ENTRY, interruptJournal, isInterrupted, type JournalLife, STATE, WHY, wakeWriter } from "./life.ts";

/** Room that only a page's last entries take: a frame, a closing frame and the end, each with its length. */
const SPARE_BYTES = JOURNAL_MEMORY_BYTES + 128;

/** The shard's end of its journals; its thread has to call it. */
export function openJournals(life: JournalLife): JournalSink {
  const { state } = life;
  const ring = openRingWriter(life.ring);
  const sink = {
    memory: new Uint8Array(life.memory),
    written: state.subarray(STATE.WRITTEN, STATE.WRITTEN + 1),
    pageBytes: 0,
    wantsPage: false,
    drain() {
      const written = sink.written[0]!;
      if (isPageLost(life)) {
        sink.written[0] = FRAME_HEADER_BYTES;
        sink.wantsPage = !isInterrupted(life);
      } else if (written > FRAME_HEADER_BYTES) {
        sink.pageBytes += written;
        putFrame(life, ring, SPARE_BYTES);
      }
    },
    turnPage() {
      sink.drain();
      sink.pageBytes = 0;
      sink.wantsPage = false;
      state[STATE.PAGE]! += 1;
      beginPage(life, ring);
    },
  };
  beginPage(life, ring);
  return sink;
}

/** Puts in what the shard has left in memory, and says that there will be no more. It has ended, or will write no more. */
export function finishJournals(life: JournalLife): void {
  const ring = openRingWriter(life.ring);
  if (!isPageLost(life) && life.state[STATE.WRITTEN]! > FRAME_HEADER_BYTES) putFrame(life, ring, 0);
  put(life, ring, new Int32Array(0), ENTRY.END, 0);
}

function isPageLost({ state }: JournalLife): boolean {
  return Atomics.load(state, STATE.LOST_PAGE) === state[STATE.PAGE];
}

function beginPage(life: JournalLife, ring: RingWriter): void {
  const page = life.state[STATE.PAGE]!;
  if (!put(life, ring, Int32Array.of(page), ENTRY.PAGE, SPARE_BYTES)) interruptJournal(life, page, WHY.BEHIND);
}

/** Puts the frame in the making into the ring; if that needs the spare room, it is the page's last. */
function putFrame(life: JournalLife, ring: RingWriter, spareBytes: number): void {
  const { memory, state } = life;
  const written = state[STATE.WRITTEN]!;
  journalFrame(new Uint8Array(memory), written);
  const words = new Int32Array(memory);
  // Before it is shown: who finishes what a thread has left must not find it once more.
  state[STATE.WRITTEN] = FRAME_HEADER_BYTES;
  if (put(life, ring, words, written, spareBytes)) return;
  const closing = closingFrame(BEHIND);
  put(life, ring, words, written, 0);
  put(life, ring, wordsOf(closing), closing.length, 0);
  interruptJournal(life, state[STATE.PAGE]!, WHY.BEHIND);
}

function put({ signal }: JournalLife, ring: RingWriter, words: Int32Array, bytes: number, spareBytes: number): boolean {
  if (!ringPut(ring, words, 0, bytes, false, spareBytes)) return false;
  if (ringShow(ring)) wakeWriter(signal);
  return true;
}

function wordsOf(bytes: Uint8Array): Int32Array {
  const words = new Int32Array((bytes.length + 3) >>> 2);
  new Uint8Array(words.buffer).set(bytes);
  return words;
}
