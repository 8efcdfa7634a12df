/**
 * The client's offer, written as Chromium writes it, and what the client reads in the answer.
 *
 * A camera or a microphone is a `sendonly` m-line with one codec; each thing to be received is a `recvonly` m-line with
 * all of them. Header extension ids and payload types are Chromium's. The text is written here by hand; only the answer
 * goes through core/wire/sdp.ts, which the server's own tests hold to account.
 */
import { hexEncode } from "../../core/base/text.ts";
import { type MediaDescription, parseSdp, sdpAttribute, sdpAttributeValues } from "../../core/wire/sdp.ts";
import type { LayerPlan } from "./camera.ts";
import type { VideoCodec } from "./payload.ts";

/** The header extensions that the client offers, by id. */
export const EXTENSION_ID = {
  AUDIO_LEVEL: 1,
  ABS_SEND_TIME: 2,
  TRANSPORT_CC: 3,
  MID: 4,
  RID: 10,
  REPAIRED_RID: 11,
} as const;

const EXTENSION_URI: Readonly<Record<number, string>> = {
  [EXTENSION_ID.AUDIO_LEVEL]: "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
  [EXTENSION_ID.ABS_SEND_TIME]: "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
  [EXTENSION_ID.TRANSPORT_CC]: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
  [EXTENSION_ID.MID]: "urn:ietf:params:rtp-hdrext:sdes:mid",
  [EXTENSION_ID.RID]: "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
  [EXTENSION_ID.REPAIRED_RID]: "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
};

/** Payload types: media and its RTX. */
export const PAYLOAD_TYPE = { OPUS: 111, VP8: 96, VP9: 98, H264: 108 } as const;

const VIDEO_FORMAT: Readonly<Record<VideoCodec, string>> = {
  VP8: "",
  VP9: "profile-id=0",
  H264: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
};

/** An m-line that the client wants. */
export type OfferedMedia =
  | { readonly kind: "microphone"; readonly ssrc: number }
  | {
      readonly kind: "camera";
      readonly codec: VideoCodec;
      readonly layers: readonly LayerPlan[];
      readonly ssrcs: readonly number[];
      readonly rtxSsrcs: readonly number[];
    }
  | { readonly kind: "audio-slot" }
  | { readonly kind: "video-slot" };

/** Who offers. */
export interface OfferIdentity {
  readonly sessionId: string;
  readonly ufrag: string;
  readonly password: string;
  /** SHA-256 of the certificate. */
  readonly fingerprint: Uint8Array;
  readonly cname: string;
}

/**
 * Writes the offer; the mid of each m-line is its index. A thin one has neither header extensions nor RTX, and asks for
 * keyframes by FIR alone, the older way.
 */
export function writeOffer(identity: OfferIdentity, media: readonly OfferedMedia[], thin = false): string {
  const lines = [
    "v=0",
    `o=- ${identity.sessionId} 2 IN IP4 127.0.0.1`,
    "s=-",
    "t=0 0",
    `a=group:BUNDLE ${media.map((_, index) => index).join(" ")}`,
    "a=extmap-allow-mixed",
    "a=msid-semantic: WMS",
  ];
  media.forEach((item, index) => {
    lines.push(...mediaLines(identity, item, index));
  });
  const said = thin ? lines.filter((line) => !THIN_LACKS.test(line)).map(withoutRtx) : lines;
  return `${said.join("\r\n")}\r\n`;
}

/** What thin clients know nothing of. */
const THIN_LACKS =
  /^a=(extmap|rtpmap:\d+ rtx|fmtp:\d+ apt=|ssrc-group:FID|rtcp-fb:\d+ (nack|transport-cc|goog-remb)|rtcp-xr|rtcp-rsize)/;

/** An m-line of video without the payload types of RTX, which follow each codec's. */
function withoutRtx(line: string): string {
  if (!line.startsWith("m=video")) return line;
  const [what, port, protocol, ...types] = line.split(" ");
  return [what, port, protocol, ...types.filter((_, index) => index % 2 === 0)].join(" ");
}

function mediaLines(identity: OfferIdentity, item: OfferedMedia, index: number): string[] {
  const audio = item.kind === "microphone" || item.kind === "audio-slot";
  const sends = item.kind === "microphone" || item.kind === "camera";
  const codecs: readonly VideoCodec[] = item.kind === "camera" ? [item.codec] : audio ? [] : ["VP8", "VP9", "H264"];
  const types = audio ? [PAYLOAD_TYPE.OPUS] : codecs.flatMap((codec) => [PAYLOAD_TYPE[codec], PAYLOAD_TYPE[codec] + 1]);
  const lines = [
    `m=${audio ? "audio" : "video"} 9 UDP/TLS/RTP/SAVPF ${types.join(" ")}`,
    "c=IN IP4 0.0.0.0",
    "a=rtcp:9 IN IP4 0.0.0.0",
    `a=ice-ufrag:${identity.ufrag}`,
    `a=ice-pwd:${identity.password}`,
    "a=ice-options:trickle",
    `a=fingerprint:sha-256 ${colons(hexEncode(identity.fingerprint).toUpperCase())}`,
    "a=setup:actpass",
    `a=mid:${index}`,
  ];
  for (const id of extensions(item)) lines.push(`a=extmap:${id} ${EXTENSION_URI[id]!}`);
  lines.push(sends ? "a=sendonly" : "a=recvonly");
  if (sends) lines.push(`a=msid:- ${identity.cname}-${index}`);
  lines.push("a=rtcp-mux", "a=rtcp-rsize", "a=rtcp-xr:rcvr-rtt=all");
  if (audio) {
    lines.push("a=rtpmap:111 opus/48000/2", "a=rtcp-fb:111 transport-cc", "a=fmtp:111 minptime=10;useinbandfec=1");
  }
  for (const codec of codecs) lines.push(...codecLines(codec));
  lines.push(...sourceLines(identity, item));
  return lines;
}

function codecLines(codec: VideoCodec): string[] {
  const type = PAYLOAD_TYPE[codec];
  const lines = [`a=rtpmap:${type} ${codec}/90000`];
  for (const feedback of ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"]) {
    lines.push(`a=rtcp-fb:${type} ${feedback}`);
  }
  if (VIDEO_FORMAT[codec] !== "") lines.push(`a=fmtp:${type} ${VIDEO_FORMAT[codec]}`);
  lines.push(`a=rtpmap:${type + 1} rtx/90000`, `a=fmtp:${type + 1} apt=${type}`);
  return lines;
}

/** Simulcast says rids and no SSRC, everything else its SSRCs (as Chromium does). */
function sourceLines(identity: OfferIdentity, item: OfferedMedia): string[] {
  if (item.kind === "microphone") return [`a=ssrc:${item.ssrc} cname:${identity.cname}`];
  if (item.kind !== "camera") return [];
  if (item.layers.length > 1) {
    const rids = item.layers.map((layer) => layer.rid);
    return [...rids.map((rid) => `a=rid:${rid} send`), `a=simulcast:send ${rids.join(";")}`];
  }
  const media = item.ssrcs[0]!;
  const rtx = item.rtxSsrcs[0]!;
  return [
    `a=ssrc-group:FID ${media} ${rtx}`,
    `a=ssrc:${media} cname:${identity.cname}`,
    `a=ssrc:${rtx} cname:${identity.cname}`,
  ];
}

function extensions(item: OfferedMedia): number[] {
  const audio = item.kind === "microphone" || item.kind === "audio-slot";
  const common = [EXTENSION_ID.ABS_SEND_TIME, EXTENSION_ID.TRANSPORT_CC, EXTENSION_ID.MID];
  return audio ? [EXTENSION_ID.AUDIO_LEVEL, ...common] : [...common, EXTENSION_ID.RID, EXTENSION_ID.REPAIRED_RID];
}

function colons(hex: string): string {
  return (hex.match(/../g) ?? []).join(":");
}

/** An m-line of the answer, as far as the client cares. */
export interface AnsweredMedia {
  readonly mid: string;
  readonly accepted: boolean;
  readonly direction: string;
  /** The payload types that were answered, in order. */
  readonly types: readonly number[];
  /** The ids of the header extensions that were answered. */
  readonly extensionIds: readonly number[];
  /** What the server sends with: 0 when it does not say. */
  readonly ssrc: number;
  readonly rtxSsrc: number;
}

/** What the client needs to know of an answer. */
export interface Answer {
  readonly ufrag: string;
  readonly password: string;
  readonly fingerprint: Uint8Array;
  /** `ip:port` of each candidate, brackets around an IPv6 address. */
  readonly addresses: readonly string[];
  readonly media: readonly AnsweredMedia[];
}

/** Reads an answer, or answers a sentence that says what it lacks. */
export function readAnswer(text: string): Answer | string {
  const parsed = parseSdp(text);
  if (!parsed.ok) return parsed.detail;
  const { session } = parsed;
  const all = [...session.attributes, ...session.media.flatMap((media) => media.attributes)];
  const ufrag = sdpAttribute(all, "ice-ufrag");
  const password = sdpAttribute(all, "ice-pwd");
  const fingerprint = sdpAttribute(all, "fingerprint");
  const candidates = sdpAttributeValues(all, "candidate").map((value) => value.split(" "));
  if (ufrag === undefined || password === undefined) return "The answer has no ICE credentials.";
  if (fingerprint === undefined || !fingerprint.toLowerCase().startsWith("sha-256 ")) {
    return "The answer has no SHA-256 fingerprint.";
  }
  if (candidates.length === 0 || candidates.some((candidate) => candidate.length < 6)) {
    return "The answer has no candidate that can be read.";
  }
  const digits = fingerprint.slice(8).trim().split(":");
  return {
    ufrag,
    password,
    fingerprint: Uint8Array.from(digits, (digit) => Number.parseInt(digit, 16)),
    addresses: candidates.map((candidate) => {
      const [ip, port] = [candidate[4]!, candidate[5]!];
      return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
    }),
    media: session.media.map(readMedia),
  };
}

function readMedia(media: MediaDescription): AnsweredMedia {
  const { attributes } = media;
  const has = (name: string) => sdpAttribute(attributes, name) !== undefined;
  const ssrcs = sdpAttributeValues(attributes, "ssrc").map((value) => Number(value.split(" ")[0]));
  const pair = sdpAttribute(attributes, "ssrc-group")?.split(" ");
  const rtxSsrc = pair?.[0] === "FID" ? Number(pair[2]) : 0;
  return {
    mid: sdpAttribute(attributes, "mid") ?? "",
    accepted: media.port !== 0,
    direction: ["sendrecv", "sendonly", "recvonly", "inactive"].find(has) ?? "sendrecv",
    types: media.formats.map(Number),
    extensionIds: sdpAttributeValues(attributes, "extmap").map((value) => Number(value.split(/[ /]/)[0])),
    ssrc: ssrcs.find((ssrc) => ssrc !== rtxSsrc) ?? 0,
    rtxSsrc,
  };
}
