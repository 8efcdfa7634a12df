/**
 * The values of the SDP attributes that WebRTC lives on, read into small records and written again.
 *
 * Each `parse…` takes the part behind `a=name:` and answers `undefined` when it is not what its specification says; the
 * caller then does as if the line were not there, or refuses the offer where the line is vital. Lists end after
 * `LIMITS.sdpListMax` entries. Nothing here knows what an SFU wants. Covered: rtpmap and fmtp (RFC 8866 §6.6, §6.15),
 * rtcp-fb (RFC 4585 §4.2), extmap (RFC 8285 §5), fingerprint (RFC 8122 §5), ssrc and ssrc-group (RFC 5576 §4), rid (RFC
 * 8851 §4), simulcast (RFC 8853 §5.1). Left out: candidate lines, because a server that is ICE-lite learns addresses from
 * the checks that arrive.
 */
import { hexDecode, hexEncode } from "../base/text.ts";
import { LIMITS } from "../limits.ts";
import { sdpDecimal } from "./sdp.ts";

/** `a=rtpmap`. The encoding's name is in small letters, since it is compared without case (RFC 8866 §6.6). */
export interface Rtpmap {
  readonly payloadType: number;
  readonly encoding: string;
  readonly clockRate: number;
  /** 1 when the line does not say. */
  readonly channels: number;
}

/** `a=fmtp`: the parameters in order; names in small letters. A parameter without "=" has the value "". */
export interface Fmtp {
  readonly payloadType: number;
  readonly parameters: ReadonlyMap<string, string>;
}

/** `a=rtcp-fb`; the payload type is -1 for "*", and `type` holds the words behind it, such as "nack pli". */
export interface RtcpFeedback {
  readonly payloadType: number;
  readonly type: string;
}

/** Which way something flows, as the one who wrote the description sees it. */
export type SdpDirection = "sendrecv" | "sendonly" | "recvonly" | "inactive";

/** `a=extmap`; `direction` is "" when the line does not say, which means sendrecv. */
export interface Extmap {
  readonly id: number;
  readonly direction: SdpDirection | "";
  readonly uri: string;
}

/** `a=fingerprint`; the hash's name is in small letters. */
export interface CertificateFingerprint {
  readonly hash: string;
  readonly bytes: Uint8Array;
}

/** `a=ssrc-group`. */
export interface SsrcGroup {
  readonly semantics: string;
  readonly ssrcs: readonly number[];
}

/** `a=rid`; `restrictions` are the parts between semicolons. */
export interface Rid {
  readonly rid: string;
  readonly direction: "send" | "recv";
  readonly restrictions: readonly string[];
}

/** One choice for a simulcast stream. */
export interface SimulcastChoice {
  readonly rid: string;
  /** The sender begins with this stream paused ("~"). */
  readonly paused: boolean;
}

/** `a=simulcast`: for each direction the streams, each with its alternatives, preferred first. */
export interface Simulcast {
  readonly send: readonly (readonly SimulcastChoice[])[];
  readonly recv: readonly (readonly SimulcastChoice[])[];
}

/** Reads `96 VP8/90000` or `111 opus/48000/2`. */
export function parseRtpmap(value: string): Rtpmap | undefined {
  const space = value.indexOf(" ");
  if (space < 0) return undefined;
  const payloadType = sdpDecimal(value.slice(0, space), 127);
  const parts = value.slice(space + 1).split("/");
  const clockRate = sdpDecimal(parts[1] ?? "", 0xffff_ffff);
  const channels = parts[2] === undefined ? 1 : sdpDecimal(parts[2], 255);
  if (payloadType < 0 || clockRate <= 0 || channels <= 0 || parts.length > 3 || parts[0] === "") return undefined;
  return { payloadType, encoding: parts[0]!.toLowerCase(), clockRate, channels };
}

/** Reads `96 a=1;b=2`; spaces around parameters are skipped, and the first of two with the same name counts. */
export function parseFmtp(value: string): Fmtp | undefined {
  const space = value.indexOf(" ");
  if (space < 0) return undefined;
  const payloadType = sdpDecimal(value.slice(0, space), 127);
  if (payloadType < 0) return undefined;
  const parameters = new Map<string, string>();
  for (const part of value.slice(space + 1).split(";", LIMITS.sdpListMax)) {
    const equals = part.indexOf("=");
    const name = (equals < 0 ? part : part.slice(0, equals)).trim().toLowerCase();
    if (name !== "" && !parameters.has(name)) parameters.set(name, equals < 0 ? "" : part.slice(equals + 1).trim());
  }
  return { payloadType, parameters };
}

/** Reads `96 nack pli` or `* nack`. */
export function parseRtcpFeedback(value: string): RtcpFeedback | undefined {
  const space = value.indexOf(" ");
  if (space < 0) return undefined;
  const target = value.slice(0, space);
  const payloadType = target === "*" ? -1 : sdpDecimal(target, 127);
  if (payloadType < 0 && target !== "*") return undefined;
  return {
    payloadType,
    type: value
      .slice(space + 1)
      .trim()
      .toLowerCase(),
  };
}

/** Reads `3 uri` or `3/recvonly uri attributes`. The id is 0 to 4351; which of them are usable is the caller's to know. */
export function parseExtmap(value: string): Extmap | undefined {
  const [target, uri] = value.split(" ", 2);
  if (target === undefined || uri === undefined || uri === "") return undefined;
  const slash = target.indexOf("/");
  const id = sdpDecimal(slash < 0 ? target : target.slice(0, slash), 4_351);
  if (id < 0) return undefined;
  if (slash < 0) return { id, direction: "", uri };
  const direction = asDirection(target.slice(slash + 1));
  return direction === undefined ? undefined : { id, direction, uri };
}

/** Reads `sha-256 AB:CD:…`: pairs of hexadecimal digits of either case. */
export function parseFingerprint(value: string): CertificateFingerprint | undefined {
  const space = value.indexOf(" ");
  if (space <= 0) return undefined;
  const pairs = value.slice(space + 1).trim();
  for (let i = 2; i < pairs.length; i += 3) if (pairs[i] !== ":") return undefined;
  const bytes = hexDecode(pairs.replaceAll(":", ""));
  if (bytes === undefined || bytes.length === 0 || pairs.length !== 3 * bytes.length - 1) return undefined;
  return { hash: value.slice(0, space).toLowerCase(), bytes };
}

/** Writes the value of an `a=fingerprint` line for a SHA-256 hash. */
export function writeFingerprint(bytes: Uint8Array): string {
  const digits = hexEncode(bytes).toUpperCase();
  const pairs: string[] = [];
  for (let i = 0; i < digits.length; i += 2) pairs.push(digits.slice(i, i + 2));
  return `sha-256 ${pairs.join(":")}`;
}

/** The SSRC of an `a=ssrc` value such as `1234 cname:x`, or -1. */
export function parseSsrc(value: string): number {
  const space = value.indexOf(" ");
  return sdpDecimal(space < 0 ? value : value.slice(0, space), 0xffff_ffff);
}

/** Reads `FID 1 2`. */
export function parseSsrcGroup(value: string): SsrcGroup | undefined {
  const [semantics, ...members] = value.split(" ", LIMITS.sdpListMax);
  if (semantics === undefined || semantics === "") return undefined;
  const ssrcs: number[] = [];
  for (const member of members) {
    const ssrc = sdpDecimal(member, 0xffff_ffff);
    if (ssrc < 0) return undefined;
    ssrcs.push(ssrc);
  }
  return { semantics, ssrcs };
}

/** Reads `q send` or `q send pt=96;max-width=320`. */
export function parseRid(value: string): Rid | undefined {
  const [rid, direction, rest] = value.split(" ", 3);
  if (rid === undefined || !isRid(rid)) return undefined;
  if (direction !== "send" && direction !== "recv") return undefined;
  const restrictions = rest === undefined ? [] : rest.split(";", LIMITS.sdpListMax).filter((part) => part !== "");
  return { rid, direction, restrictions };
}

/** Reads `send q;h;f` or `send q,~r;h recv a`. */
export function parseSimulcast(value: string): Simulcast | undefined {
  const words = value.split(" ", 5);
  if (words.length !== 2 && words.length !== 4) return undefined;
  const lists = { send: [] as SimulcastChoice[][], recv: [] as SimulcastChoice[][] };
  for (let i = 0; i < words.length; i += 2) {
    const direction = words[i];
    if ((direction !== "send" && direction !== "recv") || lists[direction].length > 0) return undefined;
    for (const stream of words[i + 1]!.split(";", LIMITS.sdpListMax)) {
      const choices: SimulcastChoice[] = [];
      for (const choice of stream.split(",", LIMITS.sdpListMax)) {
        const paused = choice.startsWith("~");
        const rid = paused ? choice.slice(1) : choice;
        if (!isRid(rid)) return undefined;
        choices.push({ rid, paused });
      }
      lists[direction].push(choices);
    }
  }
  return lists;
}

/** `sendrecv`, `sendonly`, `recvonly` or `inactive`; anything else answers `undefined`. */
export function asDirection(text: string): SdpDirection | undefined {
  return text === "sendrecv" || text === "sendonly" || text === "recvonly" || text === "inactive" ? text : undefined;
}

/** Whether the text is a token (RFC 8866 §9): what a mid must be (RFC 5888 §4). */
export function isSdpToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (!isTokenCode(text.charCodeAt(i))) return false;
  return text.length > 0;
}

/** Letters, digits, "-" and "_" (RFC 8851 §4). */
function isRid(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (!isAlphanumericCode(code) && code !== 0x2d && code !== 0x5f) return false;
  }
  return text.length > 0;
}

function isTokenCode(code: number): boolean {
  if (isAlphanumericCode(code)) return true;
  return code > 0x20 && code < 0x7f && !'"(),/:;<=>?@[\\]'.includes(String.fromCharCode(code));
}

/** Whether a UTF-16 unit is an ASCII letter or digit. */
export function isAlphanumericCode(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}
