/**
 * A thread that takes what another one relays to it, as a host does, and looks at all of it: whether records are whole, in
 * their order, and none twice. It begins when it is let; from then on it sleeps whenever it has taken everything.
 */
import { parentPort, workerData } from "node:worker_threads";
import { LIMITS, type Micros } from "../../../core/index.ts";
import { createRelayWays, openWay, TAKE_BYTES, takeRelayed, waysHold } from "../../../io-node/relay/relay-ways.ts";
import { RECORD, SIGNAL } from "./way-signals.ts";

/** What such a thread is told. */
export interface WayReaderTask {
  /** The rings from the writer and back. */
  readonly there: SharedArrayBuffer;
  readonly back: SharedArrayBuffer;
  /** Shared words, in the order of {@link SIGNAL}. */
  readonly signals: Int32Array;
}

/** What it has found. */
export interface WayReaderFound {
  packets: number;
  mail: number;
  /** Records with a word in them that is another's. */
  torn: number;
  /** Records that came before one that was relayed earlier, or again. */
  outOfOrder: number;
}

const { there, back, signals } = workerData as WayReaderTask;
const batchBytes = new Uint8Array(TAKE_BYTES);
const ways = createRelayWays(new Uint8Array(LIMITS.datagramBytesMax), batchBytes);
openWay(ways, { number: 3, outgoing: back, incoming: there, wakeFd: -1 });
const found: WayReaderFound = { packets: 0, mail: 0, torn: 0, outOfOrder: 0 };
let [lastPacket, lastMail] = [0, 0];

function look(words: Int32Array): void {
  const isMail = words[RECORD.IS_MAIL] === 1;
  const number = words[RECORD.NUMBER]!;
  const others = words[RECORD.OTHERS]!;
  for (let i = RECORD.FILLING; i < words.length; i++) {
    if (words[i] === number) continue;
    found.torn += 1;
    break;
  }
  if (isMail) {
    // Packets may be missing. Mail may not, and what came before it may not come after it.
    if (number !== lastMail + 1 || others < lastPacket) found.outOfOrder += 1;
    [found.mail, lastMail] = [found.mail + 1, number];
  } else {
    if (number <= lastPacket || others !== lastMail) found.outOfOrder += 1;
    [found.packets, lastPacket] = [found.packets + 1, number];
  }
}

parentPort!.postMessage("ready");
Atomics.wait(signals, SIGNAL.BEGIN, 0);
for (;;) {
  const heard = Atomics.load(signals, SIGNAL.BELL);
  const isEnd = Atomics.load(signals, SIGNAL.END) === 1;
  takeRelayed(ways, 9_000_000_000 as Micros, ({ bytes, offset, length }) => {
    look(new Int32Array(bytes.buffer, bytes.byteOffset + offset, length >>> 2));
    Atomics.add(signals, SIGNAL.TAKEN, 1);
  });
  Atomics.notify(signals, SIGNAL.TAKEN);
  if (waysHold(ways)) continue;
  if (isEnd) break;
  Atomics.wait(signals, SIGNAL.BELL, heard, 1_000);
}
parentPort!.postMessage(found);
