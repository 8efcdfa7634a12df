/**
 * Which Lockstep this is: its version, and a fingerprint of the sources that decide what a journal's inputs lead to. Two
 * checkouts with the same core have the same fingerprint, whatever else differs in them.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Program } from "./core/index.ts";

const ROOT = fileURLToPath(new URL("./", import.meta.url));
const DECIDING = ["core", "io-crypto"] as const;

/** This program. */
export function thisProgram(): Program {
  const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8")) as { version: string };
  const hash = createHash("sha256");
  for (const folder of DECIDING) {
    const names = readdirSync(ROOT + folder, { recursive: true, encoding: "utf8" }).map((name) =>
      name.replaceAll("\\", "/"),
    );
    for (const name of names.filter((each) => each.endsWith(".ts")).sort((a, b) => (a < b ? -1 : 1))) {
      hash.update(`${folder}/${name}\n`).update(readFileSync(`${ROOT}${folder}/${name}`));
    }
  }
  return { version, core: hash.digest("hex").slice(0, 16) };
}
