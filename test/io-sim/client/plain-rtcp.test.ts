/** The client's own RTCP against that of werift-rtp: what one writes the other reads, and both write the same bytes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  GenericNack,
  PictureLossIndication,
  RtcpPayloadSpecificFeedback,
  RtcpTransportLayerFeedback,
} from "werift-rtp";
import {
  PLAIN_RTCP,
  type ReadRtcp,
  type ReportBlock,
  type SenderInfo,
  writeFir,
} from "../../../io-sim/client/plain-rtcp.ts";
import { WERIFT_RTCP } from "../../../io-sim/client/werift-rtcp.ts";
import { run } from "../../../io-sim/world/run.ts";
import lossyCall from "../../../sim-scenarios/loss-and-reordering.ts";

const word = fc.integer({ min: 0, max: 0xffff_ffff });
const block: fc.Arbitrary<ReportBlock> = fc.record({
  ssrc: word,
  fractionLost: fc.integer({ min: 0, max: 255 }),
  packetsLost: fc.integer({ min: 0, max: 0x7f_ffff }),
  highestSequence: word,
  jitter: word,
  lsr: word,
  dlsr: word,
});
const sender: fc.Arbitrary<SenderInfo> = fc.record({
  ssrc: word,
  ntpSeconds: word,
  ntpFraction: word,
  timestamp: word,
  packets: word,
  octets: word,
});
const senders = fc.array(sender, { maxLength: 4 });
const blocks = fc.array(block, { maxLength: 31 });

describe("a compound report", () => {
  it("has the same bytes as werift-rtp's, and both read the same of it", () => {
    fc.assert(
      fc.property(senders, word, blocks, (from, reporter, about) => {
        // A name of sixteen letters, as the client's is: where a chunk's last word is full, werift-rtp leaves out its end.
        const [ours, theirs] = [PLAIN_RTCP, WERIFT_RTCP].map((format) =>
          format.writeReports(from, reporter, about, "abcdefghijklmnop"),
        );
        expect([...ours!]).toEqual([...theirs!]);
        expect(PLAIN_RTCP.read(ours!)).toEqual(WERIFT_RTCP.read(ours!));
      }),
      { numRuns: 100, seed: 5 },
    );
  });

  it("ends each CNAME in a zero byte, whatever its length", () => {
    for (let length = 1; length < 12; length++) {
      const bytes = PLAIN_RTCP.writeReports([], 1, [], "x".repeat(length));
      expect(bytes.length % 4).toBe(0);
      expect(bytes.at(-1)).toBe(0);
      expect(PLAIN_RTCP.read(bytes)).toEqual([{ kind: "report", sender: 1, compactNtp: -1, about: [] }]);
    }
  });
});

describe("what asks for something", () => {
  it("is read as werift-rtp wrote it", () => {
    const lost = [65_534, 65_535, 3, 900, 901];
    const wire = [
      new RtcpPayloadSpecificFeedback({ feedback: new PictureLossIndication({ senderSsrc: 1, mediaSsrc: 7 }) }),
      new RtcpTransportLayerFeedback({ feedback: new GenericNack({ senderSsrc: 1, mediaSourceSsrc: 9, lost }) }),
    ].map((packet): Uint8Array => packet.serialize());
    // A FIR of one entry (RFC 5104 §4.3.1), which werift-rtp reads but does not let anybody write.
    const fir = writeFir(1, 8, 3);
    expect([...fir]).toEqual([0x84, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 8, 3, 0, 0, 0]);
    wire.splice(1, 0, fir);
    const wanted: ReadRtcp[] = [
      { kind: "keyframe", ssrcs: [7], numbers: [] },
      { kind: "keyframe", ssrcs: [8], numbers: [3] },
      { kind: "nack", ssrc: 9, sequences: lost },
    ];
    expect(wire.flatMap((bytes) => PLAIN_RTCP.read(bytes))).toEqual(wanted);
    expect(PLAIN_RTCP.read(Buffer.concat(wire))).toEqual(wanted);
  });
});

describe("what the server sends in a call", () => {
  it("is read as werift-rtp reads it", () => {
    let read = 0;
    const kinds = new Set<string>();
    const { verdict } = run(lossyCall, 1, {
      onWorld: (world) => {
        world.watchers.push({
          control(_client, _sealed, plain) {
            read++;
            const ours = PLAIN_RTCP.read(plain);
            for (const { kind } of ours) kinds.add(kind);
            expect(ours).toEqual(WERIFT_RTCP.read(plain));
          },
        });
      },
    });
    expect(verdict).toBe("held");
    expect(read).toBeGreaterThan(100);
    expect(kinds).toEqual(new Set(["arrivals", "keyframe", "nack", "report"]));
  });
});
