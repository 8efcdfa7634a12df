/**
 * Calls for tests: the real server in a process of its own, real pages, and questions to what the browser has really
 * decoded and played.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";

const LOCKSTEP = fileURLToPath(new URL("../../lockstep.mjs", import.meta.url));

const PROBES = fileURLToPath(new URL("./probes.js", import.meta.url));

/** A server that was started as a user starts it. */
export interface CallServer {
  readonly child: ChildProcess;
  readonly url: string;
  readonly udpPort: number;
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
    udpPort: Number(/UDP port (\d+)/.exec(text)![1]),
    log: () => text,
    stop: () => {
      child.kill("SIGTERM");
      return ended;
    },
  };
}

/**
 * Opens the page in a context of its own and comes into a room; waits until the media connection stands. A small camera
 * gives few pictures of few pixels, so that one machine can be many people.
 */
export async function enterCall(
  browser: Browser,
  server: CallServer,
  options: { room: string; name: string; codec?: string; simulcast?: boolean; smallCamera?: boolean },
): Promise<Page> {
  const context = await browser.newContext({ permissions: ["camera", "microphone"] });
  await context.addInitScript({ path: PROBES });
  if (options.smallCamera === true) await context.addInitScript("probes.useSmallCamera()");
  const page = await context.newPage();
  const query = new URLSearchParams({ room: options.room, name: options.name, join: "1" });
  if (options.codec !== undefined) query.set("codec", options.codec);
  if (options.simulcast === false) query.set("simulcast", "0");
  await page.goto(`${server.url}/?${query}`);
  await page.evaluate("probes.connected(30_000)");
  return page;
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
  /** Layers (rids, or "" for one) of which packets go out. */
  readonly layersSent: readonly string[];
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

/** How much the picture of another participant changes within half a second: the mean over its pixels, 0 to 255. */
export function pictureChange(page: Page): Promise<number> {
  return page.evaluate<number>("probes.pictureChange()");
}

/** Waits for `span` milliseconds of a call to pass. */
export function talk(span: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, span));
}
