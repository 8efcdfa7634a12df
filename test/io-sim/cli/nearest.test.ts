/** Whether a misspelt name leads to the one that was meant, and nonsense to none. */
import { expect, it } from "vitest";
import { nearest } from "../../../io-sim/cli/nearest.ts";

const NAMES = ["a tunnel", "a lecture", "cut and restored", "through the tunnel of the office"];

it.each([
  ["a tunnle", ["a tunnel"]],
  ["A-Tunel.ts", ["a tunnel"]],
  ["tunnel", ["a tunnel", "through the tunnel of the office"]],
  ["the restored", []],
  ["xyzzy", []],
])("%s leads to %j", (word, names) => {
  expect(nearest(word, NAMES)).toEqual(names);
});
