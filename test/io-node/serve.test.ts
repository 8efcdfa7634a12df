/**
 * The command itself, started as a user starts it: exit status, sentences, ports, the log, and the way it ends.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";

const LOCKSTEP = fileURLToPath(new URL("../../lockstep.mjs", import.meta.url));
const OFFER = readFileSync(new URL("../fixtures/captures/chromium-156-publish-offer.sdp", import.meta.url), "utf8");
/** Makes koffi unfindable, as on a machine that it has no binary for. */
const HIDE_KOFFI = new URL("../support/hosts/hide-koffi.mjs", import.meta.url).href;
/** Makes the disk of journals stand still when a test wants it. */
const STUCK_DISK = new URL("../support/hosts/stuck-disk.mjs", import.meta.url).href;
/** Makes a process say when it begins to hear a signal. */
const TELL_HEARING = `data:text/javascript,${encodeURIComponent(
  'process.on("newListener", (name) => /^SIG/.test(name) && process.stderr.write("hears " + name + " "));',
)}`;
const SDP = { "content-type": "application/sdp" };

/** A started command and what it has written so far. */
interface Run {
  readonly child: ChildProcess;
  stdout: string;
  stderr: string;
  /** Resolves with the exit status. */
  readonly ended: Promise<number | null>;
}

const running: ChildProcess[] = [];
const directories: string[] = [];

afterEach(() => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function createDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "lockstep-serve-"));
  directories.push(directory);
  return directory;
}

function lockstep(...given: (string | NodeJS.ProcessEnv)[]): Run {
  const words = given.filter((each) => typeof each === "string");
  const env = Object.assign({ ...process.env }, ...given.filter((each) => typeof each !== "string"));
  const child = spawn(process.execPath, [LOCKSTEP, ...words], { env, stdio: ["ignore", "pipe", "pipe"] });
  running.push(child);
  const ended = once(child, "close").then(([status]) => status as number | null);
  const run: Run = { child, stdout: "", stderr: "", ended };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    run.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    run.stderr += text;
  });
  return run;
}

/** Starts a server on free ports of this machine and waits for its greeting. */
async function serve(...words: (string | NodeJS.ProcessEnv)[]): Promise<Run & { page: string }> {
  const run = lockstep("serve", "--http-port", "0", "--udp-port", "0", "--http-host", "127.0.0.1", ...words);
  while (!run.stdout.includes("candidates")) await Promise.race([once(run.child.stdout!, "data"), run.ended]);
  return Object.assign(run, { page: /page +(http:\S+)\//.exec(run.stdout)![1]! });
}

describe("lockstep", { timeout: 20_000 }, () => {
  it("--help lists the commands", async () => {
    const run = lockstep("--help");
    expect(await run.ended).toBe(0);
    for (const command of ["serve", "sim", "replay", "bench"]) expect(run.stdout).toContain(`\n  ${command} `);
  });

  it("--version is the package's", async () => {
    const run = lockstep("--version");
    expect(await run.ended).toBe(0);
    expect(run.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    [["dance"], /^lockstep: there is no command "dance"; "lockstep --help" lists them\.\n$/],
    [["replya"], / "lockstep --help" lists them\. Did you mean "replay"\?\n$/],
    [["--fast"], /^lockstep: there is no command "--fast"; .*\n$/],
    [["serve", "--udp-port", "many"], /^lockstep serve: --udp-port must be a port from 0 to 65535 .*\n$/],
  ])("%j is wrong use: one sentence and status 2", async (words, sentence) => {
    const run = lockstep(...words);
    expect(await run.ended).toBe(2);
    expect(run.stderr).toMatch(sentence);
    expect(run.stdout).toBe("");
  });

  it("serve --help shows the flags", async () => {
    const run = lockstep("serve", "--help");
    expect(await run.ended).toBe(0);
    expect(run.stdout).toContain("--public-address <ip[:port]>");
  });
});

describe("a port that is taken", { timeout: 20_000 }, () => {
  it("for UDP ends the start with a sentence that says what to do", async () => {
    const other = createSocket("udp4").bind(0);
    await once(other, "listening");
    const { port } = other.address();
    const run = lockstep("serve", "--http-port", "0", "--udp-port", String(port));
    expect(await run.ended).toBe(1);
    expect(run.stderr).toBe(
      `lockstep serve: UDP port ${port} is in use; end what uses it or choose another port with --udp-port.\n`,
    );
    other.close();
  });

  it("for HTTP does the same", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    const run = lockstep("serve", "--udp-port", "0", "--http-host", "127.0.0.1", "--http-port", String(port));
    expect(await run.ended).toBe(1);
    expect(run.stderr).toMatch(new RegExp(`^lockstep serve: HTTP port ${port} is in use; .* --http-port\\.\n$`));
    other.close();
  });
});

describe("the io of a server", { timeout: 20_000 }, () => {
  it.each(["portable", ...(process.platform === "linux" ? ["fast"] : [])])(
    "is %s when that is asked for",
    async (io) => {
      const { page, stdout } = await serve("--io", io);
      // What the system grants of priority is another matter on each machine.
      expect(stdout).toMatch(
        new RegExp(`\\n  io          ${io}, \\d+ shards?( at nice -?\\d+)?( in slices of 0.1 ms)?\\n`),
      );
      const url = `${page}/api/v1/rooms/blue/participants`;
      expect((await fetch(url, { method: "POST", headers: SDP, body: OFFER })).status).toBe(201);
    },
  );

  it("is portable where native calls can't be had, and says why", async () => {
    const { stdout } = await serve({ NODE_OPTIONS: `--import ${HIDE_KOFFI}` });
    expect(stdout).toMatch(/\n {2}io {10}portable, 1 shard: koffi could not be loaded \(.*\)\.\n/);
  });

  it("that was asked for and can't be had ends the start with a sentence", async () => {
    const run = lockstep({ NODE_OPTIONS: `--import ${HIDE_KOFFI}` }, "serve", "--http-port", "0", "--io", "fast");
    expect(await run.ended).toBe(1);
    expect(run.stderr).toMatch(/^lockstep serve: koffi could not be loaded \(.*\)\. Leave out --io fast .*\.\n$/);
  });
});

describe("shards", { timeout: 20_000 }, () => {
  it.each(["portable", ...(process.platform === "linux" ? ["fast"] : [])])(
    "(%s) have a port each, and rooms are shared among them",
    async (io) => {
      const words = ["--io", io, "--shards", "2", "--priority", "normal", "--public-address", "203.0.113.5:4000"];
      const { page, stdout } = await serve(...words);
      expect(stdout).toContain(`\n  io          ${io}, 2 shards\n`);
      expect(stdout).toMatch(/\n {2}media {7}UDP ports \d+(, | to )\d+\n/);
      const portOf = async (room: string) => {
        const url = `${page}/api/v1/rooms/${room}/participants`;
        const response = await fetch(url, { method: "POST", headers: SDP, body: OFFER });
        return /a=candidate:.* 203\.0\.113\.5 (\d+) typ host/.exec(await response.text())?.[1];
      };
      expect([await portOf("a"), await portOf("b"), await portOf("a")]).toEqual(["4000", "4001", "4000"]);
    },
  );

  it("find out that one of their ports is taken", async () => {
    const other = createSocket("udp4").bind(0);
    await once(other, "listening");
    const { port } = other.address();
    const run = lockstep("serve", "--http-port", "0", "--udp-port", String(port - 1), "--shards", "2");
    expect(await run.ended).toBe(1);
    expect(run.stderr).toMatch(new RegExp(`^lockstep serve: UDP port ${port} is in use; .* --udp-port\\.\n$`));
    other.close();
  });
});

describe("a server", { timeout: 20_000 }, () => {
  it("says where it is and which addresses it tells clients", async () => {
    const { stdout } = await serve("--public-address", "203.0.113.5", "--public-address", "2001:db8::5");
    expect(stdout).toMatch(/page +http:\/\/127\.0\.0\.1:\d+\/\n/);
    expect(stdout).toMatch(/media +UDP ports? [\d to,]+\n/);
    expect(stdout).toMatch(/candidates +203\.0\.113\.5, 2001:db8::5\n/);
  });

  it("takes a browser's offer and answers with its candidates", async () => {
    const { page, stdout } = await serve("--public-address", "203.0.113.5");
    const response = await fetch(`${page}/api/v1/rooms/blue/participants?name=Ana`, {
      method: "POST",
      headers: SDP,
      body: OFFER,
    });
    expect(response.status).toBe(201);
    const port = /UDP ports? (\d+)/.exec(stdout)![1];
    expect(await response.text()).toMatch(new RegExp(`a=candidate:.* 203\\.0\\.113\\.5 ${port} typ host`));
    expect((await fetch(new URL(response.headers.get("location")!, page), { method: "DELETE" })).status).toBe(204);
    // The shard looks at itself with its first input.
    const metrics = await (await fetch(`${page}/metrics`)).text();
    expect(metrics).toMatch(/lockstep_promise_judged_total\{promise="S15"\} [1-9]/);
    expect(metrics).toMatch(/lockstep_promise_broken_total\{promise="S15"\} 0/);
  });

  it("writes a line for a join and a leave, with no secret in any", async () => {
    const run = await serve("--log-level", "trace");
    const url = `${run.page}/api/v1/rooms/blue/participants?name=Ana`;
    const response = await fetch(url, { method: "POST", headers: SDP, body: OFFER });
    const location = response.headers.get("location")!;
    const answer = await response.text();
    await fetch(new URL(location, run.page), { method: "DELETE" });
    await fetch(new URL(location, run.page), { method: "DELETE" });
    const refused = await fetch(url, { method: "POST", headers: SDP, body: "v=0\r\nsecret" });
    expect(refused.status).toBe(400);
    run.child.kill("SIGTERM");
    await run.ended;
    const lines = run.stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toContainEqual(expect.objectContaining({ msg: "joined", room: "blue", participant: 1, name: "Ana" }));
    expect(lines).toContainEqual(expect.objectContaining({ msg: "left", participant: 1, reason: "left" }));
    expect(lines).toContainEqual(expect.objectContaining({ msg: "join refused", code: "bad-sdp" }));
    const password = (sdp: string) => /a=ice-pwd:(\S+)/.exec(sdp)![1]!;
    for (const secret of [location.split("/").at(-1)!, password(answer), password(OFFER), "a=", "v=0", "secret"]) {
      expect(run.stderr).not.toContain(secret);
    }
  });

  it.each(["SIGTERM", "SIGINT"] as const)("that has only begun to start ends on %s with status 0", async (signal) => {
    const run = lockstep({ NODE_OPTIONS: `--import ${TELL_HEARING}` }, "serve", "--http-port", "0", "--udp-port", "0");
    while (!run.stderr.includes("hears SIGINT")) await Promise.race([once(run.child.stderr!, "data"), run.ended]);
    run.child.kill(signal);
    expect(await run.ended).toBe(0);
    expect(run.stdout).toBe("");
  });

  it.each(["SIGTERM", "SIGINT"] as const)(
    "ends on %s with goodbye to everybody, status 0, within two seconds",
    async (signal) => {
      const run = await serve();
      const url = `${run.page}/api/v1/rooms/blue/participants`;
      const response = await fetch(url, { method: "POST", headers: SDP, body: OFFER });
      const events = await fetch(new URL(`${response.headers.get("location")}/events`, run.page));
      const before = performance.now();
      run.child.kill(signal);
      expect(await events.text()).toMatch(/event: left\ndata: \{"reason":"drained".*\}\n\n$/);
      expect(await run.ended).toBe(0);
      expect(performance.now() - before).toBeLessThan(2_000);
      expect(run.stderr).toContain('"sessions":1');
    },
  );
});

describe("the journals of a server", { timeout: 20_000 }, () => {
  it("are not there when it could not start", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    const journal = createDirectory();
    const words = ["--udp-port", "0", "--http-host", "127.0.0.1", "--http-port", String(port), "--journal", journal];
    expect(await lockstep("serve", ...words).ended).toBe(1);
    expect(readdirSync(journal)).toEqual([]);
    other.close();
  });

  it("hold up its end no longer than it may take, whatever the disk does: status 1, and the log names them", async () => {
    const [journal, disk] = [createDirectory(), createDirectory()];
    execFileSync("mkfifo", [join(disk, "nobody")]);
    const env = { NODE_OPTIONS: `--import ${STUCK_DISK}`, LOCKSTEP_TEST_DISK: disk };
    const run = await serve(env, "--journal", journal, "--shards", "1");
    writeFileSync(join(disk, "hold"), "");
    const url = `${run.page}/api/v1/rooms/blue/participants`;
    expect((await fetch(url, { method: "POST", headers: SDP, body: OFFER })).status).toBe(201);
    run.child.kill("SIGTERM");
    expect([await run.ended, run.child.signalCode]).toEqual([1, null]);
    const lines = run.stderr.split("\n").filter((line) => line.includes("stands still"));
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ level: "error", journals: [join(journal, readdirSync(journal)[0]!)] }),
    ]);
  });
});
