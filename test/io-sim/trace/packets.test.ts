/** Whether a look at a packet's bytes says the right thing, and never reads what is not there. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dtlsWords, feedbackIn, packetKind, stunWords } from "../../../io-sim/trace/packets.ts";
import { hex } from "../../support/wire/hex.ts";

describe("a look at a packet", () => {
  it.each([
    ["stun", "00 01"],
    ["dtls", "16 fe"],
    ["rtp", "80 6f"],
    ["rtcp", "80 c8"],
    ["other", "40 00"],
    ["other", ""],
  ])("knows %s", (kind, bytes) => {
    expect(packetKind(hex(bytes))).toBe(kind);
  });

  it.each([
    ["check", "00 01"],
    ["check answered", "01 01"],
    ["check refused", "01 11"],
  ])("tells a %s from other STUN", (words, bytes) => {
    expect(stunWords(hex(bytes))).toBe(words);
  });

  it("names the handshake messages of a datagram, and says what is encrypted", () => {
    const hello = "16 fefd 0000 000000000000 0001 0e"; // handshake, epoch 0, one byte: ServerHelloDone
    const finished = "16 fefd 0001 000000000000 0002 aaaa"; // handshake, epoch 1
    expect(dtlsWords(hex(`${hello} ${hello} ${finished}`))).toBe("ServerHelloDone, Finished (encrypted)");
  });

  it("finds requests in a compound packet, and counts what a NACK names", () => {
    const report = "80 c9 0001 00000001"; // receiver report without blocks
    const pli = "81 ce 0002 00000001 00000002";
    const nack = "81 cd 0003 00000001 00000002 000a 0005"; // 10, 11 and 13
    expect(feedbackIn(hex(`${report} ${pli} ${nack}`))).toEqual([
      { kind: "PLI", count: 1 },
      { kind: "NACK", count: 3 },
    ]);
  });

  it("never fails, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(() => [packetKind(bytes), stunWords(bytes), dtlsWords(bytes), feedbackIn(bytes)]).not.toThrow();
      }),
    );
  });
});
