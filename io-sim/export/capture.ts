/**
 * A traced run as a capture that Wireshark opens.
 *
 * Three interfaces, because the same packet is seen in three ways: sealed at the server's door (STUN, DTLS, SRTP, SRTCP,
 * and whatever strangers throw), in plain at a client (RTP and RTCP), and on the link that dropped it. Each packet's
 * comment names its event and the count of inputs of the server, or of which shard, with which a replay and a journal find the
 * same moment.
 */
import { replayCommand } from "../inspection/replay-command.ts";
import type { PacketSurface, TracedPacket } from "../trace/packets.ts";
import type { Trace } from "../trace/trace.ts";
import {
  type CapturedDatagram,
  enhancedPacket,
  interfaceDescription,
  nameResolution,
  sectionHeader,
} from "./pcapng.ts";

/**
 * Plain packets are shown with this port in place of the server's: where it has seen a DTLS handshake with use_srtp,
 * Wireshark takes all media for encrypted.
 */
const PLAIN_PORT = 5_004;

const INTERFACES: readonly { readonly surface: PacketSurface; readonly description: string }[] = [
  { surface: "encrypted", description: "what reached and left the server's port" },
  {
    surface: "decrypted",
    description: `RTP and RTCP in plain, as clients sent and opened them; the server's port is ${PLAIN_PORT}, that of another shard the one after it`,
  },
  { surface: "dropped", description: "what the links dropped; the comments say why" },
];

/** The file as a list of blocks, to be written one after the other. */
export function traceToPcapng(trace: Trace): Uint8Array[] {
  const { packets, forgotten } = trace;
  const gap = forgotten.packets === 0 ? "" : ` ${forgotten.packets} packets in the middle did not fit.`;
  const comment = `${trace.story}, seed ${trace.seed}: "${trace.sentence}" ${trace.verdict}, fingerprint ${trace.fingerprint}.${gap} ${replayCommand(trace.replayName, trace.seed)}`;
  return [
    sectionHeader("Lockstep simulator", comment),
    ...INTERFACES.map(({ surface, description }) => interfaceDescription(surface, description)),
    nameResolution(namesOf(trace)),
    ...packets.map((packet, index) => enhancedPacket(captured(trace, packet), index)),
  ];
}

function captured(trace: Trace, packet: TracedPacket): CapturedDatagram {
  return {
    interfaceId: INTERFACES.findIndex(({ surface }) => surface === packet.surface),
    wallMicros: trace.wallAtStart + (packet.at - trace.startsAt),
    inbound: packet.direction === "up",
    source: shownAddress(trace, packet, packet.source),
    target: shownAddress(trace, packet, packet.target),
    payload: packet.bytes,
    comment: commentOf(trace, packet),
  };
}

/** In plain, each shard has a port of its own behind that of the first, as at its door. */
function shownAddress({ shards }: Trace, packet: TracedPacket, address: string): string {
  const place = packet.surface === "decrypted" ? placeAt(shards, address) : -1;
  return place < 0 ? address : `${ipOf(address)}:${PLAIN_PORT + place}`;
}

/** The place of the shard that listens at this address; −1 for nobody's. */
function placeAt(shards: Trace["shards"], address: string): number {
  return shards.findIndex(({ addresses }) => addresses.includes(address));
}

function commentOf({ shards }: Trace, packet: TracedPacket): string {
  const { event, input, peer, direction, reason } = packet;
  const who = peer === "" ? "a stranger" : peer;
  const dropped = reason === "" ? "" : `; dropped: ${reason}`;
  // Each shard counts its own inputs, and has a journal of its own.
  const shard = shards[placeAt(shards, direction === "up" ? packet.target : packet.source)]?.name;
  const counted = shards.length === 1 || shard === undefined ? "" : ` of ${shard}`;
  return `event ${event}, input ${input}${counted}; ${who}, ${direction}${dropped}`;
}

function namesOf(trace: Trace): { ip: string; name: string }[] {
  const names = new Map(trace.shards[0]!.addresses.map((address) => [ipOf(address), "server"]));
  for (const { name, addresses } of trace.peers) for (const address of addresses) names.set(ipOf(address), name);
  return [...names].map(([ip, name]) => ({ ip, name }));
}

function ipOf(address: string): string {
  return address.slice(0, address.lastIndexOf(":"));
}
