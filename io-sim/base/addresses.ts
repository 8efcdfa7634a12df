/**
 * Transport addresses of the simulated internet, as text: `ip:port`, with brackets around an IPv6 address.
 *
 * Peers live in 10.0.0.0/8 and in the documentation prefix of IPv6 (RFC 3849); each move of a peer gives an address that
 * nobody has had. The server listens on one address of each family, on the same port.
 */

/** Where the SFU listens. */
export const SFU_IP = "203.0.113.1";
/** The same in IPv6. */
export const SFU_IP6 = "2001:db8:71:0:0:0:0:1";
/** Its one port. */
export const SFU_PORT = 40_000;

/** Where the SFU is reached over IPv4. */
const SFU_ADDRESS = `${SFU_IP}:${SFU_PORT}`;
/** The server's two addresses. */
const SFU_ADDRESSES: readonly string[] = [SFU_ADDRESS, `[${SFU_IP6}]:${SFU_PORT}`];

/** What an address of IPv6 begins with. */
const BRACKET = "[".charCodeAt(0);

/** A version of IP. */
export type Family = 4 | 6;

/** What IP and UDP put before a payload: 20 or 40 bytes, and 8. */
export const HEADER_BYTES: Readonly<Record<Family, number>> = { 4: 28, 6: 48 };

/** The address of a peer after so many moves. */
export function peerAddress(index: number, moves: number, family: Family): string {
  const port = 20_000 + index + 7 * moves;
  if (family === 6) return `[2001:db8:1:0:0:${hex(moves)}:${hex(index >> 8)}:${hex((index & 255) + 1)}]:${port}`;
  return `10.${moves & 255}.${index >> 8}.${(index & 255) + 1}:${port}`;
}

/** The same IP with another port. */
export function withPort(address: string, port: number): string {
  return `${address.slice(0, address.lastIndexOf(":"))}:${port}`;
}

/** Which IP an address belongs to. */
export function familyOf(address: string): Family {
  return address.charCodeAt(0) === BRACKET ? 6 : 4;
}

/** Where each shard of a server listens, in the order of their places: from a first port on, in both families. */
export function shardAddresses(count: number, firstPort: number): Readonly<Record<Family, string>>[] {
  return Array.from({ length: count }, (_, place) => {
    const at = (family: 0 | 1) => withPort(SFU_ADDRESSES[family]!, firstPort + place);
    return { 4: at(0), 6: at(1) };
  });
}

/** An address as the core takes it: 4 or 16 bytes of IP and 2 of port, in network order. */
export function addressBytes(address: string): Uint8Array {
  const colon = address.lastIndexOf(":");
  const port = Number(address.slice(colon + 1));
  const ports = [port >> 8, port & 255];
  if (familyOf(address) === 4) return Uint8Array.from([...address.slice(0, colon).split(".").map(Number), ...ports]);
  const groups = address.slice(1, colon - 1).split(":");
  const words = groups.map((group) => Number.parseInt(group, 16));
  return Uint8Array.from([...words.flatMap((word) => [word >> 8, word & 255]), ...ports]);
}

/** The text of an address as the core takes it. */
export function addressText(bytes: Uint8Array): string {
  const port = (bytes.at(-2)! << 8) | bytes.at(-1)!;
  if (bytes.length === 6) return `${bytes.subarray(0, 4).join(".")}:${port}`;
  const groups = Array.from({ length: 8 }, (_, i) => hex((bytes[2 * i]! << 8) | bytes[2 * i + 1]!));
  return `[${groups.join(":")}]:${port}`;
}

function hex(value: number): string {
  return value.toString(16);
}
