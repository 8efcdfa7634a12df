/**
 * Measures joins: one request over HTTP, an offer parsed and answered, connectivity checks, a DTLS handshake, SRTP keys.
 *
 * Twice, on one server. First as fast as they come and without media, which tells what a join costs; those who came leave
 * again. Then spread over the seconds of a storm, with speakers who send from the moment at which they are connected; then
 * everybody has to hear and see all speakers of his room.
 */
import { type Generator, passSeconds, startGenerator } from "../load/generator.ts";
import type { Arrivals } from "../load/messages.ts";
import { type LoadShape, peersOf } from "../load/shape.ts";
import { cpuBetween, readCpu } from "../server/process-meter.ts";
import { type ServerProcess, startServerProcess } from "../server/server-process.ts";
import type { Progress } from "../words.ts";

/** Peers that ask to join at the same time when there is no other pace. */
const JOINS_AT_A_TIME = 16;
/** Nobody waits for somebody else's join in a storm. */
const STORM_AT_A_TIME = 256;
/** How long after the last handshake everybody must hear and see. */
const MEDIA_SECONDS_MAX = 10;
/** Opus has frames of 60 ms at most: as little sound as keeps everybody audible. */
const VOICE_PACKETS_PER_SECOND = 17;
const PACKET_BYTES = 600;

/** What is to be measured. */
export interface JoinsOptions {
  readonly participants: number;
  /** The storm's length. */
  readonly withinSeconds: number;
  /** Participants of a room, and those of them who send. */
  readonly people: number;
  readonly speakers: number;
  /** Of each video stream in the storm. */
  readonly packetsPerSecond: number;
  /** Further words for `lockstep serve`. */
  readonly serveWords: readonly string[];
}

/** What was measured. */
export interface JoinsFigures {
  readonly io: string;
  /** As fast as they come, without media. */
  readonly price: {
    readonly seconds: number;
    readonly joinsPerSecond: number;
    /** Processor time of all the server's threads for one join, and how many one core carries at that price. */
    readonly cpuMillisPerJoin: number;
    readonly joinsPerSecondPerCore: number;
    readonly connectedMicros: Arrivals["connectedMicros"];
  };
  /** Spread over the seconds that were asked for, with media. */
  readonly storm: Arrivals & {
    /** From the first request to the last key. */
    readonly seconds: number;
    /** How often the server asked somebody to come later. */
    readonly refused: number;
  };
  readonly everybodyHearsAndSees: boolean;
}

/** Measures everything. Throws with a sentence when the server or the generator can't do its part. */
export async function measureJoins(options: JoinsOptions, onProgress: Progress): Promise<JoinsFigures> {
  const server = await startServerProcess(options.serveWords);
  try {
    const price = await measurePrice(options, server, onProgress);
    const storm = await measureStorm(options, server, onProgress);
    const everybodyHearsAndSees = storm.hearing === storm.peers && storm.seeing === storm.peers;
    return { io: server.io, price, storm, everybodyHearsAndSees };
  } finally {
    onProgress("", 1);
    await server.stop();
  }
}

async function measurePrice(
  options: JoinsOptions,
  server: ServerProcess,
  onProgress: Progress,
): Promise<JoinsFigures["price"]> {
  const before = readCpu(server.pid);
  const pace = { joinsAtATime: JOINS_AT_A_TIME, withinSeconds: 0, sendsAtOnce: false };
  const generator = await start(options, server, pace, (part) => onProgress("joining", part / 2));
  try {
    const { userMicros, systemMicros } = cpuBetween(before, readCpu(server.pid));
    const cpuMillisPerJoin = (userMicros + systemMicros) / 1_000 / options.participants;
    return {
      seconds: generator.joinSeconds,
      joinsPerSecond: options.participants / generator.joinSeconds,
      cpuMillisPerJoin,
      joinsPerSecondPerCore: 1_000 / cpuMillisPerJoin,
      connectedMicros: (await generator.arrivals()).connectedMicros,
    };
  } finally {
    await generator.stop();
  }
}

async function measureStorm(
  options: JoinsOptions,
  server: ServerProcess,
  onProgress: Progress,
): Promise<JoinsFigures["storm"]> {
  const { withinSeconds } = options;
  const pace = { joinsAtATime: STORM_AT_A_TIME, withinSeconds, sendsAtOnce: true };
  const generator = await start(options, server, pace, (part) => onProgress("a storm of joins", 0.5 + part / 2));
  try {
    let arrivals = await generator.arrivals();
    for (let waited = 0; waited < MEDIA_SECONDS_MAX; waited += 0.25) {
      if (arrivals.hearing === arrivals.peers && arrivals.seeing === arrivals.peers) break;
      await passSeconds(0.25);
      arrivals = await generator.arrivals();
    }
    return { seconds: generator.joinSeconds, refused: generator.joinsRefused, ...arrivals };
  } finally {
    await generator.stop();
  }
}

function start(
  options: JoinsOptions,
  { url }: ServerProcess,
  pace: { joinsAtATime: number; withinSeconds: number; sendsAtOnce: boolean },
  onPart: (part: number) => void,
): Promise<Generator> {
  const { participants } = options;
  const meeting = { kind: "join", serverUrl: url, ...pace } as const;
  return startGenerator({ meeting, peers: peersOf(shapeOf(options)) }, (count) => onPart(count / participants));
}

function shapeOf({ participants, people, speakers, packetsPerSecond }: JoinsOptions): LoadShape {
  return {
    rooms: participants / people,
    room: { kind: "meeting", people, speakers },
    packetsPerSecond,
    packetBytes: PACKET_BYTES,
    voicePacketsPerSecond: VOICE_PACKETS_PER_SECOND,
  };
}
