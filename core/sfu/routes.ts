/**
 * The route table: which slots a publication is forwarded to. The control plane lays and takes up routes here, by
 * messages to publications; the data plane (forward.ts) walks them.
 */
import type { Micros } from "../base/micros.ts";
import { keyframeWanted } from "../media/keyframe-requests.ts";
import type { PublicationMessage } from "./mail.ts";
import type { Publication, Route, Shard } from "./state.ts";

/** Takes a message that an allocator has sent to a publication. A slot that is gone meanwhile is passed over. */
export function publicationHandle(
  shard: Shard,
  now: Micros,
  publication: Publication,
  message: PublicationMessage,
): void {
  const slot = shard.slots.get(message.slot);
  if (!slot) return;
  if (message.type === "unsubscribe") {
    const route = publication.routes.find((each) => each.slot === slot);
    if (route) dropRoute(route);
    return;
  }
  // With mail in any order, the slot's former publication may not have heard yet that it is no longer wanted.
  if (slot.route !== null) dropRoute(slot.route);
  const route: Route = {
    publication,
    slot,
    stream: null,
    incomingType: -1,
    payloadType: -1,
    rtxPayloadType: -1,
  };
  slot.route = route;
  publication.routes.push(route);
  if (publication.kind === "video" && publication.best !== null) keyframeWanted(publication.best.keyframes, now);
}

/** Takes a route up. */
export function dropRoute(route: Route): void {
  const { routes } = route.publication;
  const index = routes.indexOf(route);
  if (index >= 0) routes.splice(index, 1);
  if (route.slot.route === route) route.slot.route = null;
}
