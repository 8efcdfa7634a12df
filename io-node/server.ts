/**
 * A server put together: sockets, a shard in its host, the control plane, HTTP and the log.
 *
 * It starts whole or not at all: when a port can't be had, what was opened before is closed again, and the error says which
 * port and what to do. It ends in order: the shard closes every session with close_notify and refuses joins, so that pages
 * learn at once; event streams end with their last event, pages without one may ask once more; then the sockets go.
 */
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { createAdaptorServer } from "@hono/node-server";
import { candidateAddress, machineAddresses } from "./addresses.ts";
import { type Control, controlCommand, controlEvent, controlLost, controlReply, createControl } from "./control.ts";
import { createHttp } from "./http.ts";
import { type Log, logEvent } from "./log.ts";
import type { ServeOptions } from "./options.ts";
import { type MediaPort, NoFastIo, openMediaPort, type ShardHost } from "./shard-host.ts";

/** How long datagrams, event streams and open requests may take to end when the server does. */
const FAREWELL_MILLIS = 500;

/** How long HTTP still answers after the goodbye: pages without an event stream ask then why their call is over. */
const LAST_QUESTION_MILLIS = 400;

/** How long a client may take to send a request: slow ones hold a connection. */
const REQUEST_MILLIS = 30_000;

/** A running server. */
export interface RunningServer {
  readonly httpPort: number;
  readonly udpPort: number;
  /** The addresses in the candidates, best first. */
  readonly addresses: readonly string[];
  /** Which kind of host serves, and why it is not the fast one; empty when there is nothing to say. */
  readonly io: MediaPort["io"];
  readonly ioWhy: string;
  readonly control: Control;
  readonly host: ShardHost;
  /** Says goodbye to everybody and closes everything; answers with how many sessions there were. */
  stop(): Promise<number>;
}

/** A port that can't be had, in a sentence that says what to do. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** Starts a server. `onFailure` hears of a mistake that the shard found in itself: then the process should end. */
export async function startServer(
  options: ServeOptions,
  log: Log,
  onFailure: (error: unknown) => void,
): Promise<RunningServer> {
  const media = await openMediaPort(options.io ?? "auto", options.udpPort).catch((error: unknown) => {
    if (error instanceof NoFastIo) throw new StartError(`${error.message} Leave out --io fast to serve all the same.`);
    throw startError(error, "UDP", options.udpPort, "--udp-port");
  });
  const addresses =
    options.publicAddresses.length > 0 ? options.publicAddresses : machineAddresses(networkInterfaces(), media.hasIpv6);
  const candidates = addresses.flatMap((text) => candidateAddress(text, media.port) ?? []);
  const control: Control = createControl((commandId, command) => host.command(commandId, command));
  const host: ShardHost = await media.start(candidates, {
    onFailure,
    onLost(error) {
      log.error({ err: error }, "the shard has found a mistake of its own; a fresh one takes over");
      controlLost(control);
    },
    onReply: (reply) => controlReply(control, reply),
    onEvent(event) {
      logEvent(log, event);
      controlEvent(control, event);
    },
  });
  const http = createAdaptorServer({
    fetch: createHttp({ control, log }).fetch,
    serverOptions: { requestTimeout: REQUEST_MILLIS },
  }) as Server;
  try {
    await listen(http, options.httpPort, options.httpHost);
  } catch (error) {
    await host.close(0);
    throw startError(error, "HTTP", options.httpPort, "--http-port");
  }
  http.on("error", (error) => log.error({ err: error }, "the HTTP server has failed"));
  const httpPort = (http.address() as AddressInfo).port;
  const { port: udpPort, io, why: ioWhy } = media;
  return { httpPort, udpPort, addresses, io, ioWhy, control, host, stop: () => stop(control, host, http) };
}

async function listen(http: Server, port: number, host: string | undefined): Promise<void> {
  http.listen(host === undefined ? { port } : { port, host });
  await once(http, "listening");
}

async function stop(control: Control, host: ShardHost, http: Server): Promise<number> {
  const reply = await controlCommand(control, { type: "drain" });
  const sessions = reply.type === "drained" ? reply.sessions : 0;
  if (sessions > 0) await new Promise((resolve) => setTimeout(resolve, LAST_QUESTION_MILLIS));
  const closed = new Promise<void>((resolve) => http.close(() => resolve()));
  http.closeIdleConnections();
  const lastCall = setTimeout(() => http.closeAllConnections(), FAREWELL_MILLIS);
  await Promise.all([closed, host.close(FAREWELL_MILLIS)]);
  clearTimeout(lastCall);
  return sessions;
}

function startError(error: unknown, what: "UDP" | "HTTP", port: number, flag: string): StartError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
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
