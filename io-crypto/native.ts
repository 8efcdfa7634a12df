/**
 * The way to functions of C: `koffi`, when it is there, and what little of it Lockstep uses.
 *
 * Every pointer is a plain Number: user space has at most 52 bits of addresses on the machines that this serves, and a
 * Number costs no allocation where a BigInt would. Whoever passes an address vouches for what lies behind it; bounds are
 * checked by the callers, since C checks none. Memory from {@link Native.allocate} stays where it is until it is freed;
 * so does the memory of a typed array, as long as somebody holds the array.
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
  /** Zeroed memory; free it by {@link Native.free}. */
  allocate(bytes: number): number;
  free(address: number): void;
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
    const zeroed = library.func("calloc", "size_t", ["size_t", "size_t"]);
    const release = library.func("free", "void", ["size_t"]);
    return {
      find: (name, result, parameters) =>
        library.func(
          name,
          TYPES[result],
          parameters.map((type) => TYPES[type]),
        ) as NativeFunction,
      allocate(bytes) {
        const address = zeroed(1, bytes) as number;
        if (address === 0) throw new Error(`the system has no ${bytes} bytes of memory to give`);
        return address;
      },
      free: (address) => release(address),
      view: (address, bytes) => new Uint8Array(koffi.view(address, bytes)),
      addressOf: (bytes) => Number(koffi.address(bytes)),
      errno: () => koffi.errno(),
    };
  } catch (error) {
    return `koffi could not be loaded (${error instanceof Error ? error.message.split("\n")[0] : String(error)}).`;
  }
}
