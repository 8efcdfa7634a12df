/** Codec numbers and the names that SDP has for them. */
import { describe, expect, it } from "vitest";
import { CODEC, codecByName, codecClockRate, codecIsVideo, codecName } from "../../../core/wire/codec.ts";

const ALL = [CODEC.OPUS, CODEC.VP8, CODEC.H264, CODEC.VP9, CODEC.AV1];

describe("codecs", () => {
  it("are found by the name that they are written with", () => {
    for (const codec of ALL) expect(codecByName(codecName(codec))).toBe(codec);
  });

  it("are found in either case", () => {
    expect(codecByName("OPUS")).toBe(CODEC.OPUS);
    expect(codecByName("av1")).toBe(CODEC.AV1);
  });

  it("are none under any other name", () => {
    for (const name of ["", "rtx", "red", "ulpfec", "H265", "telephone-event"])
      expect(codecByName(name)).toBe(CODEC.NONE);
  });

  it("have 48 kHz for Opus, 90 kHz for video", () => {
    expect(ALL.map(codecClockRate)).toEqual([48_000, 90_000, 90_000, 90_000, 90_000]);
    expect(ALL.map(codecIsVideo)).toEqual([false, true, true, true, true]);
    expect(codecClockRate(CODEC.NONE)).toBe(0);
  });
});
