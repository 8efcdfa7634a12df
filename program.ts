/**
 * Which Lockstep this is: where its files lie, its version, and a fingerprint of the sources that decide what a journal's
 * inputs lead to. Two checkouts with the same core have the same fingerprint, whatever else differs in them.
 *
 * Whatever runs in one piece (bundle.mjs) has lost its own place and finds files from here.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Program } from "./core/index.ts";

const DECIDING = ["core", "io-crypto"] as const;

/** Where a file of this program lies, by its path in the project. */
export function programFile(path: string): URL {
  return new URL(path, import.meta.url);
}

/** This program's version. */
export function programVersion(): string {
  return (JSON.parse(readFileSync(programFile("package.json"), "utf8")) as { version: string }).version;
}

/** This program. */
export function thisProgram(): Program {
  const root = fileURLToPath(programFile("./"));
  const hash = createHash("sha256");
  for (const folder of DECIDING) {
    const names = readdirSync(root + folder, { recursive: true, encoding: "utf8" }).map((name) =>
      name.replaceAll("\\", "/"),
    );
    for (const name of names.filter((each) => each.endsWith(".ts")).sort((a, b) => (a < b ? -1 : 1))) {
      hash.update(`${folder}/${name}\n`).update(readFileSync(`${root}${folder}/${name}`));
    }
  }
  return { version: programVersion(), core: hash.digest("hex").slice(0, 16) };
}
