/**
 * The transport part of an offer: ICE credentials, DTLS role and certificate fingerprint.
 *
 * All of it may stand in an m-line or before the first one; the m-line wins (RFC 8839 §5.4, RFC 8122 §5). There is one
 * transport for the whole session, so the values count of one m-line alone, the one that BUNDLE tags (RFC 9143 §7.3); what
 * the other m-lines say is not looked at. The server is ICE-lite and DTLS-passive: it cannot serve a client that is one of
 * these too. Candidates of the client are ignored, since a lite agent sends to where checks come from.
 */
import { equalBytes } from "../base/bytes.ts";
import {
  type MediaDescription,
  type SdpAttribute,
  type SessionDescription,
  sdpAttribute,
  sdpAttributeValues,
  sdpHasAttribute,
} from "../wire/sdp.ts";
import { isAlphanumericCode, parseFingerprint, writeFingerprint } from "../wire/sdp-attributes.ts";
import type { CandidateAddress } from "./negotiated.ts";

/** What the client says about its transport. */
export interface RemoteTransport {
  readonly ufrag: string;
  readonly password: string;
  readonly fingerprint: Uint8Array;
}

/** The answer of {@link negotiateTransport}. */
export type TransportNegotiation =
  | { readonly ok: true; readonly transport: RemoteTransport }
  | { readonly ok: false; readonly detail: string };

/** What the server says about its transport. */
export interface LocalTransport {
  /** ICE credentials: letters, digits, "+", "/"; 4 and 22 characters or more, at most 256 (RFC 8839 §5.4). */
  readonly ufrag: string;
  readonly password: string;
  /** SHA-256 of the server's certificate: 32 bytes. */
  readonly fingerprint: Uint8Array;
  /** Addresses that the server's UDP socket is reached at: at least one, best first; the first is the default candidate. */
  readonly candidates: readonly CandidateAddress[];
}

const SHA256_BYTES = 32;
/** RFC 8839 §5.4. */
const UFRAG_LENGTH_MIN = 4;
const PASSWORD_LENGTH_MIN = 22;
const CREDENTIAL_LENGTH_MAX = 256;
/** RFC 8445 §5.1.2.2: the type preference of a host candidate, and the highest local preference. */
const HOST_TYPE_PREFERENCE = 126;
const LOCAL_PREFERENCE_MAX = 65_535;

/** Whether an m-line brings ICE credentials, of its own or those of the session. */
export function hasTransport(offer: SessionDescription, section: MediaDescription): boolean {
  return inherited(offer, section, "ice-ufrag") !== undefined;
}

/** Reads and judges the transport of `section`, the m-line that speaks for all. A refusal is a sentence. */
export function negotiateTransport(offer: SessionDescription, section: MediaDescription): TransportNegotiation {
  if (sdpHasAttribute(offer.attributes, "ice-lite")) {
    return refused("The offer says a=ice-lite, and so does this server: neither side would send connectivity checks.");
  }
  const ufrag = inherited(offer, section, "ice-ufrag");
  if (ufrag === undefined) return refused("The offer has no a=ice-ufrag line.");
  if (!isCredential(ufrag, UFRAG_LENGTH_MIN)) {
    return refused(`The a=ice-ufrag of the offer must be ${UFRAG_LENGTH_MIN} to 256 letters, digits, "+" or "/".`);
  }
  const password = inherited(offer, section, "ice-pwd");
  if (password === undefined) return refused("The offer has no a=ice-pwd line.");
  if (!isCredential(password, PASSWORD_LENGTH_MIN)) {
    return refused(`The a=ice-pwd of the offer must be ${PASSWORD_LENGTH_MIN} to 256 letters, digits, "+" or "/".`);
  }
  const setupComplaint = judgeSetup(inherited(offer, section, "setup"));
  if (setupComplaint !== "") return refused(setupComplaint);
  return readFingerprint(offer, section, ufrag, password);
}

/** The transport lines of one accepted m-line in the answer; `tagged` is the one that carries the candidates. */
export function transportAttributes(local: LocalTransport, tagged: boolean): SdpAttribute[] {
  const attributes: SdpAttribute[] = [
    { name: "ice-ufrag", value: local.ufrag },
    { name: "ice-pwd", value: local.password },
    { name: "fingerprint", value: writeFingerprint(local.fingerprint) },
    { name: "setup", value: "passive" },
  ];
  if (!tagged) return attributes;
  for (let i = 0; i < local.candidates.length; i++) {
    attributes.push({ name: "candidate", value: candidateValue(local, i) });
  }
  attributes.push({ name: "end-of-candidates", value: "" });
  return attributes;
}

/** The value of a c= line for an address. */
export function connectionOf(ip: string): string {
  return `IN ${ip.includes(":") ? "IP6" : "IP4"} ${ip}`;
}

function refused(detail: string): TransportNegotiation {
  return { ok: false, detail };
}

function inherited(offer: SessionDescription, section: MediaDescription, name: string): string | undefined {
  return sdpAttribute(section.attributes, name) ?? sdpAttribute(offer.attributes, name);
}

/** Answers "" or why the DTLS role does not fit. Without the line the offerer is active (RFC 4145 §4.1). */
function judgeSetup(setup: string | undefined): string {
  if (setup === undefined || setup === "actpass" || setup === "active") return "";
  if (setup === "passive") {
    return "The offer says a=setup:passive, but this server only takes DTLS connections; offer actpass or active.";
  }
  return "The a=setup of the offer must be actpass or active.";
}

function readFingerprint(
  offer: SessionDescription,
  section: MediaDescription,
  ufrag: string,
  password: string,
): TransportNegotiation {
  let values = sdpAttributeValues(section.attributes, "fingerprint");
  if (values.length === 0) values = sdpAttributeValues(offer.attributes, "fingerprint");
  if (values.length === 0) return refused("The offer has no a=fingerprint line; DTLS needs one with sha-256.");
  let found: Uint8Array | undefined;
  for (const value of values) {
    const fingerprint = parseFingerprint(value);
    if (fingerprint === undefined) return refused("An a=fingerprint line of the offer is malformed.");
    // Another hash of the same certificate beside sha-256 is allowed (RFC 8122 §5) and not needed.
    if (fingerprint.hash !== "sha-256") continue;
    if (fingerprint.bytes.length !== SHA256_BYTES) {
      return refused("The a=fingerprint:sha-256 of the offer must have 32 pairs of hexadecimal digits.");
    }
    if (found !== undefined && !equalBytes(found, fingerprint.bytes)) {
      return refused("The offer names two certificates with a=fingerprint:sha-256; only one is taken.");
    }
    found = fingerprint.bytes;
  }
  if (found === undefined) return refused("The offer has no a=fingerprint line with sha-256, the only hash taken.");
  return { ok: true, transport: { ufrag, password, fingerprint: found } };
}

/** Letters, digits, "+" and "/" (RFC 8839 §5.4). */
function isCredential(text: string, lengthMin: number): boolean {
  if (text.length < lengthMin || text.length > CREDENTIAL_LENGTH_MAX) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (!isAlphanumericCode(code) && code !== 0x2b && code !== 0x2f) return false;
  }
  return true;
}

/**
 * A host candidate (RFC 8839 §5.1). Candidates with the same address share a foundation (RFC 8445 §5.1.1.3); the local
 * preference falls by one from each to the next, so that no two have the same priority (§5.1.2.1).
 */
function candidateValue(local: LocalTransport, index: number): string {
  const { ip, port } = local.candidates[index]!;
  const foundation = local.candidates.findIndex((candidate) => candidate.ip === ip) + 1;
  const localPreference = Math.max(0, LOCAL_PREFERENCE_MAX - index);
  const priority = HOST_TYPE_PREFERENCE * 0x100_0000 + localPreference * 0x100 + 255;
  return `${foundation} 1 udp ${priority} ${ip} ${port} typ host`;
}
