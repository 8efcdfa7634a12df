/**
 * From an SDP offer to the answer (RFC 3264, RFC 8829 §5.3), once in the life of a connection.
 *
 * The offer decides the shape: the answer has the same m-lines in the same order, payload types and header extension ids
 * are the client's. What the server serves is accepted: audio and video over one bundled transport (RFC 9143) with rtcp-mux
 * (RFC 5761). `sendonly` becomes a publication, `recvonly` a slot, `sendrecv` both, `inactive` stays as it is. Any other
 * m-line is rejected where it stands (port 0, `a=inactive`, not in BUNDLE): data channels, unknown protocols, no codec in
 * common, no rtcp-mux, switched off by the offer, outside the first BUNDLE group, without a usable mid. The offer as a whole is
 * refused, with a sentence, when nothing is left or when the transport does not fit (core/peer/transport-negotiation.ts).
 *
 * About mids: two equal ones refuse the offer (RFC 5888 §4). One that is missing, no token, or longer than
 * `LIMITS.sdpTokenLengthMax` cannot be in BUNDLE, so its m-line is rejected; only a single m-line without a group may do
 * without. Left out: changing a session later (every connection has one offer), tls-id, and a=identity.
 */
import { assert } from "../base/assert.ts";
import { LIMITS } from "../limits.ts";
import { HEADER_EXTENSION } from "../wire/header-extensions.ts";
import {
  type MediaDescription,
  type SdpAttribute,
  type SessionDescription,
  sdpAttribute,
  sdpAttributeValues,
  sdpHasAttribute,
  writeSdp,
} from "../wire/sdp.ts";
import { asDirection, isSdpToken, parseSsrc, type SdpDirection } from "../wire/sdp-attributes.ts";
import { type CodecNegotiation, negotiateCodecs } from "./codec-negotiation.ts";
import { negotiateExtensions, reversed } from "./extension-negotiation.ts";
import type { NegotiatedMedia, NegotiatedSession } from "./negotiated.ts";
import { negotiateLayers, readSources, slotAttributes } from "./stream-negotiation.ts";
import {
  connectionOf,
  hasTransport,
  type LocalTransport,
  negotiateTransport,
  transportAttributes,
} from "./transport-negotiation.ts";

/** What the server brings to a session. */
export interface LocalDescription extends LocalTransport {
  /** Decimal digits for the o= line, different for each session (RFC 8866 §5.2). */
  readonly sessionId: string;
  /** The CNAME of everything that the server sends (RFC 3550 §6.5.1). */
  readonly cname: string;
  /**
   * Different SSRCs for the slots, two for each: `2 * LIMITS.sdpMediaMax` are always enough. Those that the offer uses
   * itself are passed over, so a few more make a refusal for that reason still less likely.
   */
  readonly ssrcs: readonly number[];
}

/** What {@link negotiate} answers; `detail` is a sentence for the one who wrote the offer. */
export type Negotiation =
  | { readonly ok: true; readonly answer: string; readonly session: NegotiatedSession }
  | { readonly ok: false; readonly detail: string };

/** The version in the o= line: the answer never changes. */
const SESSION_VERSION = 1;
/** Three names for one thing (RFC 8829 §5.1.2); the answer repeats the offer's. Profiles without feedback are not served. */
const PROTOCOLS: readonly string[] = ["UDP/TLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVPF", "RTP/SAVPF"];

/** One m-line on its way through the negotiation. */
interface Section {
  readonly description: MediaDescription;
  /** "" when it is missing or no token. */
  readonly mid: string;
  /** No mid, or one that can be used; without BUNDLE both will do. */
  readonly midFits: boolean;
  /** As the client sees it. */
  readonly direction: SdpDirection;
  /** Why it is rejected: the end of a sentence whose subject is the m-line; "" when it is accepted. */
  rejection: string;
  media: NegotiatedMedia | undefined;
  formats: readonly string[];
  attributes: readonly SdpAttribute[];
}

/** What is known of the offer as a whole while its m-lines are judged. */
interface Offer {
  readonly description: SessionDescription;
  readonly sections: readonly Section[];
  /** The m-lines of the first BUNDLE group in its order, or `undefined` when the offer has no group. */
  readonly bundle: readonly Section[] | undefined;
}

/** Answers an offer, or refuses it. Never throws for what is in the offer; the time it takes is linear in its length. */
export function negotiate(offer: SessionDescription, local: LocalDescription): Negotiation {
  assert(local.candidates.length > 0, "an answer has a candidate");
  assert(local.fingerprint.length === 32, "the server's fingerprint is a SHA-256 hash");
  const sections = offer.media.map((description) => createSection(offer, description));
  const complaint = judgeSections(sections);
  if (complaint !== "") return { ok: false, detail: complaint };
  const whole: Offer = { description: offer, sections, bundle: readBundle(offer, sections) };
  if (whole.bundle === undefined && sections.filter((section) => section.description.port !== 0).length > 1) {
    return {
      ok: false,
      detail: "The offer has several m-lines but no a=group:BUNDLE line; this server uses one transport.",
    };
  }
  const extensionKinds = new Uint8Array(256);
  const ssrcs = createSsrcSupply(offer, local);
  for (const section of sections) {
    section.rejection = whyRejected(whole, section);
    if (section.rejection === "") agree(whole, section, local, ssrcs, extensionKinds);
  }
  if (ssrcs.exhausted)
    return { ok: false, detail: "The SSRCs of the offer collide with those of the server; offer again." };
  const accepted = (whole.bundle ?? sections).filter((section) => section.rejection === "");
  if (accepted.length === 0) return { ok: false, detail: nothingLeft(sections) };
  const speaker =
    accepted.find((section) => hasTransport(offer, section.description)) ?? whole.bundle?.[0] ?? accepted[0]!;
  const negotiated = negotiateTransport(offer, speaker.description);
  if (!negotiated.ok) return negotiated;
  const { ufrag, password, fingerprint } = negotiated.transport;
  const session: NegotiatedSession = {
    remoteUfrag: ufrag,
    remotePassword: password,
    remoteFingerprint: fingerprint,
    remoteDtlsRole: "client",
    media: sections.flatMap((section) => section.media ?? []),
    extensionKinds,
  };
  return { ok: true, answer: writeSdp(describe(whole, accepted, local)), session };
}

function createSection(offer: SessionDescription, description: MediaDescription): Section {
  const mid = sdpAttribute(description.attributes, "mid");
  const isToken = mid !== undefined && isSdpToken(mid);
  return {
    description,
    mid: isToken ? mid : "",
    midFits: mid === undefined || (isToken && mid.length <= LIMITS.sdpTokenLengthMax),
    direction: readDirection(description.attributes) ?? readDirection(offer.attributes) ?? "sendrecv",
    rejection: "",
    media: undefined,
    formats: description.formats,
    attributes: [],
  };
}

function readDirection(attributes: readonly SdpAttribute[]): SdpDirection | undefined {
  for (const { name } of attributes) {
    const direction = asDirection(name);
    if (direction !== undefined) return direction;
  }
  return undefined;
}

/** Answers "" or why the m-lines as a whole make no offer. */
function judgeSections(sections: readonly Section[]): string {
  if (sections.length === 0) return "The offer has no m-lines; add an audio or video track or transceiver.";
  const mids = new Set<string>();
  for (const { mid } of sections) {
    if (mid !== "" && mids.has(mid)) return `Two m-lines of the offer have the mid "${mid.slice(0, 64)}".`;
    mids.add(mid);
  }
  return "";
}

/** The first BUNDLE group (RFC 9143 §7.3). Names without an m-line, and repeated ones, are passed over. */
function readBundle(offer: SessionDescription, sections: readonly Section[]): Section[] | undefined {
  const byMid = new Map(sections.map((section) => [section.mid, section]));
  byMid.delete("");
  for (const value of sdpAttributeValues(offer.attributes, "group")) {
    const [semantics, ...mids] = value.split(" ");
    if (semantics !== "BUNDLE") continue;
    const members = new Set<Section>();
    for (const mid of mids) {
      const section = byMid.get(mid);
      if (section !== undefined) members.add(section);
    }
    return [...members];
  }
  return undefined;
}

/** Everything that can speak against an m-line before its codecs are looked at. */
function whyRejected(offer: Offer, section: Section): string {
  const { media, port, protocol } = section.description;
  if (media !== "audio" && media !== "video") return "is neither audio nor video";
  if (!PROTOCOLS.includes(protocol)) return `does not use ${PROTOCOLS[0]}`;
  if (!section.midFits || (offer.bundle !== undefined && section.mid === "")) {
    return `has no a=mid of at most ${LIMITS.sdpTokenLengthMax} characters`;
  }
  if (offer.bundle !== undefined && !offer.bundle.includes(section)) return "is not in the a=group:BUNDLE line";
  if (port === 0 && !isBundleOnly(offer, section)) return "is switched off by port 0";
  return hasShared(offer, section, "rtcp-mux") ? "" : "has no a=rtcp-mux";
}

function isBundleOnly(offer: Offer, section: Section): boolean {
  return offer.bundle !== undefined && sdpHasAttribute(section.description.attributes, "bundle-only");
}

/** Whether the m-line has the attribute; a bundle-only one may leave it to the tagged m-line (RFC 9143 §7.1.3). */
function hasShared(offer: Offer, section: Section, name: string): boolean {
  if (sdpHasAttribute(section.description.attributes, name)) return true;
  const tagged = offer.bundle?.[0];
  return tagged !== undefined && isBundleOnly(offer, section) && sdpHasAttribute(tagged.description.attributes, name);
}

/** Settles an m-line that nothing speaks against; no codec in common still rejects it. */
function agree(
  offer: Offer,
  section: Section,
  local: LocalDescription,
  ssrcs: SsrcSupply,
  sessionKinds: Uint8Array,
): void {
  const { description, direction, mid } = section;
  const publishes = direction === "sendonly" || direction === "sendrecv";
  const isSlot = direction === "recvonly" || direction === "sendrecv";
  const sessionMixed = sdpHasAttribute(offer.description.attributes, "extmap-allow-mixed");
  const mixed = sessionMixed || sdpHasAttribute(description.attributes, "extmap-allow-mixed");
  const kinds = sessionKinds.slice();
  const extensions = negotiateExtensions(offer.description, description, publishes, isSlot, mixed, kinds);
  const { TRANSPORT_CC, RID } = HEADER_EXTENSION;
  const codecs = negotiateCodecs(description, extensions.ids[TRANSPORT_CC] !== 0);
  if (codecs.codecs.length === 0) {
    section.rejection = "has no codec that this server forwards (Opus; VP8, H.264, VP9, AV1)";
    return;
  }
  sessionKinds.set(kinds);
  const layered = publishes && description.media === "video" && extensions.ids[RID] !== 0;
  const layers = layered ? negotiateLayers(description, codecs.formats) : { rids: [], attributes: [] };
  const sources = publishes ? readSources(description, ssrcs.publications) : { ssrcs: [], rtxOf: [] };
  const slotSsrc = isSlot ? takeSsrc(ssrcs) : 0;
  const slotRtxSsrc = isSlot && hasRtx(codecs) ? takeSsrc(ssrcs) : 0;
  const rtcpReducedSize = hasShared(offer, section, "rtcp-rsize");
  section.media = {
    mid,
    kind: description.media === "audio" ? "audio" : "video",
    publishes,
    isSlot,
    codecs: codecs.codecs,
    extensionIds: extensions.ids,
    extensionKinds: extensions.kinds,
    twoByteExtensions: mixed,
    rids: layers.rids,
    ssrcs: sources.ssrcs,
    rtxOf: sources.rtxOf,
    slotSsrc,
    slotRtxSsrc,
    rtcpReducedSize,
  };
  section.formats = codecs.formats;
  section.attributes = [
    { name: reversed(direction), value: "" },
    ...(isSlot ? slotAttributes(mid, local.cname, slotSsrc, slotRtxSsrc) : []),
    { name: "rtcp-mux", value: "" },
    ...(rtcpReducedSize ? [{ name: "rtcp-rsize", value: "" }] : []),
    ...(mixed && !sessionMixed ? [{ name: "extmap-allow-mixed", value: "" }] : []),
    ...extensions.attributes,
    ...codecs.attributes,
    ...layers.attributes,
  ];
}

function hasRtx(codecs: CodecNegotiation): boolean {
  return codecs.codecs.some((codec) => codec.rtxPayloadType >= 0);
}

/** The SSRCs that slots may have; those that the offer mentions are not among them (RFC 3550 §8.2). */
interface SsrcSupply {
  readonly free: readonly number[];
  next: number;
  exhausted: boolean;
  /** SSRCs that publications have already. */
  readonly publications: Set<number>;
}

function createSsrcSupply(offer: SessionDescription, local: LocalDescription): SsrcSupply {
  assert(local.ssrcs.length >= 2 * offer.media.length, "there are two SSRCs for each m-line");
  const used = new Set<number>();
  for (const section of offer.media) {
    for (const value of sdpAttributeValues(section.attributes, "ssrc")) used.add(parseSsrc(value));
  }
  const free = local.ssrcs.filter((ssrc) => ssrc !== 0 && !used.has(ssrc));
  return { free, next: 0, exhausted: false, publications: new Set() };
}

function takeSsrc(supply: SsrcSupply): number {
  const ssrc = supply.free[supply.next++];
  if (ssrc === undefined) supply.exhausted = true;
  return ssrc ?? 0;
}

/** A sentence for an offer of which nothing is accepted; it tells about the first m-line that is meant for media. */
function nothingLeft(sections: readonly Section[]): string {
  const first = sections.find(({ description }) => description.media !== "application") ?? sections[0]!;
  const where = sections.indexOf(first) + 1;
  return `Nothing in the offer can be served: m-line ${where} (${excerpt(first.description.media)}) ${first.rejection}.`;
}

function excerpt(text: string): string {
  return isSdpToken(text) ? text.slice(0, 32) : "unreadable";
}

/** The answer as a record; `accepted` is in the order of BUNDLE, and its first m-line carries the candidates. */
function describe(offer: Offer, accepted: readonly Section[], local: LocalDescription): SessionDescription {
  const attributes: SdpAttribute[] = [];
  if (offer.bundle !== undefined) {
    attributes.push({ name: "group", value: `BUNDLE ${accepted.map((section) => section.mid).join(" ")}` });
  }
  if (sdpHasAttribute(offer.description.attributes, "extmap-allow-mixed")) {
    attributes.push({ name: "extmap-allow-mixed", value: "" });
  }
  attributes.push({ name: "ice-lite", value: "" }, { name: "ice-options", value: "ice2" });
  return {
    origin: `- ${local.sessionId} ${SESSION_VERSION} IN IP4 127.0.0.1`,
    name: "-",
    timing: "0 0",
    connection: "",
    attributes,
    media: offer.sections.map((section) =>
      section.rejection === "" ? describeAccepted(section, section === accepted[0], local) : describeRejected(section),
    ),
  };
}

/**
 * The transport lines stand in every m-line, though RFC 9143 §7.1.3 wants them in the tagged one alone: clients exist that
 * look for them in each, and those that follow the specification do not mind.
 */
function describeAccepted(section: Section, tagged: boolean, local: LocalDescription): MediaDescription {
  const { ip, port } = local.candidates[0]!;
  const mid = section.mid === "" ? [] : [{ name: "mid", value: section.mid }];
  return {
    media: section.description.media,
    port,
    protocol: section.description.protocol,
    formats: section.formats,
    connection: connectionOf(ip),
    attributes: [...mid, ...transportAttributes(local, tagged), ...section.attributes],
  };
}

function describeRejected(section: Section): MediaDescription {
  const { media, protocol, formats } = section.description;
  const mid = section.mid === "" ? [] : [{ name: "mid", value: section.mid }];
  return {
    media,
    port: 0,
    protocol,
    formats,
    connection: "IN IP4 0.0.0.0",
    attributes: [...mid, { name: "inactive", value: "" }],
  };
}
