/**
 * The rules of the house with teeth. Each rule is tried first on a few lines that break it, because a rule that can't fail
 * guards nothing, and then on the whole project. A rule or a limit may be changed with a reason.
 */
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { exportsUsed } from "./tidy/exports.ts";
import { importDirections } from "./tidy/imports.ts";
import {
  everyTestRuns,
  noModuleState,
  plainConstructs,
  repeatableOnly,
  sequencesInOnePlace,
  sortsHaveComparators,
} from "./tidy/language.ts";
import { loadProject, parseSource, type Rule } from "./tidy/source.ts";
import {
  exportsDocumented,
  fileLengths,
  fileNames,
  functionLengths,
  headersPresent,
  nothingPutOff,
  proseWidths,
} from "./tidy/text.ts";

const PROJECT = loadProject(fileURLToPath(new URL("../", import.meta.url)));

/** What a rule says about the project, or about these files: a line each. */
function offences(rule: Rule, files?: Readonly<Record<string, string>>): string[] {
  const sources = files === undefined ? PROJECT : Object.entries(files).map(([path, text]) => parseSource(path, text));
  return rule(sources).map(({ path, line, what }) => `${path}:${line}: ${what}`);
}

/** How many offences a rule finds in one file. */
function count(rule: Rule, path: string, text: string): number {
  return offences(rule, { [path]: text }).length;
}

describe("the project", { timeout: 30_000 }, () => {
  it("is there to be looked at", () => {
    expect(PROJECT.length).toBeGreaterThan(50);
  });

  it.each<[string, Rule]>([
    ["imports only in the directions of the house", importDirections],
    ["reaches for nothing that differs from run to run", repeatableOnly],
    ["gives every sort a comparator", sortsHaveComparators],
    ["has no class in the core, no enum and no namespace", plainConstructs],
    ["keeps no state in the core's modules", noModuleState],
    ["counts around the wrap of 16 bits in one file of the core", sequencesInOnePlace],
    ["runs every test", everyTestRuns],
    ["names its files in kebab-case", fileNames],
    ["has no file over 800 lines", fileLengths],
    ["has no comment over 128 columns", proseWidths],
    ["has no function over 70 lines", functionLengths],
    ["opens every file with prose", headersPresent],
    ["documents what it exports", exportsDocumented],
    ["puts nothing off", nothingPutOff],
    ["exports nothing that nobody imports", exportsUsed],
  ])("%s", (_claim, rule) => {
    expect(offences(rule)).toEqual([]);
  });
});

describe("import directions", () => {
  it.each([
    ["a protocol that imports another", "core/ice/a.ts", "../dtls/dtls.ts"],
    ["media that imports a protocol", "core/media/a.ts", "../srtp/context.ts"],
    ["wire that imports crypto", "core/wire/a.ts", "../crypto/provider.ts"],
    ["base that imports wire", "core/base/a.ts", "../wire/rtp.ts"],
    ["a peer that imports the SFU", "core/peer/a.ts", "../sfu/shard.ts"],
    ["the core that imports a package", "core/sfu/a.ts", "zod"],
    ["the core that imports Node", "core/sfu/a.ts", "node:fs"],
    ["the core that imports a host", "core/sfu/a.ts", "../../io-node/main.ts"],
    ["a host that imports the other", "io-node/a.ts", "../io-sim/index.ts"],
    ["the other that imports the first", "io-sim/a.ts", "../io-node/main.ts"],
    ["a host that reaches into the core", "io-node/a.ts", "../core/sfu/shard.ts"],
    ["the simulator that reaches into the core", "io-sim/a.ts", "../core/wire/rtp.ts"],
    ["the ground of the simulator that knows of worlds", "io-sim/base/a.ts", "../world/world.ts"],
    ["a link that knows of worlds", "io-sim/link/a.ts", "../world/topology.ts"],
    ["a simulated client that looks into its world", "io-sim/client/a.ts", "../world/world.ts"],
    ["a simulated client that reaches for ICE", "io-sim/client/a.ts", "../../core/ice/agent.ts"],
    ["the simulator that imports Node", "io-sim/a.ts", "node:fs"],
    ["cryptography that imports another part of Node", "io-crypto/a.ts", "node:fs"],
    ["cryptography that imports the SFU", "io-crypto/a.ts", "../core/sfu/shard.ts"],
    ["a story that imports the core", "sim-scenarios/a.ts", "../core/index.ts"],
    ["a story that reaches into the simulator", "sim-scenarios/a.ts", "../io-sim/link/index.ts"],
  ])("refuse %s", (_what, path, specifier) => {
    expect(count(importDirections, path, `import { a } from "${specifier}";`)).toBe(1);
  });

  it.each([
    ["a type", 'import type { A } from "../dtls/dtls.ts";'],
    ["an export from elsewhere", 'export { a } from "../dtls/dtls.ts";'],
    ["an import at run time", 'const a = import("../dtls/dtls.ts");'],
    ["an import inside a type", 'type A = import("../dtls/dtls.ts").A;'],
  ])("see %s too", (_what, text) => {
    expect(count(importDirections, "core/ice/a.ts", text)).toBe(1);
  });

  it.each([
    ["core/ice/a.ts", "../wire/stun.ts"],
    ["core/ice/a.ts", "./b.ts"],
    ["core/ice/a.ts", "../limits.ts"],
    ["core/peer/a.ts", "../dtls/dtls.ts"],
    ["core/index.ts", "./sfu/shard.ts"],
    ["io-node/a.ts", "../core/index.ts"],
    ["io-node/a.ts", "../io-crypto/index.ts"],
    ["io-node/a.ts", "pino"],
    ["io-sim/a.ts", "seedrandom"],
    ["io-sim/cli/a.ts", "node:fs"],
    ["io-sim/client/a.ts", "../../core/dtls/dtls.ts"],
    ["io-crypto/a.ts", "@noble/curves/nist.js"],
    ["sim-scenarios/a.ts", "../io-sim/index.ts"],
    ["test/a.test.ts", "../io-node/main.ts"],
  ])("let %s import %s", (path, specifier) => {
    expect(count(importDirections, path, `import { a } from "${specifier}";`)).toBe(0);
  });
});

describe("repeatability", () => {
  it.each([
    "Date.now()",
    "new Date()",
    "globalThis.Date",
    "Math.random()",
    "new WeakRef(a)",
    "new FinalizationRegistry(f)",
    "new Intl.Collator()",
    "a.localeCompare(b)",
    "a.toLocaleString()",
  ])("refuses %s in the core and in the simulator", (expression) => {
    expect(count(repeatableOnly, "core/base/a.ts", `f(${expression});`)).toBeGreaterThan(0);
    expect(count(repeatableOnly, "io-sim/a.ts", `f(${expression});`)).toBeGreaterThan(0);
    expect(count(repeatableOnly, "io-sim/cli/a.ts", `f(${expression});`)).toBe(0);
  });

  it.each([
    "Math.pow(2, 3)",
    "Math.exp(1)",
    "Math.log(1)",
    "Math.sin(1)",
    "2 ** 3",
    "(a **= 2)",
    "10n",
    "BigInt(10)",
    "Buffer.from(a)",
    "process.env",
    "setTimeout(f)",
    "console.log(a)",
    "async () => 1",
    "Promise.resolve(1)",
    'new Function("")',
    'eval("")',
    "new Error().stack",
    "() => { for (const key in a); }",
    "() => { try { f(); } catch (error) {} }",
    "{ Date }",
  ])("refuses %s in the core", (expression) => {
    expect(count(repeatableOnly, "core/base/a.ts", `f(${expression});`)).toBeGreaterThan(0);
  });

  it("refuses a type that stands for one of them", () => {
    expect(count(repeatableOnly, "core/base/a.ts", "let a: Promise<number>;")).toBe(1);
  });

  it.each(["Math.floor(a)", "Math.PI", "a.Date", "{ process: 1 }", "a.crypto"])(
    "lets the core say %s",
    (expression) => {
      expect(count(repeatableOnly, "core/base/a.ts", `f(${expression});`)).toBe(0);
    },
  );

  it("lets the core call an argument by a host's word", () => {
    expect(count(repeatableOnly, "core/base/a.ts", "function f(process: number) {}")).toBe(0);
  });
});

describe("sorting", () => {
  it("without a comparator is refused everywhere", () => {
    expect(count(sortsHaveComparators, "test/a.ts", "[3, 10].sort();")).toBe(1);
    expect(count(sortsHaveComparators, "core/a.ts", "[3, 10].toSorted();")).toBe(1);
  });

  it("with one is fine", () => {
    expect(count(sortsHaveComparators, "core/a.ts", "[3, 10].sort((a, b) => a - b);")).toBe(0);
  });
});

describe("constructs", () => {
  it.each([
    ["a class", "class A {}"],
    ["a class without a name", "f(class {});"],
    ["an enum", "enum A { B }"],
    ["a namespace", "namespace A {}"],
  ])("of the core are never %s", (_what, text) => {
    expect(count(plainConstructs, "core/a.ts", text)).toBe(1);
  });

  it("let the one error be a class, and hosts have classes", () => {
    expect(count(plainConstructs, "core/errors.ts", "class LockstepError extends Error {}")).toBe(0);
    expect(count(plainConstructs, "io-node/a.ts", "class A {}")).toBe(0);
  });
});

describe("module state", () => {
  it.each([
    ["a variable", "let count = 0;"],
    ["an old variable", "var count = 0;"],
    ["a map", "const peers = new Map();"],
    ["an array", "const list: number[] = [];"],
    ["an object", "const state = { count: 0 };"],
    ["a typed array", "const scratch = new Uint8Array(16);"],
    ["a typed array made by a call", "const scratch = Uint8Array.of(1);"],
    ["what a factory made", "const heap = createHeap();"],
    ["an array under a type assertion", "const list = [] as number[];"],
  ])("is %s", (_what, text) => {
    expect(count(noModuleState, "core/a.ts", text)).toBe(1);
  });

  it.each([
    ["an element", "function f() { TABLE[0] = 1; }"],
    ["a counter", "function f() { TABLE[0]!++; }"],
    ["a method", "const f = () => TABLE.fill(0);"],
    ["something deeper", "function f() { TABLE.a.b.push(1); }"],
  ])("is a table when a function writes %s", (_what, text) => {
    expect(count(noModuleState, "core/a.ts", `const TABLE = make();\n${text}`)).toBe(1);
  });

  it.each([
    ["a number", "const limit = 3;"],
    ["a computed number", "const span = millis(20);"],
    ["a function", "const f = () => [];"],
    ["a table", "export const CODES = { A: 1 } as const;"],
    ["a table that is filled while the module loads", "const TABLE = new Uint8Array(4);\nTABLE[0] = 1;"],
    ["a variable of a function", "function f() { let a = []; a.push(1); }"],
  ])("is not %s", (_what, text) => {
    expect(count(noModuleState, "core/a.ts", text)).toBe(0);
  });

  it("is the core's business alone", () => {
    expect(count(noModuleState, "io-node/a.ts", "let count = 0;")).toBe(0);
  });
});

describe("sequence arithmetic", () => {
  it.each(["(a + 1) & 0xffff", "(a.b - c) & 0xffff", "(a + b) & 65535", "((a + 1)) & 0xffff"])(
    "is refused outside of its file: %s",
    (expression) => {
      expect(count(sequencesInOnePlace, "core/sfu/a.ts", `f(${expression});`)).toBe(1);
      expect(count(sequencesInOnePlace, "core/base/sequence.ts", `f(${expression});`)).toBe(0);
      expect(count(sequencesInOnePlace, "io-sim/a.ts", `f(${expression});`)).toBe(0);
    },
  );

  it.each(["a & 0xffff", "(a + 1) & 0xff", "(a << 16) & 0xffff", "(a + 1) >>> 0"])("is not %s", (expression) => {
    expect(count(sequencesInOnePlace, "core/sfu/a.ts", `f(${expression});`)).toBe(0);
  });
});

describe("tests that do not run", () => {
  it.each(["describe.only", "it.skip", "test.todo", "it.skip.each([])", "it.each([]).only"])(
    "are found: %s",
    (call) => {
      expect(count(everyTestRuns, "test/a.test.ts", `${call}("a", () => {});`)).toBe(1);
    },
  );

  it("are not those that depend on the machine", () => {
    expect(count(everyTestRuns, "test/a.test.ts", 'describe.skipIf(chromium === "")("a", () => {});')).toBe(0);
  });
});

describe("names and lengths", () => {
  it("refuse a file in another case", () => {
    expect(count(fileNames, "core/base/TimerHeap.ts", "")).toBe(1);
    expect(count(fileNames, "core/base/timer_heap.ts", "")).toBe(1);
    expect(count(fileNames, "test/core/timer-heap.test.ts", "")).toBe(0);
  });

  it("refuse the 801st line", () => {
    expect(count(fileLengths, "core/a.ts", "a;\n".repeat(800))).toBe(0);
    expect(count(fileLengths, "core/a.ts", "a;\n".repeat(801))).toBe(1);
  });

  it.each(["// ", " * ", "/** "])("refuse the 129th column of a comment that begins with %j", (begin) => {
    const line = begin + "word ".repeat(30);
    expect(count(proseWidths, "core/a.ts", line.slice(0, 128))).toBe(0);
    expect(count(proseWidths, "core/a.ts", line.slice(0, 129))).toBe(1);
    expect(count(proseWidths, "core/a.ts", `const a = "${line}";`)).toBe(0);
  });

  it.each([
    ["a function", "function f() {", "}"],
    ["an arrow", "const f = () => {", "};"],
    ["a method", "const a = { f() {", "} };"],
  ])("refuse the 71st line of %s", (_what, open, close) => {
    expect(count(functionLengths, "core/a.ts", `${open}\n${"a;\n".repeat(70)}${close}`)).toBe(0);
    expect(count(functionLengths, "core/a.ts", `${open}\n${"a;\n".repeat(71)}${close}`)).toBe(1);
  });

  it("leave the bodies of tests alone, and no other function of a test file", () => {
    const long = "a;\n".repeat(100);
    expect(
      count(functionLengths, "test/a.test.ts", `describe("a", () => {\nit.each([])("b", () => {\n${long}});\n});`),
    ).toBe(0);
    expect(count(functionLengths, "test/a.ts", `function suite() {\nit("a", () => {\n${long}});\n}`)).toBe(0);
    expect(count(functionLengths, "test/a.test.ts", `function f() {\n${long}}`)).toBe(1);
  });
});

describe("headers", () => {
  const prose = "/**\n * What this is.\n * And why.\n */\n";

  it("are missing when a file begins with code, a line comment or a single line", () => {
    expect(count(headersPresent, "core/a.ts", "const a = 1;")).toBe(1);
    expect(count(headersPresent, "core/a.ts", `const a = 1;\n${prose}const b = 2;`)).toBe(1);
    expect(count(headersPresent, "core/a.ts", "// One line.\n// Another.\nconst a = 1;")).toBe(1);
    expect(count(headersPresent, "io-sim/a.ts", "/** One line. */\nconst a = 1;")).toBe(1);
    expect(count(headersPresent, "sim-scenarios/a.ts", "export default 1;")).toBe(1);
  });

  it("are too long when nobody would read them", () => {
    const header = (lines: number) => `/**\n${" * More.\n".repeat(lines)} */\nconst a = 1;`;
    expect(count(headersPresent, "core/a.ts", header(15))).toBe(0);
    expect(count(headersPresent, "core/a.ts", header(16))).toBe(1);
  });

  it("are there when prose comes first", () => {
    expect(count(headersPresent, "core/a.ts", `${prose}const a = 1;`)).toBe(0);
    expect(count(headersPresent, "io-node/a.ts", `#!/usr/bin/env node\n${prose}const a = 1;`)).toBe(0);
    expect(count(headersPresent, "sim-scenarios/a.ts", "// A viewer keeps moving pictures.\nexport default 1;")).toBe(
      0,
    );
  });
});

describe("documentation", () => {
  it.each(["export function f() {}", "export const A = 1;", "export type A = 1;", "export interface A {}"])(
    "is missing before %s",
    (text) => {
      expect(count(exportsDocumented, "core/a.ts", `import "./b.ts";\n${text}`)).toBe(1);
      expect(count(exportsDocumented, "core/a.ts", `import "./b.ts";\n// Not a doc comment.\n${text}`)).toBe(1);
      expect(count(exportsDocumented, "core/a.ts", `import "./b.ts";\n/** What it is. */\n${text}`)).toBe(0);
    },
  );

  it("is not what introduces the file", () => {
    expect(count(exportsDocumented, "core/a.ts", "/** The file. */\nexport const A = 1;")).toBe(1);
    expect(count(exportsDocumented, "core/a.ts", "/** The file. */\n\n/** The name. */\nexport const A = 1;")).toBe(0);
  });

  it("is not asked of what stays inside", () => {
    expect(count(exportsDocumented, "core/a.ts", "function f() {}\nfunction g() {}")).toBe(0);
  });
});

describe("what was put off", () => {
  it.each([
    "// TODO: later",
    "/* FIXME */",
    "const a = 1; // XXX",
    "/** Says\n * TODO\n */\nfunction f() {}",
    "f(/* TODO */ 1);",
    "function f() {\n  // TODO\n}",
  ])("is found in %j", (text) => {
    expect(count(nothingPutOff, "core/a.ts", text)).toBe(1);
  });

  it("is not found in texts or longer words", () => {
    expect(count(nothingPutOff, "core/a.ts", 'const a = "TODO"; // TODOS')).toBe(0);
  });
});

describe("dead exports", () => {
  const used = 'import { a } from "./a.ts";';

  it("are names that nobody imports", () => {
    const files = { "core/a.ts": "export const a = 1;\nexport function b() {}", "core/b.ts": used };
    expect(offences(exportsUsed, files)).toEqual(["core/a.ts:2: nobody imports b"]);
  });

  it("are not kept alive by a file's own use", () => {
    expect(count(exportsUsed, "core/a.ts", "export const a = 1;\nf(a);")).toBe(1);
  });

  it("are not kept alive by an index that passes them on to nobody", () => {
    const files = { "io-crypto/a.ts": "export const a = 1;", "io-crypto/index.ts": 'export { a } from "./a.ts";' };
    expect(offences(exportsUsed, files).length).toBe(2);
  });

  it("are alive when somebody takes them from the index, under whatever name", () => {
    const files = {
      "io-crypto/a.ts": "export const a = 1;\nexport const b = 2;",
      "io-crypto/index.ts": 'export { a as c } from "./a.ts";\nexport * from "./a.ts";',
      "io-node/b.ts": 'import { c, b } from "../io-crypto/index.ts";',
    };
    expect(offences(exportsUsed, files)).toEqual([]);
  });

  it("are alive on a public surface", () => {
    const files = { "core/a.ts": "export const a = 1;", "core/index.ts": 'export { a } from "./a.ts";' };
    expect(offences(exportsUsed, files)).toEqual([]);
  });

  it("are alive when a module is taken whole", () => {
    const files = { "core/a.ts": "export const a = 1;", "test/b.ts": 'import * as everything from "../core/a.ts";' };
    expect(offences(exportsUsed, files)).toEqual([]);
  });

  it("are not the types in a signature that is exported", () => {
    const files = {
      "core/a.ts": "export interface A {}\nexport interface B {}\nexport function a(x: A) { const b: B = x; }",
      "core/b.ts": used,
    };
    expect(offences(exportsUsed, files)).toEqual(["core/a.ts:2: nobody imports B"]);
  });

  it("are not the commands that the launcher names", () => {
    const files = {
      "io-node/a.ts": "export function main() {}\nexport function b() {}",
      "lockstep.mjs": 'const COMMANDS = { serve: "./io-node/a.ts" };',
    };
    expect(offences(exportsUsed, files)).toEqual(["io-node/a.ts:2: nobody imports b"]);
  });

  it("are not stories", () => {
    expect(count(exportsUsed, "sim-scenarios/a.ts", "export default 1;")).toBe(0);
    expect(count(exportsUsed, "io-sim/a.ts", "export default 1;")).toBe(1);
  });
});
