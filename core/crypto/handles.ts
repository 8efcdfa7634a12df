/**
 * How key handles are numbered. A peer with index n owns the handles 8n to 8n+7, one for each use below; so handles need
 * no allocator, stay small, and a restored shard names the same ones.
 */

/** Handles that each peer owns. */
export const KEY_HANDLES_PER_PEER = 8;

/** The uses of a peer's handles, as offsets from the first. */
export const KEY_HANDLE = {
  DTLS_READ: 0,
  DTLS_WRITE: 1,
  SRTP_READ: 2,
  SRTP_WRITE: 3,
  SRTCP_READ: 4,
  SRTCP_WRITE: 5,
} as const;

/** The first handle of the peer with this index. */
export function keyHandleBase(peerIndex: number): number {
  return peerIndex * KEY_HANDLES_PER_PEER;
}

/** What a handle is used for: a number of {@link KEY_HANDLE}. */
export function keyHandleUse(handle: number): number {
  return handle % KEY_HANDLES_PER_PEER;
}

/** The index of the peer whose handle it is. */
export function keyHandlePeer(handle: number): number {
  return (handle / KEY_HANDLES_PER_PEER) | 0;
}
