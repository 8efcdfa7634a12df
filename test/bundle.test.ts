import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundle, restoreLines, runBundled } from "../bundle.mjs";

let folder: string;
let entry: URL;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-bundle-"));
  writeFileSync(
    join(folder, "wing.ts"),
    "export interface Wing {}\n\nexport const fail = (): never => {\n  throw new Error('why');\n};\n",
  );
  writeFileSync(
    join(folder, "entry.ts"),
    'export { fail } from "./wing.ts";\nexport const place: string = import.meta.url;\n',
  );
  entry = pathToFileURL(join(folder, "entry.ts"));
});

afterAll(() => rmSync(folder, { recursive: true }));

describe("modules in one piece", () => {
  it("run, and find the project's files from where program.ts lies", () => {
    const prepare = Error.prepareStackTrace;
    const { place } = runBundled<{ place: string }>(entry, "piece.js");
    Error.prepareStackTrace = prepare;
    expect(place).toBe(new URL("../program.ts", import.meta.url).href);
  });

  it("tell of an error with the lines of the sources", () => {
    const prepare = Error.prepareStackTrace;
    const { fail } = runBundled<{ fail: () => never }>(entry, "piece.js");
    try {
      fail();
    } catch (error) {
      expect((error as Error).stack).toMatch(/^Error: why\n {4}at fail \(\S*wing\.ts:4:9\)\n/);
    } finally {
      Error.prepareStackTrace = prepare;
    }
    expect.assertions(1);
  });

  it("leave the stacks of others alone", () => {
    const stack = "Error: why\n    at other.js:1:1";
    expect(restoreLines(bundle(entry, "piece.js"), stack)).toBe(stack);
  });
});
