/** Test bytes as bits, for fields that are not whole bytes. */

/** The bytes of all bits in `fields`, in order, with zero bits behind them up to a whole byte; spaces do not count. */
export function fromBits(...fields: readonly string[]): Uint8Array {
  const bits = fields.join("").replace(/\s+/g, "");
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, "0");
  return Uint8Array.from({ length: padded.length / 8 }, (_, i) => Number.parseInt(padded.slice(8 * i, 8 * i + 8), 2));
}

/** `value` in `width` bits. */
export function bits(value: number, width: number): string {
  return value.toString(2).padStart(width, "0");
}

/** `value` as an Exp-Golomb number. */
export function expGolomb(value: number): string {
  const text = (value + 1).toString(2);
  return "0".repeat(text.length - 1) + text;
}
