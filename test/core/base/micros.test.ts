/** Time: whole numbers, an origin away from zero, and a "never" that is later than everything. */
import { describe, expect, it } from "vitest";
import {
  between,
  earliest,
  following,
  after as later,
  MICROS_ORIGIN,
  micros,
  millis,
  NEVER,
  seconds,
} from "../../../core/base/micros.ts";

describe("spans", () => {
  it("are whole microseconds", () => {
    expect(micros(7)).toBe(7);
    expect(millis(1.5)).toBe(1_500);
    expect(millis(0.001)).toBe(1);
    expect(millis(0.0004)).toBe(0);
    expect(seconds(1)).toBe(1_000_000);
  });

  it("do not pick up the errors of decimal fractions", () => {
    for (const count of [0.1, 0.7, 1.1, 2.3, 1_000.007]) expect(Number.isInteger(millis(count))).toBe(true);
    expect(seconds(1.1)).toBe(1_100_000);
  });
});

describe("points", () => {
  it("start at 2^33", () => {
    expect(MICROS_ORIGIN).toBe(2 ** 33);
  });

  it("are apart by the span that was added", () => {
    const then = later(MICROS_ORIGIN, millis(20));
    expect(between(MICROS_ORIGIN, then)).toBe(20_000);
    expect(between(then, MICROS_ORIGIN)).toBe(-20_000);
  });

  it("have an earliest, which never is only when nothing else is there", () => {
    const then = later(MICROS_ORIGIN, millis(20));
    expect(earliest(MICROS_ORIGIN, then)).toBe(MICROS_ORIGIN);
    expect(earliest(then, MICROS_ORIGIN)).toBe(MICROS_ORIGIN);
    expect(earliest(NEVER, then)).toBe(then);
    expect(earliest(NEVER, NEVER)).toBe(NEVER);
  });

  it("come before never for a hundred years", () => {
    expect(later(MICROS_ORIGIN, seconds(100 * 366 * 86_400))).toBeLessThan(NEVER);
  });

  it("that follow each other keep in step, however late they are", () => {
    const due = later(MICROS_ORIGIN, millis(20));
    expect(following(due, due, millis(20))).toBe(MICROS_ORIGIN + 40_000);
    expect(following(due, later(due, millis(19)), millis(20))).toBe(MICROS_ORIGIN + 40_000);
    expect(following(due, later(due, millis(20)), millis(20))).toBe(MICROS_ORIGIN + 60_000);
    expect(following(due, later(due, millis(70)), millis(20))).toBe(MICROS_ORIGIN + 100_000);
    expect(following(due, later(due, seconds(100)), millis(20))).toBe(MICROS_ORIGIN + 100_040_000);
  });

  it("that were late together are apart again as they were", () => {
    const [one, other] = [later(MICROS_ORIGIN, millis(3)), later(MICROS_ORIGIN, millis(11))];
    const now = later(MICROS_ORIGIN, millis(345));
    expect(between(following(one, now, millis(20)), following(other, now, millis(20)))).toBe(8_000 - 20_000);
  });
});
