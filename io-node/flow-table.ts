/**
 * Flows: small integers for (local socket, remote address), so that the core never compares address strings.
 *
 * A flow is interned when its first datagram arrives. It stays on probation until the shard sends something to it: by then
 * an ICE check from there was authenticated, and the shard may remember the flow until it says `releaseFlow`. A flow that
 * the shard has never answered is remembered by nobody, so its number goes to the next stranger when the table is full.
 * That is what keeps a flood from made-up addresses from shutting out the people in a call. When every flow has been
 * answered, a datagram from a new address is dropped and counted.
 */
import { transportAddress } from "./addresses.ts";

/** The most flows at a time: sixteen times the participants of a shard with two addresses each. */
export const FLOWS_MAX = 65_536;

/** One remote address on one of our sockets. */
export interface Flow {
  readonly index: number;
  /** Which of the host's sockets it is on. */
  readonly socket: number;
  readonly ip: string;
  readonly port: number;
  /** The bytes for the core: IP and port in network order. */
  readonly address: Uint8Array;
  /** Whether the shard has sent anything to it. */
  answered: boolean;
}

/** The table; make one with {@link createFlowTable}. */
export interface FlowTable {
  readonly flowsMax: number;
  /** By index; a free index holds undefined. */
  readonly flows: (Flow | undefined)[];
  readonly freeIndexes: number[];
  /** Socket, then IP text, then port: two look-ups a datagram and no string built for them. */
  readonly bySocket: Map<string, Map<number, Flow>>[];
  /** Flows on probation, oldest first. */
  readonly strangers: Set<Flow>;
}

/** An empty table for `sockets` sockets. */
export function createFlowTable(sockets: number, flowsMax: number = FLOWS_MAX): FlowTable {
  const bySocket = Array.from({ length: sockets }, () => new Map<string, Map<number, Flow>>());
  return { flowsMax, flows: [], freeIndexes: [], bySocket, strangers: new Set() };
}

/** The flow of a datagram's sender. `undefined` when the table is full of answered flows or the address makes no sense. */
export function internFlow(table: FlowTable, socket: number, ip: string, port: number): Flow | undefined {
  const known = table.bySocket[socket]!.get(ip)?.get(port);
  return known ?? addFlow(table, socket, ip, port);
}

/** The flow with this number, when it is in use. */
export function flowAt(table: FlowTable, index: number): Flow | undefined {
  return table.flows[index];
}

/** Notes that the shard has sent something to the flow: from now on only {@link releaseFlow} ends it. */
export function flowAnswered(table: FlowTable, flow: Flow): void {
  if (flow.answered) return;
  flow.answered = true;
  table.strangers.delete(flow);
}

/** Forgets a flow; its number may be used again. Nothing happens when it's not in use. */
export function releaseFlow(table: FlowTable, index: number): void {
  const flow = table.flows[index];
  if (flow === undefined) return;
  const ports = table.bySocket[flow.socket]!.get(flow.ip)!;
  ports.delete(flow.port);
  if (ports.size === 0) table.bySocket[flow.socket]!.delete(flow.ip);
  table.strangers.delete(flow);
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
  if (address === undefined) return undefined;
  if (flowCount(table) >= table.flowsMax) {
    const [oldest] = table.strangers;
    if (oldest === undefined) return undefined;
    releaseFlow(table, oldest.index);
  }
  const index = table.freeIndexes.pop() ?? table.flows.length;
  const flow: Flow = { index, socket, ip, port, address, answered: false };
  table.flows[index] = flow;
  table.strangers.add(flow);
  const addresses = table.bySocket[socket]!;
  const ports = addresses.get(ip);
  if (ports === undefined) addresses.set(ip, new Map([[port, flow]]));
  else ports.set(port, flow);
  return flow;
}
