/** Whether a misspelt name leads to the one that was meant, and nonsense to none. */
import { expect, it } from "vitest";
import { nearest } from "../../../io-sim/cli/nearest.ts";

const NAMES = [
  ...["a tunnel", "a texture", "a lecture", "cut and restored", "through the tunnel of the office"],
  ...["a room fills", "a room empties", "the next room", "one room of many", "leo"],
];

it.each([
  ["a tunnle", ["a tunnel"]],
  ["A-Tunel.ts", ["a tunnel"]],
  ["sim-scenarios/a-tunnel.mts", ["a tunnel"]],
  ["a lecture", ["a lecture", "a texture"]],
  ["tunnel", ["a tunnel", "through the tunnel of the office"]],
  ["room", ["a room fills", "a room empties", "the next room"]],
  ["geo", ["leo"]],
  ["5g", []],
  ["the restored", []],
  ["xyzzy", []],
])("%s leads to %j", (word, names) => {
  expect(nearest(word, NAMES)).toEqual(names);
});
