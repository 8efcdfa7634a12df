/**
 * Plain data again from the bytes that plain-encode.ts has made of it; plain-format.ts says what they are.
 */
import { LockstepError } from "../errors.ts";
import { readU16 } from "./bytes.ts";
import {
  assertLittleEndian,
  PLAIN_FORMAT,
  type PlainObject,
  SMALL_INTEGER,
  TAG,
  TYPED_ARRAYS,
} from "./plain-format.ts";

interface Decoder {
  readonly bytes: Uint8Array;
  at: number;
  texts: string[];
  containers: object[];
}

/**
 * The data that `encodePlain` made these bytes of. Throws a LockstepError ("bad-snapshot") for any other bytes that
 * it can tell from those; memory stays in proportion to the bytes.
 */
export function decodePlain(bytes: Uint8Array): unknown {
  assertLittleEndian();
  const decoder: Decoder = { bytes, at: 0, texts: [], containers: [] };
  if (readByte(decoder) !== PLAIN_FORMAT) malformed(decoder, "it has another format");
  const value = readValue(decoder);
  for (let i = 0; i < decoder.containers.length; i++) readContents(decoder, decoder.containers[i]!);
  if (decoder.at !== bytes.length) malformed(decoder, "bytes are left over");
  return value;
}

function readValue(decoder: Decoder): unknown {
  const tag = readByte(decoder);
  if (tag >= SMALL_INTEGER) return tag - SMALL_INTEGER;
  switch (tag) {
    case TAG.UNDEFINED:
      return undefined;
    case TAG.NULL:
      return null;
    case TAG.FALSE:
      return false;
    case TAG.TRUE:
      return true;
    case TAG.POSITIVE:
      return readVarint(decoder);
    case TAG.NEGATIVE:
      return -1 - readVarint(decoder);
    case TAG.DOUBLE:
      return new Float64Array(readBytes(decoder, 8).buffer)[0]!;
    case TAG.NAN:
      return Number.NaN;
    case TAG.NARROW_TEXT:
    case TAG.WIDE_TEXT:
    case TAG.TEXT_AGAIN:
      return readText(decoder, tag);
    default:
      return readReference(decoder, tag);
  }
}

function readText(decoder: Decoder, tag: number): string {
  const count = readVarint(decoder);
  if (tag === TAG.TEXT_AGAIN) return decoder.texts[count] ?? malformed(decoder, "it names a text that is not there");
  if (tag !== TAG.NARROW_TEXT && tag !== TAG.WIDE_TEXT) malformed(decoder, "something else stands where a key should");
  const wide = tag === TAG.WIDE_TEXT;
  const bytes = readBytes(decoder, wide ? 2 * count : count);
  let text = "";
  for (let i = 0; i < count; i++) {
    text += String.fromCharCode(wide ? readU16(bytes, 2 * i) : bytes[i]!);
  }
  decoder.texts.push(text);
  return text;
}

function readReference(decoder: Decoder, tag: number): object {
  if (tag === TAG.CONTAINER_AGAIN) {
    return decoder.containers[readVarint(decoder)] ?? malformed(decoder, "it names a container that is not there");
  }
  const container = createContainer(decoder, tag);
  decoder.containers.push(container);
  return container;
}

function createContainer(decoder: Decoder, tag: number): object {
  switch (tag) {
    case TAG.ARRAY:
      return [];
    case TAG.MAP:
      return new Map();
    case TAG.SET:
      return new Set();
    case TAG.OBJECT:
      return {};
    default: {
      const view = TYPED_ARRAYS[tag - TAG.TYPED_ARRAY] ?? malformed(decoder, "it has an unknown tag");
      const bytes = readBytes(decoder, readVarint(decoder));
      if (bytes.length % view.BYTES_PER_ELEMENT !== 0) malformed(decoder, "a typed array ends in mid-element");
      return view === Uint8Array ? bytes : new view(bytes.buffer);
    }
  }
}

function readContents(decoder: Decoder, container: object): void {
  if (ArrayBuffer.isView(container)) return;
  const count = readVarint(decoder);
  // A count that lies is found out by the end of the bytes: each entry takes one at least, and nothing is made in advance.
  if (Array.isArray(container)) {
    for (let i = 0; i < count; i++) container.push(readValue(decoder));
  } else if (container instanceof Map) {
    for (let i = 0; i < count; i++) {
      const key = readValue(decoder);
      container.set(key, readValue(decoder));
    }
    if (container.size !== count) malformed(decoder, "a map has a key twice");
  } else if (container instanceof Set) {
    for (let i = 0; i < count; i++) container.add(readValue(decoder));
    if (container.size !== count) malformed(decoder, "a set has an item twice");
  } else {
    for (let i = 0; i < count; i++) readProperty(decoder, container as PlainObject);
  }
}

function readProperty(decoder: Decoder, object: PlainObject): void {
  const key = readText(decoder, readByte(decoder));
  if (Object.hasOwn(object, key)) malformed(decoder, "an object has a key twice");
  const value = readValue(decoder);
  // Assigning to this one name would change the object's prototype instead.
  if (key === "__proto__")
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  else object[key] = value;
}

function readByte(decoder: Decoder): number {
  if (decoder.at >= decoder.bytes.length) malformed(decoder, "it ends too early");
  return decoder.bytes[decoder.at++]!;
}

function readVarint(decoder: Decoder): number {
  let value = 0;
  let scale = 1;
  for (;;) {
    const byte = readByte(decoder);
    value += (byte & 0x7f) * scale;
    if (value > Number.MAX_SAFE_INTEGER) malformed(decoder, "a number is too large");
    if (byte < 0x80) return value;
    scale *= 0x80;
    if (scale > Number.MAX_SAFE_INTEGER) malformed(decoder, "a number is too long");
  }
}

/** A copy of the next `count` bytes, with a buffer of its own. */
function readBytes(decoder: Decoder, count: number): Uint8Array<ArrayBuffer> {
  if (count > decoder.bytes.length - decoder.at) malformed(decoder, "it ends too early");
  const copy = new Uint8Array(count);
  copy.set(decoder.bytes.subarray(decoder.at, decoder.at + count));
  decoder.at += count;
  return copy;
}

function malformed(decoder: Decoder, what: string): never {
  throw new LockstepError("bad-snapshot", `The snapshot can't be read: ${what} (near byte ${decoder.at}).`);
}
