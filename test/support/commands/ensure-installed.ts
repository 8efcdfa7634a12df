/**
 * Sees to it that a program that tests need is there: one that is installed, or on Debian and Ubuntu as root one that
 * apt-get brings.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

/**
 * Answers "" when the program is there now, otherwise one sentence that says what to install. `missing` answers that
 * sentence, or "" when nothing is missing; `packages` bring the program, each tried when those before it did not.
 */
export function ensureInstalled(packages: readonly string[], missing: () => string): string {
  const sentence = missing();
  if (sentence === "" || !isDebian() || process.getuid?.() !== 0) return sentence;
  console.log(`No ${packages[0]} here; installing it with apt-get.`);
  apt(["update"]);
  for (const name of packages) {
    if (missing() !== "") apt(["install", "-y", "--no-install-recommends", name]);
  }
  return missing();
}

function apt(words: readonly string[]): void {
  spawnSync("apt-get", words, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
}

function isDebian(): boolean {
  if (!existsSync("/etc/os-release")) return false;
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync("/etc/os-release", "utf8"));
}
