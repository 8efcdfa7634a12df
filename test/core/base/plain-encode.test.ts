/** The snapshot codec: everything that state may hold comes back as it was, anything else is refused loudly. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodePlain } from "../../../core/base/plain-decode.ts";
import { encodePlain } from "../../../core/base/plain-encode.ts";
import { LockstepError } from "../../../core/errors.ts";

function roundTrip<T>(value: T): T {
  return decodePlain(encodePlain(value)) as T;
}

describe("a value", () => {
  it.each([
    ["undefined", undefined],
    ["null", null],
    ["false", false],
    ["true", true],
    ["zero", 0],
    ["minus zero", -0],
    ["the largest one-byte integer", 127],
    ["the smallest two-byte integer", 128],
    ["minus one", -1],
    ["a time", 8_589_934_592],
    ["the largest safe integer", Number.MAX_SAFE_INTEGER],
    ["the smallest safe integer", Number.MIN_SAFE_INTEGER],
    ["an integer beyond the safe ones", 2 ** 60],
    ["a fraction", 0.1],
    ["the smallest double", Number.MIN_VALUE],
    ["infinity", Number.POSITIVE_INFINITY],
    ["minus infinity", Number.NEGATIVE_INFINITY],
    ["not a number", Number.NaN],
    ["the empty text", ""],
    ["Latin text", "Zoë"],
    ["wide text", "Łódź 🎈"],
    ["half a surrogate pair", "a\ud83c"],
    ["an empty array", []],
    ["an empty map", new Map()],
    ["an empty set", new Set()],
    ["an empty object", {}],
    ["bytes", Uint8Array.of(1, 2, 255)],
    ["16-bit words", Uint16Array.of(1, 65_535)],
    ["32-bit words", Uint32Array.of(1, 0xffff_ffff)],
    ["signed 16-bit words", Int16Array.of(-32_768, 32_767)],
    ["signed 32-bit words", Int32Array.of(-2_147_483_648, 1)],
    ["doubles", Float64Array.of(0.1, -0, Number.NaN)],
    ["an empty typed array", new Uint32Array(0)],
    ["a map with a map for a key", new Map([[new Map([[1, 2]]), new Set(["x"])]])],
    ["an array with undefined in it", [undefined, 1]],
    ["an object with undefined in it", { a: undefined }],
  ])("comes back as it was: %s", (_name, value) => {
    expect(roundTrip(value)).toStrictEqual(value);
  });

  it("comes back as it was, whatever it is made of", () => {
    const plain = fc.anything({
      withMap: true,
      withSet: true,
      withTypedArray: false,
      withNullPrototype: false,
      maxDepth: 5,
    });
    fc.assert(
      fc.property(plain, (value) => {
        expect(roundTrip(value)).toStrictEqual(value);
      }),
    );
  });

  it("gives the same bytes again after a round trip", () => {
    fc.assert(
      fc.property(fc.anything({ withMap: true, withSet: true }), (value) => {
        const bytes = encodePlain(value);
        expect(encodePlain(decodePlain(bytes))).toEqual(bytes);
      }),
    );
  });

  it("gives the same bytes where it is said what stands in one place alone", () => {
    const value = {
      one: { list: [{ a: 1 }, { a: 2 }], words: Uint32Array.of(1, 2), set: new Set([{ a: 3 }]) },
      two: { list: [], words: Int16Array.of(-1), set: new Map([[1, { list: [1.5] }]]) },
      long: new Float64Array(100).fill(0.1),
      shared: [{}, {}],
    };
    const again = { ...value, two: value.one, three: value.shared[0] };
    const belongings = new Set(["list", "list[]", "words", "set", "set[]", "long", "shared"]);
    for (const each of [value, again]) {
      expect([...encodePlain(each, belongings)]).toEqual([...encodePlain(each)]);
    }
  });

  it("brings back as two what it was wrongly told to stand in one place", () => {
    const one = { a: 1 };
    const back = decodePlain(encodePlain({ left: one, right: one }, new Set(["left", "right"])));
    expect(back).toEqual({ left: one, right: one });
    expect((back as { left: object; right: object }).left).not.toBe((back as { right: object }).right);
  });

  it("keeps objects of many shapes apart that begin with the same key", () => {
    const value = [
      { a: 1, b: 2 },
      { a: 1 },
      { a: 1, c: 2 },
      { a: 1, b: 2 },
      { b: "a", a: "b" },
      {},
      { a: 3, c: { a: 4, b: 5 } },
      { a: 1, b: 2, c: 3 },
    ];
    const back = decodePlain(encodePlain(value));
    expect(back).toEqual(value);
    expect(JSON.stringify(back)).toBe(JSON.stringify(value));
  });

  it("gives bytes that depend on values and not on which copies of a text it was built of", () => {
    const built = ["ab", "c"].join("");
    expect(encodePlain([built, "abc"])).toEqual(encodePlain(["abc", "abc"]));
  });
});

describe("order", () => {
  it("of an object's keys is kept", () => {
    expect(Object.keys(roundTrip({ b: 1, a: 2, c: 3 }))).toEqual(["b", "a", "c"]);
  });

  it("of maps and sets is kept", () => {
    const value = roundTrip({
      map: new Map([
        [2, "b"],
        [1, "a"],
      ]),
      set: new Set(["z", "a"]),
    });
    expect([...value.map.keys()]).toEqual([2, 1]);
    expect([...value.set]).toEqual(["z", "a"]);
  });

  it("shows in the bytes", () => {
    expect(encodePlain({ a: 1, b: 2 })).not.toEqual(encodePlain({ b: 2, a: 1 }));
  });
});

describe("identity", () => {
  it("of a shared object is kept", () => {
    const shared = { count: 1 };
    const value = roundTrip({ left: shared, right: [shared], map: new Map([["x", shared]]) });
    expect(value.right[0]).toBe(value.left);
    expect(value.map.get("x")).toBe(value.left);
  });

  it("of equal but separate objects is kept apart", () => {
    const value = roundTrip([{ a: 1 }, { a: 1 }]);
    expect(value[0]).not.toBe(value[1]);
  });

  it("of a typed array is kept", () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const value = roundTrip([bytes, bytes]);
    expect(value[0]).toBe(value[1]);
  });

  it("survives cycles through every container", () => {
    interface Ring {
      self?: Ring;
      list: unknown[];
      map: Map<unknown, unknown>;
      set: Set<unknown>;
    }
    const ring: Ring = { list: [], map: new Map(), set: new Set() };
    ring.self = ring;
    ring.list.push(ring.list, ring);
    ring.map.set(ring.map, ring);
    ring.set.add(ring.set);
    const copy = roundTrip(ring);
    expect(copy.self).toBe(copy);
    expect(copy.list[0]).toBe(copy.list);
    expect(copy.list[1]).toBe(copy);
    expect(copy.map.get(copy.map)).toBe(copy);
    expect(copy.set.has(copy.set)).toBe(true);
  });

  it("is new: the copy shares nothing with the original", () => {
    const value = { bytes: Uint8Array.of(1) };
    const copy = roundTrip(value);
    copy.bytes[0] = 2;
    expect(value.bytes[0]).toBe(1);
  });
});

describe("typed arrays", () => {
  it("own their whole buffers after decoding", () => {
    const value = roundTrip([Uint8Array.of(1), Float64Array.of(1), Uint16Array.of(1)]);
    for (const array of value) expect(array.buffer.byteLength).toBe(array.byteLength);
  });

  it("come out of a Buffer's bytes as plain Uint8Arrays", () => {
    const copy = decodePlain(Buffer.from(encodePlain(Uint8Array.of(1, 2)))) as Uint8Array;
    expect(Object.getPrototypeOf(copy)).toBe(Uint8Array.prototype);
    expect(copy.buffer.byteLength).toBe(2);
  });

  it("cost their own size and little more", () => {
    expect(encodePlain(new Uint8Array(1_000_000)).length).toBeLessThan(1_000_010);
  });
});

describe("depth", () => {
  it("of a hundred thousand does not overflow the stack", () => {
    let chain: { next?: unknown } = {};
    for (let i = 0; i < 100_000; i++) chain = { next: chain };
    let copy = roundTrip(chain);
    let depth = 0;
    for (; copy.next !== undefined; depth++) copy = copy.next as typeof copy;
    expect(depth).toBe(100_000);
  });
});

describe("what is not plain is refused", () => {
  class Point {
    x = 1;
  }
  const sharedBuffer = new ArrayBuffer(8);
  it.each([
    ["a function", () => 1],
    ["a symbol", Symbol("s")],
    ["a BigInt", 1n],
    ["an instance of a class", new Point()],
    ["a date", new Date(0)],
    ["a regular expression", /x/],
    ["an object without a prototype", Object.create(null)],
    ["a symbol as a key", { [Symbol("s")]: 1 }],
    ["an array with a hole", new Array(3)],
    ["a view of a part of a buffer", new Uint8Array(8).subarray(0, 4)],
    ["two views of one buffer", [new Uint8Array(sharedBuffer), new Float64Array(sharedBuffer)]],
    ["a Buffer", Buffer.from("x")],
    ["a bare buffer", new ArrayBuffer(8)],
    ["a DataView", new DataView(new ArrayBuffer(8))],
    ["a kind of typed array that state does not use", new Float32Array(1)],
  ])("%s", (_name, value) => {
    expect(() => encodePlain({ inside: value })).toThrow(/^assertion failed/);
  });
});

/** Runs `decodePlain`; answers whether the bytes were taken, and fails on any error but "bad-snapshot". */
function isTaken(bytes: Uint8Array): boolean {
  try {
    decodePlain(bytes);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(LockstepError);
    expect((error as LockstepError).code).toBe("bad-snapshot");
    return false;
  }
}

const SAMPLE = {
  name: "ana",
  flows: [1, 2, 300],
  rate: 0.5,
  peers: new Map([[1, { name: "bob", key: Uint8Array.of(1, 2, 3) }]]),
  seen: new Set(["ana", "bob", "Łódź"]),
  words: Uint16Array.of(1, 2),
};

describe("malformed bytes", () => {
  it("are refused when anything is missing at the end", () => {
    const bytes = encodePlain(SAMPLE);
    for (let length = 0; length < bytes.length; length++) expect(isTaken(bytes.slice(0, length))).toBe(false);
  });

  it("are refused when anything is left over", () => {
    const bytes = encodePlain(SAMPLE);
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    expect(isTaken(longer)).toBe(false);
  });

  it.each([
    ["another format", [2, 0]],
    ["an unknown tag", [1, 0x7f]],
    ["a text that was never written", [1, 10, 0]],
    ["a container that was never met", [1, 11, 0]],
    ["an array of 2^40 items", [1, 12, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20]],
    ["a typed array of 2^40 bytes", [1, 16, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20]],
    ["a text of 2^40 characters", [1, 9, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20]],
    ["a typed array that ends in mid-element", [1, 17, 3, 0, 0, 0]],
    ["a number above the safe ones", [1, 4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
    ["a number without an end", [1, 4, ...new Array<number>(20).fill(0x80), 0]],
    ["a key twice", [1, 15, 2, 8, 1, 0x61, 0x80, 10, 0, 0x80]],
    ["a key that is no text", [1, 15, 1, 0x80, 0x80]],
    ["a map's key twice", [1, 13, 2, 0x80, 0x80, 0x80, 0x80]],
    ["a set's item twice", [1, 14, 2, 0x80, 0x80]],
  ])("are refused: %s", (_name, bytes) => {
    expect(isTaken(Uint8Array.from(bytes))).toBe(false);
  });

  it("never fail otherwise, however they were changed", () => {
    const original = encodePlain(SAMPLE);
    const changes = fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(changes, (list) => {
        const bytes = original.slice();
        for (const [at, value] of list) bytes[at] = value;
        isTaken(bytes);
      }),
      { numRuns: 2_000 },
    );
  });

  it("never fail otherwise, however arbitrary", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        isTaken(Uint8Array.of(1, ...bytes));
      }),
      { numRuns: 2_000 },
    );
  });

  it("can't change the prototype of an object", () => {
    const hostile = JSON.parse('{"__proto__": {"admin": true}}') as object;
    const copy = roundTrip(hostile);
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(Object.keys(copy)).toEqual(["__proto__"]);
  });
});
