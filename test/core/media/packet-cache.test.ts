import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MICROS_ORIGIN, type Micros } from "../../../core/base/micros.ts";
import { seqNewer16 } from "../../../core/base/sequence.ts";
import { LIMITS } from "../../../core/limits.ts";
import {
  createPacketCache,
  type PacketCache,
  packetCacheFind,
  packetCacheLength,
  packetCacheOffset,
  packetCachePut,
} from "../../../core/media/packet-cache.ts";
import { USUAL_TUNABLES } from "../../../core/tunables.ts";

const STARTS = [0, 1, 0x7fff, 0x8000, 65_534, 65_535];

function at(micros: number): Micros {
  return (MICROS_ORIGIN + micros) as Micros;
}

/** A packet whose bytes tell its sequence number and a mark. */
function packet(sequence: number, mark: number, length = 20): Uint8Array {
  const bytes = new Uint8Array(length).fill(mark);
  bytes[0] = sequence >>> 8;
  bytes[1] = sequence;
  return bytes;
}

function put(cache: PacketCache, now: Micros, sequence: number, mark = 1, length = 20): number {
  return packetCachePut(cache, now, sequence, packet(sequence, mark, length), 0, length);
}

function read(cache: PacketCache, now: Micros, sequence: number): Uint8Array | undefined {
  const slot = packetCacheFind(cache, now, sequence);
  if (slot < 0) return undefined;
  const offset = packetCacheOffset(cache, slot);
  return cache.bytes.slice(offset, offset + packetCacheLength(cache, slot));
}

function cacheOf(packets: number = USUAL_TUNABLES.packetCachePackets) {
  return createPacketCache({ ...USUAL_TUNABLES, packetCachePackets: packets });
}

describe("packet cache", () => {
  it("holds the last packets of a stream, whatever number it starts with", () => {
    for (const start of STARTS) {
      const cache = cacheOf(64);
      for (let i = 0; i < 200; i++) put(cache, at(i), (start + i) & 0xffff, i & 0xff, 2 + (i % 50));
      for (let i = 0; i < 200; i++) {
        const sequence = (start + i) & 0xffff;
        const expected = i < 136 ? undefined : packet(sequence, i & 0xff, 2 + (i % 50));
        expect(read(cache, at(200), sequence)).toEqual(expected);
      }
    }
  });

  it("answers with what was put under that number, or with nothing", () => {
    const step = fc.record({ ahead: fc.integer({ min: -40, max: 20 }), wait: fc.nat(300_000) });
    fc.assert(
      fc.property(fc.constantFrom(...STARTS), fc.array(step, { maxLength: 150, size: "max" }), (start, steps) => {
        const cache = cacheOf(32);
        const first = new Map<number, { mark: number; now: number }>();
        let newest = start;
        let now = 0;
        steps.forEach(({ ahead, wait }, mark) => {
          now += wait;
          const sequence = (newest + ahead) & 0xffff;
          if (seqNewer16(sequence, newest)) newest = sequence;
          const known = read(cache, at(now), sequence) !== undefined;
          const slot = put(cache, at(now), sequence, mark & 0xff);
          if (slot >= 0 && !known) first.set(sequence, { mark: mark & 0xff, now });
          if (mark % 16 !== 15) return;
          for (const [number, { mark: kept, now: since }] of first) {
            const bytes = read(cache, at(now), number);
            if (bytes === undefined) continue;
            expect(now - since).toBeLessThanOrEqual(USUAL_TUNABLES.packetCacheAgeMicros);
            expect(bytes.join()).toBe(packet(number, kept).join());
          }
        });
      }),
    );
  });

  it("always holds the newest packet that was put", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5_000 }), { maxLength: 60 }), (steps) => {
        const cache = cacheOf(16);
        let sequence = 65_000;
        for (const step of steps) {
          sequence = (sequence + step) & 0xffff;
          put(cache, at(0), sequence);
          expect(read(cache, at(0), sequence)).toEqual(packet(sequence, 1));
        }
      }),
    );
  });

  it("keeps the first bytes of a number that comes twice", () => {
    const cache = cacheOf();
    put(cache, at(0), 65_535, 1);
    put(cache, at(1), 65_535, 2);
    expect(read(cache, at(1), 65_535)).toEqual(packet(65_535, 1));
  });

  it("does not answer with a packet that is too old, and takes the number anew", () => {
    const cache = cacheOf();
    put(cache, at(0), 7, 1);
    const old = at(USUAL_TUNABLES.packetCacheAgeMicros + 1);
    expect(read(cache, at(USUAL_TUNABLES.packetCacheAgeMicros), 7)).toEqual(packet(7, 1));
    expect(read(cache, old, 7)).toBeUndefined();
    put(cache, old, 7, 2);
    expect(read(cache, old, 7)).toEqual(packet(7, 2));
  });

  it("does not give up a newer packet for a late one", () => {
    const cache = cacheOf(8);
    put(cache, at(0), 3 + 8);
    expect(put(cache, at(0), 3)).toBe(-1);
    expect(read(cache, at(0), 3 + 8)).toEqual(packet(3 + 8, 1));
  });

  it("stays small for a slow stream and grows to its bound for a fast one", () => {
    const slow = cacheOf();
    const fast = cacheOf();
    for (let i = 0; i < 2_000; i++) {
      put(slow, at(i * 500_000), i);
      put(fast, at(i * 1_000), i);
    }
    expect(slow.bytes.length).toBe(8 * LIMITS.datagramBytesMax);
    expect(fast.bytes.length).toBe(USUAL_TUNABLES.packetCachePackets * LIMITS.datagramBytesMax);
  });

  it("still holds everything after it has grown, and for as long as before", () => {
    const cache = cacheOf(64);
    for (let i = 0; i < 40; i++) put(cache, at(i), (65_520 + i) & 0xffff);
    for (let i = 0; i < 40; i++) expect(read(cache, at(100), (65_520 + i) & 0xffff)).toBeDefined();
    expect(read(cache, at(USUAL_TUNABLES.packetCacheAgeMicros + 20), 3)).toBeUndefined();
    expect(read(cache, at(USUAL_TUNABLES.packetCacheAgeMicros + 20), 4)).toBeDefined();
  });

  it("takes a packet of the greatest length, from the middle of a larger array", () => {
    const cache = cacheOf(8);
    const length = LIMITS.rtpPacketBytesMax;
    const around = new Uint8Array(length + 20).fill(0xee);
    around.set(packet(9, 3, length), 10);
    packetCachePut(cache, at(0), 9, around, 10, length);
    expect(read(cache, at(0), 9)).toEqual(packet(9, 3, length));
  });

  it("keeps the packet alone, wherever in an array it lay and whatever was in its slot before", () => {
    const bytesOf = (fill: number, size: number, offset: number) => {
      const cache = cacheOf(8);
      put(cache, at(0), 3, 1, 1_000);
      put(cache, at(0), 4, 1, 1_000);
      const around = new Uint8Array(size).fill(fill);
      around.set(packet(11, 2, 500), offset);
      packetCachePut(cache, at(0), 11, around, offset, 500);
      return cache.bytes;
    };
    const whole = bytesOf(0xee, LIMITS.datagramBytesMax, 0);
    expect(
      whole.slice(3 * LIMITS.datagramBytesMax + 500, 4 * LIMITS.datagramBytesMax).every((byte) => byte === 0),
    ).toBe(true);
    expect(bytesOf(0xaa, 516, 0)).toEqual(whole);
    expect(bytesOf(0xbb, 9_000, 0)).toEqual(whole);
    expect(bytesOf(0xcc, 600, 17)).toEqual(whole);
  });
});
