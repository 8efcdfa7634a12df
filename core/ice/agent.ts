/**
 * A controlled ICE-lite agent (RFC 8445 §2.5, §7.3): the server's side of ICE for one peer.
 *
 * It sits behind one address and sends no checks of its own. The peer, a full agent, sends binding requests from wherever
 * it is; each that proves knowledge of our password makes its flow valid, and one with USE-CANDIDATE selects its flow. A
 * later nomination from another flow moves the peer there: that is all it takes to walk from Wi-Fi to a mobile network.
 * The same requests keep the peer's consent fresh, for the flow that they come from and for no other (RFC 7675). Nothing
 * changes before a request is authenticated, and an answer is never more than three times as long as its request.
 *
 * Left out: candidates, check lists and tie-breakers (a lite agent is always controlled), and a return-routability test of
 * the peer's address, which only a full agent's own checks could give. A peer that forges its source address can point its
 * own media at someone else for as long as it keeps forging checks.
 */

import type { DatagramSink } from "../base/datagram-sink.ts";
import { after, earliest, type Micros } from "../base/micros.ts";
import { utf8Encode } from "../base/text.ts";
import { LIMITS } from "../limits.ts";
import type { Tunables } from "../tunables.ts";
import {
  STUN,
  STUN_ATTRIBUTE,
  STUN_ERROR,
  STUN_TYPE,
  type StunErrorCode,
  type StunHmac,
  stunCheck,
  stunFindAttribute,
  stunFingerprintFits,
  stunIntegrityFits,
  stunLocalUfrag,
  stunType,
  stunUnknownAttributes,
  stunWriteBindingError,
  stunWriteBindingSuccess,
} from "../wire/stun.ts";

/** What {@link iceHandleStun} did with a datagram. */
export const ICE = {
  /** Nothing: not a request for this agent, or malformed. */
  DROPPED: 0,
  /** A success response was sent; the flow is valid now. */
  ANSWERED: 1,
  /** The same, and `selectedFlow` has changed. */
  SELECTED: 2,
  /** An error response was sent. */
  REFUSED: 3,
  /** A binding indication (RFC 8445 §11): legal, asks for no answer, changes nothing. */
  INDICATION: 4,
} as const;

/** The ICE credentials that the SDP answer gave to the peer. */
export interface IceCredentials {
  readonly localUfrag: string;
  readonly localPassword: string;
}

/** The agent of one peer; make one with {@link createIceAgent}. */
export interface IceAgent {
  /** The flow that the peer wants to be sent to, or -1 before any nomination. First, as each packet asks for it. */
  selectedFlow: number;
  readonly tunables: Tunables;
  readonly localUfrag: string;
  /** The bytes of the local password: the key of both directions' MESSAGE-INTEGRITY. */
  readonly localKey: Uint8Array;
  /** Flows with consent, in the order in which they became valid; at most `iceFlowsPerPeerMax`. */
  flows: number[];
  /** When each of `flows` was last heard with an authenticated request. */
  heardAt: Micros[];
  /** From then on the peer has no consent left, whatever flow it was heard on last. */
  consentExpiresAt: Micros;
  /** The flow that the last call of {@link iceHandleStun} or {@link iceTimeout} gave up, or -1. */
  evictedFlow: number;
}

/** An agent that has heard nothing yet; its peer has `consentMicros` to turn up. */
export function createIceAgent(credentials: IceCredentials, tunables: Tunables, now: Micros): IceAgent {
  return {
    selectedFlow: -1,
    tunables,
    localUfrag: credentials.localUfrag,
    localKey: utf8Encode(credentials.localPassword),
    flows: [],
    heardAt: [],
    consentExpiresAt: consentEnd(tunables, now),
    evictedFlow: -1,
  };
}

/**
 * Takes a STUN datagram that came in on `flow` from `address` (4 or 16 bytes of IP, 2 of port), sends what answer it
 * deserves to `sink`, and answers a code of {@link ICE}. The bytes may be patched meanwhile but are as before afterwards.
 */
export function iceHandleStun(
  agent: IceAgent,
  now: Micros,
  hmac: StunHmac,
  sink: DatagramSink,
  flow: number,
  address: Uint8Array,
  bytes: Uint8Array,
  offset: number,
  length: number,
): number {
  agent.evictedFlow = -1;
  if (stunCheck(bytes, offset, length) !== STUN.OK || !stunFingerprintFits(bytes, offset)) return ICE.DROPPED;
  if (stunType(bytes, offset) === STUN_TYPE.BINDING_INDICATION) return ICE.INDICATION;
  if (stunType(bytes, offset) !== STUN_TYPE.BINDING_REQUEST) return ICE.DROPPED;
  // Every check has to have one (RFC 8489 §7). MESSAGE-INTEGRITY does not cover what is behind it, so a copy of a check whose
  // FINGERPRINT was made unrecognisable would pass, and whoever sent it would get the peer's media.
  if (stunFindAttribute(bytes, offset, STUN_ATTRIBUTE.FINGERPRINT) < 0) return ICE.DROPPED;
  // RFC 8489 §9.1.3 would answer 401 here; whoever does not even know the ufrag gets no answer to reflect.
  if (stunLocalUfrag(bytes, offset, length) !== agent.localUfrag) return ICE.DROPPED;
  if (stunFindAttribute(bytes, offset, STUN_ATTRIBUTE.MESSAGE_INTEGRITY) < 0) {
    return refuse(null, hmac, sink, flow, bytes, offset, STUN_ERROR.BAD_REQUEST, []);
  }
  if (!stunIntegrityFits(hmac, agent.localKey, bytes, offset)) {
    return refuse(null, hmac, sink, flow, bytes, offset, STUN_ERROR.UNAUTHENTICATED, []);
  }
  const unknown = stunUnknownAttributes(bytes, offset, LIMITS.stunUnknownAttributesMax);
  if (unknown.length > 0) {
    return refuse(agent.localKey, hmac, sink, flow, bytes, offset, STUN_ERROR.UNKNOWN_ATTRIBUTE, unknown);
  }
  // Without a tie-breaker to compare: a lite agent can't take the controlling role, so the peer has to (RFC 8445 §6.1.1).
  if (stunFindAttribute(bytes, offset, STUN_ATTRIBUTE.ICE_CONTROLLED) >= 0) {
    return refuse(agent.localKey, hmac, sink, flow, bytes, offset, STUN_ERROR.ROLE_CONFLICT, []);
  }
  const target = sink.reserve();
  const size = stunWriteBindingSuccess(hmac, agent.localKey, sink.sendBytes, target, bytes, offset, address);
  sink.transmit(flow, target, size);
  agent.consentExpiresAt = consentEnd(agent.tunables, now);
  const nominates = stunFindAttribute(bytes, offset, STUN_ATTRIBUTE.USE_CANDIDATE) >= 0;
  return hear(agent, now, flow, nominates) ? ICE.SELECTED : ICE.ANSWERED;
}

/**
 * The flow to send to: the selected one, before any nomination the first valid one, or -1 when no flow is valid. RFC 8445
 * §12.1.2 has a lite agent wait for a nomination; but the peer has proved to be there, and to wait would cost the DTLS
 * handshake a round trip.
 */
export function iceSendFlow(agent: IceAgent): number {
  if (agent.selectedFlow >= 0 || agent.flows.length === 0) return agent.selectedFlow;
  return agent.flows[0]!;
}

/**
 * Takes a flow away from the agent, because it has become another peer's. When it was the selected one, the one that was heard
 * last takes its place. Nothing happens when the agent does not have it.
 */
export function iceForgetFlow(agent: IceAgent, flow: number): void {
  const index = agent.flows.indexOf(flow);
  if (index >= 0) removeFlow(agent, index);
}

/** When the agent wants {@link iceTimeout} to be called: when consent runs out for one of the flows, or for the peer. */
export function iceNextTimeout(agent: IceAgent): Micros {
  let next = agent.consentExpiresAt;
  for (const heardAt of agent.heardAt) next = earliest(next, consentEnd(agent.tunables, heardAt));
  return next;
}

/**
 * Gives up a flow for which consent has run out, one at each call: to be heard on another one does not make up for it. Answers
 * whether the peer has been silent for so long that nothing may be sent to it any more.
 */
export function iceTimeout(agent: IceAgent, now: Micros): boolean {
  agent.evictedFlow = -1;
  if (now >= agent.consentExpiresAt) return true;
  const index = agent.heardAt.findIndex((heardAt) => now >= consentEnd(agent.tunables, heardAt));
  if (index >= 0) agent.evictedFlow = removeFlow(agent, index);
  return false;
}

/** From then on nothing may be sent to a flow that was heard at `heardAt` and not since (RFC 7675 §5.1). */
function consentEnd({ consentMicros }: Tunables, heardAt: Micros): Micros {
  return after(heardAt, consentMicros);
}

/** Notes an authenticated check on `flow`; answers whether it has changed the selected flow. */
function hear(agent: IceAgent, now: Micros, flow: number, nominates: boolean): boolean {
  const index = agent.flows.indexOf(flow);
  if (index >= 0) agent.heardAt[index] = now;
  else {
    if (agent.flows.length >= agent.tunables.iceFlowsPerPeerMax) evict(agent);
    agent.flows.push(flow);
    agent.heardAt.push(now);
  }
  if (flow === agent.selectedFlow || !(nominates || selectedIsSilent(agent, now))) return false;
  agent.selectedFlow = flow;
  return true;
}

/**
 * Whether the selected flow has fallen silent. A peer behind a NAT that has changed its mapping does not notice, and many
 * agents nominate once in their life; their next check without USE-CANDIDATE is the only sign of the new address.
 */
function selectedIsSilent(agent: IceAgent, now: Micros): boolean {
  if (agent.selectedFlow < 0) return false;
  const heardAt = agent.heardAt[agent.flows.indexOf(agent.selectedFlow)]!;
  return now - heardAt >= agent.tunables.iceSilentMicros;
}

/** Gives up the flow that was heard longest ago, never the selected one. */
function evict(agent: IceAgent): void {
  let oldest = -1;
  for (let i = 0; i < agent.flows.length; i++) {
    if (agent.flows[i] === agent.selectedFlow) continue;
    if (oldest < 0 || agent.heardAt[i]! < agent.heardAt[oldest]!) oldest = i;
  }
  agent.evictedFlow = removeFlow(agent, oldest);
}

/** Takes a flow off the list, and answers which it was. Where it was selected, the one that was heard last is from now on. */
function removeFlow(agent: IceAgent, index: number): number {
  const flow = agent.flows[index]!;
  agent.flows.splice(index, 1);
  agent.heardAt.splice(index, 1);
  if (flow === agent.selectedFlow) agent.selectedFlow = heardLast(agent);
  return flow;
}

function heardLast({ flows, heardAt }: IceAgent): number {
  let last = 0;
  for (let i = 1; i < flows.length; i++) if (heardAt[i]! >= heardAt[last]!) last = i;
  return flows[last] ?? -1;
}

/** Sends an error response; `key` is `null` when the request was not authenticated. */
function refuse(
  key: Uint8Array | null,
  hmac: StunHmac,
  sink: DatagramSink,
  flow: number,
  bytes: Uint8Array,
  offset: number,
  code: StunErrorCode,
  unknown: readonly number[],
): number {
  const target = sink.reserve();
  const size = stunWriteBindingError(hmac, key, sink.sendBytes, target, bytes, offset, code, unknown);
  sink.transmit(flow, target, size);
  return ICE.REFUSED;
}
