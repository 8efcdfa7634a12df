/**
 * Which payload types of an offered m-line are taken: Opus; VP8, H.264, VP9 and AV1, each with its RTX (RFC 4588).
 *
 * The answer keeps the client's payload types and their order (RFC 3264 §6.1) and repeats those format parameters that both
 * sides must agree upon or that tell a sender what is liked; parameters that describe a receiver's limits (VP8's max-fs)
 * are left out, because this server decodes nothing. Everything else (PCMU, RED, FEC, telephone events) is not taken.
 * Nothing is copied from the offer into the answer unread: names are ours, values are short and alphanumeric.
 */
import { LIMITS } from "../limits.ts";
import { CODEC, codecByName, codecClockRate, codecIsVideo, codecName } from "../wire/codec.ts";
import { type MediaDescription, type SdpAttribute, sdpDecimal } from "../wire/sdp.ts";
import { isAlphanumericCode, parseFmtp, parseRtcpFeedback, parseRtpmap, type Rtpmap } from "../wire/sdp-attributes.ts";
import type { NegotiatedCodec } from "./negotiated.ts";

/** The codecs of one m-line, and the answer's formats and lines for them. */
export interface CodecNegotiation {
  /** Empty when there is none in common. */
  readonly codecs: readonly NegotiatedCodec[];
  /** The payload types of codecs and their RTX, in the order of the offer. */
  readonly formats: readonly string[];
  readonly attributes: readonly SdpAttribute[];
}

/** The format parameters that the answer repeats, by codec number. */
const REPEATED_PARAMETERS: Readonly<Record<number, readonly string[]>> = {
  [CODEC.OPUS]: ["minptime", "useinbandfec", "usedtx", "stereo", "cbr", "maxaveragebitrate", "maxplaybackrate"],
  [CODEC.VP8]: [],
  [CODEC.H264]: ["level-asymmetry-allowed", "packetization-mode", "profile-level-id"],
  [CODEC.VP9]: ["profile-id"],
  [CODEC.AV1]: ["level-idx", "profile", "tier"],
};

const OPUS_CHANNELS = 2;
/** Payload types in this range look like RTCP under rtcp-mux (RFC 5761 §4). */
const RTCP_LIKE_FIRST = 64;
const RTCP_LIKE_LAST = 95;
/** RFC 6184 §8.1: what a missing profile-level-id means, Baseline at level 1. */
const H264_DEFAULT_PROFILE = "420010";
/** Answered by {@link profileOf} for a configuration that is not served. */
const UNSERVED = "unserved";

const FEEDBACK = { NACK: 1, PLI: 2, FIR: 4, TRANSPORT_CC: 8 } as const;

/** What the attributes of an m-line say about its payload types. */
interface Formats {
  /** The first mention of each payload type counts. */
  readonly rtpmaps: Map<number, Rtpmap>;
  readonly parameters: Map<number, ReadonlyMap<string, string>>;
  /** Payload type, or -1 for all, to bits of {@link FEEDBACK}. */
  readonly feedback: Map<number, number>;
}

/**
 * Chooses the codecs of one m-line. `transportCc` says whether transport-wide feedback makes sense on it: the client
 * sends, and the header extension was agreed upon.
 */
export function negotiateCodecs(section: MediaDescription, transportCc: boolean): CodecNegotiation {
  const formats = readFormats(section);
  const order = payloadTypesOf(section);
  const rtxOf = readRtx(formats, order);
  const codecs: NegotiatedCodec[] = [];
  const accepted = new Set<number>();
  const lines = new Map<number, readonly SdpAttribute[]>();
  for (const payloadType of order) {
    const codec = acceptCodec(
      formats,
      payloadType,
      section.media === "video",
      rtxOf.get(payloadType) ?? -1,
      transportCc,
    );
    if (codec === undefined) continue;
    codecs.push(codec);
    accepted.add(payloadType);
    lines.set(payloadType, codecLines(codec, formats.parameters.get(payloadType)));
    if (codec.rtxPayloadType < 0) continue;
    accepted.add(codec.rtxPayloadType);
    lines.set(codec.rtxPayloadType, rtxLines(codec));
  }
  const taken = order.filter((payloadType) => accepted.has(payloadType));
  return { codecs, formats: taken.map(String), attributes: taken.flatMap((payloadType) => lines.get(payloadType)!) };
}

/** The usable payload types of an m-line, each once. */
function payloadTypesOf(section: MediaDescription): number[] {
  const order = new Set<number>();
  for (const format of section.formats) {
    const payloadType = sdpDecimal(format, 127);
    if (payloadType < 0 || (payloadType >= RTCP_LIKE_FIRST && payloadType <= RTCP_LIKE_LAST)) continue;
    order.add(payloadType);
  }
  return [...order];
}

function readFormats(section: MediaDescription): Formats {
  const formats: Formats = { rtpmaps: new Map(), parameters: new Map(), feedback: new Map() };
  for (const { name, value } of section.attributes) {
    if (name === "rtpmap") {
      const rtpmap = parseRtpmap(value);
      if (rtpmap !== undefined && !formats.rtpmaps.has(rtpmap.payloadType)) {
        formats.rtpmaps.set(rtpmap.payloadType, rtpmap);
      }
    } else if (name === "fmtp") {
      const fmtp = parseFmtp(value);
      if (fmtp !== undefined && !formats.parameters.has(fmtp.payloadType)) {
        formats.parameters.set(fmtp.payloadType, fmtp.parameters);
      }
    } else if (name === "rtcp-fb") {
      const feedback = parseRtcpFeedback(value);
      if (feedback === undefined) continue;
      const bits = formats.feedback.get(feedback.payloadType) ?? 0;
      formats.feedback.set(feedback.payloadType, bits | feedbackBit(feedback.type));
    }
  }
  return formats;
}

function feedbackBit(type: string): number {
  if (type === "nack") return FEEDBACK.NACK;
  if (type === "nack pli") return FEEDBACK.PLI;
  if (type === "ccm fir") return FEEDBACK.FIR;
  // goog-remb is not among them on purpose: publishers are paced by transport-wide feedback alone, and the way down to a
  // slot is not estimated.
  return type === "transport-cc" ? FEEDBACK.TRANSPORT_CC : 0;
}

/** Primary payload type to that of its RTX; the first RTX of a payload type counts. */
function readRtx(formats: Formats, order: readonly number[]): Map<number, number> {
  const rtxOf = new Map<number, number>();
  for (const payloadType of order) {
    if (formats.rtpmaps.get(payloadType)?.encoding !== "rtx") continue;
    const apt = sdpDecimal(formats.parameters.get(payloadType)?.get("apt") ?? "", 127);
    const primary = formats.rtpmaps.get(apt);
    if (primary === undefined || primary.clockRate !== formats.rtpmaps.get(payloadType)!.clockRate) continue;
    if (!rtxOf.has(apt)) rtxOf.set(apt, payloadType);
  }
  return rtxOf;
}

function acceptCodec(
  formats: Formats,
  payloadType: number,
  isVideo: boolean,
  rtxPayloadType: number,
  transportCc: boolean,
): NegotiatedCodec | undefined {
  // Static payload types (RFC 3551 §6) may do without an rtpmap; none of them is a codec of ours.
  const rtpmap = formats.rtpmaps.get(payloadType);
  if (rtpmap === undefined) return undefined;
  const codec = codecByName(rtpmap.encoding);
  if (codec === CODEC.NONE || codecIsVideo(codec) !== isVideo || rtpmap.clockRate !== codecClockRate(codec)) {
    return undefined;
  }
  if (codec === CODEC.OPUS && rtpmap.channels !== OPUS_CHANNELS) return undefined;
  const profile = profileOf(codec, formats.parameters.get(payloadType));
  if (profile === UNSERVED) return undefined;
  const bits = (formats.feedback.get(payloadType) ?? 0) | (formats.feedback.get(-1) ?? 0);
  return {
    codec,
    payloadType,
    rtxPayloadType,
    clockRate: rtpmap.clockRate,
    profile,
    nack: (bits & FEEDBACK.NACK) !== 0,
    pli: isVideo && (bits & FEEDBACK.PLI) !== 0,
    fir: isVideo && (bits & FEEDBACK.FIR) !== 0,
    transportCc: transportCc && (bits & FEEDBACK.TRANSPORT_CC) !== 0,
  };
}

/** The part of the format parameters that sender and player must share, or {@link UNSERVED}. */
function profileOf(codec: number, parameters: ReadonlyMap<string, string> | undefined): string {
  if (codec === CODEC.VP9) {
    const profile = parameters?.get("profile-id") ?? "0";
    return profile === "0" || profile === "2" ? profile : UNSERVED;
  }
  if (codec === CODEC.AV1) return (parameters?.get("profile") ?? "0") === "0" ? "0" : UNSERVED;
  if (codec !== CODEC.H264) return "";
  const mode = parameters?.get("packetization-mode") ?? "0";
  if (mode !== "0" && mode !== "1") return UNSERVED;
  const profile = h264Profile(parameters?.get("profile-level-id") ?? H264_DEFAULT_PROFILE);
  return profile === UNSERVED ? UNSERVED : `${profile}/${mode}`;
}

/**
 * The profile in a profile-level-id, its level left aside (RFC 6184 §8.1, table 5). Several bit patterns mean the same
 * profile; one that the table does not have is named by its own four digits.
 */
function h264Profile(profileLevelId: string): string {
  const value = Number.parseInt(profileLevelId, 16);
  if (profileLevelId.length !== 6 || value.toString(16).padStart(6, "0") !== profileLevelId.toLowerCase())
    return UNSERVED;
  const profile = value >>> 16;
  const constraints = (value >>> 8) & 0xff;
  const set0 = (constraints & 0x80) !== 0;
  const set1 = (constraints & 0x40) !== 0;
  if ((constraints & 0x0f) === 0) {
    if (profile === 0x42) return set1 ? "constrained-baseline" : "baseline";
    if (profile === 0x4d) return set0 ? "constrained-baseline" : "main";
    if (profile === 0x58 && set0) return set1 ? "constrained-baseline" : "baseline";
    if (profile === 0x64 && constraints === 0) return "high";
  }
  if (profile === 0x64 && constraints === 0x0c) return "constrained-high";
  return profileLevelId.slice(0, 4).toLowerCase();
}

function codecLines(codec: NegotiatedCodec, offered: ReadonlyMap<string, string> | undefined): SdpAttribute[] {
  const { payloadType } = codec;
  const channels = codec.codec === CODEC.OPUS ? `/${OPUS_CHANNELS}` : "";
  const attributes = [
    { name: "rtpmap", value: `${payloadType} ${codecName(codec.codec)}/${codec.clockRate}${channels}` },
  ];
  if (codec.transportCc) attributes.push({ name: "rtcp-fb", value: `${payloadType} transport-cc` });
  if (codec.fir) attributes.push({ name: "rtcp-fb", value: `${payloadType} ccm fir` });
  if (codec.nack) attributes.push({ name: "rtcp-fb", value: `${payloadType} nack` });
  if (codec.pli) attributes.push({ name: "rtcp-fb", value: `${payloadType} nack pli` });
  const parameters = repeatedParameters(codec.codec, offered);
  if (parameters !== "") attributes.push({ name: "fmtp", value: `${payloadType} ${parameters}` });
  return attributes;
}

function rtxLines(codec: NegotiatedCodec): SdpAttribute[] {
  return [
    { name: "rtpmap", value: `${codec.rtxPayloadType} rtx/${codec.clockRate}` },
    { name: "fmtp", value: `${codec.rtxPayloadType} apt=${codec.payloadType}` },
  ];
}

/** The parameters that the answer repeats, in the order of the offer. */
function repeatedParameters(codec: number, offered: ReadonlyMap<string, string> | undefined): string {
  const repeated: string[] = [];
  for (const [name, value] of offered ?? []) {
    if (REPEATED_PARAMETERS[codec]!.includes(name) && isPlainValue(value)) repeated.push(`${name}=${value}`);
  }
  return repeated.join(";");
}

function isPlainValue(value: string): boolean {
  for (let i = 0; i < value.length; i++) if (!isAlphanumericCode(value.charCodeAt(i))) return false;
  return value.length > 0 && value.length <= LIMITS.sdpParameterLengthMax;
}
