/**
 * What of a shard no stranger may change: the state that is compared before and after a datagram of theirs.
 *
 * That is all but three things. Records that are dropped are counted. The scratch of the record layer means nothing. And while
 * a handshake is under way its messages come in plaintext (RFC 6347), so whoever writes under the address of a peer may
 * challenge one, have the flight sent again, leave a sealed record for later or say that all is over; core/dtls/inbound.ts and
 * ending.ts say what bounds that, and how the handshake gets over it.
 *
 * So of the one association that DTLS from this address reaches, while its handshake is under way, what has been said is left
 * out, and when its participant has his next turn. How it stands, what it is held against and what it has led to are compared:
 * no stranger may end it, either way.
 */
import { type DatagramInput, type Micros, NEVER, type Shard, shardResidue } from "../../core/index.ts";

type Participant = Shard["participants"] extends Map<number, infer P> ? P : never;
type Dtls = Participant["peer"]["dtls"];

/** What nobody has proved in a handshake which is under way. */
type Unproved = "inbound" | "early" | "exchange" | "keys" | "window" | "doubt" | "alarm" | "writeSequences" | Flight;
type Flight = "flight" | "flightDueAt" | "retransmitAt" | "retransmitWaitMicros" | "retransmits";

const NO_BYTES = new Uint8Array(0);

/** RFC 7983 §7: the first byte of a datagram of DTLS. */
const DTLS_FIRST_MIN = 20;
const DTLS_FIRST_MAX = 63;

/** In whose handshake a datagram may speak: a participant's number, or -1. */
export function spokenFor(shard: Shard, { flow, bytes, offset, length }: DatagramInput): number {
  const participant = shard.flows.get(flow);
  const isDtls = length > 0 && bytes[offset]! >= DTLS_FIRST_MIN && bytes[offset]! <= DTLS_FIRST_MAX;
  return isDtls && participant !== undefined && isUnderWay(participant) ? participant.id : -1;
}

/** The state that lasts, as bytes that are equal where it is; `spoken` is what {@link spokenFor} has answered before. */
export function lastingState(shard: Shard, spoken: number): Uint8Array {
  const { participants, timers } = shard;
  const associations = [...participants.values()].map(({ peer }) => ({ peer, dtls: peer.dtls }));
  for (const [id, participant] of participants) {
    const { peer } = participant;
    const unproved = id === spoken && isUnderWay(participant) ? withoutWords(peer.dtls) : peer.dtls;
    peer.dtls = { ...unproved, droppedRecords: 0, nonce: NO_BYTES, additionalData: NO_BYTES };
  }
  if (spoken >= 0) shard.timers = withoutTurnOf(timers, spoken);
  const bytes = shardResidue(shard);
  for (const { peer, dtls } of associations) peer.dtls = dtls;
  shard.timers = timers;
  return bytes;
}

function isUnderWay({ peer }: Participant): boolean {
  return peer.dtls.status === "handshaking";
}

function withoutWords(dtls: Dtls): Dtls {
  const nothing: Pick<Dtls, Unproved> = {
    inbound: [],
    early: [],
    exchange: null,
    keys: null,
    window: { highest: -1, marked: new Float64Array(0) },
    doubt: null,
    alarm: null,
    writeSequences: [],
    flight: [],
    flightDueAt: NEVER,
    retransmitAt: NEVER,
    retransmitWaitMicros: NEVER,
    retransmits: 0,
  };
  return { ...dtls, ...nothing };
}

/** The turns of all others in their order, so that it makes no difference how the heap came to lie. */
function withoutTurnOf({ keys, deadlines, orders }: Shard["timers"], participant: number): Shard["timers"] {
  const turns = keys.map((key, place) => ({ key, deadline: deadlines[place]!, order: orders[place]! }));
  const others = turns.filter(({ key }) => key !== participant);
  others.sort((a, b) => a.deadline - b.deadline || a.order - b.order);
  return {
    keys: others.map(({ key }) => key),
    deadlines: others.map(({ deadline }): Micros => deadline),
    orders: others.map((_, place) => place),
    positions: new Map(others.map(({ key }, place) => [key, place])),
    nextOrder: others.length,
  };
}
