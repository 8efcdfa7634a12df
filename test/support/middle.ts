/**
 * The middle of several measurements. What is measured many times shows its price in most of them; what the compiler does
 * meanwhile shows in a few.
 */

/** The middle one of the values, which must not be empty. */
export function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
