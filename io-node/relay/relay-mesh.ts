/**
 * Who of a server's shards is there, under which number, and who can reach whom. This is the main thread's knowledge; the
 * ways themselves are the hosts' (relay-ways.ts).
 *
 * A shard stands in a *place*, 0 to the number of shards less one, and what stands there after it has died is another shard
 * with a number of its own. Two shards get a way to each other when a room needs it, so most servers have none. The rings
 * of a way are as old as the pair: when one of the two dies they are forgotten with everything in them, and whoever takes the
 * place begins with fresh ones. So no ring is ever set back while somebody may be writing.
 */
import { createWallAnchor, type WallAnchor } from "../clock.ts";
import { createWayMemory, type RelayPeer } from "./relay-ways.ts";

/** What a shard is told at its birth. */
export interface ShardLife {
  /** Its number: no other shard of this server ever has it. */
  readonly number: number;
  /** The wall clock of all shards of the server. */
  readonly wall: WallAnchor;
}

/** What the mesh asks of a host. */
export interface MeshedHost {
  /** What wakes its thread; -1 when that is the main thread. */
  readonly wakeFd: number;
  /** From now on the shard can reach another one, and the other it. */
  meet(peer: RelayPeer): void;
  /** Another shard is gone for good. */
  part(number: number): void;
  /** Another shard has shown something, and this one shares its thread. */
  wake(): void;
  /** The shard does not read what it is told any more: it has to be ended, and a fresh one to begin. */
  giveUp(): void;
}

/** All places of a server; make it with {@link createRelayMesh}. */
export interface RelayMesh {
  readonly wall: WallAnchor;
  nextNumber: number;
  readonly places: readonly MeshPlace[];
  /** Hosts that have not ended, and who waits for them. */
  running: number;
  readonly waiting: (() => void)[];
}

interface MeshPlace {
  /** The number of the shard there; -1 while there is none. */
  number: number;
  host: MeshedHost | undefined;
  /** The numbers of those that it can reach. */
  readonly peers: Set<number>;
}

/** What a host asks of the mesh, for its place. */
export interface MeshSeat {
  /** A shard begins. */
  begin(): ShardLife;
  /** Wakes the shard with this number, which shares the thread. */
  wake(number: number): void;
  /** The shard with this number does not read what it is told. */
  giveUp(number: number): void;
  /** The host has ended. Resolves when all have: until then somebody may still wake it up. */
  end(): Promise<void>;
}

/** Places without shards. */
export function createRelayMesh(places: number): RelayMesh {
  return {
    wall: createWallAnchor(),
    nextNumber: 0,
    places: Array.from({ length: places }, () => ({ number: -1, host: undefined, peers: new Set<number>() })),
    running: places,
    waiting: [],
  };
}

/** A place as its host sees it. */
export function meshSeat(mesh: RelayMesh, place: number): MeshSeat {
  const hostOf = (number: number) => mesh.places.find((each) => each.number === number)?.host;
  return {
    begin() {
      const number = mesh.nextNumber++;
      mesh.places[place]!.number = number;
      return { number, wall: mesh.wall };
    },
    wake: (number) => hostOf(number)?.wake(),
    giveUp: (number) => hostOf(number)?.giveUp(),
    end: () => endSeat(mesh),
  };
}

/** The place of a shard that has no others beside it. */
export function loneSeat(): MeshSeat {
  return meshSeat(createRelayMesh(1), 0);
}

/** A host stands in a place. */
export function seatHost(mesh: RelayMesh, place: number, host: MeshedHost): void {
  mesh.places[place]!.host = host;
}

/** Sees to it that the shards in two places can reach each other. Where there is none just now, nothing happens. */
export function connectPlaces(mesh: RelayMesh, one: number, other: number): void {
  const [a, b] = [mesh.places[one]!, mesh.places[other]!];
  if (a === b || a.number < 0 || b.number < 0 || a.host === undefined || b.host === undefined) return;
  if (a.peers.has(b.number)) return;
  const { there, back } = createWayMemory();
  a.peers.add(b.number);
  b.peers.add(a.number);
  a.host.meet({ number: b.number, outgoing: there, incoming: back, wakeFd: b.host.wakeFd });
  b.host.meet({ number: a.number, outgoing: back, incoming: there, wakeFd: a.host.wakeFd });
}

/** The shard in a place is gone: those who could reach it are told. */
export function losePlace(mesh: RelayMesh, place: number): void {
  const lost = mesh.places[place]!;
  const { number } = lost;
  lost.number = -1;
  lost.peers.clear();
  for (const { peers, host } of mesh.places) if (peers.delete(number)) host?.part(number);
}

function endSeat(mesh: RelayMesh): Promise<void> {
  mesh.running -= 1;
  if (mesh.running === 0) for (const ended of mesh.waiting.splice(0)) ended();
  return mesh.running <= 0 ? Promise.resolve() : new Promise((resolve) => mesh.waiting.push(resolve));
}
