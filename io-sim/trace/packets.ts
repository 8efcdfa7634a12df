/**
 * The packets of a traced run, and what can be said of one by looking at its bytes.
 */
import { PAYLOAD_TYPE } from "../client/offer.ts";

/**
 * Where a packet was seen: sealed at the server's door, in plain at a client, or on the link that dropped it.
 */
export type PacketSurface = "encrypted" | "decrypted" | "dropped";

/** A packet that was seen. */
export interface TracedPacket {
  readonly at: number;
  /** Which event of the loop it was, and how many inputs the server had had. */
  readonly event: number;
  readonly input: number;
  readonly surface: PacketSurface;
  /** "up" is towards the server. */
  readonly direction: "up" | "down";
  /** Whose it was, or "" for a stranger's. */
  readonly peer: string;
  /** Transport addresses as `ip:port`. */
  readonly source: string;
  readonly target: string;
  readonly bytes: Uint8Array;
  /** Why it was dropped, or "". */
  readonly reason: string;
}

/** What a datagram is by its first bytes (RFC 7983 §7, RFC 5761 §4). */
export type PacketKind = "stun" | "dtls" | "rtp" | "rtcp" | "other";

/** Sorts a datagram. */
export function packetKind(bytes: Uint8Array): PacketKind {
  const lead = bytes[0] ?? 255;
  const second = bytes[1] ?? 0;
  if (lead < 4) return "stun";
  if (lead >= 20 && lead <= 63) return "dtls";
  if (lead < 128 || lead > 191) return "other";
  return second >= 192 && second <= 223 ? "rtcp" : "rtp";
}

/** A STUN message in two words (RFC 8489 §5: the class is in bits 4 and 8 of the type). */
export function stunWords(bytes: Uint8Array): string {
  const type = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
  if ((type & 0x0110) === 0x0110) return "check refused";
  return (type & 0x0100) !== 0 ? "check answered" : "check";
}

const HANDSHAKE_NAMES: ReadonlyMap<number, string> = new Map([
  [1, "ClientHello"],
  [2, "ServerHello"],
  [3, "HelloVerifyRequest"],
  [11, "Certificate"],
  [12, "ServerKeyExchange"],
  [13, "CertificateRequest"],
  [14, "ServerHelloDone"],
  [15, "CertificateVerify"],
  [16, "ClientKeyExchange"],
]);

/** What the records of a DTLS datagram are (RFC 6347 §4.1): handshake messages by name while they are not encrypted. */
export function dtlsWords(bytes: Uint8Array): string {
  const words: string[] = [];
  for (let at = 0; at + 13 <= bytes.length; ) {
    const encrypted = bytes[at + 3] !== 0 || bytes[at + 4] !== 0;
    const word = recordWord(bytes[at]!, encrypted, bytes[at + 13] ?? 0);
    if (words.at(-1) !== word) words.push(word);
    at += 13 + ((bytes[at + 11]! << 8) | bytes[at + 12]!);
  }
  return words.join(", ") || "DTLS";
}

function recordWord(type: number, encrypted: boolean, first: number): string {
  if (type === 20) return "ChangeCipherSpec";
  if (type === 21) return encrypted ? "alert (encrypted)" : "alert";
  if (type === 22) return encrypted ? "Finished (encrypted)" : (HANDSHAKE_NAMES.get(first) ?? "handshake");
  return "data";
}

/** What is in an RTP packet of this type, as our clients and our server number them. */
export function mediaWords(payloadType: number): string {
  for (const [codec, type] of Object.entries(PAYLOAD_TYPE)) {
    if (type === payloadType) return codec === "OPUS" ? "sound (Opus)" : `pictures (${codec})`;
    if (codec !== "OPUS" && type + 1 === payloadType) return "packets again (RTX)";
  }
  return `media of type ${payloadType}`;
}

/** A request for a keyframe or for packets, found in plain RTCP. */
export interface FeedbackFound {
  readonly kind: "PLI" | "FIR" | "NACK";
  /** How many sequence numbers a NACK names; 1 otherwise. */
  readonly count: number;
}

/** The requests in a compound RTCP packet in plain (RFC 4585 §6.2.1, §6.3.1, RFC 5104 §4.3.1). */
export function feedbackIn(bytes: Uint8Array): FeedbackFound[] {
  const found: FeedbackFound[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const format = bytes[at]! & 31;
    const type = bytes[at + 1]!;
    const length = 4 + 4 * ((bytes[at + 2]! << 8) | bytes[at + 3]!);
    if (type === 206 && format === 1) found.push({ kind: "PLI", count: 1 });
    if (type === 206 && format === 4) found.push({ kind: "FIR", count: 1 });
    if (type === 205 && format === 1) found.push({ kind: "NACK", count: nackCount(bytes, at + 12, at + length) });
    at += length;
  }
  return found;
}

function nackCount(bytes: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let at = from; at + 4 <= Math.min(to, bytes.length); at += 4) {
    count++;
    for (let mask = (bytes[at + 2]! << 8) | bytes[at + 3]!; mask !== 0; mask &= mask - 1) count++;
  }
  return count;
}
