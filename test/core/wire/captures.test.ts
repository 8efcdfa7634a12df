/** What Chromium really sent, read by every part of core/wire that reads RTP, and judged by werift beside it. */
import { describe, expect, it } from "vitest";
import { AV1RtpPayload, H264RtpPayload, RtpPacket, Vp8RtpPayload, Vp9RtpPayload } from "werift-rtp";
import { readU16 } from "../../../core/base/bytes.ts";
import { seqAdd16, seqDistance16, seqNewer16 } from "../../../core/base/sequence.ts";
import { CODEC } from "../../../core/wire/codec.ts";
import { DEMUX, demux } from "../../../core/wire/demux.ts";
import {
  type DependencyStructure,
  descriptorCheck,
  descriptorEndsFrame,
  descriptorFrameNumber,
  descriptorHasStructure,
  descriptorReadStructure,
  descriptorStartsFrame,
  descriptorTemplateId,
  descriptorTemplateIndex,
} from "../../../core/wire/dependency-descriptor.ts";
import {
  createExtensionScan,
  HEADER_EXTENSION,
  headerExtensionFind,
  headerExtensionsScan,
} from "../../../core/wire/header-extensions.ts";
import { payloadFrameSize, payloadIsKeyframe } from "../../../core/wire/payload.ts";
import {
  RTP,
  rtpCheck,
  rtpHeaderLength,
  rtpMarker,
  rtpPaddingLength,
  rtpPayloadLength,
  rtpPayloadType,
  rtpSequence,
  rtpSsrc,
  rtpTimestamp,
} from "../../../core/wire/rtp.ts";
import { vp8DescriptorLength, vp8StartsFrame } from "../../../core/wire/vp8.ts";
import {
  vp9DescriptorLength,
  vp9EndsFrame,
  vp9PictureId,
  vp9SpatialId,
  vp9StartsFrame,
  vp9TemporalId,
} from "../../../core/wire/vp9.ts";
import { CAPTURE_EXTENSION_IDS, CAPTURES, readCapture } from "../../support/wire/captures.ts";

const OPUS_PAYLOAD_TYPE = 111;
const VIDEO = {
  "vp8-simulcast": { codec: CODEC.VP8, payloadType: 96 },
  "h264-simulcast": { codec: CODEC.H264, payloadType: 102 },
  "vp9-svc": { codec: CODEC.VP9, payloadType: 98 },
  "av1-svc": { codec: CODEC.AV1, payloadType: 45 },
} as const;

/** One packet of a capture, with where its parts lie. */
interface Packet {
  bytes: Uint8Array;
  at: number;
  length: number;
  isVideo: boolean;
  /** The value of a header extension, by kind. */
  extension: (kind: number) => Uint8Array | undefined;
}

function packetsOf(name: (typeof CAPTURES)[number]): Packet[] {
  return readCapture(name).map(({ bytes }) => {
    const scan = createExtensionScan();
    headerExtensionsScan(scan, bytes, 0, bytes.length);
    const extension = (kind: number) => {
      const index = headerExtensionFind(scan, CAPTURE_EXTENSION_IDS[kind]!);
      return index < 0 ? undefined : bytes.slice(scan.offsets[index]!, scan.offsets[index]! + scan.lengths[index]!);
    };
    const length = rtpPayloadLength(bytes, 0, bytes.length);
    const isVideo = rtpPayloadType(bytes, 0) === VIDEO[name].payloadType;
    return { bytes, at: rtpHeaderLength(bytes, 0), length, isVideo, extension };
  });
}

/** Packets of video that carry a payload: the others only probe. */
function videoOf(name: (typeof CAPTURES)[number]): Packet[] {
  return packetsOf(name).filter(({ isVideo, length }) => isVideo && length > 0);
}

const text = (bytes: Uint8Array | undefined) => bytes && String.fromCharCode(...bytes);
const size = (packed: number) => `${packed >>> 16}x${packed & 0xffff}`;

describe.each(CAPTURES)("the capture %s", (name) => {
  const packets = packetsOf(name);
  const video = videoOf(name);
  const { codec } = VIDEO[name];

  it("holds RTP alone, every packet sound", () => {
    expect(packets.length).toBeGreaterThan(1_000);
    const unsound = packets.filter(
      ({ bytes }) => demux(bytes, 0, bytes.length) !== DEMUX.RTP || rtpCheck(bytes, 0, bytes.length) !== RTP.OK,
    );
    expect(unsound).toEqual([]);
  });

  it("is read as werift reads it: header, extensions and payload", () => {
    const scan = createExtensionScan();
    const ours = packets.map(({ bytes, at, length }) => {
      headerExtensionsScan(scan, bytes, 0, bytes.length);
      return [
        [
          rtpPayloadType(bytes, 0),
          rtpMarker(bytes, 0),
          rtpSequence(bytes, 0),
          rtpTimestamp(bytes, 0),
          rtpSsrc(bytes, 0),
        ],
        [at, length, rtpPaddingLength(bytes, 0, bytes.length)],
        Array.from({ length: scan.count }, (_, i) => [scan.ids[i], scan.lengths[i]]),
      ];
    });
    const theirs = packets.map(({ bytes }) => {
      const { header, payload } = RtpPacket.deSerialize(Buffer.from(bytes));
      return [
        [header.payloadType, header.marker, header.sequenceNumber, header.timestamp, header.ssrc],
        [header.payloadOffset, payload.length, header.paddingSize],
        header.extensions.map((extension) => [extension.id, extension.payload.length]),
      ];
    });
    expect(ours).toEqual(theirs);
  });

  it("has one sound and one picture stream, each with sequence numbers in a row", () => {
    for (const isVideo of [false, true]) {
      const stream = packets.filter((packet) => packet.isVideo === isVideo).map(({ bytes }) => bytes);
      expect(new Set(stream.map((bytes) => rtpSsrc(bytes, 0))).size).toBe(1);
      const payloadType = isVideo ? VIDEO[name].payloadType : OPUS_PAYLOAD_TYPE;
      expect(new Set(stream.map((bytes) => rtpPayloadType(bytes, 0)))).toEqual(new Set([payloadType]));
      const first = rtpSequence(stream[0]!, 0);
      expect(stream.map((bytes) => rtpSequence(bytes, 0))).toEqual(stream.map((_, i) => seqAdd16(first, i)));
    }
  });

  it("counts transport-wide sequence numbers across both streams", () => {
    const first = readU16(packets[0]!.extension(HEADER_EXTENSION.TRANSPORT_CC)!, 0);
    const counted = packets.map((packet) => readU16(packet.extension(HEADER_EXTENSION.TRANSPORT_CC)!, 0));
    expect(counted).toEqual(packets.map((_, i) => seqAdd16(first, i)));
  });

  it("names the m-line of each stream at its beginning, and never wrongly", () => {
    for (const isVideo of [false, true]) {
      const mids = packets
        .filter((packet) => packet.isVideo === isVideo)
        .map((packet) => packet.extension(HEADER_EXTENSION.MID));
      expect(text(mids[0])).toBe(isVideo ? "1" : "0");
      expect(new Set(mids.filter((mid) => mid).map(text)).size).toBe(1);
    }
  });

  it("tells how loud each packet with sound is", () => {
    const sound = packets.filter(({ isVideo, length }) => !isVideo && length > 0);
    expect(sound.length).toBeGreaterThan(900);
    expect(sound.filter((packet) => packet.extension(HEADER_EXTENSION.AUDIO_LEVEL)?.length !== 1)).toEqual([]);
  });

  it("names the layer of a simulcast stream together with its m-line", () => {
    const named = video.filter((packet) => packet.extension(HEADER_EXTENSION.RID));
    if (!name.endsWith("simulcast")) return expect(named).toEqual([]);
    expect(named.length).toBeGreaterThan(0);
    expect(new Set(named.map((packet) => text(packet.extension(HEADER_EXTENSION.RID)))).size).toBe(1);
    for (const packet of named) expect(packet.extension(HEADER_EXTENSION.MID)).toBeDefined();
  });

  it("has a dependency descriptor on every packet with pictures, and frames in order", () => {
    let structure: DependencyStructure | undefined;
    let number = -1;
    let isOpen = false;
    for (const packet of video) {
      const value = packet.extension(HEADER_EXTENSION.DEPENDENCY_DESCRIPTOR)!;
      expect(descriptorCheck(value.length)).toBe(true);
      if (descriptorHasStructure(value, 0, value.length)) {
        structure = descriptorReadStructure(value, 0, value.length);
        // A table stands on keyframes alone: where one begins.
        expect(payloadIsKeyframe(codec, packet.bytes, packet.at, packet.length)).toBe(true);
      }
      expect(descriptorTemplateIndex(structure!, descriptorTemplateId(value, 0))).toBeGreaterThanOrEqual(0);
      expect(descriptorStartsFrame(value, 0)).toBe(!isOpen);
      if (!isOpen && number >= 0) expect(seqNewer16(descriptorFrameNumber(value, 0), number)).toBe(true);
      if (isOpen) expect(descriptorFrameNumber(value, 0)).toBe(number);
      number = descriptorFrameNumber(value, 0);
      isOpen = !descriptorEndsFrame(value, 0);
      if (rtpMarker(packet.bytes, 0)) expect(isOpen).toBe(false);
    }
  });

  it("begins keyframes where the dependency descriptor brings a table", () => {
    const withTable = video.filter((packet) => {
      const value = packet.extension(HEADER_EXTENSION.DEPENDENCY_DESCRIPTOR)!;
      return descriptorHasStructure(value, 0, value.length);
    });
    const begun = video.filter(({ bytes, at, length }) => payloadIsKeyframe(codec, bytes, at, length));
    expect(begun).toEqual(withTable);
    expect(begun.length).toBeGreaterThan(0);
  });

  it("begins keyframes where werift's depacketizer sees one begin", () => {
    const places: { ours: boolean; theirs: boolean }[] = [];
    for (const { bytes, at, length } of video) {
      const payload = Buffer.from(bytes.slice(at, at + length));
      const ours = payloadIsKeyframe(codec, bytes, at, length);
      const theirs = weriftSeesKeyframe(codec, payload);
      // It sees the IDR slice of H.264, which stands right behind the parameters that a keyframe begins with.
      if (codec === CODEC.H264 && theirs) expect(places.at(-1)).toEqual({ ours: true, theirs: false });
      if (codec !== CODEC.H264) expect(ours).toBe(theirs);
      places.push({ ours, theirs });
    }
    const begun = places.filter(({ ours }) => ours).length;
    expect(begun).toBeGreaterThan(0);
    expect(begun).toBe(places.filter(({ theirs }) => theirs).length);
  });

  it("has keyframes of known size, 16 to 9", () => {
    const first = video[0]!;
    const sizes = new Set(
      video
        .filter(({ bytes, at, length }) => payloadIsKeyframe(codec, bytes, at, length))
        .map(({ bytes, at, length }) => payloadFrameSize(codec, bytes, at, length))
        .filter((packed) => packed !== 0),
    );
    expect(payloadFrameSize(codec, first.bytes, first.at, first.length)).not.toBe(0);
    for (const packed of sizes) expect((packed >>> 16) / (packed & 0xffff), size(packed)).toBeCloseTo(16 / 9, 1);
  });
});

function weriftSeesKeyframe(codec: number, payload: Buffer): boolean {
  switch (codec) {
    case CODEC.VP8:
      return Vp8RtpPayload.deSerialize(payload).isKeyframe;
    case CODEC.VP9:
      return Vp9RtpPayload.deSerialize(payload).isKeyframe;
    case CODEC.H264: {
      // It does not look into a STAP-A.
      const type = payload[0]! & 31;
      const read = H264RtpPayload.deSerialize(payload);
      return type === 28 ? read.isKeyframe && read.isPartitionHead : type === 5;
    }
    default:
      return AV1RtpPayload.deSerialize(payload).isKeyframe;
  }
}

describe("Chromium's VP8", () => {
  it("comes without picture id when the dependency descriptor is negotiated", () => {
    for (const { bytes, at, length } of videoOf("vp8-simulcast")) {
      expect(vp8DescriptorLength(bytes, at, length)).toBe(1);
    }
  });

  it("begins a frame where the dependency descriptor does", () => {
    for (const packet of videoOf("vp8-simulcast")) {
      const value = packet.extension(HEADER_EXTENSION.DEPENDENCY_DESCRIPTOR)!;
      expect(vp8StartsFrame(packet.bytes, packet.at)).toBe(descriptorStartsFrame(value, 0));
    }
  });
});

describe("Chromium's VP9", () => {
  const packets = videoOf("vp9-svc");

  it("counts its pictures, by one for each timestamp", () => {
    let previous: Packet | undefined;
    for (const packet of packets) {
      expect(vp9DescriptorLength(packet.bytes, packet.at, packet.length)).toBeGreaterThan(0);
      if (previous) {
        const step =
          seqDistance16(vp9PictureId(previous.bytes, previous.at) << 1, vp9PictureId(packet.bytes, packet.at) << 1) / 2;
        expect(step).toBe(rtpTimestamp(packet.bytes, 0) === rtpTimestamp(previous.bytes, 0) ? 0 : 1);
      }
      previous = packet;
    }
  });

  it("names the same layers and edges of frames as its dependency descriptor", () => {
    let structure: DependencyStructure | undefined;
    for (const packet of packets) {
      const value = packet.extension(HEADER_EXTENSION.DEPENDENCY_DESCRIPTOR)!;
      structure = descriptorReadStructure(value, 0, value.length) ?? structure;
      const template = descriptorTemplateIndex(structure!, descriptorTemplateId(value, 0));
      expect(vp9SpatialId(packet.bytes, packet.at)).toBe(structure!.spatialIds[template]);
      expect(vp9TemporalId(packet.bytes, packet.at)).toBe(structure!.temporalIds[template]);
      expect(vp9StartsFrame(packet.bytes, packet.at)).toBe(descriptorStartsFrame(value, 0));
      expect(vp9EndsFrame(packet.bytes, packet.at)).toBe(descriptorEndsFrame(value, 0));
    }
  });
});

describe("Chromium's AV1", () => {
  it("has the size of its table's highest layer in the sequence header", () => {
    for (const packet of videoOf("av1-svc")) {
      const value = packet.extension(HEADER_EXTENSION.DEPENDENCY_DESCRIPTOR)!;
      const structure = descriptorReadStructure(value, 0, value.length);
      if (structure)
        expect(payloadFrameSize(CODEC.AV1, packet.bytes, packet.at, packet.length)).toBe(structure.sizes.at(-1));
    }
  });
});
