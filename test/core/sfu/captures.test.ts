/**
 * What Chromium really sent, through a shard, to a subscriber with the offer of a real one: numbers go on, pictures stay
 * whole, and werift puts the same frames together from both sides. A second subscriber offers the dependency descriptor as
 * well, which the first does not.
 */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { dePacketizeRtpPackets, RtpPacket } from "werift-rtp";
import { micros } from "../../../core/index.ts";
import { CODEC } from "../../../core/wire/codec.ts";
import { descriptorFrameNumber } from "../../../core/wire/dependency-descriptor.ts";
import {
  createExtensionScan,
  HEADER_EXTENSION,
  headerExtensionFind,
  headerExtensionsScan,
} from "../../../core/wire/header-extensions.ts";
import { payloadIsKeyframe } from "../../../core/wire/payload.ts";
import { vp9DescriptorLength, vp9PatchPictureId, vp9PatchTl0, vp9PictureId } from "../../../core/wire/vp9.ts";
import {
  attributeOf,
  createShardWorld,
  join,
  pass,
  type ReceivedRtp,
  type ShardWorld,
  sealRtp,
  sendRtp,
  type TestClient,
} from "../../support/shards/shard-world.ts";
import { CAPTURE_EXTENSION_IDS, CAPTURES, readCapture } from "../../support/wire/captures.ts";

const OFFER = (name: string) =>
  readFileSync(new URL(`../../fixtures/captures/chromium-156-${name}-offer.sdp`, import.meta.url), "utf8");
const DESCRIPTOR_URI = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";
const DESCRIPTOR_ID = 30;

const OPUS = { codec: CODEC.OPUS, payloadType: 111, name: "opus" } as const;
const VIDEO = {
  "vp8-simulcast": { codec: CODEC.VP8, payloadType: 96, name: "vp8" },
  "h264-simulcast": { codec: CODEC.H264, payloadType: 102, name: "mpeg4/iso/avc" },
  "vp9-svc": { codec: CODEC.VP9, payloadType: 98, name: "vp9" },
  "av1-svc": { codec: CODEC.AV1, payloadType: 45, name: "av1" },
} as const;

/** A packet that the publisher sent, and what a subscriber got while the shard had it in hand. */
interface Passage {
  readonly source: RtpPacket;
  readonly bytes: Uint8Array;
  readonly got: readonly ReceivedRtp[];
}

/** Everything that passed from Chromium's publisher to one subscriber. */
interface Call {
  readonly world: ShardWorld;
  readonly ana: TestClient;
  readonly bob: TestClient;
  readonly passages: readonly Passage[];
}

/** The publisher's offer; scalable video comes on one SSRC, and an offer for it has no layers. */
function publishOffer(name: (typeof CAPTURES)[number]): string {
  const offer = OFFER("publish");
  return name.endsWith("svc") ? offer.replace(/a=(rid|simulcast):.*\r\n/g, "") : offer;
}

/** The subscriber's offer with the dependency descriptor in both of its video m-lines, under an id for two-byte headers. */
function withDescriptor(offer: string): string {
  return offer.replace(/(m=video[\s\S]*?)(a=recvonly)/g, `$1a=extmap:${DESCRIPTOR_ID} ${DESCRIPTOR_URI}\r\n$2`);
}

function callOf(name: (typeof CAPTURES)[number], subscribe: string): Call {
  const world = createShardWorld();
  const ana = join(world, { name: "ana", offer: publishOffer(name) });
  const bob = join(world, { name: "bob", offer: subscribe });
  const start = world.now;
  const passages = readCapture(name).map(({ micros: at, bytes }): Passage => {
    const wait = start + at - world.now;
    if (wait > 0) pass(world, micros(wait));
    const before = bob.rtp.length;
    sendRtp(world, ana, bytes);
    const source = RtpPacket.deSerialize(Buffer.from(bytes));
    return { source, bytes, got: bob.rtp.slice(before) };
  });
  return { world, ana, bob, passages };
}

const isKeyframe = (codec: number, payload: Buffer) =>
  payload.length > 0 && payloadIsKeyframe(codec, Uint8Array.from(payload), 0, payload.length);

/** The passages of one payload type with a payload, from the first that a subscriber can begin with. */
function fromFirstKeyframe(passages: readonly Passage[], codec: number, payloadType: number): Passage[] {
  const all = passages.filter(({ source }) => source.header.payloadType === payloadType && source.payload.length > 0);
  return codec === CODEC.OPUS ? all : all.slice(all.findIndex(({ source }) => isKeyframe(codec, source.payload)));
}

/** The value of a header extension that has this id, or undefined. */
function extension(bytes: Uint8Array, id: number): Uint8Array | undefined {
  const scan = createExtensionScan();
  headerExtensionsScan(scan, bytes, 0, bytes.length);
  const index = headerExtensionFind(scan, id);
  return index < 0 ? undefined : bytes.slice(scan.offsets[index]!, scan.offsets[index]! + scan.lengths[index]!);
}

/** A payload without what each receiver's numbers change. */
function comparable(codec: number, payload: Uint8Array): number[] {
  const copy = Uint8Array.from(payload);
  if (codec === CODEC.VP9 && vp9DescriptorLength(copy, 0, copy.length) > 0) {
    vp9PatchPictureId(copy, 0, 0);
    vp9PatchTl0(copy, 0, 0);
  }
  return [...copy];
}

/** The frames that werift makes of packets, each as its bytes: those of one timestamp at a time, as far as they are whole. */
function framesOf(name: string, packets: readonly RtpPacket[]): Buffer[] {
  const byTime = new Map<number, RtpPacket[]>();
  for (const packet of packets) {
    if (packet.payload.length === 0) continue;
    const { timestamp } = packet.header;
    byTime.set(timestamp, [...(byTime.get(timestamp) ?? []), packet]);
  }
  return [...byTime.values()].map(
    (frame) => dePacketizeRtpPackets(name as Parameters<typeof dePacketizeRtpPackets>[0], frame).data,
  );
}

describe.each(CAPTURES)("%s of Chromium, forwarded by a shard", (name) => {
  const video = VIDEO[name];
  let call: Call;
  let described: Call;

  beforeAll(() => {
    call = callOf(name, OFFER("subscribe"));
    described = callOf(name, withDescriptor(OFFER("subscribe")));
  });

  const streams = [OPUS, video];

  it("arrives whole from the first keyframe on, each packet once and at once", () => {
    for (const { codec, payloadType } of streams) {
      const passages = fromFirstKeyframe(call.passages, codec, payloadType);
      expect(passages.length).toBeGreaterThan(200);
      expect(passages.filter(({ got }) => got.length !== 1)).toEqual([]);
    }
    const wanted = streams.map(({ codec, payloadType }) => fromFirstKeyframe(call.passages, codec, payloadType).length);
    expect(call.bob.rtp).toHaveLength(wanted.reduce((sum, count) => sum + count, 0));
  });

  it("is nothing of the padding that was sent to probe for bandwidth", () => {
    const padding = call.passages.filter(({ source }) => source.payload.length === 0);
    expect(padding.length).toBeGreaterThan(0);
    expect(padding.flatMap(({ got }) => got)).toEqual([]);
  });

  it("has sequence numbers without a gap, on one SSRC for each slot", () => {
    for (const { codec, payloadType } of streams) {
      const got = fromFirstKeyframe(call.passages, codec, payloadType).map((passage) => passage.got[0]!);
      expect(new Set(got.map(({ ssrc }) => ssrc)).size).toBe(1);
      for (let i = 1; i < got.length; i++) expect(got[i]!.sequence).toBe((got[i - 1]!.sequence + 1) & 0xffff);
    }
  });

  it("has timestamps that never go back, as far apart as they were sent", () => {
    for (const { codec, payloadType } of streams) {
      const passages = fromFirstKeyframe(call.passages, codec, payloadType);
      for (let i = 1; i < passages.length; i++) {
        const step = (passages[i]!.got[0]!.timestamp - passages[i - 1]!.got[0]!.timestamp) | 0;
        expect(step).toBeGreaterThanOrEqual(0);
        expect(step).toBe((passages[i]!.source.header.timestamp - passages[i - 1]!.source.header.timestamp) | 0);
      }
    }
  });

  it("has the payloads that were sent, but for picture id and TL0PICIDX, and no padding", () => {
    for (const { codec, payloadType } of streams) {
      for (const { source, got } of fromFirstKeyframe(call.passages, codec, payloadType)) {
        const arrived = RtpPacket.deSerialize(Buffer.from(got[0]!.bytes));
        expect(comparable(codec, arrived.payload)).toEqual(comparable(codec, source.payload));
        expect(arrived.header.marker).toBe(source.header.marker);
        expect(arrived.header.padding).toBe(false);
      }
    }
  });

  it("has the payload type that the subscriber has for the codec, and the mid of the slot", () => {
    const mids = { [OPUS.payloadType]: "0", [video.payloadType]: "1" };
    for (const { codec, payloadType } of streams) {
      for (const { got } of fromFirstKeyframe(call.passages, codec, payloadType)) {
        expect(got[0]!.payloadType).toBe(payloadType);
        const mid = extension(got[0]!.bytes, CAPTURE_EXTENSION_IDS[HEADER_EXTENSION.MID]!);
        expect(String.fromCharCode(...mid!)).toBe(mids[payloadType]);
      }
    }
  });

  it("gives werift the same frames as the packets that were sent", () => {
    for (const { codec, payloadType, name: werift } of streams) {
      const passages = fromFirstKeyframe(call.passages, codec, payloadType);
      const sent = framesOf(
        werift,
        passages.map(({ source }) => source),
      );
      const arrived = framesOf(
        werift,
        passages.map(({ got }) => RtpPacket.deSerialize(Buffer.from(got[0]!.bytes))),
      );
      expect(arrived.length).toBeGreaterThan(200);
      expect(arrived.filter((frame) => frame.length > 0).length).toBeGreaterThan(200);
      expect(arrived).toEqual(sent);
    }
  });

  it("carries the dependency descriptor to who has offered it, its frame numbers counted on without a step", () => {
    const passages = fromFirstKeyframe(described.passages, video.codec, video.payloadType);
    let offset: number | undefined;
    let count = 0;
    for (const { bytes, source, got } of passages) {
      if (source.payload.length === 0) continue;
      const sent = extension(bytes, CAPTURE_EXTENSION_IDS[HEADER_EXTENSION.DEPENDENCY_DESCRIPTOR]!)!;
      const arrived = extension(got[0]!.bytes, DESCRIPTOR_ID)!;
      const step = (descriptorFrameNumber(arrived, 0) - descriptorFrameNumber(sent, 0)) & 0xffff;
      offset ??= step;
      expect(step).toBe(offset);
      expect([arrived[0], ...arrived.slice(3)]).toEqual([sent[0], ...sent.slice(3)]);
      count++;
    }
    expect(count).toBeGreaterThan(200);
  });

  it("gives no header extension to a subscriber under an id that it does not know", () => {
    const known = new Set(
      [...call.bob.answer.media].flatMap(({ attributes }) =>
        attributes.filter((attribute) => attribute.name === "extmap").map(({ value }) => Number.parseInt(value!, 10)),
      ),
    );
    const scan = createExtensionScan();
    const seen = new Set<number>();
    for (const { bytes } of call.bob.rtp) {
      headerExtensionsScan(scan, bytes, 0, bytes.length);
      for (let i = 0; i < scan.count; i++) seen.add(scan.ids[i]!);
    }
    expect([...seen].filter((id) => !known.has(id))).toEqual([]);
  });
});

describe("VP9 of Chromium", () => {
  it("has picture ids that go on by one, or stay within a picture", () => {
    const { passages } = callOf("vp9-svc", OFFER("subscribe"));
    const got = fromFirstKeyframe(passages, CODEC.VP9, 98).map((passage) => passage.got[0]!);
    const pictures = got.filter(({ payload }) => payload.length > 0);
    for (let i = 1; i < pictures.length; i++) {
      const sameTime = pictures[i]!.timestamp === pictures[i - 1]!.timestamp;
      const step = (vp9PictureId(pictures[i]!.payload, 0) - vp9PictureId(pictures[i - 1]!.payload, 0)) & 0x7fff;
      expect(step).toBe(sameTime ? 0 : 1);
    }
  });
});

describe("Chromium's simulcast", () => {
  it("introduces its SSRCs by mid and rid", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: OFFER("publish") });
    join(world, { name: "bob", offer: OFFER("subscribe") });
    expect(attributeOf(ana.answer, "simulcast")).toBe("recv q;h;f");
    const first = readCapture("vp8-simulcast").find(({ bytes }) => (bytes[1]! & 0x7f) === 96)!;
    sendRtp(world, ana, first.bytes);
    const ssrc = new DataView(first.bytes.buffer, first.bytes.byteOffset).getUint32(8);
    const streams = [...world.shard.streams.values()].filter(({ rid }) => rid !== "");
    expect(streams.map(({ rid, ssrc: its }) => [rid, its])).toEqual([["q", ssrc]]);
    expect(sealRtp(world, ana, first.bytes).length).toBeGreaterThan(first.bytes.length);
  });
});
