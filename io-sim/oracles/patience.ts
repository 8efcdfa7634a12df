/**
 * The oracle that waits: whether what is in a slot comes to be seen and heard, and comes back after what has disturbed it.
 *
 * A slot that shows somebody who is there, with a camera that is not covered, over links that carry, has to play. How long
 * that may take follows from the links' round trips and, where packets are lost, from what repetitions cost. After a step
 * that touches one of the two it has five seconds more (L2); after an unmuting, or when the server has time again for what it
 * left out, it is what was paused that plays again (L4);
 * a first picture comes late to somebody who has joined (L1); a viewer who has asked for a keyframe all the while was not
 * heard (S10); in all other cases a wish is not met (L3).
 */
import type { Client } from "../client/client.ts";
import type { ReceivingSlot } from "../client/client-receive.ts";
import type { LinkPlan } from "../link/index.ts";
import type { Operation } from "../story/plan.ts";
import { longestWayMicros } from "../world/shards.ts";
import { clientOf, type Peer, peerOf } from "../world/topology.ts";
import type { World, WorldWatcher } from "../world/world.ts";
import { healingBound, pictureBound } from "./bounds.ts";
import { excused, hasMisbehaved } from "./excuses.ts";
import type { Binding, Ledger } from "./ledger.ts";
import { judge, type PromiseBook, type PromiseId } from "./promises.ts";
import { isPastOpening } from "./rollover.ts";
import { waysCarry } from "./ways.ts";

/** Time between two looks. */
const LOOK_EVERY_MICROS = 250_000;
/** Ways between shards that a first picture takes: a wish, a keyframe request, the keyframe, and what of it is repeated. */
const SHARD_WAYS = 12;

/** Why somebody waits. */
interface Cause {
  readonly promise: PromiseId;
  readonly at: number;
}

/** The oracle of this world. */
export function createPatienceOracle(world: World, book: PromiseBook, ledger: Ledger): WorldWatcher {
  const touched = new Map<string, number>();
  const unmuted = new Map<string, number>();
  const boundOf = createBounds(world);
  let shaken = 0;
  let fired = 0;
  let nextLook = 0;

  function causeOf(viewer: Peer, owner: Peer, kind: string, binding: Binding, from: number): Cause {
    const healed = Math.max(shaken, touched.get(viewer.plan.name) ?? 0, touched.get(owner.plan.name) ?? 0);
    const goesOn = Math.max(unmuted.get(`${owner.plan.name}/${kind}`) ?? 0, binding.goesOnAt);
    const wished = Math.max(binding.since, from);
    if (healed >= Math.max(goesOn, wished)) return { promise: "L2", at: healed };
    return goesOn >= wished ? { promise: "L4", at: goesOn } : { promise: "L3", at: wished };
  }

  function lookAtSlot(viewer: Peer, client: Client, slot: ReceivingSlot): void {
    const binding = ledger.bindings.get(client.participant)?.get(slot.mid);
    const sender = binding === undefined ? undefined : clientOf(world, binding.participant);
    const owner = sender === undefined ? undefined : peerOf(world, sender);
    if (binding === undefined || sender?.status !== "connected" || owner === undefined || binding.paused) return;
    const { cameraMuted, microphoneMuted } = sender.media;
    if (slot.kind === "video" ? cameraMuted : microphoneMuted) return;
    const kind = slot.kind === "video" ? "camera" : "microphone";
    const cause = causeOf(viewer, owner, kind, binding, Math.max(client.connectedAt, sender.connectedAt));
    const { seenAt, asked } = lastSeen(world, slot, sender);
    const waited = world.loop.now - Math.max(cause.at, seenAt);
    const { tunables } = world;
    const links = boundOf(viewer) + boundOf(owner);
    const ways = SHARD_WAYS * longestWayMicros(world);
    const bound = links + ways + (cause.promise === "L2" ? healingBound(tunables) : 0);
    const isFirst = seenAt === 0 && cause.promise === "L3" && slot.kind === "video";
    const promises: PromiseId[] = [isFirst ? "L1" : cause.promise];
    if (asked) promises.push("S10");
    if (waited > bound && isExcused(world, book, viewer, owner, sender, slot.kind)) return;
    for (const promise of promises) {
      judge(
        book,
        promise,
        waited <= bound,
        () =>
          `${client.plan.name} has waited ${waited} µs for ${sender.plan.name}'s ${kind}; the links explain ${bound} µs.`,
      );
    }
  }

  return {
    crashed() {
      shaken = Math.max(shaken, world.loop.now);
    },
    step({ operation }) {
      const over = world.loop.now + lastsFor(operation);
      if (operation.type === "unmute") unmuted.set(`${operation.peer}/${operation.source}`, over);
      else if (shakesServer(operation)) shaken = Math.max(shaken, over);
      for (const peer of touchedBy(operation)) touched.set(peer, Math.max(touched.get(peer) ?? 0, over));
    },
    afterInput({ now }) {
      if (now < nextLook || world.zeroAt === 0) return;
      nextLook = now + LOOK_EVERY_MICROS;
      if (world.sites.fired > fired) shaken = Math.max(shaken, now);
      fired = world.sites.fired;
      for (const peer of world.peers.values()) {
        const { client } = peer;
        if (client?.status === "connected") for (const slot of client.media.slots) lookAtSlot(peer, client, slot);
      }
    },
  };
}

/** Whether there is a reason for waiting longer than the links explain. */
function isExcused(
  world: World,
  book: PromiseBook,
  viewer: Peer,
  owner: Peer,
  sender: Client,
  kind: "audio" | "video",
): boolean {
  if (excused(book, "no way", !waysCarry(viewer) || !waysCarry(owner))) return true;
  const isBad = hasMisbehaved(world, viewer.plan.name) || hasMisbehaved(world, owner.plan.name);
  return excused(book, "bad habit", isBad) || excused(book, "past opening", isPastOpening(world, sender, kind));
}

/** What a peer's links add to the time that a picture may take: once for each pair of plans that its links have. */
function createBounds({ tunables }: World): (peer: Peer) => number {
  const bounds = new Map<Peer, { readonly up: LinkPlan; readonly down: LinkPlan; readonly bound: number }>();
  return (peer) => {
    const [up, down] = [peer.up.plan, peer.down.plan];
    let known = bounds.get(peer);
    if (known?.up !== up || known.down !== down) known = { up, down, bound: pictureBound(up, down, tunables) };
    bounds.set(peer, known);
    return known.bound;
  };
}

/** Whether an operation may disturb everybody. What strangers throw may not, nor a snapshot that the server goes on from. */
function shakesServer({ type }: Operation): boolean {
  return type === "crash" || type === "crash-shard" || type === "pause" || type === "buggify";
}

/** Whose links, addresses or devices an operation disturbs. */
function touchedBy(operation: Operation): readonly string[] {
  if (operation.type === "swizzle") return operation.peers;
  const isHarmless = ["mute", "unmute", "join", "signalling"].includes(operation.type);
  return "peer" in operation && !isHarmless ? [operation.peer] : [];
}

/** How long an operation goes on. */
function lastsFor(operation: Operation): number {
  if (operation.type === "rejoin") return operation.times * operation.everyMicros;
  if ("overMicros" in operation) return operation.overMicros;
  return "forMicros" in operation ? operation.forMicros : 0;
}

/** When something of this sender was last perceived in a slot, and whether a keyframe has been asked for since. */
function lastSeen(world: World, slot: ReceivingSlot, sender: Client): { seenAt: number; asked: boolean } {
  const { camera, microphone } = sender.media.plan;
  if (slot.screen === undefined)
    return { seenAt: slot.speaker?.heard.get(microphone?.source ?? -1)?.lastAt ?? 0, asked: false };
  const seenAt = slot.screen.seen.get(camera?.source ?? -1)?.lastAt ?? 0;
  return { seenAt, asked: slot.screen.askedAt > Math.max(seenAt, world.zeroAt) };
}
