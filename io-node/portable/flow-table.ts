/**
 * Flows: small integers for (local socket, remote address), so that the core never compares address strings.
 *
 * A flow is interned when a datagram arrives from an address that has none, and lives until the shard says `releaseFlow`.
 * The shard says so at once about strangers, and about everybody else when they go, so the table holds little more than the
 * people in calls. It is bounded all the same: when it is full, a datagram from a new address is dropped and counted.
 */
import { LIMITS } from "../../core/index.ts";
import { transportAddress } from "../addresses.ts";

/** The most flows at a time: every participant of a full shard with all the flows that ICE lets it keep, and some spare. */
const FLOWS_MAX = LIMITS.participantsPerShardMax * LIMITS.iceFlowsPerPeerMax + 1_024;

/** One remote address on one of our sockets. */
export interface Flow {
  readonly index: number;
  /** Which of the host's sockets it is on. */
  readonly socket: number;
  readonly ip: string;
  readonly port: number;
  /** The bytes for the core: IP and port in network order. */
  readonly address: Uint8Array;
}

/** The table; make one with {@link createFlowTable}. */
export interface FlowTable {
  readonly flowsMax: number;
  /** By index; a free index holds undefined. */
  readonly flows: (Flow | undefined)[];
  readonly freeIndexes: number[];
  /** Socket, then IP text, then port: two look-ups a datagram and no string built for them. */
  readonly bySocket: Map<string, Map<number, Flow>>[];
}

/** An empty table for `sockets` sockets. */
export function createFlowTable(sockets: number, flowsMax: number = FLOWS_MAX): FlowTable {
  const bySocket = Array.from({ length: sockets }, () => new Map<string, Map<number, Flow>>());
  return { flowsMax, flows: [], freeIndexes: [], bySocket };
}

/** The flow of a datagram's sender. `undefined` when the table is full, or nothing could be sent there. */
export function internFlow(table: FlowTable, socket: number, ip: string, port: number): Flow | undefined {
  const known = table.bySocket[socket]!.get(ip)?.get(port);
  return known ?? addFlow(table, socket, ip, port);
}

/** The flow with this number, when it is in use. */
export function flowAt(table: FlowTable, index: number): Flow | undefined {
  return table.flows[index];
}

/** Forgets a flow; its number may be used again. Nothing happens when it's not in use. */
export function releaseFlow(table: FlowTable, index: number): void {
  const flow = table.flows[index];
  if (flow === undefined) return;
  const ports = table.bySocket[flow.socket]!.get(flow.ip)!;
  ports.delete(flow.port);
  if (ports.size === 0) table.bySocket[flow.socket]!.delete(flow.ip);
  table.flows[index] = undefined;
  table.freeIndexes.push(index);
}

/** How many flows are in use. */
export function flowCount(table: FlowTable): number {
  return table.flows.length - table.freeIndexes.length;
}

function addFlow(table: FlowTable, socket: number, ip: string, port: number): Flow | undefined {
  // Port 0 can be written into a datagram's header but nothing can be sent there.
  const address = port > 0 ? transportAddress(ip, port) : undefined;
  if (address === undefined || flowCount(table) >= table.flowsMax) return undefined;
  const index = table.freeIndexes.pop() ?? table.flows.length;
  const flow: Flow = { index, socket, ip, port, address };
  table.flows[index] = flow;
  const addresses = table.bySocket[socket]!;
  const ports = addresses.get(ip);
  if (ports === undefined) addresses.set(ip, new Map([[port, flow]]));
  else ports.set(port, flow);
  return flow;
}
