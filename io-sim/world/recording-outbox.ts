/**
 * An outbox that keeps what a shard wants done, in order, and hashes it.
 *
 * The shard writes while it is on the stack; whoever owns the outbox carries the effects out afterwards. Live runs and
 * replays of journals use this one, so that equal effects give equal fingerprints.
 */
import {
  type CommandReply,
  type Fingerprint,
  fingerprintNumber,
  fingerprintText,
  LIMITS,
  type Outbox,
  type ShardEvent,
} from "../../core/index.ts";
import { createSlab } from "../base/slab.ts";
import { hashAndCopy, hashDatagram } from "../base/word-hash.ts";

/** Something that the shard wants done. */
export type Effect =
  | { readonly kind: "transmit"; readonly flow: number; readonly bytes: Uint8Array }
  | { readonly kind: "reply"; readonly reply: CommandReply }
  | { readonly kind: "event"; readonly event: ShardEvent }
  | { readonly kind: "relay"; readonly shard: number; readonly lane: "packets" | "mail"; readonly record: Uint8Array }
  | { readonly kind: "release"; readonly flow: number };

/** The outbox with its list of effects. */
export interface RecordingOutbox extends Outbox {
  effects: Effect[];
}

/** The effects so far, which are the caller's from now on. */
export function takeEffects(outbox: RecordingOutbox): Effect[] {
  const { effects } = outbox;
  outbox.effects = [];
  return effects;
}

/** An outbox whose effects go into `hash` as well. */
export function createRecordingOutbox(hash: Fingerprint): RecordingOutbox {
  // Always the same slot: where it lies stays in the shard's working memory, and so comes into the hash of its state.
  const sendBytes = new Uint8Array(LIMITS.datagramBytesMax);
  const sendWords = new Int32Array(sendBytes.buffer, 0, sendBytes.length >> 2);
  const slab = createSlab();
  const copyOf = (offset: number, length: number) => hashAndCopy(hash, slab, sendBytes, sendWords, offset, length);
  const outbox: RecordingOutbox = {
    sendBytes,
    effects: [],
    reserve: () => 0,
    transmit(flow, offset, length) {
      fingerprintNumber(hash, 1);
      fingerprintNumber(hash, flow);
      outbox.effects.push({ kind: "transmit", flow, bytes: copyOf(offset, length) });
    },
    reply(reply) {
      fingerprintText(hash, `reply ${JSON.stringify(reply)}`);
      outbox.effects.push({ kind: "reply", reply });
    },
    event(event) {
      fingerprintText(hash, `event ${JSON.stringify(event)}`);
      outbox.effects.push({ kind: "event", event });
    },
    relayPacket(shard, offset, length) {
      fingerprintNumber(hash, 3);
      fingerprintNumber(hash, shard);
      outbox.effects.push({ kind: "relay", shard, lane: "packets", record: copyOf(offset, length) });
    },
    relayMail(shard, record) {
      fingerprintNumber(hash, 4);
      fingerprintNumber(hash, shard);
      hashDatagram(hash, record, 0, record.length);
      outbox.effects.push({ kind: "relay", shard, lane: "mail", record });
    },
    releaseFlow(flow) {
      fingerprintNumber(hash, 2);
      fingerprintNumber(hash, flow);
      outbox.effects.push({ kind: "release", flow });
    },
  };
  return outbox;
}
