/**
 * Wireshark without its window, for tests that let it judge what we write: finds it, and asks it about a capture.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { ensureInstalled } from "./ensure-installed.ts";

/** Where tshark usually is; the environment variable LOCKSTEP_TSHARK goes before all of them. */
const USUAL_PLACES = ["/usr/bin/tshark", "/usr/local/bin/tshark", "/opt/homebrew/bin/tshark"];

/** Answers "" when there is a tshark now, otherwise one sentence that says what to install. */
export function ensureTshark(): string {
  return ensureInstalled(["tshark"], () => (findTshark() === undefined ? missingTshark() : ""));
}

/** What tshark prints; throws with a sentence when there is no tshark, or when it complains of the file. */
export function tshark(...words: readonly string[]): string {
  const path = findTshark();
  if (path === undefined) throw new Error(missingTshark());
  const { status, stdout, stderr } = spawnSync(path, words, { encoding: "utf8", maxBuffer: 1 << 28 });
  // It always says so when it is run by root.
  const complaint = stderr.replace(/^Running as user .*\n/, "").trim();
  if (status !== 0 || complaint !== "") throw new Error(`tshark complains (${status}): ${complaint}`);
  return stdout;
}

function findTshark(): string | undefined {
  const wanted = process.env.LOCKSTEP_TSHARK;
  if (wanted !== undefined && wanted !== "") return existsSync(wanted) ? wanted : undefined;
  return USUAL_PLACES.find((place) => existsSync(place));
}

function missingTshark(): string {
  return `Captures can't be judged: no tshark at ${process.env.LOCKSTEP_TSHARK || USUAL_PLACES.join(", ")}; install Debian's package tshark (Wireshark's command line), or set LOCKSTEP_TSHARK to its path.`;
}
