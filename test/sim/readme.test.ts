/** The story that the README prints is one of the stories that run: what a reader copies is what the gate has held. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

it("the story in the README stands in sim-scenarios, letter by letter", () => {
  const [, printed] = /```ts\n(\/\*\*\n \* "My train[\s\S]*?)```/.exec(read("README.md")) ?? [];
  expect(printed).toBe(read("sim-scenarios/a-tunnel.ts"));
});
