/**
 * The route table: which slots a publication is forwarded to. The control plane lays and takes up routes here, by
 * messages to publications; the data plane (forward.ts) walks them.
 */
import type { Micros } from "../base/micros.ts";
import { shardOf } from "./ids.ts";
import type { PublicationMessage } from "./mail.ts";
import { createProxy, releaseProxy } from "./proxies.ts";
import { wantKeyframe } from "./requests.ts";
import { isLeftOut } from "./shedding.ts";
import type { Publication, Route, Shard, Slot } from "./state.ts";

/**
 * Takes a message that an allocator has sent to a publication, which may be another shard's: then it is for the proxy, and
 * the first subscriber calls it to life. A slot that is gone meanwhile is passed over.
 */
export function routeHandle(
  shard: Shard,
  now: Micros,
  id: number,
  message: PublicationMessage & { type: "subscribe" | "unsubscribe" },
): void {
  const slot = shard.slots.get(message.slot);
  if (!slot) return;
  if (message.type === "unsubscribe") {
    if (slot.route?.publication.id === id) dropRoute(shard, slot.route);
    return;
  }
  // With mail in any order, this one may have been overtaken by what the slot is to show since,
  if (message.turn <= slot.turn) return;
  slot.turn = message.turn;
  const publication = publicationHere(shard, id, slot);
  if (publication === undefined) return;
  // or the slot's former publication may not have heard yet that it is no longer wanted.
  if (slot.route !== null) dropRoute(shard, slot.route);
  const route: Route = {
    publication,
    slot,
    stream: null,
    leftOut: isLeftOut(shard, slot.id, slot.media.kind),
    incomingType: -1,
    payloadType: -1,
    rtxPayloadType: -1,
  };
  slot.route = route;
  publication.routes.push(route);
  if (!route.leftOut) wantKeyframe(shard, now, publication);
}

/** Takes a route up. A proxy goes with its last one. */
export function dropRoute(shard: Shard, route: Route): void {
  const { routes, id } = route.publication;
  const index = routes.indexOf(route);
  if (index >= 0) routes.splice(index, 1);
  if (route.slot.route === route) route.slot.route = null;
  const proxy = routes.length === 0 ? shard.proxies.get(id) : undefined;
  if (proxy !== undefined) releaseProxy(shard, proxy);
}

function publicationHere(shard: Shard, id: number, slot: Slot): Publication | undefined {
  if (shardOf(id) === shard.number) return shard.publications.get(id);
  return shard.proxies.get(id) ?? createProxy(shard, id, slot.media.kind);
}
