/**
 * Streams that nobody can open any more, whoever is to blame for it.
 *
 * SRTP counts the rounds of a stream's sequence numbers, and says in no packet which round it is of. Whoever hears of a stream
 * for the first time takes it to be in its first round (RFC 3711 §3.3.1); that is why senders should begin with a number
 * under 2^15. Clients that begin right before their wrap, so that wraps are met at all, run a risk: when all packets up to
 * there get lost, every later one is refused, and nothing of the stream can be owed to anybody.
 */
import type { Client } from "../client/client.ts";
import { NEAR_WRAP_PACKETS, type OutStream } from "../client/out-stream.ts";
import type { World } from "../world/world.ts";

/** Whether a stream of this client's camera or microphone has ended its first round before the server heard any of it. */
export function isPastOpening(world: World, client: Client, kind: "audio" | "video"): boolean {
  if (!client.media.plan.nearWrap) return false;
  return client.media.outStreams.some(
    (stream) => stream.kind === kind && stream.packetsSent > NEAR_WRAP_PACKETS && !isHeard(world, client, stream),
  );
}

function isHeard(world: World, client: Client, { ssrc }: OutStream): boolean {
  return world.nodes.some(({ shard }) => {
    const inbound = shard.participants.get(client.participant)?.inbound.get(ssrc | 0);
    return inbound !== undefined && inbound.stream.statistics.packets > 0;
  });
}
