/**
 * The hash of a whole state: of every number, text and byte that can be reached from it, and of how it hangs together.
 *
 * Picture a walk over all containers (objects, arrays, maps, sets, typed arrays). Each is numbered when it turns up for the
 * first time, and wherever it turns up again its number is taken in, so cycles end and identity counts. What is met becomes
 * 32-bit words, each value behind a tag that says what it is; the words fill a sheet, and full sheets and typed arrays go
 * through four lanes of multiplications, side by side: in one lane alone each step would wait for the one before.
 *
 * A simulated server's state is megabytes, hashed again and again, and most of its containers are met each time. So what a
 * walk finds out about a container (what it is, its keys, its bytes as words) is kept for the next, and so is the trail: who
 * follows the one of the last walk need look up only what is new. The machine is little-endian, as the snapshot's codec wants
 * it too. What is not plain data fails an assertion. It is for telling runs
 * apart, not for security.
 */
import { assert, createFingerprint, type Fingerprint, fingerprintNumber, fingerprintText } from "../../core/index.ts";

/** What the next word is, or all that there is to say. */
const TAG = {
  UNDEFINED: 1,
  NULL: 2,
  FALSE: 3,
  TRUE: 4,
  INTEGER: 5,
  DOUBLE: 6,
  NAN: 7,
  TEXT: 8,
  CONTAINER: 9,
  CONTAINER_AGAIN: 10,
  CONTENTS: 11,
} as const;

/** Kinds of containers. Behind the last one come those of typed arrays, in the order of {@link TYPED_ARRAYS}. */
const KIND = { OBJECT: 0, ARRAY: 1, MAP: 2, SET: 3, BYTES: 4 } as const;
const TYPED_ARRAYS = [Uint8Array, Uint16Array, Uint32Array, Int16Array, Int32Array, Float64Array] as const;

type TypedArray = InstanceType<(typeof TYPED_ARRAYS)[number]>;
type PlainObject = Record<string, unknown>;

/** Words of a sheet. */
const SHEET_WORDS = 4_096;

/** Bytes of a typed array that the engine keeps beside the object: to ask for its buffer would move them. */
const INLINE_BYTES_MAX = 64;

/** Odd numbers: multiplying by them is a permutation of the words. */
const FACTOR_A = 0x9e37_79b1;
const FACTOR_B = 0x85eb_ca77;
const FACTOR_C = 0xc2b2_ae3d;
const FACTOR_D = 0x27d4_eb2f;
const LANES_BEGIN = [FACTOR_D, FACTOR_C, FACTOR_B, FACTOR_A] as const;

/** What has been found out about a container. */
interface Known {
  readonly container: object;
  readonly kind: number;
  /** The walk in which it was met last, its number in that, and its first place in the trail of that. */
  walk: number;
  number: number;
  place: number;
  /** An object's keys when they were looked at last. */
  shape: Shape;
  /** A typed array's length, and its bytes as words if there are many. To ask one of six kinds of arrays is a search. */
  readonly length: number;
  readonly words: Int32Array;
}

/** The keys of an object in order, and two words that stand for them. */
interface Shape {
  readonly keys: readonly string[];
  readonly high: number;
  readonly low: number;
}

/** Memory for who hashes much the same state again and again; make it with {@link createStateHasher}. */
export interface StateHasher {
  known: Map<object, Known>;
  readonly shapes: Map<string, Shape>;
  walk: number;
  /** How many containers were met in this walk, and those whose contents are still to be taken in. */
  met: number;
  readonly waiting: Known[];
  /** What this walk has come to one after the other, and the one before; where in that this one should be. */
  trail: Known[];
  came: number;
  trailBefore: Known[];
  place: number;
  readonly lanes: Int32Array;
  readonly sheet: Int32Array;
  used: number;
  /** A double, and the same as two words. */
  readonly double: Float64Array;
  readonly halves: Int32Array;
}

const NO_KEYS: Shape = { keys: [], high: 0, low: 0 };
const NO_WORDS = new Int32Array(0);

/** A hasher that has seen no state yet. */
export function createStateHasher(): StateHasher {
  const double = new Float64Array(1);
  return {
    known: new Map(),
    shapes: new Map(),
    walk: 0,
    met: 0,
    waiting: [],
    trail: [],
    came: 0,
    trailBefore: [],
    place: 0,
    lanes: new Int32Array(LANES_BEGIN.length),
    sheet: new Int32Array(SHEET_WORDS),
    used: 0,
    double,
    halves: new Int32Array(double.buffer),
  };
}

/** Takes the whole of `state` into `hash`. What comes of it depends on the two alone, not on what the hasher has seen. */
export function hashState(hasher: StateHasher, hash: Fingerprint, state: object): void {
  const { trail, trailBefore } = hasher;
  trail.length = hasher.came;
  hasher.trail = trailBefore;
  hasher.trailBefore = trail;
  hasher.walk += 1;
  hasher.met = 0;
  hasher.came = 0;
  hasher.place = 0;
  // Whoever met something that is no plain data has left the rest of it.
  hasher.waiting.length = 0;
  hasher.used = 0;
  hasher.lanes.set(LANES_BEGIN);
  putContainer(hasher, state);
  for (let known = hasher.waiting.pop(); known !== undefined; known = hasher.waiting.pop()) putContents(hasher, known);
  absorbSheet(hasher);
  for (const lane of hasher.lanes) fingerprintNumber(hash, lane);
  forget(hasher);
}

/** Lets go of containers that are no more, once they are the greater part. */
function forget(hasher: StateHasher): void {
  if (hasher.known.size <= 2 * hasher.met) return;
  for (const [container, { walk }] of hasher.known) if (walk !== hasher.walk) hasher.known.delete(container);
}

function putValue(hasher: StateHasher, value: unknown): void {
  if (typeof value === "number") putNumber(hasher, value);
  else if (typeof value === "object") {
    if (value === null) put(hasher, TAG.NULL);
    else putContainer(hasher, value);
  } else if (typeof value === "boolean") put(hasher, value ? TAG.TRUE : TAG.FALSE);
  else if (typeof value === "string") putText(hasher, value);
  else {
    assert(value === undefined, `plain data holds no ${typeof value}`);
    put(hasher, TAG.UNDEFINED);
  }
}

function putNumber(hasher: StateHasher, value: number): void {
  if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
    put(hasher, TAG.INTEGER);
    put(hasher, value);
  } else if (Number.isNaN(value)) put(hasher, TAG.NAN);
  else {
    hasher.double[0] = value;
    put(hasher, TAG.DOUBLE);
    put(hasher, hasher.halves[0]!);
    put(hasher, hasher.halves[1]!);
  }
}

function putText(hasher: StateHasher, text: string): void {
  put(hasher, TAG.TEXT);
  put(hasher, text.length);
  for (let i = 0; i < text.length; i++) put(hasher, text.charCodeAt(i));
}

/** Puts a container's number, and has it wait for its contents to be put when it is met for the first time. */
function putContainer(hasher: StateHasher, container: object): void {
  const guess = hasher.trailBefore[hasher.place++];
  const known = guess !== undefined && guess.container === container ? guess : lookUp(hasher, container);
  if (known.walk === hasher.walk) put(hasher, TAG.CONTAINER_AGAIN);
  else {
    known.walk = hasher.walk;
    known.number = hasher.met++;
    known.place = hasher.came;
    hasher.waiting.push(known);
    put(hasher, TAG.CONTAINER);
  }
  put(hasher, known.number);
  hasher.trail[hasher.came++] = known;
}

/** Finds a container that the walk before did not come to at this place, and where that has gone on from it. */
function lookUp(hasher: StateHasher, container: object): Known {
  const known = hasher.known.get(container);
  if (known !== undefined) {
    hasher.place = known.walk === hasher.walk - 1 ? known.place + 1 : hasher.place - 1;
    return known;
  }
  hasher.place -= 1;
  const [kind, words] = [kindOf(container), wordsOf(container)];
  const length = kind < KIND.BYTES ? 0 : (container as TypedArray).length;
  const fresh = { container, kind, walk: 0, number: 0, place: 0, shape: NO_KEYS, length, words };
  hasher.known.set(container, fresh);
  return fresh;
}

function kindOf(container: object): number {
  const prototype: unknown = Object.getPrototypeOf(container);
  if (prototype === Object.prototype) return KIND.OBJECT;
  if (prototype === Array.prototype) return KIND.ARRAY;
  if (prototype === Map.prototype) return KIND.MAP;
  if (prototype === Set.prototype) return KIND.SET;
  const place = TYPED_ARRAYS.findIndex((view) => view.prototype === prototype);
  assert(place >= 0, "plain data holds objects, arrays, maps, sets and typed arrays, and no instance of a class");
  return KIND.BYTES + place;
}

function putContents(hasher: StateHasher, known: Known): void {
  const { container, kind } = known;
  put(hasher, TAG.CONTENTS);
  put(hasher, kind);
  if (kind === KIND.OBJECT) putObject(hasher, known, container as PlainObject);
  else if (kind === KIND.ARRAY) putArray(hasher, container as unknown[]);
  else if (kind === KIND.MAP) {
    put(hasher, (container as Map<unknown, unknown>).size);
    for (const [key, value] of container as Map<unknown, unknown>) {
      putValue(hasher, key);
      putValue(hasher, value);
    }
  } else if (kind === KIND.SET) {
    put(hasher, (container as Set<unknown>).size);
    for (const item of container as Set<unknown>) putValue(hasher, item);
  } else putTypedArray(hasher, known, container as TypedArray);
}

function putArray(hasher: StateHasher, items: readonly unknown[]): void {
  put(hasher, items.length);
  for (let i = 0; i < items.length; i++) putValue(hasher, items[i]);
}

/** Puts the values, and then what stands for their names: while these are as they were nothing has to be made of them. */
function putObject(hasher: StateHasher, known: Known, object: PlainObject): void {
  const { keys } = known.shape;
  let count = 0;
  let same = 0;
  // Read at once in such a loop, each value is found by its place. Plain objects inherit nothing that would turn up here.
  for (const key in object) {
    const value = object[key];
    if (count < keys.length && keys[count] === key) same += 1;
    count += 1;
    putValue(hasher, value);
  }
  if (same !== count || count !== keys.length) known.shape = shapeOf(hasher, object);
  put(hasher, known.shape.high);
  put(hasher, known.shape.low);
}

function shapeOf({ shapes }: StateHasher, object: PlainObject): Shape {
  const keys = Object.keys(object);
  const text = JSON.stringify(keys);
  const known = shapes.get(text);
  if (known !== undefined) return known;
  assert(Object.getOwnPropertySymbols(object).length === 0, "plain data holds no symbol");
  const hash = createFingerprint();
  fingerprintText(hash, text);
  const shape: Shape = { keys, high: hash.high | 0, low: hash.low | 0 };
  shapes.set(text, shape);
  return shape;
}

function wordsOf(container: object): Int32Array {
  if (!ArrayBuffer.isView(container) || container.byteLength <= INLINE_BYTES_MAX) return NO_WORDS;
  return new Int32Array(container.buffer, container.byteOffset, container.byteLength >> 2);
}

function putTypedArray(hasher: StateHasher, { kind, length, words }: Known, array: TypedArray): void {
  put(hasher, length);
  if (kind === KIND.BYTES && length <= INLINE_BYTES_MAX) {
    putBytes(hasher, array as Uint8Array, length);
    return;
  }
  if (words !== NO_WORDS) {
    absorbSheet(hasher);
    absorb(hasher.lanes, words, words.length);
  }
  // Of many, up to three at the end lie behind the last whole word.
  for (let i = words === NO_WORDS ? 0 : length - 3; i < length; i++) putNumber(hasher, array[i]!);
}

/** A few bytes, most of what there are of typed arrays: keys, salts and the like. */
function putBytes(hasher: StateHasher, bytes: Uint8Array, length: number): void {
  let word = 0;
  for (let i = 0; i < length; i++) {
    word = (word << 8) | bytes[i]!;
    if ((i & 3) === 3) put(hasher, word);
  }
  put(hasher, word);
}

function put(hasher: StateHasher, word: number): void {
  hasher.sheet[hasher.used++] = word;
  if (hasher.used === SHEET_WORDS) absorbSheet(hasher);
}

/** Takes what stands on the sheet into the lanes, which leaves it empty. */
function absorbSheet(hasher: StateHasher): void {
  absorb(hasher.lanes, hasher.sheet, hasher.used);
  hasher.used = 0;
}

/**
 * Takes `count` words into the lanes, two into each in turn: one is multiplied, and the next added to what has come of it. What
 * the multiplication brings up is turned down again.
 */
function absorb(lanes: Int32Array, words: Int32Array, count: number): void {
  let [a, b, c, d] = [lanes[0]!, lanes[1]!, lanes[2]!, lanes[3]!];
  const end = count & ~7;
  for (let i = 0; i < end; i = (i + 8) | 0) {
    a = (Math.imul(a ^ words[i]!, FACTOR_A) + words[(i + 1) | 0]!) | 0;
    b = (Math.imul(b ^ words[(i + 2) | 0]!, FACTOR_B) + words[(i + 3) | 0]!) | 0;
    c = (Math.imul(c ^ words[(i + 4) | 0]!, FACTOR_C) + words[(i + 5) | 0]!) | 0;
    d = (Math.imul(d ^ words[(i + 6) | 0]!, FACTOR_D) + words[(i + 7) | 0]!) | 0;
    a = (a << 13) | (a >>> 19);
    b = (b << 13) | (b >>> 19);
    c = (c << 13) | (c >>> 19);
    d = (d << 13) | (d >>> 19);
  }
  for (let i = end; i < count; i++) {
    a = Math.imul(a ^ words[i]!, FACTOR_A);
    a = (a << 13) | (a >>> 19);
  }
  lanes[0] = a;
  lanes[1] = b;
  lanes[2] = c;
  lanes[3] = d;
}
