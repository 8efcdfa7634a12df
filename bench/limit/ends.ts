/**
 * The lines by which a bare forwarder is told whom it forwards from and to: port, key and salt in hex, SSRC.
 */
import { hexDecode, hexEncode } from "../../core/base/text.ts";

/** One end of the forwarding. */
export interface End {
  /** Its UDP port on loopback; the publisher's is not used. */
  readonly port: number;
  /** AES-128-GCM: 16 bytes of key, 12 of salt. */
  readonly key: Uint8Array;
  readonly salt: Uint8Array;
  readonly ssrc: number;
}

/** An end as a line. */
export function writeEnd({ port, key, salt, ssrc }: End): string {
  return `${port} ${hexEncode(key)} ${hexEncode(salt.slice(0, 12))} ${ssrc}`;
}

/** The end that a line of {@link writeEnd} speaks of. */
export function readEnd(line: string): End {
  const [port, key = "", salt = "", ssrc] = line.split(" ");
  return {
    port: Number(port),
    key: hexDecode(key) ?? new Uint8Array(16),
    salt: hexDecode(salt) ?? new Uint8Array(12),
    ssrc: Number(ssrc),
  };
}
