/** Assertions: silent when they hold, loud and recognisable when they don't. */
import { describe, expect, it } from "vitest";
import { assert, must, unreachable } from "../../../core/base/assert.ts";

describe("assert", () => {
  it("says nothing when its condition holds", () => {
    expect(() => assert(true, "all is well")).not.toThrow();
  });

  it("throws what it was told when it does not", () => {
    expect(() => assert(false, "the heap is in order")).toThrow("assertion failed: the heap is in order");
  });
});

describe("must", () => {
  it.each([0, "", false])("hands through %j, which is something", (value) => {
    expect(must(value, "it is there")).toBe(value);
  });

  it.each([undefined, null])("refuses %s", (value) => {
    expect(() => must(value, "it is there")).toThrow("assertion failed: it is there");
  });
});

describe("unreachable", () => {
  it("names the value that should not have come", () => {
    expect(() => unreachable("surprise" as never)).toThrow("unreachable value surprise");
  });
});
