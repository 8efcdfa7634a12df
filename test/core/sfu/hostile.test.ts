/**
 * What nobody should send: noise and damaged copies of real datagrams, from strangers and from a participant's own address;
 * and participants with good keys and bad intentions. Nothing throws, nothing grows, and the call of the others goes on
 * byte for byte as in a world where nobody did anything of the kind.
 */

import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { readU16, readU32 } from "../../../core/base/bytes.ts";
import { utf8Encode } from "../../../core/base/text.ts";
import { LIMITS, millis, shardResidue } from "../../../core/index.ts";
import { USUAL_TUNABLES } from "../../../core/tunables.ts";
import { writeReceiverReport } from "../../../core/wire/rtcp-reports.ts";
import { stunWriteBindingRequest } from "../../../core/wire/stun.ts";
import {
  attributeOf,
  checkOf,
  connect,
  createShardWorld,
  datagram,
  join,
  pass,
  passMillis,
  type ShardWorld,
  sealRtcp,
  sealRtp,
  sendRtcp,
  sendRtp,
  type TestClient,
} from "../../support/shards/shard-world.ts";
import { hostileBytes } from "../../support/wire/hostile.ts";
import { opusPacket, rtpPacket, vp8Packet } from "../../support/wire/media.ts";
import { EXTENSION_ID, offerOf, PAYLOAD_TYPE, PUBLISH } from "../../support/wire/offers.ts";

const SUBSCRIBE = offerOf([
  { kind: "audio" },
  { kind: "video" },
  { kind: "audio" },
  { kind: "video" },
  { kind: "video" },
]);
const STRANGER = 50_000;
/** The last attribute of a check. */
const FINGERPRINT_BYTES = 8;

/** A call from ana to bob, and every datagram that the shard has heard of it so far. */
interface Call {
  readonly world: ShardWorld;
  readonly ana: TestClient;
  readonly bob: TestClient;
  readonly heard: readonly Uint8Array[];
}

function startCall(): Call {
  const world = createShardWorld();
  world.heard = [];
  const ana = join(world, { name: "ana", offer: PUBLISH });
  const bob = join(world, { name: "bob", offer: SUBSCRIBE });
  speak({ world, ana, bob }, 0, 10);
  sendRtcp(world, bob, receiverReport());
  const { heard } = world;
  world.heard = null;
  return { world, ana, bob, heard };
}

/** Rounds of media of ana, each followed by 20 ms. */
function speak({ world, ana }: Omit<Call, "heard">, from: number, rounds: number): void {
  for (let i = from; i < from + rounds; i++) {
    sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 100 + i, keyframe: i % 10 === 0, body: [i & 0xff] }));
    sendRtp(world, ana, opusPacket({ ssrc: 1000, sequence: i, level: 30 }));
    passMillis(world, 20);
  }
}

function receiverReport(): Uint8Array {
  const bytes = new Uint8Array(8);
  writeReceiverReport(bytes, 0, 77);
  return bytes;
}

/** What the shard holds, without counters. */
function residue(world: ShardWorld): Uint8Array {
  for (const { peer } of world.shard.participants.values()) peer.dtls.droppedRecords = 0;
  return shardResidue(world.shard);
}

/** That the shard holds exactly what it held: compared as bytes, because a matcher takes seconds for as many. */
function expectUnchanged(world: ShardWorld, before: Uint8Array): void {
  expect(Buffer.compare(residue(world), before), "what the shard holds has changed").toBe(0);
}

/** Feeds a datagram and answers what was sent because of it, before anybody has received it. */
function answersTo(world: ShardWorld, flow: number, bytes: Uint8Array): { flow: number; bytes: Uint8Array }[] {
  const answers: { flow: number; bytes: Uint8Array }[] = [];
  const { outbox } = world.ports;
  const transmit = outbox.transmit;
  outbox.transmit = (to, offset, length) => {
    answers.push({ flow: to, bytes: outbox.sendBytes.slice(offset, offset + length) });
    transmit(to, offset, length);
  };
  try {
    datagram(world, flow, bytes);
  } finally {
    outbox.transmit = transmit;
  }
  return answers;
}

/**
 * Noise, and damaged copies of what the shard has really heard; never one of those themselves. A check whose damage lies
 * behind its integrity, in the fingerprint, still proves that its sender knows the password, so it is not among them.
 */
function damagedOf(heard: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const proof = (bytes: Uint8Array) =>
    (bytes[0]! < 4 ? bytes.subarray(0, bytes.length - FINGERPRINT_BYTES) : bytes).join();
  const known = new Set(heard.map(proof));
  return hostileBytes(...heard).filter((bytes) => bytes.length > 0 && !known.has(proof(bytes)));
}

/** That a call goes on as in a world where `attack` never happened. */
function expectUndisturbed(attack: (call: Call) => void): void {
  const quiet = startCall();
  const attacked = startCall();
  attack(attacked);
  for (const call of [quiet, attacked]) speak(call, 10, 30);
  expect(attacked.bob.rtp.length).toBeGreaterThan(60);
  expect(attacked.bob.datagrams).toEqual(quiet.bob.datagrams);
  expect(attacked.ana.datagrams).toEqual(quiet.ana.datagrams);
}

describe("a stranger", () => {
  it("changes nothing in the shard, and gets back at most three times what it sent", () => {
    expectUndisturbed((call) => {
      const { world, heard } = call;
      const before = residue(world);
      let flow = STRANGER;
      fc.assert(
        fc.property(damagedOf(heard), (bytes) => {
          const released = world.released.length;
          const answers = answersTo(world, ++flow, bytes);
          expect(answers.filter((answer) => answer.flow !== flow)).toEqual([]);
          const sent = answers.reduce((sum, answer) => sum + answer.bytes.length, 0);
          expect(sent).toBeLessThanOrEqual(3 * bytes.length);
          expect(world.released.slice(released)).toEqual([flow]);
          expectUnchanged(world, before);
        }),
        { seed: 1, numRuns: 2_000, endOnFailure: true },
      );
    });
  });

  it("changes nothing with a true datagram of somebody else but a check, which proves that he is there", () => {
    expectUndisturbed(({ world, heard }) => {
      const before = residue(world);
      const others = heard.filter((bytes) => bytes[0]! > 3);
      expect(others.length).toBeGreaterThan(20);
      for (const [index, bytes] of others.entries()) {
        expect(answersTo(world, STRANGER + index, bytes)).toEqual([]);
        expectUnchanged(world, before);
      }
    });
  });

  it("gets an error no longer than three times its check when it knows a name but not the password", () => {
    const { world, ana } = startCall();
    const before = residue(world);
    for (const useCandidate of [false, true]) {
      const bytes = new Uint8Array(512);
      const length = stunWriteBindingRequest(world.crypto, bytes, 0, {
        transactionId: new Uint8Array(12),
        username: `${attributeOf(ana.answer, "ice-ufrag")}:`,
        key: utf8Encode("no password of anybody"),
        priority: 1,
        controlling: true,
        tieBreakerHigh: 1,
        tieBreakerLow: 2,
        useCandidate,
      });
      const answers = answersTo(world, STRANGER, bytes.slice(0, length));
      expect(answers.map((answer) => answer.flow)).toEqual([STRANGER]);
      expect(answers[0]!.bytes.length).toBeLessThanOrEqual(3 * length);
    }
    expectUnchanged(world, before);
    expect(world.shard.history.counters.stunRefused).toBe(2);
  });
});

describe("noise from a participant's own address", () => {
  it("changes nothing before it has been authenticated, and the call goes on", () => {
    expectUndisturbed(({ world, ana, bob, heard }) => {
      const before = residue(world);
      fc.assert(
        fc.property(damagedOf(heard), fc.constantFrom(ana, bob), (bytes, client) => {
          const answers = answersTo(world, client.flow, bytes);
          // An error to a damaged check, that is, which the client's own agent takes for what it is.
          expect(answers.every((answer) => answer.flow === client.flow && answer.bytes[0]! < 4)).toBe(true);
          client.datagrams.splice(client.datagrams.length - answers.length);
          expectUnchanged(world, before);
        }),
        { seed: 2, numRuns: 2_000, endOnFailure: true },
      );
    });
  });

  it("changes nothing when it repeats what was sent before", () => {
    expectUndisturbed(({ world, ana, heard }) => {
      const before = residue(world);
      for (const bytes of heard.filter((each) => each[0]! > 3)) {
        const answers = answersTo(world, ana.flow, bytes);
        ana.datagrams.splice(ana.datagrams.length - answers.length);
        expectUnchanged(world, before);
      }
    });
  });

  it("does not keep anybody from connecting when it comes before each datagram of the handshake", () => {
    const { heard } = startCall();
    fc.assert(
      fc.property(fc.array(damagedOf(heard), { minLength: 3, maxLength: 8 }), (noise) => {
        const world = createShardWorld();
        const eve = join(world, { name: "eve", offer: PUBLISH, connect: false });
        for (const bytes of noise) datagram(world, eve.flow, bytes);
        datagram(world, eve.flow, checkOf(world, eve, eve.flow));
        for (const bytes of noise) datagram(world, eve.flow, bytes);
        connect(world, eve);
        expect(world.shard.participants.get(eve.participant)!.connected).toBe(true);
      }),
      { seed: 3, numRuns: 40, endOnFailure: true },
    );
  });
});

/** Something that a participant with good keys does to the others. */
type Deed =
  | { readonly what: "rtp"; readonly packet: Uint8Array }
  | { readonly what: "rtcp"; readonly packet: Uint8Array }
  | { readonly what: "wait"; readonly millis: number };

const ssrc = fc.oneof(fc.constantFrom(3000, 3001, 3002, 3003, 0, 1000, 2000, 0xffff_ffff), fc.nat(0xffff_ffff));
const name = fc.constantFrom("0", "1", "2", "q", "f", "x", "", "a name that is far too long for anything at all");
const payloadType = fc.oneof(
  fc.constantFrom(PAYLOAD_TYPE.opus, PAYLOAD_TYPE.VP8, PAYLOAD_TYPE.VP8 + 1, PAYLOAD_TYPE.VP9, PAYLOAD_TYPE.AV1),
  fc.nat(127),
);
/** Cut payload descriptors, RTX without an original, padding alone, and whatever. */
const payload = fc.oneof(
  fc.array(fc.nat(255), { maxLength: 24 }),
  fc.constantFrom(
    [],
    [0x80],
    [0x80, 0x80],
    [0x90, 0xff, 0x80],
    [0x9f, 0xff],
    [0x10],
    [0, 0, 0, 4],
    [0, 100],
    [0, 100, 1],
  ),
  fc.nat(0xffff).map((original) => [original >> 8, original & 0xff, 0x10, 0x00, 0x9d, 0x01, 0x2a, 1, 2, 3, 4]),
);
const media: fc.Arbitrary<Deed> = fc
  .record({
    ssrc,
    payloadType,
    payload,
    sequence: fc.oneof(fc.nat(300), fc.nat(0xffff)),
    timestamp: fc.nat(0xffff_ffff),
    mid: fc.option(fc.constantFrom("0", "1", "2"), { nil: undefined }),
    rid: fc.option(fc.constantFrom("q", "h", "x"), { nil: undefined }),
    long: fc.option(name, { nil: undefined }),
    transportSequence: fc.option(fc.nat(0xffff), { nil: undefined }),
    padding: fc.boolean(),
  })
  .map(({ mid, rid, long, transportSequence, padding, ...rest }) => {
    const packet = rtpPacket({
      ...rest,
      ...(mid === undefined ? {} : { mid }),
      ...(rid === undefined ? {} : { rid }),
      ...(transportSequence === undefined ? {} : { transportSequence }),
      extensions:
        long === undefined || long === "" ? [] : [[EXTENSION_ID.repairedRid, [...long.slice(0, 16)].map(code)]],
    });
    if (padding) packet[0]! |= 0x20;
    return { what: "rtp", packet } as const;
  });

function code(character: string): number {
  return character.charCodeAt(0);
}

/** RTCP of every type and format with any numbers in it: reports that lie, absurd times, NACKs and PLIs for anybody. */
function control(targets: readonly number[]): fc.Arbitrary<Deed> {
  const word = fc.oneof(fc.constantFrom(...targets, 3000, 3002, 0, 0xffff_ffff), fc.nat(0xffff_ffff));
  return fc
    .record({
      type: fc.constantFrom(200, 201, 202, 203, 204, 205, 206, 207),
      format: fc.constantFrom(0, 1, 2, 4, 15, 31),
      words: fc.array(word, { minLength: 1, maxLength: 80 }),
    })
    .map(({ type, format, words }) => {
      const bytes = [0x80 | format, type, words.length >> 8, words.length & 0xff];
      for (const each of words) bytes.push(each >>> 24, (each >>> 16) & 255, (each >>> 8) & 255, each & 255);
      return { what: "rtcp", packet: Uint8Array.from(bytes) } as const;
    });
}

const wait: fc.Arbitrary<Deed> = fc.nat(40).map((count) => ({ what: "wait", millis: count }) as const);

const EVIL = offerOf([
  { kind: "audio", ssrc: 3000 },
  { kind: "video", ssrc: 3002, rtxSsrc: 3003 },
  { kind: "video", rids: ["q", "h", "f"] },
  { kind: "audio" },
  { kind: "video", withoutRtx: true },
]);

/** A room of ana who speaks, bob who listens, and eve; time passes alike whatever eve does. */
function room() {
  const world = createShardWorld();
  const ana = join(world, { name: "ana", offer: PUBLISH });
  const bob = join(world, { name: "bob", offer: SUBSCRIBE });
  const eve = join(world, { name: "eve", offer: EVIL });
  return { world, ana, bob, eve };
}

function expectBounds(world: ShardWorld, eve: TestClient): void {
  const participant = world.shard.participants.get(eve.participant)!;
  expect(participant.inbound.size).toBeLessThanOrEqual(LIMITS.srtpStreamsPerPeerMax);
  for (const { streams } of participant.publications) {
    expect(streams.length).toBeLessThanOrEqual(LIMITS.streamsPerPublicationMax);
  }
  expect(participant.peer.srtp!.rtpStreams.count).toBeLessThanOrEqual(LIMITS.srtpStreamsPerPeerMax);
  expect(participant.peer.srtp!.rtcpStreams.count).toBeLessThanOrEqual(LIMITS.srtpStreamsPerPeerMax);
  expect(world.shard.streams.size).toBeLessThanOrEqual(2 + 3 * LIMITS.streamsPerPublicationMax);
  expect(world.shard.mail.letters).toHaveLength(0);
}

/** What came to bob from ana: her slots are the first of each kind. */
function heardFromAna(bob: TestClient, ssrcs: readonly number[]) {
  return bob.rtp.filter((packet) => ssrcs.includes(packet.ssrc)).map(({ bytes }) => bytes);
}

/** Numbers that were sent to a client with more than one content. */
function reusedNonces(client: TestClient): string[] {
  const contents = new Map<string, string>();
  const reused: string[] = [];
  for (const bytes of client.datagrams) {
    if (bytes[0]! >> 6 !== 2 || (bytes[1]! >= 192 && bytes[1]! <= 223)) continue;
    const key = `${readU32(bytes, 8)}/${readU16(bytes, 2)}`;
    const content = bytes.join();
    if ((contents.get(key) ?? content) !== content) reused.push(key);
    contents.set(key, content);
  }
  return reused;
}

describe("a participant with good keys", () => {
  let anaSlots: number[];
  let quiet: Uint8Array[];

  /** Sixty rounds of ana's media, `during` before each. */
  function play({ world, ana, bob, eve }: ReturnType<typeof room>, during: (round: number) => void): Uint8Array[] {
    for (let round = 0; round < 60; round++) {
      during(round);
      sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 500 + round, keyframe: round % 20 === 0, body: [round] }));
      sendRtp(world, ana, opusPacket({ ssrc: 1000, sequence: round, level: 30 }));
      passMillis(world, 20);
    }
    expectBounds(world, eve);
    expect([reusedNonces(bob), reusedNonces(eve)]).toEqual([[], []]);
    return heardFromAna(bob, anaSlots);
  }

  beforeAll(() => {
    const { bob } = room();
    anaSlots = bob.answer.media
      .slice(0, 2)
      .map(({ attributes }) => attributes.find((each) => each.name === "ssrc")!)
      .map(({ value }) => Number.parseInt(value!, 10));
    quiet = play(room(), () => {});
    expect(quiet).toHaveLength(120);
  });

  it("disturbs nobody, whatever media and reports it makes up", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 4, arbitrary: media }, { weight: 2, arbitrary: control(anaSlots) }, wait), {
          minLength: 60,
          maxLength: 200,
        }),
        (deeds) => {
          const all = room();
          const { world, eve } = all;
          const perRound = Math.ceil(deeds.length / 60);
          const got = play(all, (round) => {
            let waited = 0;
            for (const deed of deeds.slice(round * perRound, (round + 1) * perRound)) {
              if (deed.what === "rtp") sendRtp(world, eve, deed.packet);
              else if (deed.what === "rtcp") sendRtcp(world, eve, deed.packet);
              else if (waited === 0) waited = deed.millis;
            }
          });
          expect(got).toEqual(quiet);
        },
      ),
      { seed: 4, numRuns: 60, endOnFailure: true },
    );
  });

  it("brings no more SSRCs to life than there is room for", () => {
    const all = room();
    const { world, eve } = all;
    const got = play(all, (round) => {
      for (let i = 0; i < 20; i++) {
        const ssrc = 100_000 + round * 20 + i;
        sendRtp(world, eve, vp8Packet({ ssrc, sequence: i, keyframe: true, mid: "2", rid: "qhf"[i % 3]! }));
      }
    });
    expect(got).toEqual(quiet);
    const { inbound } = world.shard.participants.get(eve.participant)!;
    expect(inbound.size).toBeLessThan(10);
  });

  it("gets no more packets again than its budget, and asks ana for no more keyframes than are due", () => {
    const all = room();
    const { world, ana, bob, eve } = all;
    const slots = [...world.shard.participants.get(eve.participant)!.slotsBySsrc.keys()];
    const got = play(all, () => {
      const before = eve.datagrams.length;
      for (const slot of slots) {
        const blp = eve.rtp
          .filter(({ ssrc }) => ssrc === slot)
          .map(({ sequence }) => [sequence >> 8, sequence & 255, 255, 255]);
        for (let i = 0; i < 5; i++) sendRtcp(world, eve, feedback(205, 1, slot, blp.flat()));
        sendRtcp(world, eve, feedback(206, 1, slot, []));
        sendRtcp(
          world,
          eve,
          feedback(206, 4, 0, [slot >>> 24, (slot >>> 16) & 255, (slot >>> 8) & 255, slot & 255, 1, 0, 0, 0]),
        );
      }
      const limit = USUAL_TUNABLES.retransmitBurstPackets + USUAL_TUNABLES.retransmitsPerSecondMax;
      expect(eve.datagrams.length - before).toBeLessThanOrEqual(limit);
    });
    expect(got).toEqual(quiet);
    const { rtpRetransmitted } = world.shard.history.counters;
    expect(rtpRetransmitted).toBeGreaterThan(USUAL_TUNABLES.retransmitBurstPackets);
    expect(rtpRetransmitted).toBeLessThanOrEqual(
      USUAL_TUNABLES.retransmitBurstPackets + 1.2 * USUAL_TUNABLES.retransmitsPerSecondMax,
    );
    const plis = ana.rtcp.filter((packet) => packet[1] === 206).length;
    expect(plis).toBeLessThanOrEqual(1 + 1_200 / (USUAL_TUNABLES.keyframeRequestMicros / millis(1)));
    expect(bob.rtp.length).toBe(quiet.length);
  });

  it("cannot make sender reports to others go back in time or out of range with absurd ones of its own", () => {
    const all = room();
    const { world, eve, bob } = all;
    const absurd = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
    const got = play(all, (round) => {
      sendRtp(world, eve, opusPacket({ ssrc: 3000, sequence: round, level: 20 }));
      sendRtp(world, eve, vp8Packet({ ssrc: 3002, sequence: round, keyframe: round % 5 === 0 }));
      for (const reporter of [3000, 3002]) {
        const [high, low, time] = [absurd[round % 5]!, absurd[(round >> 1) % 5]!, absurd[(round >> 2) % 5]!];
        const words = [reporter, high, low, time, 0xffff_ffff, 0xffff_ffff];
        const bytes = [0x80, 200, 0, 6];
        for (const each of words) bytes.push(each >>> 24, (each >>> 16) & 255, (each >>> 8) & 255, each & 255);
        sendRtcp(world, eve, Uint8Array.from(bytes));
      }
    });
    expect(got).toEqual(quiet);
    pass(world, millis(2_000));
    const times = bob.rtcp.filter((packet) => packet[1] === 200).map((packet) => readU32(packet, 8));
    expect(times.length).toBeGreaterThan(4);
    for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBeGreaterThanOrEqual(0);
    expect(times.at(-1)! - times[0]!).toBeLessThan(10);
  });

  it("moves only its own picture when its sequence numbers jump", () => {
    const all = room();
    const { world, eve } = all;
    const got = play(all, (round) => {
      sendRtp(world, eve, vp8Packet({ ssrc: 3002, sequence: (round * 20_011) & 0xffff, keyframe: round % 3 === 0 }));
    });
    expect(got).toEqual(quiet);
  });

  it("is heard by nobody in another room, whichever SSRC, mid or rid it sends", () => {
    const all = room();
    const { world, eve } = all;
    const other = join(world, { name: "cat", room: "other", offer: SUBSCRIBE });
    play(all, (round) => {
      for (const ssrc of [1000, 2000, 3000, 3002, 9]) {
        sendRtp(world, eve, vp8Packet({ ssrc, sequence: round, keyframe: true, mid: String(round % 5), rid: "q" }));
      }
    });
    expect(other.rtp).toEqual([]);
  });

  it("cannot use a sealed packet of its own on the address of another", () => {
    const all = room();
    const { world, ana, eve } = all;
    const got = play(all, (round) => {
      datagram(world, ana.flow, sealRtp(world, eve, vp8Packet({ ssrc: 2000, sequence: 900 + round, keyframe: true })));
      datagram(world, ana.flow, sealRtcp(world, eve, receiverReport()));
    });
    expect(got).toEqual(quiet);
    expect(world.shard.history.counters.rtpRefused).toBe(60);
    expect(world.shard.history.counters.rtcpRefused).toBe(60);
  });
});

/** A feedback packet (RFC 4585 §6.1) about `media`. */
function feedback(type: number, format: number, media: number, body: readonly number[]): Uint8Array {
  const words = 2 + body.length / 4;
  const source = [media >>> 24, (media >>> 16) & 255, (media >>> 8) & 255, media & 255];
  return Uint8Array.from([0x80 | format, type, words >> 8, words & 255, 0, 0, 0, 9, ...source, ...body]);
}

describe("an offer of hundreds of SSRCs", () => {
  it("costs little until somebody sends on them", () => {
    const lines = Array.from(
      { length: LIMITS.sdpMediaMax },
      (_, i) => ({ kind: "video", ssrc: 10_000 + 100 * i }) as const,
    );
    const offer = offerOf(lines).replace(/a=ssrc:(\d+) cname:test/g, (line, first) =>
      [line, ...Array.from({ length: 20 }, (_, i) => `a=ssrc:${Number(first) + 1 + i} cname:test`)].join("\r\n"),
    );
    const world = createShardWorld();
    join(world, { name: "eve", offer, connect: false });
    expect(world.shard.streams.size).toBe(LIMITS.sdpMediaMax * LIMITS.streamsPerPublicationMax);
    expect(shardResidue(world.shard).length).toBeLessThan(1_000_000);
  });
});
