/**
 * DTLS 1.2 for WebRTC (RFC 6347, RFC 5764): a handshake that ends in SRTP keys, then records for data channels.
 *
 * Picture two people who shout numbered pages at each other until each has a whole book (inbound.ts, flight.ts), then lock
 * the door (records.ts). This file is the door to that: it walks through the records of a datagram and hands each to the
 * part that it is for. server.ts and client.ts say what the pages mean, ending.ts who may end the talk.
 *
 * One suite (ECDHE-ECDSA with AES-128-GCM), X25519 or P-256, extended master secret always. No renegotiation and no
 * resumption: WebRTC needs neither, and each is a way in.
 *
 * The caller hands in only what comes from flows that ICE has authenticated. Plaintext is taken with care all the same: what
 * can't be read, opened or used is dropped without a trace but a count (RFC 6347 §4.1.2.7). Sealed records that come
 * before the keys, as a Finished does that has overtaken its flight, are held, a few of them.
 */
import { assert } from "../base/assert.ts";
import { copyBytes, sliceBytes } from "../base/bytes.ts";
import type { DatagramSink } from "../base/datagram-sink.ts";
import { earliest, type Micros, NEVER } from "../base/micros.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { LIMITS } from "../limits.ts";
import {
  fragmentBytes,
  fragmentCheck,
  fragmentLength,
  HANDSHAKE_HEADER_BYTES,
  HANDSHAKE_TYPE,
  messageLength,
  messageSequence,
  messageType,
} from "../wire/dtls-handshake.ts";
import {
  ALERT,
  ALERT_LEVEL,
  CONTENT_TYPE,
  RECORD,
  RECORD_HEADER_BYTES,
  recordBodyLength,
  recordBytes,
  recordCheck,
  recordEpoch,
  recordType,
} from "../wire/dtls-record.ts";
import { clientAdvance, clientFollow, clientShowCookie, clientStart } from "./client.ts";
import { end, fail, takePlainAlert, takeSealedAlert } from "./ending.ts";
import { repeatFlight, retransmitFlight } from "./flight.ts";
import { INBOUND, inboundTake, inboundWants } from "./inbound.ts";
import { canSeal, openRecord, recordOverhead, recordPlainOffset, sendAlert, writeRecord } from "./records.ts";
import { serverAdvance } from "./server.ts";
import { CLIENT_PLACE, type Dtls, isOpen, peerFinishedPlace } from "./state.ts";

export {
  createDtls,
  type Dtls,
  type DtlsConfig,
  type DtlsRole,
  dtlsRelease,
  dtlsRestoreKeys,
  type SrtpKeys,
} from "./state.ts";

/** Opens the handshake. For a client, once; a server waits, and for it nothing happens. */
export function dtlsStart(dtls: Dtls, now: Micros, crypto: CryptoProvider, sink: DatagramSink, flow: number): void {
  if (dtls.role === "client" && dtls.status === "handshaking" && dtls.ownHellos.length === 0) {
    clientStart(dtls, now, crypto, sink, flow);
  }
}

/**
 * Takes a datagram of the peer's; answers go to `flow`. Afterwards look at `status` and take what is in `received`. The bytes
 * are left as they were.
 */
export function dtlsReceive(
  dtls: Dtls,
  now: Micros,
  crypto: CryptoProvider,
  sink: DatagramSink,
  flow: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
): void {
  const stop = offset + length;
  for (let at = offset; at < stop && isOpen(dtls); at += recordBytes(bytes, at)) {
    const code = recordCheck(bytes, at, stop - at);
    const epoch = code === RECORD.OK ? recordEpoch(bytes, at) : -1;
    if (epoch === 0) takePlainRecord(dtls, now, crypto, sink, flow, bytes, at);
    else if (epoch === 1) takeSealedRecord(dtls, now, crypto, sink, flow, bytes, at);
    else dtls.droppedRecords += 1;
    if (code === RECORD.CUT) return;
  }
}

/** When {@link dtlsTimeout} wants to be called. */
export function dtlsNextTimeout(dtls: Dtls): Micros {
  const patience = earliest(dtls.doubt?.deadline ?? NEVER, dtls.alarm?.deadline ?? NEVER);
  return earliest(dtls.retransmitAt, patience);
}

/** Does what is due: sends the flight again, or ends a handshake that got nowhere. Called too early, it does nothing. */
export function dtlsTimeout(dtls: Dtls, now: Micros, crypto: CryptoProvider, sink: DatagramSink, flow: number): void {
  const { doubt, alarm } = dtls;
  if (doubt !== null && now >= doubt.deadline) {
    fail(dtls, crypto, sink, flow, doubt.alert, doubt.failure);
  } else if (alarm !== null && now >= alarm.deadline) {
    end(dtls, crypto, alarm.status, alarm.failure);
  } else if (now >= dtls.retransmitAt && !retransmitFlight(dtls, now, crypto, sink, flow)) {
    const failure = "The peer did not answer the DTLS handshake.";
    fail(dtls, crypto, sink, flow, ALERT.HANDSHAKE_FAILURE, failure);
  }
}

/**
 * Sends `length` bytes as one application data record. Answers false, and sends nothing, when the association is not
 * connected.
 */
export function dtlsSend(
  dtls: Dtls,
  _now: Micros,
  crypto: CryptoProvider,
  sink: DatagramSink,
  flow: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
): boolean {
  assert(length + recordOverhead(1) <= LIMITS.datagramBytesMax, "a payload for DTLS fits a datagram");
  if (dtls.status !== "connected" || !canSeal(dtls)) return false;
  const slot = sink.reserve();
  const target = sink.sendBytes;
  copyBytes(bytes, offset, target, recordPlainOffset(slot, 1), length);
  sink.transmit(flow, slot, writeRecord(dtls, crypto, target, slot, CONTENT_TYPE.APPLICATION_DATA, 1, length));
  return true;
}

/** Ends the association in order: sends close_notify, then frees the key handles. Nothing happens when it has ended. */
export function dtlsClose(dtls: Dtls, _now: Micros, crypto: CryptoProvider, sink: DatagramSink, flow: number): void {
  if (!isOpen(dtls)) return;
  sendAlert(dtls, crypto, sink, flow, ALERT_LEVEL.WARNING, ALERT.CLOSE_NOTIFY);
  end(dtls, crypto, "closed", "");
}

function takePlainRecord(
  dtls: Dtls,
  now: Micros,
  crypto: CryptoProvider,
  sink: DatagramSink,
  flow: number,
  bytes: Uint8Array,
  at: number,
): void {
  // After the handshake plaintext says nothing: a client that has missed our last flight repeats its sealed Finished too.
  if (dtls.status !== "handshaking") return;
  const body = at + RECORD_HEADER_BYTES;
  const bodyLength = recordBodyLength(bytes, at);
  const type = recordType(bytes, at);
  if (type === CONTENT_TYPE.HANDSHAKE) {
    takeFragments(dtls, now, crypto, sink, flow, bytes, body, bodyLength, 0);
  } else if (type === CONTENT_TYPE.ALERT && bodyLength === 2 && dtls.flight.length > 0) {
    takePlainAlert(dtls, now, bytes[body]!, bytes[body + 1]!);
  } else if (type !== CONTENT_TYPE.CHANGE_CIPHER_SPEC) {
    dtls.droppedRecords += 1;
  }
}

function takeSealedRecord(
  dtls: Dtls,
  now: Micros,
  crypto: CryptoProvider,
  sink: DatagramSink,
  flow: number,
  bytes: Uint8Array,
  at: number,
): void {
  const plain = openRecord(dtls, crypto, bytes, at);
  if (plain === undefined) {
    if (dtls.status === "handshaking") holdRecord(dtls, bytes, at);
    else dtls.droppedRecords += 1;
    return;
  }
  dtls.alarm = null;
  const type = recordType(bytes, at);
  if (type === CONTENT_TYPE.HANDSHAKE) {
    takeFragments(dtls, now, crypto, sink, flow, plain, 0, plain.length, 1);
  } else if (type === CONTENT_TYPE.ALERT && plain.length === 2) {
    takeSealedAlert(dtls, crypto, sink, flow, plain[0]!, plain[1]!);
  } else if (type === CONTENT_TYPE.APPLICATION_DATA && dtls.status === "connected") {
    if (plain.length > 0 && dtls.received.length < LIMITS.dtlsReceivedMax) dtls.received.push(plain);
  } else {
    dtls.droppedRecords += 1;
  }
}

function holdRecord(dtls: Dtls, bytes: Uint8Array, at: number): void {
  if (dtls.early.length === LIMITS.dtlsEarlyRecordsMax) {
    dtls.early.shift();
    dtls.droppedRecords += 1;
  }
  dtls.early.push(sliceBytes(bytes, at, recordBytes(bytes, at)));
}

/** Tries what was held with keys that have just been drawn. */
function tryHeldRecords(dtls: Dtls, now: Micros, crypto: CryptoProvider, sink: DatagramSink, flow: number): void {
  const held = dtls.early;
  dtls.early = [];
  for (const record of held) {
    if (isOpen(dtls)) takeSealedRecord(dtls, now, crypto, sink, flow, record, 0);
  }
}

function takeFragments(
  dtls: Dtls,
  now: Micros,
  crypto: CryptoProvider,
  sink: DatagramSink,
  flow: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  epoch: number,
): void {
  const stop = offset + length;
  for (let at = offset; at < stop && isOpen(dtls); at += fragmentBytes(bytes, at)) {
    if (!fragmentCheck(bytes, at, stop - at)) {
      dtls.droppedRecords += 1;
      return;
    }
    takeFragment(dtls, now, crypto, sink, flow, bytes, at, epoch);
  }
}

function takeFragment(
  dtls: Dtls,
  now: Micros,
  crypto: CryptoProvider,
  sink: DatagramSink,
  flow: number,
  bytes: Uint8Array,
  at: number,
  epoch: number,
): void {
  if (dtls.role === "client" && epoch === 0) takeHelloOfServer(dtls, now, crypto, sink, flow, bytes, at);
  const place = messageSequence(bytes, at) - dtls.sequenceBase;
  const message = dtls.inbound[place];
  const isFinished = messageType(bytes, at) === HANDSHAKE_TYPE.FINISHED && place === peerFinishedPlace(dtls);
  if (dtls.status === "connected") {
    if (dtls.role === "server" && isFinished) repeatFlight(dtls, now, crypto, sink, flow);
    return;
  }
  const isDue = dtls.flight.length > 0 || (dtls.role === "server" && place === CLIENT_PLACE.HELLO);
  if (isFinished !== (epoch === 1) || !isDue || message === undefined || !inboundWants(message, bytes, at)) {
    dtls.droppedRecords += 1;
    return;
  }
  dtls.alarm = null;
  const result = inboundTake(message, crypto, bytes, at, dtls.doubt !== null);
  if (result === INBOUND.REPEATED && isAnswered(dtls, place)) repeatFlight(dtls, now, crypto, sink, flow);
  if (result !== INBOUND.ACCEPTED) return;
  if (dtls.role === "server") serverAdvance(dtls, now, crypto, sink, flow, place);
  else clientAdvance(dtls, now, crypto, sink, flow, place);
  if (dtls.keys !== null) tryHeldRecords(dtls, now, crypto, sink, flow);
}

/** Looks at what decides, for a client, which of its hellos counts. */
function takeHelloOfServer(
  dtls: Dtls,
  now: Micros,
  crypto: CryptoProvider,
  sink: DatagramSink,
  flow: number,
  bytes: Uint8Array,
  at: number,
): void {
  const type = messageType(bytes, at);
  if (type === HANDSHAKE_TYPE.SERVER_HELLO) clientFollow(dtls, messageSequence(bytes, at));
  const isWhole = fragmentLength(bytes, at) === messageLength(bytes, at);
  if (type !== HANDSHAKE_TYPE.HELLO_VERIFY_REQUEST || !isWhole) return;
  const body = sliceBytes(bytes, at + HANDSHAKE_HEADER_BYTES, fragmentLength(bytes, at));
  clientShowCookie(dtls, now, crypto, sink, flow, body);
}

/** Whether our flight is an answer to this message, so that its coming again asks for that flight. */
function isAnswered(dtls: Dtls, place: number): boolean {
  return dtls.role === "server" ? place === CLIENT_PLACE.HELLO : dtls.writeEpoch === 1;
}
