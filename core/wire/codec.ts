/**
 * The codecs that Lockstep forwards, as small numbers.
 *
 * A codec number stands wherever the packet path has to choose what a payload means (core/wire/payload.ts), so that the
 * choice is a `switch` over an integer. Names and clock rates are those of the SDP `a=rtpmap` line (RFC 8866 §6.6). What is
 * no codec of its own (RTX, RED, FEC, telephone events) has no number here.
 */

/** The number of a codec; `NONE` is "not one of ours". */
export const CODEC = { NONE: 0, OPUS: 1, VP8: 2, H264: 3, VP9: 4, AV1: 5 } as const;

/** Codec number to encoding name, spelt as browsers write it. */
const NAMES: readonly string[] = ["", "opus", "VP8", "H264", "VP9", "AV1"];

/** The encoding name of a codec ("" for `CODEC.NONE` and numbers that are none). */
export function codecName(codec: number): string {
  return NAMES[codec] ?? "";
}

/** The codec with this encoding name, in either case (RFC 8866 §6.6 compares without case), or `CODEC.NONE`. */
export function codecByName(name: string): number {
  const wanted = name.toLowerCase();
  const index = NAMES.findIndex((known) => known.toLowerCase() === wanted);
  return index > 0 ? index : CODEC.NONE;
}

/** RTP timestamp units per second: 48000 for Opus (RFC 7587 §4.1), 90000 for video, 0 for `CODEC.NONE`. */
export function codecClockRate(codec: number): number {
  if (codec === CODEC.OPUS) return 48_000;
  return codecIsVideo(codec) ? 90_000 : 0;
}

/** Whether the codec carries pictures. */
export function codecIsVideo(codec: number): boolean {
  return codec >= CODEC.VP8 && codec <= CODEC.AV1;
}
