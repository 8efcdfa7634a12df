/**
 * The pieces that a stream which goes out is made of: where one begins, which packet in hand goes on with it, where it ends.
 *
 * Nobody tells the oracle what the server does, so it finds out from what is sent: within a piece, numbers and timestamps are
 * the source's plus a constant, which the first packet of the piece shows. Nothing is judged here; ./forwarding.ts judges
 * whether a piece may begin as it does, and whether it goes on as it has to.
 */
import type { World } from "../world/world.ts";
import { type Door, hasCome, type PacketInHand } from "./doors.ts";
import { type Binding, frameOf, type OutgoingStream, type SourceStream } from "./ledger.ts";

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
  leaveSource(out);
  out.source = source;
  out.door = door;
  out.begunUnseen = out.isForeign;
  out.isForeign = false;
  out.indexOffset = index - packet.index;
  out.timestampOffset = (timestamp - packet.timestamp) | 0;
  out.sourceFirst = packet.index;
  const frame = frameOf(source, packet.index & 0xffff);
  out.keyframe = frame?.passport.keyframe === true ? frame.passport.frame : -1;
  out.begunAt = world.loop.now;
  packet.begins = true;
  source.followers.add(out);
}

/** Ends the piece: what goes out next belongs to another one. */
export function leaveSource(out: OutgoingStream): void {
  out.source?.followers.delete(out);
  out.source = undefined;
  out.hidden = undefined;
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
