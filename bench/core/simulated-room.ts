/**
 * How fast simulated time goes by: rooms in which one speaks, with camera and microphone, and all others see and hear it;
 * and a room in which everyone does. Everybody has as many slots as there are others to see and to hear.
 *
 * It is a run like those of `lockstep sim`, with clients, links, oracles and fingerprints: what is measured is what someone
 * waits for who runs stories, not the core alone.
 */
import { settleEngine } from "../../io-sim/cli/engine.ts";
import { type PeerOptions, scenario, seconds } from "../../io-sim/story/scenario.ts";
import { run } from "../../io-sim/world/run.ts";
import type { Meter } from "./meter.ts";

const SEED = 1;
/** Everyone is connected by then. */
const CONNECT_MICROS = seconds(1);
/** So many times what is measured goes before it, so that V8 has compiled what is hot by then. */
const WARM_TIMES = 2;

/** The rooms of a world. */
export interface RoomShape {
  readonly cipher: "checksum" | "real";
  readonly rooms: number;
  /** Of each room. */
  readonly participants: number;
  /** How many of them send picture and sound. */
  readonly speakers: number;
}

/** How fast a world was simulated. */
export interface RoomFigure extends RoomShape {
  readonly simulatedSeconds: number;
  readonly cpuSeconds: number;
  readonly simulatedSecondsPerCpuSecond: number;
}

/** Simulates such rooms, and measures the last `length` seconds of them. */
export function measureRooms(
  shape: RoomShape,
  length: number,
  meter: Meter,
  onProgress: (part: number) => void,
): RoomFigure {
  // As the commands that run stories do.
  settleEngine();
  const start = CONNECT_MICROS + WARM_TIMES * seconds(length);
  const end = start + seconds(length);
  const plan = scenario({
    name: "rooms",
    story: "We talked for a while.",
    seeds: { [SEED]: "the benchmark's" },
    cipher: shape.cipher,
    peers: peersOf(shape),
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
    throw new Error(`the benchmark's rooms broke ${verdict.promise}: no figure is worth it`);
  const simulated = to.simulated - from.simulated;
  const cpu = to.cpu - from.cpu;
  return {
    ...shape,
    simulatedSeconds: simulated / 1_000_000,
    cpuSeconds: cpu / 1_000_000,
    simulatedSecondsPerCpuSecond: simulated / cpu,
  };
}

function peersOf({ rooms, participants, speakers }: RoomShape): Record<string, PeerOptions> {
  const peers: Record<string, PeerOptions> = {};
  for (let room = 0; room < rooms; room++) {
    for (let place = 0; place < participants; place++) {
      const speaks = place < speakers;
      const others = speakers - (speaks ? 1 : 0);
      peers[`guest-${room}-${place}`] = {
        room: `room-${room}`,
        ...(speaks ? { sends: { camera: "vp8", microphone: true } } : {}),
        ...(others > 0 ? { receives: { audio: others, video: others } } : {}),
      };
    }
  }
  return peers;
}
