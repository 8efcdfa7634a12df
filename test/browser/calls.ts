/**
 * Calls for tests: the real server in a process of its own, real pages, and questions to what the browser has really
 * decoded and played.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { expect } from "vitest";

const LOCKSTEP = fileURLToPath(new URL("../../lockstep.mjs", import.meta.url));

const PROBES = fileURLToPath(new URL("./probes.js", import.meta.url));

/** A server that was started as a user starts it. */
export interface CallServer {
  readonly child: ChildProcess;
  readonly url: string;
  /** What it has logged so far. */
  log(): string;
  /** Ends it with SIGTERM and answers its exit status. */
  stop(): Promise<number | null>;
}

/** Starts `lockstep serve` on loopback with further words, on free ports unless these say otherwise. */
export async function startCallServer(...words: readonly string[]): Promise<CallServer> {
  const ports = words.includes("--udp-port") ? [] : ["--udp-port", "0"];
  const all = ["serve", "--http-port", "0", "--http-host", "127.0.0.1", ...ports, ...words];
  const child = spawn(process.execPath, [LOCKSTEP, ...all], { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  child.stderr.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  const ended = once(child, "close").then(([status]) => status as number | null);
  while (!text.includes("candidates")) {
    if (child.exitCode !== null) throw new Error(`the server did not start: ${text}`);
    await Promise.race([once(child.stdout, "data"), ended]);
  }
  return {
    child,
    url: /page +(http:\S+)\//.exec(text)![1]!,
    log: () => text,
    stop: () => {
      child.kill("SIGTERM");
      return ended;
    },
  };
}

/** What a camera gives. */
interface CameraSize {
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
}

/** A camera so small that one machine can be many people. */
export const TINY: CameraSize = { width: 160, height: 90, frameRate: 5 };

/** A script that makes a page's cameras {@link TINY}. */
export const TINY_CAMERA = cameraScript(TINY);

/** How somebody comes into a room. */
interface Entrance {
  readonly room: string;
  readonly name: string;
  readonly codec?: string;
  readonly simulcast?: boolean;
  /** Another camera than the browser's. */
  readonly camera?: CameraSize;
  /** How long the media connection may take. */
  readonly waitMillis?: number;
}

/** A profile: pages in it share connections and locks, as the tabs of one browser do. */
export function openProfile(browser: Browser): Promise<BrowserContext> {
  return browser.newContext({ permissions: ["camera", "microphone"] });
}

/** Opens an address of the server in a tab of `profile`; `scripts` run in it before its own, after the probes. */
export async function openPage(
  profile: BrowserContext,
  server: CallServer,
  path: string,
  ...scripts: readonly string[]
): Promise<Page> {
  const page = await profile.newPage();
  await page.addInitScript({ path: PROBES });
  for (const content of scripts) await page.addInitScript({ content });
  await page.goto(`${server.url}${path}`);
  return page;
}

/** Opens the page in a profile of its own and comes into a room; waits until the media connection stands. */
export async function enterCall(browser: Browser, server: CallServer, entrance: Entrance): Promise<Page> {
  return enterFrom(await openProfile(browser), server, entrance);
}

/** Comes into a room in a new tab of `profile`; waits until the media connection stands. */
export async function enterFrom(profile: BrowserContext, server: CallServer, entrance: Entrance): Promise<Page> {
  const { room, name, codec, simulcast, camera } = entrance;
  const query = new URLSearchParams({ room, name, join: "1" });
  if (codec !== undefined) query.set("codec", codec);
  if (simulcast === false) query.set("simulcast", "0");
  const scripts = camera === undefined ? [] : [cameraScript(camera)];
  const page = await openPage(profile, server, `/?${query}`, ...scripts);
  await waitConnected(page, entrance.waitMillis);
  return page;
}

function cameraScript(size: CameraSize): string {
  return `probes.useCamera(${JSON.stringify(size)})`;
}

/** Waits until a page's media connection stands. */
export async function waitConnected(page: Page, millis: number = 30_000): Promise<void> {
  await page.evaluate(`probes.connected(${millis})`);
}

/** What a page receives and sends, summed up from getStats. */
export interface CallStats {
  /** Of all incoming video: the slots with decoded pictures. */
  readonly video: readonly {
    readonly mid: string;
    readonly framesDecoded: number;
    readonly width: number;
    readonly codec: string;
  }[];
  /** Of all incoming audio: the slots with packets. */
  readonly audio: readonly { readonly mid: string; readonly energy: number; readonly packets: number }[];
  readonly packetsReceived: number;
  readonly freezes: number;
  readonly framesDropped: number;
  /** The layers (rids in the order of the alphabet, or "" for one) that were agreed on. */
  readonly layers: readonly string[];
  /** Those of them of which packets go out. */
  readonly layersSent: readonly string[];
  /** The width of the widest picture that goes out at the moment. */
  readonly widestSent: number;
}

/** Reads a page's statistics. */
export function readStats(page: Page): Promise<CallStats> {
  return page.evaluate<CallStats>("probes.readStats()");
}

/** What the page knows of the room. */
export interface CallBindings {
  /** Its own number. */
  readonly own: number;
  /** The participants whose pictures and voices its slots show, one entry a slot that is not empty. */
  readonly bound: readonly number[];
  /** The names in the roster. */
  readonly names: readonly string[];
}

/** Reads what the page knows of the room. */
export function readBindings(page: Page): Promise<CallBindings> {
  return page.evaluate<CallBindings>("probes.readBindings()");
}

/** What a tile shows of somebody. */
export interface ShownPerson {
  readonly name: string;
  readonly muted: boolean;
  /** Whether there is a picture of the camera, and not initials. */
  readonly picture: boolean;
}

/** Reads what the tiles of a page show, in order; the invitation is no tile of anybody. */
export function readTiles(page: Page): Promise<readonly ShownPerson[]> {
  return page.evaluate<readonly ShownPerson[]>("probes.readTiles()");
}

/** How much the picture of another participant changes within half a second: the mean over its pixels, 0 to 255. */
export function pictureChange(page: Page): Promise<number> {
  return page.evaluate<number>("probes.pictureChange()");
}

/** Waits until `holds` does, and fails when it has not within `span` milliseconds. */
export async function expectWithin(span: number, holds: () => Promise<boolean>): Promise<void> {
  await expect.poll(holds, { timeout: span, interval: 200 }).toBe(true);
}

/** Waits for `span` milliseconds of a call to pass. */
export function talk(span: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, span));
}
