/** How findings are told to whoever searches. */
import { describe, expect, it } from "vitest";
import { findingText } from "../../../io-sim/search/telling.ts";

describe("a finding", () => {
  it("names the promise with its sentence, and what was seen, in times that can be read", () => {
    const detail = "bob has perceived nothing of ana/camera for 2500000 µs.";
    expect(findingText({ number: 63, promise: "L2", detail })).toBe(
      "world 63 breaks L2: After a link has healed, media comes again within five seconds.\n" +
        "  bob has perceived nothing of ana/camera for 2.5 s.",
    );
  });
});
