/**
 * What operators can watch: counts and states of the server and of each of its shards, in the text format of Prometheus.
 *
 * Nothing is counted here but what shards find out about their own promises (./promises.ts). Each question reads what hosts
 * and placement know at that moment, so that watching costs the shards nothing. A shard that dies takes its counts with it
 * and begins again at zero, as Prometheus expects of a process that starts anew. Only counts are told: no names, no
 * addresses, no resources.
 */
import { Counter, Gauge, Registry } from "prom-client";
import { type JournalLife, whyJournalEnded } from "./journal-files.ts";
import { type Placement, roomsSpilledOver } from "./placement.ts";
import { createPromiseTally, type PromiseTally } from "./promises.ts";
import type { ShardHost } from "./shard-host.ts";

/** What a question reads of a host. */
export type MeasuredHost = Pick<ShardHost, "received" | "sent" | "relayed" | "cpuMicros" | "journals">;

/** A name, what it means, and how it is read. */
type Row<Subject> = readonly [name: string, help: string, read: (subject: Subject) => number];

const OF_HOSTS: readonly Row<MeasuredHost>[] = [
  ["datagrams_received_total", "Datagrams that came in.", ({ received }) => received.received],
  ["bytes_received_total", "Bytes of these datagrams.", ({ received }) => received.receivedBytes],
  ["datagrams_sent_total", "Datagrams that the system has taken.", ({ sent }) => sent.sent],
  ["bytes_sent_total", "Bytes of these datagrams.", ({ sent }) => sent.sentBytes],
  ["datagrams_dropped_total", "Datagrams not sent: all slots were waiting for the system.", ({ sent }) => sent.dropped],
  ["datagrams_failed_total", "Datagrams that the system refused.", ({ sent }) => sent.failed],
  ["relay_packets_total", "Media packets handed to other shards.", ({ relayed }) => relayed.relayedPackets],
  ["relay_packets_dropped_total", "Media packets for which a ring had no room.", ({ relayed }) => relayed.relayDropped],
  ["relay_mail_total", "Records of the control plane handed to other shards.", ({ relayed }) => relayed.relayedMail],
  ["cpu_seconds_total", "Processor time of the shard's thread.", ({ cpuMicros }) => cpuMicros / 1_000_000],
];

const OF_JOURNALS: readonly Row<JournalLife>[] = [
  ["journal_bytes_written", "Bytes written to the shard's journals since it began.", ({ bytes }) => bytes[0]!],
  [
    "journal_ended",
    "1 when the journal could not be written any more, and the shard serves on without one.",
    (life) => Number(whyJournalEnded(life) !== ""),
  ],
];

const OF_PLACES: readonly Row<Placement["places"][number]>[] = [
  ["participants", "Participants, and those whose join is under way.", ({ participants }) => participants],
  ["serving", "1 while there is a shard, 0 while a fresh one begins.", ({ serves }) => Number(serves)],
  ["overloaded", "1 while the shard takes no joins because it is too busy.", ({ overloaded }) => Number(overloaded)],
];

const OF_PLACEMENT: readonly Row<Placement>[] = [
  ["rooms", "Rooms with somebody in them.", ({ rooms }) => rooms.size],
  ["rooms_spilled_over", "Rooms that are on more than one shard.", roomsSpilledOver],
];

/** What each promise says is in io-sim/oracles/promises.ts. */
const OF_PROMISES: readonly (readonly [name: keyof PromiseTally, help: string])[] = [
  ["judged", "How often shards have held themselves against a promise, once a second."],
  ["broken", "How often one was broken: each time is a mistake of ours, which the log tells more of."],
];

/** The metrics of a server with these hosts, of which there may be none yet. */
export function createMetrics(
  placement: Placement,
  hosts: readonly MeasuredHost[],
  promises: PromiseTally = createPromiseTally(),
): Registry {
  const registers = [new Registry()];
  const labelNames = ["shard"] as const;
  for (const [name, help, read] of OF_HOSTS) {
    new Counter({
      name: `lockstep_shard_${name}`,
      help,
      registers,
      labelNames,
      collect() {
        this.reset();
        for (const [shard, host] of hosts.entries()) this.inc({ shard }, read(host));
      },
    });
  }
  for (const [name, help, read] of OF_PLACES) {
    new Gauge({
      name: `lockstep_shard_${name}`,
      help,
      registers,
      labelNames,
      collect() {
        for (const [shard, place] of placement.places.entries()) this.set({ shard }, read(place));
      },
    });
  }
  for (const [name, help, read] of OF_JOURNALS) {
    new Gauge({
      name: `lockstep_shard_${name}`,
      help,
      registers,
      labelNames,
      collect() {
        for (const [shard, { journals }] of hosts.entries()) {
          if (journals !== undefined) this.set({ shard }, read(journals));
        }
      },
    });
  }
  for (const [name, help, read] of OF_PLACEMENT) {
    new Gauge({
      name: `lockstep_${name}`,
      help,
      registers,
      collect() {
        this.set(read(placement));
      },
    });
  }
  for (const [name, help] of OF_PROMISES) {
    new Counter({
      name: `lockstep_promise_${name}_total`,
      help,
      registers,
      labelNames: ["promise"],
      collect() {
        this.reset();
        for (const [promise, times] of promises[name]) this.inc({ promise }, times);
      },
    });
  }
  return registers[0]!;
}
