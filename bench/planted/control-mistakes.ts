/**
 * Mistakes in who is shown to whom: rooms, slots, routes, timers, and what one shard sends to another.
 *
 * Leaks above all: what is forgotten when somebody leaves.
 */
import { edit, type Mistake } from "./mistake.ts";

/** All mistakes of the control plane. */
export const CONTROL_MISTAKES: readonly Mistake[] = [
  {
    id: "route-leak",
    what: "whoever leaves stays on the route table",
    story: "the page was reloaded",
    promise: "S15",
    edits: [
      edit(
        "sfu/lifecycle.ts",
        "    if (slot.route !== null) dropRoute(shard, slot.route);\n    shard.slots",
        "    shard.slots",
      ),
    ],
  },
  {
    id: "old-slots-fed",
    what: "what a viewer was sent goes on to the connection that he had, and not to the one that he has",
    story: "from the desk to the cafe",
    promise: "S15",
    edits: [edit("sfu/reconnect.ts", "  closeSlots(shard, participant);\n", "")],
  },
  {
    id: "new-slots-empty",
    what: "the slots of a new connection are never filled",
    story: "from the desk to the cafe",
    promise: "L3",
    edits: [edit("sfu/lifecycle.ts", "  if (connection !== id) offerSlots(shard, participant);\n", "")],
  },
  {
    id: "old-streams-kept",
    what: "a publication keeps the streams of the connection that has ended",
    story: "from the desk to the cafe",
    promise: "S15",
    edits: [
      edit("sfu/reconnect.ts", "    for (const stream of [...publication.streams]) forgetStream(shard, stream);\n", ""),
    ],
  },
  {
    id: "stale-generation",
    what: "a slot's former source goes on being forwarded to it",
    story: "coming and going",
    promise: "S15",
    edits: [edit("sfu/routes.ts", "  if (slot.route !== null) dropRoute(shard, slot.route);\n", "")],
  },
  {
    id: "older-wish-heeded",
    what: "a slot shows what it was to show before, when the word of that comes later",
    story: "a seat taken twice",
    promise: "S15",
    edits: [edit("sfu/routes.ts", "  if (message.turn <= slot.turn) return;\n", "")],
  },
  {
    id: "timer-leak",
    what: "the timer of somebody who has left stays",
    story: "the page was reloaded",
    promise: "S15",
    edits: [
      edit(
        "sfu/lifecycle.ts",
        "  shard.resources.delete(participant.resource);\n  setParticipantTimer(shard, participant);",
        "  shard.resources.delete(participant.resource);",
      ),
    ],
  },
  {
    id: "resource-leak",
    what: "the resource of somebody who has left stays",
    story: "the page was reloaded",
    promise: "S15",
    edits: [edit("sfu/lifecycle.ts", "  shard.resources.delete(participant.resource);\n", "")],
  },
  {
    id: "ufrag-leak",
    what: "the ufrag of somebody who has left stays",
    story: "the page was reloaded",
    promise: "S15",
    edits: [edit("sfu/lifecycle.ts", "  shard.ufrags.delete(peer.ice.localUfrag);\n", "")],
  },
  {
    id: "room-leak",
    what: "a room that everybody has left stays",
    story: "the page was reloaded",
    promise: "R1",
    edits: [edit("sfu/delivery.ts", "    shard.rooms.delete(room.name);\n", "")],
  },
  {
    id: "slot-stuck",
    what: "a slot keeps showing somebody who has left",
    story: "the page was reloaded",
    promise: "S15",
    edits: [edit("sfu/allocator.ts", "      slot.publication = 0;\n      vacated = true;", "      vacated = true;")],
  },
  {
    id: "own-media-echoed",
    what: "somebody is shown himself",
    story: "a clean call",
    promise: "S15",
    edits: [
      edit(
        "sfu/room.ts",
        "if (!member.ready || member === newcomer) continue;",
        "if (!member.ready && member !== newcomer) continue;",
      ),
      edit("sfu/allocator.ts", "if (offering.owner !== allocator.participant) setOffering", "setOffering"),
    ],
  },
  {
    id: "rooms-mixed-up",
    what: "whoever opens a room gets into the first one that there is",
    story: "a room next door",
    promise: "S15",
    edits: [
      edit(
        "sfu/delivery.ts",
        "const found = shard.rooms.get(to.id);",
        'const found = shard.rooms.get(to.id) ?? (message.type === "enter" ? [...shard.rooms.values()][0] : undefined);',
      ),
    ],
  },
  {
    id: "roster-not-updated",
    what: "a roster is not announced when somebody leaves",
    story: "the page was reloaded",
    promise: "S16",
    edits: [
      edit(
        "sfu/room.ts",
        "if (memberLeaves(room, message.participant, mail)) events.push(rosterOf(room));",
        "memberLeaves(room, message.participant, mail);",
      ),
    ],
  },
  {
    id: "reply-twice",
    what: "a leave is answered twice",
    story: "the page was reloaded",
    promise: "S16",
    edits: [
      edit(
        "sfu/shard.ts",
        'ports.outbox.reply({ commandId, type: "left" });',
        'ports.outbox.reply({ commandId, type: "left" });\n      ports.outbox.reply({ commandId, type: "left" });',
      ),
    ],
  },
  {
    id: "binding-not-told",
    what: "a slot is filled and nobody is told",
    story: "a clean call",
    promise: "L3",
    edits: [
      edit(
        "sfu/allocator.ts",
        "if (changed) events.push(bindingsOf(allocator, room));",
        "if (changed && allocator.offerings.size > 2) events.push(bindingsOf(allocator, room));",
      ),
    ],
  },
  {
    id: "told-again",
    what: "who is heard is announced again each time that voices are compared",
    story: "more voices than places",
    promise: "S16",
    edits: [
      edit(
        "sfu/allocator.ts",
        "if (publication === slot.publication || publication === 0) continue;",
        "if (publication === 0) continue;",
      ),
    ],
  },
  {
    id: "pause-not-told",
    what: "a stream that has stopped is still said to flow",
    story: "a covered camera",
    promise: "S20",
    edits: [
      edit(
        "sfu/flowing.ts",
        "if (flowing !== publication.flowing) setFlowing",
        "if (flowing && !publication.flowing) setFlowing",
      ),
    ],
  },
  {
    id: "one-turn-at-a-time",
    what: "of those whose deadline has come only the first has his turn",
    story: "a crowd at the door",
    promise: "S19",
    edits: [
      edit(
        "sfu/timers.ts",
        "while (timerHeapNext(shard.timers) <= now) {",
        "for (let turns = 0; turns < 1 && timerHeapNext(shard.timers) <= now; turns++) {",
      ),
    ],
  },
  {
    id: "shard-lost-unheard",
    what: "who had his room on a shard that has died is not let go",
    story: "a room dies with its shard",
    promise: "S15",
    edits: [
      edit(
        "sfu/losses.ts",
        'if (participant.home === number) removeParticipant(shard, ports, now, participant, "shard-lost", "");',
        "",
      ),
    ],
  },
  {
    id: "proxy-leak",
    what: "a shard whose last viewer has left goes on getting the media",
    story: "a room over three shards",
    promise: "S15",
    edits: [edit("sfu/routes.ts", "  if (proxy !== undefined) releaseProxy(shard, proxy);\n", "")],
  },
  {
    id: "relay-leak",
    what: "media is relayed to a shard that has said that it wants no more",
    story: "a room over three shards",
    promise: "S15",
    edits: [
      edit(
        "sfu/relays.ts",
        "      publication.relays = publication.relays.filter(\n        (relay) => relay.shard !== from.shard || relay.lane !== message.lane,\n      );\n      return;\n",
        "      return;\n",
      ),
    ],
  },
  {
    id: "lanes-mixed-up",
    what: "what comes from another shard goes to whoever got something from there first",
    story: "a room over three shards",
    promise: "L3",
    edits: [
      edit(
        "sfu/proxies.ts",
        "const proxy = shard.lanes.get(relayPacketLane(bytes, at));",
        "const proxy = relayPacketLane(bytes, at) > 0 ? [...shard.lanes.values()][0] : undefined;",
      ),
    ],
  },
  {
    id: "lane-not-mended",
    what: "what gets lost between two shards is not asked for again",
    story: "a room over three shards",
    promise: "Q3",
    edits: [
      edit("sfu/proxies.ts", "if (nack !== null && nack.missing > 0) {", "if (nack !== null && nack.missing < 0) {"),
    ],
  },
  {
    id: "layer-not-followed",
    what: "another shard never hears that another layer has become the best",
    story: "a room over three shards",
    promise: "L3",
    edits: [edit("sfu/proxies.ts", "(flags & RELAY_FLAG.BEST) !== 0 && proxy.best !== stream", "proxy.best === null")],
  },
  {
    id: "keyframe-not-passed-on",
    what: "who comes in on another shard waits for a keyframe that its home is not asked for",
    story: "a room over three shards",
    promise: "L1",
    edits: [
      edit(
        "sfu/requests.ts",
        "if (!keyframeToPassOn(stream.keyframes, now)) return;",
        "if (!keyframeToPassOn(stream.keyframes, now) || stream.keyframes.toBegin) return;",
      ),
    ],
  },
];
