/**
 * How long a shard stands still while a journal begins a new file with its snapshot. People are in meetings of ten, everybody
 * with camera and microphone, or with `hall` in front all in one room with one camera; they are simulated until everyone is
 * there. For each number it prints milliseconds of processor time: the first snapshot, as V8 finds the code, and the median of
 * those behind it.
 *
 *     npx tsx test/support/hosts/time-snapshots.ts 10 100 300 hall-100 hall-1000
 */
import { FRAME_HEADER_BYTES, JOURNAL_MEMORY_BYTES, type JournalSink, type Shard } from "../../../core/index.ts";
import { blankSnapshot, putCachedPackets } from "../../../core/journal/blank-snapshot.ts";
import { journalFrame, putSparse } from "../../../core/journal/format.ts";
import { step } from "../../../io-sim/base/event-loop.ts";
import { type PeerOptions, scenario, seconds } from "../../../io-sim/story/scenario.ts";
import { createWorld, everyoneIsThere, startWorld } from "../../../io-sim/world/world.ts";

const ROOM = 10;
const TIMES = 7;

/** How long they talk before. */
const MEDIA_MICROS = 200_000;

const HALL = "hall-";

/** The people of a word of the command line. */
function peersOf(word: string): Record<string, PeerOptions> {
  const isHall = word.startsWith(HALL);
  const names = Array.from({ length: Number(word.replace(HALL, "")) }, (_, guest) => `guest-${guest}`);
  const peer = (guest: number): PeerOptions => {
    if (isHall) return guest === 0 ? { sends: { camera: "vp8" } } : { receives: { video: 1 } };
    return {
      room: `room-${Math.floor(guest / ROOM)}`,
      sends: { camera: "vp8", microphone: true },
      receives: { audio: ROOM - 1, video: ROOM - 1 },
    };
  };
  return Object.fromEntries(names.map((name, guest) => [name, peer(guest)]));
}

function shardWith(peers: Record<string, PeerOptions>): Shard {
  const plan = scenario({
    name: "meetings",
    story: "We met.",
    seeds: { 1: "any" },
    cipher: "checksum",
    peers,
    runFor: seconds(60),
  });
  const world = createWorld(plan, 1);
  startWorld(world);
  while (!everyoneIsThere(world)) step(world.loop);
  const end = world.loop.now + MEDIA_MICROS;
  while (world.loop.now < end) step(world.loop);
  return world.node.shard;
}

/** A journal that nobody keeps. */
function createSink(): JournalSink & { bytes: number } {
  const memory = new Uint8Array(JOURNAL_MEMORY_BYTES);
  const sink = {
    memory,
    written: Int32Array.of(FRAME_HEADER_BYTES),
    pageBytes: 0,
    wantsPage: false,
    bytes: 0,
    drain() {
      journalFrame(memory, sink.written[0]!);
      sink.bytes += sink.written[0]!;
      sink.written[0] = FRAME_HEADER_BYTES;
    },
    turnPage() {},
  };
  return sink;
}

function time(shard: Shard): { millis: number; bytes: number } {
  const sink = createSink();
  const start = process.cpuUsage();
  const state = blankSnapshot(shard, (resource) => resource);
  putSparse(sink, state);
  putCachedPackets(sink, shard, new Uint8Array(JOURNAL_MEMORY_BYTES));
  sink.drain();
  const { user, system } = process.cpuUsage(start);
  return { millis: (user + system) / 1_000, bytes: sink.bytes };
}

for (const word of process.argv.slice(2)) {
  const shard = shardWith(peersOf(word));
  const runs = Array.from({ length: TIMES }, () => time(shard));
  const [first, ...later] = runs;
  const millis = later.map((run) => run.millis).sort((a, b) => a - b);
  const median = millis[Math.floor(millis.length / 2)]!;
  const size = (first!.bytes / 1_048_576).toFixed(2);
  console.log(`${word}: ${first!.millis.toFixed(1)} ms at first, then ${median.toFixed(1)} ms; ${size} MiB`);
}
