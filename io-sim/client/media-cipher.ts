/**
 * SRTP and SRTCP for the simulated client, apart from the server's.
 *
 * The real one is `werift-rtp`'s (RFC 3711, RFC 7714). Rollover counters are kept here (RFC 3711 §3.3.1) and handed to it
 * before each packet, because its own guess gives up after a loss of a hundred packets around the wrap. The other one
 * (./checksum-cipher.ts) has the same interface and is for worlds that need speed more than secrecy.
 */
import { RtpHeader, RtpPacket, SrtcpSession, SrtpSession } from "werift-rtp";
import { readU16, readU32 } from "../../core/base/bytes.ts";
import { seqUnwrap16 } from "../../core/base/sequence.ts";
import { RTP, rtpCheckHeader } from "../../core/wire/rtp.ts";
import type { RtcpFormat } from "./plain-rtcp.ts";
import type { ReadRtp, WrittenRtp } from "./plain-rtp.ts";
import { asBuffer, WERIFT_RTCP } from "./werift-rtcp.ts";

/** The keys of one association, seen from the client. */
export interface MediaKeys {
  /** 1 (AES128_CM_SHA1_80) or 7 (AEAD_AES_128_GCM). */
  readonly profile: number;
  readonly localKey: Uint8Array;
  readonly localSalt: Uint8Array;
  readonly remoteKey: Uint8Array;
  readonly remoteSalt: Uint8Array;
  /** The packet index that both ends take to be the one before the first of each stream; default -1. */
  readonly indexBefore?: number;
  /** The index of the first SRTCP packet that the client sends, of each SSRC; default 1. */
  readonly firstRtcpIndex?: number;
}

/** Seals what the client sends and opens what it gets; opening answers undefined for what is not authentic. */
export interface MediaCipher {
  /** Who writes RTCP, and reads what was opened. */
  readonly rtcp: RtcpFormat;
  /** Reads an opened packet. */
  readRtp(plain: Uint8Array): ReadRtp;
  /** Opens a packet and reads it, for who does not want to see the whole of it. */
  takeRtp(bytes: Uint8Array): ReadRtp | undefined;
  sealRtp(packet: WrittenRtp): Uint8Array;
  openRtp(bytes: Uint8Array): Uint8Array | undefined;
  sealRtcp(bytes: Uint8Array): Uint8Array;
  openRtcp(bytes: Uint8Array): Uint8Array | undefined;
}

/**
 * Packet indices per SSRC: the highest one so far, as rollover counter times 2^16 plus sequence number. They are looked up for
 * each packet and are few, so they stand in a list.
 */
export interface IndexBook {
  /** By the SSRC as a signed number: larger ones are objects for V8. */
  readonly streams: { readonly key: number; highest: number }[];
  /** What stands for it before the first. */
  readonly before: number;
}

/** A book of streams whose first packets follow this index. */
export function createIndexBook({ indexBefore = -1 }: MediaKeys): IndexBook {
  return { streams: [], before: indexBefore };
}

/** The packet index that this sequence number most likely means; -1 when it would lie before all packets. */
export function guessIndex(book: IndexBook, ssrc: number, sequence: number): number {
  const known = streamIn(book, ssrc)?.highest ?? book.before;
  return known < 0 ? sequence : Math.max(-1, seqUnwrap16(known, sequence));
}

/** Notes an index that turned out to be authentic. */
export function noteIndex(book: IndexBook, ssrc: number, index: number): void {
  if (index < 0) return;
  const stream = streamIn(book, ssrc);
  if (stream === undefined) book.streams.push({ key: ssrc | 0, highest: index });
  else stream.highest = Math.max(stream.highest, index);
}

function streamIn({ streams }: IndexBook, ssrc: number): IndexBook["streams"][number] | undefined {
  const key = ssrc | 0;
  for (let i = 0; i < streams.length; i++) if (streams[i]!.key === key) return streams[i];
  return undefined;
}

/** How far behind the newest a packet of SRTCP may come: as far as libsrtp remembers, and RFC 3711 §3.3.2 asks for 64. */
const REPLAY_WINDOW = 128;

/** The SRTCP indices of late, per SSRC: in a ring, and the newest. */
export type ReplayBook = Map<number, { highest: number; readonly recent: Float64Array }>;

/** Whether what has this index was taken before, or is so old that nobody can tell (RFC 3711 §3.3.2). */
export function isReplay(book: ReplayBook, ssrc: number, index: number): boolean {
  const known = book.get(ssrc);
  if (known === undefined) return false;
  return index <= known.highest - REPLAY_WINDOW || known.recent[index % REPLAY_WINDOW] === index;
}

/** Notes that what has this index was authentic, and is taken. */
export function noteTaken(book: ReplayBook, ssrc: number, index: number): void {
  const known = book.get(ssrc) ?? { highest: index, recent: new Float64Array(REPLAY_WINDOW).fill(-1) };
  known.highest = Math.max(known.highest, index);
  known.recent[index % REPLAY_WINDOW] = index;
  book.set(ssrc, known);
}

/** SRTP and SRTCP by werift-rtp. */
export function createWeriftCipher(keys: MediaKeys): MediaCipher {
  const config = {
    keys: {
      localMasterKey: asBuffer(keys.localKey),
      localMasterSalt: asBuffer(keys.localSalt),
      remoteMasterKey: asBuffer(keys.remoteKey),
      remoteMasterSalt: asBuffer(keys.remoteSalt),
    },
    profile: keys.profile,
  };
  const rtp = new SrtpSession(config);
  const rtcp = new SrtcpSession(config);
  const [sent, received] = [createIndexBook(keys), createIndexBook(keys)];
  const taken: ReplayBook = new Map();
  // The last word, or that before a tag of ten bytes (RFC 7714 §9, RFC 3711 §3.4).
  const behindIndex = keys.profile === 1 ? 10 : 0;
  const cipher: MediaCipher = {
    rtcp: WERIFT_RTCP,
    readRtp: readByWerift,
    takeRtp(bytes) {
      const plain = cipher.openRtp(bytes);
      return plain === undefined ? undefined : cipher.readRtp(plain);
    },
    sealRtp(packet) {
      const { payloadType, marker, sequence, timestamp, ssrc, payload } = packet;
      const extensions = packet.extensions.map((extension) => ({
        id: extension.id,
        payload: asBuffer(extension.payload),
      }));
      const padding = packet.padded === true;
      const paddingSize = padding ? (payload.at(-1) ?? 0) : 0;
      const numbers = { payloadType, marker, sequenceNumber: sequence, timestamp, ssrc };
      const header = new RtpHeader({ ...numbers, extensions, padding, paddingSize });
      const index = guessIndex(sent, ssrc, sequence);
      noteIndex(sent, ssrc, index);
      // From before the first, as a misbehaving page may send, the counter is -1 modulo 2^32: nobody will open that.
      setRollover(rtp.localContext, ssrc, index < 0 ? sequence - 0x1_0000 : index);
      return rtp.encrypt(asBuffer(payload), header);
    },
    openRtp(bytes) {
      // What is said to have more extensions than there are bytes would keep `werift-rtp` for minutes.
      if (rtpCheckHeader(bytes, 0, bytes.length) !== RTP.OK) return undefined;
      const ssrc = readU32(bytes, 8);
      const index = guessIndex(received, ssrc, readU16(bytes, 2));
      if (index < 0) return undefined;
      setRollover(rtp.remoteContext, ssrc, index);
      const plain = attempt(() => rtp.decrypt(asBuffer(bytes)));
      if (plain !== undefined) noteIndex(received, ssrc, index);
      return plain;
    },
    sealRtcp(bytes) {
      const state = rtcp.localContext.getSrtcpSsrcState(readU32(bytes, 4));
      // It counts up before it seals.
      state.srtcpIndex = Math.max(state.srtcpIndex, (keys.firstRtcpIndex ?? 1) - 1);
      return rtcp.encrypt(asBuffer(bytes));
    },
    openRtcp(bytes) {
      if (bytes.length < 12 + behindIndex) return undefined;
      const ssrc = readU32(bytes, 4);
      const index = readU32(bytes, bytes.length - behindIndex - 4) & 0x7fff_ffff;
      if (isReplay(taken, ssrc, index)) return undefined;
      const plain = attempt(() => rtcp.decrypt(asBuffer(bytes)));
      if (plain !== undefined) noteTaken(taken, ssrc, index);
      return plain;
    },
  };
  return cipher;
}

function readByWerift(plain: Uint8Array): ReadRtp {
  const { header, payload } = RtpPacket.deSerialize(asBuffer(plain));
  const { payloadType, marker, sequenceNumber, timestamp, ssrc } = header;
  const all = { bytes: payload, words: undefined, at: 0, end: payload.length };
  return { payloadType, marker, sequence: sequenceNumber, timestamp: timestamp | 0, ssrc: ssrc | 0, ...all };
}

function setRollover(context: SrtpSession["localContext"], ssrc: number, index: number): void {
  const state = context.getSrtpSsrcState(ssrc);
  state.rolloverCounter = Math.floor(index / 0x1_0000) >>> 0;
  state.lastSequenceNumber = index & 0xffff;
}

/** werift throws for what is not authentic; the client drops it. */
function attempt<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch {
    return undefined;
  }
}
