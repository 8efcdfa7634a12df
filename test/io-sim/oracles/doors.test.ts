/** Whether a door has in hand what reaches the shard, and nothing else. */
import { describe, expect, it } from "vitest";
import type { WallMicros } from "../../../core/base/micros.ts";
import { createRelayInput } from "../../../core/index.ts";
import { relayWritePacketHeader } from "../../../core/wire/relay-record.ts";
import type { Client } from "../../../io-sim/client/client.ts";
import { createDoor, hasCome, noteRelayed, takeRelayed } from "../../../io-sim/oracles/doors.ts";
import { createLedger, noteArrival, sourceStream } from "../../../io-sim/oracles/ledger.ts";
import type { Tenants } from "../../../io-sim/oracles/tenants.ts";
import type { SfuNode } from "../../../io-sim/world/node.ts";
import type { World } from "../../../io-sim/world/world.ts";

const SSRC = 0x8000_0001;
const GIVEN_UP = 1;
const PRESENT = 3;

/** A record with a packet of ana's stream, as the first shard writes it. */
function recordOn(lane: number, sequence: number): Uint8Array {
  const rtp = new Uint8Array(40);
  const view = new DataView(rtp.buffer);
  rtp[0] = 128;
  view.setUint16(2, sequence);
  view.setUint32(8, SSRC);
  const record = new Uint8Array(100);
  const header = relayWritePacketHeader(record, 0, rtp.length, lane, 7, sequence, 0, 0 as WallMicros);
  record.set(rtp, header);
  return record.subarray(0, header + rtp.length);
}

describe("what another shard has relayed", () => {
  it("is not in hand where it was still under way on a lane that the shard has given up", () => {
    const ana = {
      participant: 1,
      plan: { name: "ana", ordinal: 0 },
      media: { outStreams: [{ ssrc: SSRC, rtxSsrc: 0, kind: "audio", clockRate: 48_000 }] },
    } as unknown as Client;
    const world = { byClient: new Map(), plan: { peers: [], steps: [] } } as unknown as World;
    const ledger = createLedger(world, {} as Tenants);
    const source = sourceStream(ledger, ana, SSRC)!;
    const indices = [30, 31, 32].map((sequence) => 0x1_0000 + sequence);
    for (const index of indices) noteArrival(source, index, 0);

    const door = createDoor({ shard: { number: 1, lanes: new Map([[PRESENT, {}]]) } } as unknown as SfuNode);
    const bytes = Buffer.concat([recordOn(GIVEN_UP, 30), recordOn(PRESENT, 31), recordOn(PRESENT, 32)]);
    takeRelayed(ledger, door, { ...createRelayInput(bytes), length: bytes.length });
    const inHand = door.packets.slice(0, door.count);
    expect(inHand.map((packet) => [packet.source, packet.index])).toEqual([
      [source, indices[1]],
      [source, indices[2]],
    ]);
    for (const packet of inHand) noteRelayed(door, packet.source!, packet.index);
    expect(indices.map((index) => hasCome(door, source, index))).toEqual([false, true, true]);
  });
});
