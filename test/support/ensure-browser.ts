/**
 * Sees to it that there is a Chromium for the browser tests: one that is installed, or on Debian and Ubuntu as root one
 * that apt-get brings.
 */
import { findChromium } from "../browser/chromium.ts";
import { ensureInstalled } from "./ensure-installed.ts";

/** Answers "" when there is a browser now, otherwise one sentence that says what to install. */
export function ensureBrowser(): string {
  return ensureInstalled("chromium", whatIsMissing);
}

function whatIsMissing(): string {
  try {
    findChromium();
    return "";
  } catch (error) {
    return `The browser tests can't run: ${(error as Error).message}`;
  }
}
