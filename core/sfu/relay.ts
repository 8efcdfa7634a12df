/**
 * The door between shards: what waits in the mail for others goes out in records, and a batch of records that has come in
 * becomes letters and packets again.
 *
 * Mail is reliable and in order, packets may be lost; the host sees to both, and may put as many records into one batch as
 * it likes: they lead to what they would have led to one by one. The shards of a server are one program and trust each
 * other: a record that makes no sense is a mistake of ours.
 */
import { assert } from "../base/assert.ts";
import { decodePlain } from "../base/plain-decode.ts";
import { encodePlain } from "../base/plain-encode.ts";
import { RELAY_MAIL_HEADER_BYTES, relayMailRecord, relayRecordLength } from "../wire/relay-record.ts";
import { type Circular, postMail } from "./mail.ts";
import type { ShardPorts } from "./ports.ts";
import type { Shard } from "./state.ts";

/** Sends out the mail for other shards. */
export function flushMail(shard: Shard, ports: ShardPorts): void {
  const { outgoing } = shard.mail;
  const { lettersPerRecordMax } = shard.tunables;
  for (const [number, circulars] of outgoing) {
    for (let from = 0; from < circulars.length; from += lettersPerRecordMax) {
      const letters = encodePlain(circulars.slice(from, from + lettersPerRecordMax));
      ports.outbox.relayMail(number, relayMailRecord(letters));
    }
  }
  outgoing.clear();
}

/** Puts the letters of a mail record into the mailboxes of this shard. */
export function unpackMail(shard: Shard, bytes: Uint8Array, offset: number): void {
  const letters = bytes.slice(offset + RELAY_MAIL_HEADER_BYTES, offset + relayRecordLength(bytes, offset));
  for (const { from, to, message } of decodePlain(letters) as Circular[]) {
    for (const actor of to) {
      assert(actor.shard === shard.number, "mail from another shard is for this one");
      postMail(shard.mail, from, actor, message);
    }
  }
}
