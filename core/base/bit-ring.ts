/**
 * One bit for each of the newest numbers of a sequence.
 *
 * A ring of `size` bits, a power of two, stands for the numbers (newest - size, newest]; number n lives in bit n mod size.
 * Whoever advances to newer numbers clears their bits first, because they still hold what was true one round ago. The
 * ring does not know which number is the newest: that is the caller's to keep, and so are all bounds.
 */

/** A ring of `size` bits, all clear; `size` is a power of two and at least 32. */
export function createBitRing(size: number): Uint32Array {
  return new Uint32Array(size >>> 5);
}

/** Whether the bit of `number` is set. */
export function bitRingHas(ring: Uint32Array, number: number): boolean {
  return (ring[(number >>> 5) & (ring.length - 1)]! & (1 << (number & 31))) !== 0;
}

/** Sets the bit of `number`. */
export function bitRingSet(ring: Uint32Array, number: number): void {
  ring[(number >>> 5) & (ring.length - 1)]! |= 1 << (number & 31);
}

/** Clears the bits of `first` to `last`, both included; more numbers than the ring has bits clear all of it. */
export function bitRingClear(ring: Uint32Array, first: number, last: number): void {
  if (last - first >= ring.length * 32) {
    ring.fill(0);
    return;
  }
  for (let number = first; number <= last; number++) {
    ring[(number >>> 5) & (ring.length - 1)]! &= ~(1 << (number & 31));
  }
}

/** Sets the bits of `first` to `last`, both included; more numbers than the ring has bits set all of it. */
export function bitRingSetRange(ring: Uint32Array, first: number, last: number): void {
  if (last - first >= ring.length * 32) {
    ring.fill(0xffff_ffff);
    return;
  }
  for (let number = first; number <= last; number++) bitRingSet(ring, number);
}

/** How many bits of `first` to `last`, both included, are set; they are at most as many numbers as the ring has bits. */
export function bitRingCount(ring: Uint32Array, first: number, last: number): number {
  let count = 0;
  let number = first;
  while (number <= last) {
    const bit = number & 31;
    const taken = Math.min(32 - bit, last - number + 1);
    const mask = taken === 32 ? -1 : ((1 << taken) - 1) << bit;
    count += popCount(ring[(number >>> 5) & (ring.length - 1)]! & mask);
    number += taken;
  }
  return count;
}

/** The number of bits set in a 32-bit word. */
function popCount(word: number): number {
  let v = word - ((word >>> 1) & 0x5555_5555);
  v = (v & 0x3333_3333) + ((v >>> 2) & 0x3333_3333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
