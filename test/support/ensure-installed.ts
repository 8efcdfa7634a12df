/**
 * Sees to it that a program that tests need is there: one that is installed, or on Debian and Ubuntu as root one that
 * apt-get brings.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

/**
 * Answers "" when the program is there now, otherwise one sentence that says what to install. `missing` answers that
 * sentence, or "" when nothing is missing; `debianPackage` is what brings the program.
 */
export function ensureInstalled(debianPackage: string, missing: () => string): string {
  const sentence = missing();
  if (sentence === "" || !isDebian() || process.getuid?.() !== 0) return sentence;
  console.log(`No ${debianPackage} here; installing Debian's with apt-get.`);
  apt(["update"]);
  apt(["install", "-y", "--no-install-recommends", debianPackage]);
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
