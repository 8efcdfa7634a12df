/**
 * What becomes of this shard when another one is gone: everything that belonged to it goes too.
 *
 * Its publications stop here, and nothing is relayed to it any more. Rooms here lose its participants, and those here whose
 * room it held lose their room, and with it the call: they are told so with close_notify and may join again, elsewhere. The
 * number of a shard is never used again, so what is still said of it later finds nobody.
 */
import type { Micros } from "../base/micros.ts";
import { deliverMail } from "./delivery.ts";
import { shardOf } from "./ids.ts";
import { removeParticipant } from "./lifecycle.ts";
import { postMail } from "./mail.ts";
import type { ShardPorts } from "./ports.ts";
import { forgetProxy } from "./proxies.ts";
import type { Shard } from "./state.ts";

/** Drops all that belonged to the shard with this number. */
export function loseShard(shard: Shard, ports: ShardPorts, now: Micros, number: number): void {
  for (const proxy of [...shard.proxies.values()]) if (shardOf(proxy.id) === number) forgetProxy(shard, proxy);
  for (const publication of shard.publications.values()) {
    publication.relays = publication.relays.filter((relay) => relay.shard !== number);
  }
  for (const { name, members } of shard.rooms.values()) {
    for (const id of members.keys()) {
      if (shardOf(id) !== number) continue;
      const from = { actor: "participant", shard: number, id } as const;
      const to = { actor: "room", shard: shard.number, id: name } as const;
      postMail(shard.mail, from, to, { to: "room", type: "exit", participant: id, reason: "shard-lost", detail: "" });
    }
  }
  deliverMail(shard, ports, now);
  for (const participant of [...shard.participants.values()]) {
    if (participant.home === number) removeParticipant(shard, ports, now, participant, "shard-lost", "");
  }
  // What was said to it just now nobody will read.
  shard.mail.outgoing.delete(number);
}
