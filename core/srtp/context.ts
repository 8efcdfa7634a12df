/**
 * SRTP and SRTCP for one peer: opens what it sends us, seals what we send it (RFC 3711; RFC 7714 for AES-GCM).
 *
 *     RTP header | payload ~~~~~~~~~~~~~~~~~~~~ | tag                 both profiles; ~ is encrypted
 *     RTCP header and SSRC | ~~~~~~~~ | tag (16) | E, index           AEAD_AES_128_GCM (RFC 7714 §9)
 *     RTCP header and SSRC | ~~~~~~~~ | E, index | tag (10)           AES_CM_128_HMAC_SHA1_80 (RFC 3711 §3.4)
 *
 * Nothing that a peer can forge changes anything here: a stream's record appears, and a window moves, only after the packet
 * has authenticated. A session is plain data and holds its keys, so after a restore {@link srtpBindKeys} is all it takes.
 * Sealing never uses a nonce for two contents as long as its caller gives equal bytes to equal sequence numbers.
 *
 * Left out, because WebRTC has no use for them: MKI, re-keying (a new DTLS association makes a new session), encrypted
 * header extensions (RFC 6904, RFC 9335), and SRTCP without encryption, which is refused.
 */
import { assert } from "../base/assert.ts";
import { copyBytes, equalConstantTime, readI32, readU16, readU32, writeU16, writeU32 } from "../base/bytes.ts";
import { KEY_HANDLE } from "../crypto/handles.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { LIMITS } from "../limits.ts";
import { RTP_HEADER_BYTES, rtpSequence, rtpSignedSsrc } from "../wire/rtp.ts";
import { deriveSessionKeys, SRTP_STREAM_KIND, type SrtpSessionKeys } from "./key-derivation.ts";
import {
  isSrtpProfile,
  SRTCP_INDEX_BYTES,
  SRTP_KEY_BYTES,
  SRTP_PROFILE,
  type SrtpProfile,
  srtpSaltBytes,
  srtpTagBytes,
} from "./profile.ts";
import {
  createReplayWindow,
  packetIndex,
  REPLAY,
  type ReplayWindow,
  replayWindowCheck,
  replayWindowMark,
  rolloverCounter,
} from "./replay-window.ts";

/** Why a packet was not opened or not sealed. All are negative, so that a length can stand in the same place. */
export const SRTP = {
  /** There are no keys yet; for callers that have no session. */
  NO_KEYS: -1,
  /** Fewer bytes than header and tag need. */
  SHORT: -2,
  /** The packet has been opened before, or is of an SSRC that was retired. */
  REPLAYED: -3,
  /** The packet is below the replay window, or from before the stream's first round. */
  TOO_OLD: -4,
  /** The tag does not fit: forged, damaged, or sealed with another key or rollover counter. */
  FORGED: -5,
  /** An authentic packet of one SSRC more than `LIMITS.srtpStreamsPerPeerMax`. */
  STREAMS_FULL: -6,
  /** The packet index has reached its end: the key may seal no more (RFC 3711 §9.2). */
  EXHAUSTED: -7,
  /** An SRTCP packet whose E bit is clear. */
  UNENCRYPTED: -8,
} as const;

/** The last index of an SRTP stream: a rollover counter of 32 bits and a sequence number of 16. */
const RTP_INDEX_MAX = 0xffff_ffff_ffff;
/** The highest index of a stream that has come to its end: whatever follows is beyond {@link RTP_INDEX_MAX} as well. */
const SPENT = 2 * (RTP_INDEX_MAX + 1);
/** The last SRTCP index: 31 bits. */
const RTCP_INDEX_MAX = 0x7fff_ffff;
const RTCP_ENCRYPTED_BIT = 0x8000_0000;

/** Bytes of an SRTCP packet that stay readable: the first header with its SSRC. */
const RTCP_CLEAR_BYTES = 8;
const RTCP_SSRC = 4;

/** Where the SSRC stands in a nonce (RFC 7714 §8.1) and in a counter block (RFC 3711 §4.1.1); the index follows it. */
const NONCE_SSRC = 2;
const COUNTER_SSRC = 4;

/** The streams that have been received, by SSRC. */
interface ReceiveStreams {
  count: number;
  /** As signed integers (see `readI32`). */
  ssrcs: Int32Array;
  windows: ReplayWindow[];
}

/**
 * A session salt in the words that a packet's SSRC and index are mixed with: signed integers, as in {@link readI32}. Four
 * numbers lie in one piece of memory, and an array of 14 bytes in three.
 */
interface Salt {
  /** What stands before the SSRC: 16 bits for AES-GCM, 32 for AES-CM. */
  readonly lead: number;
  readonly ssrc: number;
  readonly roc: number;
  readonly sequence: number;
}

/** One peer's keys and counters; make one with {@link createSrtpSession}. What each packet asks for comes first. */
export interface SrtpSession {
  readonly profile: SrtpProfile;
  readonly keyHandleBase: number;
  /** The session salts, which {@link srtpBindKeys} derives. */
  rtpWriteSalt: Salt;
  rtpReadSalt: Salt;
  rtcpReadSalt: Salt;
  rtcpWriteSalt: Salt;
  rtpStreams: ReceiveStreams;
  rtcpStreams: ReceiveStreams;
  /** SSRCs (as signed integers) whose state is gone: nothing can tell any more what of theirs has come before. */
  retired: Set<number>;
  /** The index of the next SRTCP packet that we send, whatever its SSRC. */
  rtcpSendIndex: number;
  /** What a stream that has just begun takes for the packet index before its first. */
  readonly indexBefore: number;
  readonly readKey: Uint8Array;
  readonly readSalt: Uint8Array;
  readonly writeKey: Uint8Array;
  readonly writeSalt: Uint8Array;
}

/** One SSRC that we send; make one with {@link createSrtpSendStream}. */
export interface SrtpSendStream {
  /** As a signed integer (see `readI32`). */
  readonly ssrc: number;
  /** The highest packet index sealed, or that before the first. */
  highest: number;
}

/** What a session is made from; master keys have 16 bytes, salts 12 or 14 as the profile says. */
export interface SrtpSessionOptions {
  /** A code point of {@link SRTP_PROFILE}. */
  readonly profile: number;
  /** What the peer seals with: for a DTLS server, the client's (RFC 5764 §4.2). */
  readonly readKey: Uint8Array;
  readonly readSalt: Uint8Array;
  /** What we seal with. */
  readonly writeKey: Uint8Array;
  readonly writeSalt: Uint8Array;
  /** The first of the peer's handles (core/crypto/handles.ts). */
  readonly keyHandleBase: number;
  /**
   * The packet index that both ends take to be the one before the first of each stream; default -1, so that rollover
   * counters begin at 0. Another has to be agreed on by other means than DTLS (RFC 3711 §3.3.1).
   */
  readonly indexBefore?: number;
  /** The index of the first SRTCP packet that we send; default 0. */
  readonly rtcpSendIndex?: number;
}

/** A session in which nothing has been sent or received. Its keys have to be bound before its first packet. */
export function createSrtpSession(options: SrtpSessionOptions): SrtpSession {
  const {
    profile,
    readKey,
    readSalt,
    writeKey,
    writeSalt,
    keyHandleBase,
    indexBefore = -1,
    rtcpSendIndex = 0,
  } = options;
  assert(isSrtpProfile(profile), "the SRTP profile is one that Lockstep speaks");
  const saltBytes = srtpSaltBytes(profile);
  assert(readKey.length === SRTP_KEY_BYTES && writeKey.length === SRTP_KEY_BYTES, "SRTP master keys have 16 bytes");
  assert(readSalt.length === saltBytes && writeSalt.length === saltBytes, "SRTP master salts fit their profile");
  const salt: Salt = { lead: 0, ssrc: 0, roc: 0, sequence: 0 };
  return {
    profile,
    keyHandleBase,
    rtpWriteSalt: salt,
    rtpReadSalt: salt,
    rtcpReadSalt: salt,
    rtcpWriteSalt: salt,
    rtpStreams: createReceiveStreams(),
    rtcpStreams: createReceiveStreams(),
    retired: new Set(),
    rtcpSendIndex,
    indexBefore,
    readKey,
    readSalt,
    writeKey,
    writeSalt,
  };
}

/** Derives the session keys and binds them to the session's handles; also after a restore, and harmless when repeated. */
export function srtpBindKeys(session: SrtpSession, crypto: CryptoProvider): void {
  const { keyHandleBase: base, readKey, readSalt, writeKey, writeSalt } = session;
  const rtpRead = deriveSessionKeys(crypto, readKey, readSalt, SRTP_STREAM_KIND.RTP);
  const rtcpRead = deriveSessionKeys(crypto, readKey, readSalt, SRTP_STREAM_KIND.RTCP);
  const rtpWrite = deriveSessionKeys(crypto, writeKey, writeSalt, SRTP_STREAM_KIND.RTP);
  const rtcpWrite = deriveSessionKeys(crypto, writeKey, writeSalt, SRTP_STREAM_KIND.RTCP);
  bind(session, crypto, base + KEY_HANDLE.SRTP_READ, rtpRead);
  bind(session, crypto, base + KEY_HANDLE.SRTCP_READ, rtcpRead);
  bind(session, crypto, base + KEY_HANDLE.SRTP_WRITE, rtpWrite);
  bind(session, crypto, base + KEY_HANDLE.SRTCP_WRITE, rtcpWrite);
  session.rtpReadSalt = saltWords(session.profile, rtpRead.salt);
  session.rtcpReadSalt = saltWords(session.profile, rtcpRead.salt);
  session.rtpWriteSalt = saltWords(session.profile, rtpWrite.salt);
  session.rtcpWriteSalt = saltWords(session.profile, rtcpWrite.salt);
}

/** Frees the session's handles. Nothing may be opened or sealed until they are bound again. */
export function srtpRelease(session: SrtpSession, crypto: CryptoProvider): void {
  crypto.releaseKey(session.keyHandleBase + KEY_HANDLE.SRTP_READ);
  crypto.releaseKey(session.keyHandleBase + KEY_HANDLE.SRTCP_READ);
  crypto.releaseKey(session.keyHandleBase + KEY_HANDLE.SRTP_WRITE);
  crypto.releaseKey(session.keyHandleBase + KEY_HANDLE.SRTCP_WRITE);
}

/**
 * Makes room: the peer has gone over from this SSRC to another one. Its replay window is given up, so from now on all that
 * names the SSRC is refused.
 */
export function srtpRetire(session: SrtpSession, ssrc: number): void {
  const { retired, rtpStreams, rtcpStreams } = session;
  if (retired.size >= LIMITS.srtpRetiredSsrcsMax) return;
  retired.add(ssrc | 0);
  dropStream(rtpStreams, ssrc | 0);
  dropStream(rtcpStreams, ssrc | 0);
}

/**
 * Opens an SRTP packet in place. `headerLength` is its header with CSRCs and extension block, which the caller has checked
 * to lie within `length`. Answers the length of the open packet, or a code of {@link SRTP}; then the payload's bytes are
 * worth nothing.
 */
export function srtpOpenRtp(
  session: SrtpSession,
  crypto: CryptoProvider,
  bytes: Uint8Array,
  offset: number,
  length: number,
  headerLength: number,
): number {
  const openLength = length - srtpTagBytes(session.profile);
  if (headerLength < RTP_HEADER_BYTES || openLength < headerLength) return SRTP.SHORT;
  const ssrc = rtpSignedSsrc(bytes, offset);
  const streams = session.rtpStreams;
  const at = findStream(streams, ssrc);
  if (at < 0 && session.retired.has(ssrc)) return SRTP.REPLAYED;
  const index = packetIndex(at < 0 ? session.indexBefore : streams.windows[at]!.highest, rtpSequence(bytes, offset));
  const refusal = judgeIndex(streams, at, index);
  if (refusal !== 0) return refusal;
  const handle = session.keyHandleBase + KEY_HANDLE.SRTP_READ;
  const payload = offset + headerLength;
  const { nonce, counter, tag } = crypto.workspace;
  if (session.profile === SRTP_PROFILE.AEAD_AES_128_GCM) {
    const sealed = length - headerLength;
    writeCounter(nonce, NONCE_SSRC, session.rtpReadSalt, ssrc, index);
    if (!crypto.openAead(handle, nonce, bytes, offset, headerLength, bytes, payload, sealed, bytes, payload)) {
      return SRTP.FORGED;
    }
  } else {
    crypto.authCm(handle, bytes, offset, openLength, rolloverCounter(index), tag);
    if (!equalConstantTime(tag, 0, bytes, offset + openLength, length - openLength)) return SRTP.FORGED;
    writeCounter(counter, COUNTER_SSRC, session.rtpReadSalt, ssrc, index);
    crypto.cipherCm(handle, counter, bytes, payload, openLength - headerLength, bytes, payload);
  }
  return markReceived(streams, at, ssrc, index) ? openLength : SRTP.STREAMS_FULL;
}

/**
 * Opens an SRTCP packet, compound or of reduced size, in place. Answers the length of the open packet, or a code of
 * {@link SRTP}; then the bytes behind the first eight are worth nothing.
 */
export function srtpOpenRtcp(
  session: SrtpSession,
  crypto: CryptoProvider,
  bytes: Uint8Array,
  offset: number,
  length: number,
): number {
  const tagBytes = srtpTagBytes(session.profile);
  const openLength = length - tagBytes - SRTCP_INDEX_BYTES;
  if (openLength < RTCP_CLEAR_BYTES) return SRTP.SHORT;
  const isAead = session.profile === SRTP_PROFILE.AEAD_AES_128_GCM;
  const word = readU32(bytes, offset + openLength + (isAead ? tagBytes : 0));
  if (word < RTCP_ENCRYPTED_BIT) return SRTP.UNENCRYPTED;
  const index = word - RTCP_ENCRYPTED_BIT;
  const ssrc = readI32(bytes, offset + RTCP_SSRC);
  const streams = session.rtcpStreams;
  const at = findStream(streams, ssrc);
  if (at < 0 && session.retired.has(ssrc)) return SRTP.REPLAYED;
  const refusal = judgeIndex(streams, at, index);
  if (refusal !== 0) return refusal;
  const handle = session.keyHandleBase + KEY_HANDLE.SRTCP_READ;
  const body = offset + RTCP_CLEAR_BYTES;
  const bodyLength = openLength - RTCP_CLEAR_BYTES;
  const { nonce, counter, tag, aad } = crypto.workspace;
  if (isAead) {
    writeRtcpAad(aad, bytes, offset, word);
    writeCounter(nonce, NONCE_SSRC, session.rtcpReadSalt, ssrc, index);
    if (!crypto.openAead(handle, nonce, aad, 0, aad.length, bytes, body, bodyLength + tagBytes, bytes, body)) {
      return SRTP.FORGED;
    }
  } else {
    crypto.authCm(handle, bytes, offset, openLength, word, tag);
    if (!equalConstantTime(tag, 0, bytes, offset + openLength + SRTCP_INDEX_BYTES, tagBytes)) return SRTP.FORGED;
    writeCounter(counter, COUNTER_SSRC, session.rtcpReadSalt, ssrc, index);
    crypto.cipherCm(handle, counter, bytes, body, bodyLength, bytes, body);
  }
  return markReceived(streams, at, ssrc, index) ? openLength : SRTP.STREAMS_FULL;
}

/**
 * A stream of ours that has sent nothing. Its first sequence number should be under 2^15: a receiver that loses the packets
 * before the first wrap could not know that there was one (RFC 3711 §3.3.1). Or it follows an `indexBefore` that the
 * session has as well.
 */
export function createSrtpSendStream(ssrc: number, indexBefore = -1): SrtpSendStream {
  return { ssrc: ssrc | 0, highest: indexBefore };
}

/**
 * Seals an RTP packet. Its header, of `headerLength` bytes, stands in `target` already and has this stream's SSRC and this
 * `sequence`; ciphertext and tag are written behind it. The payload may lie anywhere, also right there. Answers the total
 * length, or `SRTP.TOO_OLD` or `SRTP.EXHAUSTED`.
 *
 * A packet up to `LIMITS.srtpReplayWindowPackets` behind the newest may be sealed again, but only with the bytes that it
 * had the first time: a nonce with two contents gives both away, and the key with them (RFC 7714 §8.4).
 */
export function srtpSealRtp(
  session: SrtpSession,
  crypto: CryptoProvider,
  stream: SrtpSendStream,
  sequence: number,
  target: Uint8Array,
  headerOffset: number,
  headerLength: number,
  source: Uint8Array,
  payloadOffset: number,
  payloadLength: number,
): number {
  const plainLength = headerLength + payloadLength;
  const tagBytes = srtpTagBytes(session.profile);
  assert(plainLength + tagBytes <= LIMITS.datagramBytesMax, "a sealed packet fits a send slot");
  assert(rtpSequence(target, headerOffset) === sequence, "a packet is sealed with the sequence number in its header");
  const { ssrc } = stream;
  assert(rtpSignedSsrc(target, headerOffset) === ssrc, "a packet is sealed with the stream of its SSRC");
  const index = packetIndex(stream.highest, sequence);
  if (index > RTP_INDEX_MAX) {
    // For good: half a round later the sequence number alone would look like one of the last that were sealed.
    stream.highest = SPENT;
    return SRTP.EXHAUSTED;
  }
  // What seems this old may be a leap of more than half a round: sealing it would use a nonce that was used before.
  if (index < 0 || index <= stream.highest - LIMITS.srtpReplayWindowPackets) return SRTP.TOO_OLD;
  const handle = session.keyHandleBase + KEY_HANDLE.SRTP_WRITE;
  const body = headerOffset + headerLength;
  const { nonce, counter, tag } = crypto.workspace;
  if (session.profile === SRTP_PROFILE.AEAD_AES_128_GCM) {
    writeCounter(nonce, NONCE_SSRC, session.rtpWriteSalt, ssrc, index);
    crypto.sealAead(
      handle,
      nonce,
      target,
      headerOffset,
      headerLength,
      source,
      payloadOffset,
      payloadLength,
      target,
      body,
    );
  } else {
    writeCounter(counter, COUNTER_SSRC, session.rtpWriteSalt, ssrc, index);
    crypto.cipherCm(handle, counter, source, payloadOffset, payloadLength, target, body);
    crypto.authCm(handle, target, headerOffset, plainLength, rolloverCounter(index), tag);
    copyBytes(tag, 0, target, headerOffset + plainLength, tagBytes);
  }
  if (index > stream.highest) stream.highest = index;
  return plainLength + tagBytes;
}

/**
 * Seals an RTCP packet of at least 8 bytes, compound or of reduced size, in place; up to 20 bytes are added behind it.
 * Answers the total length or `SRTP.EXHAUSTED`.
 */
export function srtpSealRtcp(
  session: SrtpSession,
  crypto: CryptoProvider,
  bytes: Uint8Array,
  offset: number,
  length: number,
): number {
  const tagBytes = srtpTagBytes(session.profile);
  const sealedLength = length + tagBytes + SRTCP_INDEX_BYTES;
  assert(length >= RTCP_CLEAR_BYTES, "an RTCP packet has a header and an SSRC");
  assert(sealedLength <= LIMITS.datagramBytesMax, "a sealed packet fits a send slot");
  const index = session.rtcpSendIndex;
  if (index > RTCP_INDEX_MAX) return SRTP.EXHAUSTED;
  // One counter for all our SSRCs: each of them sees it grow, with gaps, and no nonce repeats.
  session.rtcpSendIndex = index + 1;
  const word = index + RTCP_ENCRYPTED_BIT;
  const ssrc = readU32(bytes, offset + RTCP_SSRC);
  const handle = session.keyHandleBase + KEY_HANDLE.SRTCP_WRITE;
  const body = offset + RTCP_CLEAR_BYTES;
  const bodyLength = length - RTCP_CLEAR_BYTES;
  const { nonce, counter, tag, aad } = crypto.workspace;
  if (session.profile === SRTP_PROFILE.AEAD_AES_128_GCM) {
    writeRtcpAad(aad, bytes, offset, word);
    writeCounter(nonce, NONCE_SSRC, session.rtcpWriteSalt, ssrc, index);
    crypto.sealAead(handle, nonce, aad, 0, aad.length, bytes, body, bodyLength, bytes, body);
    writeU32(bytes, offset + length + tagBytes, word);
  } else {
    writeCounter(counter, COUNTER_SSRC, session.rtcpWriteSalt, ssrc, index);
    crypto.cipherCm(handle, counter, bytes, body, bodyLength, bytes, body);
    crypto.authCm(handle, bytes, offset, length, word, tag);
    writeU32(bytes, offset + length, word);
    copyBytes(tag, 0, bytes, offset + length + SRTCP_INDEX_BYTES, tagBytes);
  }
  return sealedLength;
}

function bind(session: SrtpSession, crypto: CryptoProvider, handle: number, keys: SrtpSessionKeys): void {
  if (session.profile === SRTP_PROFILE.AEAD_AES_128_GCM) crypto.setAeadKey(handle, keys.cipherKey);
  else crypto.setCmKey(handle, keys.cipherKey, keys.authKey);
}

function createReceiveStreams(): ReceiveStreams {
  return { count: 0, ssrcs: new Int32Array(LIMITS.srtpStreamsPerPeerMax), windows: [] };
}

/** Where the stream of `ssrc` stands, or -1. A peer has a handful of them, and a scan allocates nothing. */
function findStream(streams: ReceiveStreams, ssrc: number): number {
  const { ssrcs, count } = streams;
  for (let i = 0; i < count; i++) if (ssrcs[i] === ssrc) return i;
  return -1;
}

/** Takes a stream out; the last one stands in its place. */
function dropStream(streams: ReceiveStreams, ssrc: number): void {
  const at = findStream(streams, ssrc);
  if (at < 0) return;
  const last = --streams.count;
  streams.ssrcs[at] = streams.ssrcs[last]!;
  streams.ssrcs[last] = 0;
  streams.windows[at] = streams.windows[last]!;
  streams.windows.pop();
}

/** Judges an index that is not authenticated yet: 0, or the code of {@link SRTP} to refuse it with. */
function judgeIndex(streams: ReceiveStreams, at: number, index: number): number {
  if (index < 0) return SRTP.TOO_OLD;
  if (index > RTP_INDEX_MAX) return SRTP.EXHAUSTED;
  if (at < 0) return 0;
  const verdict = replayWindowCheck(streams.windows[at]!, index);
  return verdict === REPLAY.FRESH ? 0 : verdict === REPLAY.SEEN ? SRTP.REPLAYED : SRTP.TOO_OLD;
}

/** Notes an authentic packet of the stream at `at`, or of a new one (-1); false when there is no room for a new one. */
function markReceived(streams: ReceiveStreams, at: number, ssrc: number, index: number): boolean {
  if (at >= 0) {
    replayWindowMark(streams.windows[at]!, index);
    return true;
  }
  if (streams.count === LIMITS.srtpStreamsPerPeerMax) return false;
  const window = createReplayWindow();
  replayWindowMark(window, index);
  streams.ssrcs[streams.count++] = ssrc;
  streams.windows.push(window);
  return true;
}

function saltWords(profile: SrtpProfile, salt: Uint8Array): Salt {
  const isAead = profile === SRTP_PROFILE.AEAD_AES_128_GCM;
  const at = isAead ? NONCE_SSRC : COUNTER_SSRC;
  return {
    lead: isAead ? readU16(salt, 0) : readI32(salt, 0),
    ssrc: readI32(salt, at),
    roc: readI32(salt, at + 4),
    sequence: readU16(salt, at + 8),
  };
}

/**
 * Fills a nonce (12 bytes, `ssrcOffset` 2) or a counter block (16 bytes, `ssrcOffset` 4, the last two zero): SSRC and index
 * of 48 bits behind zeros, all XOR the salt. An SRTCP index of 31 bits stands where the low bits of 48 do.
 */
function writeCounter(block: Uint8Array, ssrcOffset: number, salt: Salt, ssrc: number, index: number): void {
  const at = ssrcOffset + 4;
  if (ssrcOffset === NONCE_SSRC) writeU16(block, 0, salt.lead);
  else writeU32(block, 0, salt.lead);
  writeU32(block, ssrcOffset, ssrc ^ salt.ssrc);
  writeU32(block, at, rolloverCounter(index) ^ salt.roc);
  writeU16(block, at + 4, index ^ salt.sequence);
}

/** The associated data of an encrypted SRTCP packet: its first 8 bytes, then the word with E bit and index (RFC 7714 §9.2). */
function writeRtcpAad(aad: Uint8Array, bytes: Uint8Array, offset: number, word: number): void {
  copyBytes(bytes, offset, aad, 0, RTCP_CLEAR_BYTES);
  writeU32(aad, RTCP_CLEAR_BYTES, word);
}
