import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createJournalLife, interruptJournal, WHY } from "../../../io-node/journal/life.ts";
import { openJournals } from "../../../io-node/journal/sink.ts";
import { createCallTally, tallyOne } from "../../../io-node/metrics/call-tally.ts";
import { createMetrics, type MeasuredHost } from "../../../io-node/metrics/metrics.ts";
import { createPromiseTally, tallyFindings } from "../../../io-node/metrics/promises.ts";
import { createPlacement, placeInRoom } from "../../../io-node/placement.ts";
import { PROGRAM } from "../../support/shards/recording.ts";

const DOCUMENT = readFileSync(new URL("../../../docs/running-a-server.md", import.meta.url), "utf8");
const byText = (one: string, other: string) => (one < other ? -1 : 1);

function hostOf(packets: number): MeasuredHost {
  return {
    received: { received: 10 * packets, receivedBytes: 900, badLength: 11, noFlow: 12, socketErrors: 13 },
    sent: { sent: 20 * packets, sentBytes: 1_800, dropped: 3, failed: 4 },
    relayed: { relayedPackets: packets, relayDropped: packets / 2, relayedMail: 1 },
    cpuMicros: 1_500_000,
    droppedUnread: 7,
    journals: undefined,
  };
}

describe("the metrics", () => {
  it("tell of each shard what was relayed and dropped, and of the server which rooms are on several", async () => {
    const placement = createPlacement(2, 1);
    const metrics = createMetrics(placement, [hostOf(40), hostOf(8)]);
    for (const room of ["a", "a", "b"]) placeInRoom(placement, room);
    placement.places[0]!.serves = false;
    placement.places[1]!.overloaded = true;
    const lines = (await metrics.metrics()).split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        'lockstep_shard_datagrams_received_total{shard="0"} 400',
        'lockstep_shard_received_bytes_total{shard="0"} 900',
        'lockstep_shard_datagrams_sent_total{shard="0"} 800',
        'lockstep_shard_sent_bytes_total{shard="0"} 1800',
        'lockstep_shard_datagrams_dropped_total{shard="0"} 3',
        'lockstep_shard_datagrams_failed_total{shard="0"} 4',
        'lockstep_shard_datagrams_unread_total{shard="0"} 7',
        'lockstep_shard_relay_packets_total{shard="0"} 40',
        'lockstep_shard_relay_packets_total{shard="1"} 8',
        'lockstep_shard_relay_packets_dropped_total{shard="0"} 20',
        'lockstep_shard_relay_mail_total{shard="0"} 1',
        'lockstep_shard_cpu_seconds_total{shard="1"} 1.5',
        'lockstep_shard_participants{shard="0"} 2',
        'lockstep_shard_serving{shard="0"} 0',
        'lockstep_shard_serving{shard="1"} 1',
        'lockstep_shard_overloaded{shard="0"} 0',
        'lockstep_shard_overloaded{shard="1"} 1',
        "lockstep_rooms 2",
        "lockstep_rooms_spilled_over 1",
      ]),
    );
  });

  it("tell of the process what its system knows", async () => {
    const metrics = createMetrics(createPlacement(1), []);
    const sample = async (name: string) => (await metrics.getSingleMetric(name)!.get()).values[0]!.value;
    const { user, system } = process.cpuUsage();
    expect(await sample("process_cpu_seconds_total")).toBeGreaterThanOrEqual((user + system) / 1e6);
    expect(await sample("process_resident_memory_bytes")).toBeGreaterThan(1e7);
    expect(await sample("process_start_time_seconds")).toBeCloseTo(Date.now() / 1e3 - performance.now() / 1e3, -1);
  });

  it("tell of a journal, where there is one, what waits for the disk and whether it is interrupted", async () => {
    const settings = { directory: "/nowhere", limitBytes: 1e6, program: PROGRAM };
    const journals = createJournalLife(settings, 1, new Int32Array(new SharedArrayBuffer(4)));
    journals.bytes[0] = 4096;
    openJournals(journals);
    interruptJournal(journals, 0, WHY.BEHIND);
    const well = createJournalLife(settings, 2, new Int32Array(new SharedArrayBuffer(4)));
    const hosts = [hostOf(1), { ...hostOf(1), journals }, { ...hostOf(1), journals: well }];
    const text = await createMetrics(createPlacement(3), hosts).metrics();
    expect(text.split("\n").filter((line) => line.startsWith("lockstep_shard_journal"))).toEqual([
      'lockstep_shard_journal_bytes_total{shard="1"} 4096',
      'lockstep_shard_journal_bytes_total{shard="2"} 0',
      'lockstep_shard_journal_interruptions_total{shard="1"} 1',
      'lockstep_shard_journal_interruptions_total{shard="2"} 0',
      'lockstep_shard_journal_waiting_bytes{shard="1"} 8',
      'lockstep_shard_journal_waiting_bytes{shard="2"} 0',
      'lockstep_shard_journal_interrupted{shard="1"} 1',
      'lockstep_shard_journal_interrupted{shard="2"} 0',
    ]);
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

  it("are named as Prometheus asks: counters end in _total, bytes and seconds come before it, each has a sentence", async () => {
    const metrics = await createMetrics(createPlacement(1), [hostOf(1)]).getMetricsAsJSON();
    expect(metrics.length).toBeGreaterThan(10);
    for (const { name, help, type } of metrics) {
      expect(name).toMatch(/^(lockstep|process)_[a-z_]+$/);
      expect(name.endsWith("_total"), name).toBe(String(type) === "counter");
      if (/bytes|seconds/.test(name)) expect(name).toMatch(/_(bytes|seconds)(_total)?$/);
      expect(help).toMatch(/^[A-Z1].*[.]$/);
    }
  });

  it("tell what has become of calls", async () => {
    const calls = createCallTally();
    Object.assign(calls, { joined: 3, connected: 2, connectMicros: 500_000 });
    tallyOne(calls.left, "dtls-failed");
    tallyOne(calls.refused, "overloaded");
    const text = await createMetrics(createPlacement(1), [], undefined, calls).metrics();
    expect(text).toContain("\nlockstep_joins_total 3\n");
    expect(text).toContain("\nlockstep_connects_total 2\n");
    expect(text).toContain("\nlockstep_connect_seconds_total 0.5\n");
    expect(text).toContain('\nlockstep_joins_refused_total{reason="overloaded"} 1\n');
    expect(text).toContain('\nlockstep_joins_refused_total{reason="bad-sdp"} 0\n');
    expect(text).toContain('\nlockstep_participants_left_total{reason="dtls-failed"} 1\n');
  });

  it("are listed in the documents, each of them and no other", async () => {
    const metrics = await createMetrics(createPlacement(1), [hostOf(1)]).getMetricsAsJSON();
    const listed = [...DOCUMENT.matchAll(/^\| `((?:lockstep|process)_\w+)/gm)].map(([, name]) => name!);
    expect(listed.toSorted(byText)).toEqual(metrics.map(({ name }) => name).toSorted(byText));
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
