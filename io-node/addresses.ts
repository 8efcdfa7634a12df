/**
 * IP addresses: from text to the bytes that the core reads, and which of this machine's addresses clients are told.
 *
 * A candidate is worth telling when some client may reach it. So without a word from the operator these are all addresses
 * of the machine, IPv4 first because more networks carry it, and loopback last: it serves two windows on one machine that
 * has no network at all, and costs everybody else one failed check. Link-local IPv6 addresses are left out: they mean
 * nothing without a zone, and a candidate has none (RFC 8445 §5.1.1.1). A server behind a one-to-one NAT has to be told its
 * public address, since it speaks to no STUN server.
 */
import { isIPv4, isIPv6 } from "node:net";
import type { NetworkInterfaceInfo } from "node:os";

/** The most addresses put into an answer: a machine with dozens of bridges would make every client check them all. */
const ADDRESSES_MAX = 16;

/** What `os.networkInterfaces` answers. */
export type NetworkInterfaces = NodeJS.Dict<NetworkInterfaceInfo[]>;

/** The addresses under which clients may reach this machine, best first; at least one. `ipv6` false leaves IPv6 out. */
export function machineAddresses(interfaces: NetworkInterfaces, ipv6: boolean): string[] {
  const all = Object.values(interfaces).flatMap((entries) => entries ?? []);
  const outside = all.filter((entry) => !entry.internal);
  const v4 = outside.filter((entry) => entry.family === "IPv4").map((entry) => entry.address);
  const v6 = outside.filter((entry) => entry.family === "IPv6" && !isLinkLocal(entry.address));
  const found = [...v4, ...(ipv6 ? v6.map((entry) => entry.address) : [])];
  return [...new Set([...found.slice(0, ADDRESSES_MAX - 1), "127.0.0.1"])];
}

/** Whether `text` is an IPv4 or IPv6 address without a zone. */
export function isAddress(text: string): boolean {
  return isIPv4(text) || (isIPv6(text) && !text.includes("%"));
}

/**
 * An address as an operator writes it, with a port of its own where the network in front of the server maps it to another:
 * `203.0.113.5`, `203.0.113.5:5000`, `2001:db8::5`, `[2001:db8::5]:5000`. Without a port it is that of the UDP socket; a
 * port that was written is that of the first shard, and the others' follow it. `undefined` for other text.
 */
export function candidateAddress(text: string, udpPort: number, shard = 0): { ip: string; port: number } | undefined {
  if (isAddress(text)) return { ip: text, port: udpPort };
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const ip = bracketed ?? plain ?? "";
  const port = Number(digits) + shard;
  const fits = bracketed === undefined ? isIPv4(ip) : isAddress(ip) && isIPv6(ip);
  return fits && port >= 1 && port <= 65_535 ? { ip, port } : undefined;
}

/**
 * The bytes of a transport address as the core wants them: 4 or 16 bytes of IP and 2 of port, in network order. An IPv4
 * address inside IPv6 (`::ffff:192.0.2.1`) becomes its 4 bytes; a zone (`%eth0`) is left out. `undefined` for other text.
 */
export function transportAddress(address: string, port: number): Uint8Array | undefined {
  const ip = ipBytes(address);
  if (ip === undefined) return undefined;
  const bytes = new Uint8Array(ip.length + 2);
  bytes.set(ip, 0);
  bytes[ip.length] = port >>> 8;
  bytes[ip.length + 1] = port;
  return bytes;
}

/** Whether a client could send something to this address (IPv4 or IPv6 text): not to all of them, nor to a group. */
export function isOneHost(ip: string): boolean {
  const bytes = ipBytes(ip);
  if (bytes === undefined || bytes.every((byte) => byte === 0)) return false;
  return bytes.length === 4 ? bytes[0]! < 224 : bytes[0] !== 0xff;
}

/** `http://192.0.2.1:8080/`, with the brackets that IPv6 needs in a URL. */
export function pageUrl(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}/`;
}

function isLinkLocal(address: string): boolean {
  return /^fe[89ab]/i.test(address);
}

function ipBytes(address: string): Uint8Array | undefined {
  const zone = address.indexOf("%");
  const text = zone < 0 ? address : address.slice(0, zone);
  if (isIPv4(text)) return Uint8Array.from(text.split("."), Number);
  if (!isIPv6(text)) return undefined;
  const bytes = ipv6Bytes(text);
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return mapped ? bytes.slice(12) : bytes;
}

/** The 16 bytes of IPv6 text that `isIPv6` has accepted (RFC 4291 §2.2). */
function ipv6Bytes(text: string): Uint8Array {
  const [head = "", tail] = text.split("::");
  const first = groups(head);
  const last = tail === undefined ? [] : groups(tail);
  const bytes = new Uint8Array(16);
  bytes.set(first, 0);
  bytes.set(last, 16 - last.length);
  return bytes;
}

function groups(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (group.includes(".")) return group.split(".").map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
