/** ICE, DTLS and addresses: what an offer must bring, and what the answer brings. */
import { describe, expect, it } from "vitest";
import { sdpAttributeValues } from "../../../core/wire/sdp.ts";
import {
  agreed,
  audioLines,
  LOCAL,
  negotiated,
  refusal,
  sdpText,
  sessionLines,
  videoLines,
} from "../../support/wire/negotiating.ts";

const PAIRS = Array.from({ length: 32 }, () => "0A").join(":");

/** An offer of one m-line whose transport lines are these. */
function withTransport(...lines: readonly string[]): string {
  return sdpText(...sessionLines().slice(0, 4), "a=group:BUNDLE a", ...lines, ...audioLines("a"));
}

/** The transport lines of a good offer, with those of one attribute replaced. */
function replacing(name: string, ...lines: readonly string[]): string {
  const rest = sessionLines()
    .slice(4)
    .filter((line) => !line.startsWith(`a=${name}`));
  return withTransport(...rest, ...lines);
}

describe("the client's transport", () => {
  it("may stand before the m-lines", () => {
    const { session } = agreed(withTransport(...sessionLines().slice(4)));
    expect([session.remoteUfrag, session.remotePassword]).toEqual(["abcd", "abcdefghijklmnopqrstuv"]);
    expect(session.remoteFingerprint).toEqual(new Uint8Array(32).fill(0x0a));
  });

  it("counts from the m-line where it stands in both places", () => {
    const own = [
      "a=ice-ufrag:wxyz",
      "a=ice-pwd:ABCDEFGHIJKLMNOPQRSTUV",
      `a=fingerprint:sha-256 ${PAIRS.replaceAll("A", "B")}`,
    ];
    const { session } = agreed(`${replacing("setup", "a=setup:passive")}${sdpText(...own, "a=setup:active")}`);
    expect([session.remoteUfrag, session.remotePassword]).toEqual(["wxyz", "ABCDEFGHIJKLMNOPQRSTUV"]);
    expect(session.remoteFingerprint).toEqual(new Uint8Array(32).fill(0x0b));
  });

  it("counts from the m-line that BUNDLE tags", () => {
    const offer = sdpText(
      ...sessionLines("a=group:BUNDLE v a"),
      ...audioLines("a", "a=ice-ufrag:audio"),
      ...videoLines("v", "a=ice-ufrag:video"),
    );
    expect(agreed(offer).session.remoteUfrag).toBe("video");
  });

  it.each([
    ["ice-ufrag", "The offer has no a=ice-ufrag line."],
    ["ice-pwd", "The offer has no a=ice-pwd line."],
    ["fingerprint", "The offer has no a=fingerprint line; DTLS needs one with sha-256."],
  ])("is refused without %s", (name, sentence) => {
    expect(refusal(replacing(name))).toBe(sentence);
  });

  it.each(["abc", "abc-", "abc def", "äbcd", "a".repeat(257), ""])("the ufrag %j is refused", (ufrag) => {
    expect(refusal(replacing("ice-ufrag", `a=ice-ufrag:${ufrag}`))).toMatch(/a=ice-ufrag/);
  });

  it.each(["abcdefghijklmnopqrstu", "abcdefghijklmnopqrstu=", "a".repeat(257)])(
    "the password %j is refused",
    (password) => {
      expect(refusal(replacing("ice-pwd", `a=ice-pwd:${password}`))).toMatch(/a=ice-pwd/);
    },
  );

  it("credentials may be 256 characters long", () => {
    const long = "aZ0+/9Aa".repeat(32);
    expect(agreed(replacing("ice-ufrag", `a=ice-ufrag:${long}`)).session.remoteUfrag).toBe(long);
  });

  it("a client that is ICE-lite too is refused", () => {
    expect(refusal(withTransport(...sessionLines().slice(4), "a=ice-lite"))).toMatch(/a=ice-lite/);
  });

  it.each([
    ["actpass", ["a=setup:actpass"]],
    ["active", ["a=setup:active"]],
    ["nothing, which means active", []],
  ])("setup %s is answered with passive", (_, lines) => {
    expect(agreed(replacing("setup", ...lines)).lines).toContain("a=setup:passive");
  });

  it("setup passive is refused, because this server is passive", () => {
    expect(refusal(replacing("setup", "a=setup:passive"))).toMatch(/^The offer says a=setup:passive/);
  });

  it.each(["holdconn", "", "ACTPASS"])("setup %j is refused", (setup) => {
    expect(refusal(replacing("setup", `a=setup:${setup}`))).toMatch(/must be actpass or active/);
  });
});

describe("the client's fingerprint", () => {
  it.each([
    ["another hash", `sha-1 ${PAIRS.slice(0, 59)}`, /no a=fingerprint line with sha-256/],
    ["a sha-256 hash that is too short", `sha-256 ${PAIRS.slice(3)}`, /32 pairs/],
    ["a sha-256 hash that is too long", `sha-256 ${PAIRS}:00`, /32 pairs/],
    ["digits without colons", `sha-256 ${PAIRS.replaceAll(":", "")}`, /malformed/],
    ["no digits", "sha-256", /malformed/],
    ["a hundred thousand digits", `sha-256 ${"A".repeat(100_000)}`, /malformed/],
  ])("%s is refused", (_, value, sentence) => {
    expect(refusal(replacing("fingerprint", `a=fingerprint:${value}`))).toMatch(sentence);
  });

  it("another hash beside sha-256 does not matter", () => {
    const lines = [`a=fingerprint:sha-1 ${PAIRS.slice(0, 59)}`, `a=fingerprint:SHA-256 ${PAIRS.toLowerCase()}`];
    expect(agreed(replacing("fingerprint", ...lines)).session.remoteFingerprint[31]).toBe(0x0a);
  });

  it("two certificates are refused, the same one twice is not", () => {
    const line = `a=fingerprint:sha-256 ${PAIRS}`;
    expect(refusal(replacing("fingerprint", line, line.replace("0A", "0B")))).toMatch(/two certificates/);
    expect(negotiated(replacing("fingerprint", line, line)).ok).toBe(true);
  });
});

describe("the server's transport", () => {
  const offer = sdpText(...sessionLines("a=group:BUNDLE a v"), ...audioLines("a"), ...videoLines("v"));

  it("candidates stand in the first m-line, best first, and then end", () => {
    const candidates = [
      { ip: "192.0.2.1", port: 5000 },
      { ip: "2001:db8::1", port: 5001 },
      { ip: "192.0.2.1", port: 5002 },
    ];
    const { answer } = agreed(offer, { candidates });
    expect(sdpAttributeValues(answer.media[0]!.attributes, "candidate")).toEqual([
      // 126 * 2^24 + 65535 * 2^8 + 255, and one local preference less each.
      "1 1 udp 2130706431 192.0.2.1 5000 typ host",
      "2 1 udp 2130706175 2001:db8::1 5001 typ host",
      "1 1 udp 2130705919 192.0.2.1 5002 typ host",
    ]);
    expect(sdpAttributeValues(answer.media[0]!.attributes, "end-of-candidates")).toEqual([""]);
    expect(sdpAttributeValues(answer.media[1]!.attributes, "candidate")).toEqual([]);
  });

  it("every m-line has the port and address of the first candidate", () => {
    const { answer } = agreed(offer, { candidates: [{ ip: "2001:db8::1", port: 6000 }] });
    expect(answer.media.map(({ port, connection }) => [port, connection])).toEqual([
      [6000, "IN IP6 2001:db8::1"],
      [6000, "IN IP6 2001:db8::1"],
    ]);
  });

  it("every m-line has the server's credentials and certificate", () => {
    const { answer } = agreed(offer);
    for (const { attributes } of answer.media) {
      expect(sdpAttributeValues(attributes, "ice-ufrag")).toEqual([LOCAL.ufrag]);
      expect(sdpAttributeValues(attributes, "ice-pwd")).toEqual([LOCAL.password]);
      expect(sdpAttributeValues(attributes, "fingerprint")[0]).toMatch(/^sha-256 (A5:){31}A5$/);
    }
  });

  it("the session is ICE-lite, and named as the server says", () => {
    const { answer, lines } = agreed(offer);
    expect(lines).toContain("a=ice-lite");
    expect(answer.origin).toBe(`- ${LOCAL.sessionId} 1 IN IP4 127.0.0.1`);
    expect([answer.name, answer.timing]).toEqual(["-", "0 0"]);
  });

  it("a mistake of the caller is an assertion", () => {
    expect(() => negotiated(offer, { candidates: [] })).toThrow(/assertion failed/);
    expect(() => negotiated(offer, { fingerprint: new Uint8Array(20) })).toThrow(/assertion failed/);
    expect(() => negotiated(offer, { ssrcs: [1, 2, 3] })).toThrow(/assertion failed/);
  });
});
