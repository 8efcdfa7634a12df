/**
 * The oracle that follows each packet through the server, with no key in its hand, shard by shard.
 *
 * SRTP leaves headers in the clear, so what came in and what went out because of it can be laid side by side. A stream that
 * goes out is made of pieces of streams that came in; within a piece, sequence numbers and timestamps differ from the
 * source's by a constant (S2, S3), every packet that came is sent on (S2, S18), and frames refer to nothing from before it
 * (S4). A piece of video begins with the first packet of a keyframe (S5). It is made of what the server has announced for
 * the slot, and of nothing else (S1). What comes again is not taken again and not sent under another number (S7); what is
 * sent again was sent before (S8). Between shards packets may be lost, so what one shard owes is what has come to it.
 */
import { LIMITS, type ShardEvent, shardOf } from "../../core/index.ts";
import type { Client } from "../client/client.ts";
import { PAYLOAD_TYPE } from "../client/offer.ts";
import type { SfuNode } from "../world/node.ts";
import type { Effect } from "../world/recording-outbox.ts";
import { longestStandstillMicros, longestWayMicros } from "../world/shards.ts";
import type { World, WorldWatcher } from "../world/world.ts";
import { hadNoWay, hasFailedAtFirst, sentBefore, triedFrom, wasMadeLate } from "./attempts.ts";
import {
  createDoor,
  type Door,
  hasCome,
  noteRelayed,
  type PacketInHand,
  readCounted,
  reasonsIn,
  takeDatagram,
  takeRelayed,
} from "./doors.ts";
import { excused, failedToSend } from "./excuses.ts";
import {
  clearLedger,
  forgetBindings,
  frameOf,
  isControl,
  isMedia,
  type Ledger,
  noteArrival,
  noteBinding,
  noteCarried,
  noteFrame,
  noteOriginal,
  noteReplaced,
  noteTransport,
  type OutgoingStream,
  outgoingStream,
  placeOf,
  readU16,
  readU32,
  SENT,
  type SourceStream,
  sealOf,
  sourceStream,
  unwrapped,
  wasSent,
} from "./ledger.ts";
import {
  beginPiece,
  explaining,
  findPiece,
  fitsPiece,
  hidePiece,
  leaveSource,
  mayBegin,
  narrowOrigins,
  noteEnd,
  settleOrigin,
} from "./pieces.ts";
import { breach, judge, type PromiseBook, upheld } from "./promises.ts";
import { judgeWork } from "./work.ts";

/** How far the step of a timestamp from one piece to the next may be from the time that has passed. */
const STEP_SLACK_MICROS = 250_000;

/** The oracle: a watcher, and a last word at the end. */
export interface ForwardingOracle extends WorldWatcher {
  finish(): void;
}

/** The oracle of this world. */
export function createForwardingOracle(world: World, book: PromiseBook, ledger: Ledger): ForwardingOracle {
  const doors = new Map<SfuNode, Door>();
  const doorOf = (node: SfuNode): Door => {
    let door = doors.get(node);
    if (door === undefined) {
      door = createDoor(node);
      doors.set(node, door);
    }
    return door;
  };

  return {
    crashed() {
      clearLedger(ledger);
      doors.clear();
    },
    lost(node) {
      doors.delete(node);
      for (const participant of ledger.bindings.keys()) {
        if (shardOf(participant) === node.shard.number) forgetBindings(ledger, participant);
      }
    },
    beforeInput(input, node) {
      const door = doorOf(node);
      settle(world, book, ledger, door);
      door.ordinal++;
      if (input.kind === "datagram") takeDatagram(ledger, door, input);
      else if (input.kind === "relay") takeRelayed(ledger, door, input);
      door.firedBefore = world.sites.fired;
      if (door.count > 0) readCounted(door, door.before);
    },
    afterInput(input, effects, node) {
      const door = doorOf(node);
      door.mediaSent += countMedia(effects);
      judgeWork(world, book, door, input, effects);
      if (door.count === 0) return;
      readCounted(door, door.after);
      if (door.after.taken > door.before.taken) judgeArrivals(world, book, ledger, door);
    },
    transmitted(target, bytes, _peer, node) {
      const door = doorOf(node);
      judgeConsent(world, book, ledger, node, target, bytes);
      if (!isMedia(bytes) || isControl(bytes)) return;
      const client = ledger.tenants.at(node, target);
      const out = client === undefined ? undefined : outgoingStream(ledger, client, readU32(bytes, 8));
      if (out === undefined) return;
      judgeSent(world, book, ledger, door, out, bytes);
    },
    filmed(client, ssrc, firstSequence, packets, passport) {
      const source = sourceStream(ledger, client, ssrc);
      if (source !== undefined) noteFrame(source, { passport, firstSequence, packets });
    },
    resent(client, rtxSsrc, rtxSequence, _ssrc, sequence) {
      const rtx = sourceStream(ledger, client, rtxSsrc);
      if (rtx !== undefined) noteOriginal(rtx, rtxSequence, sequence);
    },
    repaired(client, ssrc, sequence, timestamp) {
      judgeRepair(world, book, ledger, client, ssrc, sequence, timestamp);
    },
    event: (event) => followEvent(world, ledger, event),
    finish() {
      for (const door of doors.values()) {
        settle(world, book, ledger, door);
        const { rtpForwarded, rtpRetransmitted } = door.node.shard.history.counters;
        const [counted, sent] = [rtpForwarded + rtpRetransmitted, door.mediaSent];
        judge(book, "S18", counted === sent, () => `The server counts ${counted} packets, and has sent ${sent}.`);
      }
    },
  };
}

/** Consent is a check that the server has answered to the very address, not long ago (RFC 7675 §5.1). */
function judgeConsent(
  world: World,
  book: PromiseBook,
  { tenants }: Ledger,
  node: SfuNode,
  target: string,
  bytes: Uint8Array,
): void {
  if (!isMedia(bytes)) return;
  const age = world.loop.now - tenants.checkedAt(node, target);
  const late = age - world.tunables.consentMicros - world.plan.timerLateMicros;
  const consents = late <= 0 || excused(book, "failed timers", wasMadeLate(world, late));
  if (!upheld(book, book.tallies.S11, consents))
    breach(book, "S11", `Media was sent to ${target}, which has not consented for ${age} µs.`);
}

/** Judges the input that is over: each stream that is made of what came got the packet. */
function settle(world: World, book: PromiseBook, ledger: Ledger, door: Door): void {
  const { packets, count } = door;
  if (count === 0) return;
  const injected = world.sites.fired > door.firedBefore;
  const reasons = reasonsIn(door);
  settleOrigins(door, !injected && reasons.tooLate + reasons.toSomebody + reasons.toNobody === 0);
  door.count = 0;
  for (let i = 0; i < count; i++) {
    const { source, index, isNew } = packets[i]!;
    if (source === undefined || !isNew) continue;
    let isForNobody: boolean | undefined;
    for (const out of source.followers) {
      if (out.door !== door || index < out.sourceFirst || wasSent(out, index + out.indexOffset)) continue;
      isForNobody ??= !wasSentOn(door, source, index) && reasons.toNobody-- > 0;
      const behind = out.highest - out.indexOffset - index;
      const isLate = behind >= LIMITS.rewriterHistoryPackets && reasons.tooLate-- > 0;
      const isExcused =
        excused(book, "failed in hand", injected) ||
        excused(book, "counted reason", isForNobody || isLate || reasons.toSomebody-- > 0) ||
        excused(book, "unseen end", hadNoWay(ledger, out));
      if (!upheld(book, book.tallies.S2, isExcused))
        breach(book, "S2", `${nameOf(out)} was not sent packet ${index & 0xffff}, which had come in.`);
    }
  }
}

/** Whether anybody was sent this packet through this door. */
function wasSentOn(door: Door, source: SourceStream, index: number): boolean {
  for (const out of source.followers) if (out.door === door && wasSent(out, index + out.indexOffset)) return true;
  return false;
}

/** Looks once more at where the pieces have begun of which there is something in hand, now that all of it has been sent. */
function settleOrigins(door: Door, isOwed: boolean): void {
  if (door.count < 2) return;
  const unsure = new Set<OutgoingStream>();
  for (let i = 0; i < door.count; i++) {
    for (const out of door.packets[i]!.source?.followers ?? []) {
      if (out.door === door && out.origins.length > 0) unsure.add(out);
    }
  }
  for (const out of unsure) settleOrigin(door, out, isOwed);
}

/** Judges that nothing is taken twice; notes which packets are new, so that they have to be sent on. */
function judgeArrivals(world: World, book: PromiseBook, ledger: Ledger, door: Door): void {
  for (let i = 0; i < door.count; i++) {
    const packet = door.packets[i]!;
    const { carrier, source, index } = packet;
    if (carrier !== undefined) judgeArrival(world, book, ledger, packet, carrier);
    else if (source !== undefined) packet.isNew = noteRelayed(door, source, index);
  }
}

function judgeArrival(
  world: World,
  book: PromiseBook,
  ledger: Ledger,
  packet: PacketInHand,
  carrier: SourceStream,
): void {
  const { source, index, carrierIndex, transportSequence } = packet;
  const { now } = world.loop;
  const { client } = carrier;
  const isFirst = noteCarried(carrier, carrierIndex, now);
  if (!upheld(book, book.tallies.S7, isFirst))
    breach(book, "S7", `The server took packet ${carrierIndex & 0xffff} of ${client.plan.name} twice.`);
  if (transportSequence >= 0) noteTransport(ledger, client, transportSequence, now);
  if (carrier.repairs !== undefined) carrier.highest = Math.max(carrier.highest, carrierIndex);
  if (source !== undefined) packet.isNew = noteArrival(source, index, now);
}

/** Judges a packet of media that leaves the server: its number first, and then where it comes from. */
function judgeSent(
  world: World,
  book: PromiseBook,
  ledger: Ledger,
  door: Door,
  out: OutgoingStream,
  bytes: Uint8Array,
): void {
  const { sent } = out;
  const sequence = readU16(bytes, 2);
  const timestamp = readU32(bytes, 4) | 0;
  const index = unwrapped(out.highest, sequence);
  const place = placeOf(index);
  const seal = sealOf(bytes);
  // What is newer than all before cannot be there, and where it will be is seldom near at hand.
  if (index <= out.highest && sent[place + SENT.INDEX] === index) {
    const same = sent[place + SENT.SEAL] === seal;
    if (!upheld(book, book.tallies.S7, same))
      breach(book, "S7", `${nameOf(out)} was sent two different packets ${sequence}.`);
    return;
  }
  // Where a first packet was made to get stuck, it may come again and go out behind the second.
  const isBefore = out.highest >= 0 && index < out.first;
  const isInside = !isBefore || excused(book, "failed to send", hasFailedAtFirst(world, out));
  if (!upheld(book, book.tallies.S2, isInside))
    breach(book, "S2", `${nameOf(out)} was sent ${sequence}, from before the stream began.`);
  if (out.first < 0 && (bytes[1]! & 0x7f) === PAYLOAD_TYPE.OPUS) out.kind = "audio";
  const pauses = !out.isRtx && out.bound?.paused === true;
  if (!upheld(book, book.tallies.S1, !pauses))
    breach(book, "S1", `${nameOf(out)} was sent ${sequence} while it was said to be paused.`);
  if (!out.isRtx) judgeOrigin(world, book, ledger, door, out, index, timestamp);
  out.distinct++;
  sent[place + SENT.INDEX] = index;
  sent[place + SENT.SEAL] = seal;
  sent[place + SENT.TIMESTAMP] = timestamp;
  sent[place + SENT.AT] = world.loop.now;
  if (out.first < 0) out.first = index;
  if (index <= out.highest) return;
  const forward = (timestamp - out.highestTimestamp) | 0;
  if (out.highest < 0 || forward > 0) out.highestFrameAt = world.loop.now;
  if (out.highest >= 0 && !out.isRtx) {
    if (!upheld(book, book.tallies.S3, forward >= 0))
      breach(book, "S3", `${nameOf(out)} was sent ${sequence} with a timestamp ${-forward} in the past.`);
  }
  out.highest = index;
  out.highestTimestamp = timestamp;
}

/** Judges a packet that is sent for the first time: what is in hand explains it, or what had come before. */
function judgeOrigin(
  world: World,
  book: PromiseBook,
  ledger: Ledger,
  door: Door,
  out: OutgoingStream,
  index: number,
  timestamp: number,
): void {
  const { bound } = out;
  if (hadNoWay(ledger, out)) hidePiece(out);
  const owed = narrowOrigins(door, out, index, timestamp);
  if (!upheld(book, book.tallies.S2, owed === 0))
    breach(book, "S2", `${nameOf(out)} was not sent ${owed} of the packets that had come in behind its first one.`);
  const packet = explaining(door, out, bound, index, timestamp);
  if (packet === undefined) {
    const wasTried = failedToSend(world, triedFrom(out, index)) > 0;
    if (!upheld(book, book.tallies.S8, excused(book, "failed to send", wasTried)))
      breach(book, "S8", `${nameOf(out)} was sent ${index & 0xffff} for the first time, although nothing had come.`);
  }
  const source = packet?.source;
  const fits = packet !== undefined && fitsPiece(door, out, packet, index, timestamp);
  if (packet === undefined || source === undefined || (!fits && world.sites.fired > door.firedBefore)) {
    hidePiece(out);
    return;
  }
  if (fits) findPiece(out);
  const isAnnounced = bound?.participant === source.participant && isOfItsOwner(world, door, source);
  if (!upheld(book, book.tallies.S1, isAnnounced))
    breach(
      book,
      "S1",
      `${nameOf(out)} was sent ${source.client.plan.name}'s ${source.kind}, which nobody has announced there.`,
    );
  const isFirstInInput = out.lastInput !== packet.ordinal || out.door !== door;
  out.sentInInput = isFirstInInput ? 1 : out.sentInInput + 1;
  out.lastInput = packet.ordinal;
  const isOfPiece = out.door === door && out.source === source;
  const goesOn = isOfPiece && ((index - out.indexOffset - packet.index) & 0xffff) === 0;
  const isBehind = isOfPiece && packet.begins && hasCome(door, source, index - out.indexOffset);
  if (!isFirstInInput || (!goesOn && isBehind)) {
    judgeCatchingUp(world, book, door, packet, out, source, index);
    return;
  }
  if (!goesOn) {
    const isLost = failedToSend(world, sentBefore(out, out.highest + 1)) > 0;
    const isUnseen = excused(book, "failed to send", isLost) || excused(book, "unseen beginning", out.isForeign);
    if (!isUnseen) judgeBeginning(world, book, packet, out, source, index, timestamp);
    beginPiece(world, door, packet, out, source, index, timestamp);
  }
  const same = ((timestamp - out.timestampOffset - packet.timestamp) | 0) === 0;
  if (!upheld(book, book.tallies.S3, same))
    breach(book, "S3", `${nameOf(out)} was sent ${index & 0xffff} with another timestamp than its frame has.`);
  upheld(book, book.tallies.S2, true);
  if (source.kind === "video") judgeReferences(book, packet, out, source);
}

/**
 * Whether a stream still comes on the connection that its owner has. Another shard goes on with one that was replaced until it
 * hears of that, which it does behind the last packet that was on its way there.
 */
function isOfItsOwner(world: World, { node }: Door, { client, participant, replacedAt }: SourceStream): boolean {
  if (client.participant === participant) return true;
  if (shardOf(participant) === node.shard.number) return false;
  return world.loop.now - replacedAt <= longestWayMicros(world) + longestStandstillMicros(world);
}

/**
 * More than one packet leaves for one that came only where a lost keyframe has come at last, with what had to wait: for those
 * who begin with it; the others get what could not be sent to them when it came.
 */
function judgeCatchingUp(
  world: World,
  book: PromiseBook,
  door: Door,
  packet: PacketInHand,
  out: OutgoingStream,
  source: SourceStream,
  index: number,
): void {
  const few = out.sentInInput <= world.tunables.catchUpPacketsMax + 1;
  const hasReason = packet.begins || excused(book, "failed to send", failedToSend(world, triedFrom(out, index)) > 0);
  if (!upheld(book, book.tallies.R3, few && hasReason))
    breach(book, "R3", `${nameOf(out)} was sent ${out.sentInInput} packets for one that came in.`);
  const had = out.source === source && hasCome(door, source, index - out.indexOffset);
  if (!upheld(book, book.tallies.S2, had))
    breach(book, "S2", `${nameOf(out)} was sent ${index & 0xffff}, which had never come in.`);
  noteEnd(out, source, index);
}

/** Another piece begins, of this source or another: right behind what was sent before, at a keyframe, and on time. */
function judgeBeginning(
  world: World,
  book: PromiseBook,
  packet: PacketInHand,
  out: OutgoingStream,
  source: SourceStream,
  index: number,
  timestamp: number,
): void {
  const { now } = world.loop;
  // Where a frame's end never went out, one number is left out, so that nobody takes what follows for its end.
  const furthest = out.highest + (out.endsFrame ? 1 : 2);
  const next = out.highest < 0 || (index > out.highest && index <= furthest);
  const gap = () => `${nameOf(out)} was sent ${index & 0xffff} behind ${out.highest & 0xffff} where a source begins.`;
  judge(book, "S2", next, gap);
  const noKeyframe = () => `${nameOf(out)} goes over to ${source.client.plan.name} where no keyframe begins.`;
  if (source.kind === "video") judge(book, "S5", mayBegin(packet, source), noKeyframe);
  if (out.highest >= 0) {
    const step = ((timestamp - out.highestTimestamp) | 0) * (1_000_000 / source.clockRate);
    const passed = now - out.highestFrameAt;
    const late = Math.abs(step - passed);
    const jump = () => `${nameOf(out)}: the timestamp goes on by ${Math.round(step)} µs after ${passed} µs.`;
    judge(book, "S3", late <= STEP_SLACK_MICROS, jump);
  }
}

function judgeReferences(book: PromiseBook, packet: PacketInHand, out: OutgoingStream, source: SourceStream): void {
  const frame = frameOf(source, packet.index & 0xffff);
  noteEnd(out, source, packet.index + out.indexOffset);
  if (frame === undefined) return;
  // What is from before a beginning that was not seen may yet belong to the piece.
  if (excused(book, "unseen beginning", out.begunUnseen && packet.index < out.sourceFirst)) return;
  const { keyframe, frame: number, reference } = frame.passport;
  const isInside = keyframe || reference >= out.keyframe;
  if (!upheld(book, book.tallies.S4, isInside))
    breach(book, "S4", `${nameOf(out)} was sent frame ${number}, which refers to ${reference}.`);
}

/** A client got a packet as RTX: the server must have sent it before, with this timestamp. */
function judgeRepair(
  world: World,
  book: PromiseBook,
  ledger: Ledger,
  client: Client,
  ssrc: number,
  sequence: number,
  timestamp: number,
): void {
  const out = outgoingStream(ledger, client, ssrc);
  if (out === undefined) return;
  const index = unwrapped(out.highest, sequence);
  const isSent = wasSent(out, index) && out.sent[placeOf(index) + SENT.TIMESTAMP] === (timestamp | 0);
  const known = isSent || excused(book, "failed to send", failedToSend(world, sentBefore(out, index)) > 0);
  judge(book, "S8", known, () => `${nameOf(out)} was sent ${sequence} again, which it was never sent before.`);
}

/** Keeps what the server announces: a slot that shows something else has to begin a piece of its own. */
function followEvent(world: World, ledger: Ledger, event: ShardEvent): void {
  if (event.type === "left" || event.type === "reconnecting") {
    // A client whose connection has been replaced is nobody any more (topology.ts).
    const gone = event.type === "left" ? event.participant : 0;
    for (const out of ledger.outgoing.flat()) {
      // Other shards go on with what has come over until they have been told.
      const isHere = out.door?.node.shard.number === shardOf(event.participant);
      if (out.client.participant === gone || (isHere && out.source?.client.participant === gone)) leaveSource(out);
    }
    forgetBindings(ledger, event.participant);
  }
  if (event.type === "reconnecting") noteReplaced(ledger, event.participant, world.loop.now);
  if (event.type !== "bindings") return;
  const { now } = world.loop;
  for (const { mid, publication, participant, paused } of event.slots) {
    const known = ledger.bindings.get(event.participant)?.get(mid);
    const isSame = known?.publication === publication;
    if (isSame && known.paused === paused) continue;
    const goesOnAt = isSame && known.paused ? now : (known?.goesOnAt ?? 0);
    const since = isSame ? known.since : now;
    noteBinding(ledger, event.participant, mid, { publication, participant, since, paused, goesOnAt });
    if (isSame && !paused) continue;
    for (const streams of ledger.outgoing) {
      for (const out of streams) {
        if (out.client.participant === event.participant && out.mid === mid) leaveSource(out);
      }
    }
  }
}

function countMedia(effects: readonly Effect[]): number {
  let count = 0;
  for (const effect of effects) {
    if (effect.kind === "transmit" && isMedia(effect.bytes) && !isControl(effect.bytes)) count++;
  }
  return count;
}

function nameOf(out: OutgoingStream): string {
  return `${out.client.plan.name}'s slot ${out.mid}`;
}
