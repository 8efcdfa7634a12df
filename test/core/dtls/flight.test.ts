import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { must } from "../../../core/base/assert.ts";
import { equalBytes } from "../../../core/base/bytes.ts";
import { MICROS_ORIGIN, micros } from "../../../core/base/micros.ts";
import { createDtls, dtlsNextTimeout } from "../../../core/dtls/dtls.ts";
import { changeCipherSpecItem, messageItem, repeatFlight, startFlight } from "../../../core/dtls/flight.ts";
import { createInbound, inboundTake, inboundWants } from "../../../core/dtls/inbound.ts";
import { LIMITS } from "../../../core/limits.ts";
import { USUAL_TUNABLES } from "../../../core/tunables.ts";
import { encodeMessage, fragmentBytes, fragmentCheck, messageSequence } from "../../../core/wire/dtls-handshake.ts";
import {
  CONTENT_TYPE,
  RECORD,
  RECORD_HEADER_BYTES,
  recordBodyLength,
  recordBytes,
  recordCheck,
  recordSequence,
  recordType,
} from "../../../core/wire/dtls-record.ts";
import { configOf, createTestSink, crypto, FLOW } from "./rig.ts";

describe("packing a flight", () => {
  it("keeps datagrams to their bound, and the messages come out as they went in", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3_000), { minLength: 1, maxLength: 6 }), (lengths) => {
        const messages = lengths.map((length, i) => encodeMessage(i + 1, i, new Uint8Array(length).fill(i + 1)));
        const dtls = createDtls(configOf("server"));
        const sink = createTestSink();
        const items = [...messages.map((message) => messageItem(message, 0)), changeCipherSpecItem()];
        startFlight(dtls, MICROS_ORIGIN, crypto, sink, FLOW, items);

        const inbound = createInbound(messages.map((message) => message[0]!));
        let records = 0;
        let changes = 0;
        for (const { bytes } of sink.sent) {
          expect(bytes.length).toBeLessThanOrEqual(LIMITS.dtlsDatagramBytesMax);
          for (let at = 0; at < bytes.length; at += recordBytes(bytes, at)) {
            expect(recordCheck(bytes, at, bytes.length - at)).toBe(RECORD.OK);
            expect(recordSequence(bytes, at)).toBe(records++);
            if (recordType(bytes, at) === CONTENT_TYPE.CHANGE_CIPHER_SPEC) changes += 1;
            if (recordType(bytes, at) !== CONTENT_TYPE.HANDSHAKE) continue;
            const fragment = at + RECORD_HEADER_BYTES;
            expect(fragmentCheck(bytes, fragment, recordBodyLength(bytes, at))).toBe(true);
            expect(fragmentBytes(bytes, fragment)).toBe(recordBodyLength(bytes, at));
            const place = inbound[messageSequence(bytes, fragment)]!;
            expect(inboundWants(place, bytes, fragment)).toBe(true);
            inboundTake(place, crypto, bytes, fragment, false);
          }
        }
        expect(changes).toBe(1);
        for (const [i, message] of messages.entries()) {
          expect(equalBytes(must(inbound[i]!.accepted, "the message has arrived"), message)).toBe(true);
        }
        const total = messages.reduce((sum, message) => sum + message.length, 0);
        expect(sink.sent.length).toBeLessThanOrEqual(1 + Math.ceil(total / (LIMITS.dtlsDatagramBytesMax - 200)));
      }),
      { numRuns: 40 },
    );
  });

  it("wraps a message that is too long for one datagram over two", () => {
    const dtls = createDtls(configOf("server"));
    const sink = createTestSink();
    const message = encodeMessage(11, 1, new Uint8Array(1_500));
    startFlight(dtls, MICROS_ORIGIN, crypto, sink, FLOW, [messageItem(message, 0)]);
    expect(sink.sent.map(({ bytes }) => bytes.length)).toEqual([1_200, 1_500 - 1_175 + 25]);
  });
});

describe("sending a flight again", () => {
  it("happens at most once within the bound, however often the peer asks", () => {
    const dtls = createDtls(configOf("server"));
    const sink = createTestSink();
    startFlight(dtls, MICROS_ORIGIN, crypto, sink, FLOW, [messageItem(encodeMessage(1, 0, new Uint8Array(5)), 0)]);
    for (let i = 1; i < 100; i++) {
      repeatFlight(dtls, micros(MICROS_ORIGIN + i * 1_000), crypto, sink, FLOW);
    }
    expect(sink.sent).toHaveLength(1 + Math.floor(99_000 / USUAL_TUNABLES.dtlsRepeatMicros));
  });

  it("puts off a new flight that follows the last one too closely", () => {
    const dtls = createDtls(configOf("server"));
    const sink = createTestSink();
    const flight = [messageItem(encodeMessage(1, 0, new Uint8Array(5)), 0)];
    startFlight(dtls, MICROS_ORIGIN, crypto, sink, FLOW, flight);
    startFlight(dtls, micros(MICROS_ORIGIN + 1), crypto, sink, FLOW, flight);
    expect(sink.sent).toHaveLength(1);
    expect(dtlsNextTimeout(dtls)).toBe(micros(MICROS_ORIGIN + USUAL_TUNABLES.dtlsRepeatMicros));
  });
});
