/**
 * A cursor over TLS structures, and the small pieces to build them of (RFC 5246 §4).
 *
 * Reading past the end sets `failed` and answers zeros or empty bytes, so a parser reads on in a straight line and asks
 * once, at the end, by {@link readerDone}. For the handshake only, where clarity counts: vectors are copied.
 */
import { concatBytes } from "../base/bytes.ts";

/** A cursor; make it with {@link createReader}. */
export interface TlsReader {
  readonly bytes: Uint8Array;
  at: number;
  /** Something was read that was not there. */
  failed: boolean;
}

/** A cursor at the start of `bytes`, which end where the array ends. */
export function createReader(bytes: Uint8Array): TlsReader {
  return { bytes, at: 0, failed: false };
}

/** Reads an unsigned integer of 1 to 4 bytes. */
export function readNumber(reader: TlsReader, size: number): number {
  if (reader.at + size > reader.bytes.length) {
    reader.failed = true;
    return 0;
  }
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + reader.bytes[reader.at + i]!;
  reader.at += size;
  return value;
}

/** Reads `length` bytes into a buffer of their own. */
export function readOpaque(reader: TlsReader, length: number): Uint8Array {
  if (reader.at + length > reader.bytes.length) {
    reader.failed = true;
    return new Uint8Array(0);
  }
  reader.at += length;
  return reader.bytes.slice(reader.at - length, reader.at);
}

/** Reads a vector whose length stands before it in `lengthSize` bytes. */
export function readVector(reader: TlsReader, lengthSize: number): Uint8Array {
  return readOpaque(reader, readNumber(reader, lengthSize));
}

/** Reads a vector of numbers of `size` bytes each; a length that is no multiple of `size` fails. */
export function readNumbers(reader: TlsReader, lengthSize: number, size: number): number[] {
  const list = createReader(readVector(reader, lengthSize));
  const numbers: number[] = [];
  while (list.at < list.bytes.length && !list.failed) numbers.push(readNumber(list, size));
  if (list.failed) reader.failed = true;
  return numbers;
}

/** Whether there is more to read. */
export function readerHasMore(reader: TlsReader): boolean {
  return !reader.failed && reader.at < reader.bytes.length;
}

/** Whether everything that was read was there, and nothing is left over. */
export function readerDone(reader: TlsReader): boolean {
  return !reader.failed && reader.at === reader.bytes.length;
}

/** An unsigned integer in `size` bytes. */
export function encodeNumber(value: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let rest = value;
  for (let i = size - 1; i >= 0; i--) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return bytes;
}

/** A vector: its length in `lengthSize` bytes, then `parts`. */
export function encodeVector(lengthSize: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(...parts);
  return concatBytes(encodeNumber(body.length, lengthSize), body);
}

/** A vector of numbers of `size` bytes each. */
export function encodeNumbers(lengthSize: number, size: number, numbers: readonly number[]): Uint8Array {
  return encodeVector(lengthSize, ...numbers.map((value) => encodeNumber(value, size)));
}
