/**
 * The oracle that follows each packet through the server, with no key in its hand.
 *
 * SRTP leaves headers in the clear, so what came in and what went out because of it can be laid side by side. A stream that
 * goes out is made of pieces of streams that came in; within a piece, sequence numbers and timestamps differ from the
 * source's by a constant (S2, S3), every packet that came is sent on (S2, S18), and frames refer to nothing from before it
 * (S4). A piece of video begins with the first packet of a keyframe (S5). It is made of what the server has announced for
 * the slot, and of nothing else (S1). What comes again is not taken again and not sent under another number (S7); what is
 * sent again was sent before (S8).
 */
import { type DatagramInput, LIMITS, type ShardEvent, type ShardInput, shardNextTimeout } from "../../core/index.ts";
import type { Client } from "../client/client.ts";
import { EXTENSION_ID } from "../client/offer.ts";
import type { Effect } from "../recording-outbox.ts";
import type { World, WorldWatcher } from "../world.ts";
import { readExtension16 } from "./feedback-reading.ts";
import {
  type Binding,
  clearLedger,
  frameOf,
  hasArrived,
  isControl,
  isMedia,
  type Ledger,
  noteArrival,
  noteCarried,
  noteFrame,
  noteOriginal,
  noteTransport,
  type OutgoingStream,
  originalOf,
  outgoingStream,
  REMEMBERED,
  readU16,
  readU32,
  type SourceStream,
  sealOf,
  sourceStream,
  unwrapped,
} from "./ledger.ts";
import { judge, type PromiseBook } from "./promises.ts";
import { BINDING_SUCCESS } from "./tenants.ts";

const MASK = REMEMBERED - 1;

/** How late anything may be that was made to be late. */
const INJECTED_MICROS = 1_000_000;

/** How far the step of a timestamp from one piece to the next may be from the time that has passed. */
const STEP_SLACK_MICROS = 250_000;

/** Effects that any input may have, and how many more there may be for each participant and slot: events, reports. */
const EFFECTS_ALWAYS = 16;
const EFFECTS_EACH = 4;

/** The oracle: a watcher, and a last word at the end. */
export interface ForwardingOracle extends WorldWatcher {
  finish(): void;
}

/** What the server has in hand. */
interface InHand {
  ordinal: number;
  /** The stream and the packet of it, when that is RTP of a client: `index` is the original's when it is a retransmission. */
  source: SourceStream | undefined;
  index: number;
  timestamp: number;
  isRtp: boolean;
  /** The same as they came: those of the retransmission. */
  carrier: SourceStream | undefined;
  carrierIndex: number;
  /** The transport-wide number, or -1. */
  transportSequence: number;
  /** Whether the server has taken it, and had not had it before. */
  isNew: boolean;
  /** Failures that had been injected before it came. */
  firedBefore: number;
}

/** Packets that the server says it did not send on, for whatever reason. */
interface Excuses {
  taken: number;
  tooLate: number;
  others: number;
}

/** The oracle of this world. */
export function createForwardingOracle(world: World, book: PromiseBook, ledger: Ledger): ForwardingOracle {
  const inHand = nothingInHand();
  const before: Excuses = { taken: 0, tooLate: 0, others: 0 };
  const after: Excuses = { taken: 0, tooLate: 0, others: 0 };
  const checkedAt = new Map<string, number>();
  let mediaSent = 0;

  return {
    crashed() {
      clearLedger(ledger);
      checkedAt.clear();
      inHand.source = undefined;
      mediaSent = 0;
    },
    beforeInput(input) {
      settle(world, book, inHand, before, after);
      inHand.ordinal++;
      inHand.isRtp = false;
      inHand.isNew = false;
      if (input.kind === "datagram") takeInHand(world, ledger, inHand, input);
      inHand.firedBefore = world.sites.fired;
      if (inHand.isRtp) readExcuses(world, before);
    },
    afterInput(input, effects) {
      mediaSent += countMedia(effects);
      judgeWork(world, book, input, effects);
      if (!inHand.isRtp) return;
      readExcuses(world, after);
      if (after.taken > before.taken) judgeArrival(world, book, ledger, inHand);
    },
    transmitted(target, bytes, _peer, node) {
      judgeConsent(world, book, checkedAt, target, bytes);
      if (!isMedia(bytes) || isControl(bytes)) return;
      const client = ledger.tenants.at(node, target);
      const out = client === undefined ? undefined : outgoingStream(ledger, client, readU32(bytes, 8));
      if (out === undefined) return;
      judgeSent(world, book, inHand, out, ledger.bindings.get(out.client.participant)?.get(out.mid), bytes);
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
      // What an injected failure of the host has lost was sent, as far as the server knows.
      if (world.sites.fired === 0) judgeRepair(book, ledger, client, ssrc, sequence, timestamp);
    },
    event: (event) => followEvent(world, ledger, event),
    finish() {
      settle(world, book, inHand, before, after);
      const { rtpForwarded, rtpRetransmitted } = world.node.shard.history.counters;
      const counted = rtpForwarded + rtpRetransmitted;
      judge(
        book,
        "S18",
        counted === mediaSent,
        () => `The server counts ${counted} packets, and has sent ${mediaSent}.`,
      );
    },
  };
}

/** Consent is a check that the server has answered to the very address, not long ago (RFC 7675 §5.1). */
function judgeConsent(
  world: World,
  book: PromiseBook,
  checkedAt: Map<string, number>,
  target: string,
  bytes: Uint8Array,
): void {
  const { now } = world.loop;
  if (readU16(bytes, 0) === BINDING_SUCCESS) checkedAt.set(target, now);
  if (!isMedia(bytes)) return;
  const age = now - (checkedAt.get(target) ?? 0);
  const late = world.plan.timerLateMicros + (world.sites.fired > 0 ? INJECTED_MICROS : 0);
  const consents = age <= world.tunables.consentMicros + late;
  judge(book, "S11", consents, () => `Media was sent to ${target}, which has not consented for ${age} µs.`);
}

function nothingInHand(): InHand {
  return {
    ordinal: 0,
    source: undefined,
    index: 0,
    timestamp: 0,
    isRtp: false,
    carrier: undefined,
    carrierIndex: 0,
    transportSequence: -1,
    isNew: false,
    firedBefore: 0,
  };
}

/** Judges the input that is over: each stream that is made of the source got the packet. */
function settle(world: World, book: PromiseBook, inHand: InHand, before: Excuses, after: Excuses): void {
  const { source, index } = inHand;
  inHand.source = undefined;
  inHand.carrier = undefined;
  if (source === undefined || !inHand.isNew) return;
  for (const out of source.followers) {
    if (out.lastInput === inHand.ordinal || index < out.sourceFirst) continue;
    const injected = world.sites.fired > inHand.firedBefore;
    const behind = out.highest - out.indexOffset - index;
    const late = behind >= LIMITS.rewriterHistoryPackets && after.tooLate > before.tooLate;
    const excused = injected || late || after.others > before.others;
    judge(book, "S2", excused, () => `${nameOf(out)} was not sent packet ${index & 0xffff}, which had come in.`);
  }
}

/** Looks at a datagram before the server does: which packet of which stream of which client it is. */
function takeInHand(world: World, ledger: Ledger, inHand: InHand, input: DatagramInput): void {
  const { bytes } = input;
  if (!isMedia(bytes) || isControl(bytes)) return;
  const client = ledger.tenants.senderOn(world.node, input.flow);
  if (client === undefined) return;
  inHand.isRtp = true;
  const sequence = readU16(bytes, 2);
  const carrier = sourceStream(ledger, client, readU32(bytes, 8));
  if (carrier === undefined) return;
  inHand.carrier = carrier;
  inHand.carrierIndex = unwrapped(carrier.highest, sequence);
  const original = carrier.repairs === undefined ? sequence : originalOf(carrier, sequence);
  inHand.source = original < 0 ? undefined : (carrier.repairs ?? carrier);
  inHand.index = unwrapped(inHand.source?.highest ?? -1, original);
  inHand.timestamp = readU32(bytes, 4);
  inHand.transportSequence = readExtension16(bytes, EXTENSION_ID.TRANSPORT_CC);
}

/** Judges that nothing is taken twice; notes whether the packet is new, so that it has to be sent on. */
function judgeArrival(world: World, book: PromiseBook, ledger: Ledger, inHand: InHand): void {
  const { carrier, source, index } = inHand;
  const { now } = world.loop;
  if (carrier === undefined) return;
  const { client } = carrier;
  const isFirst = noteCarried(carrier, inHand.carrierIndex, now);
  judge(
    book,
    "S7",
    isFirst,
    () => `The server took packet ${inHand.carrierIndex & 0xffff} of ${client.plan.name} twice.`,
  );
  if (inHand.transportSequence >= 0) noteTransport(ledger, client, inHand.transportSequence, now);
  if (carrier.repairs !== undefined) carrier.highest = Math.max(carrier.highest, inHand.carrierIndex);
  if (source !== undefined) inHand.isNew = noteArrival(source, index, now);
}

function readExcuses(world: World, excuses: Excuses): void {
  const { counters } = world.node.shard.history;
  excuses.taken = counters.rtpReceived;
  excuses.tooLate = counters.rtpTooLate;
  excuses.others =
    counters.rtpAwaitingKeyframe +
    counters.rtpCodecMismatch +
    counters.rtpPaddingSkipped +
    counters.rtpUnsendable +
    counters.rtpUnroutable +
    counters.rtpMalformed;
}

/** Judges a packet of media that leaves the server: its number first, and then where it comes from. */
function judgeSent(
  world: World,
  book: PromiseBook,
  inHand: InHand,
  out: OutgoingStream,
  bound: Binding | undefined,
  bytes: Uint8Array,
): void {
  const sequence = readU16(bytes, 2);
  const timestamp = readU32(bytes, 4);
  const index = unwrapped(out.highest, sequence);
  const place = index & MASK;
  const seal = sealOf(bytes);
  if (out.indices[place] === index) {
    const same = out.seals[place] === seal;
    judge(book, "S7", same, () => `${nameOf(out)} was sent two different packets ${sequence}.`);
    return;
  }
  // Where a first packet was made to get stuck, it may come again and go out behind the second.
  const isInside = out.highest < 0 || index >= out.first || world.sites.fired > 0;
  judge(book, "S2", isInside, () => `${nameOf(out)} was sent ${sequence}, from before the stream began.`);
  if (!out.isRtx) judgeOrigin(world, book, inHand, out, bound, index, timestamp);
  out.distinct++;
  out.indices[place] = index;
  out.seals[place] = seal;
  out.timestamps[place] = timestamp;
  if (out.first < 0) out.first = index;
  if (index <= out.highest) return;
  if (out.highest >= 0 && !out.isRtx) {
    const forward = (timestamp - out.highestTimestamp) | 0;
    judge(
      book,
      "S3",
      forward >= 0,
      () => `${nameOf(out)} was sent ${sequence} with a timestamp ${-forward} in the past.`,
    );
  }
  out.highest = index;
  out.highestTimestamp = timestamp;
  out.highestAt = world.loop.now;
}

/** Judges a packet that is sent for the first time: what is in hand explains it, or what had come before. */
function judgeOrigin(
  world: World,
  book: PromiseBook,
  inHand: InHand,
  out: OutgoingStream,
  bound: Binding | undefined,
  index: number,
  timestamp: number,
): void {
  const { source } = inHand;
  // The host may have lost what was sent, or the server have failed to, but only when that was injected.
  const isLost = world.sites.fired > 0;
  if (!inHand.isRtp) {
    judge(
      book,
      "S8",
      isLost,
      () => `${nameOf(out)} was sent ${index & 0xffff} for the first time, although nothing had come.`,
    );
  }
  if (source === undefined || world.sites.fired > inHand.firedBefore) {
    leaveSource(out);
    out.isForeign = true;
    return;
  }
  const { participant, plan } = source.client;
  judge(
    book,
    "S1",
    bound?.participant === participant,
    () => `${nameOf(out)} was sent ${plan.name}'s ${source.kind}, which nobody has announced there.`,
  );
  const isFirstInInput = out.lastInput !== inHand.ordinal;
  out.sentInInput = isFirstInInput ? 1 : out.sentInInput + 1;
  out.lastInput = inHand.ordinal;
  if (!isFirstInInput) {
    judgeCatchingUp(world, book, inHand, out, source, index);
    return;
  }
  const goesOn = out.source === source && ((index - out.indexOffset - inHand.index) & 0xffff) === 0;
  if (!goesOn) {
    if (!isLost && !out.isForeign) judgeBeginning(world, book, inHand, out, source, index, timestamp);
    beginPiece(world, inHand, out, source, index, timestamp);
  }
  const same = ((timestamp - out.timestampOffset - inHand.timestamp) | 0) === 0;
  judge(book, "S3", same, () => `${nameOf(out)} was sent ${index & 0xffff} with another timestamp than its frame has.`);
  judge(book, "S2", true, () => "");
  if (source.kind === "video") judgeReferences(book, inHand, out, source);
}

/** More than one packet leaves for one that came only where a lost keyframe has come at last, with what had to wait. */
function judgeCatchingUp(
  world: World,
  book: PromiseBook,
  inHand: InHand,
  out: OutgoingStream,
  source: SourceStream,
  index: number,
): void {
  const few = out.begunInput === inHand.ordinal && out.sentInInput <= world.tunables.catchUpPacketsMax + 1;
  judge(book, "R3", few, () => `${nameOf(out)} was sent ${out.sentInInput} packets for one that came in.`);
  const had = out.source === source && hasArrived(source, index - out.indexOffset);
  judge(book, "S2", had, () => `${nameOf(out)} was sent ${index & 0xffff}, which had never come in.`);
  noteEnd(out, source, index);
}

/** Another piece begins, of this source or another: right behind what was sent before, at a keyframe, and on time. */
function judgeBeginning(
  world: World,
  book: PromiseBook,
  inHand: InHand,
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
  const frame = frameOf(source, inHand.index & 0xffff);
  if (source.kind === "video") {
    const begins = frame?.passport.keyframe === true && frame.firstSequence === (inHand.index & 0xffff);
    judge(book, "S5", begins, () => `${nameOf(out)} goes over to ${source.client.plan.name} where no keyframe begins.`);
  }
  if (out.highest >= 0) {
    const step = ((timestamp - out.highestTimestamp) | 0) * (1_000_000 / source.clockRate);
    const late = Math.abs(step - (now - out.highestAt));
    const jump = () => `${nameOf(out)}: the timestamp goes on by ${step} µs after ${now - out.highestAt} µs.`;
    judge(book, "S3", late <= STEP_SLACK_MICROS, jump);
  }
}

function beginPiece(
  world: World,
  inHand: InHand,
  out: OutgoingStream,
  source: SourceStream,
  index: number,
  timestamp: number,
): void {
  leaveSource(out);
  out.source = source;
  out.begunUnseen = out.isForeign;
  out.isForeign = false;
  out.indexOffset = index - inHand.index;
  out.timestampOffset = (timestamp - inHand.timestamp) | 0;
  out.sourceFirst = inHand.index;
  const frame = frameOf(source, inHand.index & 0xffff);
  out.keyframe = frame?.passport.keyframe === true ? frame.passport.frame : -1;
  out.begunAt = world.loop.now;
  out.begunInput = inHand.ordinal;
  source.followers.add(out);
}

/** Notes whether the packet that goes out with this index, if it is the newest, ends its frame. */
function noteEnd(out: OutgoingStream, source: SourceStream, index: number): void {
  if (index <= out.highest) return;
  const sequence = (index - out.indexOffset) & 0xffff;
  const frame = frameOf(source, sequence);
  out.endsFrame = frame !== undefined && ((sequence - frame.firstSequence) & 0xffff) === frame.packets - 1;
}

function judgeReferences(book: PromiseBook, inHand: InHand, out: OutgoingStream, source: SourceStream): void {
  const frame = frameOf(source, inHand.index & 0xffff);
  noteEnd(out, source, inHand.index + out.indexOffset);
  if (frame === undefined) return;
  // What is from before a beginning that was not seen may yet belong to the piece.
  if (out.begunUnseen && inHand.index < out.sourceFirst) return;
  const { keyframe, frame: number, reference } = frame.passport;
  const isInside = keyframe || reference >= out.keyframe;
  judge(book, "S4", isInside, () => `${nameOf(out)} was sent frame ${number}, which refers to ${reference}.`);
}

/** A client got a packet as RTX: the server must have sent it before, with this timestamp. */
function judgeRepair(
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
  const place = index & MASK;
  const known = out.indices[place] === index && out.timestamps[place] === timestamp;
  judge(book, "S8", known, () => `${nameOf(out)} was sent ${sequence} again, which it was never sent before.`);
}

/** Keeps what the server announces: a slot that shows something else has to begin a piece of its own. */
function followEvent(world: World, ledger: Ledger, event: ShardEvent): void {
  if (event.type === "left") {
    for (const streams of ledger.outgoing.values()) {
      for (const out of streams.values()) {
        const { participant } = out.client;
        if (participant === event.participant || out.source?.client.participant === event.participant) leaveSource(out);
      }
    }
    ledger.bindings.delete(event.participant);
  }
  if (event.type !== "bindings") return;
  const known = ledger.bindings.get(event.participant) ?? new Map<string, Binding>();
  ledger.bindings.set(event.participant, known);
  for (const { mid, publication, participant } of event.slots) {
    if (known.get(mid)?.publication === publication) continue;
    known.set(mid, { publication, participant, since: world.loop.now });
    for (const streams of ledger.outgoing.values()) {
      for (const out of streams.values()) {
        if (out.client.participant === event.participant && out.mid === mid) leaveSource(out);
      }
    }
  }
}

function leaveSource(out: OutgoingStream): void {
  out.source?.followers.delete(out);
  out.source = undefined;
}

function countMedia(effects: readonly Effect[]): number {
  let count = 0;
  for (const effect of effects) {
    if (effect.kind === "transmit" && isMedia(effect.bytes) && !isControl(effect.bytes)) count++;
  }
  return count;
}

/** Time moves on (S19), and no input makes the server do more than those who are there explain (R3). */
function judgeWork(world: World, book: PromiseBook, input: ShardInput, effects: readonly Effect[]): void {
  const { shard } = world.node;
  if (input.kind === "timer" && world.sites.fired === 0) {
    const moves = shardNextTimeout(shard) > input.now;
    judge(book, "S19", moves, () => "The server wants to be woken at the very moment at which it was.");
  }
  const answers = input.kind === "datagram" ? world.tunables.retransmitBurstPackets : 0;
  const most = EFFECTS_ALWAYS + EFFECTS_EACH * (shard.participants.size + shard.slots.size) + answers;
  judge(book, "R3", effects.length <= most, () => `One ${input.kind} led to ${effects.length} effects.`);
}

function nameOf(out: OutgoingStream): string {
  return `${out.client.plan.name}'s slot ${out.mid}`;
}
