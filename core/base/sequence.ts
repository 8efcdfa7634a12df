/**
 * Serial numbers that wrap: RTP and transport-wide sequence numbers (16 bits), RTP timestamps (32 bits).
 *
 * Picture a circle. "Newer" means reached by going less than half way round forwards (RFC 1982 §3.2); two numbers exactly
 * half a circle apart are ordered by value, so that the relation stays antisymmetric. This is the only file that does
 * such arithmetic.
 */

/** `a + delta` on the 16-bit circle; `delta` may be negative. */
export function seqAdd16(a: number, delta: number): number {
  return (a + delta) & 0xffff;
}

/** The signed distance from `from` to `to` on the 16-bit circle, in -32768 to 32767. */
export function seqDistance16(from: number, to: number): number {
  return ((to - from) << 16) >> 16;
}

/** Whether `a` is newer than `b` on the 16-bit circle. */
export function seqNewer16(a: number, b: number): boolean {
  const distance = (a - b) & 0xffff;
  return distance === 0x8000 ? a > b : distance !== 0 && distance < 0x8000;
}

/** `a + delta` on the 32-bit circle; `delta` may be negative, and at most 2^52 in size. */
export function seqAdd32(a: number, delta: number): number {
  return (a + delta) >>> 0;
}

/** The signed distance from `from` to `to` on the 32-bit circle, in -2^31 to 2^31-1. */
export function seqDistance32(from: number, to: number): number {
  return (to - from) | 0;
}

/** Whether `a` is newer than `b` on the 32-bit circle. */
export function seqNewer32(a: number, b: number): boolean {
  const distance = (a - b) >>> 0;
  return distance === 0x8000_0000 ? a > b : distance !== 0 && distance < 0x8000_0000;
}

/**
 * The number nearest to `reference` whose low 16 bits are `seq`: how a count of cycles is kept beside a wrapped number.
 * The result may be negative when `reference` is under 2^15.
 */
export function seqUnwrap16(reference: number, seq: number): number {
  return reference + seqDistance16(reference & 0xffff, seq);
}
