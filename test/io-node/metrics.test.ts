import { describe, expect, it } from "vitest";
import { createMetrics, type MeasuredHost } from "../../io-node/metrics.ts";
import { createPlacement, placeInRoom } from "../../io-node/placement.ts";
import { createPromiseTally, tallyFindings } from "../../io-node/promises.ts";

function hostOf(packets: number): MeasuredHost {
  return {
    received: { received: 10 * packets, receivedBytes: 0, badLength: 0, noFlow: 0, socketErrors: 0 },
    sent: { sent: 0, sentBytes: 0, dropped: 3, failed: 0 },
    relayed: { relayedPackets: packets, relayDropped: packets / 2, relayedMail: 1 },
    cpuMicros: 1_500_000,
    journals: undefined,
  };
}

describe("the metrics", () => {
  it("tell of each shard what was relayed and dropped, and of the server which rooms are on several", async () => {
    const placement = createPlacement(2, 1);
    const metrics = createMetrics(placement, [hostOf(40), hostOf(8)]);
    for (const room of ["a", "a", "b"]) placeInRoom(placement, room);
    placement.places[1]!.overloaded = true;
    const lines = (await metrics.metrics()).split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        'lockstep_shard_relay_packets_total{shard="0"} 40',
        'lockstep_shard_relay_packets_total{shard="1"} 8',
        'lockstep_shard_relay_packets_dropped_total{shard="0"} 20',
        'lockstep_shard_cpu_seconds_total{shard="1"} 1.5',
        'lockstep_shard_participants{shard="0"} 2',
        'lockstep_shard_overloaded{shard="1"} 1',
        "lockstep_rooms 2",
        "lockstep_rooms_spilled_over 1",
      ]),
    );
  });

  it("are read anew each time, and follow a shard that begins again", async () => {
    const hosts: MeasuredHost[] = [];
    const metrics = createMetrics(createPlacement(1), hosts);
    expect(await metrics.metrics()).not.toContain('shard="0"} 400');
    for (const packets of [40, 80, 0]) {
      hosts[0] = hostOf(packets);
      const text = await metrics.metrics();
      expect(text).toContain(`lockstep_shard_datagrams_received_total{shard="0"} ${10 * packets}\n`);
    }
  });

  it("tell how often each promise was judged and broken", async () => {
    const promises = createPromiseTally();
    const metrics = createMetrics(createPlacement(1), [], promises);
    tallyFindings(promises, [
      { promise: "S15", trouble: "" },
      { promise: "S15", trouble: "Nobody is at home" },
      { promise: "R2", trouble: "" },
    ]);
    const lines = (await metrics.metrics()).split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        "# TYPE lockstep_promise_judged_total counter",
        'lockstep_promise_judged_total{promise="S15"} 2',
        'lockstep_promise_broken_total{promise="S15"} 1',
        'lockstep_promise_broken_total{promise="R2"} 0',
        'lockstep_promise_judged_total{promise="S18"} 0',
      ]),
    );
  });
});
