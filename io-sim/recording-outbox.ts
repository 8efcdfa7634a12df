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
} from "../core/index.ts";
import { hashDatagram } from "./word-hash.ts";

/** Something that the shard wants done. */
export type Effect =
  | { readonly kind: "transmit"; readonly flow: number; readonly bytes: Uint8Array }
  | { readonly kind: "reply"; readonly reply: CommandReply }
  | { readonly kind: "event"; readonly event: ShardEvent }
  | { readonly kind: "relay"; readonly shard: number; readonly lane: "packets" | "mail"; readonly record: Uint8Array }
  | { readonly kind: "release"; readonly flow: number };

/** The outbox with its list of effects, which the owner empties. */
export interface RecordingOutbox extends Outbox {
  readonly effects: Effect[];
}

/** An outbox whose effects go into `hash` as well. */
export function createRecordingOutbox(hash: Fingerprint): RecordingOutbox {
  const sendBytes = new Uint8Array(LIMITS.datagramBytesMax);
  const effects: Effect[] = [];
  return {
    sendBytes,
    effects,
    reserve: () => 0,
    transmit(flow, offset, length) {
      fingerprintNumber(hash, 1);
      fingerprintNumber(hash, flow);
      hashDatagram(hash, sendBytes, offset, length);
      effects.push({ kind: "transmit", flow, bytes: sendBytes.slice(offset, offset + length) });
    },
    reply(reply) {
      fingerprintText(hash, `reply ${JSON.stringify(reply)}`);
      effects.push({ kind: "reply", reply });
    },
    event(event) {
      fingerprintText(hash, `event ${JSON.stringify(event)}`);
      effects.push({ kind: "event", event });
    },
    relayPacket(shard, offset, length) {
      fingerprintNumber(hash, 3);
      fingerprintNumber(hash, shard);
      hashDatagram(hash, sendBytes, offset, length);
      effects.push({ kind: "relay", shard, lane: "packets", record: sendBytes.slice(offset, offset + length) });
    },
    relayMail(shard, record) {
      fingerprintNumber(hash, 4);
      fingerprintNumber(hash, shard);
      hashDatagram(hash, record, 0, record.length);
      effects.push({ kind: "relay", shard, lane: "mail", record });
    },
    releaseFlow(flow) {
      fingerprintNumber(hash, 2);
      fingerprintNumber(hash, flow);
      effects.push({ kind: "release", flow });
    },
  };
}
