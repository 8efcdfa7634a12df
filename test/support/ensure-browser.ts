/**
 * Sees to it that there is a Chromium for the browser tests: one that is installed, or on Debian and Ubuntu as root one
 * that apt-get brings.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { findChromium } from "../browser/chromium.ts";

/** Answers "" when there is a browser now, otherwise one sentence that says what to install. */
export function ensureBrowser(): string {
  const missing = whatIsMissing();
  if (missing === "" || !isDebian() || process.getuid?.() !== 0) return missing;
  console.log("No Chromium here; installing Debian's with apt-get.");
  apt(["update"]);
  apt(["install", "-y", "--no-install-recommends", "chromium"]);
  return whatIsMissing();
}

function whatIsMissing(): string {
  try {
    findChromium();
    return "";
  } catch (error) {
    return `The browser tests can't run: ${(error as Error).message}`;
  }
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
