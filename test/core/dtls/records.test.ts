import { describe, expect, it } from "vitest";
import { millis } from "../../../core/base/micros.ts";
import { utf8Encode } from "../../../core/base/text.ts";
import { KEY_HANDLE } from "../../../core/crypto/handles.ts";
import { dtlsClose, dtlsNextTimeout, dtlsRelease, dtlsSend } from "../../../core/dtls/dtls.ts";
import { LIMITS } from "../../../core/limits.ts";
import { CONTENT_TYPE, recordEpoch, recordSequence, recordType } from "../../../core/wire/dtls-record.ts";
import { connectedRig, createRig, crypto, deliver, FLOW, type Network, type Rig, run, start, withSink } from "./rig.ts";

const HELLO = utf8Encode("a message on a data channel");
const lost: Network = () => [];

function send(rig: Rig, role: "client" | "server", payload: Uint8Array): boolean {
  let sent = false;
  withSink(rig, role, (dtls, sink) => {
    sent = dtlsSend(dtls, rig.now, crypto, sink, FLOW, payload, 0, payload.length);
  });
  return sent;
}

/** What a connected client has sent into the void. */
function sentRecord(rig: Rig, payload: Uint8Array): Uint8Array {
  expect(send(rig, "client", payload)).toBe(true);
  return rig.log.at(-1)!.bytes;
}

describe("application data", () => {
  it("arrives as it was sent, both ways and in order", () => {
    const rig = connectedRig();
    for (let i = 0; i < 3; i++) {
      send(rig, "client", Uint8Array.of(1, i));
      send(rig, "server", Uint8Array.of(2, i));
    }
    run(rig);
    expect(rig.server.received).toEqual([Uint8Array.of(1, 0), Uint8Array.of(1, 1), Uint8Array.of(1, 2)]);
    expect(rig.client.received).toEqual([Uint8Array.of(2, 0), Uint8Array.of(2, 1), Uint8Array.of(2, 2)]);
  });

  it("is sealed: the payload is not to be seen, and counts on from the Finished", () => {
    const rig = connectedRig();
    const record = sentRecord(rig, HELLO);
    expect(recordType(record, 0)).toBe(CONTENT_TYPE.APPLICATION_DATA);
    expect([recordEpoch(record, 0), recordSequence(record, 0)]).toEqual([1, 1]);
    expect(record.length).toBe(13 + 8 + HELLO.length + 16);
    expect(Buffer.from(record).includes(Buffer.from(HELLO))).toBe(false);
  });

  it("is not sent before the handshake is over", () => {
    const rig = createRig(lost);
    start(rig);
    expect([send(rig, "client", HELLO), send(rig, "server", HELLO)]).toEqual([false, false]);
  });

  it("is dropped when it comes a second time", () => {
    const rig = connectedRig(lost);
    const record = sentRecord(rig, HELLO);
    for (let i = 0; i < 3; i++) deliver(rig, "server", record);
    expect(rig.server.received).toHaveLength(1);
    expect(rig.server.droppedRecords).toBe(2);
  });

  it("is dropped when it is older than the window, and taken when it is not", () => {
    const rig = connectedRig(lost);
    const records = Array.from({ length: 70 }, (_, i) => sentRecord(rig, Uint8Array.of(i)));
    deliver(rig, "server", records[69]!);
    deliver(rig, "server", records[6]!);
    deliver(rig, "server", records[5]!);
    expect(rig.server.received).toEqual([Uint8Array.of(69), Uint8Array.of(6)]);
  });

  it("is dropped when any of its bytes has been changed, and the true record still counts afterwards", () => {
    const rig = connectedRig(lost);
    const record = sentRecord(rig, HELLO);
    for (let at = 0; at < record.length; at++) {
      const forged = Uint8Array.from(record);
      forged[at]! ^= 0x10;
      deliver(rig, "server", forged);
    }
    expect(rig.server.received).toEqual([]);
    expect(rig.server.status).toBe("connected");
    deliver(rig, "server", record);
    expect(rig.server.received).toEqual([HELLO]);
  });

  it("is kept up to the bound while the caller does not take it", () => {
    const rig = connectedRig(lost);
    for (let i = 0; i < 100; i++) deliver(rig, "server", sentRecord(rig, Uint8Array.of(i)));
    expect(rig.server.received).toHaveLength(LIMITS.dtlsReceivedMax);
  });

  it("owns its bytes: nothing of the datagram is reachable from the state", () => {
    const rig = connectedRig();
    send(rig, "client", HELLO);
    run(rig);
    expect(rig.server.received[0]!.buffer.byteLength).toBe(HELLO.length);
  });
});

describe("after the handshake", () => {
  it("plaintext, whatever it says, moves nothing", () => {
    const rig = connectedRig(lost);
    const before = structuredClone(rig.server);
    for (const { bytes, from } of [...rig.log]) if (from === "client") deliver(rig, "server", bytes.slice(0, 40));
    expect(rig.server.status).toBe("connected");
    expect({ ...rig.server, droppedRecords: 0 }).toEqual({ ...before, droppedRecords: 0 });
  });

  it("a replayed Finished gets no answer, only a repeated one does", () => {
    const rig = connectedRig(lost);
    const clientFlight = rig.log[2]!.bytes;
    rig.now = millis(rig.now / 1_000 + 50);
    const sent = rig.log.length;
    deliver(rig, "server", clientFlight);
    expect(rig.log).toHaveLength(sent);
  });
});

describe("the end of an association", () => {
  it("by dtlsClose is heard by the other side, who answers in kind", () => {
    const rig = connectedRig();
    withSink(rig, "server", (dtls, sink) => dtlsClose(dtls, rig.now, crypto, sink, FLOW));
    expect([rig.server.status, rig.server.failure]).toEqual(["closed", ""]);
    run(rig);
    expect([rig.client.status, rig.client.failure]).toEqual(["closed", ""]);
    expect(rig.log).toHaveLength(6);
  });

  it("during the handshake is heard too", () => {
    const rig = createRig();
    start(rig);
    run(rig, millis(10));
    withSink(rig, "server", (dtls, sink) => dtlsClose(dtls, rig.now, crypto, sink, FLOW));
    rig.arrivals = rig.arrivals.slice(-1);
    rig.network = lost;
    run(rig);
    expect(rig.client.status).toBe("closed");
  });

  it("leaves no keys, no timers and no bound handles", () => {
    const rig = connectedRig();
    withSink(rig, "client", (dtls, sink) => dtlsClose(dtls, rig.now, crypto, sink, FLOW));
    run(rig);
    for (const dtls of [rig.client, rig.server]) {
      expect([dtls.keys, dtls.srtp, dtls.flight]).toEqual([null, null, []]);
      expect(dtlsNextTimeout(dtls)).toBe(Number.MAX_SAFE_INTEGER);
      const handle = dtls.keyHandleBase + KEY_HANDLE.DTLS_WRITE;
      const room = new Uint8Array(64);
      expect(() => crypto.sealAead(handle, new Uint8Array(12), room, 0, 0, room, 0, 8, room, 0)).toThrow();
    }
  });

  it("happens once: closing, sending and receiving afterwards do nothing", () => {
    const rig = connectedRig();
    const record = sentRecord(rig, HELLO);
    withSink(rig, "server", (dtls, sink) => dtlsClose(dtls, rig.now, crypto, sink, FLOW));
    const sent = rig.log.length;
    withSink(rig, "server", (dtls, sink) => dtlsClose(dtls, rig.now, crypto, sink, FLOW));
    deliver(rig, "server", record);
    expect(send(rig, "server", HELLO)).toBe(false);
    expect(rig.log).toHaveLength(sent);
    expect(rig.server.received).toEqual([]);
  });

  it("without a word, by dtlsRelease, sends nothing", () => {
    const rig = connectedRig();
    dtlsRelease(rig.server, crypto);
    expect(send(rig, "server", HELLO)).toBe(false);
  });
});
