/** A run that is cut, its state cloned and its key handles bound anew, goes on as if nothing had happened. */
import { describe, expect, it } from "vitest";
import { after, MICROS_ORIGIN, seconds } from "../../../core/base/micros.ts";
import { type Dtls, dtlsRestoreKeys, dtlsSend } from "../../../core/dtls/dtls.ts";
import { createRig, crypto, DELAY, FLOW, type Network, type Rig, run, start, step, withSink } from "./rig.ts";

const UNTIL = after(MICROS_ORIGIN, seconds(60));

/** Loses some and repeats some, by ordinal, so that all kinds of state are in play. */
const rough: Network = ({ ordinal, bytes }) =>
  ordinal % 3 === 1 ? [] : Array.from({ length: 1 + (ordinal % 2) }, () => ({ bytes, delay: DELAY }));

/** Cloned, with handles that were freed in between, as after a crash. */
function restored(dtls: Dtls): Dtls {
  const copy = structuredClone(dtls);
  crypto.releaseKey(dtls.keyHandleBase);
  crypto.releaseKey(dtls.keyHandleBase + 1);
  dtlsRestoreKeys(copy, crypto);
  return copy;
}

function finish(rig: Rig): Rig {
  while (step(rig, UNTIL));
  withSink(rig, "server", (dtls, sink) => dtlsSend(dtls, rig.now, crypto, sink, FLOW, Uint8Array.of(1, 2, 3), 0, 3));
  return run(rig);
}

describe("a snapshot", () => {
  it("taken after any step of a handshake goes on identically", () => {
    const whole = createRig(rough);
    start(whole);
    let steps = 0;
    while (step(whole, UNTIL)) steps += 1;
    finish(whole);
    expect(whole.server.status).toBe("connected");
    for (let cut = 0; cut <= steps; cut++) {
      const rig = createRig(rough);
      start(rig);
      for (let i = 0; i < cut; i++) step(rig, UNTIL);
      rig.client = restored(rig.client);
      rig.server = restored(rig.server);
      finish(rig);
      expect(rig.log).toEqual(whole.log);
      expect(rig.server).toEqual(whole.server);
      expect(rig.client).toEqual(whole.client);
    }
  });

  it("taken after every step goes on identically", () => {
    const whole = createRig(rough);
    start(whole);
    finish(whole);
    const rig = createRig(rough);
    start(rig);
    do {
      rig.client = restored(rig.client);
      rig.server = restored(rig.server);
    } while (step(rig, UNTIL));
    finish(rig);
    expect(rig.log).toEqual(whole.log);
  });

  it("holds plain data only, each array with a buffer of its own", () => {
    const rig = createRig(rough);
    start(rig);
    const check = (value: unknown): void => {
      if (value instanceof Uint8Array || value instanceof Float64Array) {
        expect(value.byteLength).toBe(value.buffer.byteLength);
      } else if (Array.isArray(value)) {
        for (const part of value) check(part);
      } else if (typeof value === "object" && value !== null) {
        expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
        for (const part of Object.values(value)) check(part);
      } else {
        expect(["number", "string", "boolean", "object"]).toContain(typeof value);
      }
    };
    do {
      check(rig.client);
      check(rig.server);
    } while (step(rig, UNTIL));
  });
});
