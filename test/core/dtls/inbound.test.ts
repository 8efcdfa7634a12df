import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createInbound, INBOUND, type InboundMessage, inboundTake, inboundWants } from "../../../core/dtls/inbound.ts";
import { LIMITS } from "../../../core/limits.ts";
import {
  encodeMessage,
  fragmentWriteHeader,
  HANDSHAKE_HEADER_BYTES,
  HANDSHAKE_TYPE,
} from "../../../core/wire/dtls-handshake.ts";
import { crypto } from "./rig.ts";

const TYPE = HANDSHAKE_TYPE.CERTIFICATE;

function place(): InboundMessage {
  return createInbound([TYPE])[0]!;
}

function fragment(body: Uint8Array, start: number, length: number): Uint8Array {
  const bytes = new Uint8Array(HANDSHAKE_HEADER_BYTES + length);
  fragmentWriteHeader(bytes, 0, TYPE, body.length, 0, start, length);
  bytes.set(body.subarray(start, start + length), HANDSHAKE_HEADER_BYTES);
  return bytes;
}

function take(message: InboundMessage, bytes: Uint8Array, distrusted = false): number {
  return inboundTake(message, crypto, bytes, 0, distrusted);
}

function whole(fill: number, length = 10): Uint8Array {
  return encodeMessage(TYPE, 0, new Uint8Array(length).fill(fill));
}

describe("putting a handshake message together", () => {
  it("works for any cut, order, overlap and repetition", () => {
    const pieces = fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 40 });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), pieces, (body, cuts) => {
        const message = place();
        const arrived = new Set<number>();
        for (const [a, b] of cuts) {
          const start = a % body.length;
          const length = b % (body.length - start + 1);
          for (let at = start; at < start + length; at++) arrived.add(at);
          const code = take(message, fragment(body, start, length));
          expect(code === INBOUND.ACCEPTED).toBe(arrived.size === body.length);
          if (code === INBOUND.ACCEPTED) break;
        }
        if (message.accepted === null) take(message, fragment(body, 0, body.length));
        expect(message.accepted).toEqual(encodeMessage(TYPE, 0, body));
      }),
    );
  });

  it("takes a message without a body at once", () => {
    const message = place();
    expect(take(message, fragment(new Uint8Array(0), 0, 0))).toBe(INBOUND.ACCEPTED);
  });

  it("knows a repeat, cut in another way, when all of it has come", () => {
    const message = place();
    const body = new Uint8Array(10).fill(1);
    take(message, whole(1));
    expect(take(message, fragment(body, 5, 5))).toBe(INBOUND.WAITING);
    expect(take(message, fragment(body, 0, 5))).toBe(INBOUND.REPEATED);
  });

  it("begins anew when a fragment speaks of another length", () => {
    const message = place();
    take(message, fragment(new Uint8Array(10).fill(1), 0, 5));
    take(message, fragment(new Uint8Array(8).fill(2), 0, 4));
    expect(take(message, fragment(new Uint8Array(8).fill(2), 4, 4))).toBe(INBOUND.ACCEPTED);
    expect(message.accepted).toEqual(whole(2, 8));
  });

  it("keeps the first copy against one that differs", () => {
    const message = place();
    take(message, whole(1));
    expect(take(message, whole(2))).toBe(INBOUND.WAITING);
    expect(message.accepted).toEqual(whole(1));
  });

  it("changes to a copy that has come twice running", () => {
    const message = place();
    take(message, whole(1));
    take(message, whole(2));
    expect(take(message, whole(2))).toBe(INBOUND.ACCEPTED);
    expect(message.accepted).toEqual(whole(2));
  });

  it("does not count copies that came apart", () => {
    const message = place();
    for (const fill of [1, 2, 3, 2, 1, 2]) take(message, whole(fill));
    expect(message.accepted).toEqual(whole(1));
  });

  it("changes at once when the first copy is distrusted", () => {
    const message = place();
    take(message, whole(1));
    expect(take(message, whole(2), true)).toBe(INBOUND.ACCEPTED);
  });

  it("changes no more often than the bound allows, and still knows a repeat afterwards", () => {
    const message = place();
    take(message, whole(0));
    for (let i = 1; i <= LIMITS.dtlsCorrectionsMax; i++) expect(take(message, whole(i), true)).toBe(INBOUND.ACCEPTED);
    const last = whole(LIMITS.dtlsCorrectionsMax);
    for (const fill of [99, 100, 100, 101]) expect(take(message, whole(fill), true)).toBe(INBOUND.WAITING);
    expect(message.accepted).toEqual(last);
    expect(take(message, last, true)).toBe(INBOUND.REPEATED);
  });

  it("wants no other type and nothing above the bound", () => {
    const tooLong = fragment(new Uint8Array(LIMITS.dtlsMessageBytesMax + 1), 0, 10);
    expect(inboundWants(place(), tooLong, 0)).toBe(false);
    expect(inboundWants(place(), fragment(new Uint8Array(LIMITS.dtlsMessageBytesMax), 0, 10), 0)).toBe(true);
    expect(inboundWants(createInbound([HANDSHAKE_TYPE.FINISHED])[0]!, whole(1), 0)).toBe(false);
  });
});
