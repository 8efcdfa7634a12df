/**
 * What the steps of a story do.
 *
 * One function for each kind of operation that a plan can hold; each does its thing now, and what follows from it happens
 * by events of the loop.
 */
import {
  type Client,
  type ClientWatcher,
  clientIsActive,
  clientJoin,
  clientKill,
  clientLeave,
  createClient,
} from "./client/client.ts";
import { throwGarbage } from "./garbage.ts";
import { createGuardedProvider } from "./guards.ts";
import { changeLink } from "./link.ts";
import { nodePause, nodeRestart } from "./node.ts";
import { CAMERAS, type Operation } from "./plan.ts";
import { note } from "./rows.ts";
import { signalJoin, signalLeave } from "./signalling.ts";
import { setSites } from "./sites.ts";
import { movePeer, type Peer, sendOn } from "./topology.ts";
import { wallAt } from "./wall-clock.ts";
import type { World } from "./world.ts";

/** Does one operation now. */
export function perform(world: World, operation: Operation): void {
  switch (operation.type) {
    case "garbage":
      throwGarbage(world, operation.perSecond, operation.forMicros);
      return;
    case "restart":
      nodeRestart(world.node);
      return;
    case "pause":
      nodePause(world.node, operation.forMicros);
      return;
    case "buggify":
      setSites(world.sites, operation.sites, operation.sharePpm);
      return;
    default:
      performOnPeer(world, operation, world.peers.get(operation.peer)!);
  }
}

function performOnPeer(world: World, operation: Extract<Operation, { peer: string }>, peer: Peer): void {
  const { client } = peer;
  switch (operation.type) {
    case "join":
      joinPeer(world, peer);
      return;
    case "leave":
      if (client !== undefined) clientLeave(client);
      return;
    case "kill":
      if (client !== undefined) clientKill(client);
      return;
    case "move":
      movePeer(world, peer, operation.noticed);
      return;
    case "link":
      changeLink(peer.up, operation.up);
      changeLink(peer.down, operation.down);
      return;
    default:
      if (client === undefined) return;
      if (operation.source === "camera") client.media.cameraMuted = operation.type === "mute";
      else client.media.microphoneMuted = operation.type === "mute";
  }
}

/** Lets a peer ask to join, unless it is in the call or on its way: as a new client, for it may have been here before. */
export function joinPeer(world: World, peer: Peer): void {
  if (peer.client !== undefined && clientIsActive(peer.client)) return;
  // Another browser tab on the same machine has another port.
  if (peer.clients.length > 0) movePeer(world, peer, false);
  const client = createPeerClient(world, peer);
  peer.client = client;
  peer.clients.push(client);
  note(world, "client", client.plan.name, "asks to join");
  clientJoin(client);
}

function createPeerClient(world: World, peer: Peer): Client {
  const { plan, clients } = peer;
  const first = 2 * (peer.index + world.peers.size * clients.length) + 1;
  const client = createClient(
    world.chance,
    {
      name: clients.length === 0 ? plan.name : `${plan.name}#${clients.length + 1}`,
      room: plan.room,
      cipher: world.plan.cipher,
      impostor: plan.impostor,
      media: {
        camera: plan.camera === null ? null : { source: first, ...CAMERAS[plan.camera] },
        microphone: plan.microphone === null ? null : { source: first + 1, level: plan.microphone },
        audioSlots: plan.audioSlots,
        videoSlots: plan.videoSlots,
        nearWrap: plan.nearWrap,
      },
    },
    {
      loop: world.loop,
      crypto: createGuardedProvider(world.plan.cipher, world.guard),
      wallClock: wallAt,
      send: (bytes, target) => {
        sendOn(world, peer, "up", { bytes, source: peer.address, target, overheadBytes: peer.up.plan.overheadBytes });
      },
      askToJoin: (offer) => signalJoin(world, peer, client, offer),
      askToLeave: (resource) => signalLeave(world, peer, client, resource),
      watcher: {
        connected: (who) => {
          note(world, "client", who.plan.name, "is connected");
          for (const watcher of world.watchers) watcher.connected?.(who);
        },
        perceived: (who, mid, kind, passport) => {
          for (const watcher of world.watchers) watcher.perceived?.(who, mid, kind, passport);
        },
        ...plainWatcher(world),
      },
    },
  );
  if (plan.camera !== null) world.sources.set(first, { id: first, peer, kind: "camera", client });
  if (plan.microphone !== null) world.sources.set(first + 1, { id: first + 1, peer, kind: "microphone", client });
  return client;
}

/** Plain packets cost a copy each, so clients show them only when somebody looks. */
function plainWatcher(world: World): Pick<ClientWatcher, "plain"> {
  const watchers = world.watchers.filter((watcher) => watcher.plain !== undefined);
  if (watchers.length === 0) return {};
  return {
    plain: (client, direction, bytes) => {
      for (const watcher of watchers) watcher.plain?.(client, direction, bytes);
    },
  };
}
