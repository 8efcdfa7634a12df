/** Test bytes as spaced hexadecimal, one argument a field, so that each can carry a comment. */
import { must } from "../../../core/base/assert.ts";
import { hexDecode } from "../../../core/base/text.ts";

/** The bytes of all `fields` in order; spaces and line breaks inside them do not count. */
export function hex(...fields: readonly string[]): Uint8Array {
  return must(hexDecode(fields.join("").replace(/\s+/g, "")), "test bytes are hexadecimal");
}
