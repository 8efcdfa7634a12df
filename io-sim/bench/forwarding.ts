/**
 * What forwarding costs: processor time and garbage for each packet that leaves the shard.
 *
 * Packets come in batches of equal size, a batch each 25.6 ms of the call's time, which is the load of some forty cameras
 * on one. Making and sealing a batch, the clients' checks and the shard's timers (feedback, reports) lie outside the
 * measured stretch; the timers are measured on their own. Processor time is that of the whole process, so work that V8
 * does on other threads counts, and other people's work on the machine does not.
 */
import { micros, shardNextTimeout } from "../../core/index.ts";
import { BATCH_PACKETS, type CallCrypto, createCall, runClients, runShardTimers } from "./call.ts";
import { createSpeaker, fillBatch, handBatch } from "./speaker.ts";

const INTERVAL_MICROS = 100;
/** Batches before anything is measured, at least: V8 has compiled what is hot by then. */
const WARM_BATCHES = 100;
/** Part of the measured packets that go before them: one in so many. */
const WARM_PART = 4;

/** The instruments of the host. */
export interface Meter {
  /** Processor time of this process so far, in microseconds. */
  cpuMicros(): number;
  /** Bytes in use on the heap. */
  heapBytes(): number;
  /** Empties the young part of the heap; undefined when garbage can't be measured. */
  readonly collect: (() => void) | undefined;
}

/** What is to be measured. */
export interface ForwardingOptions {
  readonly fanOut: number;
  /** Packets that leave the shard, at least. */
  readonly packets: number;
  readonly packetBytes: number;
  readonly crypto: CallCrypto;
}

/** What forwarding to `fanOut` subscribers costs. */
export interface ForwardingFigure {
  readonly fanOut: number;
  /** Packets that left the shard in the measured batches. */
  readonly forwarded: number;
  readonly microsPerPacket: number;
  readonly packetsPerSecond: number;
  /** Null when it can't be measured. */
  readonly bytesPerPacket: number | null;
  /** The shard's timers, for each packet that was forwarded. */
  readonly timerMicrosPerPacket: number;
}

/** Measures forwarding. `onProgress` hears which part is done, 0 to 1. */
export function measureForwarding(
  options: ForwardingOptions,
  meter: Meter,
  onProgress: (part: number) => void,
): ForwardingFigure {
  const { fanOut, packets, packetBytes, crypto } = options;
  const call = createCall(fanOut, crypto);
  const speaker = createSpeaker(call, packetBytes);
  const { counters } = call.shard.history;
  const measured = Math.ceil(packets / (BATCH_PACKETS * fanOut));
  const warm = Math.max(WARM_BATCHES, Math.ceil(measured / WARM_PART));
  let now = call.loop.now;
  let cpu = 0;
  let timerCpu = 0;
  let heap = 0;
  let forwardedBefore = 0;
  for (let batch = 0; batch < warm + measured; batch++) {
    if (batch === warm) {
      cpu = 0;
      timerCpu = 0;
      heap = 0;
      forwardedBefore = counters.rtpForwarded;
    }
    runClients(call, now);
    fillBatch(speaker);
    const beforeTimers = meter.cpuMicros();
    if (shardNextTimeout(call.shard) <= now) runShardTimers(call, now);
    timerCpu += meter.cpuMicros() - beforeTimers;
    meter.collect?.();
    const heapBefore = meter.heapBytes();
    const cpuBefore = meter.cpuMicros();
    const last = handBatch(speaker, now, INTERVAL_MICROS);
    cpu += meter.cpuMicros() - cpuBefore;
    heap += meter.heapBytes() - heapBefore;
    now = micros(last + INTERVAL_MICROS);
    onProgress((batch + 1) / (warm + measured));
  }
  const forwarded = counters.rtpForwarded - forwardedBefore;
  if (forwarded !== measured * BATCH_PACKETS * fanOut) throw new Error("the benchmark's packets were not all forwarded");
  return {
    fanOut,
    forwarded,
    microsPerPacket: cpu / forwarded,
    packetsPerSecond: Math.round((1_000_000 * forwarded) / (cpu + timerCpu)),
    bytesPerPacket: meter.collect === undefined ? null : heap / forwarded,
    timerMicrosPerPacket: timerCpu / forwarded,
  };
}
