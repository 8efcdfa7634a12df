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

/** Decodes `length` bytes of UTF-8; what is malformed becomes U+FFFD, one for each byte that can't start a character. */
export function utf8Decode(bytes: Uint8Array, offset = 0, length = bytes.length - offset): string {
  const end = offset + length;
  let text = "";
  let at = offset;
  while (at < end) {
    const lead = bytes[at]!;
    const extra =
      lead < 0x80 ? 0 : lead >= 0xc2 && lead < 0xe0 ? 1 : lead >= 0xe0 && lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : -1;
    if (extra === 0) text += String.fromCharCode(lead);
    const point = extra > 0 && lead >= 0xc2 && at + extra < end ? continued(bytes, at, extra) : -1;
    if (point >= 0) text += String.fromCodePoint(point);
    else if (extra !== 0) text += String.fromCharCode(REPLACEMENT);
    at += point >= 0 ? extra + 1 : 1;
  }
  return text;
}

/** The code point of a lead byte with `extra` continuation bytes, or -1 when they are not well formed (RFC 3629 §4). */
function continued(bytes: Uint8Array, at: number, extra: number): number {
  let point = bytes[at]! & (0x3f >> extra);
  for (let i = 1; i <= extra; i++) {
    const byte = bytes[at + i]!;
    if ((byte & 0xc0) !== 0x80) return -1;
    point = (point << 6) | (byte & 63);
  }
  const least = extra === 1 ? 0x80 : extra === 2 ? 0x800 : 0x1_0000;
  if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return -1;
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
