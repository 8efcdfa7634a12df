import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { getPriority } from "node:os";
import { afterEach, describe, expect, it } from "vitest";
import { type FastHostParts, openFastResources, startFastHost } from "../../../io-node/fast/fast-host.ts";
import type { ShardHost } from "../../../io-node/shard-host.ts";
import { until } from "../../contract/shard-host.ts";

const ENTRY = new URL("../../support/hosts/failing-shard.ts", import.meta.url);

let host: ShardHost | undefined;

afterEach(async () => {
  await host?.close(0);
  host = undefined;
});

function openResources() {
  const resources = openFastResources(0);
  if (typeof resources === "string") throw new Error(resources);
  return resources;
}

/** A host around a thread that fails when it is told to. */
async function createSubject(over: Partial<FastHostParts> = {}) {
  const resources = openResources();
  const lives: string[] = [];
  host = await startFastHost({
    resources,
    candidates: [],
    entry: ENTRY,
    onReply: () => {},
    onEvent: () => {},
    onLook() {},
    onLost: (error) => lives.push(String(error)),
    onServing: () => lives.push("serving"),
    ...over,
  });
  const join = (room: string) => host!.command(1, { type: "join", room, name: "", offer: "" });
  return { host, join, lives, port: resources.sockets.port };
}

/** The nice values that this process's threads have, each once, the highest priority first: field 19 of /proc/PID/stat. */
function niceOfThreads(): number[] {
  const stats = readdirSync("/proc/self/task").map((id) => readFileSync(`/proc/self/task/${id}/stat`, "utf8"));
  const nice = stats.map((text) => Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[16]));
  return [...new Set(nice)].sort((a, b) => a - b);
}

const openFiles = () => readdirSync("/proc/self/fd").length;

describe.runIf(process.platform === "linux")("the fast host's thread", { timeout: 120_000 }, () => {
  it("that ends without a word is replaced like one that says why it dies", async () => {
    const { join, lives } = await createSubject();
    join("exit");
    await until(() => lives.length === 2);
    expect(lives).toEqual([expect.stringMatching(/ended without a word/), "serving"]);
  });

  it("says of its end in which line of which source it came", async () => {
    let stack: string | undefined;
    const { join } = await createSubject({
      onLost: (error) => {
        stack = (error as Error).stack;
      },
    });
    join("throw");
    await until(() => stack !== undefined);
    const text = readFileSync(new URL("../../support/hosts/failing-engine.ts", import.meta.url), "utf8");
    const line = text.split("\n").findIndex((each) => each.includes("on purpose")) + 1;
    expect(stack).toContain(`test/support/hosts/failing-engine.ts:${line}:`);
    expect(stack).toContain("io-node/fast/loop.ts:");
  });

  it("that hangs is ended and replaced", async () => {
    const { join, lives } = await createSubject({ lookMillis: 60 });
    // Nothing to do is no reason.
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(lives).toEqual([]);
    join("hang");
    await until(() => lives.length === 2);
    expect(lives).toEqual([expect.stringMatching(/has not come back from an input for 0.3 s/), "serving"]);
  });

  it("that hangs does not hold up the end", async () => {
    const { host, join } = await createSubject();
    join("hang");
    const before = performance.now();
    await host.close(100);
    expect(performance.now() - before).toBeLessThan(2_000);
  });

  it("gives every descriptor back, whichever way it ends", async () => {
    const first = await createSubject();
    await first.host.close(0);
    const before = openFiles();
    const second = await createSubject();
    second.join("throw");
    await until(() => second.lives.length === 2);
    await second.host.close(0);
    await second.host.close(0);
    // A thread's own descriptors go a moment after the thread.
    await until(() => openFiles() <= before);
  });

  it("that can't begin is an error of the start, and holds no port", async () => {
    const resources = openResources();
    const entry = new URL("file:///no/such/module.ts");
    const nobody = { candidates: [], onReply() {}, onEvent() {}, onLook() {}, onLost() {}, onServing() {} };
    await expect(startFastHost({ ...nobody, resources, entry })).rejects.toThrow(/no\/such\/module/);
    const other = createSocket("udp4").bind(resources.sockets.port);
    await once(other, "listening");
    other.close();
  });

  it("comes before the others of the process where it shall, as far as the system allows", async () => {
    const plain = await createSubject();
    const normal = getPriority();
    expect(plain.host.priority).toBeUndefined();
    expect(niceOfThreads()).toEqual([normal]);
    await plain.host.close(0);
    const { host } = await createSubject({ raised: true });
    const nice = host.priority?.nice ?? normal;
    expect(niceOfThreads()).toEqual(nice === normal ? [normal] : [nice, normal]);
  });

  it("finds out that a port is taken", async () => {
    const { port } = await createSubject();
    expect(() => openFastResources(port)).toThrow(expect.objectContaining({ code: "EADDRINUSE" }));
  });
});
