/** A million datagrams of garbage, in a process of its own: nothing of them stays, and the call in progress hears nothing. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import type { FloodReport } from "../../support/shards/flood.ts";

const PROGRAM = fileURLToPath(new URL("../../support/shards/flood.ts", import.meta.url));
const COUNT = 1_000_000;
const MEGABYTE = 1_048_576;

async function flood(count: number): Promise<FloodReport> {
  const child = spawn(process.execPath, ["--expose-gc", "--import", "tsx", PROGRAM, String(count)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  const [status] = await once(child, "close");
  expect(status).toBe(0);
  return JSON.parse(text) as FloodReport;
}

/** How much more there was at the end than when a fifth was over: by then whatever grows only once has grown. */
function growth(bytes: readonly number[]): number {
  return bytes.at(-1)! - bytes[1]!;
}

describe("a flood of a million garbage datagrams", () => {
  let quiet: FloodReport;
  let flooded: FloodReport;

  beforeAll(async () => {
    quiet = await flood(0);
    flooded = await flood(COUNT);
  }, 180_000);

  it("leaves memory where it was", () => {
    expect(growth(flooded.heapBytes)).toBeLessThan(growth(quiet.heapBytes) + MEGABYTE);
    expect(growth(flooded.bufferBytes)).toBeLessThan(MEGABYTE);
    expect(growth(flooded.rssBytes)).toBeLessThan(16 * MEGABYTE);
  });

  it("leaves no flow of a stranger behind", () => {
    expect(flooded.unreleased).toBe(0);
    expect(flooded.flows).toBe(2);
  });

  it("was refused, but for the DTLS records, which are counted with their peer", () => {
    expect(flooded.refused).toBeGreaterThan(0.95 * COUNT);
  });

  it("is not to be heard in the call in progress", () => {
    expect(flooded.packets).toBeGreaterThan(2_000);
    expect([flooded.packets, flooded.received]).toEqual([quiet.packets, quiet.received]);
  });
});
