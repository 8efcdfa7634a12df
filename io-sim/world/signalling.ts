/**
 * The signalling: the requests by which clients join, reconnect and leave, and the server's replies.
 *
 * A request travels over TCP, so it comes late but it comes: a round trip of the link goes by before it is sent. What stands
 * between, proxies and pages that are closed too early, can do worse: lose a request or its reply, send a request twice, hold
 * it up until another has overtaken it. A page that hears nothing asks again with the same offer.
 */
import { type Command, type CommandReply, micros } from "../../core/index.ts";
import { EVENT_CLASS, schedule } from "../base/event-loop.ts";
import { below, chance, createStream, type Ppm, type Seed, type Stream } from "../base/random.ts";
import { type Client, clientAnswered, clientRefused } from "../client/client.ts";
import { nodeCommand, nodeIsDown, type SfuNode } from "./node.ts";
import { note } from "./rows.ts";
import { homeOf, nodeOf, placeOf } from "./shards.ts";
import type { Peer } from "./topology.ts";
import type { World } from "./world.ts";

/** What befalls the requests of a peer. */
export interface SignallingPlan {
  /** Requests that never reach the server, and replies that never reach the client. */
  readonly lostPpm: Ppm;
  readonly unheardPpm: Ppm;
  /** Requests that reach the server twice. */
  readonly repeatedPpm: Ppm;
  /** Up to this much later than the link explains, each for itself. */
  readonly delayMicros: number;
}

/** The signalling of one peer; make it with {@link createSignalling}. */
export interface Signalling {
  readonly stream: Stream;
  plan: SignallingPlan;
}

/** How long a page waits for a reply, and how often it asks. */
const PATIENCE_MICROS = 2_000_000;
const TRIES_MAX = 8;

/** Signalling to which nothing happens. */
export function createSignalling(seed: Seed, peer: string): Signalling {
  const plan = { lostPpm: 0, unheardPpm: 0, repeatedPpm: 0, delayMicros: 0 };
  return { stream: createStream(seed, "signalling", peer), plan };
}

/** Carries an offer to the server and the reply back. */
export function signalJoin(world: World, peer: Peer, client: Client, offer: string, tries = 1): void {
  const { room, name, likeness = name } = client.plan;
  const ask = () => {
    const node = world.nodes[placeOf(world, peer)]!;
    const home = world.nodes.length === 1 ? {} : { home: homeOf(world, room, node) };
    const told = { room: world.guise.tell(room), name: world.guise.tell(likeness) };
    return { node, command: { type: "join", ...told, offer, ...home } } as const;
  };
  request(world, peer, "join", ask, (reply) => hearReply(world, client, reply));
  if (!world.hasSignallingTrouble || tries === TRIES_MAX) return;
  const { loop } = world;
  schedule(loop, micros(loop.now + PATIENCE_MICROS), EVENT_CLASS.STEP, () => {
    if (client.status === "joining") signalJoin(world, peer, client, offer, tries + 1);
  });
}

/**
 * Carries an offer to the server that is to take the place of another client's connection, and the reply back. Whom the
 * server does not know any more, or knows by another connection, joins anew.
 */
export function signalReconnect(
  world: World,
  peer: Peer,
  client: Client,
  former: Client,
  offer: string,
  tries = 1,
): void {
  const { resource, connection, participant } = former;
  const joinAnew = () => signalJoin(world, peer, client, offer);
  if (nodeOf(world, participant) === undefined) {
    joinAnew();
    return;
  }
  const ask = () => {
    const told = { room: world.guise.tell(client.plan.room), resource, connection, offer };
    return { node: nodeOf(world, participant), command: { type: "reconnect", ...told } } as const;
  };
  request(world, peer, "reconnect", ask, (reply) => {
    const isForgotten = reply.type === "refused" && ["not-found", "stale-connection"].includes(reply.code);
    if (!isForgotten) hearReply(world, client, reply);
    else if (client.status === "joining") joinAnew();
  });
  if (!world.hasSignallingTrouble || tries === TRIES_MAX) return;
  const { loop } = world;
  schedule(loop, micros(loop.now + PATIENCE_MICROS), EVENT_CLASS.STEP, () => {
    if (client.status === "joining") signalReconnect(world, peer, client, former, offer, tries + 1);
  });
}

/** Carries a goodbye to the server; nobody waits for the reply. */
export function signalLeave(world: World, peer: Peer, client: Client, resource: string): void {
  const ask = () => {
    const node = nodeOf(world, client.participant);
    return { node, command: { type: "leave", room: world.guise.tell(client.plan.room), resource } } as const;
  };
  request(world, peer, "leave", ask, () => {});
}

/** What a client may ask. */
export type Request = "join" | "reconnect" | "leave";

/** What is asked, and of which shard; known when the request arrives. */
type Ask = () => { readonly node: SfuNode | undefined; readonly command: Command };

function request(world: World, peer: Peer, what: Request, ask: Ask, onReply: (reply: CommandReply) => void): void {
  const { stream, plan } = peer.signalling;
  const trip = peer.up.plan.delayMicros;
  const roundTrip = trip + peer.down.plan.delayMicros;
  // A page that leaves has a connection already; one that joins, or comes from another network, makes it first.
  const carry = () => submit(world, peer, what === "leave" ? trip : trip + roundTrip, ask, onReply);
  tellSignalled(world, peer, "up", what);
  if (chance(stream, plan.lostPpm)) return;
  carry();
  if (chance(stream, plan.repeatedPpm)) carry();
}

function submit(world: World, peer: Peer, wayMicros: number, ask: Ask, onReply: (reply: CommandReply) => void): void {
  const { loop } = world;
  const { stream, plan } = peer.signalling;
  const extra = plan.delayMicros === 0 ? 0 : below(stream, plan.delayMicros);
  schedule(loop, micros(loop.now + wayMicros + extra), EVENT_CLASS.STEP, () => {
    const { node, command } = ask();
    if (node === undefined || nodeIsDown(node)) return;
    world.commands++;
    nodeCommand(node, command, (reply) => {
      tellSignalled(world, peer, "down", reply.type);
      if (chance(stream, plan.unheardPpm)) return;
      schedule(loop, micros(loop.now + peer.down.plan.delayMicros), EVENT_CLASS.STEP, () => onReply(reply));
    });
  });
}

function hearReply(world: World, client: Client, reply: CommandReply): void {
  if (reply.type === "joined") clientAnswered(client, reply.participant, reply.resource, reply.answer);
  else if (reply.type === "reconnected") {
    const { participant, connection, answer } = reply;
    clientAnswered(client, participant, client.former?.resource ?? "", answer, connection);
  } else if (reply.type === "refused") {
    note(world, "client", client.plan.name, `was refused: ${reply.detail}`);
    clientRefused(client, reply.detail);
  }
}

function tellSignalled(world: World, peer: Peer, direction: "up" | "down", what: Request | CommandReply["type"]): void {
  for (const watcher of world.watchers) watcher.signalled?.(peer, direction, what);
}
