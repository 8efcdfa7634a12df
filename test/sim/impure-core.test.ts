/**
 * The layers that keep the core pure, each tried with a core that is not: the compiler, which knows no host; the rules of
 * the house on its text; the walls around a run; and a second run in the same process, which must come out as the first.
 * What one layer lets through another has to catch.
 */
import { readFileSync } from "node:fs";
import ts from "typescript";
import { afterAll, describe, expect, it } from "vitest";
import { ms } from "../../io-sim/story/units.ts";
import { run } from "../../io-sim/world/run.ts";
import { buildImpure, ROOT, removeImpureBuilds, transpileSources } from "../support/stories/impure-build.ts";
import { smallStory } from "../support/stories/small-story.ts";
import { importDirections } from "../tidy/imports.ts";
import { noModuleState, plainConstructs, repeatableOnly, sortsHaveComparators } from "../tidy/language.ts";
import { parseSource } from "../tidy/source.ts";

/** A file of the core that each run goes through, and what is changed in it. */
const FILE = "core/base/micros.ts";
const TEXT = readFileSync(ROOT + FILE, "utf8");
const PURE = "return (time + span) as Micros;";

type Layer = "types" | "rules" | "walls" | "second run";

interface Impurity {
  readonly what: string;
  /** What is added to a span of time: it does no harm but for not being pure. */
  readonly term: string;
  /** Stands at the top of the module. */
  readonly top?: string;
  readonly caughtBy: readonly Layer[];
}

const IMPURITIES: readonly Impurity[] = [
  { what: "the time of day", term: "Date.now() % 2", caughtBy: ["rules", "walls"] },
  { what: "chance", term: "Math.floor(2 * Math.random())", caughtBy: ["rules", "walls"] },
  {
    what: "the host's clock",
    term: "Math.floor(performance.now()) % 2",
    caughtBy: ["types", "rules", "walls"],
  },
  { what: "the processor's clock", term: "process.hrtime()[1] % 2", caughtBy: ["types", "rules", "walls"] },
  {
    what: "the host's entropy",
    term: "crypto.getRandomValues(new Uint8Array(1))[0] & 1",
    caughtBy: ["types", "walls"],
  },
  { what: "a timer", term: "Number(setTimeout(() => {}, 0)) * 0", caughtBy: ["types", "rules", "walls"] },
  {
    what: "the time of day by a back door",
    term: 'new Function("return Date.now() % 2")()',
    caughtBy: ["rules", "walls"],
  },
  { what: "the environment", term: "process.env.HOME === undefined ? 0 : 1", caughtBy: ["types", "rules"] },
  {
    what: "a module of Node",
    top: 'import { cpus } from "node:os";',
    term: "cpus().length & 1",
    caughtBy: ["types", "rules"],
  },
  {
    what: "a variable of the module",
    top: "let count = 0;",
    term: "(count++ % 1_000)",
    caughtBy: ["rules", "second run"],
  },
  {
    what: "a cache of the module",
    top: "const SEEN = new Map<number, number>();",
    term: "(SEEN.has(time) ? 1 : SEEN.set(time, span).size * 0)",
    caughtBy: ["rules", "second run"],
  },
  { what: "a power", term: "Math.floor(Math.pow(span, 0.5)) * 0", caughtBy: ["rules"] },
  { what: "a power by its operator", term: "Math.floor(span ** 0.5) * 0", caughtBy: ["rules"] },
  { what: "an order of texts", term: "[10, 9].sort()[0]! * 0", caughtBy: ["rules"] },
  {
    what: "an order of keys",
    top: "function least(of: object): number {\n  for (const key in of) return Number(key);\n  return 0;\n}",
    term: "least({ 2: 0, 1: 0 })",
    caughtBy: ["rules"],
  },
  { what: "the locale", term: '"ä".localeCompare("z") * 0', caughtBy: ["rules"] },
  { what: "the locale's numbers", term: "(1.5).toLocaleString().length * 0", caughtBy: ["rules"] },
  { what: "a microtask", term: "(async () => 0)().constructor.length * 0", caughtBy: ["rules"] },
  { what: "the garbage collector", term: "(new WeakRef({}).deref() === undefined ? 1 : 0)", caughtBy: ["rules"] },
  { what: "the text of the engine's errors", term: "(new Error().stack ?? '').length * 0", caughtBy: ["rules"] },
];

const STORY = smallStory({ runFor: ms(300) });
const CORE_RULES = [importDirections, noModuleState, plainConstructs, repeatableOnly, sortsHaveComparators];
const sources = transpileSources();
const program = createCoreProgram();
afterAll(removeImpureBuilds);

/** The text with an impurity. */
function impure({ term, top = "" }: Pick<Impurity, "term" | "top">): string {
  return `${top}\n${TEXT.replace(PURE, `return (time + span + ${term}) as Micros;`)}`;
}

/** What the compiler says about the file with this text, as the core's own configuration has it. */
function typeErrors(text: string): string[] {
  const { checked, source } = program.withText(text);
  const found = [...checked.getSyntacticDiagnostics(source), ...checked.getSemanticDiagnostics(source)];
  return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, " "));
}

/** The core as a program; the file's text can be another one, and all else is checked once. */
function createCoreProgram() {
  const config = ts.getParsedCommandLineOfConfigFile(`${ROOT}core/tsconfig.json`, {}, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: () => {},
  } as ts.ParseConfigFileHost)!;
  const host = ts.createCompilerHost(config.options);
  const read = host.getSourceFile.bind(host);
  const known = new Map<string, ts.SourceFile | undefined>();
  const path = ROOT + FILE;
  let last: ts.Program | undefined;
  const withText = (text: string) => {
    host.getSourceFile = (name, version) => {
      if (name === path) return ts.createSourceFile(name, text, version, true);
      if (!known.has(name)) known.set(name, read(name, version));
      return known.get(name);
    };
    last = ts.createProgram([path], config.options, host, last);
    return { checked: last, source: last.getSourceFile(path)! };
  };
  return { withText };
}

function brokenRules(text: string): string[] {
  const source = parseSource(FILE, text);
  return CORE_RULES.flatMap((rule) => rule([source])).map(({ what }) => what);
}

/** Whether a run of this build ends at the walls, and whether a second one comes out otherwise. */
async function runTwice(name: string, text: string): Promise<Layer[]> {
  const build = await buildImpure(sources, name, FILE, text);
  const options = { withoutDrain: true };
  try {
    const first = build.run(STORY, 1, options).fingerprint;
    return build.run(STORY, 1, options).fingerprint === first ? [] : ["second run"];
  } catch (error) {
    if (String(error).includes("the core reached for")) return ["walls"];
    throw error;
  }
}

async function layersThatCatch(name: string, text: string): Promise<Layer[]> {
  return [
    ...(typeErrors(text).length > 0 ? (["types"] as const) : []),
    ...(brokenRules(text).length > 0 ? (["rules"] as const) : []),
    ...(await runTwice(name, text)),
  ];
}

describe("an impure core", () => {
  it.each(IMPURITIES.map((impurity, index) => ({ ...impurity, index })))(
    "is caught when it depends on $what",
    async ({ index, caughtBy, ...impurity }) => {
      expect(await layersThatCatch(String(index), impure(impurity))).toEqual(caughtBy);
    },
  );

  it("is seen by each layer in some form", () => {
    const layers = new Set(IMPURITIES.flatMap(({ caughtBy }) => caughtBy));
    expect([...layers].sort((a, b) => (a < b ? -1 : 1))).toEqual(["rules", "second run", "types", "walls"]);
  });
});

describe("a pure core", () => {
  it("passes all layers when it is built in the same way, with the fingerprint that it has in a process of its own", async () => {
    const text = impure({ term: "0" });
    expect(text).not.toBe(TEXT);
    expect(await layersThatCatch("pure", text)).toEqual([]);
    const built = await buildImpure(sources, "pure", FILE, text);
    const options = { withoutDrain: true };
    expect(built.run(STORY, 1, options).fingerprint).toBe(run(STORY, 1, options).fingerprint);
  });
});
