/**
 * A writer of pcapng files (draft-ietf-opsawg-pcapng), as much of the format as captures of a simulation need.
 *
 *     Section Header · Interface Description, one or more · Name Resolution · Enhanced Packet, each with its comment
 *
 * Everything is little-endian, times are whole microseconds since 1970, packets begin with an IP header (LINKTYPE_RAW).
 * The simulator moves UDP payloads, so the headers are made here, with the checksums that a capture would show.
 */
import { addressBytes } from "../base/addresses.ts";

const utf8 = new TextEncoder();

const BLOCK = { SECTION: 0x0a0d_0d0a, INTERFACE: 1, NAMES: 4, PACKET: 6 } as const;
const OPTION = { END: 0, COMMENT: 1, IF_NAME: 2, IF_DESCRIPTION: 3, IF_TSRESOL: 9, APPLICATION: 4, FLAGS: 2 } as const;
const BYTE_ORDER_MAGIC = 0x1a2b_3c4d;
/** The packet begins with an IP header. */
const LINKTYPE_RAW = 101;
/** Times are in 10^-6 seconds. */
const RESOLUTION_MICROS = 6;
const IPV4_BYTES = 20;
const IPV6_BYTES = 40;
const UDP_BYTES = 8;
const UDP_PROTOCOL = 17;

/** An option of a block: a code and its value. */
interface Option {
  readonly code: number;
  readonly value: Uint8Array;
}

/** A datagram to be written. */
export interface CapturedDatagram {
  /** Index of the interface, in the order of their descriptions. */
  readonly interfaceId: number;
  /** Microseconds since 1970. */
  readonly wallMicros: number;
  /** Whether it was on its way into the server. */
  readonly inbound: boolean;
  /** `ip:port`, both of one IP. */
  readonly source: string;
  readonly target: string;
  readonly payload: Uint8Array;
  readonly comment: string;
}

/** The block that begins a file. */
export function sectionHeader(application: string, comment: string): Uint8Array {
  const fixed = new Uint8Array(16);
  const view = new DataView(fixed.buffer);
  view.setUint32(0, BYTE_ORDER_MAGIC, true);
  view.setUint16(4, 1, true);
  // The length of the section is not said: all ones.
  fixed.fill(0xff, 8);
  return block(BLOCK.SECTION, fixed, [text(OPTION.APPLICATION, application), text(OPTION.COMMENT, comment)]);
}

/** The description of the next interface. */
export function interfaceDescription(name: string, description: string): Uint8Array {
  const fixed = new Uint8Array(8);
  new DataView(fixed.buffer).setUint16(0, LINKTYPE_RAW, true);
  const resolution = { code: OPTION.IF_TSRESOL, value: Uint8Array.of(RESOLUTION_MICROS) };
  return block(BLOCK.INTERFACE, fixed, [
    text(OPTION.IF_NAME, name),
    text(OPTION.IF_DESCRIPTION, description),
    resolution,
  ]);
}

/** The names of addresses: text in brackets is IPv6. */
export function nameResolution(names: readonly { readonly ip: string; readonly name: string }[]): Uint8Array {
  const records = names.map(({ ip, name }) => {
    const bytes = addressBytes(`${ip}:0`).slice(0, -2);
    return { code: bytes.length === 4 ? 1 : 2, value: Uint8Array.from([...bytes, ...utf8.encode(name), 0]) };
  });
  return block(BLOCK.NAMES, new Uint8Array(0), [], optionBytes(records));
}

/** A packet: the datagram with its IP and UDP headers. */
export function enhancedPacket(datagram: CapturedDatagram, identification: number): Uint8Array {
  const from = addressBytes(datagram.source);
  const to = addressBytes(datagram.target);
  const isIpv6 = from.length > 6;
  const packet = isIpv6 ? ipv6Udp(from, to, datagram.payload) : ipv4Udp(from, to, datagram.payload, identification);
  const padded = align(packet.length);
  const fixed = new Uint8Array(20 + padded);
  const view = new DataView(fixed.buffer);
  view.setUint32(0, datagram.interfaceId, true);
  view.setUint32(4, Math.floor(datagram.wallMicros / 0x1_0000_0000), true);
  view.setUint32(8, datagram.wallMicros % 0x1_0000_0000, true);
  view.setUint32(12, packet.length, true);
  view.setUint32(16, packet.length, true);
  fixed.set(packet, 20);
  const flags = Uint8Array.of(datagram.inbound ? 1 : 2, 0, 0, 0);
  return block(BLOCK.PACKET, fixed, [text(OPTION.COMMENT, datagram.comment), { code: OPTION.FLAGS, value: flags }]);
}

/** An IPv4 packet with a UDP datagram in it (RFC 791 §3.1). */
function ipv4Udp(from: Uint8Array, to: Uint8Array, payload: Uint8Array, identification: number): Uint8Array {
  const length = IPV4_BYTES + UDP_BYTES + payload.length;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  bytes[0] = 0x45;
  view.setUint16(2, length);
  view.setUint16(4, identification & 0xffff);
  // Don't fragment, time to live 64.
  view.setUint16(6, 0x4000);
  bytes[8] = 64;
  bytes[9] = UDP_PROTOCOL;
  bytes.set(from.subarray(0, 4), 12);
  bytes.set(to.subarray(0, 4), 16);
  view.setUint16(10, checksum(bytes, 0, IPV4_BYTES, 0));
  writeUdp(bytes, IPV4_BYTES, 8, from, to, payload);
  return bytes;
}

/** An IPv6 packet with a UDP datagram in it (RFC 8200 §3). */
function ipv6Udp(from: Uint8Array, to: Uint8Array, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(IPV6_BYTES + UDP_BYTES + payload.length);
  bytes[0] = 0x60;
  new DataView(bytes.buffer).setUint16(4, UDP_BYTES + payload.length);
  bytes[6] = UDP_PROTOCOL;
  bytes[7] = 64;
  bytes.set(from.subarray(0, 16), 8);
  bytes.set(to.subarray(0, 16), 24);
  writeUdp(bytes, IPV6_BYTES, 32, from, to, payload);
  return bytes;
}

/** Writes a UDP datagram (RFC 768) at `at`, behind `addressBytesBefore` bytes of addresses. */
function writeUdp(
  bytes: Uint8Array,
  at: number,
  addressBytesBefore: number,
  from: Uint8Array,
  to: Uint8Array,
  payload: Uint8Array,
): void {
  const length = UDP_BYTES + payload.length;
  bytes.set(from.subarray(-2), at);
  bytes.set(to.subarray(-2), at + 2);
  new DataView(bytes.buffer).setUint16(at + 4, length);
  bytes.set(payload, at + UDP_BYTES);
  // The pseudo header: both addresses, the protocol and the length.
  const sum = checksum(bytes, at - addressBytesBefore, bytes.length, UDP_PROTOCOL + length);
  new DataView(bytes.buffer).setUint16(at + 6, sum === 0 ? 0xffff : sum);
}

/** The Internet checksum (RFC 1071) from `from` to `to`, with `more` added to the sum. */
function checksum(bytes: Uint8Array, from: number, to: number, more: number): number {
  let sum = more;
  for (let at = from; at < to; at += 2) sum += (bytes[at]! << 8) | (at + 1 < to ? bytes[at + 1]! : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  return ~sum & 0xffff;
}

function text(code: number, value: string): Option {
  return { code, value: utf8.encode(value).subarray(0, 0xffff) };
}

/** A block: type, length, the fixed part, what comes before the options, options, and the length once more. */
function block(
  type: number,
  fixed: Uint8Array,
  options: readonly Option[],
  records: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const tail = options.length === 0 ? new Uint8Array(0) : optionBytes(options);
  const length = 12 + fixed.length + records.length + tail.length;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  bytes.set(fixed, 8);
  bytes.set(records, 8 + fixed.length);
  bytes.set(tail, 8 + fixed.length + records.length);
  view.setUint32(length - 4, length, true);
  return bytes;
}

/** Options (or records, which look alike), each padded to four bytes, and the one that ends them. */
function optionBytes(options: readonly Option[]): Uint8Array {
  const length = options.reduce((sum, { value }) => sum + 4 + align(value.length), 4);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { code, value } of options) {
    view.setUint16(at, code, true);
    view.setUint16(at + 2, value.length, true);
    bytes.set(value, at + 4);
    at += 4 + align(value.length);
  }
  return bytes;
}

function align(length: number): number {
  return (length + 3) & ~3;
}
