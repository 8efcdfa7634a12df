/** The ICE-lite agent, driven by checks as a browser would send them. */

import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { concatBytes } from "../../../core/base/bytes.ts";
import type { DatagramSink } from "../../../core/base/datagram-sink.ts";
import { after as later, MICROS_ORIGIN, type Micros, micros, millis, seconds } from "../../../core/base/micros.ts";
import { utf8Encode } from "../../../core/base/text.ts";
import {
  createIceAgent,
  ICE,
  type IceAgent,
  iceForgetFlow,
  iceHandleStun,
  iceNextTimeout,
  iceSendFlow,
  iceTimeout,
} from "../../../core/ice/agent.ts";
import { LIMITS } from "../../../core/limits.ts";
import { USUAL_TUNABLES } from "../../../core/tunables.ts";
import {
  STUN,
  STUN_ATTRIBUTE,
  STUN_TYPE,
  type StunBindingRequest,
  stunCheck,
  stunErrorCode,
  stunFindAttribute,
  stunFingerprintFits,
  stunIntegrityFits,
  stunReadMappedAddress,
  stunType,
  stunWriteBindingRequest,
} from "../../../core/wire/stun.ts";
import { createNodeCrypto } from "../../../io-crypto/index.ts";
import { hex } from "../../support/wire/hex.ts";

const crypto = createNodeCrypto();
const PASSWORD = "the password of our side";
const KEY = utf8Encode(PASSWORD);
const ADDRESS = hex("c6 33 64 07", "c3 50");

/** A sink that keeps what is sent. */
interface RecordingSink extends DatagramSink {
  sent: { flow: number; bytes: Uint8Array }[];
}

function createRecordingSink(): RecordingSink {
  const sendBytes = new Uint8Array(64 + LIMITS.datagramBytesMax);
  const sent: RecordingSink["sent"] = [];
  return {
    sent,
    sendBytes,
    reserve: () => 64,
    transmit(flow, offset, length) {
      sent.push({ flow, bytes: sendBytes.slice(offset, offset + length) });
    },
  };
}

let now: Micros;
let agent: IceAgent;
let sink: RecordingSink;

beforeEach(() => {
  now = later(MICROS_ORIGIN, seconds(100));
  agent = createIceAgent({ localUfrag: "ours", localPassword: PASSWORD }, USUAL_TUNABLES, now);
  sink = createRecordingSink();
});

function check(changes: Partial<StunBindingRequest> = {}): Uint8Array {
  const bytes = new Uint8Array(2_048);
  const length = stunWriteBindingRequest(crypto, bytes, 0, {
    transactionId: hex("01 02 03 04 05 06 07 08 09 0a 0b 0c"),
    username: "ours:theirs",
    key: KEY,
    priority: 0x6e00_1eff,
    controlling: true,
    tieBreakerHigh: 1,
    tieBreakerLow: 2,
    useCandidate: false,
    ...changes,
  });
  return bytes.slice(0, length);
}

function receive(bytes: Uint8Array, flow = 1): number {
  return iceHandleStun(agent, now, crypto, sink, flow, ADDRESS, bytes, 0, bytes.length);
}

/** The code of the only datagram that was sent, which must be an error response. */
function refusal(): number {
  expect(sink.sent.length).toBe(1);
  const { bytes } = sink.sent[0]!;
  expect(stunCheck(bytes, 0, bytes.length)).toBe(STUN.OK);
  expect(stunType(bytes, 0)).toBe(STUN_TYPE.BINDING_ERROR);
  return stunErrorCode(bytes, 0);
}

/** USERNAME "ours:theirs". */
const USERNAME = hex("00 06 00 0b", "6f 75 72 73 3a 74 68 65 69 72 73 00");

describe("an authenticated check", () => {
  it("is answered on its flow with the address it came from", () => {
    expect(receive(check(), 7)).toBe(ICE.ANSWERED);
    const { flow, bytes } = sink.sent[0]!;
    const address = new Uint8Array(18);
    expect(flow).toBe(7);
    expect(stunType(bytes, 0)).toBe(STUN_TYPE.BINDING_SUCCESS);
    expect(address.slice(0, stunReadMappedAddress(bytes, 0, address))).toEqual(ADDRESS);
    expect(stunIntegrityFits(crypto, KEY, bytes, 0)).toBe(true);
    expect(stunFingerprintFits(bytes, 0)).toBe(true);
  });

  it("makes its flow valid and usable without selecting it", () => {
    receive(check(), 7);
    expect(agent.flows).toEqual([7]);
    expect(agent.selectedFlow).toBe(-1);
    expect(iceSendFlow(agent)).toBe(7);
  });

  it("is answered again when it is repeated, and its flow stays single", () => {
    receive(check(), 7);
    expect(receive(check(), 7)).toBe(ICE.ANSWERED);
    expect(agent.flows).toEqual([7]);
  });

  it.each([
    ["cut off", (bytes: Uint8Array) => bytes.slice(0, bytes.length - 8)],
    ["made unrecognisable", (bytes: Uint8Array) => bytes.with(bytes.length - 7, bytes[bytes.length - 7]! ^ 4)],
  ])("is none when its FINGERPRINT was %s, which no integrity covers", (_how, damage) => {
    const bytes = damage(check({ useCandidate: true }));
    bytes[3] = bytes.length - 20;
    expect(stunCheck(bytes, 0, bytes.length)).toBe(STUN.OK);
    expect(stunIntegrityFits(crypto, KEY, bytes, 0)).toBe(true);
    expect(receive(bytes, 9)).toBe(ICE.DROPPED);
    expect([agent.selectedFlow, agent.flows, sink.sent]).toEqual([-1, [], []]);
  });

  it("leaves its bytes as they were", () => {
    const bytes = check();
    const copy = bytes.slice();
    receive(bytes);
    expect(bytes).toEqual(copy);
  });

  it("may lack a role, as agents before RFC 5245 do", () => {
    expect(receive(signed(USERNAME))).toBe(ICE.ANSWERED);
  });

  it("may name another ufrag of the peer (RFC 8445 §7.3 judges the first half alone)", () => {
    expect(receive(check({ username: "ours:restarted" }))).toBe(ICE.ANSWERED);
  });
});

describe("nomination", () => {
  it("selects the flow of a check with USE-CANDIDATE", () => {
    expect(receive(check({ useCandidate: true }), 7)).toBe(ICE.SELECTED);
    expect(agent.selectedFlow).toBe(7);
  });

  it("says so once", () => {
    receive(check({ useCandidate: true }), 7);
    expect(receive(check({ useCandidate: true }), 7)).toBe(ICE.ANSWERED);
  });

  it("moves the peer when it nominates another flow", () => {
    receive(check({ useCandidate: true }), 7);
    expect(receive(check({ useCandidate: true }), 8)).toBe(ICE.SELECTED);
    expect(iceSendFlow(agent)).toBe(8);
    expect(agent.flows).toEqual([7, 8]);
  });

  it("is needed for a move while the selected flow is alive", () => {
    receive(check({ useCandidate: true }), 7);
    expect(receive(check(), 8)).toBe(ICE.ANSWERED);
    expect(agent.selectedFlow).toBe(7);
  });

  it("is not needed once the selected flow has been silent for long", () => {
    receive(check({ useCandidate: true }), 7);
    now = later(now, USUAL_TUNABLES.iceSilentMicros);
    expect(receive(check(), 8)).toBe(ICE.SELECTED);
    expect(agent.selectedFlow).toBe(8);
  });

  it("stays with a selected flow that is heard from time to time", () => {
    receive(check({ useCandidate: true }), 7);
    for (let i = 0; i < 5; i++) {
      now = later(now, later(USUAL_TUNABLES.iceSilentMicros, micros(-1)));
      expect(receive(check(), 8)).toBe(ICE.ANSWERED);
      receive(check(), 7);
    }
    expect(agent.selectedFlow).toBe(7);
  });
});

describe("what gets no answer and changes nothing", () => {
  it.each([
    ["a request for another ufrag", () => check({ username: "hers:theirs" })],
    ["a request whose ufrag merely begins like ours", () => check({ username: "oursandmore:theirs" })],
    ["a wrong FINGERPRINT", () => flipped(check(), -1)],
    ["a truncated request", () => check().slice(0, -4)],
    ["a success response", () => retyped(check(), 0x01, 0x01)],
    ["another method", () => retyped(check(), 0x00, 0x03)],
  ])("%s", (_what, make) => {
    const before = structuredClone(agent);
    expect(receive(make())).toBe(ICE.DROPPED);
    expect(sink.sent).toEqual([]);
    expect(agent).toEqual(before);
  });

  it("a binding indication, which is legal", () => {
    const before = structuredClone(agent);
    expect(receive(hex("00 11 00 00", "21 12 a4 42", "01 02 03 04 05 06 07 08 09 0a 0b 0c"))).toBe(ICE.INDICATION);
    expect(sink.sent).toEqual([]);
    expect(agent).toEqual(before);
  });
});

/** A copy with the byte at `index` (from the end when negative) changed. */
function flipped(bytes: Uint8Array, index: number): Uint8Array {
  const copy = bytes.slice();
  copy[index < 0 ? bytes.length + index : index]! ^= 1;
  return copy;
}

/** A copy with another message type and without FINGERPRINT, which would not fit. */
function retyped(bytes: Uint8Array, high: number, low: number): Uint8Array {
  const copy = bytes.slice(0, -8);
  copy[0] = high;
  copy[1] = low;
  copy[3]! -= 8;
  return copy;
}

/** A check without FINGERPRINT whose password is wrong. */
function forged(): Uint8Array {
  return check({ key: utf8Encode("guessed"), useCandidate: true });
}

describe("refusals", () => {
  it("answer 401 without integrity when the password is wrong", () => {
    expect(receive(forged())).toBe(ICE.REFUSED);
    expect(refusal()).toBe(401);
    expect(stunFindAttribute(sink.sent[0]!.bytes, 0, STUN_ATTRIBUTE.MESSAGE_INTEGRITY)).toBe(-1);
  });

  it("answer 400 when there is no integrity at all", () => {
    expect(receive(unsigned(USERNAME))).toBe(ICE.REFUSED);
    expect(refusal()).toBe(400);
  });

  it("answer 487 to a peer that wants to be controlled too", () => {
    expect(receive(check({ controlling: false }))).toBe(ICE.REFUSED);
    expect(refusal()).toBe(487);
    expect(stunIntegrityFits(crypto, KEY, sink.sent[0]!.bytes, 0)).toBe(true);
  });

  it("answer 420 with the attribute that is not understood", () => {
    expect(receive(signed(concatBytes(USERNAME, hex("7f 01 00 00"))))).toBe(ICE.REFUSED);
    expect(refusal()).toBe(420);
    const { bytes } = sink.sent[0]!;
    const at = stunFindAttribute(bytes, 0, STUN_ATTRIBUTE.UNKNOWN_ATTRIBUTES);
    expect(bytes.slice(at, at + 6)).toEqual(hex("00 0a 00 02", "7f 01"));
  });

  it("ignore an unknown attribute that need not be understood", () => {
    const networkInfo = hex("c0 57 00 04", "00 01 00 0a"); // GOOG-NETWORK-INFO
    expect(receive(signed(concatBytes(USERNAME, networkInfo)))).toBe(ICE.ANSWERED);
  });

  it("change nothing of the agent", () => {
    const before = structuredClone(agent);
    now = later(now, seconds(1));
    receive(forged());
    receive(check({ controlling: false, useCandidate: true }));
    expect(agent).toEqual(before);
  });
});

describe("the amplification bound", () => {
  it("holds for whatever is sent: no answer is over three times its request", () => {
    const arbitraryAttribute = fc
      .tuple(fc.constantFrom(0x7f01, 0x0024, 0x0025, 0x8029, 0xc057), fc.uint8Array({ maxLength: 3 }))
      .map(([type, value]) => attribute(type, value));
    fc.assert(
      fc.property(fc.array(arbitraryAttribute, { maxLength: 40 }), fc.boolean(), (attributes, sign) => {
        const answers = createRecordingSink();
        const body = concatBytes(USERNAME, ...attributes);
        const bytes = sign ? signed(body) : unsigned(body);
        iceHandleStun(agent, now, crypto, answers, 1, ADDRESS, bytes, 0, bytes.length);
        for (const { bytes: answer } of answers.sent) expect(answer.length).toBeLessThanOrEqual(3 * bytes.length);
      }),
    );
  });
});

/** One attribute, padded with zeroes. */
function attribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + ((value.length + 3) & ~3));
  bytes[0] = type >> 8;
  bytes[1] = type;
  bytes[3] = value.length;
  bytes.set(value, 4);
  return bytes;
}

/** A request of these attributes alone. */
function unsigned(attributes: Uint8Array): Uint8Array {
  return fingerprinted(request(attributes));
}

/** A request of these attributes with a MESSAGE-INTEGRITY that fits, made without the code under test. */
function signed(attributes: Uint8Array): Uint8Array {
  const bytes = request(concatBytes(attributes, attribute(0x0008, new Uint8Array(20))));
  const tag = new Uint8Array(20);
  crypto.hmacSha1(KEY, bytes, 0, bytes.length - 24, tag);
  bytes.set(tag, bytes.length - 20);
  return fingerprinted(bytes);
}

function request(attributes: Uint8Array): Uint8Array {
  const bytes = concatBytes(hex("00 01 00 00", "21 12 a4 42", "01 02 03 04 05 06 07 08 09 0a 0b 0c"), attributes);
  bytes[2] = attributes.length >> 8;
  bytes[3] = attributes.length;
  return bytes;
}

/** The message with a FINGERPRINT behind it (RFC 8489 §14.7). */
function fingerprinted(message: Uint8Array): Uint8Array {
  const bytes = concatBytes(message, attribute(0x8028, new Uint8Array(4)));
  new DataView(bytes.buffer).setUint16(2, bytes.length - 20);
  let crc = -1;
  for (const byte of bytes.subarray(0, bytes.length - 8)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb8_8320 : 0);
  }
  new DataView(bytes.buffer).setUint32(bytes.length - 4, ~crc ^ 0x5354_554e);
  return bytes;
}

describe("consent", () => {
  const { consentMicros } = USUAL_TUNABLES;

  it("has not expired right before its time, and has at it", () => {
    receive(check());
    expect(iceNextTimeout(agent)).toBe(later(now, consentMicros));
    expect(iceTimeout(agent, later(iceNextTimeout(agent), micros(-1)))).toBe(false);
    expect(iceTimeout(agent, iceNextTimeout(agent))).toBe(true);
  });

  it("runs out for a peer that never turns up", () => {
    expect(iceTimeout(agent, later(now, consentMicros))).toBe(true);
  });

  it("is renewed by each check on the flow", () => {
    receive(check(), 7);
    now = later(now, seconds(20));
    receive(check(), 7);
    expect(iceNextTimeout(agent)).toBe(later(now, consentMicros));
  });

  it("of one flow is not renewed by a check on another, which is the only one from then on", () => {
    receive(check(), 7);
    now = later(now, seconds(20));
    receive(check(), 8);
    expect(iceSendFlow(agent)).toBe(7);
    now = iceNextTimeout(agent);
    expect(iceTimeout(agent, now)).toBe(false);
    expect([agent.evictedFlow, agent.flows, iceSendFlow(agent)]).toEqual([7, [8], 8]);
    expect(iceNextTimeout(agent)).toBe(later(now, seconds(20)));
    expect(iceTimeout(agent, iceNextTimeout(agent))).toBe(true);
  });

  it("runs out for a flow that the peer has come back to because the selected one was lost", () => {
    receive(check({ useCandidate: true }), 7);
    now = later(now, seconds(4));
    receive(check({ useCandidate: true }), 8);
    iceForgetFlow(agent, 8);
    expect(iceSendFlow(agent)).toBe(7);
    expect(iceTimeout(agent, iceNextTimeout(agent))).toBe(false);
    expect([agent.evictedFlow, agent.selectedFlow, iceSendFlow(agent)]).toEqual([7, -1, -1]);
    expect(iceNextTimeout(agent)).toBe(later(now, consentMicros));
    expect(receive(check(), 9)).toBe(ICE.ANSWERED);
    expect(iceSendFlow(agent)).toBe(9);
  });

  it("that ran out for several flows at different times is taken from them one by one", () => {
    for (const flow of [7, 8, 9]) {
      receive(check(), flow);
      now = later(now, seconds(1));
    }
    const evicted: number[] = [];
    for (let i = 0; i < 2; i++) {
      now = iceNextTimeout(agent);
      expect(iceTimeout(agent, now)).toBe(false);
      evicted.push(agent.evictedFlow);
    }
    expect(evicted).toEqual([7, 8]);
    expect(iceTimeout(agent, micros(now + 1))).toBe(false);
    expect([agent.evictedFlow, agent.flows]).toEqual([-1, [9]]);
  });
});

describe("the list of valid flows", () => {
  it("gives up the flow that was heard longest ago", () => {
    for (let flow = 0; flow < LIMITS.iceFlowsPerPeerMax; flow++) {
      receive(check(), flow);
      expect(agent.evictedFlow).toBe(-1);
      now = later(now, millis(10));
    }
    receive(check(), 0);
    now = later(now, millis(10));
    receive(check(), 100);
    expect(agent.evictedFlow).toBe(1);
    expect(agent.flows).not.toContain(1);
    expect(agent.flows.length).toBe(LIMITS.iceFlowsPerPeerMax);
  });

  it("never gives up the selected flow, and names each victim once", () => {
    receive(check({ useCandidate: true }), 1_000);
    const evicted: number[] = [];
    for (let flow = 0; flow < 50; flow++) {
      now = later(now, millis(10));
      receive(check(), flow);
      if (agent.evictedFlow >= 0) evicted.push(agent.evictedFlow);
    }
    expect(agent.selectedFlow).toBe(1_000);
    expect(agent.flows).toContain(1_000);
    expect(new Set([...agent.flows, ...evicted]).size).toBe(51);
    expect(agent.flows.length + evicted.length).toBe(51);
  });

  it("forgets its last victim with the next call", () => {
    for (let flow = 0; flow <= LIMITS.iceFlowsPerPeerMax; flow++) receive(check(), flow);
    expect(agent.evictedFlow).toBeGreaterThanOrEqual(0);
    receive(check(), LIMITS.iceFlowsPerPeerMax);
    expect(agent.evictedFlow).toBe(-1);
  });
});

describe("a flow that has become another peer's", () => {
  it("is no longer sent to, though it was selected", () => {
    receive(check(), 7);
    receive(check({ useCandidate: true }), 8);
    iceForgetFlow(agent, 8);
    expect(agent.flows).toEqual([7]);
    expect(iceSendFlow(agent)).toBe(7);
  });

  it("has the flow that was heard last in its place, until that one is silent for long", () => {
    for (const flow of [7, 6, 8]) {
      receive(check({ useCandidate: flow === 8 }), flow);
      now = later(now, seconds(1));
    }
    iceForgetFlow(agent, 8);
    expect(iceSendFlow(agent)).toBe(6);
    now = later(now, USUAL_TUNABLES.iceSilentMicros);
    expect(receive(check(), 5)).toBe(ICE.SELECTED);
    expect(iceSendFlow(agent)).toBe(5);
  });

  it("leaves the selected flow alone when it was another", () => {
    receive(check(), 7);
    receive(check({ useCandidate: true }), 8);
    iceForgetFlow(agent, 7);
    iceForgetFlow(agent, 99);
    expect(agent.flows).toEqual([8]);
    expect(agent.heardAt).toEqual([now]);
    expect(iceSendFlow(agent)).toBe(8);
  });

  it("can be won back by another check", () => {
    receive(check({ useCandidate: true }), 8);
    iceForgetFlow(agent, 8);
    expect(iceSendFlow(agent)).toBe(-1);
    expect(receive(check({ useCandidate: true }), 8)).toBe(ICE.SELECTED);
  });
});

describe("mutated checks", () => {
  it("never throw, and never change the agent unless they are whole", () => {
    const original = check({ useCandidate: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { maxLength: 5 }), (changes) => {
        const bytes = original.slice();
        for (const [at, value] of changes) bytes[at] = value;
        const fresh = createIceAgent({ localUfrag: "ours", localPassword: PASSWORD }, USUAL_TUNABLES, now);
        const before = structuredClone(fresh);
        const result = iceHandleStun(fresh, now, crypto, sink, 3, ADDRESS, bytes, 0, bytes.length);
        const intact = bytes.slice(0, -8).every((byte, i) => byte === original[i]);
        if (!intact) expect(fresh).toEqual(before);
        if (!intact) expect(result === ICE.ANSWERED || result === ICE.SELECTED).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});
