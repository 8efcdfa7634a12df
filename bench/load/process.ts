/**
 * The load generator's process: told what to be by the benchmark that started it, it joins, sends, counts and answers.
 *
 * It ends when it is told to, or when the one who started it is gone.
 */
import { randomBytes } from "node:crypto";
import { createNodeCrypto } from "../../io-crypto/index.ts";
import { createOpensslCrypto } from "../../io-crypto/openssl-crypto.ts";
import { meetInJanus } from "../peers/janus-meeting.ts";
import { givenKeys } from "./given-keys.ts";
import { createLoad, type Load, loadAdd, loadArrivals, loadBegin, loadCounted, loadTurn } from "./load.ts";
import type { FromLoad, LoadPlan, ToLoad } from "./messages.ts";
import {
  ComeLater,
  closePeer,
  createGivenPeer,
  isConnected,
  joinPeer,
  type LoadHost,
  type LoadPeer,
  loadNow,
} from "./peer.ts";
import { localPort, openSystem } from "./system.ts";

/** How long peers may take from the last answer to the last key. */
const CONNECT_MICROS = 30_000_000;
/** How long a peer goes on asking a server that has no time. */
const PATIENCE_MICROS = 60_000_000;

let load: Load | undefined;
let stopped = false;

process.on("disconnect", () => process.exit(0));
process.on("message", (message: ToLoad) => {
  hear(message).catch(fail);
});

function tell(message: FromLoad): void {
  process.send?.(message);
}

function fail(error: unknown): void {
  stopped = true;
  tell({ kind: "failed", sentence: error instanceof Error ? error.message : String(error) });
}

async function hear(message: ToLoad): Promise<void> {
  if (message.kind === "plan") await begin(message.plan);
  if (load === undefined) return;
  if (message.kind === "rate") load.factor = message.factor;
  if (message.kind === "begin") loadBegin(load);
  if (message.kind === "end") tell({ kind: "counted", counted: loadCounted(load) });
  if (message.kind === "arrivals") tell({ kind: "arrivals", arrivals: loadArrivals(load) });
  if (message.kind === "stop") {
    stopped = true;
    for (const peer of load.peers) closePeer(load.host, peer);
    process.disconnect();
  }
}

async function begin({ meeting, peers }: LoadPlan): Promise<void> {
  const host = createHost();
  load = createLoad(host);
  const startedAt = loadNow();
  let refused = 0;
  run(load);
  if (meeting.kind === "given") {
    peers.forEach((plan, index) => {
      loadAdd(load!, createGivenPeer(host, plan, index, givenKeys(index), meeting));
    });
  } else if (meeting.kind === "janus") {
    for (const peer of await meetInJanus(host, peers, meeting.apiUrl)) loadAdd(load, peer);
    await untilConnected(load.peers);
  } else refused = await joinAll(load, peers, meeting);
  const ports = load.peers.map(({ fd }) => localPort(host.system, fd));
  tell({ kind: "ready", seconds: (loadNow() - startedAt) / 1_000_000, refused, ports });
}

function createHost(): LoadHost {
  const system = openSystem();
  if (typeof system === "string") throw new Error(`The load generator does not work here. ${system}`);
  const native = createOpensslCrypto();
  const crypto = typeof native === "string" ? createNodeCrypto() : native;
  const privateKey = Uint8Array.from(randomBytes(32));
  const certificate = crypto.createCertificate(privateKey);
  return { system, crypto, privateKey, certificate, fingerprint: crypto.sha256(certificate) };
}

/** Turns follow each other until the end; what the parent says is heard in between. */
function run(running: Load): void {
  try {
    loadTurn(running);
  } catch (error) {
    fail(error);
  }
  if (!stopped) setImmediate(run, running);
}

/**
 * Lets all peers in, some at a time, and waits until everybody has keys. Answers how often somebody was asked to come later.
 */
async function joinAll(
  running: Load,
  plans: LoadPlan["peers"],
  meeting: LoadPlan["meeting"] & { kind: "join" },
): Promise<number> {
  const { serverUrl, joinsAtATime, withinSeconds, sendsAtOnce } = meeting;
  if (sendsAtOnce) running.factor = 1;
  const startedAt = loadNow();
  const queue = [...plans.entries()];
  const joined: Load["peers"] = new Array(plans.length);
  let [count, refused] = [0, 0];
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, plan] = next;
      const dueAt = startedAt + (index / plans.length) * withinSeconds * 1_000_000;
      await passMicros(dueAt - loadNow());
      const peer = await joinPatiently(running.host, plan, index, serverUrl, () => refused++);
      joined[index] = peer;
      loadAdd(running, peer);
      count++;
      if (count % 10 === 0) tell({ kind: "joined", count });
    }
  };
  await Promise.all(Array.from({ length: joinsAtATime }, work));
  await untilConnected(joined);
  return refused;
}

async function untilConnected(peers: readonly LoadPeer[]): Promise<void> {
  const deadline = loadNow() + CONNECT_MICROS;
  while (!peers.every(isConnected)) {
    const missing = peers.filter((peer) => !isConnected(peer)).length;
    if (loadNow() > deadline) throw new Error(`${missing} of ${peers.length} peers did not get connected`);
    await passMicros(5_000);
  }
}

/** Asks again, as a page does, while the server says that it has no time now. */
async function joinPatiently(
  host: LoadHost,
  plan: LoadPlan["peers"][number],
  index: number,
  serverUrl: string,
  onRefused: () => void,
): Promise<LoadPeer> {
  const askedAt = loadNow();
  for (;;) {
    try {
      return await joinPeer(host, plan, index, serverUrl, askedAt);
    } catch (error) {
      if (!(error instanceof ComeLater) || loadNow() > askedAt + PATIENCE_MICROS) throw error;
      onRefused();
      await passMicros(error.seconds * 1_000_000);
    }
  }
}

function passMicros(micros: number): Promise<void> {
  return micros <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, micros / 1_000));
}
