/**
 * The first stations: the sending host, the gate (firewall and MTU), and the policer.
 *
 * A stalled host sends nothing until its stall ends, and then everything at once. The gate lets pass, swallows silently, or
 * forgets a connection that was idle for too long. NAT is no station: an address that changes is the world's business, and
 * what is under way to an old one is lost there. The policer is a token bucket as in RFC 2697, without colours: bytes come
 * in at its rate up to its burst, a packet that finds too few is dropped, and none ever waits.
 */
import type { Stream } from "../base/random.ts";
import { createEpisodes, type Episodes, inEpisode } from "./episodes.ts";
import { drop, type Link, type Packet, wireBytes } from "./state.ts";

/** What the first stations remember. */
export interface GateState {
  readonly stalls: Episodes;
  /** What waits for a clog to end, and since when. */
  readonly clogged: { readonly packet: Packet; readonly since: number }[];
  dtlsSeen: number;
  /** When each connection carried something last, by its two addresses. */
  readonly usedAt: Map<string, number>;
  /** What the policer would let pass, in millionths of a bit, as of a time; negative before the first packet. */
  tokens: number;
  tokensAt: number;
}

/** Stations that have seen nothing; `stalls` is the stream of the host's stalls. */
export function createGate(stalls: Stream, now: number): GateState {
  return {
    stalls: createEpisodes(stalls, now),
    clogged: [],
    dtlsSeen: 0,
    usedAt: new Map(),
    tokens: -1,
    tokensAt: now,
  };
}

/** When the sending host lets a packet go that it has at `now`. */
export function passHost(link: Link, now: number): number {
  const { stalls } = link.plan;
  return stalls !== null && inEpisode(link.gate.stalls, stalls, now) ? link.gate.stalls.endsAt : now;
}

/** Whether the packet gets through the gate; when not, it has been dropped. */
export function passGate(link: Link, packet: Packet, now: number): boolean {
  const { plan, gate } = link;
  if (plan.cut) drop(link, "gate", packet, "cut");
  else if (plan.udp === "dropped") drop(link, "gate", packet, "firewall");
  else if (plan.udp !== "tunnelled" && wireBytes(link, packet) > plan.mtuBytes) drop(link, "gate", packet, "mtu");
  else if (plan.idleMicros > 0 && isForgotten(gate, packet, now, plan.idleMicros))
    drop(link, "gate", packet, "idleness");
  else if (isLostHandshake(link, packet)) drop(link, "gate", packet, "handshake-loss");
  else return true;
  return false;
}

function isForgotten(gate: GateState, packet: Packet, now: number, idleMicros: number): boolean {
  const connection = `${packet.source} ${packet.target}`;
  const usedAt = gate.usedAt.get(connection) ?? now;
  // A dead connection stays dead: its time of last use is not moved any more.
  if (now - usedAt > idleMicros) return true;
  gate.usedAt.set(connection, now);
  return false;
}

function isLostHandshake(link: Link, packet: Packet): boolean {
  return isHandshake(packet) && link.plan.loseDtls.includes(link.gate.dtlsSeen++);
}

/** Whether it is a datagram of DTLS (RFC 7983 §7). */
export function isHandshake({ bytes }: Packet): boolean {
  return bytes.length > 0 && bytes[0]! >= 20 && bytes[0]! <= 63;
}

/** Whether the policer lets the packet pass; when not, it has been dropped. */
export function passPolicer(link: Link, packet: Packet, now: number): boolean {
  const { plan, gate } = link;
  if (plan.policerBps === 0) return true;
  const full = plan.policerBurstBytes * 8 * 1_000_000;
  // A bucket is full again after this long; more than that would only overflow the product.
  const fillMicros = Math.ceil(full / plan.policerBps);
  const earned = Math.min(now - gate.tokensAt, fillMicros) * plan.policerBps;
  gate.tokens = gate.tokens < 0 ? full : Math.min(full, gate.tokens + earned);
  gate.tokensAt = now;
  const price = wireBytes(link, packet) * 8 * 1_000_000;
  if (gate.tokens < price) {
    drop(link, "policer", packet, "policer");
    return false;
  }
  gate.tokens -= price;
  return true;
}
