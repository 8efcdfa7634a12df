/**
 * The way to functions of C: `koffi`, when it is there, and what little of it Lockstep uses.
 *
 * Every pointer is a plain Number: user space has at most 52 bits of addresses on the machines that this serves, and a
 * Number costs no allocation where a BigInt would. Whoever passes an address vouches for what lies behind it; bounds are
 * checked by the callers, since C checks none. Memory from {@link Native.allocate} stays where it is until it is freed;
 * so does the memory of a typed array, as long as somebody holds the array.
 *
 * That memory lies below 2^31 where there is room: there V8 holds an address in a word, and above it makes an object of 16
 * bytes for each one that is handed to C, four for a sealed packet.
 */
import { createRequire } from "node:module";

/** A C function: numbers in (integers, addresses), a number out. */
export type NativeFunction = (...words: (number | string)[]) => number;

/** What a parameter or a result of a C function is. */
export type NativeType = "int" | "size_t" | "address" | "text" | "void";

/** C functions, memory and addresses. */
export interface Native {
  /** A function of libc or of what the Node binary holds. Throws when there is none of that name. */
  find(name: string, result: NativeType, parameters: readonly NativeType[]): NativeFunction;
  /** Zeroed memory, in whole pages; free it by {@link Native.free} with the same size. */
  allocate(bytes: number): number;
  free(address: number, bytes: number): void;
  /** The memory at an address as an array. It must not be touched once the memory has been freed. */
  view(address: number, bytes: number): Uint8Array;
  /** Where an array's first byte lies; true as long as somebody holds the array and nobody transfers it. */
  addressOf(bytes: Uint8Array): number;
  /** The C `errno`, to be asked right after the call that failed. */
  errno(): number;
}

const TYPES: Record<NativeType, string> = {
  int: "int",
  size_t: "size_t",
  address: "size_t",
  text: "str",
  void: "void",
};

/** Loads `koffi`; answers with a sentence when this machine has no use for it. */
export function loadNative(): Native | string {
  if (process.platform !== "linux") return `Native calls are for Linux, and this is ${process.platform}.`;
  if (process.arch !== "x64" && process.arch !== "arm64") {
    return `Native calls are for x64 and arm64, and this is ${process.arch}.`;
  }
  try {
    const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
    const library = koffi.load(null);
    // The layouts of C structures here are those of glibc.
    library.func("str gnu_get_libc_version()");
    const map = library.func("mmap", "size_t", ["size_t", "size_t", "int", "int", "int", "size_t"]);
    const unmap = library.func("munmap", "int", ["size_t", "size_t"]);
    return {
      find: (name, result, parameters) =>
        library.func(
          name,
          TYPES[result],
          parameters.map((type) => TYPES[type]),
        ) as NativeFunction,
      allocate: (bytes) => allocateLow(map as NativeFunction, bytes),
      free: (address, bytes) => void unmap(address, bytes),
      view: (address, bytes) => new Uint8Array(koffi.view(address, bytes)),
      addressOf: (bytes) => Number(koffi.address(bytes)),
      errno: () => koffi.errno(),
    };
  } catch (error) {
    return `koffi could not be loaded (${error instanceof Error ? error.message.split("\n")[0] : String(error)}).`;
  }
}

/** PROT_READ with PROT_WRITE. */
const READ_WRITE = 3;
/** MAP_PRIVATE with MAP_ANONYMOUS. */
const PRIVATE_MEMORY = 0x22;
/** MAP_FIXED_NOREPLACE: there or nowhere. A kernel older than 4.17 takes the address as a wish. */
const THERE_OR_NOWHERE = 0x10_0000;

/** Where low memory is looked for, from the top down: below it the heap of C grows up. */
const LOW_TOP = 0x7800_0000;
const LOW_BOTTOM = 0x1000_0000;
/** Huge pages begin at multiples of this. */
const LOW_STEP = 0x20_0000;

/** Pages from the kernel, as low as described above; anywhere when nothing is free there. */
function allocateLow(map: NativeFunction, bytes: number): number {
  const steps = Math.ceil(bytes / LOW_STEP);
  for (let at = LOW_TOP - steps * LOW_STEP; at >= LOW_BOTTOM; at -= LOW_STEP) {
    if (map(at, bytes, READ_WRITE, PRIVATE_MEMORY | THERE_OR_NOWHERE, -1, 0) === at) return at;
  }
  const address = map(0, bytes, READ_WRITE, PRIVATE_MEMORY, -1, 0);
  // MAP_FAILED is -1, and a large number without a sign.
  if (address > Number.MAX_SAFE_INTEGER) throw new Error(`the system has no ${bytes} bytes of memory to give`);
  return address;
}
