/**
 * The bytes of plain data (STYLE 2), which plain-encode.ts writes and plain-decode.ts reads.
 *
 * Picture a list of containers. The root is written first; wherever a container turns up for the first time its kind is
 * written and it joins the end of the list, wherever it turns up again its place in the list is written. Then each in turn
 * writes its contents. So identity and cycles are kept, and nothing recurses, however deep the data is. Texts are
 * numbered the same way, which makes the keys of equal-shaped objects cheap. Typed arrays are copied in bulk, in the
 * machine's order of bytes, which must be little-endian.
 */
import { assert } from "./assert.ts";

/** The first byte: it changes with the format. */
export const PLAIN_FORMAT = 1;

/** What begins a value; a byte of 0x80 or more is the integer in its low 7 bits. */
export const TAG = {
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

/** From here on a tag is an integer itself. */
export const SMALL_INTEGER = 0x80;

/** The typed arrays that state may hold, in the order of their tags. */
export const TYPED_ARRAYS = [Uint8Array, Uint16Array, Uint32Array, Int16Array, Int32Array, Float64Array] as const;

/** One of them. */
export type TypedArray = InstanceType<(typeof TYPED_ARRAYS)[number]>;
/** An object that is plain data. */
export type PlainObject = Record<string, unknown>;

/** Fails where the bytes of typed arrays would mean something else. */
export function assertLittleEndian(): void {
  assert(new Uint8Array(Uint16Array.of(1).buffer)[0] === 1, "the machine is little-endian");
}
