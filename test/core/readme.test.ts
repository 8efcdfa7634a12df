/**
 * The host in thirty lines of core/README.md, as it is printed there, run as a program of its own: two clients join it and
 * one sees the other. What a reader copies works, or this fails.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { freeUdpPort } from "../support/hosts/free-port.ts";
import { connectOverLoopback, type LoopbackClient } from "../support/hosts/loopback-client.ts";
import { vp8Packet } from "../support/wire/media.ts";
import { offerOf } from "../support/wire/offers.ts";

const ROOT = new URL("../../", import.meta.url);
const README = readFileSync(new URL("core/README.md", ROOT), "utf8");
const HOST = /```ts\n(import \{ createSocket \}[\s\S]*?)```/.exec(README)?.[1] ?? "";

/** What goes behind the printed lines: a way to ask for a join and to hear what came of it. */
const DOOR = `
let commandId = 0;
outbox.reply = (reply) => process.send(reply);
socket.on("listening", () => process.send("listening"));
process.on("message", (offer) => {
  handle({ kind: "command", commandId: ++commandId, command: { type: "join", room: "r", name: "me", offer } });
});
`;

let folder: string | undefined;
let host: ChildProcess | undefined;
let clients: LoopbackClient[] = [];

afterEach(() => {
  for (const client of clients) client.close();
  clients = [];
  host?.kill();
  if (folder !== undefined) rmSync(folder, { recursive: true });
});

/** Starts the printed host on this port; only the port and the place of its imports differ from what is printed. */
async function startHost(port: number): Promise<ChildProcess> {
  folder = mkdtempSync(joinPath(tmpdir(), "lockstep-"));
  const program = joinPath(folder, "host.mts");
  const placed = HOST.replaceAll("40000", String(port)).replace(/from "\.\//g, `from "${ROOT.href}`);
  writeFileSync(program, placed + DOOR);
  const started = fork(program, {
    execArgv: ["--import", import.meta.resolve("tsx")],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  expect(await said(started)).toBe("listening");
  return started;
}

/** What the host says next; fails when it ends instead. */
async function said(started: ChildProcess): Promise<unknown> {
  const end = once(started, "exit").then(([status]) => Promise.reject(new Error(`the host ended with ${status}`)));
  const [message] = await Promise.race([once(started, "message"), end]);
  return message;
}

describe("the host in thirty lines", () => {
  it("is thirty lines, or nearly", () => {
    const lines = HOST.split("\n").filter((line) => line.trim() !== "").length;
    expect(lines).toBeGreaterThan(25);
    expect(lines).toBeLessThan(40);
  });

  it("carries the picture of one client to another", async () => {
    const port = await freeUdpPort();
    const started = await startHost(port);
    host = started;
    const connect = async (offer: string) => {
      const client = await connectOverLoopback(port, offer, async (own) => {
        started.send(own);
        const reply = (await said(started)) as { type: string; answer: string };
        expect(reply.type).toBe("joined");
        return reply.answer;
      });
      clients.push(client);
      return client;
    };
    const ana = await connect(offerOf([{ kind: "video", ssrc: 2000, rtxSsrc: 2001 }]));
    const bob = await connect(offerOf([{ kind: "video" }]));
    let sequence = 0;
    while (bob.received.length < 20 && started.exitCode === null) {
      ana.send(vp8Packet({ ssrc: 2000, sequence, keyframe: sequence % 10 === 0, body: [sequence] }));
      sequence++;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const pictures = bob.received.slice(0, 20).map((packet) => packet.at(-1)!);
    expect(pictures[0]! % 10).toBe(0);
    expect(pictures).toEqual(Array.from({ length: 20 }, (_, i) => pictures[0]! + i));
  });
});
