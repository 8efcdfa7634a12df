/**
 * Watches a run and writes down what a trace needs.
 *
 * A recorder changes nothing in the world: it schedules no event and draws no chance, so a traced run has the fingerprint of
 * the same run untraced. Numbers are gathered in ticks of a tenth of a second.
 */
import type { ShardEvent, SlotView } from "../../core/index.ts";
import { addressText, familyOf } from "../base/addresses.ts";
import type { Client } from "../client/client.ts";
import type { FramePassport } from "../client/frame-body.ts";
import { nominalRate } from "../link/capacity.ts";
import type { Link } from "../link/state.ts";
import { CAMERAS, type Operation } from "../story/plan.ts";
import type { SfuNode } from "../world/node.ts";
import type { RunOptions, Verdict } from "../world/run.ts";
import { placeOf } from "../world/shards.ts";
import type { Peer } from "../world/topology.ts";
import type { Carried, Source, World, WorldWatcher } from "../world/world.ts";
import { traceOf } from "./assembly.ts";
import { createKept, keep } from "./kept.ts";
import { createMessageBook, noteMessage, type TracedMessage } from "./messages.ts";
import { dtlsWords, feedbackIn, mediaWords, packetKind, stunWords, type TracedPacket } from "./packets.ts";
import { nameOfTab, type Recording, shardName, sourceName } from "./recording.ts";
import { recordRelayed } from "./relays.ts";
import { FACT, FROZEN_MICROS, factPulse, factSet } from "./strips.ts";
import { createTraceTicks, tickAdd, tickMax, tickSet, WITHOUT_END } from "./ticks.ts";
import type { Trace } from "./trace.ts";

/** Packets that a trace keeps when nothing else is said. */
const PACKETS_MAX = 200_000;

/** What is said of a packet that was dropped: nobody has opened it. */
const DROPPED_WORDS = { stun: "checks", dtls: "DTLS", rtp: "media", rtcp: "RTCP", other: "rubbish" } as const;

/** Addresses of one peer that are remembered. */
const ADDRESSES_MAX = 64;

/** Records one run. Give `onWorld` to the run, then ask `finish` for the trace. */
export interface TraceRecorder {
  readonly onWorld: NonNullable<RunOptions["onWorld"]>;
  /** `replayName` is what the command line finds the story by: its name, or a path. */
  finish(verdict: Verdict, replayName?: string): Trace;
}

/** A recorder of one run. `packetsMax` bounds the packets that are kept; 0 for a trace without packets. */
export function createTraceRecorder(packetsMax: number = PACKETS_MAX): TraceRecorder {
  let recording: Recording | undefined;
  return {
    onWorld(world) {
      recording = {
        world,
        packets: createKept(packetsMax),
        messages: createMessageBook(),
        facts: new Map(),
        ticks: createTraceTicks(world.loop.origin),
        drops: new Map(),
        addresses: new Map(),
        participants: new Map(),
        sampledTick: -1,
      };
      world.watchers.push(createTraceWatcher(recording));
    },
    finish(verdict, replayName = verdict.story) {
      if (recording === undefined) throw new Error("The recorder was not given to a run.");
      return traceOf(recording, verdict, replayName);
    },
  };
}

function createTraceWatcher(recording: Recording): WorldWatcher {
  const { world, facts } = recording;
  return {
    beforeInput(input, node) {
      sample(recording);
      if (input.kind !== "datagram") return;
      const source = addressText(input.address);
      const target = addressOfShard(world, world.nodes.indexOf(node), source);
      const bytes = input.bytes.slice(input.offset, input.offset + input.length);
      const peer = world.byAddress.get(source)?.plan.name ?? "";
      keepPacket(recording, node, { surface: "encrypted", direction: "up", peer, source, target, bytes });
    },
    transmitted(target, bytes, to, node) {
      const source = addressOfShard(world, world.nodes.indexOf(node), target);
      const peer = to?.plan.name ?? "";
      keepPacket(recording, node, { surface: "encrypted", direction: "down", peer, source, target, bytes });
    },
    relayed: (from, to, lane, record, isLost) => recordRelayed(recording, from, to, lane, record, isLost),
    carried: (peer, direction, fate, what) => recordCarried(recording, peer, direction, fate, what),
    plain: (client, direction, bytes) => recordPlain(recording, client, direction, bytes),
    event: (event) => recordEvent(recording, event),
    connected: (client) => factSet(facts, FACT.here(nameOfTab(client.plan.name)), world.loop.now, true),
    perceived: (client, mid, kind, passport) => recordPerceived(recording, client, mid, kind, passport),
    step: ({ operation }) => followOperation(recording, operation),
    signalled(peer, direction, what) {
      const { now, ran } = world.loop;
      const text = direction === "up" ? `${what} request` : what;
      noteMessage(recording.messages, {
        ...ends(world, peer, direction),
        kind: "signalling",
        text,
        at: now,
        event: ran,
      });
    },
  };
}

function recordEvent(recording: Recording, event: ShardEvent): void {
  const { world, facts, participants } = recording;
  const { now } = world.loop;
  if (event.type === "joined") participants.set(nameOfTab(event.name), event.participant);
  if (event.type !== "left" && event.type !== "bindings") return;
  const peer = nameOfTab(world.names.get(event.participant) ?? "");
  if (participants.get(peer) !== event.participant) return;
  if (event.type === "left") {
    factSet(facts, FACT.here(peer), now, false);
    return;
  }
  for (const source of world.sources.values()) {
    if (source.client !== source.peer.client || source.peer.plan.name === peer) continue;
    factSet(facts, FACT.slotted(peer, sourceName(source)), now, isInSlot(recording, source, event.slots));
  }
}

function isInSlot(recording: Recording, source: Source, slots: readonly SlotView[]): boolean {
  const kind = source.kind === "camera" ? "video" : "audio";
  const owner = recording.participants.get(source.peer.plan.name);
  return slots.some((slot) => slot.kind === kind && slot.publication !== 0 && slot.participant === owner);
}

function recordPerceived(
  recording: Recording,
  client: Client,
  mid: string,
  kind: "audio" | "video",
  passport: FramePassport,
): void {
  const { world, facts, ticks } = recording;
  const source = world.sources.get(passport.source);
  if (source === undefined || !isShown(recording, client, mid, passport.source)) return;
  const viewer = nameOfTab(client.plan.name);
  const name = sourceName(source);
  const { now } = world.loop;
  factPulse(facts, FACT.shown(viewer, name), now, FROZEN_MICROS[kind]);
  tickAdd(ticks, `seen/${viewer}/${name}/frames`, "frames", now, 1);
  if (kind === "audio" || source.peer.plan.camera === null) return;
  const width = CAMERAS[source.peer.plan.camera].layers[passport.layer]?.width ?? 0;
  tickSet(ticks, `seen/${viewer}/${name}/width`, "px", now, width);
}

/** Whether this frame has moved the screen on: frames that can't be decoded are perceived too. */
function isShown(recording: Recording, client: Client, mid: string, source: number): boolean {
  const slot = client.media.slots.find((candidate) => candidate.mid === mid);
  if (slot?.screen === undefined) return true;
  return slot.screen.seen.get(source)?.lastAt === recording.world.loop.now;
}

function followOperation(recording: Recording, operation: Operation): void {
  const { world, facts } = recording;
  const { now } = world.loop;
  if (operation.type === "leave" || operation.type === "kill") {
    factSet(facts, FACT.here(operation.peer), now, false);
  }
  if (operation.type === "mute" || operation.type === "unmute") {
    factSet(facts, FACT.muted(`${operation.peer}/${operation.source}`), now, operation.type === "mute");
  }
  // A new browser tab knows nothing of what the old one had muted.
  if (operation.type === "join") {
    for (const kind of ["camera", "microphone"]) factSet(facts, FACT.muted(`${operation.peer}/${kind}`), now, false);
  }
}

function recordCarried(
  recording: Recording,
  peer: Peer,
  direction: "up" | "down",
  fate: "offered" | "delivered" | "dropped",
  { packet, reason }: Carried,
): void {
  sample(recording);
  const { world, ticks, messages } = recording;
  const { name } = peer.plan;
  const { now, ran } = world.loop;
  const bytes = packet.bytes.length + packet.overheadBytes;
  tickAdd(ticks, `link/${name}/${direction}/${fate}`, "bytes", now, bytes);
  const row = { ...ends(world, peer, direction), at: now, event: ran };
  if (fate === "offered") {
    tickMax(ticks, `link/${name}/${direction}/queue`, "bytes", now, peer[direction].bottleneck.queuedBytes);
    if (direction === "up") notice(recording.addresses, name, packet.source);
    const kind = packetKind(packet.bytes);
    if (kind === "stun") noteMessage(messages, { ...row, kind: "ice", text: stunWords(packet.bytes) });
    if (kind === "dtls") noteMessage(messages, { ...row, kind: "dtls", text: dtlsWords(packet.bytes) });
  }
  if (fate !== "dropped") return;
  countDrop(recording, name, direction, reason);
  noteMessage(messages, {
    ...row,
    kind: "drop",
    text: `dropped: ${reason} (${DROPPED_WORDS[packetKind(packet.bytes)]})`,
  });
  const { source, target } = packet;
  const node = world.nodes[placeOf(world, peer)]!;
  keepPacket(recording, node, {
    surface: "dropped",
    direction,
    peer: name,
    source,
    target,
    bytes: packet.bytes,
    reason,
  });
}

function countDrop(recording: Recording, peer: string, direction: "up" | "down", reason: string): void {
  const key = JSON.stringify([peer, direction, reason]);
  const drops = recording.drops.get(key) ?? { peer, direction, reason, count: 0 };
  drops.count++;
  recording.drops.set(key, drops);
}

function recordPlain(recording: Recording, client: Client, direction: "up" | "down", bytes: Uint8Array): void {
  const { world, messages } = recording;
  const name = nameOfTab(client.plan.name);
  const peer = world.peers.get(name);
  const address = peer?.address ?? "";
  const place = peer === undefined ? 0 : placeOf(world, peer);
  const shard = addressOfShard(world, place, address);
  const [source, target] = direction === "up" ? [address, shard] : [shard, address];
  const packet = { surface: "decrypted", direction, peer: name, source, target, bytes: bytes.slice() } as const;
  keepPacket(recording, world.nodes[place]!, packet);
  if (peer === undefined) return;
  const row = { ...ends(world, peer, direction), at: world.loop.now, event: world.loop.ran };
  if (packetKind(bytes) === "rtp") {
    noteMessage(messages, { ...row, kind: "media", text: mediaWords(bytes[1]! & 0x7f) });
    return;
  }
  const found = feedbackIn(bytes);
  for (const { kind, count } of found) {
    if (kind === "NACK") noteMessage(messages, { ...row, kind: "nack", text: "asks again for packets (NACK)" }, count);
    else noteMessage(messages, { ...row, kind: "keyframe", text: `asks for a keyframe (${kind})` });
  }
  if (found.length === 0) noteMessage(messages, { ...row, kind: "reports", text: "reports (RTCP)" });
}

/** Where the shard in this place answers somebody at `address`. */
function addressOfShard({ shards }: World, place: number, address: string): string {
  return shards.addresses[place]![familyOf(address)];
}

/** Who says something and who hears it, when it goes over the link of a peer. */
function ends(world: World, peer: Peer, direction: "up" | "down"): Pick<TracedMessage, "from" | "to"> {
  const [name, place] = [peer.plan.name, placeOf(world, peer)];
  return direction === "up" ? { from: name, to: place } : { from: place, to: name };
}

function keepPacket(
  recording: Recording,
  node: SfuNode,
  seen: Omit<TracedPacket, "at" | "event" | "input" | "reason"> & { readonly reason?: string },
): void {
  const { loop } = recording.world;
  keep(recording.packets, { reason: "", ...seen, at: loop.now, event: loop.ran, input: node.inputs });
}

/** Once a tick: the estimates and counts that nobody announces. */
function sample(recording: Recording): void {
  const { world, ticks } = recording;
  const { now } = world.loop;
  const tick = Math.floor((now - world.loop.origin) / ticks.tickMicros);
  if (tick === recording.sampledTick) return;
  recording.sampledTick = tick;
  world.nodes.forEach((node, place) => {
    sampleShard(recording, shardName(world, place), node);
  });
  for (const peer of world.peers.values()) {
    let missing = 0;
    for (const slot of peer.client?.media.slots ?? []) missing += slot.stream.missing.size;
    tickSet(ticks, `estimate/${peer.plan.name}/missing packets`, "packets", now, missing);
    // Only a browser-like client has layers that follow its estimate; what the others would believe, nobody asks.
    if (peer.client?.plan.persona === "chromium" && peer.plan.camera !== null) {
      tickSet(ticks, `estimate/${peer.plan.name}/bandwidth up`, "bit/s", now, peer.client.media.bandwidth.estimateBps);
    }
    for (const direction of ["up", "down"] as const) {
      const link = peer[direction];
      tickMax(ticks, `link/${peer.plan.name}/${direction}/queue`, "bytes", now, link.bottleneck.queuedBytes);
      tickSet(ticks, `link/${peer.plan.name}/${direction}/capacity`, "bit/s", now, capacityOf(link));
    }
  }
}

/** What a link carries now, in bits per second: nothing in an outage of its capacity, and {@link WITHOUT_END} without one. */
function capacityOf({ plan, bottleneck }: Link): number {
  if (plan.capacity === null) return plan.rateBps === 0 ? WITHOUT_END : plan.rateBps;
  return plan.capacity.kind === "trace" ? nominalRate(plan.capacity) : bottleneck.seenBps;
}

/** What a shard estimates and counts. */
function sampleShard({ world, ticks }: Recording, name: string, { shard }: SfuNode): void {
  const { now } = world.loop;
  for (const participant of shard.participants.values()) {
    if (participant.rtt.samples === 0) continue;
    const { rtt } = participant;
    const viewer = nameOfTab(participant.name);
    tickSet(ticks, `estimate/${viewer}/round trip`, "µs", now, Math.floor(rtt.smoothed8 / 8));
  }
  for (const [count, value] of Object.entries(shard.history.counters)) {
    tickSet(ticks, `counts/${name}/${count}`, "count", now, Number(value));
  }
}

function notice(addresses: Map<string, Set<string>>, name: string, address: string): void {
  let known = addresses.get(name);
  if (known === undefined) {
    known = new Set();
    addresses.set(name, known);
  }
  if (known.size < ADDRESSES_MAX) known.add(address);
}
