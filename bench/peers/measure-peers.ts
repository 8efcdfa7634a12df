/**
 * Measures the same fan-out through other servers: one publisher whose video goes to many, with the same packets, the same
 * generator and the same way of counting as `bench forward`.
 *
 * Janus gets its publisher over WebRTC and forwards to plain UDP ports with SRTP (`rtp_forward`), which is less than a
 * WebRTC subscriber costs: no ICE, no retransmissions, no reports. It knows AES_CM_128_HMAC_SHA1_80 alone there.
 */
import { type Generator, passSeconds, startGenerator } from "../load/generator.ts";
import type { Counted, LoadPlan, Meeting } from "../load/messages.ts";
import { peersOf } from "../load/shape.ts";
import { cpuBetween, readCpu } from "../server/process-meter.ts";
import { startServerProcess } from "../server/server-process.ts";
import { startJanus } from "./janus-process.ts";

const SETTLE_SECONDS = 2;
const JOINS_AT_A_TIME = 16;

/** What is to be measured. */
export interface PeersOptions {
  readonly subscribers: number;
  /** Of the publisher's video stream. */
  readonly packetsPerSecond: number;
  readonly packetBytes: number;
  readonly seconds: number;
}

/** What one server needed. */
export interface PeerFigure {
  readonly server: string;
  readonly cipher: string;
  readonly cpuMicrosPerForwardedPacket: number;
  readonly userMicrosPerForwardedPacket: number;
  readonly systemMicrosPerForwardedPacket: number;
  readonly packetsPerSecond: number;
  /** Of what the publisher sent times the subscribers, the part that did not come. */
  readonly lossRatio: number;
  readonly addedDelayMicros: Counted["delayMicros"];
  readonly verified: number;
  readonly wrong: number;
  readonly generatorBusy: number;
}

/** Measures Lockstep with one shard. */
export async function measureLockstep(options: PeersOptions): Promise<PeerFigure> {
  const server = await startServerProcess(["--shards", "1"]);
  try {
    const pace = { joinsAtATime: JOINS_AT_A_TIME, withinSeconds: 0, sendsAtOnce: false };
    const meeting = { kind: "join", serverUrl: server.url, ...pace } as const;
    return await measure(`Lockstep, io ${server.io}`, "AEAD_AES_128_GCM", server.pid, meeting, options);
  } finally {
    await server.stop();
  }
}

/** Measures the Janus that is installed here. */
export async function measureJanus(options: PeersOptions): Promise<PeerFigure> {
  const janus = await startJanus();
  try {
    const meeting = { kind: "janus", apiUrl: janus.apiUrl } as const;
    return await measure(`Janus ${janus.version}`, "AES_CM_128_HMAC_SHA1_80", janus.pid, meeting, options);
  } finally {
    await janus.stop();
  }
}

async function measure(
  server: string,
  cipher: string,
  pid: number,
  meeting: Meeting,
  options: PeersOptions,
): Promise<PeerFigure> {
  const { subscribers, packetsPerSecond, packetBytes, seconds } = options;
  const room = { kind: "fan-out", publishers: 1, subscribers } as const;
  const plan: LoadPlan = { meeting, peers: peersOf({ rooms: 1, room, packetsPerSecond, packetBytes }) };
  let generator: Generator | undefined;
  try {
    generator = await startGenerator(plan, () => {});
    generator.setRate(1);
    await passSeconds(SETTLE_SECONDS);
    const before = readCpu(pid);
    const counted = await generator.count(seconds);
    const { userMicros, systemMicros } = cpuBetween(before, readCpu(pid));
    const { received, sent, verified, wrong } = counted;
    if (received === 0) throw new Error(`${server} forwarded nothing`);
    return {
      server,
      cipher,
      cpuMicrosPerForwardedPacket: (userMicros + systemMicros) / received,
      userMicrosPerForwardedPacket: userMicros / received,
      systemMicrosPerForwardedPacket: systemMicros / received,
      packetsPerSecond: received / counted.seconds,
      lossRatio: Math.max(0, 1 - received / (sent * subscribers)),
      addedDelayMicros: counted.delayMicros,
      verified,
      wrong,
      generatorBusy: counted.cpuMicros / 1_000_000 / counted.seconds,
    };
  } finally {
    await generator?.stop();
  }
}
