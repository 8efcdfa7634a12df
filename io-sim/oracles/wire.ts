/**
 * The oracle at the server's door: judges every datagram that leaves, with no key in its hand.
 *
 * Who may get media at all follows from what the server itself has announced (S1, S13), and what strangers get is weighed
 * against what they sent (S12). SRTP leaves the header in the clear, so in the end the numbers that are missing can be laid
 * beside all that was lost on the way in (S2). What is judged packet by packet stands in ./forwarding.ts.
 */
import { type ShardEvent, shardOf } from "../../core/index.ts";
import type { Client } from "../client/client.ts";
import { linkCounters, linkDropped } from "../link/index.ts";
import type { SfuNode } from "../world/node.ts";
import { lostBetweenShards } from "../world/shards.ts";
import { clientOf, type Peer, peerOf } from "../world/topology.ts";
import type { World, WorldWatcher } from "../world/world.ts";
import { excused, failedInTime, failedToForward } from "./excuses.ts";
import { lastingState, spokenFor } from "./lasting-state.ts";
import { isControl, REMEMBERED, readU16, readU32, unwrapped } from "./ledger.ts";
import { breach, judge, type PromiseBook, upheld } from "./promises.ts";
import { isBindingSuccess, type Tenants } from "./tenants.ts";

/** Every so many datagrams of strangers the whole state is compared before and after. */
const COMPARE_STATE_EVERY = 25;

/** The longest that a turn is late which was made to be. */
const LATE_MICROS = 100_000;

/** A stream of RTP to a client. Each packet is looked at here, so what is looked at lies together. */
interface OutgoingStream {
  /** The SSRC as a signed number: those that the engine keeps in the object itself. */
  readonly key: number;
  /** Whether the client's answer names it. */
  readonly isNamed: boolean;
  first: number;
  highest: number;
  distinct: number;
  /** When the newest packet was sent. */
  highestAt: number;
  /** Those that were left out while there may have been no way to the client, and have not been sent since. */
  readonly wayless: Set<number>;
  /** The index of each of the last packets. */
  readonly sent: Float64Array;
  readonly client: Client;
  /** What it was made of: what was shown over the connection that it belongs to. */
  readonly shown: Shown;
}

/** Whom the server has said to be connected, and to have left; what it has said to be shown to each over the connection that he
 * has; how often it has given somebody a new connection, and how often it has said anything. */
interface Said {
  times: number;
  readonly reconnects: Map<Peer, number>;
  readonly connected: Set<number>;
  readonly left: Set<number>;
  readonly shown: Map<number, Shown>;
}

/**
 * Who was shown over one connection to a shard, in any of its slots, and how often it was said what these show. A client's
 * number tells nothing of it at the end: it goes over to his next connection, and the server's next process gives it anew.
 */
interface Shown {
  readonly shard: number;
  readonly publishers: Set<Peer>;
  times: number;
}

/** What the server has said of a client, and what it has sent there. */
interface Recipient {
  isConnected: boolean;
  hasLeft: boolean;
  /** How often the server had said anything when that was looked up. */
  asOf: number;
  readonly streams: OutgoingStream[];
}

/** The oracle: a watcher, and a last word at the end of the story. */
export interface WireOracle extends WorldWatcher {
  finish(): void;
}

/** The oracle of this world. */
export function createWireOracle(world: World, book: PromiseBook, tenants: Tenants): WireOracle {
  const said: Said = { times: 0, connected: new Set(), left: new Set(), shown: new Map(), reconnects: new Map() };
  /** By the ordinals of clients. */
  const recipients: Recipient[] = [];
  let residue: Uint8Array | undefined;
  let spoken = -1;
  let datagrams = 0;
  let strays = 0;

  function followEvent(event: ShardEvent): void {
    said.times++;
    if (event.type === "left") said.left.add(event.participant);
    if (event.type === "reconnecting") {
      said.connected.delete(event.participant);
      said.shown.delete(event.participant);
      const peer = peerNumbered(world, event.participant);
      if (peer !== undefined) said.reconnects.set(peer, (said.reconnects.get(peer) ?? 0) + 1);
    }
    if (event.type === "bindings") noteShown(world, said, event);
    if (event.type !== "connected") return;
    said.connected.add(event.participant);
    const client = clientOf(world, event.participant);
    const impostor = client?.plan.impostor === true;
    judge(book, "S13", !impostor, () => `${client!.plan.name} showed a certificate that its offer had not named.`);
  }

  function judgeMedia(client: Client, bytes: Uint8Array): void {
    const { name } = client.plan;
    const { isConnected, hasLeft, streams } = recipientOf(recipients, said, client);
    if (!upheld(book, book.tallies.S13, isConnected))
      breach(book, "S13", `${name} was sent media before it was connected.`);
    if (!upheld(book, book.tallies.S1, !hasLeft)) breach(book, "S1", `${name} was sent media after it had left.`);
    if (isControl(bytes) || bytes.length < 12) return;
    const stream = streamOf(said, streams, client, bytes);
    if (!upheld(book, book.tallies.S11, stream.isNamed))
      breach(book, "S11", `${name} was sent SSRC ${stream.key >>> 0}, which is not its own.`);
    noteNumber(stream, readU16(bytes, 2), world.loop.now, tenants.displacedAt(client));
  }

  return {
    crashed: () => forgetSaid(said),
    event: followEvent,
    beforeInput(input, node) {
      residue = undefined;
      if (!world.attacker.inHand || input.kind !== "datagram" || datagrams++ % COMPARE_STATE_EVERY !== 0) return;
      spoken = spokenFor(node.shard, input);
      residue = lastingState(node.shard, spoken);
    },
    afterInput(_input, _effects, node) {
      if (residue === undefined) return;
      const same = Buffer.compare(residue, lastingState(node.shard, spoken)) === 0;
      // Whatever comes from an address has its turn set anew, and then it is late no more.
      if (!same && excused(book, "failed timers", failedInTime(world, world.loop.now - LATE_MICROS) > 0)) return;
      judge(book, "S12", same, () => "A datagram that nobody had authenticated changed the state of the server.");
    },
    transmitted(target, bytes, peer, node) {
      const media = bytes.length > 1 && bytes[0]! >= 128 && bytes[0]! <= 191;
      // Where nobody was ever answered, whoever lives there is not connected.
      const client = tenants.at(node, target) ?? peer?.client;
      if (client === undefined && media) strays++;
      if (client !== undefined && media) judgeMedia(client, bytes);
      if (world.attacker.inHand) {
        const taken = isBindingSuccess(bytes);
        judge(book, "S12", !taken, () => `A check that nobody had authenticated was taken from ${target}.`);
      }
      if (peer === undefined) weighStranger(world, book, target, bytes);
    },
    finish() {
      for (const { streams } of recipients) for (const stream of streams) judgeGaps(world, book, said, stream, strays);
    },
  };
}

/** What is known of a client, as of what the server has said last. */
function recipientOf(recipients: Recipient[], said: Said, { plan, participant }: Client): Recipient {
  const { ordinal } = plan;
  while (recipients.length <= ordinal) recipients.push({ isConnected: false, hasLeft: false, asOf: -1, streams: [] });
  const recipient = recipients[ordinal]!;
  if (recipient.asOf !== said.times) {
    recipient.isConnected = said.connected.has(participant);
    recipient.hasLeft = said.left.has(participant);
    recipient.asOf = said.times;
  }
  return recipient;
}

/** That no stranger is sent media, nor anybody else who has not consented, is judged in ./forwarding.ts. */
function weighStranger(world: World, book: PromiseBook, target: string, bytes: Uint8Array): void {
  const { bytesFrom, bytesTo } = world.attacker;
  const from = bytesFrom.get(target);
  // An address that a peer has just given up is no stranger's.
  if (from === undefined) return;
  const to = (bytesTo.get(target) ?? 0) + bytes.length;
  bytesTo.set(target, to);
  judge(book, "S12", to <= 3 * from, () => `The stranger at ${target} sent ${from} bytes and was sent ${to}.`);
}

function streamOf(said: Said, streams: OutgoingStream[], client: Client, bytes: Uint8Array): OutgoingStream {
  const key = readU32(bytes, 8) | 0;
  for (let i = 0; i < streams.length; i++) if (streams[i]!.key === key) return streams[i]!;
  const stream = createStream(said, client, key >>> 0);
  streams.push(stream);
  return stream;
}

function createStream(said: Said, client: Client, ssrc: number): OutgoingStream {
  const media = client.answer?.media ?? [];
  return {
    key: ssrc | 0,
    isNamed: media.some((each) => each.ssrc === ssrc || each.rtxSsrc === ssrc),
    first: -1,
    highest: -1,
    distinct: 0,
    highestAt: 0,
    wayless: new Set(),
    sent: new Float64Array(REMEMBERED).fill(-1),
    client,
    shown: shownTo(said, client.participant),
  };
}

/**
 * Notes that this number was sent. Whose address has become another's gets nothing until it is heard of elsewhere; what was
 * for it meanwhile keeps its numbers, so that the receiver learns that it is missing.
 */
function noteNumber(stream: OutgoingStream, sequence: number, now: number, displacedAt: number): void {
  const { sent, highest, highestAt, wayless } = stream;
  const index = unwrapped(highest, sequence);
  const place = index % REMEMBERED;
  if (index <= highest && sent[place] === index) return;
  sent[place] = index;
  stream.distinct++;
  if (index < highest) {
    wayless.delete(index);
    return;
  }
  if (stream.first < 0) stream.first = index;
  else if (displacedAt >= highestAt) for (let left = highest + 1; left < index; left++) wayless.add(left);
  stream.highest = index;
  stream.highestAt = now;
}

/** What a process has said ends with it. */
function forgetSaid(said: Said): void {
  said.times++;
  for (const told of [said.connected, said.left, said.shown]) told.clear();
}

function noteShown(world: World, said: Said, { participant, slots }: Extract<ShardEvent, { type: "bindings" }>): void {
  const shown = shownTo(said, participant);
  shown.times++;
  for (const slot of slots) {
    const peer = slot.publication === 0 ? undefined : peerNumbered(world, slot.participant);
    if (peer !== undefined) shown.publishers.add(peer);
  }
}

function peerNumbered(world: World, participant: number): Peer | undefined {
  const client = clientOf(world, participant);
  return client === undefined ? undefined : peerOf(world, client);
}

function shownTo({ shown }: Said, participant: number): Shown {
  const known = shown.get(participant) ?? { shard: shardOf(participant), publishers: new Set(), times: 0 };
  shown.set(participant, known);
  return known;
}

/**
 * At the end: what is missing going out was missing (or late, or damaged) coming in, from those who were shown there; or was
 * lost on the way from their shards; or there was no way out, as the client's address had become another's. Where a source was
 * left in the middle of a frame, for another or because its sender has another connection, one number is left out.
 */
function judgeGaps(world: World, book: PromiseBook, said: Said, stream: OutgoingStream, strays: number): void {
  const missing = stream.highest - stream.first + 1 - stream.distinct - stream.wayless.size;
  const { shard: home, publishers, times } = stream.shown;
  let trouble = strays + failedToForward(world) + times;
  for (const peer of publishers) trouble += troubleOf(world, peer) + (said.reconnects.get(peer) ?? 0);
  for (const { shard } of world.shards.all) trouble += lostBetweenShards(world, shard.number, home);
  const { name } = stream.client.plan;
  judge(
    book,
    "S2",
    missing <= trouble,
    () =>
      `${missing} packets of SSRC ${stream.key >>> 0} to ${name} are missing, but only ${trouble} were lost on the way in.`,
  );
}

/** Until its first check a peer that has moved is a stranger, and what it sends is dropped as a stranger's. */
function troubleOf(world: World, peer: Peer): number {
  const counters = linkCounters(peer.up);
  const strangersOf = ({ shard, strangersBefore }: SfuNode) =>
    strangersBefore + shard.history.counters.datagramsFromStrangers;
  const moved = peer.moves > 0 ? world.nodes.reduce((sum, node) => sum + strangersOf(node), 0) : 0;
  return linkDropped(counters) + counters.corrupted + counters.truncated + counters.reordered + moved;
}
