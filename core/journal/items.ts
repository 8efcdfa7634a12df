/**
 * Reads the items of a journal's frames (format.ts), one after the other.
 *
 * The frames have proved that they are as they were written, so what makes no sense here was written by another program. An
 * item may end too early all the same, where the file was cut between two frames: then there is none.
 */
import { readU32 } from "../base/bytes.ts";
import type { Micros } from "../base/micros.ts";
import { decodePlain } from "../base/plain-decode.ts";
import { LockstepError } from "../errors.ts";
import type { BootRecord, Command, ShardInput } from "../sfu/ports.ts";
import { ITEM, type Program } from "./format.ts";

/** One item. */
export type Item =
  | { readonly kind: typeof ITEM.BOOT; readonly boot: BootRecord; readonly program: Program }
  | {
      readonly kind: typeof ITEM.SNAPSHOT;
      readonly now: Micros;
      readonly inputs: number;
      readonly high: number;
      readonly low: number;
      readonly state: Uint8Array;
    }
  | { readonly kind: typeof ITEM.CACHED; readonly stream: number; readonly slot: number; readonly bytes: Uint8Array }
  | { readonly kind: "input"; readonly input: ShardInput }
  | { readonly kind: typeof ITEM.ANSWER; readonly call: number; readonly bytes: Uint8Array }
  | { readonly kind: typeof ITEM.VERDICT; readonly call: number; readonly holds: boolean }
  | { readonly kind: typeof ITEM.OPENED; readonly call: number; readonly bytes: Uint8Array }
  | { readonly kind: typeof ITEM.DONE; readonly effects: number; readonly witness: number }
  | { readonly kind: typeof ITEM.FAILED; readonly error: string }
  | { readonly kind: typeof ITEM.END; readonly high: number; readonly low: number };

/** Where the reading is. */
export interface ItemReader {
  readonly bytes: Uint8Array;
  at: number;
  /** The time of the last input. */
  now: Micros;
  /** Something was wanted that lies behind the end. */
  isCut: boolean;
}

/** The next item; undefined when there is no other whole one. */
export function nextItem(reader: ItemReader): Item | undefined {
  const { at, now, bytes } = reader;
  if (at >= bytes.length) return undefined;
  const item = readItem(reader);
  if (!reader.isCut) return item;
  reader.at = at;
  reader.now = now;
  return undefined;
}

function readItem(reader: ItemReader): Item | undefined {
  const kind = readByte(reader);
  switch (kind) {
    case ITEM.BOOT: {
      const value = readPlain(reader) as { boot: BootRecord; program: Program } | undefined;
      return value && { kind, ...value };
    }
    case ITEM.SNAPSHOT: {
      const [now, inputs] = [readNumber(reader) as Micros, readNumber(reader)];
      reader.now = now;
      return { kind, now, inputs, high: readWord(reader), low: readWord(reader), state: readSparse(reader) };
    }
    case ITEM.CACHED: {
      const [stream, slot] = [readNumber(reader), readNumber(reader)];
      return { kind, stream, slot, bytes: readSparse(reader) };
    }
    case ITEM.ANSWER: {
      const call = readByte(reader);
      return { kind, call, bytes: readRun(reader) };
    }
    case ITEM.VERDICT: {
      const call = readByte(reader);
      return { kind, call, holds: readByte(reader) === 1 };
    }
    case ITEM.OPENED: {
      const call = readByte(reader);
      return { kind, call, bytes: readSparse(reader) };
    }
    case ITEM.DONE: {
      const effects = readNumber(reader);
      return { kind, effects, witness: readWord(reader) };
    }
    case ITEM.FAILED: {
      const error = readPlain(reader);
      return { kind, error: String(error) };
    }
    case ITEM.END:
      return { kind, high: readWord(reader), low: readWord(reader) };
    default: {
      const input = readInput(reader, kind);
      return input && { kind: "input", input };
    }
  }
}

function readInput(reader: ItemReader, kind: number): ShardInput | undefined {
  reader.now = (reader.now + readSigned(reader)) as Micros;
  const { now } = reader;
  switch (kind) {
    case ITEM.DATAGRAM: {
      const flow = readNumber(reader);
      const address = readRun(reader);
      const bytes = readSparse(reader);
      return { kind: "datagram", now, flow, address, bytes, offset: 0, length: bytes.length };
    }
    case ITEM.COMMAND: {
      const commandId = readNumber(reader);
      const command = readPlain(reader) as Command | undefined;
      return command && { kind: "command", now, commandId, command };
    }
    case ITEM.RELAY: {
      const shard = readNumber(reader);
      const bytes = readSparse(reader);
      return { kind: "relay", now, shard, bytes, offset: 0, length: bytes.length };
    }
    case ITEM.SHARD_LOST:
      return { kind: "shard-lost", now, shard: readNumber(reader) };
    case ITEM.TIMER:
      return { kind: "timer", now };
    default:
      throw new LockstepError(
        "bad-journal",
        `The journal has an item of kind ${kind}, which this Lockstep doesn't know.`,
      );
  }
}

function readByte(reader: ItemReader): number {
  if (reader.at >= reader.bytes.length) reader.isCut = true;
  return reader.bytes[reader.at++] ?? 0;
}

function readNumber(reader: ItemReader): number {
  let value = 0;
  for (let scale = 1; scale <= Number.MAX_SAFE_INTEGER; scale *= 0x80) {
    const byte = readByte(reader);
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
  }
  return value;
}

function readSigned(reader: ItemReader): number {
  const value = readNumber(reader);
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

function readWord(reader: ItemReader): number {
  const bytes = take(reader, 4);
  return reader.isCut ? 0 : readU32(bytes, 0);
}

function readRun(reader: ItemReader): Uint8Array {
  return take(reader, readNumber(reader));
}

function readPlain(reader: ItemReader): unknown {
  const bytes = readRun(reader);
  return reader.isCut ? undefined : decodePlain(bytes);
}

/** Bytes with zeros where none were kept. The length is believed only once that much has been accounted for. */
function readSparse(reader: ItemReader): Uint8Array {
  const length = readNumber(reader);
  const kept: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  let at = 0;
  while (at < length && !reader.isCut) {
    const bytes = readRun(reader);
    kept.push({ at, bytes });
    at += bytes.length + readNumber(reader);
  }
  if (reader.isCut) return new Uint8Array(0);
  if (at !== length || length > SPARSE_BYTES_MAX)
    throw new LockstepError("bad-journal", "The journal has an item that fits nowhere.");
  const whole = new Uint8Array(length);
  for (const run of kept) whole.set(run.bytes, run.at);
  return whole;
}

/** No snapshot is longer. */
const SPARSE_BYTES_MAX = 0x1_0000_0000;

function take(reader: ItemReader, length: number): Uint8Array {
  const { bytes, at } = reader;
  if (length > bytes.length - at) {
    reader.isCut = true;
    return new Uint8Array(0);
  }
  reader.at += length;
  return bytes.slice(at, at + length);
}
