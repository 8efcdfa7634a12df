/**
 * The clients of a peer: each time that it joins is a new browser tab, with its own name, keys and sources of media.
 *
 * A tab whose connection has died may be one whose page makes a new one by itself. A peer can have the likeness of another one:
 * then its tabs draw the same keys, SSRCs and credentials as that one's do, as when somebody copies a profile.
 */
import { micros } from "../../core/index.ts";
import { EVENT_CLASS, schedule } from "../base/event-loop.ts";
import { SERVER_NEAR_WRAP } from "../base/near-wrap.ts";
import { below } from "../base/random.ts";
import {
  type Client,
  type ClientWatcher,
  clientIsActive,
  clientJoin,
  clientKill,
  clientLeave,
  clientTakeOver,
  createClient,
} from "../client/client.ts";
import { CAMERAS, type CameraKind, type PeerPlan } from "../story/plan.ts";
import { audienceOf } from "./audience.ts";
import { note } from "./rows.ts";
import { signalJoin, signalLeave, signalReconnect } from "./signalling.ts";
import { movePeer, type Peer, sendFromPeer } from "./topology.ts";
import { wallAt } from "./wall-clock.ts";
import { type World, wallOrigin } from "./world.ts";

/** Lets a peer ask to join, unless it is in the call or on its way: as a new client, for it may have been here before. */
export function joinPeer(world: World, peer: Peer): void {
  if (peer.client !== undefined && clientIsActive(peer.client)) return;
  enter(world, peer, createTab(world, peer), "asks to join");
}

/**
 * A peer's page makes a new connection, and asks the server to take it in place of the one that it has. What is another
 * connection to the server is another client here, with keys and streams of its own, behind the same camera.
 */
export function reconnectPeer(world: World, peer: Peer): void {
  const former = peer.client;
  if (former === undefined || former.resource === "" || !clientIsActive(former)) {
    joinPeer(world, peer);
    return;
  }
  replaceConnection(world, peer, former);
}

function replaceConnection(world: World, peer: Peer, former: Client): void {
  const client = createTab(world, peer, former);
  clientTakeOver(client, former);
  enter(world, peer, client, "asks for a new connection");
}

function enter(world: World, peer: Peer, client: Client, what: string): void {
  // Another connection from the same machine has another port; and an address that has been given away is another's.
  if (peer.clients.length > 0 || world.byAddress.get(peer.address) !== peer) movePeer(world, peer, "address", false);
  peer.client = client;
  peer.clients.push(client);
  world.byClient.set(client, peer);
  note(world, "client", client.plan.name, what);
  clientJoin(client);
}

/** The peer goes, with or without a word, and comes back, again and again. */
export function rejoinPeer(world: World, peer: Peer, times: number, everyMicros: number): void {
  if (peer.client !== undefined && clientIsActive(peer.client)) {
    if (below(peer.paths, 2) === 0) clientLeave(peer.client);
    else clientKill(peer.client);
  }
  joinPeer(world, peer);
  if (times <= 1) return;
  const { loop } = world;
  schedule(loop, micros(loop.now + everyMicros), EVENT_CLASS.STEP, () => {
    rejoinPeer(world, peer, times - 1, everyMicros);
  });
}

function createTab(world: World, peer: Peer, former?: Client): Client {
  const { plan, clients } = peer;
  const ordinal = peer.index + world.peers.size * clients.length;
  const first = former === undefined ? 2 * ordinal + 1 : firstSourceOf(former);
  const nameOf = (who: string) => (clients.length === 0 ? who : `${who}#${clients.length + 1}`);
  const client = createClient(
    world.chance,
    {
      ordinal,
      name: nameOf(plan.name),
      likeness: plan.likeness === undefined ? undefined : nameOf(plan.likeness),
      room: plan.room,
      cipher: world.plan.cipher,
      impostor: plan.impostor,
      persona: plan.persona,
      lostAfterMicros: plan.rejoinAfterMicros,
      media: {
        camera: plan.camera === null ? null : { source: first, ...cameraOf(plan.camera, plan.persona) },
        microphone: plan.microphone === null ? null : { source: first + 1, level: plan.microphone },
        audioSlots: plan.audioSlots,
        videoSlots: plan.videoSlots,
        nearWrap: plan.nearWrap,
        ...(world.plan.serverNearWrap === true ? { indexBefore: SERVER_NEAR_WRAP.srtpIndex - 1 } : {}),
      },
    },
    {
      loop: world.loop,
      crypto: world.clientCrypto,
      packets: world.packets,
      wallClock: (now) => wallAt(peer.clock, wallOrigin(world.plan), now),
      usesIpv6: () => peer.address.startsWith("["),
      send: (bytes, target) => sendFromPeer(world, peer, bytes, target),
      askToJoin: (offer) => {
        if (former === undefined) signalJoin(world, peer, client, offer);
        else signalReconnect(world, peer, client, former, offer);
      },
      askToLeave: (resource) => signalLeave(world, peer, client, resource),
      lost: () => comeBack(world, peer, client),
      watcher: watcherOf(world),
    },
  );
  if (plan.camera !== null) world.sources.set(first, { id: first, peer, kind: "camera", client });
  if (plan.microphone !== null) world.sources.set(first + 1, { id: first + 1, peer, kind: "microphone", client });
  return client;
}

/** The number of a tab's camera; its microphone has the next one. */
function firstSourceOf({ plan }: Client): number {
  return plan.media.camera?.source ?? (plan.media.microphone?.source ?? 1) - 1;
}

/** A thin client can't name its layers, so it has one. */
function cameraOf(camera: CameraKind, persona: PeerPlan["persona"]) {
  const { layers, ...rest } = CAMERAS[camera];
  return { ...rest, layers: persona === "thin" ? layers.slice(0, 1).map((layer) => ({ ...layer, rid: "" })) : layers };
}

/** What the page does when its connection is lost: it asks for a new one, and joins anew where nobody knows it any more. */
function comeBack(world: World, peer: Peer, client: Client): void {
  note(world, "client", client.plan.name, "has lost its connection");
  const { loop } = world;
  schedule(loop, loop.now, EVENT_CLASS.STEP, () => {
    if (peer.client === client) replaceConnection(world, peer, client);
  });
}

/** Tells all who watch the world. Plain packets cost a copy each, so clients show them only when somebody looks. */
function watcherOf(world: World): ClientWatcher {
  const { watchers } = world;
  const plain = watchers.filter((watcher) => watcher.plain !== undefined);
  return {
    connected(client) {
      note(world, "client", client.plan.name, "is connected");
      for (const watcher of watchers) watcher.connected?.(client);
    },
    perceived(client, mid, kind, passport, sentAt) {
      for (const hear of audienceOf(world).perceived) hear(client, mid, kind, passport, sentAt);
    },
    filmed(client, ssrc, firstSequence, packets, passport) {
      for (const hear of audienceOf(world).filmed) hear(client, ssrc, firstSequence, packets, passport);
    },
    spoke(client, passport) {
      for (const watcher of watchers) watcher.spoke?.(client, passport);
    },
    resent(client, rtxSsrc, rtxSequence, ssrc, sequence) {
      for (const watcher of watchers) watcher.resent?.(client, rtxSsrc, rtxSequence, ssrc, sequence);
    },
    repaired(client, ssrc, sequence, timestamp) {
      for (const watcher of watchers) watcher.repaired?.(client, ssrc, sequence, timestamp);
    },
    reported(client, sealed, ssrcs) {
      for (const watcher of watchers) watcher.reported?.(client, sealed, ssrcs);
    },
    control(client, sealed, plain) {
      for (const watcher of watchers) watcher.control?.(client, sealed, plain);
    },
    ...(plain.length === 0
      ? {}
      : {
          plain(client: Client, direction: "up" | "down", bytes: Uint8Array) {
            for (const watcher of plain) watcher.plain?.(client, direction, bytes);
          },
        }),
  };
}
