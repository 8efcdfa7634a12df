/**
 * Which protocol a datagram belongs to, told by its first two bytes.
 *
 * STUN, DTLS and SRTP share one port (RFC 7983 §7); RTP and RTCP share it too, told apart by the second byte, whose RTCP
 * packet types look like payload types 64 to 95 without the marker bit (RFC 5761 §4). ZRTP, TURN channels and QUIC have
 * ranges of their own there; Lockstep speaks none of them, so they are `UNKNOWN`.
 *
 *       0 .. 3      STUN
 *      20 .. 63     DTLS
 *     128 .. 191    RTP, or RTCP when the second byte is 192 .. 223
 */

/** What {@link demux} answers. */
export const DEMUX = { UNKNOWN: 0, STUN: 1, DTLS: 2, RTP: 3, RTCP: 4 } as const;

/** The protocol of a datagram, as a number of {@link DEMUX}; nothing behind the second byte is looked at. */
export function demux(bytes: Uint8Array, offset: number, length: number): number {
  if (length < 2) return DEMUX.UNKNOWN;
  const first = bytes[offset]!;
  if (first >= 128 && first <= 191) {
    const payloadType = bytes[offset + 1]! & 0x7f;
    return payloadType >= 64 && payloadType <= 95 ? DEMUX.RTCP : DEMUX.RTP;
  }
  if (first <= 3) return DEMUX.STUN;
  return first >= 20 && first <= 63 ? DEMUX.DTLS : DEMUX.UNKNOWN;
}
