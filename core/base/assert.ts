/**
 * The last line of defence against our own mistakes. An assertion states what the code around it relies on; it is always
 * on, in production too, because a shard that goes on with broken state does more harm than one that stops. Bytes from a
 * peer never reach an assertion: they are judged by result codes (see core/errors.ts for the three kinds of failure).
 */

/** Throws an `Error` that begins with "assertion failed" unless `condition` holds. For our own bugs only. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}

/** Marks a branch that the types have ruled out: the compiler refuses a call with anything but `never`. */
export function unreachable(value: never): never {
  throw new Error(`assertion failed: unreachable value ${String(value)}`);
}

/** Reads what the caller knows to be there; throws as {@link assert} does when it is not. */
export function must<T>(value: T | undefined | null, message: string): T {
  if (value === undefined || value === null) throw new Error(`assertion failed: ${message}`);
  return value;
}
