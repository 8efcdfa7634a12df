/**
 * The state of one DTLS association, whole: what a snapshot holds and what the functions of this folder change.
 *
 * A handshake is four flights. The state knows the peer's messages by their place in it (`inbound`), our own last flight
 * (`flight`), and what has been agreed on so far (`exchange`, `keys`). When the handshake is over, everything but the record
 * keys, the replay window and the last flight is dropped, the private key and the master secret first of all.
 */
import { assert } from "../base/assert.ts";
import { type Micros, NEVER } from "../base/micros.ts";
import { KEY_HANDLE } from "../crypto/handles.ts";
import { AEAD_NONCE_BYTES, type CryptoProvider } from "../crypto/provider.ts";
import { LIMITS } from "../limits.ts";
import { type Tunables, USUAL_TUNABLES } from "../tunables.ts";
import { HANDSHAKE_TYPE } from "../wire/dtls-handshake.ts";
import { createInbound, type InboundMessage } from "./inbound.ts";
import { createReplayWindow, type ReplayWindow } from "./replay-window.ts";

/** Who opens the handshake: the client. Browsers are, for our answer says `a=setup:passive`. */
export type DtlsRole = "server" | "client";

/** How far an association is; it ends in "closed" (in order) or "failed" and never leaves either. */
export type DtlsStatus = "handshaking" | "connected" | "closed" | "failed";

/** Keys for SRTP and SRTCP (RFC 5764 §4.2): each side writes with the ones that bear its name. */
export interface SrtpKeys {
  /** A code point of SRTP_PROTECTION_PROFILE. */
  profile: number;
  /** 16 bytes. */
  clientKey: Uint8Array;
  /** 12 bytes for GCM, 14 for counter mode. */
  clientSalt: Uint8Array;
  serverKey: Uint8Array;
  serverSalt: Uint8Array;
}

/** The keys of the record layer in epoch 1: 16 bytes of key and 4 of nonce for each direction. */
export interface RecordKeys {
  readKey: Uint8Array;
  readIv: Uint8Array;
  writeKey: Uint8Array;
  writeIv: Uint8Array;
}

/** What the hellos have settled, and the master secret once there is one. */
export interface Exchange {
  clientRandom: Uint8Array;
  serverRandom: Uint8Array;
  group: number;
  srtpProfile: number;
  /** 48 bytes, or none yet. */
  masterSecret: Uint8Array;
}

/** One piece of a flight: a whole handshake message, or a ChangeCipherSpec. */
export interface FlightItem {
  contentType: number;
  epoch: number;
  bytes: Uint8Array;
}

/** A verdict upon plaintext, which anybody could have sent; see ending.ts. */
export interface Doubt {
  /** The alert that goes out when the verdict stands. */
  alert: number;
  failure: string;
  deadline: Micros;
}

/** An alert in plaintext, which anybody could have sent; see ending.ts. */
export interface Alarm {
  status: "closed" | "failed";
  failure: string;
  deadline: Micros;
}

/** What an association starts from. */
export interface DtlsConfig {
  readonly role: DtlsRole;
  /** Our X.509 certificate in DER. */
  readonly certificate: Uint8Array;
  /** The P-256 key of the certificate: 32 bytes. */
  readonly privateKey: Uint8Array;
  /** SHA-256 of the certificate that the peer has promised in its session description: 32 bytes. */
  readonly remoteFingerprint: Uint8Array;
  /** 32 bytes, never used for another association: our random and our ECDHE keys are derived from them. */
  readonly secret: Uint8Array;
  /** The first of the peer's key handles (core/crypto/handles.ts). */
  readonly keyHandleBase: number;
  /** Default: the usual ones. */
  readonly tunables?: Tunables;
  readonly now: Micros;
}

/** One association. Others read `status`, `failure` and `srtp`, and empty `received`; the rest is private to this folder. */
export interface Dtls {
  readonly role: DtlsRole;
  status: DtlsStatus;
  /** Why the association has failed, as a sentence; empty otherwise. */
  failure: string;
  /** Set when the association gets connected; the caller may put `null` here once it has taken the keys. */
  srtp: SrtpKeys | null;
  /** Payloads of application data records in the order of arrival; the caller empties the list. */
  received: Uint8Array[];
  /** Records dropped because they could not be read, opened or used, or were replayed. */
  droppedRecords: number;

  certificate: Uint8Array;
  privateKey: Uint8Array;
  remoteFingerprint: Uint8Array;
  secret: Uint8Array;
  readonly keyHandleBase: number;

  /** The messages that the peer sends in a handshake, by their place in it. Empty after the handshake. */
  inbound: InboundMessage[];
  /** message_seq of the messages at place 0 on both sides: 1 when the server has asked for a cookie first, else 0. */
  sequenceBase: number;
  /** Sealed records that nothing could open yet. */
  early: Uint8Array[];
  /** The client's own hellos: the first, and the one with a cookie if there was need; the index is message_seq. */
  ownHellos: Uint8Array[];
  exchange: Exchange | null;
  keys: RecordKeys | null;
  window: ReplayWindow;
  doubt: Doubt | null;
  alarm: Alarm | null;

  /** What we sent last; it is sent again until the peer has moved on. */
  flight: FlightItem[];
  /** Before this time the flight is not sent again. */
  flightDueAt: Micros;
  readonly tunables: Tunables;
  retransmitAt: Micros;
  retransmitWaitMicros: Micros;
  retransmits: number;

  /** The epoch that our next alert goes out in. */
  writeEpoch: number;
  /** The next sequence number of epoch 0 and 1. They never go back, so no nonce is used twice. */
  writeSequences: number[];
  /** Scratch for the record layer. */
  nonce: Uint8Array;
  additionalData: Uint8Array;
}

/** The messages of a client in the order of their places. The last one comes encrypted. */
const CLIENT_MESSAGES = [
  HANDSHAKE_TYPE.CLIENT_HELLO,
  HANDSHAKE_TYPE.CERTIFICATE,
  HANDSHAKE_TYPE.CLIENT_KEY_EXCHANGE,
  HANDSHAKE_TYPE.CERTIFICATE_VERIFY,
  HANDSHAKE_TYPE.FINISHED,
];

/** The messages of a server in the order of their places. The last one comes encrypted. */
const SERVER_MESSAGES = [
  HANDSHAKE_TYPE.SERVER_HELLO,
  HANDSHAKE_TYPE.CERTIFICATE,
  HANDSHAKE_TYPE.SERVER_KEY_EXCHANGE,
  HANDSHAKE_TYPE.CERTIFICATE_REQUEST,
  HANDSHAKE_TYPE.SERVER_HELLO_DONE,
  HANDSHAKE_TYPE.FINISHED,
];

/** The places of a client's messages, in the handshake and in {@link Dtls.inbound}. */
export const CLIENT_PLACE = { HELLO: 0, CERTIFICATE: 1, KEY_EXCHANGE: 2, VERIFY: 3, FINISHED: 4 } as const;
/** The places of a server's messages. */
export const SERVER_PLACE = { HELLO: 0, CERTIFICATE: 1, KEY_EXCHANGE: 2, REQUEST: 3, DONE: 4, FINISHED: 5 } as const;

assert(CLIENT_MESSAGES.length <= LIMITS.dtlsMessagesAheadMax, "a client's messages fit the bound");
assert(SERVER_MESSAGES.length <= LIMITS.dtlsMessagesAheadMax, "a server's messages fit the bound");

const ADDITIONAL_DATA_BYTES = 13;

/** A new association. A server waits for its peer; a client waits for `dtlsStart`. */
export function createDtls(config: DtlsConfig): Dtls {
  assert(config.privateKey.length === 32, "a P-256 private key has 32 bytes");
  assert(config.remoteFingerprint.length === 32, "a SHA-256 fingerprint has 32 bytes");
  assert(config.secret.length === 32, "the secret of an association has 32 bytes");
  const { tunables = USUAL_TUNABLES } = config;
  return {
    role: config.role,
    status: "handshaking",
    failure: "",
    srtp: null,
    received: [],
    droppedRecords: 0,
    certificate: config.certificate,
    privateKey: config.privateKey,
    remoteFingerprint: config.remoteFingerprint,
    secret: config.secret,
    keyHandleBase: config.keyHandleBase,
    inbound: createPeerMessages(config.role),
    sequenceBase: 0,
    early: [],
    ownHellos: [],
    exchange: null,
    keys: null,
    window: createReplayWindow(),
    doubt: null,
    alarm: null,
    flight: [],
    flightDueAt: config.now,
    retransmitAt: NEVER,
    tunables,
    retransmitWaitMicros: tunables.dtlsRetransmitFirstMicros,
    retransmits: 0,
    writeEpoch: 0,
    writeSequences: [0, 0],
    nonce: new Uint8Array(AEAD_NONCE_BYTES),
    additionalData: new Uint8Array(ADDITIONAL_DATA_BYTES),
  };
}

/** Whether records still matter to the association. */
export function isOpen(dtls: Dtls): boolean {
  return dtls.status === "handshaking" || dtls.status === "connected";
}

/** Empty places for what the peer of `role` is going to send. */
export function createPeerMessages(role: DtlsRole): InboundMessage[] {
  return createInbound(role === "server" ? CLIENT_MESSAGES : SERVER_MESSAGES);
}

/** The place of the peer's Finished message. */
export function peerFinishedPlace(dtls: Dtls): number {
  return dtls.role === "server" ? CLIENT_PLACE.FINISHED : SERVER_PLACE.FINISHED;
}

/** Takes new record keys into use. What was sealed under other keys can no longer be opened. */
export function useKeys(dtls: Dtls, crypto: CryptoProvider, keys: RecordKeys): void {
  dtls.keys = keys;
  dtls.window = createReplayWindow();
  dtlsRestoreKeys(dtls, crypto);
}

/** Binds the key handles to the keys in the state; to be called after a snapshot was restored. */
export function dtlsRestoreKeys(dtls: Dtls, crypto: CryptoProvider): void {
  if (dtls.keys === null) return;
  crypto.setAeadKey(dtls.keyHandleBase + KEY_HANDLE.DTLS_READ, dtls.keys.readKey);
  crypto.setAeadKey(dtls.keyHandleBase + KEY_HANDLE.DTLS_WRITE, dtls.keys.writeKey);
}

/** Frees the key handles. Nothing can be sent or received afterwards; for a peer that is gone. */
export function dtlsRelease(dtls: Dtls, crypto: CryptoProvider): void {
  dtls.keys = null;
  crypto.releaseKey(dtls.keyHandleBase + KEY_HANDLE.DTLS_READ);
  crypto.releaseKey(dtls.keyHandleBase + KEY_HANDLE.DTLS_WRITE);
}

/** Drops what only the handshake needed. The last flight of a server stays, for a client that has missed it. */
export function forgetHandshake(dtls: Dtls): void {
  // Each its own empty array: one that all associations shared would be another one after a restore, and snapshots differ.
  dtls.privateKey = new Uint8Array(0);
  dtls.secret = new Uint8Array(0);
  dtls.certificate = new Uint8Array(0);
  dtls.remoteFingerprint = new Uint8Array(0);
  dtls.exchange = null;
  dtls.ownHellos = [];
  dtls.inbound = [];
  dtls.early = [];
  dtls.doubt = null;
  dtls.alarm = null;
  dtls.retransmitAt = NEVER;
}
