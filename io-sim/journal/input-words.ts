/**
 * What a shard is told, and what it wants done, in a few words: for whoever looks at a run, a journal or two of them.
 *
 * Of media the header is in plain (RFC 3711 §3.1), so a packet has its name even where nobody can open it.
 */
import type { Shard, ShardInput } from "../../core/index.ts";
import { packetKind } from "../trace/packets.ts";
import type { Effect } from "../world/recording-outbox.ts";

/** An input of a server in a few words. */
export function describeInput(input: ShardInput): string {
  if (input.kind === "timer") return "timer";
  if (input.kind === "relay") return `${input.length} bytes relayed by shard ${input.shard}`;
  if (input.kind === "shard-lost") return `shard ${input.shard} is lost`;
  if (input.kind === "command") return `command ${input.commandId}: ${input.command.type}`;
  return describeDatagram(datagramOf(input), input.flow);
}

/** A datagram in a few words. */
export function describeDatagram(bytes: Uint8Array, flow: number): string {
  return `${datagramKind(bytes[0] ?? 0)} of ${bytes.length} bytes on flow ${flow}`;
}

/** What a datagram's first byte makes of it (RFC 7983 §7). */
function datagramKind(lead: number): string {
  if (lead < 4) return "STUN";
  if (lead >= 20 && lead <= 63) return "DTLS";
  return lead >= 128 && lead <= 191 ? "SRTP" : "rubbish";
}

/** Whose datagram it was, and of media which packet, in parentheses; "" for others. Who has left is not known any more. */
export function whoseDatagram(shard: Shard, input: ShardInput): string {
  if (input.kind !== "datagram") return "";
  const participant = shard.flows.get(input.flow);
  const who = participant === undefined ? [] : [`${participant.name || participant.id} in ${participant.room}`];
  const words = [...who, ...packetName(datagramOf(input))];
  return words.length === 0 ? "" : ` (${words.join(", ")})`;
}

/** The name of an RTP packet (RFC 3550 §5.1); none for other datagrams. */
export function packetName(bytes: Uint8Array): string[] {
  if (packetKind(bytes) !== "rtp" || bytes.length < RTP_HEADER_BYTES) return [];
  const header = new DataView(bytes.buffer, bytes.byteOffset);
  return [`ssrc ${header.getUint32(8)}, number ${header.getUint16(2)}`];
}

const RTP_HEADER_BYTES = 12;

/** What was wanted: counts of what was sent, relayed and released, and each event and reply by its type. */
export function describeEffects(effects: readonly Effect[]): string {
  const kinds = new Map<string, number>();
  const said: string[] = [];
  for (const effect of effects) {
    if (effect.kind === "event") said.push(effect.event.type);
    else if (effect.kind === "reply") said.push(effect.reply.type);
    else kinds.set(NAMES[effect.kind], (kinds.get(NAMES[effect.kind]) ?? 0) + 1);
  }
  const counted = [...kinds].map(([name, count]) => `${count} ${name}`);
  return [...counted, ...said].join(", ") || "nothing";
}

const NAMES = { transmit: "sent", relay: "relayed", release: "released" } as const;

function datagramOf({ bytes, offset, length }: { bytes: Uint8Array; offset: number; length: number }): Uint8Array {
  return bytes.subarray(offset, offset + length);
}
