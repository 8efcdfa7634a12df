/**
 * One connection: ICE finds the path, DTLS agrees on keys and proves who it is, SRTP carries the media.
 *
 *     datagram ── STUN ──> IceAgent ── flow is valid ──┐
 *              ── DTLS ──────────────────────────────> Dtls ── keys ──> SrtpSession
 *              ── RTP, RTCP ─────────────────────────────────────────> SrtpSession ── open packet ──> the SFU
 *
 * The three know nothing of each other; what one learns is carried to the next here. DTLS is heard only on flows that ICE
 * has authenticated, and media only after DTLS has verified the fingerprint of the offer: before, there are no keys to
 * open it with. Sending goes to the flow that ICE selects, so a peer that moves takes everything with it.
 */
import type { DatagramSink } from "../base/datagram-sink.ts";
import { earliest, type Micros, NEVER } from "../base/micros.ts";
import { keyHandleBase } from "../crypto/handles.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import {
  createDtls,
  type Dtls,
  dtlsClose,
  dtlsNextTimeout,
  dtlsReceive,
  dtlsRelease,
  dtlsRestoreKeys,
  dtlsTimeout,
} from "../dtls/dtls.ts";
import {
  createIceAgent,
  type IceAgent,
  type IceCredentials,
  iceHandleStun,
  iceNextTimeout,
  iceSendFlow,
  iceTimeout,
} from "../ice/agent.ts";
import {
  createSrtpSession,
  type SrtpSession,
  srtpBindKeys,
  srtpOpenRtcp,
  srtpOpenRtp,
  srtpRelease,
} from "../srtp/context.ts";
import type { Tunables } from "../tunables.ts";

/** A connection with one client. */
export interface Peer {
  /** Set once DTLS has connected. */
  srtp: SrtpSession | null;
  /** What the SRTP session will begin with. */
  readonly srtpIndexBefore: number;
  readonly srtcpIndex: number;
  ice: IceAgent;
  dtls: Dtls;
  /** A small number that is unique among the living peers of the shard: it names the key handles. */
  index: number;
}

/** What a peer is made of. */
export interface PeerConfig {
  readonly index: number;
  readonly credentials: IceCredentials;
  /** DER, and the P-256 key that it was made for. */
  readonly certificate: Uint8Array;
  readonly privateKey: Uint8Array;
  /** SHA-256 of the client's certificate, from its offer. */
  readonly remoteFingerprint: Uint8Array;
  /** 32 bytes from which all randomness of the handshake derives. */
  readonly secret: Uint8Array;
  readonly tunables: Tunables;
  /** Where the indices of SRTP and SRTCP begin, if not at 0; see `SrtpSessionOptions`. */
  readonly srtpIndexBefore?: number;
  readonly srtcpIndex?: number;
}

/** A peer that has heard nothing yet. */
export function createPeer(config: PeerConfig, now: Micros): Peer {
  return {
    srtp: null,
    srtpIndexBefore: config.srtpIndexBefore ?? -1,
    srtcpIndex: config.srtcpIndex ?? 0,
    ice: createIceAgent(config.credentials, config.tunables, now),
    dtls: createDtls({
      role: "server",
      certificate: config.certificate,
      privateKey: config.privateKey,
      remoteFingerprint: config.remoteFingerprint,
      secret: config.secret,
      keyHandleBase: keyHandleBase(config.index),
      tunables: config.tunables,
      now,
    }),
    index: config.index,
  };
}

/** Whether media can flow: the fingerprint is verified and the keys are bound. */
export function peerIsConnected(peer: Peer): boolean {
  return peer.srtp !== null && peer.dtls.status === "connected";
}

/** Where datagrams for this peer go, or -1 while no path is known. */
export function peerSendFlow(peer: Peer): number {
  return iceSendFlow(peer.ice);
}

/** Handles a STUN message that names this peer's ufrag; answers a code of `ICE`. */
export function peerHandleStun(
  peer: Peer,
  now: Micros,
  crypto: CryptoProvider,
  sink: DatagramSink,
  flow: number,
  address: Uint8Array,
  bytes: Uint8Array,
  offset: number,
  length: number,
): number {
  return iceHandleStun(peer.ice, now, crypto, sink, flow, address, bytes, offset, length);
}

/** Handles a datagram of DTLS records from a valid flow. */
export function peerHandleDtls(
  peer: Peer,
  now: Micros,
  crypto: CryptoProvider,
  sink: DatagramSink,
  flow: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
): void {
  dtlsReceive(peer.dtls, now, crypto, sink, flow, bytes, offset, length);
  // The answer rejects data channels, so there is nobody to take application data.
  peer.dtls.received.length = 0;
  takeKeys(peer, crypto);
}

/** Opens an SRTP packet in place; answers its length, or a negative code of `SRTP` (or -1 before there are keys). */
export function peerOpenRtp(
  peer: Peer,
  crypto: CryptoProvider,
  bytes: Uint8Array,
  offset: number,
  length: number,
  headerLength: number,
): number {
  return peer.srtp === null ? -1 : srtpOpenRtp(peer.srtp, crypto, bytes, offset, length, headerLength);
}

/** Opens an SRTCP packet in place; answers as {@link peerOpenRtp}. */
export function peerOpenRtcp(
  peer: Peer,
  crypto: CryptoProvider,
  bytes: Uint8Array,
  offset: number,
  length: number,
): number {
  return peer.srtp === null ? -1 : srtpOpenRtcp(peer.srtp, crypto, bytes, offset, length);
}

/** When {@link peerTimeout} wants to be called. */
export function peerNextTimeout(peer: Peer): Micros {
  const handshake = peerSendFlow(peer) >= 0 ? dtlsNextTimeout(peer.dtls) : NEVER;
  return earliest(handshake, iceNextTimeout(peer.ice));
}

/** Retransmits what is due, to where the peer consents still; answers whether it does nowhere any more (RFC 7675). */
export function peerTimeout(peer: Peer, now: Micros, crypto: CryptoProvider, sink: DatagramSink): boolean {
  if (iceTimeout(peer.ice, now)) return true;
  const flow = peerSendFlow(peer);
  if (flow >= 0 && dtlsNextTimeout(peer.dtls) <= now) dtlsTimeout(peer.dtls, now, crypto, sink, flow);
  return false;
}

/** Says goodbye (close_notify) if there is a path and an association. */
export function peerClose(peer: Peer, now: Micros, crypto: CryptoProvider, sink: DatagramSink): void {
  const flow = peerSendFlow(peer);
  if (flow >= 0) dtlsClose(peer.dtls, now, crypto, sink, flow);
}

/** Frees the key handles; the peer is not used afterwards. */
export function peerRelease(peer: Peer, crypto: CryptoProvider): void {
  dtlsRelease(peer.dtls, crypto);
  if (peer.srtp !== null) srtpRelease(peer.srtp, crypto);
}

/** Binds the key handles again after a restore. */
export function peerRestoreKeys(peer: Peer, crypto: CryptoProvider): void {
  dtlsRestoreKeys(peer.dtls, crypto);
  if (peer.srtp !== null) srtpBindKeys(peer.srtp, crypto);
}

/** Once DTLS is connected, makes the SRTP session: the client's keys read, the server's write (RFC 5764 §4.2). */
function takeKeys(peer: Peer, crypto: CryptoProvider): void {
  const keys = peer.dtls.srtp;
  if (peer.srtp !== null || peer.dtls.status !== "connected" || keys === null) return;
  peer.srtp = createSrtpSession({
    profile: keys.profile,
    readKey: keys.clientKey,
    readSalt: keys.clientSalt,
    writeKey: keys.serverKey,
    writeSalt: keys.serverSalt,
    keyHandleBase: keyHandleBase(peer.index),
    indexBefore: peer.srtpIndexBefore,
    rtcpSendIndex: peer.srtcpIndex,
  });
  srtpBindKeys(peer.srtp, crypto);
}
