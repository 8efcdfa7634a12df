/**
 * The pieces that a stream which goes out is made of: where one begins, which packet in hand goes on with it, where it ends.
 *
 * Nobody tells the oracle what the server does, so it finds out from what is sent: within a piece, numbers and timestamps are
 * the source's plus a constant, which the first packet of the piece shows. Where several came in one batch, it shows no more
 * than that it is one of these: the slot may have been bound between two of them, or the piece's beginning may not have been
 * seen. Then the first is taken for it until what is sent tells otherwise. Nothing is judged here; ./forwarding.ts judges
 * whether a piece may begin as it does, and whether it goes on as it has to.
 */
import type { World } from "../world/world.ts";
import { type Door, hasCome, type PacketInHand } from "./doors.ts";
import { type Binding, frameOf, type Origin, type OutgoingStream, type SourceStream, wasSent } from "./ledger.ts";

/**
 * Which of the packets in hand explains what is sent: that which goes on with the piece; or where this piece or one beside it
 * has begun with one of them, that one, if what is sent had come before; or one with which a piece may begin. What is behind
 * the newest of the piece begins nothing any more, sent or too late, for a batch may have the keyframes of two layers.
 * Undefined when there is none at all.
 */
export function explaining(
  door: Door,
  out: OutgoingStream,
  bound: Binding | undefined,
  index: number,
  timestamp: number,
): PacketInHand | undefined {
  const { packets, count } = door;
  if (count < 2) return count === 0 ? undefined : packets[0];
  let begun: PacketInHand | undefined;
  let begins: PacketInHand | undefined;
  let other: PacketInHand | undefined;
  for (let i = 0; i < count; i++) {
    const packet = packets[i]!;
    const { source } = packet;
    if (source === undefined) other ??= packet;
    else if (source === out.hidden && fitsPiece(door, out, packet, index, timestamp)) return packet;
    else if (source === out.source) {
      if (packet.index === index - out.indexOffset) return packet;
      if (packet.begins) begun = packet;
      if (packet.index + out.indexOffset <= out.highest) continue;
    }
    if (source?.kind !== out.kind || source.participant !== bound?.participant) continue;
    if (mayBegin(packet, source)) begins ??= packet;
    else other ??= packet;
  }
  if (begun?.source !== undefined && hasCome(door, begun.source, index - out.indexOffset)) return begun;
  return begins ?? begun ?? other ?? packets[0];
}

/** Whether a piece may begin with this packet: a keyframe begins there, or it is sound. */
export function mayBegin({ index }: PacketInHand, source: SourceStream): boolean {
  if (source.kind === "audio") return true;
  const frame = frameOf(source, index & 0xffff);
  return frame?.passport.keyframe === true && frame.firstSequence === (index & 0xffff);
}

/** Begins a piece, of this source or another, with a packet in hand that goes out with this index and timestamp. */
export function beginPiece(
  world: World,
  door: Door,
  packet: PacketInHand,
  out: OutgoingStream,
  source: SourceStream,
  index: number,
  timestamp: number,
): void {
  const origin = originIn(packet, source, index, timestamp);
  const origins = originsOf(door, out, index, timestamp);
  leaveSource(out);
  out.begunUnseen = out.isForeign;
  out.isForeign = false;
  out.begunAt = world.loop.now;
  out.origins = origins;
  takeOrigin(door, out, origin);
}

/**
 * Takes another of the packets with which the piece may have begun for its first, where what is sent does not go on from the
 * one that was taken; and forgets those from which it does not either. Answers how many packets are owed since, where only
 * this one is left: as long as another was taken, nobody has missed them.
 */
export function narrowOrigins(door: Door, out: OutgoingStream, index: number, timestamp: number): number {
  if (out.origins.length === 0) return 0;
  const left = out.origins.filter((origin) => goesOnFrom(door, origin, index, timestamp));
  const [first] = left;
  const isOther = first !== undefined && !left.some((origin) => isTaken(out, origin));
  if (isOther) takeOrigin(door, out, first);
  out.origins = left;
  return isOther && left.length === 1 ? first.owed : 0;
}

/**
 * When a batch is over, takes for the first packet that behind which the fewest of the batch have not been sent. `isOwed` says
 * that there is no reason for which one of them might not be.
 */
export function settleOrigin(door: Door, out: OutgoingStream, isOwed: boolean): void {
  let fewest = Number.POSITIVE_INFINITY;
  let best: Origin | undefined;
  for (const origin of out.origins) {
    const unsent = countUnsent(door, out, origin);
    if (isOwed) origin.owed += unsent;
    if (unsent < fewest || (unsent === fewest && isTaken(out, origin))) best = origin;
    fewest = Math.min(fewest, unsent);
  }
  if (best !== undefined && !isTaken(out, best)) takeOrigin(door, out, best);
}

/** All the packets in hand with which a piece may have begun that goes out with these numbers; none where there is but one. */
function originsOf(door: Door, out: OutgoingStream, index: number, timestamp: number): Origin[] {
  const origins: Origin[] = [];
  if (door.count < 2) return origins;
  for (let i = 0; i < door.count; i++) {
    const packet = door.packets[i]!;
    const { source } = packet;
    if (source?.kind !== out.kind || source.participant !== out.bound?.participant) continue;
    const isBehind = source === out.source && packet.index + out.indexOffset <= out.highest;
    // Where the beginning was not seen, what is in hand goes on with it.
    const isPossible = out.isForeign || (!isBehind && mayBegin(packet, source));
    if (isPossible) origins.push(originIn(packet, source, index, timestamp));
  }
  return origins.length > 1 ? origins : [];
}

function originIn(packet: PacketInHand, source: SourceStream, index: number, timestamp: number): Origin {
  return {
    source,
    first: packet.index,
    indexOffset: index - packet.index,
    timestampOffset: (timestamp - packet.timestamp) | 0,
    owed: 0,
  };
}

function takeOrigin(door: Door, out: OutgoingStream, origin: Origin): void {
  const { source, first, indexOffset, timestampOffset } = origin;
  out.source?.followers.delete(out);
  out.source = source;
  out.door = door;
  out.indexOffset = indexOffset;
  out.timestampOffset = timestampOffset;
  out.sourceFirst = first;
  const frame = frameOf(source, first & 0xffff);
  out.keyframe = frame?.passport.keyframe === true ? frame.passport.frame : -1;
  source.followers.add(out);
  for (let i = 0; i < door.count; i++) {
    const packet = door.packets[i]!;
    if (packet.source === source && packet.index === first) packet.begins = true;
  }
}

function isTaken({ source, indexOffset }: OutgoingStream, origin: Origin): boolean {
  return origin.source === source && origin.indexOffset === indexOffset;
}

/** Whether a packet in hand goes out with these numbers in a piece that has begun so. */
function goesOnFrom(door: Door, origin: Origin, index: number, timestamp: number): boolean {
  for (let i = 0; i < door.count; i++) {
    const packet = door.packets[i]!;
    if (packet.source !== origin.source || packet.index !== index - origin.indexOffset) continue;
    if (((timestamp - origin.timestampOffset - packet.timestamp) | 0) === 0) return true;
  }
  return false;
}

/** How many of the packets in hand were not sent that a piece which has begun so would have. */
function countUnsent(door: Door, out: OutgoingStream, origin: Origin): number {
  let unsent = 0;
  for (let i = 0; i < door.count; i++) {
    const { source, index, isNew } = door.packets[i]!;
    if (source !== origin.source || !isNew || index < origin.first) continue;
    if (!wasSent(out, index + origin.indexOffset)) unsent++;
  }
  return unsent;
}

/** Ends the piece: what goes out next belongs to another one. */
export function leaveSource(out: OutgoingStream): void {
  out.source?.followers.delete(out);
  out.source = undefined;
  out.hidden = undefined;
  out.origins = [];
}

/** What is sent can't be explained: another piece may have begun with it, or none. */
export function hidePiece(out: OutgoingStream): void {
  const hidden = out.source ?? out.hidden;
  leaveSource(out);
  out.hidden = hidden;
  out.isForeign = true;
  out.endsFrame = false;
}

/** Whether this packet goes on with the piece, one that is hidden too: with its number, and with its timestamp. */
export function fitsPiece(
  door: Door,
  out: OutgoingStream,
  { source, index: sourceIndex, timestamp: sourceTimestamp }: PacketInHand,
  index: number,
  timestamp: number,
): boolean {
  if (source === undefined || source !== (out.source ?? out.hidden) || out.door !== door) return false;
  return index - out.indexOffset === sourceIndex && ((timestamp - out.timestampOffset - sourceTimestamp) | 0) === 0;
}

/** What is sent goes on with the piece, so that none has begun meanwhile. */
export function findPiece(out: OutgoingStream): void {
  if (out.hidden === undefined) return;
  out.source = out.hidden;
  out.source.followers.add(out);
  out.hidden = undefined;
  out.isForeign = false;
}

/** Notes whether the packet that goes out with this index, if it is the newest, ends its frame. */
export function noteEnd(out: OutgoingStream, source: SourceStream, index: number): void {
  if (index <= out.highest) return;
  const sequence = (index - out.indexOffset) & 0xffff;
  const frame = frameOf(source, sequence);
  out.endsFrame = frame !== undefined && ((sequence - frame.firstSequence) & 0xffff) === frame.packets - 1;
}
