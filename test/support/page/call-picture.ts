/**
 * Takes docs/images/call.png, the picture in the README: four pages of a real browser in a call over a real server, each with
 * a drawn person (portraits.js) for a camera.
 *
 *     npx tsx test/support/page/call-picture.ts [FILE]
 */
import { readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { openPage, startCallServer, talk, waitConnected } from "../../browser/calls.ts";
import { launchChromium } from "../../browser/chromium.ts";

const PORTRAITS = readFileSync(new URL("portraits.js", import.meta.url), "utf8");
const NAMES = ["Ana Kovač", "Ben Adeyemi", "Clara Lindqvist", "Dev Sharma"];

/** Who speaks and whose microphone is off in the picture. */
const SPEAKER = 1;
const MUTED = 3;

/** After this, notices of people who came in are gone, and bandwidth estimates have climbed to clear pictures. */
const CALM_MILLIS = 12_000;

const target = process.argv[2] ?? fileURLToPath(new URL("../../../docs/images/call.png", import.meta.url));
const browser = await launchChromium("--autoplay-policy=no-user-gesture-required");
const server = await startCallServer("--public-address", "127.0.0.1");
try {
  const pages: Page[] = [];
  for (const [index, name] of NAMES.entries()) {
    const profile = await browser.newContext({ viewport: { width: 1200, height: 720 }, colorScheme: "light" });
    const sit = `portraits.sitAs(${index}, ${index === SPEAKER})`;
    const query = new URLSearchParams({ name, join: "1", simulcast: "0" });
    const page = await openPage(profile, server, `/r/monday-standup?${query}`, PORTRAITS, sit);
    await waitConnected(page);
    if (index === MUTED) await page.click("#mic");
    pages.push(page);
  }
  const [first] = pages;
  // Every picture in full size, as the camera gives it.
  const whole = "video.length === 3 && video.every(({ width, framesDecoded }) => width === 640 && framesDecoded > 60)";
  const shown = `probes.readStats().then(({ video }) => ${whole})`;
  await first!.waitForFunction(shown, undefined, { timeout: 60_000, polling: 500 });
  await talk(CALM_MILLIS);
  await first!.mouse.click(600, 30);
  await first!.screenshot({ path: target });
  console.log(`${target}: ${statSync(target).size} bytes`);
} finally {
  await browser.close();
  await server.stop();
}
