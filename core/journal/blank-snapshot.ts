/**
 * A snapshot for a journal: the shard as it is, but without its secrets and without the media in its packet caches.
 *
 * Both are blanked in the shard itself while its bytes are made, and put back behind that: so a snapshot is one walk through
 * the state, and what is referred to from two places stays one thing. The shard handles nothing meanwhile. Caches are large
 * and mostly media, so what is kept of a packet follows the snapshot in an item of its own.
 */
import type { Dtls } from "../dtls/dtls.ts";
import { packetCacheLength, packetCacheOffset, packetCacheRefill } from "../media/packet-cache.ts";
import type { NegotiatedSession } from "../peer/negotiated.ts";
import type { Peer } from "../peer/peer.ts";
import { shardSnapshot } from "../sfu/snapshot.ts";
import type { Participant, Shard, Stream } from "../sfu/state.ts";
import type { SrtpSession } from "../srtp/context.ts";
import { ITEM, ITEM_BYTES_MAX, type JournalSink, makeRoom, putByte, putNumber } from "./format.ts";
import { putPacket } from "./kept.ts";

/** How to put back what was blanked. */
type Undo = () => void;

/** The bytes of a shard whose resources have these pseudonyms, with empty packet caches; `shardRestore` reads them. */
export function blankSnapshot(shard: Shard, pseudonym: (resource: string) => string): Uint8Array {
  const undos: Undo[] = [];
  try {
    blank(undos, shard.entropySeed, shard.privateKey);
    renameResources(undos, shard, pseudonym);
    for (const { peer, session } of shard.participants.values()) {
      blankPeer(undos, peer);
      hidePassword(undos, session);
    }
    for (const stream of shard.streams.values()) blankCache(undos, stream);
    return shardSnapshot(shard);
  } finally {
    for (const undo of undos.reverse()) undo();
  }
}

/** Writes, for each packet that the shard could send again, what is kept of it. */
export function putCachedPackets(sink: JournalSink, shard: Shard, scratch: Uint8Array): void {
  for (const { id, cache, publication } of shard.streams.values()) {
    if (cache === null) continue;
    for (let slot = 0; slot < cache.lengths.length; slot++) {
      const length = packetCacheLength(cache, slot);
      if (length === 0) continue;
      makeRoom(sink, ITEM_BYTES_MAX);
      putByte(sink, ITEM.CACHED);
      putNumber(sink, id);
      putNumber(sink, slot);
      putPacket(sink, publication.media, cache.bytes, packetCacheOffset(cache, slot), length, scratch);
    }
  }
}

/** Gives a restored shard the memory for {@link putCachedPackets}' packets. */
export function refillCaches(shard: Shard): void {
  for (const { cache } of shard.streams.values()) if (cache !== null) packetCacheRefill(cache);
}

function blankPeer(undos: Undo[], { ice, dtls, srtp }: Peer): void {
  blank(undos, ice.localKey);
  blankDtls(undos, dtls);
  if (srtp !== null) blankSrtp(undos, srtp);
}

function blankDtls(undos: Undo[], { privateKey, secret, exchange, keys, srtp, nonce }: Dtls): void {
  blank(undos, privateKey, secret, nonce);
  if (exchange !== null) blank(undos, exchange.masterSecret);
  if (keys !== null) blank(undos, keys.readKey, keys.readIv, keys.writeKey, keys.writeIv);
  if (srtp !== null) blank(undos, srtp.clientKey, srtp.clientSalt, srtp.serverKey, srtp.serverSalt);
}

/** As in the offer that was written down (secrets.ts). */
function hidePassword(undos: Undo[], session: NegotiatedSession): void {
  const { remotePassword } = session;
  undos.push(() => Object.assign(session, { remotePassword }));
  Object.assign(session, { remotePassword: "x".repeat(remotePassword.length) });
}

/** The words of the salts are derived again by `shardRestore`, but a snapshot would hold them. */
function blankSrtp(undos: Undo[], session: SrtpSession): void {
  blank(undos, session.readKey, session.readSalt, session.writeKey, session.writeSalt);
  const { rtpWriteSalt, rtpReadSalt, rtcpReadSalt, rtcpWriteSalt } = session;
  undos.push(() => Object.assign(session, { rtpWriteSalt, rtpReadSalt, rtcpReadSalt, rtcpWriteSalt }));
  const none = { lead: 0, ssrc: 0, roc: 0, sequence: 0 };
  Object.assign(session, { rtpWriteSalt: none, rtpReadSalt: none, rtcpReadSalt: none, rtcpWriteSalt: none });
}

/** What lies in a cache is written down packet by packet ({@link putCachedPackets}). */
function blankCache(undos: Undo[], { cache }: Stream): void {
  if (cache === null) return;
  const { bytes } = cache;
  undos.push(() => {
    cache.bytes = bytes;
  });
  cache.bytes = new Uint8Array(0);
}

function renameResources(undos: Undo[], shard: Shard, pseudonym: (resource: string) => string): void {
  const { resources } = shard;
  const renamed = new Map<string, Participant>();
  for (const [resource, participant] of resources) {
    participant.resource = pseudonym(resource);
    renamed.set(participant.resource, participant);
    undos.push(() => {
      participant.resource = resource;
    });
  }
  undos.push(() => {
    shard.resources = resources;
  });
  shard.resources = renamed;
}

/** What two places refer to is blanked twice, and put back in reverse order: the copy of zeros first. */
function blank(undos: Undo[], ...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) {
    const copy = secret.slice();
    secret.fill(0);
    undos.push(() => secret.set(copy));
  }
}
