/** Who is told what when shards begin, meet and die: hosts that only take notes stand in the places. */
import { describe, expect, it } from "vitest";
import { connectPlaces, createRelayMesh, losePlace, meshSeat, seatHost } from "../../../io-node/relay/relay-mesh.ts";
import type { RelayPeer } from "../../../io-node/relay/relay-ways.ts";

/** A mesh of three hosts that note what they are told. */
function createSubject() {
  const mesh = createRelayMesh(3);
  const seats = [0, 1, 2].map((place) => meshSeat(mesh, place));
  const told: string[] = [];
  const met: RelayPeer[][] = [[], [], []];
  for (const place of [0, 1, 2]) {
    seats[place]!.begin();
    seatHost(mesh, place, {
      wakeFd: 100 + place,
      meet(peer) {
        met[place]!.push(peer);
        told.push(`${place} meets ${peer.number}`);
      },
      part: (number) => void told.push(`${place} parts from ${number}`),
      wake: () => void told.push(`${place} wakes`),
      giveUp: () => void told.push(`${place} is given up`),
    });
  }
  return { mesh, seats, told, met };
}

describe("a mesh", () => {
  it("gives each shard a number that no other had, and all of them one wall clock", () => {
    const { mesh, seats } = createSubject();
    losePlace(mesh, 1);
    losePlace(mesh, 1);
    const lives = [seats[1]!.begin(), seats[0]!.begin()];
    expect(lives.map(({ number }) => number)).toEqual([3, 4]);
    expect(lives[0]!.wall).toBe(lives[1]!.wall);
  });

  it("lets two shards reach each other once, over the same two rings", () => {
    const { mesh, told, met } = createSubject();
    connectPlaces(mesh, 2, 0);
    connectPlaces(mesh, 0, 2);
    connectPlaces(mesh, 1, 1);
    expect(told).toEqual(["2 meets 0", "0 meets 2"]);
    const [atFirst, atThird] = [met[0]![0], met[2]![0]];
    expect([atFirst!.wakeFd, atThird!.wakeFd]).toEqual([102, 100]);
    expect([atFirst!.outgoing, atFirst!.incoming]).toEqual([atThird!.incoming, atThird!.outgoing]);
    expect(atFirst!.outgoing).not.toBe(atFirst!.incoming);
  });

  it("tells those that could reach a shard of its end, and gives whoever takes its place fresh rings", () => {
    const { mesh, seats, told, met } = createSubject();
    connectPlaces(mesh, 0, 1);
    connectPlaces(mesh, 1, 2);
    told.length = 0;
    losePlace(mesh, 0);
    connectPlaces(mesh, 0, 1);
    expect(told).toEqual(["1 parts from 0"]);
    seats[0]!.begin();
    connectPlaces(mesh, 0, 1);
    expect(told.slice(1)).toEqual(["0 meets 1", "1 meets 3"]);
    expect(met[0]![1]!.outgoing).not.toBe(met[0]![0]!.outgoing);
  });

  it("wakes and gives up whoever has a number, and nobody for a number of the past", () => {
    const { mesh, seats, told } = createSubject();
    seats[0]!.wake(1);
    seats[0]!.giveUp(2);
    losePlace(mesh, 1);
    seats[0]!.wake(1);
    seats[0]!.giveUp(1);
    expect(told).toEqual(["1 wakes", "2 is given up"]);
  });

  it("holds every host's end until all have ended", async () => {
    const { seats } = createSubject();
    let ended = 0;
    const ends = seats.slice(0, 2).map((seat) => seat.end().then(() => ended++));
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toBe(0);
    await Promise.all([...ends, seats[2]!.end()]);
    expect(ended).toBe(2);
  });
});
