/**
 * How fast simulated time goes by: a room of four in which one speaks, with camera and microphone, and all others see and
 * hear it; and a room of four in which everyone does.
 *
 * It is a run like those of `lockstep sim`, with clients, links, oracles and fingerprints: what is measured is what someone
 * waits for who runs stories, not the core alone.
 */
import { run } from "../../io-sim/run.ts";
import { type PeerOptions, scenario, seconds } from "../../io-sim/scenario.ts";
import type { Meter } from "./meter.ts";

const SEED = 1;
const OTHERS = 3;
/** Everyone is connected by then. */
const CONNECT_MICROS = seconds(1);
/** So many times what is measured goes before it, so that V8 has compiled what is hot by then. */
const WARM_TIMES = 2;
const VIEWER: PeerOptions = { receives: { audio: OTHERS, video: OTHERS } };
const SPEAKER: PeerOptions = { ...VIEWER, sends: { camera: "vp8", microphone: true } };

/** How fast a room was simulated. */
export interface RoomFigure {
  readonly cipher: "checksum" | "real";
  readonly participants: number;
  /** How many of them send picture and sound. */
  readonly speakers: number;
  readonly simulatedSeconds: number;
  readonly cpuSeconds: number;
  readonly simulatedSecondsPerCpuSecond: number;
}

/** Simulates a room of four, in which one or all speak, and measures the last `length` seconds of it. */
export function measureRoom(
  cipher: RoomFigure["cipher"],
  speakers: 1 | 4,
  length: number,
  meter: Meter,
  onProgress: (part: number) => void,
): RoomFigure {
  const other = speakers === 1 ? VIEWER : SPEAKER;
  const start = CONNECT_MICROS + WARM_TIMES * seconds(length);
  const end = start + seconds(length);
  const plan = scenario({
    name: "a room of four",
    story: "The four of us talked for a while.",
    seeds: { [SEED]: "the benchmark's" },
    cipher,
    peers: { ana: SPEAKER, bob: other, eve: other, joe: other },
    runFor: end,
  });
  const from = { simulated: 0, cpu: 0 };
  const to = { simulated: 0, cpu: 0 };
  const verdict = run(plan, SEED, {
    onProgress(simulated) {
      onProgress(Math.min(1, simulated / end));
      // Reading the clock of the process is not free: once at the start, and once at the end.
      const mark = from.simulated === 0 ? from : to;
      if (simulated < (mark === from ? start : end) || mark.simulated !== 0) return;
      mark.simulated = simulated;
      mark.cpu = meter.cpuMicros();
    },
  });
  if (verdict.verdict !== "held")
    throw new Error(`the benchmark's room broke ${verdict.promise}: no figure is worth it`);
  const simulated = to.simulated - from.simulated;
  const cpu = to.cpu - from.cpu;
  return {
    cipher,
    participants: 1 + OTHERS,
    speakers,
    simulatedSeconds: simulated / 1_000_000,
    cpuSeconds: cpu / 1_000_000,
    simulatedSecondsPerCpuSecond: simulated / cpu,
  };
}
