/** Whoever can put bytes on the flow, but has no keys, changes nothing. */

import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { micros, millis, seconds } from "../../../core/base/micros.ts";
import { LIMITS } from "../../../core/limits.ts";
import { USUAL_TUNABLES } from "../../../core/tunables.ts";
import { encodeMessage, HANDSHAKE_TYPE } from "../../../core/wire/dtls-handshake.ts";
import { encodeHelloVerifyRequest } from "../../../core/wire/dtls-hello.ts";
import { ALERT, CONTENT_TYPE, RECORD_HEADER_BYTES, recordWriteHeader } from "../../../core/wire/dtls-record.ts";
import {
  connectedRig,
  createRig,
  DELAY,
  deliver,
  handshakeRecord,
  lossless,
  type Network,
  type Rig,
  run,
  splitRecords,
  start,
} from "./rig.ts";

vi.setConfig({ testTimeout: 60_000 });

function expectConnected(rig: Rig): void {
  const { client, server } = rig;
  expect([client.status, server.status, client.failure, server.failure]).toEqual(["connected", "connected", "", ""]);
  expect(server.srtp).toEqual(client.srtp);
}

function record(type: number, epoch: number, sequence: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(RECORD_HEADER_BYTES + body.length);
  recordWriteHeader(bytes, 0, type, epoch, sequence, body.length);
  bytes.set(body, RECORD_HEADER_BYTES);
  return bytes;
}

function plainAlert(level: number, description: number): Uint8Array {
  return record(CONTENT_TYPE.ALERT, 0, 9, Uint8Array.of(level, description));
}

/** A few bytes of a datagram changed. */
interface Damage {
  readonly where: readonly number[];
  readonly xor: number;
}

const damage: fc.Arbitrary<Damage> = fc.record({
  where: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
  xor: fc.integer({ min: 1, max: 255 }),
});

function damaged(bytes: Uint8Array, { where, xor }: Damage): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (const at of where) copy[at % copy.length]! ^= xor;
  return copy;
}

function isHello(datagram: Uint8Array): boolean {
  return datagram[0] === CONTENT_TYPE.HANDSHAKE && datagram[RECORD_HEADER_BYTES] === HANDSHAKE_TYPE.CLIENT_HELLO;
}

describe("damage", () => {
  it("in a copy that comes after the true datagram changes nothing about a handshake", () => {
    fc.assert(
      fc.property(fc.array(damage, { minLength: 4, maxLength: 12 }), (damages) => {
        const network: Network = ({ ordinal, bytes }) => [
          { bytes, delay: DELAY },
          { bytes: damaged(bytes, damages[ordinal % damages.length]!), delay: micros(DELAY + 1) },
        ];
        const rig = createRig(network);
        start(rig);
        run(rig);
        expectConnected(rig);
        expect(rig.log).toHaveLength(4);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  // What is damaged in a hello before the server has seen a true copy, and not noticed by the client, stays: the client does
  // not say hello again once it has an answer. So the two properties below spare the hello.
  it("in a copy that comes before the true datagram costs time, not the handshake", () => {
    fc.assert(
      fc.property(fc.array(damage, { minLength: 8, maxLength: 8 }), (damages) => {
        const network: Network = ({ ordinal, bytes }) => {
          const harm = isHello(bytes) ? undefined : damages[ordinal];
          const copy = { bytes: harm ? damaged(bytes, harm) : bytes, delay: micros(DELAY - 1) };
          return [copy, { bytes, delay: DELAY }];
        };
        const rig = createRig(network);
        start(rig);
        run(rig);
        expectConnected(rig);
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  it("in place of the true datagram, for the first eight of them, costs time, not the handshake", () => {
    fc.assert(
      fc.property(fc.array(fc.option(damage, { nil: null, freq: 4 }), { minLength: 8, maxLength: 8 }), (damages) => {
        const network: Network = ({ ordinal, bytes }) => {
          const harm = isHello(bytes) ? undefined : damages[ordinal];
          return [{ bytes: harm ? damaged(bytes, harm) : bytes, delay: DELAY }];
        };
        const rig = createRig(network);
        start(rig);
        run(rig);
        expectConnected(rig);
      }),
      { seed: 3, numRuns: 200 },
    );
  });

  it("in the random of a hello is noticed by the client, and set right by the next copies", () => {
    for (let at = 0; at < 32; at++) {
      // 13 bytes of record, 12 of handshake header and 2 of version stand before the random
      const rig = createRig(({ ordinal, bytes }) => [
        { bytes: ordinal === 0 ? damaged(bytes, { where: [27 + at], xor: 1 }) : bytes, delay: DELAY },
      ]);
      start(rig);
      run(rig);
      expectConnected(rig);
    }
  });

  it("of any kind never throws, however much of it there is", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(damage, fc.boolean()), { minLength: 1, maxLength: 20 }), (damages) => {
        const network: Network = ({ ordinal, bytes }) => {
          const [harm, isCut] = damages[ordinal % damages.length]!;
          const copy = damaged(bytes, harm);
          return [{ bytes: isCut ? copy.slice(0, harm.where[0]! % copy.length) : copy, delay: DELAY }];
        };
        const rig = createRig(network);
        start(rig);
        run(rig, seconds(100));
      }),
      { seed: 4, numRuns: 200 },
    );
  });
});

describe("noise", () => {
  it("of any bytes, at any step, changes nothing about a handshake", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 8 }), (noises) => {
        const rig = createRig(({ ordinal, bytes }) => [
          { bytes: noises[ordinal % noises.length]!, delay: micros(DELAY - 1) },
          { bytes, delay: DELAY },
        ]);
        start(rig);
        run(rig);
        expectConnected(rig);
      }),
      { seed: 5, numRuns: 60 },
    );
  });

  it("in epoch 1 before the keys is held in bounds, and the true Finished still gets through", () => {
    const rig = createRig(({ ordinal, bytes }) =>
      ordinal === 2
        ? splitRecords(bytes).map((one, i) => ({ bytes: one, delay: millis(10 + 5 * i) }))
        : lossless({ ordinal, from: "client", bytes }),
    );
    start(rig);
    for (let i = 0; i < 50; i++) deliver(rig, "server", record(CONTENT_TYPE.HANDSHAKE, 1, i, new Uint8Array(60)));
    expect(rig.server.early).toHaveLength(LIMITS.dtlsEarlyRecordsMax);
    run(rig);
    expectConnected(rig);
  });

  it("of many started messages takes no more memory than one each", () => {
    const rig = createRig();
    for (let i = 0; i < 200; i++) {
      const fragment = encodeMessage(HANDSHAKE_TYPE.CLIENT_HELLO, i, new Uint8Array(40));
      fragment[2] = 1 + (i % 60);
      deliver(rig, "server", handshakeRecord(fragment));
    }
    const held = rig.server.inbound.map((place) => place.partial?.message.length ?? 0);
    expect(held.filter((length) => length > 0)).toHaveLength(1);
    expect(Math.max(...held)).toBeLessThanOrEqual(LIMITS.dtlsMessageBytesMax + 12);
  });

  it("of repeated hellos gets one flight for each bound of time", () => {
    const rig = createRig(() => []);
    start(rig);
    const hello = rig.log[0]!.bytes;
    rig.log.length = 0;
    for (let i = 0; i < 1_000; i++) {
      rig.now = micros(rig.now + 100);
      deliver(rig, "server", hello);
    }
    // 1,000 hellos in 100 ms
    expect(rig.log.length).toBeLessThanOrEqual(1 + millis(100) / USUAL_TUNABLES.dtlsRepeatMicros);
  });
});

describe("an alert in plaintext", () => {
  it.each([ALERT.HANDSHAKE_FAILURE, ALERT.CLOSE_NOTIFY])("(%i) that is forged does not stop a handshake", (alert) => {
    const rig = createRig(({ bytes }) => [
      { bytes: plainAlert(2, alert), delay: micros(DELAY - 1) },
      { bytes, delay: DELAY },
      { bytes: plainAlert(2, alert), delay: micros(DELAY + 1) },
    ]);
    start(rig);
    run(rig);
    expectConnected(rig);
  });

  it("that is forged does not stop a handshake which goes on for longer than an alert is doubted", () => {
    const rig = createRig(({ from, bytes }) => (from === "client" ? lossless({ ordinal: 0, from, bytes }) : []));
    start(rig);
    run(rig, millis(20));
    deliver(rig, "server", plainAlert(2, ALERT.BAD_CERTIFICATE));
    run(rig, seconds(3));
    expect([rig.server.status, rig.server.alarm]).toEqual(["handshaking", null]);
    rig.network = lossless;
    run(rig);
    expectConnected(rig);
  });

  it("ends a handshake when the peer is silent afterwards", () => {
    const rig = createRig(({ from, bytes }) => (from === "client" ? lossless({ ordinal: 0, from, bytes }) : []));
    start(rig);
    run(rig, millis(20));
    rig.network = () => [];
    deliver(rig, "server", plainAlert(2, ALERT.BAD_CERTIFICATE));
    expect(rig.server.status).toBe("handshaking");
    run(rig, LIMITS.dtlsDoubtMicros);
    expect(rig.server.status).toBe("failed");
    expect(rig.server.failure).toBe("The peer ended the DTLS association with alert 42.");
  });

  it("says nothing to a server that has not been greeted", () => {
    const rig = createRig();
    deliver(rig, "server", plainAlert(2, ALERT.HANDSHAKE_FAILURE));
    expect(run(rig).server.status).toBe("handshaking");
  });

  it("says nothing once the association is connected", () => {
    const rig = connectedRig();
    for (const alert of Object.values(ALERT)) deliver(rig, "server", plainAlert(2, alert));
    expect(run(rig).server.status).toBe("connected");
  });
});

describe("a Finished in plaintext", () => {
  it("is no Finished: only one under the keys is looked at", () => {
    const rig = createRig(() => []);
    start(rig);
    deliver(rig, "server", rig.log[0]!.bytes);
    deliver(rig, "server", handshakeRecord(encodeMessage(HANDSHAKE_TYPE.FINISHED, 4, new Uint8Array(12))));
    expect(rig.server.inbound[4]).toMatchObject({ accepted: null, partial: null });
    expect(rig.server.droppedRecords).toBe(1);
  });
});

describe("a forged HelloVerifyRequest", () => {
  it("does not keep the client from the server that answers its first hello", () => {
    const request = encodeMessage(HANDSHAKE_TYPE.HELLO_VERIFY_REQUEST, 0, encodeHelloVerifyRequest(new Uint8Array(20)));
    const rig = createRig();
    start(rig);
    deliver(rig, "client", handshakeRecord(request));
    expect(rig.client.ownHellos).toHaveLength(2);
    run(rig);
    expectConnected(rig);
  });

  it("is obeyed once at most", () => {
    const rig = createRig(() => []);
    start(rig);
    for (let i = 0; i < 5; i++) {
      const body = encodeHelloVerifyRequest(new Uint8Array(20).fill(i));
      deliver(rig, "client", handshakeRecord(encodeMessage(HANDSHAKE_TYPE.HELLO_VERIFY_REQUEST, 0, body)));
    }
    expect(rig.log).toHaveLength(2);
  });
});
