/** The node of io-sim in its event loop, with clients that are a millisecond away, and a record of what passes. */
import { MICROS_ORIGIN, type Micros, micros, millis, shardNextTimeout, type WallMicros } from "../../core/index.ts";
import { createNodeCrypto } from "../../io-crypto/index.ts";
import { createEventLoop, EVENT_CLASS, runUntil, schedule, step as stepLoop } from "../../io-sim/base/event-loop.ts";
import { createStream } from "../../io-sim/base/random.ts";
import { createNode, nodeCommand, nodeReceive } from "../../io-sim/world/node.ts";
import type { HostUnderTest, Step } from "./host.ts";

const DELAY = millis(1);
/** The host's timers go off up to this much late. */
const TIMER_LATE = millis(3);
const STEPS_MAX = 100_000;

export async function createSimHostUnderTest(clients: number): Promise<HostUnderTest> {
  const loop = createEventLoop();
  const steps: Step[] = [];
  const received: Uint8Array[][] = Array.from({ length: clients }, () => []);
  const textOf = (client: number) => `10.0.0.${client + 1}:${5_000 + client}`;
  const clientAt = (target: string) => received.findIndex((_, index) => textOf(index) === target);
  const later = (run: () => void) => schedule(loop, micros(loop.now + DELAY), EVENT_CLASS.DATAGRAM, run);
  let askedFor: Micros;
  const node = createNode(
    loop,
    {
      transmit: (target, bytes) => later(() => received[clientAt(target)]!.push(bytes)),
      event: () => {},
      beforeInput: () => {
        askedFor = shardNextTimeout(node.shard);
      },
      afterInput(input, effects) {
        steps.push({
          kind: input.kind,
          now: input.now,
          askedFor,
          flow: input.kind === "datagram" ? input.flow : -1,
          address: input.kind === "datagram" ? input.address.join() : "",
          commandId: input.kind === "command" ? input.commandId : 0,
          transmitted: effects.filter((effect) => effect.kind === "transmit"),
          released: effects.filter((effect) => effect.kind === "release").map((effect) => effect.flow),
          replies: effects.filter((effect) => effect.kind === "reply").map((effect) => effect.reply),
        });
      },
    },
    {
      boot: {
        entropySeed: new Uint8Array(32).fill(5),
        randomSeed: 5,
        now: MICROS_ORIGIN,
        wall: 1_800_000_000_000_000 as WallMicros,
        config: { candidates: [{ ip: "10.0.0.100", port: 40_000 }] },
      },
      createCrypto: createNodeCrypto,
      scheduler: 1,
      timerLateMicros: TIMER_LATE,
      lateness: createStream(1, "lateness", "host"),
      guard: { coreOnStack: false, outsiderOnStack: false },
      journal: undefined,
      // A restart now and then, of which nobody outside may notice anything.
      restartBefore: (input) => input % 7 === 3,
    },
  );
  let stopped = false;
  return {
    steps,
    send: (client, bytes) => later(() => nodeReceive(node, textOf(client), bytes)),
    received: (client) => received[client]!,
    addressOf(client) {
      const port = 5_000 + client;
      return Uint8Array.of(10, 0, 0, client + 1, port >> 8, port & 0xff);
    },
    command: (command) => new Promise((resolve) => nodeCommand(node, command, resolve)),
    async until(condition) {
      for (let i = 0; !condition(); i++) {
        if (i === STEPS_MAX || !stepLoop(loop)) throw new Error("nothing more happens in this world");
      }
    },
    async pass(span) {
      if (!stopped) runUntil(loop, micros(loop.now + span));
    },
    // A world ends when nobody runs its loop any more.
    async stop() {
      stopped = true;
    },
  };
}
