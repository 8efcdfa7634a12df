/**
 * Journals of real servers: real sockets on loopback, real handshakes, and on the fast host a thread for each shard. What
 * they have written is played by a shard without keys, and comes out as it was.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Command } from "../../../core/index.ts";
import { createNodeCrypto } from "../../../io-crypto/index.ts";
import { controlCommand } from "../../../io-node/control.ts";
import type { IoChoice } from "../../../io-node/io-choice.ts";
import { createLog } from "../../../io-node/log.ts";
import { type RunningServer, StartError, startServer } from "../../../io-node/server.ts";
import { beginPlayback, type Playback, playbackHolds, playUntil } from "../../../io-sim/journal/playback.ts";
import { until } from "../../contract/shard-host.ts";
import { connectOverLoopback, type LoopbackClient } from "../../support/hosts/loopback-client.ts";
import { opusPacket, vp8Packet } from "../../support/wire/media.ts";
import { offerOf } from "../../support/wire/offers.ts";

const ROOM = "recorded";
const MARK = [0x5a, 0x17, 0x93, 0xe1, 0x44, 0xd8, 0x2b, 0x6e];

const directories: string[] = [];
const clients: LoopbackClient[] = [];
let server: RunningServer | undefined;

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await stop();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

async function stop(): Promise<void> {
  const running = server;
  server = undefined;
  await running?.stop();
}

function createDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "lockstep-journal-"));
  directories.push(directory);
  return directory;
}

async function serve(io: IoChoice, journal: string, lines: string[] = []): Promise<RunningServer> {
  const options = { httpPort: 0, httpHost: "127.0.0.1", udpPort: 0, io, shards: 2, publicAddresses: ["127.0.0.1"] };
  const log = createLog("error", { write: (line) => void lines.push(line) });
  server = await startServer({ ...options, journal, logLevel: "error" }, log, 1);
  return server;
}

/** Lets somebody with a camera and a microphone into the room; answers what nobody else may know. */
async function enter(
  { control, udpPorts }: RunningServer,
  shard: number,
): Promise<{ send(): void; secrets: string[] }> {
  const secrets: string[] = [];
  const join = async (offer: string): Promise<string> => {
    const reply = await controlCommand(control, { type: "join", room: ROOM, name: "ana", offer });
    if (reply.type !== "joined") throw new Error(JSON.stringify(reply));
    secrets.push(reply.resource, /a=ice-pwd:(\S+)/.exec(reply.answer)![1]!, /a=ice-pwd:(\S+)/.exec(offer)![1]!);
    return reply.answer;
  };
  const [voice, camera] = [1_000 * (shard + 1), 1_000 * (shard + 1) + 1];
  const lines = [{ kind: "audio", ssrc: voice }, { kind: "video", ssrc: camera }, { kind: "audio" }, { kind: "video" }];
  const client = await connectOverLoopback(udpPorts[shard]!, offerOf(lines as never), join);
  clients.push(client);
  let sequence = 100;
  const send = () => {
    sequence += 1;
    client.send(opusPacket({ ssrc: voice, sequence, timestamp: 480 * sequence, level: 5, body: MARK }));
    client.send(vp8Packet({ ssrc: camera, sequence, pictureId: sequence, keyframe: sequence % 10 === 0, body: MARK }));
  };
  return { send, secrets };
}

/** The files of a directory in the order of their names. */
function namesIn(directory: string): string[] {
  return readdirSync(directory).sort((a, b) => (a < b ? -1 : 1));
}

/** What each journal in a directory comes to, by name. */
function playAll(directory: string): Playback[] {
  return namesIn(directory).map((file) => {
    const playback = beginPlayback(new Uint8Array(readFileSync(join(directory, file))), createNodeCrypto());
    playUntil(playback, { kind: "end" });
    return playback;
  });
}

const endings = (played: readonly Playback[]) => played.map(({ player }) => player.ending?.kind);

const hosts: IoChoice[] = process.platform === "linux" ? ["portable", "fast"] : ["portable"];

describe.each(hosts)("the journals of a %s server", { timeout: 60_000 }, (io) => {
  it("hold what its shards were told, can be played to the same effects, and open nothing", async () => {
    const directory = createDirectory();
    const running = await serve(io, directory);
    const guests = [await enter(running, 0), await enter(running, 1)];
    const sending = setInterval(() => {
      for (const { send } of guests) send();
    }, 5);
    await until(() => clients.every((client) => client.received.length > 150));
    clearInterval(sending);
    const relayed = running.hosts.map((host) => host.relayed.relayedPackets);
    await stop();
    const sent = running.hosts.map((host) => host.sent.sent);
    const played = playAll(directory);
    expect(played.map(({ difference }) => difference)).toEqual([undefined, undefined]);
    expect(endings(played)).toEqual(["closed", "closed"]);
    expect(relayed.every((packets) => packets > 50)).toBe(true);
    for (const [shard, { player }] of played.entries()) {
      const { counters } = player.shard.history;
      expect(counters.relayPacketsReceived).toBeGreaterThan(50);
      expect(counters.rtpForwarded).toBeGreaterThan(50);
      expect(counters.rtpForwarded).toBeLessThan(sent[shard]!);
      expect(player.shard.participants.size).toBe(0);
    }
    for (const file of readdirSync(directory)) {
      const bytes = readFileSync(join(directory, file));
      expect(statSync(join(directory, file)).mode & 0o777).toBe(0o600);
      expect(bytes.includes(Buffer.from(MARK)), "media").toBe(false);
      for (const secret of guests.flatMap(({ secrets }) => secrets)) expect(bytes.includes(secret), secret).toBe(false);
      expect(bytes.includes(ROOM)).toBe(true);
    }
  });

  it("hold the input that a shard did not survive; the fresh shard has journals of its own", async () => {
    const directory = createDirectory();
    const lines: string[] = [];
    const { hosts: shards } = await serve(io, directory, lines);
    const { number } = shards[0]!;
    shards[0]!.command(1, { type: "dance" } as unknown as Command);
    await until(() => shards[0]!.number !== number && readdirSync(directory).length === 3);
    await stop();
    const played = playAll(directory);
    expect(played.every(playbackHolds)).toBe(true);
    expect(endings(played)).toEqual(["failed", "closed", "closed"]);
    expect(played[0]!.player.ending).toMatchObject({ error: expect.stringContaining("assertion failed") });
    const failed = lines.map((line) => JSON.parse(line)).find(({ journal }) => journal !== undefined);
    expect(failed).toMatchObject({ shard: 0, journal: join(directory, namesIn(directory)[0]!) });
  });
});

describe("a server that can't write journals", () => {
  it("does not start, and says what to do", async () => {
    const file = join(createDirectory(), "a-file");
    writeFileSync(file, "");
    const error = await serve("portable", file).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StartError);
    expect(String(error)).toMatch(/Journals can't be written to .*a-file \(ENOTDIR\); choose another .* --journal/);
  });

  it("does not try for ever where the system lets nobody make a directory", async () => {
    const error = await serve("portable", "/proc/nowhere/journals").catch((reason: unknown) => reason);
    expect(String(error)).toMatch(/Journals can't be written to \/proc\/nowhere\/journals \(ENOENT\)/);
  });
});
