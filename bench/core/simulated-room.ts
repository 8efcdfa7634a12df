/**
 * How fast simulated time goes by: a room of four, everyone with camera and microphone, seeing and hearing all others.
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
const PEER: PeerOptions = {
  sends: { camera: "vp8", microphone: true },
  receives: { audio: OTHERS, video: OTHERS },
};

/** How fast a room was simulated. */
export interface RoomFigure {
  readonly cipher: "checksum" | "real";
  readonly participants: number;
  readonly simulatedSeconds: number;
  readonly cpuSeconds: number;
  readonly simulatedSecondsPerCpuSecond: number;
}

/** Simulates a room of four, and measures `length` seconds of it once everyone is connected. */
export function measureRoom(
  cipher: RoomFigure["cipher"],
  length: number,
  meter: Meter,
  onProgress: (part: number) => void,
): RoomFigure {
  const plan = scenario({
    name: "a room of four",
    story: "The four of us talked for a while.",
    seeds: { [SEED]: "the benchmark's" },
    cipher,
    peers: { ana: PEER, bob: PEER, eve: PEER, joe: PEER },
    runFor: CONNECT_MICROS + seconds(length),
  });
  const from = { simulated: 0, cpu: 0 };
  const to = { simulated: 0, cpu: 0 };
  const verdict = run(plan, SEED, {
    onProgress(simulated) {
      if (simulated < CONNECT_MICROS || simulated > CONNECT_MICROS + seconds(length)) return;
      const mark = from.simulated === 0 ? from : to;
      mark.simulated = simulated;
      mark.cpu = meter.cpuMicros();
      onProgress((simulated - CONNECT_MICROS) / seconds(length));
    },
  });
  if (verdict.verdict !== "held")
    throw new Error(`the benchmark's room broke ${verdict.promise}: no figure is worth it`);
  const simulated = to.simulated - from.simulated;
  const cpu = to.cpu - from.cpu;
  return {
    cipher,
    participants: 1 + OTHERS,
    simulatedSeconds: simulated / 1_000_000,
    cpuSeconds: cpu / 1_000_000,
    simulatedSecondsPerCpuSecond: simulated / cpu,
  };
}
