/**
 * What a packet leaves on the heap on its way through the fast host: nothing. The packets are real ones, sealed, and go
 * through the kernel in both directions.
 */
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { fastTurn } from "../../../io-node/fast/loop.ts";
import { createFastCall, type FastCall, PREPARED } from "../../support/fast-call.ts";

const VIEWERS = 40;
/** Packets forwarded until V8 has compiled what is hot, and then while it is measured. */
const WARM = 60_000;
const MEASURED = 120_000;
/** Packets that come in one batch, as from a few publishers at a time. */
const BURST = 8;
const FIRST = 64;

function sendBursts(call: FastCall, from: number, to: number): void {
  for (let i = from; i < to; i += BURST) {
    for (let k = i; k < i + BURST; k++) call.send(k);
    fastTurn(call.loop, 0);
  }
}

describe.runIf(process.platform === "linux")("a packet", () => {
  it("leaves nothing on the heap, once the loop is warm", { timeout: 120_000 }, () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const used = () => getHeapStatistics().used_heap_size;
    const call = createFastCall(VIEWERS, 300);
    const { counters } = call.call.shard.history;
    let bytes = 0;
    let measured = 0;
    while (measured < MEASURED) {
      call.prepare();
      collect();
      const isWarm = counters.rtpForwarded >= WARM;
      // The first packets after a collection have V8 take a stretch of memory at once.
      sendBursts(call, 0, FIRST);
      const [before, forwarded] = [used(), counters.rtpForwarded];
      sendBursts(call, FIRST, PREPARED);
      if (!isWarm) continue;
      bytes += used() - before;
      measured += counters.rtpForwarded - forwarded;
    }
    expect(call.loop.sent).toMatchObject({ dropped: 0, failed: 0 });
    expect(call.loop.received).toMatchObject({ badLength: 0, noFlow: 0, socketErrors: 0 });
    expect(counters.rtpForwarded).toBe(call.speaker.sent * VIEWERS);
    // One address above 2^31 that is handed on as an object costs 16. What came in leaves some timestamps: a fortieth.
    expect(bytes / measured).toBeLessThan(12);
    call.close();
  });
});
