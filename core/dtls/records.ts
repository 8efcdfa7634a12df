/**
 * Sealing and opening records (RFC 6347 §4.1.2, RFC 5288 §3).
 *
 * Epoch 0 is plain. Epoch 1 is AES-128-GCM: the nonce is 4 secret bytes and the 8 bytes of epoch and sequence number, which
 * also stand in front of the ciphertext; authenticated besides are epoch, sequence number, type, version and the length
 * of the plaintext. What can't be opened is no event: the caller drops it (RFC 6347 §4.1.2.7).
 */
import { assert, must } from "../base/assert.ts";
import { copyBytes, writeU16, writeU48 } from "../base/bytes.ts";
import type { DatagramSink } from "../base/datagram-sink.ts";
import { KEY_HANDLE } from "../crypto/handles.ts";
import { AEAD_TAG_BYTES, type CryptoProvider } from "../crypto/provider.ts";
import {
  CONTENT_TYPE,
  DTLS_VERSION,
  RECORD_EXPLICIT_NONCE_BYTES,
  RECORD_HEADER_BYTES,
  RECORD_SEQUENCE_MAX,
  recordBodyLength,
  recordEpoch,
  recordSequence,
  recordType,
  recordWriteHeader,
} from "../wire/dtls-record.ts";
import { replayAllows, replayMark } from "./replay-window.ts";
import type { Dtls } from "./state.ts";

/** Bytes of a sealed record beyond those of a plain one. */
const RECORD_SEAL_BYTES = RECORD_EXPLICIT_NONCE_BYTES + AEAD_TAG_BYTES;

/** Bytes that a record of this epoch needs beyond its plaintext. */
export function recordOverhead(epoch: number): number {
  return epoch === 0 ? RECORD_HEADER_BYTES : RECORD_HEADER_BYTES + RECORD_SEAL_BYTES;
}

/** Where the plaintext of a record at `offset` has to stand for {@link writeRecord}. */
export function recordPlainOffset(offset: number, epoch: number): number {
  return offset + RECORD_HEADER_BYTES + (epoch === 0 ? 0 : RECORD_EXPLICIT_NONCE_BYTES);
}

/** Whether the record layer can write another record in epoch 1. */
export function canSeal(dtls: Dtls): boolean {
  return dtls.keys !== null && dtls.writeSequences[1]! < RECORD_SEQUENCE_MAX;
}

/**
 * Makes a record at `offset` out of `plainLength` bytes that stand at {@link recordPlainOffset}; epoch 1 needs keys. Answers
 * the record's length.
 */
export function writeRecord(
  dtls: Dtls,
  crypto: CryptoProvider,
  bytes: Uint8Array,
  offset: number,
  type: number,
  epoch: number,
  plainLength: number,
): number {
  const sequence = dtls.writeSequences[epoch]!;
  assert(sequence < RECORD_SEQUENCE_MAX, "the sequence numbers of an epoch last");
  dtls.writeSequences[epoch] = sequence + 1;
  if (epoch === 0) {
    recordWriteHeader(bytes, offset, type, epoch, sequence, plainLength);
    return RECORD_HEADER_BYTES + plainLength;
  }
  const keys = must(dtls.keys, "records of epoch 1 have keys");
  const plain = recordPlainOffset(offset, epoch);
  recordWriteHeader(bytes, offset, type, epoch, sequence, plainLength + RECORD_SEAL_BYTES);
  writeU16(bytes, plain - RECORD_EXPLICIT_NONCE_BYTES, epoch);
  writeU48(bytes, plain - RECORD_EXPLICIT_NONCE_BYTES + 2, sequence);
  copyBytes(keys.writeIv, 0, dtls.nonce, 0, keys.writeIv.length);
  copyBytes(bytes, plain - RECORD_EXPLICIT_NONCE_BYTES, dtls.nonce, keys.writeIv.length, RECORD_EXPLICIT_NONCE_BYTES);
  writeAdditionalData(dtls, type, epoch, sequence, plainLength);
  const handle = dtls.keyHandleBase + KEY_HANDLE.DTLS_WRITE;
  const data = dtls.additionalData;
  crypto.sealAead(handle, dtls.nonce, data, 0, data.length, bytes, plain, plainLength, bytes, plain);
  return RECORD_HEADER_BYTES + RECORD_SEAL_BYTES + plainLength;
}

/**
 * Opens a record of epoch 1 that `recordCheck` has passed: its plaintext in a buffer of its own, or `undefined` when it is
 * no record of the peer, or one seen before. The record itself is left as it was.
 */
export function openRecord(
  dtls: Dtls,
  crypto: CryptoProvider,
  bytes: Uint8Array,
  offset: number,
): Uint8Array | undefined {
  const bodyLength = recordBodyLength(bytes, offset);
  const sequence = recordSequence(bytes, offset);
  if (dtls.keys === null || bodyLength < RECORD_SEAL_BYTES || !replayAllows(dtls.window, sequence)) return undefined;
  const body = offset + RECORD_HEADER_BYTES;
  const { readIv } = dtls.keys;
  copyBytes(readIv, 0, dtls.nonce, 0, readIv.length);
  copyBytes(bytes, body, dtls.nonce, readIv.length, RECORD_EXPLICIT_NONCE_BYTES);
  const plain = new Uint8Array(bodyLength - RECORD_SEAL_BYTES);
  writeAdditionalData(dtls, recordType(bytes, offset), recordEpoch(bytes, offset), sequence, plain.length);
  const handle = dtls.keyHandleBase + KEY_HANDLE.DTLS_READ;
  const data = dtls.additionalData;
  const sealed = body + RECORD_EXPLICIT_NONCE_BYTES;
  const sealedLength = bodyLength - RECORD_EXPLICIT_NONCE_BYTES;
  if (!crypto.openAead(handle, dtls.nonce, data, 0, data.length, bytes, sealed, sealedLength, plain, 0)) {
    return undefined;
  }
  replayMark(dtls.window, sequence);
  return plain;
}

/** Sends one alert in a datagram of its own. */
export function sendAlert(
  dtls: Dtls,
  crypto: CryptoProvider,
  sink: DatagramSink,
  flow: number,
  level: number,
  description: number,
): void {
  const epoch = dtls.writeEpoch;
  if (epoch === 1 && !canSeal(dtls)) return;
  const offset = sink.reserve();
  const bytes = sink.sendBytes;
  const plain = recordPlainOffset(offset, epoch);
  bytes[plain] = level;
  bytes[plain + 1] = description;
  sink.transmit(flow, offset, writeRecord(dtls, crypto, bytes, offset, CONTENT_TYPE.ALERT, epoch, 2));
}

function writeAdditionalData(dtls: Dtls, type: number, epoch: number, sequence: number, plainLength: number): void {
  const data = dtls.additionalData;
  writeU16(data, 0, epoch);
  writeU48(data, 2, sequence);
  data[8] = type;
  writeU16(data, 9, DTLS_VERSION.V1_2);
  writeU16(data, 11, plainLength);
}
