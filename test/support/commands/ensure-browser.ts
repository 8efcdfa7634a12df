/**
 * Sees to it that there is a Chromium for the browser tests: one that is installed, or on Debian and Ubuntu as root one
 * that apt-get brings. Whoever names a browser of his own gets no other.
 */
import { spawnSync } from "node:child_process";
import { findChromium } from "../../browser/chromium.ts";
import { ensureInstalled } from "./ensure-installed.ts";

/** What brings it: the name in Debian, then the one in Ubuntu. */
const PACKAGES = ["chromium", "chromium-browser"];

/** Answers "" when there is a browser now, otherwise one sentence that says what to install. */
export function ensureBrowser(): string {
  const namesOwn = (process.env.LOCKSTEP_CHROMIUM ?? "") !== "";
  return namesOwn ? whatIsMissing() : ensureInstalled(PACKAGES, whatIsMissing);
}

function whatIsMissing(): string {
  try {
    const path = findChromium();
    // Ubuntu's package may be no more than a note that the browser is a snap.
    if (spawnSync(path, ["--version"], { stdio: "ignore" }).status === 0) return "";
    return `The browser tests can't run: ${path} does not start; repair it or set LOCKSTEP_CHROMIUM to another's path.`;
  } catch (error) {
    return `The browser tests can't run: ${(error as Error).message}`;
  }
}
