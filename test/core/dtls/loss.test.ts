/** Networks that lose, repeat, reorder and cut: in the end both sides are connected, with equal keys. */
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { between, MICROS_ORIGIN, type Micros, micros, millis, seconds } from "../../../core/base/micros.ts";
import { LIMITS } from "../../../core/limits.ts";
import {
  fragmentWriteHeader,
  HANDSHAKE_HEADER_BYTES,
  messageLength,
  messageSequence,
  messageType,
} from "../../../core/wire/dtls-handshake.ts";
import { CONTENT_TYPE, RECORD_HEADER_BYTES, recordEpoch, recordType } from "../../../core/wire/dtls-record.ts";
import { createRig, DELAY, deliver, handshakeRecord, type Network, type Rig, run, splitRecords, start } from "./rig.ts";

vi.setConfig({ testTimeout: 60_000 });

/** Time that ten retransmissions and the last wait take. */
const BUDGET = seconds(36);

function connect(network: Network): Rig {
  const rig = createRig(network);
  start(rig);
  return run(rig, BUDGET);
}

function expectConnected(rig: Rig): void {
  expect([rig.client.status, rig.server.status, rig.client.failure, rig.server.failure]).toEqual([
    "connected",
    "connected",
    "",
    "",
  ]);
  expect(rig.server.srtp).toEqual(rig.client.srtp);
}

/** Cuts the plaintext handshake records of a datagram into fragments of `size` bytes, each in a datagram of its own. */
function cut(datagram: Uint8Array, size: number, overlap: number): Uint8Array[] {
  return splitRecords(datagram).flatMap((record) => {
    if (recordEpoch(record, 0) !== 0 || recordType(record, 0) !== CONTENT_TYPE.HANDSHAKE) return [record];
    const at = RECORD_HEADER_BYTES;
    const total = messageLength(record, at);
    const pieces: Uint8Array[] = [];
    for (let offset = 0; offset < Math.max(1, total); offset += size) {
      const begin = Math.max(0, offset - overlap);
      const length = Math.min(size + offset - begin, total - begin);
      const fragment = new Uint8Array(HANDSHAKE_HEADER_BYTES + length);
      fragmentWriteHeader(fragment, 0, messageType(record, at), total, messageSequence(record, at), begin, length);
      const body = at + HANDSHAKE_HEADER_BYTES + begin;
      fragment.set(record.subarray(body, body + length), HANDSHAKE_HEADER_BYTES);
      pieces.push(handshakeRecord(fragment));
    }
    return pieces;
  });
}

describe("a handshake over a network that loses", () => {
  it("survives every choice of lost datagrams among the first eight", () => {
    for (let losses = 0; losses < 256; losses++) {
      expectConnected(connect(({ ordinal, bytes }) => ((losses >> ordinal) & 1 ? [] : [{ bytes, delay: DELAY }])));
    }
  });

  it("is over in a quarter of a second when one datagram is lost", () => {
    for (let lost = 0; lost < 4; lost++) {
      const rig = connect(({ ordinal, bytes }) => (ordinal === lost ? [] : [{ bytes, delay: DELAY }]));
      expectConnected(rig);
      expect(between(MICROS_ORIGIN as Micros, rig.now)).toBeLessThanOrEqual(millis(250));
    }
  });

  it("survives the loss of nine out of ten datagrams of one side", () => {
    for (const side of ["client", "server"] as const) {
      let count = 0;
      const network: Network = ({ from, bytes }) => {
        if (from === side) count += 1;
        return from === side && count % 10 !== 0 ? [] : [{ bytes, delay: DELAY }];
      };
      const rig = connect(network);
      // The last flight of the server waits for the client to ask again, so it may be the one that gets through.
      expect([rig.client.status, rig.server.status, rig.client.retransmits <= LIMITS.dtlsRetransmitsMax]).toEqual([
        "connected",
        "connected",
        true,
      ]);
    }
  });

  it("is over in two round trips when nothing is lost, however short these are", () => {
    const rig = connect(({ bytes }) => [{ bytes, delay: millis(1) }]);
    expectConnected(rig);
    expect(between(MICROS_ORIGIN as Micros, rig.now)).toBe(millis(4));
    expect(rig.client.retransmits).toBe(0);
  });

  it("gives up after the retransmissions that the limits allow, and says so", () => {
    const rig = createRig(() => []);
    start(rig);
    run(rig);
    expect(rig.client.status).toBe("failed");
    expect(rig.client.failure).toBe("The peer did not answer the DTLS handshake.");
    // the hello, its retransmissions and an alert
    expect(rig.log).toHaveLength(1 + LIMITS.dtlsRetransmitsMax + 1);
  });

  it("waits twice as long each time, up to the bound", () => {
    const rig = createRig(() => []);
    const sentAt: number[] = [];
    rig.network = () => {
      sentAt.push(rig.now);
      return [];
    };
    start(rig);
    run(rig);
    const waits = sentAt.slice(1, -1).map((at, i) => (at - sentAt[i]!) / 1_000);
    expect(waits).toEqual([200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000, 5_000, 5_000]);
  });

  it("lets a server answer a repeated Finished long after it is connected", () => {
    const rig = createRig(({ from, ordinal, bytes }) =>
      from === "server" && ordinal > 1 && ordinal < 8 ? [] : [{ bytes, delay: DELAY }],
    );
    start(rig);
    while (rig.server.status !== "connected") run(rig, millis(10));
    expect(rig.client.status).toBe("handshaking");
    run(rig);
    expectConnected(rig);
  });
});

describe("a handshake over a network that repeats and reorders", () => {
  it("survives every datagram coming twice, at once or late", () => {
    for (const late of [0, 5, 150, 700]) {
      expectConnected(
        connect(({ bytes }) => [
          { bytes, delay: DELAY },
          { bytes, delay: micros(DELAY + millis(late)) },
        ]),
      );
    }
  });

  it("sends no more for a repeat than one flight", () => {
    const rig = connect(({ bytes }) => Array.from({ length: 10 }, () => ({ bytes, delay: DELAY })));
    expectConnected(rig);
    expect(rig.log).toHaveLength(4);
  });

  it("survives each record travelling alone, in reverse order", () => {
    expectConnected(
      connect(({ bytes }) =>
        splitRecords(bytes).map((record, i, all) => ({ bytes: record, delay: micros(DELAY + all.length - i) })),
      ),
    );
  });

  it("opens a Finished that has overtaken its flight without waiting for another", () => {
    const rig = connect(({ bytes }) =>
      splitRecords(bytes).map((record, i, all) => ({ bytes: record, delay: micros(DELAY + all.length - i) })),
    );
    expectConnected(rig);
    expect(rig.log).toHaveLength(4);
  });

  it("does not need ChangeCipherSpec to arrive", () => {
    expectConnected(
      connect(({ bytes }) =>
        splitRecords(bytes)
          .filter((record) => recordType(record, 0) !== CONTENT_TYPE.CHANGE_CIPHER_SPEC)
          .map((record) => ({ bytes: record, delay: DELAY })),
      ),
    );
  });

  it("survives cuts that overlap, come backwards, and change from one retransmission to the next", () => {
    for (const start of [7, 40, 333]) {
      expectConnected(
        connect(({ ordinal, bytes }) =>
          cut(bytes, start + 13 * ordinal, ordinal % 5)
            .reverse()
            .map((piece, i) => ({ bytes: piece, delay: micros(DELAY + i) })),
        ),
      );
    }
  });

  it("survives any schedule of loss, repetition, delay and cutting", () => {
    const fate = fc.record({
      lost: fc.integer({ min: 0, max: 9 }).map((dice) => dice < 3),
      copies: fc.integer({ min: 1, max: 3 }),
      delays: fc.array(fc.nat(600), { minLength: 3, maxLength: 3 }),
      size: fc.integer({ min: 20, max: 1_200 }),
    });
    fc.assert(
      fc.property(fc.array(fate, { minLength: 1, maxLength: 14 }), (fates) => {
        const network: Network = ({ ordinal, bytes }) => {
          const here = fates[ordinal];
          if (here === undefined) return [{ bytes, delay: DELAY }];
          if (here.lost) return [];
          return Array.from({ length: here.copies }).flatMap((_, copy) =>
            cut(bytes, here.size + copy, copy).map((piece, i) => ({
              bytes: piece,
              delay: millis(1 + ((here.delays[copy]! + 31 * i) % 600)),
            })),
          );
        };
        expectConnected(connect(network));
      }),
      { seed: 20_261, numRuns: 120 },
    );
  });
});

describe("a handshake in which a record is cut short", () => {
  it("goes on: what is left of the datagram is dropped", () => {
    const rig = createRig(({ bytes }) => [
      { bytes: bytes.slice(0, bytes.length - 1), delay: DELAY },
      { bytes, delay: micros(DELAY + 1) },
    ]);
    start(rig);
    deliver(rig, "server", new Uint8Array(12));
    run(rig);
    expectConnected(rig);
  });
});
