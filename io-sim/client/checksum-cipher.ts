/**
 * SRTP with AES-128-GCM's packet formats (RFC 7714 §8, §9, §11) over any CryptoProvider, written apart from the server's.
 *
 * Fast worlds give it the provider whose "cipher" is only a keyed checksum; then wrong keys, nonces and tampering are still
 * noticed, and nothing costs a block of AES.
 */
import { concatBytes, readU16, readU32, writeU16, writeU32 } from "../../core/base/bytes.ts";
import type { CryptoProvider } from "../../core/index.ts";
import { carve, carveAt, createSlab, type Slab } from "../base/slab.ts";
import {
  createIndexBook,
  guessIndex,
  type IndexBook,
  isReplay,
  type MediaCipher,
  type MediaKeys,
  noteIndex,
  noteTaken,
  type ReplayBook,
} from "./media-cipher.ts";
import { PLAIN_RTCP } from "./plain-rtcp.ts";
import { payloadOffset, type ReadRtp, readFixedHeader, readRtp, rtpHeaderLength, writeRtpHeader } from "./plain-rtp.ts";

const TAG_BYTES = 16;
const E_BIT = 0x8000_0000;

/** One direction: two key handles, two salts. */
interface Direction {
  readonly rtpHandle: number;
  readonly rtcpHandle: number;
  readonly rtpSalt: Uint8Array;
  readonly rtcpSalt: Uint8Array;
}

/** SRTP and SRTCP over `crypto`; takes the four key handles from `handleBase` on, and memory for packets from `slab`. */
export function createProviderCipher(
  crypto: CryptoProvider,
  handleBase: number,
  keys: MediaKeys,
  slab: Slab = createSlab(),
): MediaCipher {
  const local = createDirection(crypto, handleBase, keys.localKey, keys.localSalt);
  const remote = createDirection(crypto, handleBase + 2, keys.remoteKey, keys.remoteSalt);
  const [sent, received] = [createIndexBook(keys), createIndexBook(keys)];
  const rtcpIndices = new Map<number, number>();
  const taken: ReplayBook = new Map();
  const nonce = new Uint8Array(12);
  const packets: IncomingPackets = { crypto, direction: remote, indices: received, nonce, slab };
  return {
    rtcp: PLAIN_RTCP,
    readRtp,
    sealRtp(packet) {
      const { ssrc, sequence, payload } = packet;
      const index = guessIndex(sent, ssrc, sequence);
      noteIndex(sent, ssrc, index);
      const at = rtpHeaderLength(packet);
      const sealed = carve(slab, at + payload.length + TAG_BYTES);
      writeRtpHeader(packet, sealed, at);
      writeRtpNonce(nonce, local.rtpSalt, ssrc, index);
      crypto.sealAead(local.rtpHandle, nonce, sealed, 0, at, payload, 0, payload.length, sealed, at);
      return sealed;
    },
    takeRtp: (bytes) => takeRtp(packets, bytes),
    openRtp(bytes) {
      const at = payloadOffset(bytes);
      if (at < 0 || bytes.length < at + TAG_BYTES) return undefined;
      const plain = carve(slab, bytes.length - TAG_BYTES);
      for (let i = 0; i < at; i++) plain[i] = bytes[i]!;
      return openPayload(packets, bytes, at, plain, at) ? plain : undefined;
    },
    sealRtcp(bytes) {
      const ssrc = readU32(bytes, 4);
      const index = rtcpIndices.get(ssrc) ?? keys.firstRtcpIndex ?? 1;
      rtcpIndices.set(ssrc, index + 1);
      const sealed = new Uint8Array(bytes.length + TAG_BYTES + 4);
      sealed.set(bytes.subarray(0, 8));
      const word = trailer(index);
      const rtcp = rtcpNonce(local.rtcpSalt, ssrc, index);
      const aad = concatBytes(bytes.subarray(0, 8), word);
      crypto.sealAead(local.rtcpHandle, rtcp, aad, 0, 12, bytes, 8, bytes.length - 8, sealed, 8);
      sealed.set(word, sealed.length - 4);
      return sealed;
    },
    openRtcp(bytes) {
      if (bytes.length < 8 + TAG_BYTES + 4) return undefined;
      const word = bytes.slice(bytes.length - 4);
      const index = readU32(word, 0) & 0x7fff_ffff;
      const aad = concatBytes(bytes.subarray(0, 8), word);
      const ssrc = readU32(bytes, 4);
      if (isReplay(taken, ssrc, index)) return undefined;
      const rtcp = rtcpNonce(remote.rtcpSalt, ssrc, index);
      const plain = carve(slab, bytes.length - TAG_BYTES - 4);
      plain.set(bytes.subarray(0, 8));
      const length = bytes.length - 12;
      if (!crypto.openAead(remote.rtcpHandle, rtcp, aad, 0, 12, bytes, 8, length, plain, 8)) return undefined;
      noteTaken(taken, ssrc, index);
      return plain;
    },
  };
}

/** What is needed to open packets. */
interface IncomingPackets {
  readonly crypto: CryptoProvider;
  readonly direction: Direction;
  readonly indices: IndexBook;
  readonly nonce: Uint8Array;
  readonly slab: Slab;
}

function takeRtp(packets: IncomingPackets, bytes: Uint8Array): ReadRtp | undefined {
  const at = payloadOffset(bytes);
  const length = bytes.length - at - TAG_BYTES;
  if (at < 0 || length < 0) return undefined;
  const start = carveAt(packets.slab, length);
  const { bytes: plain, words } = packets.slab;
  if (!openPayload(packets, bytes, at, plain, start)) return undefined;
  const padding = (bytes[0]! & 0x20) === 0 || length === 0 ? 0 : plain[start + length - 1]!;
  return readFixedHeader(bytes, plain, words, start, start + Math.max(0, length - padding));
}

/** Opens what lies behind the header of `at` bytes into `plain`; answers whether it is authentic. */
function openPayload(
  { crypto, direction, indices, nonce }: IncomingPackets,
  bytes: Uint8Array,
  at: number,
  plain: Uint8Array,
  plainAt: number,
): boolean {
  const ssrc = readU32(bytes, 8);
  const index = guessIndex(indices, ssrc, readU16(bytes, 2));
  if (index < 0) return false;
  writeRtpNonce(nonce, direction.rtpSalt, ssrc, index);
  const length = bytes.length - at;
  if (!crypto.openAead(direction.rtpHandle, nonce, bytes, 0, at, bytes, at, length, plain, plainAt)) return false;
  noteIndex(indices, ssrc, index);
  return true;
}

function trailer(index: number): Uint8Array {
  const word = new Uint8Array(4);
  writeU32(word, 0, (E_BIT | index) >>> 0);
  return word;
}

/** Session keys and salts by RFC 3711 §4.3 with the salt padded as RFC 7714 §11 says. */
function createDirection(crypto: CryptoProvider, handleBase: number, key: Uint8Array, salt: Uint8Array): Direction {
  const derive = (label: number, length: number) => {
    const iv = new Uint8Array(16);
    iv.set(salt.subarray(0, 14));
    iv[7] = iv[7]! ^ label;
    return crypto.aesCmKeystream(key, iv, length);
  };
  crypto.setAeadKey(handleBase, derive(0, 16));
  crypto.setAeadKey(handleBase + 1, derive(3, 16));
  return { rtpHandle: handleBase, rtcpHandle: handleBase + 1, rtpSalt: derive(2, 12), rtcpSalt: derive(5, 12) };
}

function writeRtpNonce(nonce: Uint8Array, salt: Uint8Array, ssrc: number, index: number): void {
  nonce[0] = 0;
  nonce[1] = 0;
  writeU32(nonce, 2, ssrc);
  writeU32(nonce, 6, Math.floor(index / 0x1_0000));
  writeU16(nonce, 10, index & 0xffff);
  for (let i = 0; i < 12; i++) nonce[i] = nonce[i]! ^ salt[i]!;
}

function rtcpNonce(salt: Uint8Array, ssrc: number, index: number): Uint8Array {
  const nonce = new Uint8Array(12);
  writeU32(nonce, 2, ssrc);
  writeU32(nonce, 8, index);
  for (let i = 0; i < 12; i++) nonce[i] = nonce[i]! ^ salt[i]!;
  return nonce;
}
