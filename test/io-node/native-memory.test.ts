/**
 * Native memory is given back on every path: what is done again and again must not make the process grow.
 *
 * Resident memory is read after as many rounds as warm it up, and twice more after as many again. A leak grows both times;
 * what the engine or the C library keeps for later grows once at most. Each kind of leak is made on purpose too, so that it
 * is known to be seen.
 */
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { createOpensslCrypto } from "../../io-crypto/openssl-crypto.ts";
import {
  closeFastResources,
  type FastResources,
  openFastResources,
  startFastHost,
} from "../../io-node/fast/fast-host.ts";
import { createLog } from "../../io-node/log.ts";
import { parseServeOptions } from "../../io-node/options.ts";
import { type RunningServer, startServer } from "../../io-node/server.ts";
import { until } from "../contract/shard-host.ts";
import { connectOverLoopback } from "../support/hosts/loopback-client.ts";

const MEBIBYTE = 1_024 * 1_024;
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function resident(): number {
  collect();
  return process.memoryUsage.rss();
}

/** By how much so many rounds make the process grow, once it is warm, in MiB. */
async function growth(rounds: number, round: () => unknown): Promise<number> {
  const marks: number[] = [];
  for (let stage = 0; stage < 3; stage++) {
    for (let i = 0; i < rounds; i++) await round();
    marks.push(resident());
  }
  const [warm, once, twice] = marks as [number, number, number];
  return Math.min(once - warm, twice - once) / MEBIBYTE;
}

const CONTEXTS = 1_000;
const KEY = new Uint8Array(16);
const OFFER = readFileSync(new URL("../fixtures/captures/chromium-156-publish-offer.sdp", import.meta.url), "utf8");

function openssl() {
  const crypto = createOpensslCrypto();
  if (typeof crypto === "string") throw new Error(crypto);
  return crypto;
}

/** Somebody joins, shakes hands, and leaves. */
async function joinAndLeave({ httpPort, udpPorts }: RunningServer): Promise<void> {
  const url = `http://127.0.0.1:${httpPort}`;
  let location = "";
  const client = await connectOverLoopback(udpPorts[0]!, OFFER, async (body) => {
    const headers = { "content-type": "application/sdp" };
    const response = await fetch(`${url}/api/v1/rooms/blue/participants`, { method: "POST", headers, body });
    location = response.headers.get("location")!;
    return await response.text();
  });
  client.close();
  await fetch(url + location, { method: "DELETE" });
}

/** Ports and memory, every page of which has been written to. */
function usedResources(): FastResources {
  const resources = openFastResources(0);
  if (typeof resources === "string") throw new Error(resources);
  resources.libc.native.view(resources.block.address, resources.block.length).fill(1);
  return resources;
}

describe.runIf(process.platform === "linux")("native memory", { timeout: 120_000 }, () => {
  // First, while the C library has no memory of other tests left over that would cover a leak.
  it("of a shard's thread goes with the thread, whether it ends or dies", async () => {
    const entry = new URL("../support/hosts/failing-shard.ts", import.meta.url);
    const round = async () => {
      let lives = 0;
      const host = await startFastHost({
        resources: usedResources(),
        candidates: [],
        entry,
        onReply() {},
        onEvent() {},
        onLook() {},
        onLost() {},
        onServing: () => lives++,
      });
      const join = (room: string) => host.command(1, { type: "join", room, name: "", offer: "" });
      join("keys");
      join("exit");
      await until(() => lives === 1);
      // The next life has the same handles, so nobody knows of its forerunner's contexts any more.
      join("keys");
      await host.close(0);
    };
    // A thread has some twenty of its own, and its keys and the block of a port have more than eight each.
    expect(await growth(2, round)).toBeLessThan(12);
  });

  it("of cipher contexts goes when their keys are released", async () => {
    const crypto = openssl();
    const bind = (handle: number) => {
      crypto.setAeadKey(handle, KEY);
      crypto.setCmKey(handle + 1, KEY, new Uint8Array(20));
    };
    const round = () => {
      for (let handle = 0; handle < 2 * CONTEXTS; handle += 2) {
        bind(handle);
        crypto.releaseKey(handle);
        crypto.releaseKey(handle + 1);
      }
    };
    expect(await growth(8, round)).toBeLessThan(1.5);
    let next = 0;
    const leak = () => {
      for (let i = 0; i < CONTEXTS; i++) bind(2 * next++);
    };
    expect(await growth(2, leak)).toBeGreaterThan(1.5);
    crypto.close();
  });

  it("of a provider goes when it is closed, with all keys that it still holds", async () => {
    const round = () => {
      const crypto = openssl();
      for (let handle = 0; handle < 1_000; handle++) crypto.setAeadKey(handle, KEY);
      return crypto;
    };
    expect(await growth(8, () => round().close())).toBeLessThan(2);
    const left: ReturnType<typeof openssl>[] = [];
    expect(await growth(8, () => left.push(round()))).toBeGreaterThan(4);
    for (const crypto of left) crypto.close();
  });

  it("of a port goes when it is closed", async () => {
    expect(await growth(4, () => closeFastResources(usedResources()))).toBeLessThan(2);
    const left: FastResources[] = [];
    expect(await growth(1, () => left.push(usedResources()))).toBeGreaterThan(4);
    for (const resources of left) closeFastResources(resources);
  });

  it.each(["fast", "portable"])("of a whole server goes when everybody has left and it stops, %s", async (io) => {
    const words = ["--http-port", "0", "--udp-port", "0", "--http-host", "127.0.0.1", "--io", io, "--shards", "1"];
    const parsed = parseServeOptions(words, {});
    if (parsed.kind !== "options") throw new Error("the options are good");
    const round = async () => {
      const server = await startServer(parsed.options, createLog("silent", { write() {} }));
      for (let i = 0; i < 10; i++) await joinAndLeave(server);
      await server.stop();
    };
    expect(await growth(1, round)).toBeLessThan(12);
  });
});
