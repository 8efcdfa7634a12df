/**
 * The three ways to fail, each with a mechanism of its own (STYLE 8):
 *
 * - Bytes from a peer are judged by result codes: the packet is dropped and counted, nothing is thrown.
 * - A caller's misuse or a wrong configuration throws a {@link LockstepError} with a `code` that programs can act on.
 * - A mistake of our own fails an assertion (core/base/assert.ts).
 */

/** What a {@link LockstepError} is about. */
export type ErrorCode = "bad-config" | "bad-snapshot" | "bad-journal" | "bad-input";

/** Misuse of the core by its caller. The message is one sentence that says what to change. */
export class LockstepError extends Error {
  override readonly name = "LockstepError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
