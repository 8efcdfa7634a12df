/** The values of SDP attributes: what is read out of them, and what counts as malformed. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  asDirection,
  isSdpToken,
  parseExtmap,
  parseFingerprint,
  parseFmtp,
  parseRid,
  parseRtcpFeedback,
  parseRtpmap,
  parseSimulcast,
  parseSsrc,
  parseSsrcGroup,
  writeFingerprint,
} from "../../../core/wire/sdp-attributes.ts";
import { oddText } from "../../support/wire/mutations.ts";

// A gate that drew new seeds would fail now and then for reasons of its own.
fc.configureGlobal({ seed: 20_261 });

describe("a=rtpmap", () => {
  it("names the codec in small letters", () => {
    expect(parseRtpmap("96 VP8/90000")).toEqual({ payloadType: 96, encoding: "vp8", clockRate: 90_000, channels: 1 });
  });

  it("counts the channels", () => {
    expect(parseRtpmap("111 opus/48000/2")?.channels).toBe(2);
  });

  it.each([
    "",
    "96",
    "96 ",
    "96 VP8",
    "96 VP8/",
    "128 VP8/90000",
    "-1 VP8/90000",
    "96 /90000",
    "96 opus/48000/0",
    "96 a/1/2/3",
  ])("%j is malformed", (value) => expect(parseRtpmap(value)).toBeUndefined());
});

describe("a=fmtp", () => {
  it("lists the parameters in order", () => {
    expect([...parseFmtp("102 Level-Asymmetry-Allowed=1; packetization-mode=1 ;x")!.parameters]).toEqual([
      ["level-asymmetry-allowed", "1"],
      ["packetization-mode", "1"],
      ["x", ""],
    ]);
  });

  it("the first of two parameters with the same name counts", () => {
    expect(parseFmtp("97 apt=96;apt=98")?.parameters.get("apt")).toBe("96");
  });

  it.each(["", "97", "x apt=96", "128 apt=96"])("%j is malformed", (value) => expect(parseFmtp(value)).toBeUndefined());
});

describe("a=rtcp-fb", () => {
  it("may be about one payload type", () => {
    expect(parseRtcpFeedback("96 nack pli")).toEqual({ payloadType: 96, type: "nack pli" });
  });

  it("may be about all payload types", () => {
    expect(parseRtcpFeedback("* NACK")).toEqual({ payloadType: -1, type: "nack" });
  });

  it.each(["", "nack", "-1 nack", "** nack"])("%j is malformed", (value) => {
    expect(parseRtcpFeedback(value)).toBeUndefined();
  });
});

describe("a=extmap", () => {
  it("gives a meaning to an id", () => {
    expect(parseExtmap("3 urn:x")).toEqual({ id: 3, direction: "", uri: "urn:x" });
  });

  it("may have a direction and attributes of its own", () => {
    expect(parseExtmap("300/recvonly urn:x vad=on")).toEqual({ id: 300, direction: "recvonly", uri: "urn:x" });
  });

  it.each(["", "3", "3 ", "-3 urn:x", "4352 urn:x", "3/both urn:x", "/sendonly urn:x"])("%j is malformed", (value) => {
    expect(parseExtmap(value)).toBeUndefined();
  });
});

describe("a=fingerprint", () => {
  it("is read back as it was written", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (bytes) => {
        expect(parseFingerprint(writeFingerprint(bytes))).toEqual({ hash: "sha-256", bytes });
      }),
    );
  });

  it("takes digits of either case", () => {
    expect(parseFingerprint("SHA-1 aB:Cd")).toEqual({ hash: "sha-1", bytes: Uint8Array.of(0xab, 0xcd) });
  });

  it.each([
    "",
    "sha-256",
    "sha-256 ",
    " AB",
    "sha-256 A",
    "sha-256 ABC",
    "sha-256 AB:",
    "sha-256 AB:C",
    "sha-256 ABCD",
    "sha-256 A:B:",
    "sha-256 AB::CD",
    "sha-256 AB:GG",
    "sha-256 :::::",
  ])("%j is malformed", (value) => expect(parseFingerprint(value)).toBeUndefined());
});

describe("a=ssrc and a=ssrc-group", () => {
  it.each([
    ["1 cname:x", 1],
    ["4294967295", 4_294_967_295],
    ["4294967296 cname:x", -1],
    ["-1 cname:x", -1],
    ["", -1],
  ])("%j names the SSRC %d", (value, ssrc) => expect(parseSsrc(value)).toBe(ssrc));

  it("a group lists its members", () => {
    expect(parseSsrcGroup("FID 1 2")).toEqual({ semantics: "FID", ssrcs: [1, 2] });
  });

  it.each(["", "FID 1 x", "FID 1 -2", "FID 1  2", " 1 2"])("the group %j is malformed", (value) => {
    expect(parseSsrcGroup(value)).toBeUndefined();
  });
});

describe("a=rid and a=simulcast", () => {
  it("a rid has a direction", () => {
    expect(parseRid("q send")).toEqual({ rid: "q", direction: "send", restrictions: [] });
  });

  it("a rid may have restrictions", () => {
    expect(parseRid("q recv pt=96,97;max-width=320")?.restrictions).toEqual(["pt=96,97", "max-width=320"]);
  });

  it.each(["", "q", "q sendrecv", " send", "ä send", "a~b send"])("the rid %j is malformed", (value) => {
    expect(parseRid(value)).toBeUndefined();
  });

  it("simulcast lists streams and their alternatives", () => {
    expect(parseSimulcast("send q,~r;h recv a")).toEqual({
      send: [
        [
          { rid: "q", paused: false },
          { rid: "r", paused: true },
        ],
        [{ rid: "h", paused: false }],
      ],
      recv: [[{ rid: "a", paused: false }]],
    });
  });

  it.each(["", "send", "send ", "send q;", "send q,,r", "send q send h", "both q", "send q recv", "send ~"])(
    "the simulcast %j is malformed",
    (value) => expect(parseSimulcast(value)).toBeUndefined(),
  );
});

describe("words", () => {
  it.each(["0", "audio", "a.b-c_d!", "{x}"])("%j is a token", (text) => expect(isSdpToken(text)).toBe(true));

  it.each(["", "a b", "a:b", "a/b", "ä", "a\u0000", "a\u007f", '"', "a;b"])("%j is no token", (text) => {
    expect(isSdpToken(text)).toBe(false);
  });

  it("there are four directions", () => {
    expect(["sendrecv", "sendonly", "recvonly", "inactive", "both", "", "SENDRECV"].map(asDirection)).toEqual([
      "sendrecv",
      "sendonly",
      "recvonly",
      "inactive",
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("any value", () => {
  it("never throws", () => {
    const value = fc.oneof(
      oddText(40),
      fc.array(fc.constantFrom("0", "96", " ", ";", ",", ":", "/", "=", "~", "send", "recv", "sha-256", "AB", "FID"), {
        maxLength: 20,
      }),
    );
    fc.assert(
      fc.property(value, (parts) => {
        const text = typeof parts === "string" ? parts : parts.join("");
        parseRtpmap(text);
        parseFmtp(text);
        parseRtcpFeedback(text);
        parseExtmap(text);
        parseFingerprint(text);
        parseSsrc(text);
        parseSsrcGroup(text);
        parseRid(text);
        parseSimulcast(text);
      }),
      { numRuns: 500 },
    );
  });
});
