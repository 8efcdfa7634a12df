/**
 * What operators can watch: counts and states of the server and of each of its shards, in the text format of Prometheus.
 *
 * Nothing is counted for this but what shards find out about their own promises (./promises.ts) and what becomes of calls
 * (./call-tally.ts). Each question reads what hosts and placement know at that moment, so that watching costs the shards
 * nothing. A shard that dies takes its counts with it and begins again at zero, as Prometheus expects of a process that
 * starts anew. Only counts are told: no names, no addresses, no resources. docs/running-a-server.md lists all metrics.
 */
import { Counter, Gauge, Registry } from "prom-client";
import { interruptionsOf, isInterrupted, type JournalLife, journalWaitingBytes } from "../journal/life.ts";
import { type Placement, roomsSpilledOver } from "../placement.ts";
import type { ShardHost } from "../shard-host.ts";
import { type CallTally, createCallTally } from "./call-tally.ts";
import { createPromiseTally, type PromiseTally } from "./promises.ts";

/** What a question reads of a host. */
export type MeasuredHost = Pick<
  ShardHost,
  "received" | "sent" | "relayed" | "cpuMicros" | "droppedUnread" | "journals"
>;

/** A name, what it means, and how it is read. */
type Row<Subject> = readonly [name: string, help: string, read: (subject: Subject) => number];

const OF_HOSTS: readonly Row<MeasuredHost>[] = [
  ["datagrams_received_total", "Datagrams that came in.", ({ received }) => received.received],
  ["received_bytes_total", "Bytes of the datagrams that came in.", ({ received }) => received.receivedBytes],
  ["datagrams_sent_total", "Datagrams that the system has taken.", ({ sent }) => sent.sent],
  ["sent_bytes_total", "Bytes of the datagrams that the system has taken.", ({ sent }) => sent.sentBytes],
  ["datagrams_dropped_total", "Datagrams not sent: all slots were waiting for the system.", ({ sent }) => sent.dropped],
  ["datagrams_failed_total", "Datagrams that the system refused.", ({ sent }) => sent.failed],
  [
    "datagrams_unread_total",
    "Datagrams that the system dropped because the shard had not read them in time.",
    ({ droppedUnread }) => droppedUnread,
  ],
  ["relay_packets_total", "Media packets handed to other shards.", ({ relayed }) => relayed.relayedPackets],
  ["relay_packets_dropped_total", "Media packets for which a ring had no room.", ({ relayed }) => relayed.relayDropped],
  ["relay_mail_total", "Records of the control plane handed to other shards.", ({ relayed }) => relayed.relayedMail],
  ["cpu_seconds_total", "Processor time of the shard's thread.", ({ cpuMicros }) => cpuMicros / 1_000_000],
];

const OF_JOURNAL_COUNTS: readonly Row<JournalLife>[] = [
  ["journal_bytes_total", "Bytes written to the shard's journals since it began.", ({ bytes }) => bytes[0]!],
  ["journal_interruptions_total", "How often the journal was interrupted because of the disk.", interruptionsOf],
];

const OF_JOURNALS: readonly Row<JournalLife>[] = [
  ["journal_waiting_bytes", "Bytes of the shard's journal that wait for the disk.", journalWaitingBytes],
  [
    "journal_interrupted",
    "1 while the journal is interrupted because of the disk: calls go on, and the log says what to do.",
    (life) => Number(isInterrupted(life)),
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

const OF_CALLS: readonly Row<CallTally>[] = [
  ["joins_total", "Participants that were let in.", ({ joined }) => joined],
  ["reconnects_total", "New connections for participants who were there already.", ({ reconnecting }) => reconnecting],
  ["connects_total", "Media connections that have come to stand.", ({ connected }) => connected],
  [
    "connect_seconds_total",
    "Time from the offer to the connection, of all of them together.",
    ({ connectMicros }) => connectMicros / 1_000_000,
  ],
];

/** Named as every program's are. */
const OF_PROCESS: readonly Row<NodeJS.Process>[] = [
  ["cpu_seconds_total", "Processor time of all threads.", (us) => (us.cpuUsage().user + us.cpuUsage().system) / 1e6],
];

const OF_PROCESS_NOW: readonly Row<NodeJS.Process>[] = [
  ["resident_memory_bytes", "Memory that is in use.", (us) => us.memoryUsage.rss()],
  ["start_time_seconds", "When the process began, in seconds since 1970.", () => performance.timeOrigin / 1_000],
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
  calls: CallTally = createCallTally(),
): Registry {
  const registry = new Registry();
  addOfShards(registry, Counter, OF_HOSTS, () => hosts);
  addOfShards(registry, Gauge, OF_PLACES, () => placement.places);
  addOfShards(registry, Counter, OF_JOURNAL_COUNTS, () => hosts.map(({ journals }) => journals));
  addOfShards(registry, Gauge, OF_JOURNALS, () => hosts.map(({ journals }) => journals));
  addLone(registry, Gauge, "lockstep", OF_PLACEMENT, placement);
  addLone(registry, Counter, "lockstep", OF_CALLS, calls);
  addLone(registry, Counter, "process", OF_PROCESS, process);
  addLone(registry, Gauge, "process", OF_PROCESS_NOW, process);
  for (const [name, help] of OF_PROMISES) addCounts(registry, `promise_${name}`, help, "promise", promises[name]);
  addCounts(
    registry,
    "joins_refused",
    "Joins and reconnects that were refused, by the reason that clients are told.",
    "reason",
    calls.refused,
  );
  addCounts(registry, "participants_left", "Participants whose time has ended, by how.", "reason", calls.left);
  return registry;
}

/** Adds a metric with one sample for each row. */
function addLone<Subject>(
  registry: Registry,
  Kind: typeof Counter | typeof Gauge,
  prefix: string,
  rows: readonly Row<Subject>[],
  subject: Subject,
): void {
  for (const [name, help, read] of rows) {
    new Kind({
      name: `${prefix}_${name}`,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(read(subject));
      },
    });
  }
}

/** Adds a counter with a sample for each kind that is counted. */
function addCounts<Kind extends string>(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  counts: ReadonlyMap<Kind, number>,
): void {
  new Counter({
    name: `lockstep_${name}_total`,
    help,
    registers: [registry],
    labelNames: [label],
    collect() {
      this.reset();
      for (const [kind, times] of counts) this.inc({ [label]: kind }, times);
    },
  });
}

/** Adds a metric for each row, with a sample for each shard that has such a subject. */
function addOfShards<Subject>(
  registry: Registry,
  Kind: typeof Counter | typeof Gauge,
  rows: readonly Row<Subject>[],
  subjects: () => readonly (Subject | undefined)[],
): void {
  for (const [name, help, read] of rows) {
    new Kind({
      name: `lockstep_shard_${name}`,
      help,
      registers: [registry],
      labelNames: ["shard"],
      collect() {
        this.reset();
        for (const [shard, subject] of subjects().entries()) {
          if (subject !== undefined) this.inc({ shard }, read(subject));
        }
      },
    });
  }
}
