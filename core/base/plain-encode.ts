/**
 * Plain data (STYLE 2) to bytes, for snapshots of a whole shard; plain-format.ts says what the bytes are.
 *
 * Equal data in equal order gives equal bytes. What is not plain (functions, symbols, BigInts, instances of classes, views
 * of a part of a buffer, holes in arrays) fails an assertion: it must not get into state. Frozenness is not kept.
 *
 * A shard stands still meanwhile, so this is made for the machine. What costs most is to know each container again, by a
 * table of all of them: half of the time. So the caller may name what stands in one place alone ({@link Belongings}), and
 * that is not looked up. Objects of equal keys are written by one plan.
 */
import { assert } from "./assert.ts";
import { assertLittleEndian, PLAIN_FORMAT, SMALL_INTEGER, TAG, TYPED_ARRAYS, type TypedArray } from "./plain-format.ts";

/**
 * The names of properties under which containers stand that stand nowhere else; a name with `[]` behind it means the items of
 * the array, map or set there. Bytes are the same with and without, but for the time that they take, as long as it is true;
 * if it is not, what stood in two places comes back as two.
 */
export type Belongings = ReadonlySet<string>;

/** What a container is, as far as its contents are concerned. */
const KIND = { OBJECT: 0, ARRAY: 1, MAP: 2, SET: 3, TYPED_ARRAY: 4 } as const;
/** The kind's flag of a container whose items stand nowhere else. */
const OWNS_ITEMS = 8;

/** What may be said of a property: its container stands nowhere else, and neither do the items of that. */
const OWN = 1;
const OWN_ITEMS = 2;

/** No value takes more bytes, but a text that is new and a typed array; nor does a property's name, when it is known. */
const VALUE_BYTES_MAX = 16;

/** Arrays of more bytes are worth an object that shows them as bytes. */
const SHORT_BYTES = 256;

interface Encoder {
  bytes: Uint8Array;
  view: DataView;
  length: number;
  texts: Map<string, number>;
  /** The shapes of objects met so far, by their first key. */
  shapes: Map<string, Shape[]>;
  readonly belongings: Belongings;
  /**
   * Every container met so far, in order, and what is known of each: {@link KIND} and {@link OWNS_ITEMS}. Those from the one
   * being written on are still to be written.
   */
  readonly containers: object[];
  readonly kinds: number[];
  /** The numbers of those that may be met again. A typed array is known by its buffer, as no two may share one. */
  readonly numbers: Map<object, number>;
}

/**
 * What objects of equal keys have in common: the keys in order, the number of each as a text, and what is said of it. An
 * object whose shape is known asks for no text.
 */
interface Shape {
  readonly keys: readonly string[];
  readonly numbers: readonly number[];
  readonly owns: readonly number[];
}

const NO_BELONGINGS: Belongings = new Set();

/** The bytes of a piece of plain data, with a buffer of their own; fails an assertion when it is not plain. */
export function encodePlain(value: unknown, belongings: Belongings = NO_BELONGINGS): Uint8Array {
  assertLittleEndian();
  const bytes = new Uint8Array(1_024);
  const encoder: Encoder = {
    bytes,
    view: new DataView(bytes.buffer),
    length: 0,
    texts: new Map(),
    shapes: new Map(),
    belongings,
    containers: [],
    kinds: [],
    numbers: new Map(),
  };
  putByte(encoder, PLAIN_FORMAT);
  putValue(encoder, value, 0);
  putContainers(encoder);
  return encoder.bytes.slice(0, encoder.length);
}

/** Writes what is in the containers, and in those that turn up meanwhile. */
function putContainers(encoder: Encoder): void {
  const { containers, kinds } = encoder;
  for (let i = 0; i < containers.length; i++) {
    const container = containers[i]!;
    const kind = kinds[i]! & ~OWNS_ITEMS;
    const own = kinds[i] === kind ? 0 : OWN;
    reserve(encoder, VALUE_BYTES_MAX);
    if (kind === KIND.OBJECT) putObject(encoder, container);
    else if (kind === KIND.ARRAY) putArray(encoder, container as unknown[], own);
    else if (kind === KIND.MAP) putMap(encoder, container as Map<unknown, unknown>, own);
    else if (kind === KIND.SET) putSet(encoder, container as Set<unknown>, own);
  }
}

function putObject(encoder: Encoder, object: object): void {
  const keys = Object.keys(object);
  const count = keys.length;
  putVarint(encoder, count);
  const shape = knownShape(encoder, keys);
  if (shape === undefined) {
    putNewShape(encoder, object as Record<string, unknown>, keys);
    return;
  }
  // One list of all values costs half of what each of them would by its name.
  const values: unknown[] = Object.values(object);
  const { numbers, owns } = shape;
  for (let i = 0; i < count; i++) {
    reserve(encoder, 2 * VALUE_BYTES_MAX);
    putByte(encoder, TAG.TEXT_AGAIN);
    putVarint(encoder, numbers[i]!);
    putValue(encoder, values[i], owns[i]!);
  }
}

function knownShape({ shapes }: Encoder, keys: readonly string[]): Shape | undefined {
  const candidates = keys.length === 0 ? undefined : shapes.get(keys[0]!);
  if (candidates === undefined) return undefined;
  for (let i = 0; i < candidates.length; i++) if (hasKeys(candidates[i]!.keys, keys)) return candidates[i];
  return undefined;
}

function hasKeys(own: readonly string[], keys: readonly string[]): boolean {
  if (own.length !== keys.length) return false;
  for (let i = 0; i < keys.length; i++) if (own[i] !== keys[i]) return false;
  return true;
}

/** Writes an object of a shape that is new, and looks once for all of them whether there is a symbol among its keys. */
function putNewShape(encoder: Encoder, object: Record<string, unknown>, keys: string[]): void {
  assert(Object.getOwnPropertySymbols(object).length === 0, "plain data holds no symbol");
  const { belongings } = encoder;
  const owns = keys.map((key) => (belongings.has(key) ? OWN : 0) | (belongings.has(`${key}[]`) ? OWN_ITEMS : 0));
  for (const [i, key] of keys.entries()) {
    reserve(encoder, 2 * VALUE_BYTES_MAX);
    putText(encoder, key);
    putValue(encoder, object[key], owns[i]!);
  }
  if (keys.length === 0) return;
  const known = encoder.shapes.get(keys[0]!) ?? [];
  encoder.shapes.set(keys[0]!, known);
  known.push({ keys, numbers: keys.map((key) => encoder.texts.get(key)!), owns });
}

function putArray(encoder: Encoder, array: readonly unknown[], own: number): void {
  putVarint(encoder, array.length);
  for (let i = 0; i < array.length; i++) {
    const item = array[i];
    assert(item !== undefined || i in array, "an array in plain data has no holes");
    reserve(encoder, VALUE_BYTES_MAX);
    putValue(encoder, item, own);
  }
}

function putMap(encoder: Encoder, map: ReadonlyMap<unknown, unknown>, own: number): void {
  putVarint(encoder, map.size);
  for (const [key, value] of map) {
    reserve(encoder, 2 * VALUE_BYTES_MAX);
    putValue(encoder, key, 0);
    putValue(encoder, value, own);
  }
}

function putSet(encoder: Encoder, set: ReadonlySet<unknown>, own: number): void {
  putVarint(encoder, set.size);
  for (const item of set) {
    reserve(encoder, VALUE_BYTES_MAX);
    putValue(encoder, item, own);
  }
}

/** Writes a value; `owns` says what is known of it where it stands. Like all below, it needs room: see {@link reserve}. */
function putValue(encoder: Encoder, value: unknown, owns: number): void {
  // One question after the other: each is a look at a tag for V8, where `switch` would first have a text made of the type.
  if (typeof value === "number") putNumber(encoder, value);
  else if (typeof value === "object") {
    if (value === null) putByte(encoder, TAG.NULL);
    else putContainer(encoder, value, owns);
  } else if (typeof value === "boolean") putByte(encoder, value ? TAG.TRUE : TAG.FALSE);
  else if (typeof value === "string") putText(encoder, value);
  else {
    if (value !== undefined) assert(false, `plain data holds no ${typeof value}`);
    putByte(encoder, TAG.UNDEFINED);
  }
}

function putNumber(encoder: Encoder, value: number): void {
  const small = value | 0;
  if (small === value && (small !== 0 || Object.is(value, 0))) {
    if (small >= 0 && small < SMALL_INTEGER) putByte(encoder, SMALL_INTEGER | small);
    else {
      putByte(encoder, small < 0 ? TAG.NEGATIVE : TAG.POSITIVE);
      putVarint(encoder, small < 0 ? ~small : small);
    }
  } else if (Number.isNaN(value)) putByte(encoder, TAG.NAN);
  else if (!Number.isSafeInteger(value) || value === 0) {
    putByte(encoder, TAG.DOUBLE);
    encoder.view.setFloat64(encoder.length, value, true);
    encoder.length += 8;
  } else {
    putByte(encoder, value < 0 ? TAG.NEGATIVE : TAG.POSITIVE);
    putVarint(encoder, value < 0 ? -1 - value : value);
  }
}

function putText(encoder: Encoder, text: string): void {
  const known = encoder.texts.get(text);
  if (known !== undefined) {
    putByte(encoder, TAG.TEXT_AGAIN);
    putVarint(encoder, known);
    return;
  }
  encoder.texts.set(text, encoder.texts.size);
  let wide = false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) wide = true;
  putByte(encoder, wide ? TAG.WIDE_TEXT : TAG.NARROW_TEXT);
  putVarint(encoder, text.length);
  reserve(encoder, 2 * text.length + VALUE_BYTES_MAX);
  // Code units, not UTF-8: a name that was cut may end in half a surrogate pair, and must come back so.
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (wide) putByte(encoder, unit >>> 8);
    putByte(encoder, unit & 0xff);
  }
}

function putContainer(encoder: Encoder, container: object, owns: number): void {
  if ((owns & OWN) === 0 && isMetAgain(encoder, container)) return;
  const { containers, kinds } = encoder;
  const place = containers.length;
  const items = (owns & OWN_ITEMS) === 0 ? 0 : OWNS_ITEMS;
  containers.push(container);
  const prototype: unknown = Object.getPrototypeOf(container);
  if (prototype === Object.prototype) {
    kinds[place] = KIND.OBJECT;
    putByte(encoder, TAG.OBJECT);
  } else if (prototype === Array.prototype) {
    kinds[place] = KIND.ARRAY | items;
    putByte(encoder, TAG.ARRAY);
  } else if (prototype === Map.prototype) {
    kinds[place] = KIND.MAP | items;
    putByte(encoder, TAG.MAP);
  } else if (prototype === Set.prototype) {
    kinds[place] = KIND.SET | items;
    putByte(encoder, TAG.SET);
  } else {
    kinds[place] = KIND.TYPED_ARRAY;
    putTypedArray(encoder, container, prototype, owns);
  }
}

/** Writes the number of a container that was met before; else gives it the next. */
function isMetAgain(encoder: Encoder, container: object): boolean {
  const { numbers, containers } = encoder;
  const key = ArrayBuffer.isView(container) ? container.buffer : container;
  const known = numbers.get(key);
  if (known !== undefined) {
    assert(containers[known] === container, "no two typed arrays in plain data share a buffer");
    putByte(encoder, TAG.CONTAINER_AGAIN);
    putVarint(encoder, known);
    return true;
  }
  numbers.set(key, containers.length);
  return false;
}

function putTypedArray(encoder: Encoder, container: object, prototype: unknown, owns: number): void {
  let kind = 0;
  while (kind < TYPED_ARRAYS.length && TYPED_ARRAYS[kind]!.prototype !== prototype) kind++;
  // The sentence is made only where it is needed: this is asked of thousands.
  if (kind === TYPED_ARRAYS.length) assert(false, `plain data holds no instance of ${nameOfClass(container)}`);
  const array = container as TypedArray;
  const { byteLength } = array;
  putByte(encoder, TAG.TYPED_ARRAY + kind);
  putVarint(encoder, byteLength);
  reserve(encoder, byteLength + VALUE_BYTES_MAX);
  // Whoever asks for the buffer of a short array makes V8 move it there: only once, but that takes as long as all else here.
  if ((owns & OWN) === 0 || byteLength > SHORT_BYTES) {
    assert(byteLength === array.buffer.byteLength, "a typed array in plain data owns its whole buffer");
  }
  if (array instanceof Uint8Array) putBytes(encoder, array);
  else if (byteLength > SHORT_BYTES) putBytes(encoder, new Uint8Array(array.buffer));
  else putElements(encoder, array);
}

function putElements(encoder: Encoder, array: Exclude<TypedArray, Uint8Array>): void {
  const { view } = encoder;
  let at = encoder.length;
  if (array instanceof Uint32Array) for (let i = 0; i < array.length; i++, at += 4) view.setUint32(at, array[i]!, true);
  else if (array instanceof Int32Array)
    for (let i = 0; i < array.length; i++, at += 4) view.setInt32(at, array[i]!, true);
  else if (array instanceof Uint16Array)
    for (let i = 0; i < array.length; i++, at += 2) view.setUint16(at, array[i]!, true);
  else if (array instanceof Int16Array)
    for (let i = 0; i < array.length; i++, at += 2) view.setInt16(at, array[i]!, true);
  else for (let i = 0; i < array.length; i++, at += 8) view.setFloat64(at, array[i]!, true);
  encoder.length = at;
}

function nameOfClass(container: object): string {
  const maker = (container as { constructor?: { name?: unknown } }).constructor;
  return String(maker?.name ?? "an unknown class");
}

/** Makes room for so many bytes more. */
function reserve(encoder: Encoder, bytesMore: number): void {
  const { bytes, length } = encoder;
  if (length + bytesMore <= bytes.length) return;
  const larger = new Uint8Array(2 * (length + bytesMore));
  larger.set(bytes, 0);
  encoder.bytes = larger;
  encoder.view = new DataView(larger.buffer);
}

function putByte(encoder: Encoder, byte: number): void {
  encoder.bytes[encoder.length++] = byte;
}

/** Writes an integer in 0 to 2^53-1, 7 bits a byte, the lowest first. */
function putVarint(encoder: Encoder, value: number): void {
  const { bytes } = encoder;
  let at = encoder.length;
  let rest = value;
  while (rest > 0x7fff_ffff) {
    bytes[at++] = 0x80 | (rest % 0x80);
    rest = Math.floor(rest / 0x80);
  }
  let small = rest | 0;
  while (small >= 0x80) {
    bytes[at++] = 0x80 | (small & 0x7f);
    small >>= 7;
  }
  bytes[at++] = small;
  encoder.length = at;
}

function putBytes(encoder: Encoder, source: Uint8Array): void {
  encoder.bytes.set(source, encoder.length);
  encoder.length += source.length;
}
