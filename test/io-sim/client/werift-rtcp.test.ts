/** What a simulated client writes that `werift-rtp` alone would write otherwise. */
import { expect, it } from "vitest";
import { PLAIN_RTCP } from "../../../io-sim/client/plain-rtcp.ts";
import { writeNack } from "../../../io-sim/client/werift-rtcp.ts";

it.each([0, 1, 32_767, 32_768, 65_515, 65_519, 65_520, 65_533, 65_534, 65_535])(
  "a NACK for packets from %i on is as long, and as right, as anywhere else",
  (first) => {
    // 17 packets that one pair names, and two more in a pair of their own.
    const sequences = [...Array.from({ length: 17 }, (_, i) => i), 18, 19].map((at) => (first + at) & 0xffff);
    const bytes = writeNack(1, 9, sequences);
    expect(bytes.length).toBe(12 + 2 * 4);
    expect(PLAIN_RTCP.read(bytes)).toEqual([{ kind: "nack", ssrc: 9, sequences }]);
  },
);
