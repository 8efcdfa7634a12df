/**
 * Text and bytes without `TextEncoder`, which the language itself does not have: UTF-8 for names, usernames and SDP,
 * hexadecimal for fingerprints. Decoding never throws: a malformed sequence becomes U+FFFD, as WHATWG's decoder does.
 */

const HEX_DIGITS = "0123456789abcdef";
const REPLACEMENT = 0xfffd;

/** Encodes text as UTF-8; a lone surrogate becomes U+FFFD. */
export function utf8Encode(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    let point = character.codePointAt(0)!;
    if (point >= 0xd800 && point <= 0xdfff) point = REPLACEMENT;
    if (point < 0x80) bytes.push(point);
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 63));
    else if (point < 0x1_0000) bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
    else bytes.push(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 63), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
  }
  return Uint8Array.from(bytes);
}

/** Decodes `length` bytes of UTF-8; each longest run that begins a character but does not end it becomes one U+FFFD. */
export function utf8Decode(bytes: Uint8Array, offset = 0, length = bytes.length - offset): string {
  const end = offset + length;
  let text = "";
  let at = offset;
  while (at < end) {
    const size = characterBytes(bytes[at]!);
    const fitting = fittingBytes(bytes, at, Math.min(end, at + size));
    text += String.fromCodePoint(fitting === size ? codePoint(bytes, at, size) : REPLACEMENT);
    at += fitting;
  }
  return text;
}

/** How many bytes a character has that begins with `lead`; more than any has when none begins so (RFC 3629 §4). */
function characterBytes(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 5;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/** How many bytes from the lead byte at `at` on, and before `end`, can belong to one character; at least 1. */
function fittingBytes(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at]!;
  if (characterBytes(lead) > 4) return 1;
  let count = 1;
  for (; at + count < end; count++) {
    const byte = bytes[at + count]!;
    // The second byte is what rules out overlong forms, surrogates and what lies above U+10FFFF.
    const least = count > 1 ? 0x80 : lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const most = count > 1 ? 0xbf : lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (byte < least || byte > most) break;
  }
  return count;
}

/** The code point of a well-formed character. */
function codePoint(bytes: Uint8Array, at: number, size: number): number {
  if (size === 1) return bytes[at]!;
  let point = bytes[at]! & (0x7f >> size);
  for (let i = 1; i < size; i++) point = (point << 6) | (bytes[at + i]! & 63);
  return point;
}

/** Lower-case hexadecimal, without separators. */
export function hexEncode(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX_DIGITS[byte >> 4]! + HEX_DIGITS[byte & 15]!;
  return text;
}

/** Reads hexadecimal of either case; `undefined` when the text has an odd length or another character. */
export function hexDecode(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < text.length; i++) {
    const digit = HEX_DIGITS.indexOf(text[i]!.toLowerCase());
    if (digit < 0) return undefined;
    bytes[i >> 1] = (bytes[i >> 1]! << 4) | digit;
  }
  return bytes;
}
