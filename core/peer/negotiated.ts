/**
 * What an offer and its answer have agreed upon, as plain data: the only thing that the rest of a peer needs to know of SDP.
 *
 * Directions are seen from the server: a publication is media that the client sends, a slot is media that it receives. One
 * m-line can be both (sendrecv) or neither (inactive). m-lines that the answer rejects do not appear.
 */

/** An address under which clients reach the shard's UDP socket. */
export interface CandidateAddress {
  /** An IPv4 or IPv6 address as text, without brackets. */
  readonly ip: string;
  /** UDP port, 1 to 65535. */
  readonly port: number;
}

/** One codec of one m-line. */
export interface NegotiatedCodec {
  /** A number of `CODEC`. */
  readonly codec: number;
  readonly payloadType: number;
  /** The payload type of its retransmissions (RFC 4588), or -1. */
  readonly rtxPayloadType: number;
  /** RTP timestamp units per second. */
  readonly clockRate: number;
  /**
   * What must be equal for a slot to play what a publication sends: "" for Opus and VP8; "profile/packetization-mode" for
   * H.264, such as "constrained-baseline/1"; the profile number for VP9 ("0", "2") and AV1 ("0").
   */
  readonly profile: string;
  /** Feedback that was agreed upon: generic NACK, PLI, FIR (RFC 4585, RFC 5104) and transport-wide congestion control. */
  readonly nack: boolean;
  readonly pli: boolean;
  readonly fir: boolean;
  /** Never true on an m-line that is a slot alone. */
  readonly transportCc: boolean;
}

/** One accepted m-line. */
export interface NegotiatedMedia {
  /** The mid (RFC 5888); "" when the offer is a single m-line without one. */
  readonly mid: string;
  readonly kind: "audio" | "video";
  /** The client sends on it: a publication. */
  readonly publishes: boolean;
  /** The client receives on it: a slot. */
  readonly isSlot: boolean;
  /** In the order of the offer, that is, as the client prefers them; at least one. */
  readonly codecs: readonly NegotiatedCodec[];
  /** Header extension kind (`HEADER_EXTENSION`) to id; 0 where the kind was not agreed upon. */
  readonly extensionIds: Uint8Array;
  /** 256 entries: header extension id to kind; 0 where the id means nothing. */
  readonly extensionKinds: Uint8Array;
  /** `a=extmap-allow-mixed`: packets may choose between one- and two-byte header extensions (RFC 8285 §6). */
  readonly twoByteExtensions: boolean;
  /** Simulcast layers that the client sends, in the order of the offer (nothing says which is best); often empty. */
  readonly rids: readonly string[];
  /** SSRCs that the offer names for the publication, at most `LIMITS.streamsPerPublicationMax`; empty with simulcast. */
  readonly ssrcs: readonly number[];
  /** Pairs [primary, retransmission] out of `ssrcs`, from FID groups. */
  readonly rtxOf: readonly (readonly [number, number])[];
  /** The SSRC that the slot has for life, and the one of its retransmissions; 0 for none. */
  readonly slotSsrc: number;
  readonly slotRtxSsrc: number;
  /** RTCP packets may come and go without SR, RR and SDES (RFC 5506). */
  readonly rtcpReducedSize: boolean;
}

/** Everything that one offer and its answer have settled. */
export interface NegotiatedSession {
  readonly remoteUfrag: string;
  readonly remotePassword: string;
  /** SHA-256 of the client's certificate: 32 bytes. */
  readonly remoteFingerprint: Uint8Array;
  /** The server is always the passive side (RFC 8842 §5.3). */
  readonly remoteDtlsRole: "client";
  /** The accepted m-lines in the order of the offer. */
  readonly media: readonly NegotiatedMedia[];
  /**
   * 256 entries: header extension id to kind, over all m-lines; no id has two meanings within a session. For packets whose
   * m-line is not known yet, since the MID itself is a header extension.
   */
  readonly extensionKinds: Uint8Array;
}
