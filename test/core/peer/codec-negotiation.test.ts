/** Payload types, their parameters, their RTX and their feedback. */
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../core/limits.ts";
import { CODEC } from "../../../core/wire/codec.ts";
import { agreed, sdpText, sessionLines } from "../../support/wire/negotiating.ts";

/** The answer to one m-line with these formats and lines. */
function answered(media: string, formats: string, ...lines: readonly string[]) {
  const { answer, media: negotiated } = agreed(
    sdpText(...sessionLines(), `m=${media} 9 UDP/TLS/RTP/SAVPF ${formats}`, "a=mid:0", "a=rtcp-mux", ...lines),
  );
  const section = answer.media[0]!;
  const about = ["rtpmap", "fmtp", "rtcp-fb"];
  const attributes = section.attributes.filter(({ name }) => about.includes(name));
  return {
    formats: section.formats,
    lines: attributes.map(({ name, value }) => `${name}:${value}`),
    ...negotiated[0]!,
  };
}

function h264(fmtp: string) {
  return answered("video", "96 102", "a=rtpmap:96 VP8/90000", "a=rtpmap:102 H264/90000", `a=fmtp:102 ${fmtp}`);
}

describe("audio", () => {
  it("Opus is taken in any spelling and answered in the usual one", () => {
    expect(answered("audio", "0 96", "a=rtpmap:96 OPUS/48000/2").lines).toEqual(["rtpmap:96 opus/48000/2"]);
  });

  it("Opus parameters that tell a sender what is liked are repeated", () => {
    const { lines } = answered(
      "audio",
      "96",
      "a=rtpmap:96 opus/48000/2",
      "a=fmtp:96 minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1;x-private=1;maxaveragebitrate=1 a",
    );
    expect(lines).toEqual(["rtpmap:96 opus/48000/2", "fmtp:96 minptime=10;useinbandfec=1;stereo=1"]);
  });

  it("feedback about pictures makes no sense on audio", () => {
    const { codecs, lines } = answered(
      "audio",
      "96",
      "a=rtpmap:96 opus/48000/2",
      "a=rtcp-fb:96 nack",
      "a=rtcp-fb:96 nack pli",
      "a=rtcp-fb:96 ccm fir",
    );
    expect(lines).toEqual(["rtpmap:96 opus/48000/2", "rtcp-fb:96 nack"]);
    expect([codecs[0]!.nack, codecs[0]!.pli, codecs[0]!.fir]).toEqual([true, false, false]);
  });

  it.each(["opus/48000", "opus/48000/1", "opus/16000/2"])("%s is not Opus as RFC 7587 wants it", (rtpmap) => {
    const { formats } = answered("audio", "97 96", `a=rtpmap:97 ${rtpmap}`, "a=rtpmap:96 opus/48000/2");
    expect(formats).toEqual(["96"]);
  });
});

describe("H.264 profiles", () => {
  it.each([
    ["42001f", "baseline/0"],
    ["42E01F", "constrained-baseline/0"],
    ["42c00a", "constrained-baseline/0"],
    ["4d801f", "constrained-baseline/0"],
    ["58c01f", "constrained-baseline/0"],
    ["58801f", "baseline/0"],
    ["58001f", "5800/0"],
    ["4d001f", "main/0"],
    ["64001f", "high/0"],
    ["640c1f", "constrained-high/0"],
    ["f4001f", "f400/0"],
  ])("profile-level-id %s is %s", (id, profile) => {
    const { codecs } = h264(`profile-level-id=${id}`);
    expect(codecs[1]).toMatchObject({ codec: CODEC.H264, profile });
  });

  it("the packetization mode belongs to the profile", () => {
    expect(h264("packetization-mode=1;profile-level-id=42e01f").codecs[1]!.profile).toBe("constrained-baseline/1");
  });

  it("without parameters it is Baseline in mode 0", () => {
    const { codecs } = answered("video", "102", "a=rtpmap:102 H264/90000");
    expect(codecs[0]!.profile).toBe("baseline/0");
  });

  it.each([
    "packetization-mode=2",
    "packetization-mode=x",
    "profile-level-id=42e01",
    "profile-level-id=42e01fff",
    "profile-level-id=xxyyzz",
    "profile-level-id= 4200",
  ])("%s is not served", (fmtp) => expect(h264(fmtp).formats).toEqual(["96"]));
});

describe("VP9, AV1 and VP8 parameters", () => {
  it.each([
    ["VP9", "profile-id=0", "0"],
    ["VP9", "profile-id=2", "2"],
    ["VP9", "x=y", "0"],
    ["AV1", "level-idx=5;profile=0;tier=0", "0"],
    ["AV1", "x=y", "0"],
  ])("%s with %s has the profile %s", (name, fmtp, profile) => {
    const { codecs } = answered("video", "98", `a=rtpmap:98 ${name}/90000`, `a=fmtp:98 ${fmtp}`);
    expect(codecs[0]!.profile).toBe(profile);
  });

  it.each([
    ["VP9", "profile-id=1"],
    ["VP9", "profile-id=3"],
    ["AV1", "profile=1"],
    ["AV1", "profile=00"],
  ])("%s with %s is not served", (name, fmtp) => {
    const { formats } = answered(
      "video",
      "96 98",
      "a=rtpmap:96 VP8/90000",
      `a=rtpmap:98 ${name}/90000`,
      `a=fmtp:98 ${fmtp}`,
    );
    expect(formats).toEqual(["96"]);
  });

  it("the limits of a VP8 decoder are not repeated", () => {
    const { lines } = answered("video", "120", "a=rtpmap:120 VP8/90000", "a=fmtp:120 max-fs=12288;max-fr=60");
    expect(lines).toEqual(["rtpmap:120 VP8/90000"]);
  });

  it("a video codec with another clock rate is not taken", () => {
    const { formats } = answered("video", "96 98", "a=rtpmap:96 VP8/90000", "a=rtpmap:98 VP9/48000");
    expect(formats).toEqual(["96"]);
  });
});

describe("RTX", () => {
  const vp8 = "a=rtpmap:96 VP8/90000";

  it("keeps its place in the order of the offer", () => {
    const { formats, codecs } = answered(
      "video",
      "97 0 96",
      "a=rtpmap:97 rtx/90000",
      "a=fmtp:97 apt=96;rtx-time=3000",
      vp8,
    );
    expect(formats).toEqual(["97", "96"]);
    expect(codecs[0]!.rtxPayloadType).toBe(97);
  });

  it.each([
    ["a missing payload type", "a=fmtp:97 apt=95"],
    ["an unlisted payload type", "a=fmtp:97 apt=99"],
    ["itself", "a=fmtp:97 apt=97"],
    ["nothing", "a=fmtp:97 x=96"],
    ["a negative number", "a=fmtp:97 apt=-96"],
    ["no parameters at all", "a=x"],
  ])("that refers to %s is not taken", (_, fmtp) => {
    const { formats } = answered("video", "96 97", vp8, "a=rtpmap:97 rtx/90000", "a=rtpmap:99 VP9/90000", fmtp);
    expect(formats).toEqual(["96"]);
  });

  it("is taken once for each codec", () => {
    const { formats } = answered(
      "video",
      "96 97 98",
      vp8,
      "a=rtpmap:97 rtx/90000",
      "a=fmtp:97 apt=96",
      "a=rtpmap:98 rtx/90000",
      "a=fmtp:98 apt=96",
    );
    expect(formats).toEqual(["96", "97"]);
  });

  it("of a codec that is not served goes with it", () => {
    const { formats } = answered(
      "video",
      "96 118 119",
      vp8,
      "a=rtpmap:118 red/90000",
      "a=rtpmap:119 rtx/90000",
      "a=fmtp:119 apt=118",
    );
    expect(formats).toEqual(["96"]);
  });

  it("with another clock rate than its codec is not taken", () => {
    expect(answered("video", "96 97", vp8, "a=rtpmap:97 rtx/48000", "a=fmtp:97 apt=96").formats).toEqual(["96"]);
  });
});

describe("payload types", () => {
  it("one that is listed twice counts once", () => {
    expect(answered("video", "96 96", "a=rtpmap:96 VP8/90000").formats).toEqual(["96"]);
  });

  it("the first of two rtpmaps counts", () => {
    const { codecs } = answered("video", "96", "a=rtpmap:96 VP8/90000", "a=rtpmap:96 VP9/90000");
    expect(codecs[0]!.codec).toBe(CODEC.VP8);
  });

  it("an rtpmap of an unlisted payload type does not matter", () => {
    expect(answered("video", "96", "a=rtpmap:96 VP8/90000", "a=rtpmap:98 VP9/90000").formats).toEqual(["96"]);
  });

  it.each(["64", "72", "95"])("%s looks like RTCP and is not taken", (payloadType) => {
    const { formats } = answered(
      "video",
      `96 ${payloadType}`,
      "a=rtpmap:96 VP8/90000",
      `a=rtpmap:${payloadType} VP9/90000`,
    );
    expect(formats).toEqual(["96"]);
  });

  it.each(["-1", "128", "x", "1e2", "٩٦"])("%j is none", (payloadType) => {
    expect(answered("video", `${payloadType} 96`, "a=rtpmap:96 VP8/90000").formats).toEqual(["96"]);
  });

  it("those behind the bound are not looked at", () => {
    const many = Array.from({ length: LIMITS.sdpCodecsPerMediaMax }, (_, index) => (index === 3 ? "96" : "x")).join(
      " ",
    );
    const lines = ["a=rtpmap:96 VP8/90000", "a=rtpmap:98 VP9/90000"];
    expect(answered("video", `${many} 98`, ...lines).formats).toEqual(["96"]);
  });
});

describe("feedback", () => {
  const CC = "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
  const ALL = ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli", "nack rpsi", "ccm tmmbr", "x"];

  it("is restricted to what the server reads", () => {
    const { lines } = answered(
      "video",
      "96",
      CC,
      "a=sendonly",
      "a=rtpmap:96 VP8/90000",
      ...ALL.map((type) => `a=rtcp-fb:96 ${type}`),
    );
    expect(lines).toEqual([
      "rtpmap:96 VP8/90000",
      "rtcp-fb:96 transport-cc",
      "rtcp-fb:96 ccm fir",
      "rtcp-fb:96 nack",
      "rtcp-fb:96 nack pli",
    ]);
  });

  it("for all payload types holds for each", () => {
    const { codecs } = answered(
      "video",
      "96 98",
      "a=rtpmap:96 VP8/90000",
      "a=rtpmap:98 VP9/90000",
      "a=rtcp-fb:* nack",
      "a=rtcp-fb:98 nack pli",
    );
    expect(codecs.map(({ nack, pli }) => [nack, pli])).toEqual([
      [true, false],
      [true, true],
    ]);
  });

  it.each([
    ["a publication", "sendonly", true],
    ["a publication that is a slot too", "sendrecv", true],
    ["a slot", "recvonly", false],
    ["an inactive m-line", "inactive", false],
  ])("transport-cc on %s (%s): %s", (_, direction, expected) => {
    const { codecs } = answered(
      "video",
      "96",
      CC,
      `a=${direction}`,
      "a=rtpmap:96 VP8/90000",
      "a=rtcp-fb:96 transport-cc",
    );
    expect(codecs[0]!.transportCc).toBe(expected);
  });

  it("transport-cc needs its header extension", () => {
    const { codecs } = answered("video", "96", "a=sendonly", "a=rtpmap:96 VP8/90000", "a=rtcp-fb:96 transport-cc");
    expect(codecs[0]!.transportCc).toBe(false);
  });
});
