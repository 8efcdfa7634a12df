/** Compound RTCP: known bytes, what is refused, werift both ways, and hostile bytes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  GenericNack,
  PictureLossIndication,
  type ReceiverEstimatedMaxBitrate,
  RtcpHeader,
  RtcpPacketConverter,
  RtcpPayloadSpecificFeedback,
  RtcpReceiverInfo,
  RtcpRrPacket,
  RtcpSenderInfo,
  RtcpSourceDescriptionPacket,
  RtcpSrPacket,
  RtcpTransportLayerFeedback,
} from "werift-rtp";
import { seqAdd16 } from "../../../core/base/sequence.ts";
import { utf8Encode } from "../../../core/base/text.ts";
import {
  RTCP,
  RTCP_TYPE,
  rtcpCheck,
  rtcpContentLength,
  rtcpCountOrFormat,
  rtcpPacketLength,
  rtcpPacketType,
  rtcpSenderSsrc,
} from "../../../core/wire/rtcp.ts";
import {
  feedbackMediaSsrc,
  firCount,
  firSequence,
  firSsrc,
  isFir,
  isNack,
  isPli,
  isRemb,
  nackBlp,
  nackPairCount,
  nackPid,
  rembBitrateBps,
  rembSsrc,
  rembSsrcCount,
  writeFir,
  writeNack,
  writePli,
  writeRemb,
} from "../../../core/wire/rtcp-feedback.ts";
import {
  addReportBlock,
  byeSsrc,
  byeSsrcCount,
  RTCP_COUNT_MAX,
  reportBlockCumulativeLost,
  reportBlockDelay,
  reportBlockFractionLost,
  reportBlockHighestSequence,
  reportBlockJitter,
  reportBlockLastSenderReport,
  reportBlockOffset,
  reportBlockSsrc,
  senderReportNtpHigh,
  senderReportNtpLow,
  senderReportOctetCount,
  senderReportPacketCount,
  senderReportRtpTimestamp,
  writeBye,
  writeReceiverReport,
  writeSdesCname,
  writeSenderReport,
} from "../../../core/wire/rtcp-reports.ts";
import { hex } from "../../support/wire/hex.ts";
import { expectBounded, hostileBytes } from "../../support/wire/hostile.ts";

const u8 = fc.nat(255);
const u16 = fc.nat(0xffff);
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });

const block = fc.record({
  ssrc: u32,
  fractionLost: u8,
  packetsLost: fc.integer({ min: 0, max: 0x7f_ffff }),
  highestSequence: u32,
  jitter: u32,
  lsr: u32,
  dlsr: u32,
});
type Block = typeof block extends fc.Arbitrary<infer T> ? T : never;
const blocks = fc.array(block, { maxLength: RTCP_COUNT_MAX });

const REPORT = hex(
  "81 c8 00 0c 00 00 00 01", // sender report of 13 words with one block, from SSRC 1
  "e0 00 00 02 80 00 00 00", // NTP time
  "00 01 5f 90 00 00 00 05 00 00 10 00", // RTP timestamp, packets, octets
  "00 00 00 07 40 ff ff fe", // block about SSRC 7: a quarter lost, -2 in all
  "00 01 00 09 00 00 00 0a 00 00 00 0b 00 00 00 0c", // highest, jitter, last report, delay
);
const CNAME = hex("81 ca 00 03 00 00 00 01", "01 03 61 62 63", "00 00 00"); // source description: CNAME "abc"
const NACK = hex("81 cd 00 03 00 00 00 01 00 00 00 07", "ff ff 80 01"); // 65535, 0 and 15 are missing
const REMB = hex("8f ce 00 05 00 00 00 01 00 00 00 00", "52 45 4d 42 01 0b ff ff 00 00 00 07");
const BYE = hex("82 cb 00 02 00 00 00 01 00 00 00 02");
const XR = hex("80 cf 00 04 00 00 00 01 04 00 00 02 e0 00 00 02 80 00 00 00"); // receiver reference time
const COMPOUND = hex(...[REPORT, CNAME, NACK, REMB, XR, BYE].map((part) => Buffer.from(part).toString("hex")));

/** The offsets of all packets of a checked compound. */
function packetsOf(bytes: Uint8Array, offset: number, length: number): number[] {
  const offsets: number[] = [];
  for (let at = offset; at < offset + length; at += rtcpPacketLength(bytes, at)) offsets.push(at);
  return offsets;
}

/** The bytes that a writer writes at some offset; what lies around them must stay. */
function written(write: (bytes: Uint8Array, offset: number) => number): Uint8Array {
  const bytes = new Uint8Array(2_048).fill(0xee);
  const length = write(bytes, 40);
  const isAround = (index: number) => index < 40 || index >= 40 + length;
  expect(bytes.findIndex((byte, index) => isAround(index) && byte !== 0xee)).toBe(-1);
  const packet = bytes.slice(40, 40 + length);
  expect(rtcpCheck(packet, 0, length)).toBe(RTCP.OK);
  return packet;
}

/** What werift makes of one packet. */
function weriftReads<T>(packet: Uint8Array, type: abstract new (...args: never[]) => T): T {
  const [read] = RtcpPacketConverter.deSerialize(Buffer.from(packet));
  expect(read).toBeInstanceOf(type);
  return read as T;
}

/** The fields of a block as werift names them. */
function readBlock(bytes: Uint8Array, index: number): Block {
  const at = reportBlockOffset(bytes, 0, index);
  return {
    ssrc: reportBlockSsrc(bytes, at),
    fractionLost: reportBlockFractionLost(bytes, at),
    packetsLost: reportBlockCumulativeLost(bytes, at),
    highestSequence: reportBlockHighestSequence(bytes, at),
    jitter: reportBlockJitter(bytes, at),
    lsr: reportBlockLastSenderReport(bytes, at),
    dlsr: reportBlockDelay(bytes, at),
  };
}

function addBlock(bytes: Uint8Array, offset: number, field: Block): number {
  const { ssrc, fractionLost, packetsLost, highestSequence, jitter, lsr, dlsr } = field;
  return addReportBlock(bytes, offset, ssrc, fractionLost, packetsLost, highestSequence, jitter, lsr, dlsr);
}

describe("compound RTCP", () => {
  it("is walked packet by packet", () => {
    expect(rtcpCheck(COMPOUND, 0, COMPOUND.length)).toBe(RTCP.OK);
    const types = packetsOf(COMPOUND, 0, COMPOUND.length).map((at) => rtcpPacketType(COMPOUND, at));
    expect(types).toEqual([200, 202, 205, 206, 207, 203]);
  });

  it("may begin with feedback (RFC 5506)", () => {
    expect(rtcpCheck(NACK, 0, NACK.length)).toBe(RTCP.OK);
  });

  it("is refused when its packets do not fill it", () => {
    const ends = new Set(packetsOf(COMPOUND, 0, COMPOUND.length));
    for (let length = 0; length < COMPOUND.length; length++) {
      if (length > 0 && ends.has(length)) continue;
      expect(rtcpCheck(COMPOUND, 0, length), `${length} bytes`).toBe(RTCP.SHORT);
    }
  });

  it("is refused when a packet has another version", () => {
    const bytes = Uint8Array.from(COMPOUND);
    bytes[REPORT.length] = 0x41;
    expect(rtcpCheck(bytes, 0, bytes.length)).toBe(RTCP.VERSION);
  });

  it("is refused when a packet holds less than its count promises", () => {
    expect(rtcpCheck(hex("82 c9 00 07", "00".repeat(28)), 0, 32)).toBe(RTCP.SHORT);
    expect(rtcpCheck(hex("81 c8 00 06", "00".repeat(24)), 0, 28)).toBe(RTCP.SHORT);
    expect(rtcpCheck(hex("83 cb 00 02 00 00 00 01 00 00 00 02"), 0, 12)).toBe(RTCP.SHORT);
    expect(rtcpCheck(hex("81 ce 00 01 00 00 00 01"), 0, 8)).toBe(RTCP.SHORT);
  });

  it("may be padded anywhere, by any count that is there", () => {
    const padded = hex("a1 ce 00 03 00 00 00 01 00 00 00 07", "00 00 00 03");
    expect(rtcpCheck(padded, 0, 16)).toBe(RTCP.OK);
    expect(rtcpContentLength(padded, 0)).toBe(13);
    expect(rtcpCheck(hex("a1 ce 00 03 00 00 00 01 00 00 00 07", "00 00 00 00"), 0, 16)).toBe(RTCP.PADDING);
    expect(rtcpCheck(hex("a1 ce 00 03 00 00 00 01 00 00 00 07", "00 00 00 0d"), 0, 16)).toBe(RTCP.PADDING);
    expect(rtcpCheck(hex("a1 ce 00 03 00 00 00 01 00 00 00 07", "00 00 00 05"), 0, 16)).toBe(RTCP.SHORT);
  });

  it("is judged and read by its own bytes alone", () => {
    fc.assert(
      fc.property(hostileBytes(COMPOUND, NACK, REMB, BYE), (hostile) => {
        expectBounded(hostile, (bytes, offset, length) => {
          const code = rtcpCheck(bytes, offset, length);
          if (code !== RTCP.OK) return code;
          return packetsOf(bytes, offset, length).map((at) => [at - offset, everythingOf(bytes, at)]);
        });
      }),
      { numRuns: 500 },
    );
  });
});

/** All that the readers say about one packet. */
function everythingOf(bytes: Uint8Array, at: number): unknown {
  const count = rtcpCountOrFormat(bytes, at);
  const each = (length: number, read: (index: number) => unknown) => Array.from({ length }, (_, i) => read(i));
  switch (rtcpPacketType(bytes, at)) {
    case RTCP_TYPE.SENDER_REPORT:
    case RTCP_TYPE.RECEIVER_REPORT:
      return [rtcpSenderSsrc(bytes, at), each(count, (i) => reportBlockDelay(bytes, reportBlockOffset(bytes, at, i)))];
    case RTCP_TYPE.BYE:
      return each(byeSsrcCount(bytes, at), (i) => byeSsrc(bytes, at, i));
    case RTCP_TYPE.TRANSPORT_FEEDBACK:
      if (!isNack(bytes, at)) return feedbackMediaSsrc(bytes, at);
      return each(nackPairCount(bytes, at), (i) => [nackPid(bytes, at, i), nackBlp(bytes, at, i)]);
    case RTCP_TYPE.PAYLOAD_FEEDBACK:
      if (isFir(bytes, at)) return each(firCount(bytes, at), (i) => [firSsrc(bytes, at, i), firSequence(bytes, at, i)]);
      if (!isRemb(bytes, at)) return [isPli(bytes, at), feedbackMediaSsrc(bytes, at)];
      return [rembBitrateBps(bytes, at), each(rembSsrcCount(bytes, at), (i) => rembSsrc(bytes, at, i))];
    default:
      return rtcpContentLength(bytes, at);
  }
}

describe("reports", () => {
  it("are read field by field", () => {
    expect(rtcpSenderSsrc(REPORT, 0)).toBe(1);
    expect(senderReportNtpHigh(REPORT, 0)).toBe(0xe000_0002);
    expect(senderReportNtpLow(REPORT, 0)).toBe(0x8000_0000);
    expect(senderReportRtpTimestamp(REPORT, 0)).toBe(90_000);
    expect(senderReportPacketCount(REPORT, 0)).toBe(5);
    expect(senderReportOctetCount(REPORT, 0)).toBe(4_096);
    expect(readBlock(REPORT, 0)).toEqual({
      ssrc: 7,
      fractionLost: 64,
      packetsLost: -2,
      highestSequence: 0x1_0009,
      jitter: 10,
      lsr: 11,
      dlsr: 12,
    });
  });

  it("clamp what was lost in all to 24 signed bits", () => {
    for (const [lost, read] of [
      [0x80_0000, 0x7f_ffff],
      [-0x80_0001, -0x80_0000],
      [-1, -1],
    ] as const) {
      const packet = written((bytes, offset) => {
        writeReceiverReport(bytes, offset, 1);
        return addReportBlock(bytes, offset, 2, 0, lost, 0, 0, 0, 0);
      });
      expect(reportBlockCumulativeLost(packet, reportBlockOffset(packet, 0, 0))).toBe(read);
    }
  });

  it("of a sender are read by werift as they were written", () => {
    fc.assert(
      fc.property(u32, fc.tuple(u32, u32, u32, u32, u32), blocks, (ssrc, [high, low, rtp, packets, octets], fields) => {
        const packet = written((bytes, offset) => {
          let length = writeSenderReport(bytes, offset, ssrc, high, low, rtp, packets, octets);
          for (const field of fields) length = addBlock(bytes, offset, field);
          return length;
        });
        const read = weriftReads(packet, RtcpSrPacket);
        expect(read.ssrc).toBe(ssrc);
        expect(read.senderInfo.ntpTimestamp).toBe((BigInt(high) << 32n) | BigInt(low));
        expect([read.senderInfo.rtpTimestamp, read.senderInfo.packetCount]).toEqual([rtp, packets]);
        expect(read.senderInfo.octetCount).toBe(octets);
        expect(read.reports.map((report) => report.toJSON())).toEqual(fields);
      }),
    );
  });

  it("of werift's sender are read as they were written", () => {
    fc.assert(
      fc.property(u32, fc.tuple(u32, u32, u32, u32, u32), blocks, (ssrc, [high, low, rtp, packets, octets], fields) => {
        const senderInfo = new RtcpSenderInfo({
          ntpTimestamp: (BigInt(high) << 32n) | BigInt(low),
          rtpTimestamp: rtp,
          packetCount: packets,
          octetCount: octets,
        });
        const reports = fields.map((field) => new RtcpReceiverInfo(field));
        const bytes = Uint8Array.from(new RtcpSrPacket({ ssrc, senderInfo, reports }).serialize());
        expect(rtcpCheck(bytes, 0, bytes.length)).toBe(RTCP.OK);
        expect([senderReportNtpHigh(bytes, 0), senderReportNtpLow(bytes, 0)]).toEqual([high, low]);
        expect(senderReportRtpTimestamp(bytes, 0)).toBe(rtp);
        expect([senderReportPacketCount(bytes, 0), senderReportOctetCount(bytes, 0)]).toEqual([packets, octets]);
        expect(fields.map((_, i) => readBlock(bytes, i))).toEqual(fields);
      }),
    );
  });

  it("of a receiver go both ways through werift", () => {
    fc.assert(
      fc.property(u32, blocks, (ssrc, fields) => {
        const packet = written((bytes, offset) => {
          let length = writeReceiverReport(bytes, offset, ssrc);
          for (const field of fields) length = addBlock(bytes, offset, field);
          return length;
        });
        const reports = fields.map((field) => new RtcpReceiverInfo(field));
        expect(Uint8Array.from(new RtcpRrPacket({ ssrc, reports }).serialize())).toEqual(packet);
        expect(rtcpSenderSsrc(packet, 0)).toBe(ssrc);
        expect(fields.map((_, i) => readBlock(packet, i))).toEqual(fields);
      }),
    );
  });
});

describe("source descriptions and BYE", () => {
  it("carry a CNAME of any length", () => {
    fc.assert(
      fc.property(u32, fc.integer({ min: 0, max: 255 }), (ssrc, length) => {
        const cname = "n".repeat(length);
        const packet = written((bytes, offset) => writeSdesCname(bytes, offset, ssrc, utf8Encode(cname)));
        expect(packet.length % 4).toBe(0);
        expect(packet.at(-1)).toBe(0);
        if (length === 0) return;
        const read = weriftReads(packet, RtcpSourceDescriptionPacket);
        expect(read.chunks[0]!.source).toBe(ssrc);
        expect(read.chunks[0]!.items.find(({ type }) => type === 1)?.text).toBe(cname);
      }),
    );
  });

  it("name the SSRCs that leave", () => {
    fc.assert(
      fc.property(fc.array(u32, { maxLength: RTCP_COUNT_MAX }), (ssrcs) => {
        const packet = written((bytes, offset) => writeBye(bytes, offset, ssrcs));
        expect(rtcpPacketType(packet, 0)).toBe(RTCP_TYPE.BYE);
        expect(Array.from({ length: byeSsrcCount(packet, 0) }, (_, i) => byeSsrc(packet, 0, i))).toEqual(ssrcs);
      }),
    );
  });
});

describe("NACK", () => {
  /** Every sequence number that a NACK asks for. */
  function missingOf(packet: Uint8Array): number[] {
    const missing: number[] = [];
    for (let i = 0; i < nackPairCount(packet, 0); i++) {
      const pid = nackPid(packet, 0, i);
      missing.push(pid);
      for (let k = 0; k < 16; k++) if ((nackBlp(packet, 0, i) & (1 << k)) !== 0) missing.push(seqAdd16(pid, k + 1));
    }
    return missing;
  }

  /** Sequence numbers in order, from somewhere on, around the wrap too. */
  const ordered = fc
    .tuple(
      fc.oneof(u16, fc.constantFrom(0, 1, 32_767, 32_768, 65_534, 65_535)),
      fc.array(fc.integer({ min: 1, max: 40 })),
    )
    .map(([first, steps]) => {
      const sequences = [first];
      for (const step of steps) sequences.push(seqAdd16(sequences.at(-1)!, step));
      return sequences;
    });

  it("is read from known bytes", () => {
    expect(isNack(NACK, 0)).toBe(true);
    expect(feedbackMediaSsrc(NACK, 0)).toBe(7);
    expect(missingOf(NACK)).toEqual([65_535, 0, 15]);
  });

  it("asks for exactly what it was given", () => {
    fc.assert(
      fc.property(ordered, (sequences) => {
        const packet = written((bytes, offset) => writeNack(bytes, offset, 1, 2, sequences));
        expect(missingOf(packet)).toEqual(sequences);
      }),
    );
  });

  it("puts seventeen neighbours into one pair", () => {
    for (const first of [0, 1, 32_767, 32_768, 65_534, 65_535]) {
      const sequences = Array.from({ length: 17 }, (_, i) => seqAdd16(first, i));
      const packet = written((bytes, offset) => writeNack(bytes, offset, 1, 2, sequences));
      expect([packet.length, nackBlp(packet, 0, 0)]).toEqual([16, 0xffff]);
    }
  });

  it("asks for repeated and unordered numbers too", () => {
    const packet = written((bytes, offset) => writeNack(bytes, offset, 1, 2, [9, 9, 5]));
    expect(missingOf(packet)).toEqual([9, 9, 5]);
  });

  it("takes as many numbers as it is told", () => {
    const packet = written((bytes, offset) => writeNack(bytes, offset, 1, 2, [5, 50, 500], 2));
    expect(missingOf(packet)).toEqual([5, 50]);
  });

  it("goes both ways through werift", () => {
    fc.assert(
      fc.property(u32, u32, ordered, (senderSsrc, mediaSsrc, sequences) => {
        const packet = written((bytes, offset) => writeNack(bytes, offset, senderSsrc, mediaSsrc, sequences));
        const read = weriftReads(packet, RtcpTransportLayerFeedback).feedback as GenericNack;
        expect([read.senderSsrc, read.mediaSourceSsrc]).toEqual([senderSsrc, mediaSsrc]);
        // It counts on past 65535.
        expect(read.lost.map((lost) => lost & 0xffff)).toEqual(sequences);
        const header = new RtcpHeader({ type: 205, count: 1, version: 2 });
        const feedback = new GenericNack({ header, senderSsrc, mediaSourceSsrc: mediaSsrc, lost: sequences });
        const theirs = Uint8Array.from(feedback.serialize());
        expect(rtcpCheck(theirs, 0, theirs.length)).toBe(RTCP.OK);
        expect(missingOf(theirs)).toEqual(sequences);
      }),
    );
  });
});

describe("keyframe requests and REMB", () => {
  it("PLI goes both ways through werift", () => {
    fc.assert(
      fc.property(u32, u32, (senderSsrc, mediaSsrc) => {
        const packet = written((bytes, offset) => writePli(bytes, offset, senderSsrc, mediaSsrc));
        const feedback = new PictureLossIndication({ senderSsrc, mediaSsrc });
        expect(Uint8Array.from(new RtcpPayloadSpecificFeedback({ feedback }).serialize())).toEqual(packet);
        expect([isPli(packet, 0), isFir(packet, 0), isRemb(packet, 0)]).toEqual([true, false, false]);
        expect([rtcpSenderSsrc(packet, 0), feedbackMediaSsrc(packet, 0)]).toEqual([senderSsrc, mediaSsrc]);
      }),
    );
  });

  it("FIR goes both ways through werift", () => {
    fc.assert(
      fc.property(u32, u32, u8, (senderSsrc, ssrc, sequenceNumber) => {
        const packet = written((bytes, offset) => writeFir(bytes, offset, senderSsrc, ssrc, sequenceNumber));
        const read = weriftReads(packet, RtcpPayloadSpecificFeedback);
        expect(read.feedback).toMatchObject({ senderSsrc, mediaSsrc: 0, fir: [{ ssrc, sequenceNumber }] });
        // Its length word is one short, so only the rest is compared.
        expect(Uint8Array.from(read.serialize()).slice(4)).toEqual(packet.slice(4));
        expect(rtcpSenderSsrc(packet, 0)).toBe(senderSsrc);
        expect([firCount(packet, 0), firSsrc(packet, 0, 0), firSequence(packet, 0, 0)]).toEqual([
          1,
          ssrc,
          sequenceNumber,
        ]);
      }),
    );
  });

  it("FIR may have several entries", () => {
    const packet = hex(
      "84 ce 00 06 00 00 00 01 00 00 00 00", // format 4, seven words, from SSRC 1
      "00 00 00 07 05 00 00 00", // SSRC 7, command 5
      "00 00 00 08 06 00 00 00", // SSRC 8, command 6
    );
    expect(rtcpCheck(packet, 0, packet.length)).toBe(RTCP.OK);
    const entries = Array.from({ length: firCount(packet, 0) }, (_, i) => [
      firSsrc(packet, 0, i),
      firSequence(packet, 0, i),
    ]);
    expect(entries).toEqual([
      [7, 5],
      [8, 6],
    ]);
  });

  it("REMB keeps 18 significant bits of a bitrate, never more than it was given", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.array(u32, { maxLength: 20 }), (bitrate, ssrcs) => {
        const packet = written((bytes, offset) => writeRemb(bytes, offset, 1, bitrate, ssrcs));
        expect(isRemb(packet, 0)).toBe(true);
        expect(rembBitrateBps(packet, 0)).toBeLessThanOrEqual(bitrate);
        expect(rembBitrateBps(packet, 0)).toBeGreaterThan(bitrate - bitrate / 0x1_0000 - 1);
        expect(Array.from({ length: rembSsrcCount(packet, 0) }, (_, i) => rembSsrc(packet, 0, i))).toEqual(ssrcs);
        const read = weriftReads(packet, RtcpPayloadSpecificFeedback).feedback as ReceiverEstimatedMaxBitrate;
        expect([Number(read.bitrate), read.ssrcFeedbacks]).toEqual([rembBitrateBps(packet, 0), ssrcs]);
      }),
    );
  });

  it("REMB of the largest exponent is cut, not infinite", () => {
    const packet = hex("8f ce 00 04 00 00 00 01 00 00 00 00", "52 45 4d 42 00 ff ff ff");
    expect(rembBitrateBps(packet, 0)).toBe(Number.MAX_SAFE_INTEGER);
  });

  it("REMB with fewer SSRCs than it says is none", () => {
    const bytes = Uint8Array.from(REMB);
    bytes[16] = 2;
    expect([isRemb(REMB, 0), isRemb(bytes, 0)]).toEqual([true, false]);
  });
});
