/** The parts of the simulated client that could hide a mistake: frames, payloads, ciphers, missing packets, the screen. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MICROS_ORIGIN, micros } from "../../../core/index.ts";
import { createNodeCrypto } from "../../../io-crypto/index.ts";
import { createStream } from "../../../io-sim/base/random.ts";
import { createLayerEncoder, encodeFrame } from "../../../io-sim/client/camera.ts";
import { createProviderCipher } from "../../../io-sim/client/checksum-cipher.ts";
import { readBody, readPieces, writeBody } from "../../../io-sim/client/frame-body.ts";
import {
  createInStream,
  inStreamNacks,
  inStreamRepair,
  inStreamReport,
  inStreamTake,
  unwrap,
} from "../../../io-sim/client/in-stream.ts";
import { createWeriftCipher, type MediaKeys } from "../../../io-sim/client/media-cipher.ts";
import { packetise, readPayload, type VideoCodec } from "../../../io-sim/client/payload.ts";
import type { Payload, ReadRtp } from "../../../io-sim/client/plain-rtp.ts";
import {
  createVideoPlayer,
  type OnFrame,
  type VideoPlayer,
  videoPlayerTake,
  videoPlayerTick,
} from "../../../io-sim/client/video-player.ts";

const CODECS: readonly VideoCodec[] = ["VP8", "VP9", "H264"];

/** All of these bytes as a payload. */
function whole(bytes: Uint8Array): Payload {
  return { bytes, words: undefined, at: 0, end: bytes.length };
}

/** A part of a body that begins so many bytes behind a word of the machine, in memory full of other things. */
function laidOut(part: Uint8Array, start: number, inWords: boolean) {
  const bytes = new Uint8Array(4 * Math.ceil((start + part.length) / 4) + 8).fill(0xee);
  bytes.set(part, start);
  const words = inWords ? new Int32Array(bytes.buffer) : undefined;
  return { bytes, words, bodyAt: start, end: start + part.length };
}

/** What was read of a packet, with its payload as a text. */
function withText({ bytes, words: _, at, end, ...header }: ReadRtp) {
  return { ...header, text: Buffer.from(bytes.subarray(at, end)).toString() };
}

describe("a frame's body", () => {
  it("comes back as it was written, and a changed bit is noticed", () => {
    const passport = { source: 7, layer: 2, keyframe: true, frame: 123_456, reference: 0xffff_ffff };
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 3_000 }), fc.nat(), (length, bit) => {
        const body = writeBody(passport, length);
        expect(readBody(body)).toEqual(passport);
        const at = bit % (8 * length);
        body[at >> 3] = body[at >> 3]! ^ (1 << (at & 7));
        expect(readBody(body)).toBeUndefined();
      }),
      { numRuns: 200, seed: 3 },
    );
  });

  it("is read in pieces as it is in one, however it is cut, and whether or not its words are at hand", () => {
    const passport = { source: 7, layer: 2, keyframe: false, frame: 123_456, reference: 123_455 };
    const cuts = fc.array(fc.nat(), { maxLength: 6 });
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 200 }), cuts, fc.nat(), fc.boolean(), (length, places, bit, inWords) => {
        const body = writeBody(passport, length);
        const ends = [...places.map((place) => place % (length + 1)), length].sort((a, b) => a - b);
        const pieces = ends.map((end, i) => laidOut(body.subarray(ends[i - 1] ?? 0, end), i + places.length, inWords));
        expect(readPieces(pieces)).toEqual(passport);
        const at = bit % (8 * length);
        const cut = ends.findIndex((end) => at >> 3 < end);
        const { bytes, bodyAt } = pieces[cut]!;
        const place = bodyAt + (at >> 3) - (ends[cut - 1] ?? 0);
        bytes[place] = bytes[place]! ^ (1 << (at & 7));
        expect(readPieces(pieces)).toBeUndefined();
        bytes[place] = bytes[place]! ^ (1 << (at & 7));
        expect(readPieces(pieces.slice(0, -1).concat(laidOut(new Uint8Array(0), 3, inWords)))).toEqual(
          readBody(body.subarray(0, ends.at(-2) ?? 0)),
        );
      }),
      { numRuns: 500, seed: 3 },
    );
  });

  it("is no longer one when two of its pieces have changed places", () => {
    const body = writeBody({ source: 7, layer: 2, keyframe: true, frame: 5, reference: 0xffff_ffff }, 1_000);
    const pieces = [0, 400, 700].map((start, i) => laidOut(body.subarray(start, [400, 700, 1_000][i]), 0, true));
    expect(readPieces([pieces[0]!, pieces[2]!, pieces[1]!])).toBeUndefined();
  });
});

describe("payloads", () => {
  it.each(CODECS)("of %s carry the body and say where a frame begins and what it is", (codec) => {
    for (const keyframe of [true, false]) {
      for (const length of [20, 900, 1_101, 5_000]) {
        const header = {
          keyframe,
          width: 640,
          height: 360,
          pictureId: 0x7ffe,
          tl0: 255,
          temporalLayer: 0,
          layerSync: true,
        };
        const body = writeBody({ source: 1, layer: 0, keyframe, frame: 1, reference: 0 }, length);
        const views = packetise(codec, header, body).map((payload) => readPayload(codec, whole(payload))!);
        expect(views.map(({ begins }) => begins)).toEqual(views.map((_, index) => index === 0));
        expect(views[0]!.keyframe).toBe(keyframe);
        expect(Buffer.concat(views.map(({ bytes, bodyAt, end }) => bytes.subarray(bodyAt, end)))).toEqual(
          Buffer.from(body),
        );
        if (codec !== "H264" && keyframe) expect([views[0]!.width, views[0]!.height]).toEqual([640, 360]);
        if (codec !== "H264") expect(views.every((view) => view.pictureId === 0x7ffe)).toBe(true);
      }
    }
  });

  it("are at most as long as a packet may be", () => {
    for (const codec of CODECS) {
      const header = {
        keyframe: true,
        width: 1_280,
        height: 720,
        pictureId: 1,
        tl0: 1,
        temporalLayer: 0,
        layerSync: true,
      };
      for (const payload of packetise(codec, header, new Uint8Array(20_000)))
        expect(payload.length).toBeLessThan(1_150);
    }
  });
});

describe("the two SRTP implementations of the client", () => {
  const keys = (key: number, salt: number) => ({
    profile: 7,
    localKey: new Uint8Array(16).fill(key),
    localSalt: new Uint8Array(12).fill(salt),
    remoteKey: new Uint8Array(16).fill(key + 1),
    remoteSalt: new Uint8Array(12).fill(salt + 1),
  });
  const mirrored = (all: MediaKeys) => ({
    profile: all.profile,
    localKey: all.remoteKey,
    localSalt: all.remoteSalt,
    remoteKey: all.localKey,
    remoteSalt: all.localSalt,
  });
  /** The same keys for AES-CM with HMAC-SHA1, whose salts are two bytes longer. */
  const asCounterMode = (all: MediaKeys) => ({
    ...all,
    profile: 1,
    localSalt: new Uint8Array(14).fill(all.localSalt[0]!),
    remoteSalt: new Uint8Array(14).fill(all.remoteSalt[0]!),
  });

  it("open and read a packet at once as one after the other, padding and all", () => {
    const [ours, theirs] = [keys(1, 9), mirrored(keys(1, 9))];
    const [sender, receiver] = [createWeriftCipher(ours), createProviderCipher(createNodeCrypto(), 0, theirs)];
    const numbers = { payloadType: 96, marker: true, timestamp: 7, ssrc: 0xdec0_de5d, extensions: [] };
    for (const [sequence, end] of [0, 1, 2, 5].entries()) {
      const payload = Buffer.from([1, 2, 3, 4, end]);
      const sealed = sender.sealRtp({ ...numbers, sequence, payload, padded: end > 0 });
      expect(withText(receiver.takeRtp(sealed)!)).toEqual(withText(receiver.readRtp(receiver.openRtp(sealed)!)));
      sealed[sealed.length - 1] = sealed.at(-1)! ^ 1;
      expect([receiver.takeRtp(sealed), receiver.takeRtp(sealed.subarray(0, 20))]).toEqual([undefined, undefined]);
    }
  });

  it("open what the other seals, across the wrap of the sequence number", () => {
    const werift = createWeriftCipher(keys(1, 9));
    const provider = createProviderCipher(createNodeCrypto(), 0, mirrored(keys(1, 9)));
    for (let i = 0; i < 300; i++) {
      const packet = {
        payloadType: 96,
        marker: i % 2 === 0,
        sequence: (65_400 + i) & 0xffff,
        timestamp: i,
        ssrc: 0xdecafbad,
        extensions: [
          { id: 4, payload: Buffer.from("mid") },
          { id: 10, payload: Buffer.from("q").subarray(0, 1) },
        ].slice(0, i % 3),
        payload: Buffer.from(`payload ${i}`),
      };
      const [there, back] = [provider.openRtp(werift.sealRtp(packet)), werift.openRtp(provider.sealRtp(packet))];
      for (const plain of [there!, back!]) {
        const [one, other] = [provider.readRtp(plain), werift.readRtp(plain)];
        expect(withText(other)).toEqual(withText(one));
        expect(withText(other).text).toBe(`payload ${i}`);
      }
    }
  });

  it("seal what is from before the first packet, and nobody opens it", () => {
    const werift = createWeriftCipher(keys(1, 9));
    const provider = createProviderCipher(createNodeCrypto(), 0, mirrored(keys(1, 9)));
    const rest = {
      payloadType: 96,
      marker: false,
      timestamp: 0,
      ssrc: 7,
      extensions: [],
      payload: Buffer.from("text"),
    };
    for (const [sequence, isOpened] of [
      [5, true],
      [65_000, false],
      [65_535, false],
      [6, true],
    ] as const) {
      const packet = { ...rest, sequence };
      expect(provider.openRtp(werift.sealRtp(packet)) !== undefined).toBe(isOpened);
      expect(werift.openRtp(provider.sealRtp(packet)) !== undefined).toBe(isOpened);
    }
  });

  it("agree on RTCP, and refuse what was changed", () => {
    const werift = createWeriftCipher(keys(3, 5));
    const provider = createProviderCipher(createNodeCrypto(), 0, mirrored(keys(3, 5)));
    // RR without a block: V=2, PT 201, one word, the sender's SSRC.
    const report = Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0, 7);
    const sealed = werift.sealRtcp(report);
    expect([...provider.openRtcp(sealed)!]).toEqual([...report]);
    expect([...werift.openRtcp(provider.sealRtcp(report))!]).toEqual([...report]);
    sealed[9] = sealed[9]! ^ 1;
    expect(provider.openRtcp(sealed)).toBeUndefined();
  });

  it.each([
    ["the fast one", keys(3, 5), (all: MediaKeys) => createProviderCipher(createNodeCrypto(), 0, all)],
    ["the real one with AES-GCM", keys(3, 5), createWeriftCipher],
    ["the real one with AES-CM", asCounterMode(keys(3, 5)), createWeriftCipher],
  ])("take RTCP once, late too, and not when it is too old to tell: %s", (_, receiver, create) => {
    const sealing = createWeriftCipher(mirrored(receiver));
    const opening = create(receiver);
    const sealed = Array.from({ length: 200 }, () => sealing.sealRtcp(Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0, 7)));
    const takes = (at: number) => opening.openRtcp(sealed[at]!) !== undefined;
    expect([10, 10, 9, 9, 12, 11, 10].map(takes)).toEqual([true, false, true, false, true, true, false]);
    expect([199, 100, 100, 71, 13, 12].map(takes)).toEqual([true, true, false, false, false, false]);
  });
});

describe("a stream coming in", () => {
  it("asks for what is missing, a few times, around every wrap", () => {
    for (const start of [0, 1, 32_767, 32_768, 65_533, 65_535]) {
      const stream = createInStream(1, 90_000);
      for (const step of [0, 1, 4]) inStreamTake(stream, micros(0), unwrap(stream, (start + step) & 0xffff), 0);
      const lost = [(start + 2) & 0xffff, (start + 3) & 0xffff];
      expect(inStreamNacks(stream, micros(1))).toEqual(lost);
      expect(inStreamNacks(stream, micros(2))).toEqual([]);
      expect(inStreamRepair(stream, unwrap(stream, lost[0]!))).toBe(true);
      expect(inStreamRepair(stream, unwrap(stream, lost[0]!))).toBe(false);
      expect(inStreamNacks(stream, micros(200_000))).toEqual([lost[1]]);
    }
  });

  it("reports its losses as RFC 3550 counts them", () => {
    const stream = createInStream(5, 48_000);
    for (const sequence of [100, 101, 103, 104, 103]) inStreamTake(stream, micros(0), unwrap(stream, sequence), 0);
    expect(inStreamReport(stream, micros(0))).toMatchObject({ packetsLost: 1, fractionLost: 51, highestSequence: 104 });
    expect(inStreamReport(stream, micros(0))).toMatchObject({ packetsLost: 1, fractionLost: 0 });
  });
});

describe("a screen", () => {
  interface Sent {
    readonly index: number;
    readonly timestamp: number;
    readonly marker: boolean;
    readonly payload: Uint8Array;
  }

  /** Packets of so many frames of a camera; `keyframes` lists further frames that are keyframes. */
  function film(frames: number, keyframes: readonly number[] = []): Sent[] {
    const plan = { rid: "", width: 640, height: 360, rateBps: 400_000 };
    const encoder = createLayerEncoder(1, 0, "VP8", plan, 20, createStream(1, "test", "camera"), true);
    const sent: Sent[] = [];
    for (let frame = 0; frame < frames; frame++) {
      if (keyframes.includes(frame)) encoder.keyframeWanted = true;
      const payloads = encodeFrame(encoder);
      payloads.forEach((payload, part) => {
        const marker = part === payloads.length - 1;
        sent.push({ index: 70_000 + sent.length, timestamp: frame * 4_500, marker, payload });
      });
    }
    return sent;
  }

  function show(player: VideoPlayer, packets: readonly Sent[]): void {
    for (const { index, timestamp, marker, payload } of packets) {
      const packet = { timestamp, marker, ...whole(payload) };
      videoPlayerTake(player, MICROS_ORIGIN, MICROS_ORIGIN, index, "VP8", packet, () => {});
    }
  }

  it("shows every frame, in any order of the packets after the first", () => {
    const packets = film(40);
    const player = createVideoPlayer();
    show(player, [packets[0]!, ...packets.slice(1).reverse()]);
    expect([player.framesShown, player.framesSkipped, player.pictureIdJumps]).toEqual([40, 0, 0]);
  });

  it("waits for a missing packet, then takes a later keyframe, and blames nobody", () => {
    const packets = film(40, [20]);
    const player = createVideoPlayer();
    show(
      player,
      packets.filter((_, position) => position !== 12),
    );
    expect(player.framesShown).toBeLessThan(12);
    expect(videoPlayerTick(player, micros(MICROS_ORIGIN + 50_000), () => {})).toBe(false);
    expect(videoPlayerTick(player, micros(MICROS_ORIGIN + 150_000), () => {})).toBe(false);
    expect(player.framesShown).toBeGreaterThan(20);
    expect([player.torn, player.unreferenced, player.garbled, player.pictureIdJumps]).toEqual([0, 0, 0, 0]);
  });

  it("says of a frame that has waited when the last packet of its own was sent", () => {
    const packets = film(40, [20]);
    const player = createVideoPlayer();
    const sentAfter = new Map<number, number>();
    const note: OnFrame = ({ frame }, sentAt) => sentAfter.set(frame, sentAt - MICROS_ORIGIN);
    packets.forEach(({ index, timestamp, marker, payload }, position) => {
      const sentAt = micros(MICROS_ORIGIN + 1_000 * position);
      const packet = { timestamp, marker, ...whole(payload) };
      if (position !== 12) videoPlayerTake(player, micros(sentAt + 50), sentAt, index, "VP8", packet, note);
    });
    videoPlayerTick(player, micros(MICROS_ORIGIN + 900_000), note);
    const last = packets.findIndex(({ timestamp, marker }) => timestamp === 20 * 4_500 && marker);
    expect(sentAfter.get(20)).toBe(1_000 * last);
  });

  it("asks for a keyframe when there is none to take", () => {
    const packets = film(20);
    const player = createVideoPlayer();
    show(
      player,
      packets.filter((_, position) => position !== 8),
    );
    expect(videoPlayerTick(player, micros(MICROS_ORIGIN + 400_000), () => {})).toBe(true);
    expect(videoPlayerTick(player, micros(MICROS_ORIGIN + 500_000), () => {})).toBe(false);
  });

  it("asks for a keyframe when frames come whole but refer to what never came", () => {
    const packets = film(60);
    const player = createVideoPlayer();
    show(
      player,
      packets.filter(({ timestamp }) => timestamp < 20 * 4_500 || timestamp >= 24 * 4_500),
    );
    expect(videoPlayerTick(player, micros(MICROS_ORIGIN + 650_000), () => {})).toBe(false);
    expect([player.blockedSince, player.waiting]).toEqual([0, 0]);
    expect(videoPlayerTick(player, micros(MICROS_ORIGIN + 960_000), () => {})).toBe(true);
    expect(videoPlayerTick(player, micros(MICROS_ORIGIN + 1_060_000), () => {})).toBe(false);
  });

  it("complains when a reference is missing without a gap in the numbers", () => {
    const packets = film(20);
    const first = packets.findIndex(({ timestamp }) => timestamp === 4 * 4_500);
    const next = packets.findIndex(({ timestamp }) => timestamp === 5 * 4_500);
    // The frame of temporal layer 0 is taken out and the gap is closed, as a forwarder with a mistake would.
    const closed = packets
      .filter((_, position) => position < first || position >= next)
      .map((packet, position) => ({ ...packet, index: 70_000 + position }));
    const player = createVideoPlayer();
    show(player, closed);
    expect(player.unreferenced).toBeGreaterThan(0);
  });

  it("complains of a torn frame, a picture id that jumps and a garbled body", () => {
    const packets = film(20);
    const marker = packets.findIndex((packet) => packet.marker);
    const torn = packets.filter((_, position) => position !== marker);
    const tornPlayer = createVideoPlayer();
    show(
      tornPlayer,
      torn.map((packet, position) => ({ ...packet, index: 70_000 + position })),
    );
    expect(tornPlayer.torn).toBe(1);

    const jumping = packets.map((packet) => {
      const payload = packet.payload.slice();
      if (packet.timestamp >= 9_000) payload[3] = payload[3]! ^ 0x40;
      return { ...packet, payload };
    });
    const jumpingPlayer = createVideoPlayer();
    show(jumpingPlayer, jumping);
    expect(jumpingPlayer.pictureIdJumps).toBe(1);

    const garbled = packets.map((packet, position) => {
      const payload = packet.payload.slice();
      if (position === marker) payload[payload.length - 1] = payload[payload.length - 1]! ^ 1;
      return { ...packet, payload };
    });
    const garbledPlayer = createVideoPlayer();
    show(garbledPlayer, garbled);
    expect(garbledPlayer.garbled).toBe(1);
  });
});
