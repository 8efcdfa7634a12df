/**
 * What the rules of `test/tidy.test.ts` look at: source files as syntax trees, and nothing else. A rule is a pure function
 * from a set of files to the offences in it, so that it can be tried on a few lines as well as on the whole project.
 */
import { readdirSync, readFileSync } from "node:fs";
import ts from "typescript";

/** One source file. */
export interface Source {
  /** From the project's root, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
  /** Every node of the tree, parents before children. */
  readonly nodes: readonly ts.Node[];
}

/** A line that breaks a rule. */
export interface Offence {
  readonly path: string;
  /** Counted from 1. */
  readonly line: number;
  /** What is wrong, in a few words. */
  readonly what: string;
}

/** A rule of the house. */
export type Rule = (sources: readonly Source[]) => Offence[];

/** The files at the root. */
const ROOT_FILES = ["bundle.mjs", "lockstep.mjs", "program.ts"] as const;

/** The folders whose files the rules look at. */
const FOLDERS = ["bench", "core", "io-crypto", "io-node", "io-sim", "sim-scenarios", "test"] as const;

/** Takes a text for the source file at `path`. */
export function parseSource(path: string, text: string): Source {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const nodes: ts.Node[] = [];
  const collect = (node: ts.Node): void => {
    nodes.push(node);
    ts.forEachChild(node, collect);
  };
  collect(tree);
  return { path, text, tree, nodes };
}

/** Every source file of the project under `root`, which ends in a slash. */
export function loadProject(root: string): Source[] {
  const sources = ROOT_FILES.map((name) => parseSource(name, readFileSync(root + name, "utf8")));
  for (const folder of FOLDERS) {
    for (const name of readdirSync(root + folder, { recursive: true, encoding: "utf8" }).sort(byText)) {
      const path = `${folder}/${name.replaceAll("\\", "/")}`;
      if (/\.[cm]?ts$/.test(path)) sources.push(parseSource(path, readFileSync(root + path, "utf8")));
    }
  }
  return sources;
}

/** The line on which `node` begins, counted from 1. */
function lineOf(source: Source, node: ts.Node): number {
  return source.tree.getLineAndCharacterOfPosition(node.getStart(source.tree)).line + 1;
}

/** An offence at `node`. */
export function offenceAt(source: Source, node: ts.Node, what: string): Offence {
  return { path: source.path, line: lineOf(source, node), what };
}

/** Whether `path` lies in one of these folders, or is one of these files. */
export function liesIn(path: string, ...places: readonly string[]): boolean {
  return places.some((place) => path === place || path.startsWith(`${place}/`));
}

/** Whether a file is a test or belongs to the tests. */
export function isTest(path: string): boolean {
  return liesIn(path, "test");
}

/** The same order on every machine. */
function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
