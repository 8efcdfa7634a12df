/**
 * Measures what a packet leaves on the heap on its way through the fast host, and prints it: bytes for each packet that was
 * forwarded, in nearly the best of several rounds: garbage that belongs to the code is in every round, while some rounds have
 * in them what V8 makes when it gives up compiled code and compiles anew. A program of its own, because test runners rewrite
 * imports into calls, and those make garbage too.
 *
 *     node --expose-gc --import tsx test/support/hosts/fast-garbage.ts PACKETS
 */
import { getHeapStatistics } from "node:v8";
import { fastTurn } from "../../../io-node/fast/loop.ts";
import { percentile } from "../../../io-sim/cli/figures.ts";
import { createFastCall, type FastCall, PREPARED } from "./fast-call.ts";

const VIEWERS = 40;
/** Packets forwarded until V8 has compiled what is hot. */
const WARM = 60_000;
/** Packets that come in one batch, as from a few publishers at a time. */
const BURST = 8;
/** Packets that go before each weighing: the first after a collection have V8 take a stretch of memory at once. */
const FIRST = 64;

function sendBursts(call: FastCall, from: number, to: number): void {
  for (let i = from; i < to; i += BURST) {
    for (let k = i; k < i + BURST; k++) call.send(k);
    fastTurn(call.loop, 0);
  }
}

const used = () => getHeapStatistics().used_heap_size;
const packets = Number(process.argv[2]);
const call = createFastCall(VIEWERS, 300);
const { counters } = call.call.shard.history;
const rounds: number[] = [];
let measured = 0;
while (measured < packets) {
  call.prepare();
  globalThis.gc!();
  const isWarm = counters.rtpForwarded >= WARM;
  sendBursts(call, 0, FIRST);
  const [before, forwarded] = [used(), counters.rtpForwarded];
  sendBursts(call, FIRST, PREPARED);
  if (!isWarm) continue;
  const count = counters.rtpForwarded - forwarded;
  rounds.push((used() - before) / count);
  measured += count;
}
const wanted = call.speaker.sent * VIEWERS;
const { received, sent } = call.loop;
console.log(
  JSON.stringify({
    bytesPerPacket: percentile(rounds, 10),
    measured,
    lost: wanted - counters.rtpForwarded,
    received,
    sent,
  }),
);
call.close();
