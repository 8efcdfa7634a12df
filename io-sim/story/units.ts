/**
 * The units of stories: each makes the whole number that plans hold.
 */

/** Seconds as microseconds. */
export function seconds(count: number): number {
  return Math.round(count * 1_000_000);
}

/** Milliseconds as microseconds. */
export function ms(count: number): number {
  return Math.round(count * 1_000);
}

/** Kilobits per second as bits per second. */
export function kbps(count: number): number {
  return Math.round(count * 1_000);
}

/** A share in percent as millionths. */
export function percent(count: number): number {
  return Math.round(count * 10_000);
}
