/** STUN against the vectors of RFC 5769, round trips of what a simulated client writes, and hostile bytes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { utf8Encode } from "../../../core/base/text.ts";
import {
  STUN,
  STUN_ATTRIBUTE,
  STUN_ERROR,
  STUN_TYPE,
  type StunBindingRequest,
  stunCheck,
  stunErrorCode,
  stunFindAttribute,
  stunFingerprintFits,
  stunHasTransactionId,
  stunIntegrityFits,
  stunLocalUfrag,
  stunPriority,
  stunReadMappedAddress,
  stunType,
  stunUnknownAttributes,
  stunWriteBindingError,
  stunWriteBindingRequest,
  stunWriteBindingSuccess,
} from "../../../core/wire/stun.ts";
import { createNodeCrypto } from "../../../io-crypto/index.ts";
import { hex } from "../../support/wire/hex.ts";

const crypto = createNodeCrypto();

/** The password of every vector in RFC 5769 §2.1 to §2.3. */
const RFC_KEY = utf8Encode("VOkJxbRl1RmTxUk/WvJxBt");

/** RFC 5769 §2.1: a connectivity check. */
const RFC_REQUEST = hex(
  "00 01 00 58", // binding request, length 88
  "21 12 a4 42", // magic cookie
  "b7 e7 a7 01 bc 34 d6 86 fa 87 df ae", // transaction id
  "80 22 00 10 53 54 55 4e 20 74 65 73 74 20 63 6c 69 65 6e 74", // SOFTWARE "STUN test client"
  "00 24 00 04 6e 00 01 ff", // PRIORITY
  "80 29 00 08 93 2f f9 b1 51 26 3b 36", // ICE-CONTROLLED
  "00 06 00 09 65 76 74 6a 3a 68 36 76 59 20 20 20", // USERNAME "evtj:h6vY", padded with spaces
  "00 08 00 14 9a ea a7 0c bf d8 cb 56 78 1e f2 b5 b2 d3 f2 49 c1 b5 71 a2", // MESSAGE-INTEGRITY
  "80 28 00 04 e5 7a 3b cf", // FINGERPRINT
);

/** RFC 5769 §2.2: a success response that names 192.0.2.1:32853. */
const RFC_IPV4_RESPONSE = hex(
  "01 01 00 3c", // binding success, length 60
  "21 12 a4 42", // magic cookie
  "b7 e7 a7 01 bc 34 d6 86 fa 87 df ae", // transaction id
  "80 22 00 0b 74 65 73 74 20 76 65 63 74 6f 72 20", // SOFTWARE "test vector"
  "00 20 00 08 00 01 a1 47 e1 12 a6 43", // XOR-MAPPED-ADDRESS
  "00 08 00 14 2b 91 f5 99 fd 9e 90 c3 8c 74 89 f9 2a f9 ba 53 f0 6b e7 d7", // MESSAGE-INTEGRITY
  "80 28 00 04 c0 7d 4c 96", // FINGERPRINT
);

/** RFC 5769 §2.3: a success response that names [2001:db8:1234:5678:11:2233:4455:6677]:32853. */
const RFC_IPV6_RESPONSE = hex(
  "01 01 00 48", // binding success, length 72
  "21 12 a4 42", // magic cookie
  "b7 e7 a7 01 bc 34 d6 86 fa 87 df ae", // transaction id
  "80 22 00 0b 74 65 73 74 20 76 65 63 74 6f 72 20", // SOFTWARE "test vector"
  "00 20 00 14 00 02 a1 47 01 13 a9 fa a5 d3 f1 79 bc 25 f4 b5 be d2 b9 d9", // XOR-MAPPED-ADDRESS
  "00 08 00 14 a3 82 95 4e 4b e6 7b f1 17 84 c9 7c 82 92 c2 75 bf e3 ed 41", // MESSAGE-INTEGRITY
  "80 28 00 04 c8 fb 0b 4c", // FINGERPRINT
);

const IPV4 = hex("c0 00 02 01", "80 55");
const IPV6 = hex("20 01 0d b8 12 34 56 78 00 11 22 33 44 55 66 77", "80 55");

const VECTORS = [
  ["the request", RFC_REQUEST],
  ["the IPv4 response", RFC_IPV4_RESPONSE],
  ["the IPv6 response", RFC_IPV6_RESPONSE],
] as const;

describe.each(VECTORS)("RFC 5769: %s", (_name, message) => {
  it("is well formed", () => {
    expect(stunCheck(message, 0, message.length)).toBe(STUN.OK);
  });

  it("has a MESSAGE-INTEGRITY that fits its password", () => {
    expect(stunIntegrityFits(crypto, RFC_KEY, message, 0)).toBe(true);
  });

  it("does not fit another password", () => {
    expect(stunIntegrityFits(crypto, utf8Encode("VOkJxbRl1RmTxUk/WvJxBu"), message, 0)).toBe(false);
  });

  it("has the right FINGERPRINT", () => {
    expect(stunFingerprintFits(message, 0)).toBe(true);
  });

  it("is left as it was by the check of its integrity", () => {
    const copy = message.slice();
    stunIntegrityFits(crypto, RFC_KEY, copy, 0);
    expect(copy).toEqual(message);
  });

  it("does not survive a change of any one bit that integrity and fingerprint cover", () => {
    for (let bit = 0; bit < message.length * 8; bit++) {
      const copy = message.slice();
      copy[bit >> 3]! ^= 1 << (bit & 7);
      const survives =
        stunCheck(copy, 0, copy.length) === STUN.OK &&
        stunFingerprintFits(copy, 0) &&
        stunIntegrityFits(crypto, RFC_KEY, copy, 0);
      // The type of FINGERPRINT may turn into another optional attribute: then there is none to fit.
      const fingerprintType = message.length * 8 - 64;
      const excused = bit >= fingerprintType && bit < fingerprintType + 16;
      if (!excused) expect(survives, `bit ${bit}`).toBe(false);
    }
  });
});

describe("reading a message", () => {
  it("finds the username fragment, the priority and the role of RFC 5769's request", () => {
    expect(stunLocalUfrag(RFC_REQUEST, 0, RFC_REQUEST.length)).toBe("evtj");
    expect(stunPriority(RFC_REQUEST, 0)).toBe(0x6e0001ff);
    expect(stunFindAttribute(RFC_REQUEST, 0, STUN_ATTRIBUTE.ICE_CONTROLLED)).toBe(48);
    expect(stunFindAttribute(RFC_REQUEST, 0, STUN_ATTRIBUTE.USE_CANDIDATE)).toBe(-1);
  });

  it("reads an IPv4 address", () => {
    const target = new Uint8Array(18);
    expect(stunReadMappedAddress(RFC_IPV4_RESPONSE, 0, target)).toBe(6);
    expect(target.slice(0, 6)).toEqual(IPV4);
  });

  it("reads an IPv6 address", () => {
    const target = new Uint8Array(18);
    expect(stunReadMappedAddress(RFC_IPV6_RESPONSE, 0, target)).toBe(18);
    expect(target).toEqual(IPV6);
  });

  it("answers 0 for an address that is not there", () => {
    expect(stunReadMappedAddress(RFC_REQUEST, 0, new Uint8Array(18))).toBe(0);
  });

  it("does not find what stands behind MESSAGE-INTEGRITY", () => {
    const smuggled = hex(
      "00 01 00 1c", // binding request, length 28
      "21 12 a4 42 00 00 00 00 00 00 00 00 00 00 00 00", // cookie, transaction id
      "00 08 00 14 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // MESSAGE-INTEGRITY
      "00 25 00 00", // USE-CANDIDATE
    );
    expect(stunCheck(smuggled, 0, smuggled.length)).toBe(STUN.OK);
    expect(stunFindAttribute(smuggled, 0, STUN_ATTRIBUTE.USE_CANDIDATE)).toBe(-1);
  });

  it("lists unknown attributes below 0x8000 and stops at the bound", () => {
    const message = hex(
      "00 01 00 10",
      "21 12 a4 42 00 00 00 00 00 00 00 00 00 00 00 00",
      "7f 01 00 00", // unknown, must be understood
      "c0 57 00 00", // unknown, may be ignored
      "00 25 00 00", // USE-CANDIDATE
      "7f 02 00 00", // unknown, must be understood
    );
    expect(stunUnknownAttributes(message, 0, 9)).toEqual([0x7f01, 0x7f02]);
    expect(stunUnknownAttributes(message, 0, 1)).toEqual([0x7f01]);
  });

  it.each([
    ["no colon", "61 62 63 64"],
    ["a byte that no fragment has", "61 20 62 3a"],
    ["a byte above ASCII", "61 e9 62 3a"],
  ])("takes no username fragment with %s", (_what, username) => {
    const message = hex("00 01 00 08", "21 12 a4 42 00 00 00 00 00 00 00 00 00 00 00 00", "00 06 00 04", username);
    expect(stunLocalUfrag(message, 0, message.length)).toBeUndefined();
  });
});

describe("stunCheck", () => {
  const header = "21 12 a4 42 00 00 00 00 00 00 00 00 00 00 00 00";

  it.each([
    ["a datagram shorter than a header", STUN.BAD_SIZE, hex("00 01 00 00", "21 12 a4 42 00 00 00 00 00 00 00 00")],
    ["a size that is not whole words", STUN.BAD_SIZE, hex("00 01 00 02", header, "00 00")],
    ["another protocol's first bits", STUN.NOT_STUN, hex("80 01 00 00", header)],
    ["another magic cookie", STUN.NOT_STUN, hex("00 01 00 00", "21 12 a4 43 00 00 00 00 00 00 00 00 00 00 00 00")],
    ["a length that is too small", STUN.BAD_LENGTH, hex("00 01 00 00", header, "80 22 00 00")],
    ["a length that is too large", STUN.BAD_LENGTH, hex("00 01 00 04", header)],
    ["an attribute that runs over the end", STUN.BAD_ATTRIBUTE, hex("00 01 00 04", header, "80 22 00 01")],
    ["a PRIORITY of two bytes", STUN.BAD_ATTRIBUTE, hex("00 01 00 08", header, "00 24 00 02 00 00 00 00")],
    ["a USE-CANDIDATE with a value", STUN.BAD_ATTRIBUTE, hex("00 01 00 08", header, "00 25 00 01 00 00 00 00")],
    ["a role without its tie-breaker", STUN.BAD_ATTRIBUTE, hex("00 01 00 04", header, "80 2a 00 00")],
    ["a MESSAGE-INTEGRITY of no bytes", STUN.BAD_ATTRIBUTE, hex("00 01 00 04", header, "00 08 00 00")],
    [
      "an address of an unknown family",
      STUN.BAD_ATTRIBUTE,
      hex("00 01 00 0c", header, "00 20 00 08", "00 03 00 00 00 00 00 00"),
    ],
    [
      "an IPv6 address cut to IPv4's size",
      STUN.BAD_ATTRIBUTE,
      hex("00 01 00 0c", header, "00 20 00 08", "00 02 00 00 00 00 00 00"),
    ],
    [
      "an attribute behind FINGERPRINT",
      STUN.BAD_ATTRIBUTE,
      hex("00 01 00 0c", header, "80 28 00 04 00 00 00 00", "80 22 00 00"),
    ],
  ])("refuses %s", (_what, code, bytes) => {
    expect(stunCheck(bytes, 0, bytes.length)).toBe(code);
  });

  it("takes a bare header", () => {
    const bytes = hex("00 01 00 00", header);
    expect(stunCheck(bytes, 0, bytes.length)).toBe(STUN.OK);
  });
});

const KEY = utf8Encode("a password of 22 chars");

const arbitraryRequest: fc.Arbitrary<StunBindingRequest> = fc.record({
  transactionId: fc.uint8Array({ minLength: 12, maxLength: 12 }),
  username: fc
    .tuple(fc.stringMatching(/^[A-Za-z0-9+/]{4,40}$/), fc.stringMatching(/^[A-Za-z0-9+/]{4,40}$/))
    .map(([ours, theirs]) => `${ours}:${theirs}`),
  key: fc.constant(KEY),
  priority: fc.integer({ min: 0, max: 0xffff_ffff }),
  controlling: fc.boolean(),
  tieBreakerHigh: fc.integer({ min: 0, max: 0xffff_ffff }),
  tieBreakerLow: fc.integer({ min: 0, max: 0xffff_ffff }),
  useCandidate: fc.boolean(),
});

function write(request: StunBindingRequest, offset = 0): Uint8Array {
  const bytes = new Uint8Array(2_048).fill(0xee);
  const length = stunWriteBindingRequest(crypto, bytes, offset, request);
  return bytes.slice(offset, offset + length);
}

describe("writing a binding request", () => {
  it("gives one that reads back as it was meant", () => {
    fc.assert(
      fc.property(arbitraryRequest, fc.nat(64), (request, offset) => {
        const bytes = write(request, offset);
        expect(stunCheck(bytes, 0, bytes.length)).toBe(STUN.OK);
        expect(stunType(bytes, 0)).toBe(STUN_TYPE.BINDING_REQUEST);
        expect(stunHasTransactionId(bytes, 0, request.transactionId, 0)).toBe(true);
        expect(stunFingerprintFits(bytes, 0)).toBe(true);
        expect(stunIntegrityFits(crypto, KEY, bytes, 0)).toBe(true);
        expect(stunLocalUfrag(bytes, 0, bytes.length)).toBe(request.username.split(":")[0]);
        expect(stunPriority(bytes, 0)).toBe(request.priority);
        expect(stunFindAttribute(bytes, 0, STUN_ATTRIBUTE.USE_CANDIDATE) >= 0).toBe(request.useCandidate);
        expect(stunFindAttribute(bytes, 0, STUN_ATTRIBUTE.ICE_CONTROLLING) >= 0).toBe(request.controlling);
        expect(stunFindAttribute(bytes, 0, STUN_ATTRIBUTE.ICE_CONTROLLED) >= 0).toBe(!request.controlling);
        expect(stunUnknownAttributes(bytes, 0, 9)).toEqual([]);
      }),
    );
  });
});

describe("writing a success response", () => {
  it.each([
    ["IPv4", IPV4],
    ["IPv6", IPV6],
  ])("gives the %s address back to the one who asked", (_family, address) => {
    const bytes = new Uint8Array(256).fill(0xee);
    const length = stunWriteBindingSuccess(crypto, RFC_KEY, bytes, 8, RFC_REQUEST, 0, address);
    const response = bytes.slice(8, 8 + length);
    const target = new Uint8Array(18);
    expect(stunCheck(response, 0, length)).toBe(STUN.OK);
    expect(stunType(response, 0)).toBe(STUN_TYPE.BINDING_SUCCESS);
    expect(stunHasTransactionId(response, 0, RFC_REQUEST, 8)).toBe(true);
    expect(target.slice(0, stunReadMappedAddress(response, 0, target))).toEqual(address);
    expect(stunIntegrityFits(crypto, RFC_KEY, response, 0)).toBe(true);
    expect(stunFingerprintFits(response, 0)).toBe(true);
  });

  it("writes RFC 5769's own address attribute", () => {
    const bytes = new Uint8Array(256);
    stunWriteBindingSuccess(crypto, RFC_KEY, bytes, 0, RFC_REQUEST, 0, IPV6);
    expect(bytes.slice(20, 44)).toEqual(RFC_IPV6_RESPONSE.slice(36, 60));
  });
});

describe("writing an error response", () => {
  function writeError(key: Uint8Array | null, unknown: readonly number[]): Uint8Array {
    const bytes = new Uint8Array(256).fill(0xee);
    const code = unknown.length > 0 ? STUN_ERROR.UNKNOWN_ATTRIBUTE : STUN_ERROR.ROLE_CONFLICT;
    return bytes.slice(0, stunWriteBindingError(crypto, key, bytes, 0, RFC_REQUEST, 0, code, unknown));
  }

  it("gives the code", () => {
    const response = writeError(RFC_KEY, []);
    expect(stunCheck(response, 0, response.length)).toBe(STUN.OK);
    expect(stunType(response, 0)).toBe(STUN_TYPE.BINDING_ERROR);
    expect(stunErrorCode(response, 0)).toBe(487);
  });

  it("carries integrity when it has a key, and none without", () => {
    expect(stunIntegrityFits(crypto, RFC_KEY, writeError(RFC_KEY, []), 0)).toBe(true);
    expect(stunFindAttribute(writeError(null, []), 0, STUN_ATTRIBUTE.MESSAGE_INTEGRITY)).toBe(-1);
  });

  it("lists the attributes that were not understood, padded with zeroes", () => {
    const response = writeError(RFC_KEY, [0x7f01, 0x7f02, 0x7f03]);
    const at = stunFindAttribute(response, 0, STUN_ATTRIBUTE.UNKNOWN_ATTRIBUTES);
    expect(response.slice(at, at + 12)).toEqual(hex("00 0a 00 06", "7f 01 7f 02 7f 03", "00 00"));
  });
});

/** Everything that can be asked of a datagram, as one comparable value. */
function readEverything(bytes: Uint8Array, offset: number, length: number): unknown {
  const code = stunCheck(bytes, offset, length);
  if (code !== STUN.OK) return { code, ufrag: stunLocalUfrag(bytes, offset, length) };
  const address = new Uint8Array(18);
  return {
    code,
    type: stunType(bytes, offset),
    ufrag: stunLocalUfrag(bytes, offset, length),
    priority: stunPriority(bytes, offset),
    error: stunErrorCode(bytes, offset),
    unknown: stunUnknownAttributes(bytes, offset, 8),
    addressLength: stunReadMappedAddress(bytes, offset, address),
    address,
    fingerprint: stunFingerprintFits(bytes, offset),
    integrity: stunIntegrityFits(crypto, RFC_KEY, bytes, offset),
  };
}

/** The same bytes in the middle of a larger array full of `poison`. */
function surrounded(bytes: Uint8Array, poison: number): Uint8Array {
  const larger = new Uint8Array(bytes.length + 64).fill(poison);
  larger.set(bytes, 32);
  return larger;
}

describe("hostile bytes", () => {
  const mutated = fc
    .tuple(
      fc.constantFrom(RFC_REQUEST, RFC_IPV4_RESPONSE, RFC_IPV6_RESPONSE),
      fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }),
      fc.nat(120),
    )
    .map(([vector, changes, cut]) => {
      const bytes = vector.slice(0, Math.max(0, vector.length - (cut % 4 === 0 ? cut : 0)));
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      return bytes;
    });

  it("never throw, and what lies around them changes nothing", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 120 }), mutated), (bytes) => {
        const zeroes = readEverything(surrounded(bytes, 0x00), 32, bytes.length);
        const ones = readEverything(surrounded(bytes, 0xff), 32, bytes.length);
        expect(ones).toEqual(zeroes);
      }),
      { numRuns: 500 },
    );
  });
});
