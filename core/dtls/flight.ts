/**
 * Sending flights, and sending them again (RFC 6347 §4.2.4).
 *
 * A flight is packed into as few datagrams as it needs, each of `LIMITS.dtlsDatagramBytesMax` at most; a message that does
 * not fit the rest of a datagram is cut. Every sending has new record numbers. A flight goes out again when its timer
 * fires (the wait doubles each time), or when a whole copy of the message that it answers has come again, but never twice
 * within `dtlsRepeatMicros`. That is the bound on amplification: one flight of a few datagrams per 20 ms, whatever
 * comes in. It can be that simple since the caller hands in only datagrams of flows that ICE has authenticated; for the
 * same reason no HelloVerifyRequest is sent (RFC 6347 §4.2.1 guards against forged addresses, and ICE has done so already).
 */
import { copyBytes } from "../base/bytes.ts";
import type { DatagramSink } from "../base/datagram-sink.ts";
import { after, earliest, type Micros, micros, NEVER } from "../base/micros.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { LIMITS } from "../limits.ts";
import {
  fragmentWriteHeader,
  HANDSHAKE_HEADER_BYTES,
  messageLength,
  messageSequence,
  messageType,
} from "../wire/dtls-handshake.ts";
import { CONTENT_TYPE } from "../wire/dtls-record.ts";
import { recordOverhead, recordPlainOffset, writeRecord } from "./records.ts";
import type { Dtls, FlightItem } from "./state.ts";

/** A smaller piece of a message is not worth a record while a new datagram may be had. */
const FRAGMENT_BYTES_MIN = 64;

/** A datagram that is being filled. */
interface Packing {
  offset: number;
  used: number;
}

/** A handshake message as part of a flight. */
export function messageItem(message: Uint8Array, epoch: number): FlightItem {
  return { contentType: CONTENT_TYPE.HANDSHAKE, epoch, bytes: message };
}

/** The ChangeCipherSpec before a Finished message. */
export function changeCipherSpecItem(): FlightItem {
  return { contentType: CONTENT_TYPE.CHANGE_CIPHER_SPEC, epoch: 0, bytes: Uint8Array.of(1) };
}

/** Makes `flight` the one that is sent, now if that is allowed, and until the peer answers it. */
export function startFlight(
  dtls: Dtls,
  now: Micros,
  crypto: CryptoProvider,
  sink: DatagramSink,
  flow: number,
  flight: FlightItem[],
): void {
  dtls.flight = flight;
  dtls.retransmits = 0;
  dtls.retransmitWaitMicros = dtls.tunables.dtlsRetransmitFirstMicros;
  dtls.retransmitAt = dtls.flightDueAt;
  if (now < dtls.flightDueAt) return;
  dtls.retransmitAt = after(now, dtls.retransmitWaitMicros);
  transmitFlight(dtls, now, crypto, sink, flow);
}

/** Makes `flight` the last one: it is sent now, and again only when the peer asks for it by repeating its own. */
export function startLastFlight(
  dtls: Dtls,
  now: Micros,
  crypto: CryptoProvider,
  sink: DatagramSink,
  flow: number,
  flight: FlightItem[],
): void {
  dtls.flight = flight;
  dtls.retransmitAt = NEVER;
  transmitFlight(dtls, now, crypto, sink, flow);
}

/** The peer has repeated itself: sends the flight again, unless that was done a moment ago. */
export function repeatFlight(dtls: Dtls, now: Micros, crypto: CryptoProvider, sink: DatagramSink, flow: number): void {
  if (now >= dtls.flightDueAt) transmitFlight(dtls, now, crypto, sink, flow);
}

/** The timer has fired: sends the flight again, and answers false when it was sent often enough. */
export function retransmitFlight(
  dtls: Dtls,
  now: Micros,
  crypto: CryptoProvider,
  sink: DatagramSink,
  flow: number,
): boolean {
  if (dtls.retransmits === LIMITS.dtlsRetransmitsMax) return false;
  dtls.retransmits += 1;
  dtls.retransmitWaitMicros = earliest(micros(2 * dtls.retransmitWaitMicros), dtls.tunables.dtlsRetransmitLastMicros);
  dtls.retransmitAt = after(now, dtls.retransmitWaitMicros);
  transmitFlight(dtls, now, crypto, sink, flow);
  return true;
}

function transmitFlight(dtls: Dtls, now: Micros, crypto: CryptoProvider, sink: DatagramSink, flow: number): void {
  const packing: Packing = { offset: sink.reserve(), used: 0 };
  for (const item of dtls.flight) {
    if (item.contentType === CONTENT_TYPE.HANDSHAKE) packMessage(dtls, crypto, sink, flow, packing, item);
    else packWhole(dtls, crypto, sink, flow, packing, item);
  }
  flush(sink, flow, packing);
  dtls.flightDueAt = after(now, dtls.tunables.dtlsRepeatMicros);
}

function packMessage(
  dtls: Dtls,
  crypto: CryptoProvider,
  sink: DatagramSink,
  flow: number,
  packing: Packing,
  item: FlightItem,
): void {
  const { bytes: message, epoch } = item;
  const bodyLength = messageLength(message, 0);
  let sent = 0;
  do {
    const overhead = recordOverhead(epoch) + HANDSHAKE_HEADER_BYTES;
    const rest = bodyLength - sent;
    if (room(packing) < overhead + Math.min(rest, FRAGMENT_BYTES_MIN)) flush(sink, flow, packing);
    const part = Math.min(rest, room(packing) - overhead);
    const bytes = sink.sendBytes;
    const at = packing.offset + packing.used;
    const plain = recordPlainOffset(at, epoch);
    fragmentWriteHeader(bytes, plain, messageType(message, 0), bodyLength, messageSequence(message, 0), sent, part);
    copyBytes(message, HANDSHAKE_HEADER_BYTES + sent, bytes, plain + HANDSHAKE_HEADER_BYTES, part);
    const plainLength = HANDSHAKE_HEADER_BYTES + part;
    packing.used += writeRecord(dtls, crypto, bytes, at, item.contentType, epoch, plainLength);
    sent += part;
  } while (sent < bodyLength);
}

function packWhole(
  dtls: Dtls,
  crypto: CryptoProvider,
  sink: DatagramSink,
  flow: number,
  packing: Packing,
  item: FlightItem,
): void {
  const { bytes: body, epoch } = item;
  if (room(packing) < recordOverhead(epoch) + body.length) flush(sink, flow, packing);
  const at = packing.offset + packing.used;
  copyBytes(body, 0, sink.sendBytes, recordPlainOffset(at, epoch), body.length);
  packing.used += writeRecord(dtls, crypto, sink.sendBytes, at, item.contentType, epoch, body.length);
}

function room(packing: Packing): number {
  return LIMITS.dtlsDatagramBytesMax - packing.used;
}

function flush(sink: DatagramSink, flow: number, packing: Packing): void {
  if (packing.used === 0) return;
  sink.transmit(flow, packing.offset, packing.used);
  packing.offset = sink.reserve();
  packing.used = 0;
}
