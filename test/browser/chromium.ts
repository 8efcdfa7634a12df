/**
 * A real browser for tests: finds the system's Chromium and starts it without a window, with a synthetic camera and
 * microphone and with loopback addresses allowed, so that a page can make a call to a server on this machine.
 */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

/** Where Chromium usually is; the environment variable LOCKSTEP_CHROMIUM goes before all of them. */
const USUAL_PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const SWITCHES = [
  "--no-sandbox",
  "--headless=new",
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
  "--allow-loopback-in-peer-connection",
  "--disable-features=WebRtcHideLocalIpsWithMdns",
];

/** The path of the browser; throws with a sentence that says what to do when there is none. */
export function findChromium(): string {
  const wanted = process.env.LOCKSTEP_CHROMIUM;
  if (wanted !== undefined && wanted !== "") {
    if (existsSync(wanted)) return wanted;
    throw new Error(`LOCKSTEP_CHROMIUM names ${wanted}, where there is no file.`);
  }
  const found = USUAL_PLACES.find((place) => existsSync(place));
  if (found !== undefined) return found;
  throw new Error(
    `there is no Chromium at ${USUAL_PLACES.join(", ")}; install it, or set LOCKSTEP_CHROMIUM to its path.`,
  );
}

/** Starts the browser, with further command-line switches; the caller closes it. */
export function launchChromium(...switches: readonly string[]): Promise<Browser> {
  return chromium.launch({ executablePath: findChromium(), args: [...SWITCHES, ...switches] });
}
