/** How long a turn of the fast loop waits. What it does with datagrams the contract of hosts holds to account. */
import { expect, it } from "vitest";
import { MICROS_ORIGIN, micros } from "../../../core/index.ts";
import { createNodeCrypto } from "../../../io-crypto/index.ts";
import { closeFastResources, openFastResources } from "../../../io-node/fast/fast-host.ts";
import { createFastLoop, type FastLoop, fastCommand, fastPart, fastTurn } from "../../../io-node/fast/loop.ts";
import { openBlock } from "../../../io-node/fast/memory.ts";

/** Runs something with a loop whose shard takes 3 ms for each input and has its next timeout after 10 ms. */
function withSlowShard(run: (loop: FastLoop, waits: readonly number[]) => void): void {
  const resources = openFastResources(0);
  if (typeof resources === "string") throw new Error(resources);
  const { libc, sockets, wakeFd, block } = resources;
  const waits: number[] = [];
  let now: number = MICROS_ORIGIN;
  let timeout: number = MICROS_ORIGIN + 10_000;
  const loop = createFastLoop({
    libc: {
      ...libc,
      // Nothing ever comes, and the whole of each wait passes.
      ppoll(_polls, _count, time) {
        const bytes = libc.native.view(Number(time), 16);
        const [seconds, , nanos] = new Uint32Array(bytes.buffer, bytes.byteOffset, 4);
        waits.push(seconds! * 1_000_000 + nanos! / 1_000);
        now += waits.at(-1)!;
        return 0;
      },
    },
    block: openBlock(libc.native, block.address, block.length),
    fds: sockets.fds,
    wakeFd,
    engine: {
      handle(_ports, { kind }) {
        now += 3_000;
        if (kind === "timer") timeout = now + 7_000;
      },
      nextTimeout: () => micros(timeout),
    },
    crypto: createNodeCrypto(),
    clock: () => micros(now),
    flowSeed: 1,
    onReply() {},
    onEvent() {},
    onFailure(error) {
      throw error;
    },
  });
  try {
    run(loop, waits);
  } finally {
    closeFastResources(resources);
  }
}

it.runIf(process.platform === "linux")("a turn waits no longer for what took long before it", () => {
  withSlowShard((loop, waits) => {
    fastCommand(loop, 1, { type: "leave", room: "blue", resource: "none" });
    fastPart(loop, 1);
    fastTurn(loop, 100_000);
    // 10 ms less twice 3; and then 7 ms after the timer has had its turn, of which nothing has passed yet.
    expect(waits).toEqual([4_000]);
    fastTurn(loop, 100_000);
    expect(waits).toEqual([4_000, 7_000]);
    fastTurn(loop, 1_000);
    expect(waits.at(-1)).toBe(1_000);
  });
});
