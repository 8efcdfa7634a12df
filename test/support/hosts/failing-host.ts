/** What tests of failing hosts share: failures of one site, and a shard that echoes. */
import { type Faults, type Micros, micros, NEVER } from "../../../core/index.ts";
import type { Engine } from "../../../io-node/engine.ts";

/** Faults of one site: every third question is answered with yes while `on`. */
export function every3rd(site: string) {
  const state = { on: true, reached: 0, fired: 0 };
  const faults: Faults = {
    fires(asked) {
      if (asked !== site || !state.on) return false;
      const fires = state.reached++ % 3 === 0;
      if (fires) state.fired++;
      return fires;
    },
  };
  return { state, faults };
}

/** A shard that echoes, and wants a timer 3 ms after each datagram. */
export function createEcho() {
  const seen = { datagrams: 0, timers: 0, earliest: 0 };
  let due: Micros = NEVER;
  const engine: Engine = {
    handle({ outbox }, input) {
      if (input.kind === "timer") {
        seen.timers++;
        if (input.now < due) seen.earliest++;
        due = NEVER;
      }
      if (input.kind !== "datagram") return;
      seen.datagrams++;
      due = micros(input.now + 3_000);
      const offset = outbox.reserve();
      outbox.sendBytes.set(input.bytes.subarray(input.offset, input.offset + input.length), offset);
      outbox.transmit(input.flow, offset, input.length);
    },
    nextTimeout: () => due,
  };
  return { engine, seen };
}
