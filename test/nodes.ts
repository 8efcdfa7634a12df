/**
 * Whether all committed stories have the same fingerprints on other versions of Node: fetches each from npm into a folder
 * of its own for as long as the test lasts, and runs `lockstep sim` with it. It needs the registry and some minutes, so it
 * is no part of `npm test`.
 *
 *     npm run test:nodes                    on Node 22 and 24
 *     npm run test:nodes -- 26 24.1.0       on these
 *
 * The exit status is 0 when all fingerprints are those of the Node that runs this, 1 when one is not or a Node could not be
 * had, and 2 for wrong use.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const VERSIONS = ["22", "24"];
const LOCKSTEP = fileURLToPath(new URL("../lockstep.mjs", import.meta.url));
/** Largest output of `lockstep sim --json`. */
const OUTPUT_BYTES_MAX = 64 << 20;

interface Outcome {
  readonly verdict: string;
  readonly fingerprint: string;
}

const versions = process.argv.length > 2 ? process.argv.slice(2) : VERSIONS;
const strange = versions.find((version) => !/^\d+(\.\d+){0,2}$/.test(version));
if (strange !== undefined) {
  console.error(`npm run test:nodes takes versions of Node such as 24 or 24.1.0, not "${strange}".`);
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), "lockstep-nodes-"));
try {
  process.exitCode = compareAll() ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Runs all stories on each version; whether all came out as here. */
function compareAll(): boolean {
  console.log(`Running all stories on ${process.version} …`);
  const here = simulate(process.execPath);
  if (here === undefined) return false;
  return versions.map((version) => compare(version, here)).every((same) => same);
}

function compare(version: string, here: ReadonlyMap<string, Outcome>): boolean {
  const node = fetchNode(version);
  if (node === undefined) return false;
  const exact = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim();
  console.log(`Running all stories on ${exact} …`);
  const there = simulate(node);
  if (there === undefined) return false;
  const different = [...here].filter(([run, { fingerprint }]) => there.get(run)?.fingerprint !== fingerprint);
  for (const [run, outcome] of different) {
    console.error(`  ${run}: ${tell(outcome)} here, ${tell(there.get(run))} on ${exact}`);
  }
  console.log(`${exact}: ${here.size - different.length} of ${here.size} runs have the same fingerprint`);
  return different.length === 0 && there.size === here.size;
}

function tell(outcome: Outcome | undefined): string {
  return outcome === undefined ? "nothing" : `${outcome.verdict} ${outcome.fingerprint}`;
}

/** The Node of this version, or undefined when it can't be had. npm has one package for each kind of machine. */
function fetchNode(version: string): string | undefined {
  const system = process.platform === "win32" ? "win" : process.platform;
  const name = `node-${system}-${process.arch}`;
  const prefix = join(folder, version);
  const words = ["install", "--prefix", prefix, "--no-save", "--no-audit", "--no-fund", `${name}@${version}`];
  const { status, stderr } = spawnSync("npm", words, { encoding: "utf8", shell: process.platform === "win32" });
  if (status === 0) return join(prefix, "node_modules", name, "bin", system === "win" ? "node.exe" : "node");
  console.error(`Node ${version} can't be had from npm as ${name}@${version}: ${stderr?.trim().split("\n")[0]}`);
  return undefined;
}

/** What each story and seed comes out as, by "story, seed N"; undefined when this Node can't run them. */
function simulate(node: string): Map<string, Outcome> | undefined {
  const { status, stdout } = spawnSync(node, [LOCKSTEP, "sim", "--json"], {
    encoding: "utf8",
    maxBuffer: OUTPUT_BYTES_MAX,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = stdout.split("\n").filter((line) => line !== "");
  const outcomes = lines.map((line) => JSON.parse(line) as Outcome & { story: string; seed: number });
  if (status !== 0) console.error(`"lockstep sim" ended with status ${status} after ${lines.length} runs.`);
  if (outcomes.length === 0) return undefined;
  return new Map(outcomes.map(({ story, seed, ...outcome }) => [`${story}, seed ${seed}`, outcome]));
}
