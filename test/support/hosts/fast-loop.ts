/** A fast loop on the thread of a test: turns that never wait, one in each turn of Node's event loop. */
import { closeFastResources, openFastResources } from "../../../io-node/fast/fast-host.ts";
import {
  createFastLoop,
  type FastLoop,
  type FastLoopParts,
  fastFarewell,
  fastTurn,
  stopFastLoop,
} from "../../../io-node/fast/loop.ts";
import { openBlock } from "../../../io-node/fast/memory.ts";

/** A loop that turns until it is closed. */
export interface TurningLoop {
  readonly loop: FastLoop;
  readonly port: number;
  close(): void;
}

/** Opens sockets on a free port, and turns a loop around what `createParts` makes of the port. */
export function startTurningLoop(
  createParts: (
    port: number,
  ) => Pick<FastLoopParts, "engine" | "crypto" | "clock" | "onReply" | "onEvent" | "onFailure" | "faults">,
): TurningLoop {
  const resources = openFastResources(0);
  if (typeof resources === "string") throw new Error(resources);
  const { libc, sockets, wakeFd, block } = resources;
  const loop = createFastLoop({
    ...createParts(sockets.port),
    libc,
    block: openBlock(libc.native, block.address, block.length),
    fds: sockets.fds,
    wakeFd,
    flowSeed: 1,
  });
  let closed = false;
  const turn = () => {
    if (closed) return;
    fastTurn(loop, 0);
    setImmediate(turn);
  };
  turn();
  return {
    loop,
    port: sockets.port,
    close() {
      if (closed) return;
      closed = true;
      stopFastLoop(loop);
      fastFarewell(loop, 100);
      closeFastResources(resources);
    },
  };
}
