/**
 * State as JSON that people read, with secrets left out.
 *
 * State machines are plain data, but Maps, typed arrays and numbers that mean "never" are no JSON. Maps become lists of
 * pairs when their keys are not texts, long memory becomes its length and a checksum, and whatever a field's name gives
 * away as a key, a password or a seed is not shown at all. What is referred to twice is shown where it comes first.
 */
import { createFingerprint, fingerprintBytes, fingerprintHex, NEVER } from "../../core/index.ts";
import { countWaiting } from "../base/event-loop.ts";
import { linkConserves, linkCounters } from "../link/index.ts";
import type { World } from "../world/world.ts";

/** Fields with these words in their names are secrets; who knows the name of a resource may end a call. */
const SECRET = /key(?!frame)|secret|password|resource|salt|seed|entropy|premaster|scratch|nonce/i;

/** Bytes that are shown as they are. */
const SHOWN_BYTES = 20;

/** A world as JSON: the time, the server's state, and what each peer's client and links are up to. */
export function readableWorld(world: World): unknown {
  const peers = [...world.peers.values()].map(({ plan, address, client, up, down }) => ({
    name: plan.name,
    room: plan.room,
    address,
    status: client?.status ?? "not there",
    detail: client?.detail ?? "",
    participant: client?.participant ?? 0,
    up: { ...readableObject(linkCounters(up)), conserves: linkConserves(linkCounters(up)) },
    down: { ...readableObject(linkCounters(down)), conserves: linkConserves(linkCounters(down)) },
  }));
  const { loop, node } = world;
  return {
    event: loop.ran,
    time: loop.now,
    storyTime: world.zeroAt === 0 ? null : loop.now - world.zeroAt,
    inputs: node.inputs,
    waiting: countWaiting(loop),
    peers,
    shard: readableState(node.shard),
  };
}

/** Any plain data as JSON, without its secrets. */
export function readableState(value: unknown): unknown {
  return readable(value, new Set());
}

function readableObject(value: object): Record<string, unknown> {
  return readableState(value) as Record<string, unknown>;
}

function readable(value: unknown, above: Set<unknown>): unknown {
  if (value === NEVER) return "never";
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value !== "object" || value === null) return value ?? null;
  if (value instanceof Uint8Array) return readableBytes(value);
  if (ArrayBuffer.isView(value)) return readableNumbers(value as Uint32Array);
  if (above.has(value)) return "see above";
  above.add(value);
  if (Array.isArray(value)) return value.map((item) => readable(item, above));
  if (value instanceof Set) return [...value].map((item) => readable(item, above));
  if (value instanceof Map) return readableMap(value, above);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, SECRET.test(name) ? "(secret)" : readable(item, above)]),
  );
}

function readableMap(map: Map<unknown, unknown>, above: Set<unknown>): unknown {
  const entries = [...map].map(([key, item]) => [readable(key, above), readable(item, above)] as const);
  // Integers as names would come out in another order than they went in.
  if ([...map.keys()].every((key) => typeof key === "string" && !/^\d+$/.test(key))) return Object.fromEntries(entries);
  return entries;
}

function readableBytes(bytes: Uint8Array): string {
  if (bytes.length <= SHOWN_BYTES) return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const hash = createFingerprint();
  fingerprintBytes(hash, bytes, 0, bytes.length);
  return `${bytes.length} bytes, ${fingerprintHex(hash)}`;
}

function readableNumbers(numbers: Uint32Array): unknown {
  if (numbers.length <= SHOWN_BYTES) return [...numbers];
  return `${numbers.length} numbers, ${readableBytes(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength))}`;
}
