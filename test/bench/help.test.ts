/** The help of every benchmark: which there are, and an example of each that takes no flag but its own. */
import { expect, it } from "vitest";
import { benchCommand } from "../support/commands/command.ts";

const subjects = async () =>
  [...(await benchCommand("--help")).out.matchAll(/^ {2}(\w+) {2,}/gm)].map(([, name]) => name!);

it("is listed by subjects, in two columns", async () => {
  expect(await subjects()).toEqual("core forward joins limit overload peers planted receive shards shrink".split(" "));
});

it("ends with an example of each", async () => {
  for (const subject of await subjects()) {
    const { status, out } = await benchCommand(subject, "--help");
    const [example, ...before] = out.trim().split("\n").reverse();
    expect([status, example]).toEqual([0, expect.stringMatching(`^Example: lockstep bench ${subject} `)]);
    for (const [flag] of example!.matchAll(/--[a-z]+/g)) expect(before.join("\n")).toContain(`  ${flag} <`);
  }
});
