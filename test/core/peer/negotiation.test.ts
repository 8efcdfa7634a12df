/** Offers as browsers make them, and what becomes of whole m-lines: accepted, rejected, bundled, refused. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../core/limits.ts";
import { CODEC } from "../../../core/wire/codec.ts";
import { HEADER_EXTENSION } from "../../../core/wire/header-extensions.ts";
import { sdpAttribute, sdpAttributeValues, sdpHasAttribute } from "../../../core/wire/sdp.ts";
import {
  agreed,
  audioLines,
  PUBLISH_OFFER,
  refusal,
  SUBSCRIBE_OFFER,
  sdpText,
  sessionLines,
  videoLines,
} from "../../support/wire/negotiating.ts";

function expectedAnswer(name: string): string {
  return readFileSync(new URL(`../../fixtures/answers/${name}`, import.meta.url), "utf8");
}

/** The ports of the answer's m-lines. */
function ports(offer: string): number[] {
  return agreed(offer).answer.media.map((section) => section.port);
}

describe("a captured publish offer", () => {
  it("gets exactly this answer", () => {
    expect(agreed(PUBLISH_OFFER).text).toBe(expectedAnswer("chromium-156-publish-answer.sdp"));
  });

  it("gets exactly this answer when its lines end with LF alone", () => {
    expect(agreed(PUBLISH_OFFER.replaceAll("\r\n", "\n")).text).toBe(agreed(PUBLISH_OFFER).text);
  });

  it("tells the client's transport", () => {
    const { session } = agreed(PUBLISH_OFFER);
    expect(session.remoteUfrag).toBe("D7h5");
    expect(session.remotePassword).toBe("VNDYcsoDD2IyDghRUdY2Ic1k");
    expect(session.remoteDtlsRole).toBe("client");
    expect([...session.remoteFingerprint.subarray(0, 4)]).toEqual([0x77, 0x58, 0x7f, 0xf0]);
  });

  it("becomes two publications", () => {
    const { media } = agreed(PUBLISH_OFFER);
    expect(media.map(({ mid, kind, publishes, isSlot }) => ({ mid, kind, publishes, isSlot }))).toEqual([
      { mid: "0", kind: "audio", publishes: true, isSlot: false },
      { mid: "1", kind: "video", publishes: true, isSlot: false },
    ]);
  });

  it("brings Opus", () => {
    expect(agreed(PUBLISH_OFFER).media[0]!.codecs).toEqual([
      {
        codec: CODEC.OPUS,
        payloadType: 111,
        rtxPayloadType: -1,
        clockRate: 48_000,
        profile: "",
        nack: false,
        pli: false,
        fir: false,
        transportCc: true,
      },
    ]);
  });

  it("brings every video codec with its RTX, in the client's order", () => {
    const { codecs } = agreed(PUBLISH_OFFER).media[1]!;
    expect(
      codecs.map(({ codec, payloadType, rtxPayloadType, profile }) => [codec, payloadType, rtxPayloadType, profile]),
    ).toEqual([
      [CODEC.VP8, 96, 97, ""],
      [CODEC.H264, 102, 103, "baseline/1"],
      [CODEC.H264, 104, 107, "baseline/0"],
      [CODEC.H264, 108, 109, "constrained-baseline/1"],
      [CODEC.H264, 114, 115, "constrained-baseline/0"],
      [CODEC.H264, 116, 117, "main/1"],
      [CODEC.H264, 39, 40, "main/0"],
      [CODEC.AV1, 45, 46, "0"],
      [CODEC.VP9, 98, 99, "0"],
      [CODEC.VP9, 100, 101, "2"],
    ]);
  });

  it("names its audio SSRC, and layers instead of video SSRCs", () => {
    const [audio, video] = agreed(PUBLISH_OFFER).media;
    expect([audio!.ssrcs, audio!.rids]).toEqual([[2519712592], []]);
    expect([video!.ssrcs, video!.rids]).toEqual([[], ["q", "h", "f"]]);
  });

  it("maps header extensions both ways", () => {
    const { extensionIds, extensionKinds } = agreed(PUBLISH_OFFER).media[1]!;
    expect(extensionIds[HEADER_EXTENSION.MID]).toBe(4);
    expect(extensionIds[HEADER_EXTENSION.DEPENDENCY_DESCRIPTOR]).toBe(12);
    expect(extensionIds[HEADER_EXTENSION.ABS_SEND_TIME]).toBe(0);
    expect(extensionKinds[10]).toBe(HEADER_EXTENSION.RID);
    expect(extensionKinds[2]).toBe(0);
  });
});

describe("a captured subscribe offer", () => {
  it("gets exactly this answer", () => {
    expect(agreed(SUBSCRIBE_OFFER).text).toBe(expectedAnswer("chromium-156-subscribe-answer.sdp"));
  });

  it("becomes four slots, each with SSRCs of its own", () => {
    const { media } = agreed(SUBSCRIBE_OFFER);
    expect(media.map(({ mid, kind, publishes, isSlot }) => [mid, kind, publishes, isSlot])).toEqual([
      ["0", "audio", false, true],
      ["1", "video", false, true],
      ["2", "video", false, true],
      ["3", "video", false, true],
    ]);
    expect(media.map(({ slotSsrc, slotRtxSsrc }) => [slotSsrc, slotRtxSsrc])).toEqual([
      [1001, 0],
      [1002, 1003],
      [1004, 1005],
      [1006, 1007],
    ]);
  });

  it("agrees upon no feedback that the server does not read", () => {
    const { text, media } = agreed(SUBSCRIBE_OFFER);
    expect(text).not.toMatch(/transport-cc|goog-remb|transport-wide/);
    expect(media.some(({ codecs }) => codecs.some(({ transportCc }) => transportCc))).toBe(false);
  });

  it("gets no codec that the server does not forward", () => {
    expect(agreed(SUBSCRIBE_OFFER).text).not.toMatch(/red|ulpfec|flexfec|profile-id=[13]|profile=1/);
  });
});

describe("directions", () => {
  it.each([
    ["sendonly", "recvonly", true, false],
    ["recvonly", "sendonly", false, true],
    ["sendrecv", "sendrecv", true, true],
    ["inactive", "inactive", false, false],
  ])("%s is answered with %s", (offered, answered, publishes, isSlot) => {
    const { answer, media } = agreed(sdpText(...sessionLines(), ...videoLines("v", `a=${offered}`)));
    expect(sdpHasAttribute(answer.media[0]!.attributes, answered)).toBe(true);
    expect([media[0]!.publishes, media[0]!.isSlot, media[0]!.slotSsrc]).toEqual([publishes, isSlot, isSlot ? 1001 : 0]);
  });

  it("sending and receiving is what an m-line without a direction means", () => {
    const { media } = agreed(sdpText(...sessionLines(), ...videoLines("v")));
    expect([media[0]!.publishes, media[0]!.isSlot]).toEqual([true, true]);
  });

  it("a direction for the whole session counts where an m-line has none", () => {
    const { media } = agreed(sdpText(...sessionLines("a=recvonly"), ...videoLines("v")));
    expect([media[0]!.publishes, media[0]!.isSlot]).toEqual([false, true]);
  });
});

describe("m-lines that are turned down", () => {
  const good = audioLines("a", "a=sendonly");

  it.each([
    ["a data channel", ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:x", "a=sctp-port:5000"]],
    ["text", ["m=text 9 UDP/TLS/RTP/SAVPF 98", "a=mid:x", "a=rtcp-mux", "a=rtpmap:98 t140/1000"]],
    ["plain RTP", videoLines("x").with(0, "m=video 9 RTP/AVP 96")],
    ["SDES-keyed SRTP without feedback", videoLines("x").with(0, "m=video 9 RTP/SAVP 96")],
    ["a codec that is not served", videoLines("x").with(3, "a=rtpmap:96 H265/90000")],
    ["a video codec on audio", audioLines("x").with(3, "a=rtpmap:111 VP8/90000")],
    ["no rtcp-mux", videoLines("x").toSpliced(2, 1)],
    ["port 0", videoLines("x").with(0, "m=video 0 UDP/TLS/RTP/SAVPF 96")],
    ["a mid that is not in BUNDLE", videoLines("y")],
    ["no mid", videoLines("x").toSpliced(1, 1)],
    ["a mid with a space", videoLines("x y")],
    ["a mid that is not ASCII", videoLines("é")],
    ["a mid that is too long", videoLines("x".repeat(LIMITS.sdpTokenLengthMax + 1))],
  ])("%s is rejected in place, and the rest goes on", (_, lines) => {
    const { answer, media } = agreed(sdpText(...sessionLines("a=group:BUNDLE x a"), ...lines, ...good));
    expect(answer.media.map(({ port }) => port)).toEqual([0, 5000]);
    expect(answer.media[0]!.formats).toEqual(lines[0]!.split(" ").slice(3));
    expect(sdpHasAttribute(answer.media[0]!.attributes, "inactive")).toBe(true);
    expect(sdpAttribute(answer.attributes, "group")).toBe("BUNDLE a");
    expect(media.map(({ mid }) => mid)).toEqual(["a"]);
  });

  it("a mid in BUNDLE may be as long as the bound, and no longer", () => {
    const fits = "x".repeat(LIMITS.sdpTokenLengthMax);
    const offer = sdpText(
      ...sessionLines(`a=group:BUNDLE ${fits} ${fits}x`),
      ...videoLines(fits),
      ...videoLines(`${fits}x`),
    );
    expect(ports(offer)).toEqual([5000, 0]);
  });

  it("the next m-line carries the candidates when the first is rejected", () => {
    const offer = sdpText(
      ...sessionLines("a=group:BUNDLE x a v"),
      ...audioLines("x").with(3, "a=x"),
      ...good,
      ...videoLines("v"),
    );
    const { answer } = agreed(offer);
    expect(answer.media.map(({ attributes }) => sdpAttributeValues(attributes, "candidate").length)).toEqual([0, 1, 0]);
  });

  it("the candidates stand where BUNDLE's order says, not the m-lines'", () => {
    const offer = sdpText(...sessionLines("a=group:BUNDLE v a"), ...good, ...videoLines("v"));
    const { answer } = agreed(offer);
    expect(sdpAttribute(answer.attributes, "group")).toBe("BUNDLE v a");
    expect(answer.media.map(({ attributes }) => sdpAttributeValues(attributes, "candidate").length)).toEqual([0, 1]);
  });

  it("only the first BUNDLE group is served", () => {
    const offer = sdpText(...sessionLines("a=group:BUNDLE a", "a=group:BUNDLE v"), ...good, ...videoLines("v"));
    expect(ports(offer)).toEqual([5000, 0]);
  });

  it("names in BUNDLE without an m-line do not matter", () => {
    expect(ports(sdpText(...sessionLines("a=group:LS a", "a=group:BUNDLE ghost a a"), ...good))).toEqual([5000]);
  });
});

describe("bundle-only m-lines", () => {
  const bundleOnly = ["m=video 0 UDP/TLS/RTP/SAVPF 96", "a=mid:v", "a=bundle-only", "a=rtpmap:96 VP8/90000"];

  it("are accepted within BUNDLE, and leave rtcp-mux and rtcp-rsize to the tagged m-line", () => {
    const offer = sdpText(...sessionLines("a=group:BUNDLE a v"), ...audioLines("a", "a=rtcp-rsize"), ...bundleOnly);
    expect(ports(offer)).toEqual([5000, 5000]);
    expect(agreed(offer).media[1]!.rtcpReducedSize).toBe(true);
  });

  it("are rejected outside BUNDLE", () => {
    const offer = sdpText(...sessionLines("a=group:BUNDLE a"), ...audioLines("a"), ...bundleOnly);
    expect(ports(offer)).toEqual([5000, 0]);
  });

  it("take the transport from the tagged m-line even when that one is rejected", () => {
    const transport = sessionLines().slice(4);
    const tagged = audioLines("a").with(3, "a=rtpmap:111 PCMU/8000");
    const offer = sdpText(...sessionLines().slice(0, 4), "a=group:BUNDLE a v", ...tagged, ...transport, ...bundleOnly);
    expect(agreed(offer).session.remoteUfrag).toBe("abcd");
  });
});

describe("an offer without BUNDLE", () => {
  it("is served when it has one m-line", () => {
    const { answer, media } = agreed(sdpText(...sessionLines(), ...audioLines("a")));
    expect(sdpHasAttribute(answer.attributes, "group")).toBe(false);
    expect(media[0]!.mid).toBe("a");
  });

  it("may then do without a mid, and gets none", () => {
    const { answer, media } = agreed(sdpText(...sessionLines(), ...audioLines("").toSpliced(1, 1)));
    expect(sdpHasAttribute(answer.media[0]!.attributes, "mid")).toBe(false);
    expect(media[0]!.mid).toBe("");
  });

  it("is served when all m-lines but one are switched off", () => {
    expect(ports(sdpText(...sessionLines(), ...videoLines("v").with(0, "m=video 0 X 0"), ...audioLines("a")))).toEqual([
      0, 5000,
    ]);
  });

  it("is refused when it has several", () => {
    expect(refusal(sdpText(...sessionLines(), ...audioLines("a"), ...videoLines("v")))).toMatch(/a=group:BUNDLE/);
  });

  it("is refused when its mid cannot be used", () => {
    expect(refusal(sdpText(...sessionLines(), ...audioLines("a b")))).toMatch(/has no a=mid/);
  });
});

describe("offers that are refused whole", () => {
  it("an offer without m-lines", () => {
    expect(refusal(sdpText(...sessionLines()))).toBe(
      "The offer has no m-lines; add an audio or video track or transceiver.",
    );
  });

  it("an offer with two equal mids", () => {
    const offer = sdpText(...sessionLines("a=group:BUNDLE a"), ...audioLines("a"), ...videoLines("a"));
    expect(refusal(offer)).toBe('Two m-lines of the offer have the mid "a".');
  });

  it("an offer of nothing but PCMU, with and without rtpmap", () => {
    const lines = ["m=audio 9 UDP/TLS/RTP/SAVPF 0 8", "a=mid:a", "a=rtcp-mux"];
    const sentence =
      "Nothing in the offer can be served: m-line 1 (audio) has no codec that this server forwards (Opus; VP8, H.264, VP9, AV1).";
    expect(refusal(sdpText(...sessionLines("a=group:BUNDLE a"), ...lines))).toBe(sentence);
    expect(refusal(sdpText(...sessionLines("a=group:BUNDLE a"), ...lines, "a=rtpmap:0 PCMU/8000"))).toBe(sentence);
  });

  it("an offer of a data channel alone", () => {
    const lines = ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:a"];
    expect(refusal(sdpText(...sessionLines("a=group:BUNDLE a"), ...lines))).toMatch(
      /^Nothing in the offer can be served: m-line 1 \(application\) is neither audio nor video\.$/,
    );
  });

  it("the sentence speaks of the media, not of the data channel before it", () => {
    const lines = ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:d"];
    const media = audioLines("a").with(2, "a=x");
    expect(refusal(sdpText(...sessionLines("a=group:BUNDLE d a"), ...lines, ...media))).toMatch(
      /m-line 2 \(audio\) has no a=rtcp-mux\.$/,
    );
  });
});

describe("what the answer says about the session", () => {
  const offer = sdpText(...sessionLines("a=group:BUNDLE a"), ...audioLines("a"));

  it("it repeats extmap-allow-mixed where the offer has it", () => {
    expect(agreed(PUBLISH_OFFER).lines.filter((line) => line === "a=extmap-allow-mixed").length).toBe(1);
    expect(agreed(offer).lines).not.toContain("a=extmap-allow-mixed");
    const inMedia = agreed(`${offer}a=extmap-allow-mixed\r\n`).answer;
    expect(sdpHasAttribute(inMedia.attributes, "extmap-allow-mixed")).toBe(false);
    expect(sdpHasAttribute(inMedia.media[0]!.attributes, "extmap-allow-mixed")).toBe(true);
  });

  it("it repeats rtcp-rsize where the offer has it", () => {
    expect(agreed(offer).lines).not.toContain("a=rtcp-rsize");
    expect(agreed(offer).media[0]!.rtcpReducedSize).toBe(false);
    expect(agreed(`${offer}a=rtcp-rsize\r\n`).lines).toContain("a=rtcp-rsize");
    expect(agreed(`${offer}a=rtcp-rsize\r\n`).media[0]!.rtcpReducedSize).toBe(true);
  });

  it("it repeats the protocol of each m-line", () => {
    const text = offer.replace("UDP/TLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVPF");
    expect(agreed(text).answer.media[0]!.protocol).toBe("TCP/DTLS/RTP/SAVPF");
  });
});
