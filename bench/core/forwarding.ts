/**
 * What forwarding costs: processor time and garbage for each packet that leaves the shard.
 *
 * Packets come in batches, one packet each 100 µs of the call's time: the load of some forty cameras, on one. Making and
 * sealing a batch and the clients' checks lie outside of what is measured; the shard's timers (feedback, reports) are
 * measured apart, because they cost by the second and not by the packet. Processor time is that of the whole process: what
 * V8 does on other threads counts, and other people's work on the machine does not. Garbage is weighed in a second pass,
 * in stretches so short that nothing is collected within one.
 */
import { micros } from "../../core/index.ts";
import { BATCH_PACKETS, type Call, type CallCrypto, createCall, runClients, runShardTimers } from "./call.ts";
import type { Meter } from "./meter.ts";
import { createSpeaker, fillBatch, handPackets, type Speaker } from "./speaker.ts";

const INTERVAL_MICROS = 100;
/** One in so many of the packets goes before anything is measured, so that V8 has compiled what is hot by then. */
const WARM_PART = 10;
/** The least number of batches for that: the packet cache has grown to its full size after two. */
const WARM_BATCHES_MIN = 8;
/** Garbage that a stretch of packets may leave: V8 begins to collect at a megabyte, and then the measurement is void. */
const STRETCH_BYTES = 262_144;
/** Packets that are forwarded in one stretch while it is not known how much garbage that is. */
const STRETCH_FORWARDED = 64;
/** How often the meter is read in vain to learn what reading it leaves on the heap. */
const CALIBRATIONS = 100;

/** What is to be measured. */
export interface ForwardingOptions {
  readonly fanOut: number;
  /** Packets that leave the shard while it is measured; rounded up to whole batches. */
  readonly packets: number;
  readonly packetBytes: number;
  readonly crypto: CallCrypto;
}

/** What forwarding to `fanOut` subscribers costs. */
export interface ForwardingFigure {
  readonly fanOut: number;
  /** Packets that left the shard in the measured batches. */
  readonly forwarded: number;
  /** For each packet that was forwarded: processor time of receiving and forwarding, of the timers, and heap bytes. */
  readonly microsPerPacket: number;
  readonly timerMicrosPerPacket: number;
  readonly bytesPerPacket: number;
  /** Per second of processor time, timers included. */
  readonly packetsPerSecond: number;
}

/** Measures forwarding. `onProgress` hears how much is done, 0 to 1. */
export function measureForwarding(
  options: ForwardingOptions,
  meter: Meter,
  onProgress: (part: number) => void,
): ForwardingFigure {
  const { fanOut, packets, packetBytes, crypto } = options;
  const call = createCall(fanOut, crypto);
  const speaker = createSpeaker(call, packetBytes);
  const { counters } = call.shard.history;
  const batches = Math.ceil(packets / (BATCH_PACKETS * fanOut));
  const warm = Math.max(WARM_BATCHES_MIN, Math.ceil(batches / WARM_PART));
  const times = { packets: 0, timers: 0 };
  for (let batch = 0; batch < warm + batches; batch++) {
    if (batch === warm) times.packets = times.timers = 0;
    timeBatch(call, speaker, meter, times);
    onProgress((batch + 1) / (warm + 2 * batches));
  }
  const bytesPerPacket = weigh(call, speaker, meter, batches, (batch) => {
    onProgress((warm + batches + batch) / (warm + 2 * batches));
  });
  const expected = (warm + 2 * batches) * BATCH_PACKETS * fanOut;
  if (counters.rtpForwarded !== expected) throw new Error("the benchmark's packets were not all forwarded");
  const forwarded = batches * BATCH_PACKETS * fanOut;
  return {
    fanOut,
    forwarded,
    microsPerPacket: times.packets / forwarded,
    timerMicrosPerPacket: times.timers / forwarded,
    bytesPerPacket,
    packetsPerSecond: (1_000_000 * forwarded) / (times.packets + times.timers),
  };
}

function timeBatch(call: Call, speaker: Speaker, meter: Meter, times: { packets: number; timers: number }): void {
  const start = call.loop.now;
  runClients(call);
  fillBatch(speaker);
  const atTimers = meter.cpuMicros();
  runShardTimers(call);
  const atPackets = meter.cpuMicros();
  handPackets(speaker, 0, BATCH_PACKETS, start, INTERVAL_MICROS);
  times.timers += atPackets - atTimers;
  times.packets += meter.cpuMicros() - atPackets;
  call.loop.now = micros(start + BATCH_PACKETS * INTERVAL_MICROS);
}

/** Heap bytes for each packet that is forwarded in so many batches. */
function weigh(call: Call, speaker: Speaker, meter: Meter, batches: number, onBatch: (batch: number) => void): number {
  const { counters } = call.shard.history;
  const fanOut = call.clients.length - 1;
  const reading = readingBytes(meter);
  const first = counters.rtpForwarded;
  let stretch = Math.ceil(STRETCH_FORWARDED / fanOut);
  let bytes = 0;
  for (let batch = 0; batch < batches; batch++) {
    const start = call.loop.now;
    runClients(call);
    fillBatch(speaker);
    runShardTimers(call);
    for (let index = 0; index < BATCH_PACKETS; index += stretch) {
      const count = Math.min(stretch, BATCH_PACKETS - index);
      meter.collect();
      const before = meter.heapBytes();
      handPackets(speaker, index, count, micros(start + index * INTERVAL_MICROS), INTERVAL_MICROS);
      bytes += meter.heapBytes() - before - reading;
    }
    const each = Math.max(1, bytes / (counters.rtpForwarded - first));
    stretch = Math.max(1, Math.min(BATCH_PACKETS, Math.floor(STRETCH_BYTES / (each * fanOut))));
    call.loop.now = micros(start + BATCH_PACKETS * INTERVAL_MICROS);
    onBatch(batch + 1);
  }
  return bytes / (counters.rtpForwarded - first);
}

/** What two readings of the heap leave on it. */
function readingBytes(meter: Meter): number {
  let bytes = 0;
  for (let i = 0; i < CALIBRATIONS; i++) {
    meter.collect();
    const before = meter.heapBytes();
    bytes += meter.heapBytes() - before;
  }
  return bytes / CALIBRATIONS;
}
