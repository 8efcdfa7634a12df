/**
 * Where ranges of arrays lie for C, remembered for the arrays and buffers that come again and again.
 *
 * C checks no bounds, so each range is checked here. Asking C for the address of an array costs more than asking V8 for its
 * buffer, which costs 30 ns: neither is done for each packet and receiver.
 */
import { assert } from "../core/base/assert.ts";
import type { Native } from "./native.ts";

/** Arrays whose addresses are remembered: a send arena, receive slots, packet caches. */
const ARRAYS = 4;
/** Buffers whose addresses are: the memory of a host, in which the arrays above lie, and of packet caches. */
const BUFFERS = 6;

/** What is remembered; make it with {@link createRanges}. */
export interface Ranges {
  readonly native: Native;
  readonly arrays: (Uint8Array | undefined)[];
  /** Addresses, or undefined: openssl-crypto.ts says why these are no arrays of numbers alone. */
  readonly addresses: (number | undefined)[];
  /** The entry that the next unknown array takes. */
  nextArray: number;
  readonly buffers: (ArrayBufferLike | undefined)[];
  readonly bufferAddresses: (number | undefined)[];
  nextBuffer: number;
}

/** Nothing remembered yet. */
export function createRanges(native: Native): Ranges {
  return {
    native,
    arrays: new Array(ARRAYS).fill(undefined),
    addresses: new Array(ARRAYS).fill(undefined),
    nextArray: 0,
    buffers: new Array(BUFFERS).fill(undefined),
    bufferAddresses: new Array(BUFFERS).fill(undefined),
    nextBuffer: 0,
  };
}

/** Where a range begins. A range outside its array is a mistake of ours and throws. */
export function rangeAddress(ranges: Ranges, bytes: Uint8Array, offset: number, length: number): number {
  assert(offset >= 0 && length >= 0 && offset + length <= bytes.length, "a range lies inside its array");
  const { arrays, addresses } = ranges;
  for (let i = 0; i < ARRAYS; i++) if (arrays[i] === bytes) return addresses[i]! + offset;
  const at = ranges.nextArray;
  ranges.nextArray = (at + 1) % ARRAYS;
  const address = arrayAddress(ranges, bytes);
  arrays[at] = bytes;
  addresses[at] = address;
  return address + offset;
}

/** Where an array begins. A host has one array for each receive slot, most of them in one buffer. */
function arrayAddress(ranges: Ranges, bytes: Uint8Array): number {
  const { buffers, bufferAddresses } = ranges;
  const { buffer, byteOffset } = bytes;
  for (let i = 0; i < BUFFERS; i++) if (buffers[i] === buffer) return bufferAddresses[i]! + byteOffset;
  const at = ranges.nextBuffer;
  ranges.nextBuffer = (at + 1) % BUFFERS;
  const address = ranges.native.addressOf(bytes);
  buffers[at] = buffer;
  bufferAddresses[at] = address - byteOffset;
  return address;
}
