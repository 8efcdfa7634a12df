/**
 * A crypto provider that does what another one does, and writes down what that answers, as far as decisions hang on it.
 *
 * With the answers a recording needs neither keys nor payloads: the player is told that a packet was authentic, and what the
 * core reads of it. Of media that is the payload's head (kept.ts); RTCP and DTLS are control, and kept whole, but for
 * application data, which nobody here reads. What the shard seals goes into the fingerprint of its effects.
 */
import { KEY_HANDLE, keyHandleUse } from "../crypto/handles.ts";
import { AEAD_TAG_BYTES, type CryptoProvider } from "../crypto/provider.ts";
import type { Shard } from "../sfu/state.ts";
import { CONTENT_TYPE } from "../wire/dtls-record.ts";
import { CALL, ITEM, ITEM_BYTES_MAX, type JournalSink, makeRoom, putByte, putRun } from "./format.ts";
import { putEnds, putMediaPayload } from "./kept.ts";
import { FATE, fateOfHmac, pseudonymOfBytes } from "./secrets.ts";
import { type Witness, witnessSealed } from "./witness.ts";

/** What the provider knows of the recorder that it works for. */
export interface RecordingContext {
  readonly sink: JournalSink;
  readonly witness: Witness;
  /** Makes pseudonyms; secret. */
  readonly pseudonymKey: Uint8Array;
  /** Room for a payload's head. */
  readonly scratch: Uint8Array;
  /** The shard that asks, while it handles an input. */
  shard: Shard | null;
  /** Of the datagram in hand: who sent it, and where it begins. */
  flow: number;
  offset: number;
}

/** Bytes of the tag of AES_CM_128_HMAC_SHA1_80, and of the index in front of it in SRTCP (RFC 3711 §3.4). */
const CM_TAG_BYTES = 10;
const RTCP_INDEX_BYTES = 4;

/** Where the type stands in the additional data of a DTLS record (RFC 5246 §6.2.3.3). */
const RECORD_TYPE_AT = 8;

/** A provider that answers as `inner` does. */
export function createRecordingCrypto(inner: CryptoProvider, context: RecordingContext): CryptoProvider {
  return { ...inner, ...recordedFunctions(inner, context), ...recordedCiphers(inner, context) };
}

/** Whether a handle opens what comes in. */
export function isForReading(handle: number): boolean {
  const use = keyHandleUse(handle);
  return use === KEY_HANDLE.SRTP_READ || use === KEY_HANDLE.SRTCP_READ || use === KEY_HANDLE.DTLS_READ;
}

/** Where the tag stands that the authentication of a range is compared with. */
export function authTagOffset(handle: number, offset: number, length: number): number {
  return offset + length + (keyHandleUse(handle) === KEY_HANDLE.SRTCP_READ ? RTCP_INDEX_BYTES : 0);
}

/** Whether a tag is the one that stands there. */
export function tagStands(tag: Uint8Array, bytes: Uint8Array, offset: number): boolean {
  for (let i = 0; i < CM_TAG_BYTES; i++) if (tag[i] !== bytes[offset + i]) return false;
  return true;
}

/** The functions of their arguments. SHA-256 needs no answer, and what SRTP derives is secret. */
function recordedFunctions(inner: CryptoProvider, context: RecordingContext) {
  const { sink } = context;
  return {
    hmacSha256(key, bytes) {
      const answer = inner.hmacSha256(key, bytes);
      const fate = fateOfHmac(bytes);
      if (fate === FATE.PUBLIC) putAnswer(sink, CALL.HMAC_SHA256, answer);
      if (fate === FATE.RESOURCE) {
        putAnswer(sink, CALL.HMAC_SHA256, pseudonymOfBytes(inner, context.pseudonymKey, answer));
      }
      return answer;
    },
    hmacSha1(key, bytes, offset, length, tag) {
      inner.hmacSha1(key, bytes, offset, length, tag);
      putAnswer(sink, CALL.HMAC_SHA1, tag);
    },
    ecdhPublicKey(group, privateKey) {
      const answer = inner.ecdhPublicKey(group, privateKey);
      putAnswer(sink, CALL.ECDH_PUBLIC_KEY, answer);
      return answer;
    },
    ecdhSharedSecret(group, privateKey, peerPublicKey) {
      const answer = inner.ecdhSharedSecret(group, privateKey, peerPublicKey);
      putVerdict(sink, CALL.ECDH_SHARED_SECRET, answer !== undefined);
      return answer;
    },
    signEcdsaP256(privateKey, message) {
      const answer = inner.signEcdsaP256(privateKey, message);
      putAnswer(sink, CALL.SIGN, answer);
      return answer;
    },
    verifySignature(certificate, scheme, message, signature) {
      const answer = inner.verifySignature(certificate, scheme, message, signature);
      putVerdict(sink, CALL.VERIFY, answer);
      return answer;
    },
    createCertificate(privateKey) {
      const answer = inner.createCertificate(privateKey);
      putAnswer(sink, CALL.CERTIFICATE, answer);
      return answer;
    },
  } satisfies Partial<CryptoProvider>;
}

/** What runs for each packet. */
function recordedCiphers(inner: CryptoProvider, context: RecordingContext) {
  const { sink, witness } = context;
  return {
    sealAead(handle, nonce, aad, aadOffset, aadLength, source, sourceOffset, sourceLength, target, targetOffset) {
      witnessSealed(witness.lanes, context.shard, handle, source, sourceOffset, sourceLength);
      inner.sealAead(
        handle,
        nonce,
        aad,
        aadOffset,
        aadLength,
        source,
        sourceOffset,
        sourceLength,
        target,
        targetOffset,
      );
    },
    openAead(handle, nonce, aad, aadOffset, aadLength, source, sourceOffset, sourceLength, target, targetOffset) {
      if (
        !inner.openAead(
          handle,
          nonce,
          aad,
          aadOffset,
          aadLength,
          source,
          sourceOffset,
          sourceLength,
          target,
          targetOffset,
        )
      ) {
        putVerdict(sink, CALL.OPEN, false);
        return false;
      }
      const type = keyHandleUse(handle) === KEY_HANDLE.DTLS_READ ? aad[aadOffset + RECORD_TYPE_AT]! : 0;
      putOpened(context, CALL.OPEN, handle, target, targetOffset, sourceLength - AEAD_TAG_BYTES, type);
      return true;
    },
    cipherCm(handle, iv, source, sourceOffset, sourceLength, target, targetOffset) {
      if (isForReading(handle)) {
        inner.cipherCm(handle, iv, source, sourceOffset, sourceLength, target, targetOffset);
        putOpened(context, CALL.CIPHER, handle, target, targetOffset, sourceLength, 0);
      } else {
        witnessSealed(witness.lanes, context.shard, handle, source, sourceOffset, sourceLength);
        inner.cipherCm(handle, iv, source, sourceOffset, sourceLength, target, targetOffset);
      }
    },
    authCm(handle, bytes, offset, length, suffix, tag) {
      inner.authCm(handle, bytes, offset, length, suffix, tag);
      if (!isForReading(handle)) return;
      putVerdict(sink, CALL.AUTH, tagStands(tag, bytes, authTagOffset(handle, offset, length)));
    },
  } satisfies Partial<CryptoProvider>;
}

function putAnswer(sink: JournalSink, call: number, answer: Uint8Array): void {
  makeRoom(sink, ITEM_BYTES_MAX);
  putByte(sink, ITEM.ANSWER);
  putByte(sink, call);
  putRun(sink, answer, 0, answer.length);
}

function putVerdict(sink: JournalSink, call: number, holds: boolean): void {
  makeRoom(sink, ITEM_BYTES_MAX);
  putByte(sink, ITEM.VERDICT);
  putByte(sink, call);
  putByte(sink, holds ? 1 : 0);
}

/** Writes what a packet or a DTLS record of this type has turned out to hold. */
function putOpened(
  context: RecordingContext,
  call: number,
  handle: number,
  plain: Uint8Array,
  offset: number,
  length: number,
  recordType: number,
): void {
  const { sink, shard, flow, scratch } = context;
  makeRoom(sink, ITEM_BYTES_MAX);
  putByte(sink, ITEM.OPENED);
  putByte(sink, call);
  if (keyHandleUse(handle) === KEY_HANDLE.SRTP_READ && shard !== null) {
    putMediaPayload(sink, shard, flow, plain, context.offset, offset, length, scratch);
  } else putEnds(sink, plain, offset, length, recordType === CONTENT_TYPE.APPLICATION_DATA ? 0 : length, 0);
}
