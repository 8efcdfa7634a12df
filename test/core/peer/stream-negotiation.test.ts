/** Header extensions, simulcast layers and SSRCs. */
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../core/limits.ts";
import { HEADER_EXTENSION, HEADER_EXTENSION_URI } from "../../../core/wire/header-extensions.ts";
import { sdpAttributeValues } from "../../../core/wire/sdp.ts";
import {
  agreed,
  audioLines,
  LOCAL,
  refusal,
  sdpText,
  sessionLines,
  videoLines,
} from "../../support/wire/negotiating.ts";

const { MID, RID, TRANSPORT_CC, AUDIO_LEVEL, COLOR_SPACE, VIDEO_LAYERS_ALLOCATION, ABS_SEND_TIME } = HEADER_EXTENSION;
const { DEPENDENCY_DESCRIPTOR } = HEADER_EXTENSION;

/** The answer to one video m-line with these lines. */
function answered(...lines: readonly string[]) {
  const { answer, session } = agreed(sdpText(...sessionLines(), ...videoLines("v", ...lines)));
  const { attributes } = answer.media[0]!;
  return {
    ...session.media[0]!,
    extmaps: sdpAttributeValues(attributes, "extmap"),
    ridLines: sdpAttributeValues(attributes, "rid"),
    simulcast: sdpAttributeValues(attributes, "simulcast"),
  };
}

function extmap(id: string, kind: number): string {
  return `a=extmap:${id} ${HEADER_EXTENSION_URI[kind]}`;
}

function simulcast(...lines: readonly string[]) {
  return answered("a=sendonly", extmap("10", RID), ...lines);
}

describe("header extensions", () => {
  it("a slot has no layer names and no transport-wide numbers", () => {
    const { extmaps } = answered("a=recvonly", extmap("1", MID), extmap("2", RID), extmap("3", TRANSPORT_CC));
    expect(extmaps).toEqual([`1 ${HEADER_EXTENSION_URI[MID]}`]);
  });

  it("an m-line that is both has those of both", () => {
    const { extmaps } = answered("a=sendrecv", extmap("1", MID), extmap("2", RID), extmap("3", TRANSPORT_CC));
    expect(extmaps.length).toBe(3);
  });

  it("a slot has the dependency descriptor where both forms of headers may be mixed, because its tables are long", () => {
    const line = extmap("5", DEPENDENCY_DESCRIPTOR);
    expect(answered("a=recvonly", line).extmaps).toEqual([]);
    expect(answered("a=recvonly", line, "a=extmap-allow-mixed").extmaps).toHaveLength(1);
    expect(answered("a=sendonly", line).extmaps).toHaveLength(1);
  });

  it("an inactive m-line has none", () => {
    expect(answered("a=inactive", extmap("1", MID)).extmaps).toEqual([]);
  });

  it.each([VIDEO_LAYERS_ALLOCATION, ABS_SEND_TIME])("kind %d is not taken", (kind) => {
    expect(answered(extmap("1", kind)).extmaps).toEqual([]);
  });

  it.each(["0", "15", "16", "255"])("id %s is not taken without extmap-allow-mixed", (id) => {
    expect(answered(extmap(id, MID)).extmaps).toEqual([]);
  });

  it.each(["0", "15", "256", "4096"])("id %s is not taken with extmap-allow-mixed either", (id) => {
    expect(answered("a=extmap-allow-mixed", extmap(id, MID)).extmaps).toEqual([]);
  });

  it.each(["14", "16", "255"])("id %s is taken with extmap-allow-mixed", (id) => {
    const { extensionIds, extensionKinds, twoByteExtensions } = answered("a=extmap-allow-mixed", extmap(id, MID));
    expect([extensionIds[MID], extensionKinds[Number(id)], twoByteExtensions]).toEqual([Number(id), MID, true]);
  });

  it.each([
    ["sendonly", "sendonly", ["1/recvonly"]],
    ["sendonly", "recvonly", []],
    ["recvonly", "recvonly", ["1/sendonly"]],
    ["recvonly", "sendonly", []],
    ["sendrecv", "sendrecv", ["1/sendrecv"]],
    ["sendonly", "inactive", []],
  ])("on a %s m-line, one that is %s is answered %j", (direction, own, expected) => {
    const { extmaps } = answered(`a=${direction}`, extmap(`1/${own}`, COLOR_SPACE));
    expect(extmaps.map((value) => value.split(" ")[0])).toEqual(expected);
  });

  it("the first id of a kind and the first kind of an id count", () => {
    const { extmaps } = answered(extmap("1", MID), extmap("2", MID), extmap("1", COLOR_SPACE));
    expect(extmaps).toEqual([`1 ${HEADER_EXTENSION_URI[MID]}`]);
  });

  it("an id keeps the meaning that an earlier m-line gave it", () => {
    const offer = sdpText(
      ...sessionLines("a=group:BUNDLE a v"),
      ...audioLines("a", extmap("1", AUDIO_LEVEL)),
      ...videoLines("v", extmap("1", COLOR_SPACE), extmap("4", MID)),
    );
    const { media, session } = agreed(offer);
    expect([media[0]!.extensionKinds[1], media[1]!.extensionKinds[1]]).toEqual([AUDIO_LEVEL, 0]);
    expect([session.extensionKinds[1], session.extensionKinds[4]]).toEqual([AUDIO_LEVEL, MID]);
  });

  it("a rejected m-line gives no meaning to an id", () => {
    const offer = sdpText(
      ...sessionLines("a=group:BUNDLE a v"),
      ...audioLines("a", extmap("1", AUDIO_LEVEL)).with(3, "a=x"),
      ...videoLines("v", extmap("1", COLOR_SPACE)),
    );
    expect(agreed(offer).session.extensionKinds[1]).toBe(COLOR_SPACE);
  });

  it("those before the m-lines count for all", () => {
    const offer = sdpText(
      ...sessionLines("a=group:BUNDLE a v", extmap("5", MID)),
      ...audioLines("a"),
      ...videoLines("v", extmap("6", MID)),
    );
    expect(agreed(offer).media.map(({ extensionIds }) => extensionIds[MID])).toEqual([5, 6]);
  });
});

describe("simulcast", () => {
  it("layers are answered in the order of the offer", () => {
    const { rids, ridLines, simulcast: line } = simulcast("a=rid:f send", "a=rid:q send", "a=simulcast:send q;f");
    expect(rids).toEqual(["q", "f"]);
    expect(ridLines).toEqual(["q recv", "f recv"]);
    expect(line).toEqual(["recv q;f"]);
  });

  it("a layer that begins paused is taken like the others", () => {
    const { simulcast: line } = simulcast("a=rid:q send", "a=rid:f send", "a=simulcast:send q;~f");
    expect(line).toEqual(["recv q;f"]);
  });

  it("of alternatives the first that can be had is taken", () => {
    const lines = ["a=rid:a send pt=98", "a=rid:b send", "a=rid:c send"];
    expect(simulcast(...lines, "a=simulcast:send a,ghost,b;c").rids).toEqual(["b", "c"]);
  });

  it("a layer that is not declared by a=rid is not taken", () => {
    expect(simulcast("a=rid:q send", "a=rid:r recv", "a=simulcast:send q;h;r").rids).toEqual(["q"]);
  });

  it("a layer that is listed twice is taken once", () => {
    expect(simulcast("a=rid:q send", "a=simulcast:send q;q").simulcast).toEqual(["recv q"]);
  });

  it("layers beyond the bound are left out", () => {
    const rids = ["a", "b", "c", "d", "e"];
    const { simulcast: line } = simulcast(
      ...rids.map((rid) => `a=rid:${rid} send`),
      `a=simulcast:send ${rids.join(";")}`,
    );
    expect(line).toEqual([`recv ${rids.slice(0, LIMITS.simulcastLayersMax).join(";")}`]);
  });

  it("restrictions are repeated, payload types only those that are taken", () => {
    const { ridLines } = simulcast("a=rid:q send pt=96,98;max-width=320", "a=simulcast:send q");
    expect(ridLines).toEqual(["q recv pt=96;max-width=320"]);
  });

  it("a layer with an endless restriction is left out", () => {
    const { rids } = simulcast(`a=rid:q send ${"x".repeat(100_000)}`, "a=rid:h send", "a=simulcast:send q;h");
    expect(rids).toEqual(["h"]);
  });

  it("a rid that is too long is left out", () => {
    const long = "x".repeat(LIMITS.sdpTokenLengthMax + 1);
    expect(simulcast(`a=rid:${long} send`, "a=rid:h send", `a=simulcast:send ${long};h`).rids).toEqual(["h"]);
  });

  it("a rid without simulcast is one stream", () => {
    const { rids, simulcast: line } = simulcast("a=rid:q send", "a=rid:h send");
    expect([rids, line]).toEqual([["q"], []]);
  });

  it("needs the header extension that tells layers apart", () => {
    const { rids, ridLines } = answered("a=sendonly", "a=rid:q send", "a=simulcast:send q");
    expect([rids, ridLines]).toEqual([[], []]);
  });

  it("that a client wishes to receive is not answered", () => {
    expect(answered("a=recvonly", extmap("10", RID), "a=rid:q recv", "a=simulcast:recv q").simulcast).toEqual([]);
  });
});

describe("the SSRCs of a publication", () => {
  it("are kept, and paired by FID groups", () => {
    const { ssrcs, rtxOf } = answered(
      "a=sendonly",
      "a=ssrc-group:FID 1 2",
      "a=ssrc:1 cname:x",
      "a=ssrc:1 msid:x y",
      "a=ssrc:2 cname:x",
    );
    expect(ssrcs).toEqual([1, 2]);
    expect(rtxOf).toEqual([[1, 2]]);
  });

  it.each(["FID 1 3", "FID 3 1", "FID 3 4", "FID 1", "FID 1 2 3", "FID 1 1", "SIM 1 2", "FID 1 x"])(
    "the group %s pairs nothing",
    (group) => {
      expect(answered("a=sendonly", `a=ssrc-group:${group}`, "a=ssrc:1 cname:x", "a=ssrc:2 cname:x").rtxOf).toEqual([]);
    },
  );

  it("an SSRC is in one pair only", () => {
    const lines = ["a=ssrc-group:FID 1 2", "a=ssrc-group:FID 2 3", "a=ssrc-group:FID 1 3"];
    const ssrcs = [1, 2, 3].map((ssrc) => `a=ssrc:${ssrc} cname:x`);
    expect(answered("a=sendonly", ...lines, ...ssrcs).rtxOf).toEqual([[1, 2]]);
  });

  it("end at the bound", () => {
    const lines = Array.from({ length: 100 }, (_, index) => `a=ssrc:${index + 1} cname:x`);
    expect(answered("a=sendonly", ...lines).ssrcs.length).toBe(LIMITS.streamsPerPublicationMax);
  });

  it("belong to the m-line that names them first", () => {
    const offer = sdpText(
      ...sessionLines("a=group:BUNDLE a v"),
      ...audioLines("a", "a=sendonly", "a=ssrc:1 cname:x"),
      ...videoLines("v", "a=sendonly", "a=ssrc:1 cname:x", "a=ssrc:2 cname:x"),
    );
    expect(agreed(offer).media.map(({ ssrcs }) => ssrcs)).toEqual([[1], [2]]);
  });

  it("do not count on an m-line that only receives", () => {
    expect(answered("a=recvonly", "a=ssrc:1 cname:x").ssrcs).toEqual([]);
  });
});

describe("the SSRCs of a slot", () => {
  const rtx = ["a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96"];

  it("stand in the answer with the server's CNAME and a stream of their own", () => {
    const video = videoLines("v", "a=recvonly", ...rtx).with(0, "m=video 9 UDP/TLS/RTP/SAVPF 96 97");
    const { answer } = agreed(sdpText(...sessionLines(), ...video));
    const { attributes } = answer.media[0]!;
    expect(sdpAttributeValues(attributes, "msid")).toEqual(["slot-v slot-v"]);
    expect(sdpAttributeValues(attributes, "ssrc-group")).toEqual(["FID 1001 1002"]);
    expect(sdpAttributeValues(attributes, "ssrc")).toEqual([
      "1001 cname:server",
      "1001 msid:slot-v slot-v",
      "1002 cname:server",
      "1002 msid:slot-v slot-v",
    ]);
  });

  it("include none for RTX where no RTX was agreed upon", () => {
    const { lines, media } = agreed(sdpText(...sessionLines(), ...videoLines("v", "a=recvonly")));
    expect([media[0]!.slotSsrc, media[0]!.slotRtxSsrc]).toEqual([1001, 0]);
    expect(lines.some((line) => line.startsWith("a=ssrc-group"))).toBe(false);
  });

  it("are never ones that the client uses", () => {
    const { slotSsrc } = answered("a=sendrecv", "a=ssrc:1001 cname:x", "a=ssrc:1002 cname:x");
    expect(slotSsrc).toBe(1003);
  });

  it("that all collide refuse the offer", () => {
    const offer = sdpText(...sessionLines(), ...videoLines("v", "a=ssrc:1001 cname:x", "a=ssrc:1002 cname:x"));
    expect(refusal(offer, { ssrcs: LOCAL.ssrcs.slice(0, 2) })).toMatch(/collide/);
  });
});
