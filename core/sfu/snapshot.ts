/**
 * A shard as bytes, and back. Because its state is plain data, a run may be cut after any input: what is restored goes on
 * exactly as what was saved would have. Key handles are the one thing that lives with the host; they are bound again from
 * the keys in the state. A snapshot therefore is as secret as the calls in it.
 */
import { decodePlain } from "../base/plain-decode.ts";
import { type Belongings, encodePlain } from "../base/plain-encode.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { LockstepError } from "../errors.ts";
import { peerRestoreKeys } from "../peer/peer.ts";
import { createShardTables, type Shard } from "./state.ts";

/** The format's name and version; a snapshot of another one is refused. */
const FORMAT = "lockstep-shard-3";

/**
 * What a shard has most of, and which stands in one place alone: of what was agreed on for an m-line, of a slot, of a stream
 * and of a connection. Who gives one of these a second place takes it from this list.
 */
const SHARD_BELONGINGS: Belongings = new Set([
  ...["codecs", "codecs[]", "extensionIds", "rids", "ssrcs", "rtxOf", "rtxOf[]"],
  ...["rewriter", "skipped", "unsent", "segments", "sendStream", "rtxStream", "sentAt", "mid", "slots", "slotsBySsrc"],
  ...["publications", "streams", "routes", "relays", "loudness", "inbound", "inbound[]", "offerings"],
  ...["statistics", "clock", "keyframes", "nack", "cache", "sequences", "lengths", "putAt", "samples"],
  ...["rtpStreams", "rtcpStreams", "windows", "windows[]", "seen", "retired", "window"],
  ...["flight", "flight[]", "received"],
]);

/** The whole shard as bytes. Equal shards give equal bytes. */
export function shardSnapshot(shard: Shard): Uint8Array {
  return encodePlain({ format: FORMAT, shard }, SHARD_BELONGINGS);
}

/** The shard that these bytes were made of, its key handles bound. Throws a `LockstepError` "bad-snapshot". */
export function shardRestore(bytes: Uint8Array, crypto: CryptoProvider): Shard {
  const value = decodePlain(bytes) as { format?: unknown; shard?: Shard } | null;
  if (typeof value !== "object" || value === null || value.format !== FORMAT || value.shard === undefined) {
    throw new LockstepError("bad-snapshot", `These bytes are no snapshot of the format ${FORMAT}.`);
  }
  for (const participant of value.shard.participants.values()) peerRestoreKeys(participant.peer, crypto);
  return value.shard;
}

/**
 * What a shard holds besides its identity, its history (what counts up for life) and its working memory, as bytes. After
 * the last participant has left these equal {@link emptyShardResidue}: nothing remains of anybody.
 */
export function shardResidue(shard: Shard): Uint8Array {
  return encodePlain(residueOf(shard));
}

/** The residue of a shard that nobody has ever joined. */
export function emptyShardResidue(): Uint8Array {
  return encodePlain(residueOf(createShardTables(0)));
}

function residueOf(tables: Omit<ReturnType<typeof createShardTables>, "history" | "draining" | "videoPartsLeftOut">) {
  const { letters, head, outgoing } = tables.mail;
  return {
    rooms: tables.rooms,
    participants: tables.participants,
    peerIndexes: tables.peerIndexes,
    publications: tables.publications,
    proxies: tables.proxies,
    lanes: tables.lanes,
    streams: tables.streams,
    slots: tables.slots,
    ufrags: tables.ufrags,
    resources: tables.resources,
    flows: tables.flows,
    timers: tables.timers,
    mail: { letters, head, outgoing },
  };
}
