/**
 * A shard: the pure heart of Lockstep. A host boots it, hands it what happens outside, one input at a time, and carries out
 * what it finds in its outbox:
 *
 *     const shard = createShard(boot, crypto);
 *     for each input: shardHandle(shard, ports, input); then wait until shardNextTimeout(shard) at most
 *
 * Whatever an input leads to has happened when `shardHandle` returns: mail between the actors is delivered, and nothing
 * is left to be drained. This file is the door; what is behind each kind of input is in the files that it names.
 */

import { unreachable } from "../base/assert.ts";
import { type Micros, NEVER } from "../base/micros.ts";
import { timerHeapNext } from "../base/timer-heap.ts";
import { deriveEntropy, ENTROPY_SEED_BYTES } from "../crypto/entropy.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { LockstepError } from "../errors.ts";
import { buggify } from "../fault-sites.ts";
import { ICE, iceSendFlow } from "../ice/agent.ts";
import { LIMITS } from "../limits.ts";
import { peerHandleDtls, peerHandleStun } from "../peer/peer.ts";
import { createTunables } from "../tunables.ts";
import { DEMUX, demux } from "../wire/demux.ts";
import { RELAY, RELAY_KIND, relayRecordCheck, relayRecordKind, relayRecordLength } from "../wire/relay-record.ts";
import { STUN, stunCheck, stunLocalUfrag } from "../wire/stun.ts";
import { deliverMail } from "./delivery.ts";
import { receiveRtcp } from "./feedback.ts";
import { joinReply, joinShard } from "./join.ts";
import { adoptFlow, enterRoom, followConnection, removeParticipant } from "./lifecycle.ts";
import { loseShard } from "./losses.ts";
import type {
  BootRecord,
  CommandInput,
  CommandReply,
  DatagramInput,
  FirstNumbers,
  RelayInput,
  ShardInput,
  ShardPorts,
} from "./ports.ts";
import { receiveRelayed } from "./proxies.ts";
import { reconnectParticipant } from "./reconnect.ts";
import { flushMail, unpackMail } from "./relay.ts";
import { lookAtWishes } from "./requests.ts";
import { leaveOutVideo } from "./shedding.ts";
import { createScratch, createShardTables, type Shard } from "./state.ts";
import { receiveRtp } from "./streams.ts";
import { runTimers } from "./timers.ts";

/** Boots a shard. Throws a `LockstepError` "bad-config" when the boot record is not usable. */
export function createShard(boot: BootRecord, crypto: CryptoProvider): Shard {
  if (boot.entropySeed.length !== ENTROPY_SEED_BYTES) {
    throw new LockstepError("bad-config", `The entropy seed must have ${ENTROPY_SEED_BYTES} bytes.`);
  }
  if (boot.config.candidates.length === 0) {
    throw new LockstepError("bad-config", "A shard needs at least one address to put into its answers.");
  }
  const number = boot.shard ?? 0;
  if (!Number.isInteger(number) || number < 0 || number > LIMITS.shardNumberMax) {
    throw new LockstepError("bad-config", `A shard's number lies between 0 and ${LIMITS.shardNumberMax}.`);
  }
  const tunables = createTunables(boot.config.tunables ?? {});
  const firstNumbers = boot.config.firstNumbers ?? null;
  if (firstNumbers !== null && !areFirstNumbers(firstNumbers)) {
    throw new LockstepError("bad-config", "First numbers are whole, and fit 32, 48, 31 and 8 bits.");
  }
  const privateKey = deriveEntropy(crypto, boot.entropySeed, "certificate-key", 0, 0, 32);
  const certificate = crypto.createCertificate(privateKey);
  return {
    number,
    candidates: boot.config.candidates.map(({ ip, port }) => ({ ip, port })),
    tunables,
    firstNumbers: firstNumbers === null ? null : { ...firstNumbers },
    entropySeed: boot.entropySeed.slice(),
    randomSeed: boot.randomSeed,
    bootNow: boot.now,
    bootWall: boot.wall,
    certificate,
    privateKey,
    fingerprint: crypto.sha256(certificate),
    ...createShardTables(number),
    scratch: createScratch(tunables),
  };
}

function areFirstNumbers({ timestamp, srtpIndex, srtcpIndex, feedbackCount }: FirstNumbers): boolean {
  const fits = (number: number, most: number) => Number.isInteger(number) && number >= 0 && number <= most;
  const indicesFit = fits(srtpIndex, 0xffff_ffff_ffff) && fits(srtcpIndex, 0x7fff_ffff);
  return indicesFit && fits(timestamp, 0xffff_ffff) && fits(feedbackCount, 0xff);
}

/** Takes one input; what it leads to is in the outbox when this returns. Inputs come in the order of their times. */
export function shardHandle(shard: Shard, ports: ShardPorts, input: ShardInput): void {
  switch (input.kind) {
    case "datagram":
      handleDatagram(shard, ports, input);
      break;
    case "command":
      handleCommand(shard, ports, input);
      break;
    case "relay":
      handleRelay(shard, ports, input);
      break;
    case "shard-lost":
      loseShard(shard, ports, input.now, input.shard);
      break;
    case "timer":
      runTimers(shard, ports, input.now);
      break;
    default:
      unreachable(input);
  }
  endTurn(shard, ports, input.now);
}

/** Does what waits until what is in hand has been dealt with: looks at the wishes for keyframes, and sends out the mail. */
function endTurn(shard: Shard, ports: ShardPorts, now: Micros): void {
  if (shard.scratch.wishes.length > 0) lookAtWishes(shard, ports, now);
  if (shard.mail.outgoing.size > 0) flushMail(shard, ports);
}

/** When the shard wants a timer input at the latest; `NEVER` when it waits for nothing. */
export function shardNextTimeout(shard: Shard): Micros {
  return shard.timers.keys.length === 0 ? NEVER : timerHeapNext(shard.timers);
}

function handleDatagram(shard: Shard, ports: ShardPorts, input: DatagramInput): void {
  const { bytes, offset, length, flow } = input;
  const { counters } = shard.history;
  counters.datagramsReceived++;
  const kind = length > LIMITS.datagramBytesMax ? DEMUX.UNKNOWN : demux(bytes, offset, length);
  const participant = shard.flows.get(flow);
  if (kind === DEMUX.STUN) {
    if (!buggify(ports.faults, "door/stun-lost", 0)) handleStun(shard, ports, input);
  } else if (kind === DEMUX.UNKNOWN) {
    counters.datagramsUnknown++;
  } else if (participant === undefined) {
    counters.datagramsFromStrangers++;
  } else if (kind === DEMUX.RTP) {
    if (buggify(ports.faults, "door/rtp-lost", participant.id)) return;
    receiveRtp(shard, ports, input.now, participant, bytes, offset, length);
    return;
  } else if (kind === DEMUX.RTCP) {
    if (buggify(ports.faults, "door/rtcp-lost", participant.id)) return;
    receiveRtcp(shard, ports, input.now, participant, bytes, offset, length);
    return;
  } else if (!buggify(ports.faults, "door/dtls-lost", participant.id)) {
    const { peer } = participant;
    peerHandleDtls(peer, input.now, ports.crypto, ports.outbox, flow, bytes, offset, length);
    followConnection(shard, ports, input.now, participant);
  }
  // Whose flow it was until now had it released when he went.
  if (participant === undefined && !shard.flows.has(flow)) ports.outbox.releaseFlow(flow);
}

/** A check names its peer by the ufrag that the answer gave out; nobody else gets an answer. */
function handleStun(shard: Shard, ports: ShardPorts, input: DatagramInput): void {
  const { bytes, offset, length, flow, now, address } = input;
  const { counters } = shard.history;
  const ufrag = stunCheck(bytes, offset, length) === STUN.OK ? stunLocalUfrag(bytes, offset, length) : undefined;
  const participant = ufrag === undefined ? undefined : shard.ufrags.get(ufrag);
  if (participant === undefined) {
    counters.stunDropped++;
    return;
  }
  const { peer } = participant;
  const formerFlow = iceSendFlow(peer.ice);
  // Until then the client is still looking for its first path, and finding it is no change.
  const hadPath = participant.connected || peer.ice.selectedFlow >= 0;
  const code = peerHandleStun(peer, now, ports.crypto, ports.outbox, flow, address, bytes, offset, length);
  if (code === ICE.REFUSED) counters.stunRefused++;
  else if (code !== ICE.ANSWERED && code !== ICE.SELECTED) counters.stunDropped++;
  if (code !== ICE.ANSWERED && code !== ICE.SELECTED) return;
  counters.stunAnswered++;
  const isAdopted = adoptFlow(shard, ports, participant, flow);
  if (isAdopted && code === ICE.SELECTED && hadPath && flow !== formerFlow) {
    ports.outbox.event({ type: "path-changed", room: participant.room, participant: participant.id, flow });
  }
  followConnection(shard, ports, now, participant);
}

/**
 * Takes the records of a batch one by one, each as if it had come alone: what it leads to has happened, and has left, before
 * the next one is looked at.
 */
function handleRelay(shard: Shard, ports: ShardPorts, { now, bytes, offset, length }: RelayInput): void {
  const end = offset + length;
  for (let at = offset; at < end; at += relayRecordLength(bytes, at)) {
    if (relayRecordCheck(bytes, at, end) !== RELAY.OK) {
      shard.history.counters.relayMalformed++;
      return;
    }
    if (relayRecordKind(bytes, at) === RELAY_KIND.PACKET) receiveRelayed(shard, ports, now, bytes, at);
    else {
      unpackMail(shard, bytes, at);
      deliverMail(shard, ports, now);
    }
    endTurn(shard, ports, now);
  }
}

function handleCommand(shard: Shard, ports: ShardPorts, input: CommandInput): void {
  const { command, commandId, now } = input;
  switch (command.type) {
    case "join": {
      const outcome = joinShard(shard, ports, now, command);
      if (outcome.ok) enterRoom(shard, ports, now, outcome.participant);
      ports.outbox.reply(joinReply(commandId, outcome));
      return;
    }
    case "leave": {
      const participant = shard.resources.get(command.resource);
      if (participant === undefined || participant.room !== command.room) {
        ports.outbox.reply(notFound(commandId));
        return;
      }
      removeParticipant(shard, ports, now, participant, "left", "");
      ports.outbox.reply({ commandId, type: "left" });
      return;
    }
    case "reconnect": {
      const participant = shard.resources.get(command.resource);
      const isThere = participant !== undefined && participant.room === command.room;
      ports.outbox.reply(
        isThere ? reconnectParticipant(shard, ports, now, participant, commandId, command) : notFound(commandId),
      );
      return;
    }
    case "drain": {
      shard.draining = true;
      const participants = [...shard.participants.values()];
      for (const participant of participants) removeParticipant(shard, ports, now, participant, "drained", "");
      ports.outbox.reply({ commandId, type: "drained", sessions: participants.length });
      return;
    }
    case "leave-out-video":
      leaveOutVideo(shard, now, command.parts);
      deliverMail(shard, ports, now);
      ports.outbox.reply({ commandId, type: "video-left-out" });
      return;
    default:
      unreachable(command);
  }
}

function notFound(commandId: number): CommandReply {
  const detail = "There is no such participant in this room; it may have left already.";
  return { commandId, type: "refused", code: "not-found", detail };
}
