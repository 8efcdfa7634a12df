/**
 * A server put together: sockets, shards in their hosts, the control plane, HTTP and the log.
 *
 * It starts whole or not at all: when a port can't be had, what was opened before is closed again, and the error says which
 * port and what to do. It ends in order: the shards close every session with close_notify and refuse joins, so that pages
 * learn at once; event streams end with their last event, pages without one may ask once more; then the sockets go.
 */
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { resolve } from "node:path";
import { createAdaptorServer } from "@hono/node-server";
import { thisProgram } from "../program.ts";
import { candidateAddress, machineAddresses } from "./addresses.ts";
import {
  type Control,
  type ControlledShard,
  controlDrain,
  controlEvent,
  controlLost,
  controlReply,
  controlServes,
  createControl,
} from "./control.ts";
import { createHttp } from "./http/http.ts";
import { prepareJournals } from "./journal/files.ts";
import { type JournalSettings, journalFile } from "./journal/life.ts";
import {
  beginJournals,
  deleteJournals,
  endJournals,
  isAtDisk,
  type Journals,
  startJournals,
} from "./journal/thread.ts";
import { createJournalWatch, lookAtJournals } from "./journal/watch.ts";
import { createLoadWatch, lookAtShards } from "./load-watch.ts";
import { type Log, logEvent } from "./log.ts";
import { createMetrics } from "./metrics/metrics.ts";
import { createPromiseTally, type PromiseTally, tallyFindings } from "./metrics/promises.ts";
import { JOURNAL_MEBIBYTES, type ServeOptions } from "./options.ts";
import { LOOK_MILLIS } from "./overload.ts";
import { createPlacement } from "./placement.ts";
import { connectPlaces, createRelayMesh, losePlace, meshSeat, type RelayMesh, seatHost } from "./relay/relay-mesh.ts";
import {
  type MediaPort,
  type MediaPorts,
  NoFastIo,
  NoPort,
  openMediaPorts,
  type ShardHost,
  type ShardListeners,
} from "./shard-host.ts";

/** How long datagrams, event streams and open requests may take to end when the server does. */
const FAREWELL_MILLIS = 500;

/** How long HTTP still answers after the goodbye: pages without an event stream ask then why their call is over. */
const LAST_QUESTION_MILLIS = 400;

/** How long journals may take then to get to the disk. */
const JOURNALS_MILLIS = 400;

/** How long a client may take to send a request: slow ones hold a connection. */
const REQUEST_MILLIS = 30_000;

/** A running server. */
export interface RunningServer {
  readonly httpPort: number;
  /** One for each shard. */
  readonly udpPorts: readonly number[];
  /** The addresses in the candidates, best first. */
  readonly addresses: readonly string[];
  /** Which kind of host serves, and why it is not the fast one; empty when there is nothing to say. */
  readonly io: MediaPorts["io"];
  readonly ioWhy: string;
  readonly control: Control;
  readonly hosts: readonly ShardHost[];
  /** Says goodbye to everybody and closes everything; answers with how many sessions there were. */
  stop(): Promise<number>;
  /** Something waits for a disk just now, for who knows how long, and so would an end of the process. */
  isAtDisk(): boolean;
}

/** A port that can't be had, in a sentence that says what to do. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/**
 * Starts a server. Rejects with a {@link StartError}; then nothing stays open. `roomShare` is for tests: how many
 * participants of one room a shard takes before another gets some.
 */
export async function startServer(options: ServeOptions, log: Log, roomShare?: number): Promise<RunningServer> {
  const journalSettings = journalSettingsOf(options);
  if (journalSettings !== undefined) prepareDirectory(journalSettings);
  const media = await openMediaPorts(options.io ?? "auto", options.udpPort, options.shards, options.priority).catch(
    (error: unknown) => {
      if (error instanceof NoFastIo)
        throw new StartError(`${error.message} Leave out --io fast to serve all the same.`);
      if (error instanceof NoPort) throw startError(error.cause, "UDP", error.port, "--udp-port");
      throw error;
    },
  );
  const { ports, io, why: ioWhy } = media;
  const hasIpv6 = ports.every((port) => port.hasIpv6);
  const addresses =
    options.publicAddresses.length > 0 ? options.publicAddresses : machineAddresses(networkInterfaces(), hasIpv6);
  const hosts: ShardHost[] = [];
  const mesh = createRelayMesh(ports.length);
  const control = createControl(
    ports.map((_, shard) => shardOf(hosts, shard)),
    (one, other) => connectPlaces(mesh, one, other),
    createPlacement(ports.length, roomShare),
  );
  const promises = createPromiseTally();
  const journals = journalSettings && startJournals(journalSettings, log);
  const http = createAdaptorServer({
    fetch: createHttp({ control, metrics: createMetrics(control.placement, hosts, promises, control.tally), log })
      .fetch,
    serverOptions: { requestTimeout: REQUEST_MILLIS },
  }) as Server;
  try {
    const ears = { control, mesh, log, promises, journals, hosts };
    hosts.push(...(await startHosts(ports, addresses, (shard) => listeners(ears, shard))));
    for (const [shard, host] of hosts.entries()) seatHost(mesh, shard, host);
    await listen(http, options.httpPort, options.httpHost);
  } catch (error) {
    await Promise.all(hosts.map((host) => host.close(0)));
    if (journals !== undefined) {
      await endJournals(journals, JOURNALS_MILLIS);
      deleteJournals(journals);
    }
    if (error instanceof StartError) throw error;
    throw startError(error, "HTTP", options.httpPort, "--http-port");
  }
  http.on("error", (error) => log.error({ err: error }, "the HTTP server has failed"));
  const httpPort = (http.address() as AddressInfo).port;
  const udpPorts = ports.map(({ port }) => port);
  const watch = createLoadWatch(control, hosts, log, performance.now());
  const journalWatch = createJournalWatch(hosts, log);
  const look = () => {
    lookAtShards(watch, performance.now());
    lookAtJournals(journalWatch);
  };
  const looking = setInterval(look, LOOK_MILLIS).unref();
  const end = async () => {
    clearInterval(looking);
    const sessions = await stop(control, hosts, http);
    lookAtJournals(journalWatch);
    if (journals !== undefined) await finishWriting(journals, log);
    return sessions;
  };
  const waitsForDisk = () => journals !== undefined && isAtDisk(journals);
  return { httpPort, udpPorts, addresses, io, ioWhy, control, hosts, stop: end, isAtDisk: waitsForDisk };
}

/** Starts a shard on each port, all at once; closes everything when one can't start. */
async function startHosts(
  ports: readonly MediaPort[],
  addresses: readonly string[],
  listenersOf: (shard: number) => ShardListeners,
): Promise<ShardHost[]> {
  const starts = ports.map((port, shard) => {
    const candidates = addresses.flatMap((text) => candidateAddress(text, port.port, shard) ?? []);
    return port.start(candidates, listenersOf(shard));
  });
  const settled = await Promise.allSettled(starts);
  const hosts = settled.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  const failed = settled.find((each) => each.status === "rejected");
  if (failed === undefined) return hosts;
  await Promise.all(hosts.map((host) => host.close(0)));
  throw new StartError(`A shard can't start (${String(failed.reason)}); try --io portable.`);
}

/** A shard for the control plane, which is there before the hosts are. */
function shardOf(hosts: readonly ShardHost[], shard: number): ControlledShard {
  return {
    get number() {
      return hosts[shard]!.number;
    },
    command: (commandId, command) => hosts[shard]!.command(commandId, command),
  };
}

/** Who hears of the shards. */
interface Ears {
  readonly control: Control;
  readonly mesh: RelayMesh;
  readonly log: Log;
  readonly promises: PromiseTally;
  readonly journals: Journals | undefined;
  readonly hosts: readonly ShardHost[];
}

/** What the control plane, the mesh, the log and the journals hear of a shard. */
function listeners({ control, mesh, log, promises, journals, hosts }: Ears, shard: number): ShardListeners {
  const shardLog = log.child({ shard });
  return {
    seat: meshSeat(mesh, shard),
    journals: journals && (() => beginJournals(journals, shard)),
    onReply: (reply) => controlReply(control, reply),
    onEvent(event) {
      logEvent(shardLog, event);
      controlEvent(control, shard, event);
    },
    onLook(findings) {
      tallyFindings(promises, findings);
      const broken = findings.find(({ trouble }) => trouble !== "");
      if (broken !== undefined) shardLog.error(broken, "a promise of the server is broken; please report this line");
    },
    onLost(error) {
      const life = hosts[shard]?.journals;
      const journal = life === undefined ? {} : { journal: journalFile(life) };
      shardLog.error({ err: error, ...journal }, "the shard has failed, and its calls are lost");
      losePlace(mesh, shard);
      controlLost(control, shard);
    },
    onServing() {
      shardLog.info("a fresh shard serves");
      controlServes(control, shard);
    },
  };
}

function journalSettingsOf({ journal, journalLimit = JOURNAL_MEBIBYTES }: ServeOptions): JournalSettings | undefined {
  if (journal === undefined) return undefined;
  return { directory: resolve(journal), limitBytes: journalLimit * 1_048_576, program: thisProgram() };
}

function prepareDirectory(journals: JournalSettings): void {
  try {
    prepareJournals(journals);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : error;
    const what = `Journals can't be written to ${journals.directory} (${String(code)})`;
    throw new StartError(`${what}; choose another directory with --journal, or leave it out.`);
  }
}

/** Waits for the disk as long as there is time, and says what has not got there. */
async function finishWriting(journals: Journals, log: Log): Promise<void> {
  const { lostBytes, hangs, cut } = await endJournals(journals, JOURNALS_MILLIS);
  if (lostBytes === 0 && !hangs) return;
  const { directory } = journals.settings;
  const how = hangs ? "stands still, and this process does not wait for it" : "did not keep up";
  const what = "the end of the journals is lost; what they have up to there can be replayed";
  log.error({ lostBytes, journals: cut }, `the disk of ${directory} ${how}: ${what}`);
}

async function listen(http: Server, port: number, host: string | undefined): Promise<void> {
  http.listen(host === undefined ? { port } : { port, host });
  await once(http, "listening");
}

async function stop(control: Control, hosts: readonly ShardHost[], http: Server): Promise<number> {
  const sessions = await controlDrain(control);
  if (sessions > 0) await new Promise((resolve) => setTimeout(resolve, LAST_QUESTION_MILLIS));
  const closed = new Promise<void>((resolve) => http.close(() => resolve()));
  http.closeIdleConnections();
  const lastCall = setTimeout(() => http.closeAllConnections(), FAREWELL_MILLIS);
  await Promise.all([closed, ...hosts.map((host) => host.close(FAREWELL_MILLIS))]);
  clearTimeout(lastCall);
  return sessions;
}

function startError(error: unknown, what: "UDP" | "HTTP", port: number, flag: string): StartError {
  const code = error instanceof Object && "code" in error ? error.code : undefined;
  if (code === "ERANGE") {
    return new StartError(
      `There is no ${what} port ${port} for the last shard; choose a lower ${flag} or fewer --shards.`,
    );
  }
  if (code === "EADDRINUSE") {
    return new StartError(`${what} port ${port} is in use; end what uses it or choose another port with ${flag}.`);
  }
  if (code === "EACCES") {
    return new StartError(`${what} port ${port} needs more rights; choose one above 1023 with ${flag}.`);
  }
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return new StartError("This machine does not have the address given with --http-host; leave it out or correct it.");
  }
  return new StartError(
    `${what} port ${port} can't be opened (${String(code ?? error)}); choose another with ${flag}.`,
  );
}
