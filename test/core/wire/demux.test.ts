/** The first bytes of datagrams, by the table of RFC 7983 §7 and the rule of RFC 5761 §4. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEMUX, demux } from "../../../core/wire/demux.ts";
import { expectBounded, hostileBytes } from "../../support/wire/hostile.ts";

/** What a datagram that begins with these two bytes is taken for. */
function begins(first: number, second: number): number {
  return demux(Uint8Array.of(9, first, second, 0), 1, 3);
}

describe("demux", () => {
  it("divides the first byte as RFC 7983 §7 does", () => {
    const expected = (first: number) => {
      if (first <= 3) return DEMUX.STUN;
      if (first >= 20 && first <= 63) return DEMUX.DTLS;
      return first >= 128 && first <= 191 ? DEMUX.RTP : DEMUX.UNKNOWN;
    };
    for (let first = 0; first < 256; first++) expect(begins(first, 0), `first byte ${first}`).toBe(expected(first));
  });

  it("takes payload types 64 to 95 for RTCP, whatever the marker bit", () => {
    for (let second = 0; second < 256; second++) {
      const isRtcp = (second & 0x7f) >= 64 && (second & 0x7f) <= 95;
      expect(begins(0x80, second), `second byte ${second}`).toBe(isRtcp ? DEMUX.RTCP : DEMUX.RTP);
    }
  });

  it("does not know a datagram of fewer than two bytes", () => {
    expect(demux(Uint8Array.of(0x80, 0x60), 0, 1)).toBe(DEMUX.UNKNOWN);
    expect(demux(Uint8Array.of(0x80, 0x60), 0, 0)).toBe(DEMUX.UNKNOWN);
  });

  it("looks at nothing outside of the datagram", () => {
    const seeds = [0x00, 0x16, 0x80, 0x90].map((first) => Uint8Array.of(first, 0xc8, 0, 0));
    fc.assert(fc.property(hostileBytes(...seeds), (hostile) => expectBounded(hostile, demux)));
  });
});
