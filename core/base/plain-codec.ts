/**
 * Plain data (STYLE 2) to bytes and back, for snapshots of a whole shard.
 *
 * Picture a list of containers. The root is written first; wherever a container turns up for the first time its kind is
 * written and it joins the end of the list, wherever it turns up again its place in the list is written. Then each in turn
 * writes its contents. So identity and cycles are kept, and nothing recurses, however deep the data is. Texts are
 * numbered the same way, which makes the keys of equal-shaped objects cheap. Typed arrays are copied in bulk, in the
 * machine's order of bytes, which must be little-endian.
 *
 * Equal data in equal order gives equal bytes. What is not plain (functions, symbols, BigInts, instances of classes, views
 * of a part of a buffer, holes in arrays) fails an assertion: it must not get into state. Frozenness is not kept.
 */
import { LockstepError } from "../errors.ts";
import { assert } from "./assert.ts";
import { readU16 } from "./bytes.ts";

/** The first byte: it changes with the format. */
const FORMAT = 1;

/** What begins a value; a byte of 0x80 or more is the integer in its low 7 bits. */
const TAG = {
  UNDEFINED: 0,
  NULL: 1,
  FALSE: 2,
  TRUE: 3,
  /** An integer of 0 or more, as a varint. */
  POSITIVE: 4,
  /** -1 minus the varint that follows. */
  NEGATIVE: 5,
  /** Eight bytes. */
  DOUBLE: 6,
  NAN: 7,
  /** A text of code units under 256: how many, then a byte each. */
  NARROW_TEXT: 8,
  /** Any other text: how many code units, then two bytes each. */
  WIDE_TEXT: 9,
  /** The number of a text that was written before. */
  TEXT_AGAIN: 10,
  /** The number of a container that was met before. */
  CONTAINER_AGAIN: 11,
  ARRAY: 12,
  MAP: 13,
  SET: 14,
  OBJECT: 15,
  /** This and the tags behind it: a typed array of {@link TYPED_ARRAYS}; how many bytes, then the bytes. */
  TYPED_ARRAY: 16,
} as const;

const SMALL_INTEGER = 0x80;

/** The typed arrays that state may hold, in the order of their tags. */
const TYPED_ARRAYS = [Uint8Array, Uint16Array, Uint32Array, Int16Array, Int32Array, Float64Array] as const;

type TypedArray = InstanceType<(typeof TYPED_ARRAYS)[number]>;
type PlainObject = Record<string, unknown>;

interface Encoder {
  bytes: Uint8Array;
  length: number;
  texts: Map<string, number>;
  /** The shapes of objects met so far, by their first key. */
  shapes: Map<string, Shape[]>;
  /** Every container met so far, in order; those from the one being written on are still to be written. */
  containers: object[];
  /** Their numbers. A typed array is known by its buffer, so that two views of one buffer don't go unnoticed. */
  numbers: Map<object, number>;
  double: Float64Array;
}

/**
 * What objects of equal keys have in common: the keys in order, and the number of each as a text. An object whose shape is
 * known asks for no text.
 */
interface Shape {
  readonly keys: readonly string[];
  readonly numbers: readonly number[];
}

interface Decoder {
  readonly bytes: Uint8Array;
  at: number;
  texts: string[];
  containers: object[];
}

/** The bytes of a piece of plain data, with a buffer of their own; fails an assertion when it is not plain. */
export function encodePlain(value: unknown): Uint8Array {
  assertLittleEndian();
  const encoder: Encoder = {
    bytes: new Uint8Array(1_024),
    length: 0,
    texts: new Map(),
    shapes: new Map(),
    containers: [],
    numbers: new Map(),
    double: new Float64Array(1),
  };
  writeByte(encoder, FORMAT);
  writeValue(encoder, value);
  writeContainers(encoder);
  return encoder.bytes.slice(0, encoder.length);
}

/** Writes what is in the containers, and in those that turn up meanwhile. */
function writeContainers(encoder: Encoder): void {
  const { containers } = encoder;
  for (let i = 0; i < containers.length; i++) writeContents(encoder, containers[i]!);
}

/**
 * The data that {@link encodePlain} made these bytes of. Throws a LockstepError ("bad-snapshot") for any other bytes that
 * it can tell from those; memory stays in proportion to the bytes.
 */
export function decodePlain(bytes: Uint8Array): unknown {
  assertLittleEndian();
  const decoder: Decoder = { bytes, at: 0, texts: [], containers: [] };
  if (readByte(decoder) !== FORMAT) malformed(decoder, "it has another format");
  const value = readValue(decoder);
  for (let i = 0; i < decoder.containers.length; i++) readContents(decoder, decoder.containers[i]!);
  if (decoder.at !== bytes.length) malformed(decoder, "bytes are left over");
  return value;
}

function assertLittleEndian(): void {
  assert(new Uint8Array(Uint16Array.of(1).buffer)[0] === 1, "the machine is little-endian");
}

function writeValue(encoder: Encoder, value: unknown): void {
  // One question after the other: each is a look at a tag for V8, where `switch` would first have a text made of the type.
  if (typeof value === "number") writeNumber(encoder, value);
  else if (typeof value === "object") {
    if (value === null) writeByte(encoder, TAG.NULL);
    else writeReference(encoder, value);
  } else if (typeof value === "boolean") writeByte(encoder, value ? TAG.TRUE : TAG.FALSE);
  else if (typeof value === "string") writeText(encoder, value);
  else {
    assert(value === undefined, `plain data holds no ${typeof value}`);
    writeByte(encoder, TAG.UNDEFINED);
  }
}

function writeNumber(encoder: Encoder, value: number): void {
  if (value > 0 && value < SMALL_INTEGER && (value | 0) === value) writeByte(encoder, SMALL_INTEGER | value);
  else if (Number.isNaN(value)) writeByte(encoder, TAG.NAN);
  else if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    encoder.double[0] = value;
    writeByte(encoder, TAG.DOUBLE);
    writeBytes(encoder, new Uint8Array(encoder.double.buffer));
  } else if (value >= 0 && value < SMALL_INTEGER) writeByte(encoder, SMALL_INTEGER | value);
  else {
    writeByte(encoder, value < 0 ? TAG.NEGATIVE : TAG.POSITIVE);
    writeVarint(encoder, value < 0 ? -1 - value : value);
  }
}

function writeText(encoder: Encoder, text: string): void {
  const known = encoder.texts.get(text);
  if (known !== undefined) {
    writeByte(encoder, TAG.TEXT_AGAIN);
    writeVarint(encoder, known);
    return;
  }
  encoder.texts.set(text, encoder.texts.size);
  let wide = false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) wide = true;
  writeByte(encoder, wide ? TAG.WIDE_TEXT : TAG.NARROW_TEXT);
  writeVarint(encoder, text.length);
  // Code units, not UTF-8: a name that was cut may end in half a surrogate pair, and must come back so.
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (wide) writeByte(encoder, unit >>> 8);
    writeByte(encoder, unit & 0xff);
  }
}

function writeReference(encoder: Encoder, container: object): void {
  const { numbers, containers } = encoder;
  const key = ArrayBuffer.isView(container) ? container.buffer : container;
  const known = numbers.get(key);
  if (known !== undefined) {
    assert(containers[known] === container, "no two typed arrays in plain data share a buffer");
    writeByte(encoder, TAG.CONTAINER_AGAIN);
    writeVarint(encoder, known);
    return;
  }
  numbers.set(key, containers.length);
  containers.push(container);
  const prototype: unknown = Object.getPrototypeOf(container);
  if (prototype === Object.prototype) writeByte(encoder, TAG.OBJECT);
  else if (prototype === Array.prototype) writeByte(encoder, TAG.ARRAY);
  else if (prototype === Map.prototype) writeByte(encoder, TAG.MAP);
  else if (prototype === Set.prototype) writeByte(encoder, TAG.SET);
  else {
    const kind = kindOfTypedArray(prototype);
    // The sentence is made only where it is needed: this is asked of thousands.
    if (kind < 0) assert(false, `plain data holds no instance of ${nameOfClass(container)}`);
    writeTypedArray(encoder, kind, container as TypedArray);
  }
}

function kindOfTypedArray(prototype: unknown): number {
  for (let kind = 0; kind < TYPED_ARRAYS.length; kind++) if (TYPED_ARRAYS[kind]!.prototype === prototype) return kind;
  return -1;
}

function nameOfClass(container: object): string {
  const maker = (container as { constructor?: { name?: unknown } }).constructor;
  return String(maker?.name ?? "an unknown class");
}

function writeTypedArray(encoder: Encoder, kind: number, array: TypedArray): void {
  const { buffer } = array;
  assert(array.byteLength === buffer.byteLength, "a typed array in plain data owns its whole buffer");
  writeByte(encoder, TAG.TYPED_ARRAY + kind);
  writeVarint(encoder, array.byteLength);
  writeBytes(encoder, array instanceof Uint8Array ? array : new Uint8Array(buffer));
}

function writeContents(encoder: Encoder, container: object): void {
  if (Array.isArray(container)) {
    writeVarint(encoder, container.length);
    for (let i = 0; i < container.length; i++) {
      const item: unknown = container[i];
      assert(item !== undefined || i in container, "an array in plain data has no holes");
      writeValue(encoder, item);
    }
  } else if (container instanceof Map) {
    writeVarint(encoder, container.size);
    for (const [key, value] of container) {
      writeValue(encoder, key);
      writeValue(encoder, value);
    }
  } else if (container instanceof Set) {
    writeVarint(encoder, container.size);
    for (const item of container) writeValue(encoder, item);
  } else if (!ArrayBuffer.isView(container)) {
    writeObject(encoder, container as PlainObject);
  }
}

function writeObject(encoder: Encoder, object: PlainObject): void {
  const keys = Object.keys(object);
  writeVarint(encoder, keys.length);
  const shape = knownShape(encoder, keys);
  if (shape === undefined) {
    writeNewShape(encoder, object, keys);
    return;
  }
  for (let i = 0; i < keys.length; i++) {
    writeByte(encoder, TAG.TEXT_AGAIN);
    writeVarint(encoder, shape.numbers[i]!);
    writeValue(encoder, object[keys[i]!]);
  }
}

function knownShape({ shapes }: Encoder, keys: readonly string[]): Shape | undefined {
  const candidates = keys.length === 0 ? undefined : shapes.get(keys[0]!);
  if (candidates === undefined) return undefined;
  for (let i = 0; i < candidates.length; i++) if (hasKeys(candidates[i]!, keys)) return candidates[i];
  return undefined;
}

function hasKeys(shape: Shape, keys: readonly string[]): boolean {
  if (shape.keys.length !== keys.length) return false;
  for (let i = 0; i < keys.length; i++) if (shape.keys[i] !== keys[i]) return false;
  return true;
}

/** Writes an object of a shape that is new, and looks once for all of them whether there is a symbol among its keys. */
function writeNewShape(encoder: Encoder, object: PlainObject, keys: string[]): void {
  assert(Object.getOwnPropertySymbols(object).length === 0, "plain data holds no symbol");
  for (const key of keys) {
    writeText(encoder, key);
    writeValue(encoder, object[key]);
  }
  if (keys.length === 0) return;
  const known = encoder.shapes.get(keys[0]!) ?? [];
  encoder.shapes.set(keys[0]!, known);
  known.push({ keys, numbers: keys.map((key) => encoder.texts.get(key)!) });
}

function writeByte(encoder: Encoder, byte: number): void {
  if (encoder.length === encoder.bytes.length) grow(encoder, 1);
  encoder.bytes[encoder.length++] = byte;
}

/** Writes an integer in 0 to 2^53-1, 7 bits a byte, the lowest first. */
function writeVarint(encoder: Encoder, value: number): void {
  if (value < 0x80) {
    writeByte(encoder, value);
    return;
  }
  let rest = value;
  while (rest >= 0x80) {
    writeByte(encoder, 0x80 | (rest % 0x80));
    rest = Math.floor(rest / 0x80);
  }
  writeByte(encoder, rest);
}

function writeBytes(encoder: Encoder, bytes: Uint8Array): void {
  if (encoder.length + bytes.length > encoder.bytes.length) grow(encoder, bytes.length);
  encoder.bytes.set(bytes, encoder.length);
  encoder.length += bytes.length;
}

function grow(encoder: Encoder, bytesMore: number): void {
  const larger = new Uint8Array(2 * (encoder.length + bytesMore));
  larger.set(encoder.bytes, 0);
  encoder.bytes = larger;
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
