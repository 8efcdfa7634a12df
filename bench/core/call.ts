/**
 * The call that forwarding is measured in: one speaker with a camera, and viewers with a screen each, around one shard.
 *
 *     speaker ── arena: a batch of sealed packets ──> shardHandle ── arena: send slot ──> counted and forgotten
 *
 * There is no network and no waiting. Everyone joins as clients of the simulator do, with an offer, a STUN check and a DTLS
 * handshake; then their clockwork is stopped but for the checks that keep consent fresh. The host is a stub: what comes in
 * and what goes out lies in one array, as in a host that shares memory with its kernel, and transmitting is counting.
 */
import {
  type CryptoProvider,
  createDatagramInput,
  createShard,
  type DatagramInput,
  FIRST_COME_FIRST_SERVED,
  LIMITS,
  MICROS_ORIGIN,
  micros,
  type Outbox,
  type Shard,
  type ShardPorts,
  shardHandle,
  shardNextTimeout,
  type WallMicros,
} from "../../core/index.ts";
import { createEventLoop, EVENT_CLASS, type EventLoop, schedule, step } from "../../io-sim/base/event-loop.ts";
import { createStream, randomBytes } from "../../io-sim/base/random.ts";
import { createSlab } from "../../io-sim/base/slab.ts";
import { type Client, clientAnswered, clientJoin, clientReceive, createClient } from "../../io-sim/client/client.ts";
import { type ClientMediaPlan, mediaStop } from "../../io-sim/client/client-media.ts";

/** Packets of a batch. */
export const BATCH_PACKETS = 256;

const SLOT_BYTES = LIMITS.datagramBytesMax;
const SEED = 1;
const WALL = 1_767_225_600_000_000 as WallMicros;
const ADDRESS = { ip: "203.0.113.1", port: 7_000 };
const FIRST_RTP_BYTE = 128;
const CAMERA = { rid: "", width: 1_280, height: 720, rateBps: 2_500_000 };

/** A call; make it with {@link createCall}. */
export interface Call {
  readonly loop: EventLoop;
  readonly shard: Shard;
  readonly ports: ShardPorts;
  /** The one input object of the host. */
  readonly input: DatagramInput;
  /** The slots of a batch. They lie in one buffer with the send slot, as in a host that shares memory with its kernel. */
  readonly slots: readonly Uint8Array[];
  readonly lengths: Uint32Array;
  readonly speaker: Client;
  readonly clients: readonly Client[];
}

/** How the call is encrypted. A host has one provider, and so has the benchmark: V8 then knows whom the core calls. */
export interface CallCrypto {
  readonly shard: CryptoProvider;
  /** For each client: key handles belong to one end. */
  readonly createClient: () => CryptoProvider;
  /** What the clients use for media: SRTP of their own, or whatever their provider does. */
  readonly cipher: "real" | "provider";
}

/** A call in which everyone is connected and every viewer waits for the speaker's first keyframe. */
export function createCall(viewers: number, crypto: CallCrypto): Call {
  const loop = createEventLoop();
  const arena = new Uint8Array((1 + BATCH_PACKETS) * SLOT_BYTES);
  const slots: Uint8Array[] = [];
  for (let i = 1; i <= BATCH_PACKETS; i++) slots.push(arena.subarray(i * SLOT_BYTES, (i + 1) * SLOT_BYTES));
  const clients: Client[] = [];
  const outbox = createOutbox(loop, arena, clients);
  const entropySeed = randomBytes(createStream(SEED, "boot", "entropy"), 32);
  const boot = { entropySeed, randomSeed: SEED, now: MICROS_ORIGIN, wall: WALL, config: { candidates: [ADDRESS] } };
  const shard = createShard(boot, crypto.shard);
  const ports: ShardPorts = { crypto: crypto.shard, outbox, scheduler: FIRST_COME_FIRST_SERVED };
  const input = createDatagramInput(slots[0]!);
  const host = { loop, shard, ports, input, slots, outbox };
  for (let flow = 0; flow <= viewers; flow++) {
    const client = createCallClient(host, flow, crypto.createClient(), crypto.cipher);
    clients.push(client);
    clientJoin(client);
  }
  while (clients.some((client) => client.status !== "connected")) {
    if (!step(loop)) throw new Error("the benchmark's clients did not connect");
  }
  return { ...host, lengths: new Uint32Array(BATCH_PACKETS), speaker: clients[0]!, clients };
}

/** Lets the clients do what they have to by now: send the checks that keep their consent fresh. */
export function runClients({ loop }: Call): void {
  const { now } = loop;
  while (loop.heap.length > 0 && loop.heap[0]!.time <= now) step(loop);
  loop.now = now;
}

/** Gives the shard its turn if one is due. */
export function runShardTimers({ shard, ports, loop }: Call): void {
  if (shardNextTimeout(shard) <= loop.now) shardHandle(shard, ports, { kind: "timer", now: loop.now });
}

interface Host {
  readonly loop: EventLoop;
  readonly shard: Shard;
  readonly ports: ShardPorts;
  readonly input: DatagramInput;
  readonly slots: readonly Uint8Array[];
  readonly outbox: BenchOutbox;
}

interface BenchOutbox extends Outbox {
  /** What the last command was answered. */
  onJoined: (participant: number, resource: string, answer: string) => void;
}

/** Media is forgotten; STUN and DTLS go to the client whose flow it is, through the loop. */
function createOutbox(loop: EventLoop, sendBytes: Uint8Array, clients: readonly Client[]): BenchOutbox {
  const deliver = (flow: number, bytes: Uint8Array) => {
    schedule(loop, loop.now, EVENT_CLASS.DATAGRAM, () => clientReceive(clients[flow]!, bytes, loop.now));
  };
  return {
    sendBytes,
    onJoined: () => {},
    reserve: () => 0,
    transmit(flow, offset, length) {
      // In a function of its own: a closure here would cost every packet the context that it closes over, 48 bytes.
      if (sendBytes[offset]! < FIRST_RTP_BYTE) deliver(flow, sendBytes.slice(offset, offset + length));
    },
    reply(reply) {
      if (reply.type !== "joined") throw new Error(`a client of the benchmark was answered ${JSON.stringify(reply)}`);
      this.onJoined(reply.participant, reply.resource, reply.answer);
    },
    event: () => {},
    relayPacket: () => {},
    relayMail: () => {},
    releaseFlow: () => {},
  };
}

function createCallClient(host: Host, flow: number, crypto: CryptoProvider, cipher: CallCrypto["cipher"]): Client {
  const { loop, shard, ports, outbox } = host;
  const name = flow === 0 ? "speaker" : `viewer-${flow}`;
  const camera: ClientMediaPlan["camera"] = { source: 1, codec: "VP8", framesPerSecond: 30, layers: [CAMERA] };
  const client: Client = createClient(
    SEED,
    {
      ordinal: flow,
      name,
      room: "hall",
      cipher: cipher === "real" ? "real" : "checksum",
      impostor: false,
      media: {
        camera: flow === 0 ? camera : null,
        microphone: null,
        audioSlots: 0,
        videoSlots: flow === 0 ? 0 : 1,
        nearWrap: false,
      },
    },
    {
      loop,
      crypto,
      wallClock: (now) => WALL + (now - MICROS_ORIGIN),
      send: (bytes) => schedule(loop, loop.now, EVENT_CLASS.DATAGRAM, () => handControl(host, flow, bytes)),
      askToJoin(offer) {
        outbox.onJoined = (participant, resource, answer) => clientAnswered(client, participant, resource, answer);
        const command = { type: "join", room: "hall", name, offer } as const;
        shardHandle(shard, ports, { kind: "command", now: loop.now, commandId: 1, command });
      },
      askToLeave: () => {},
      packets: createSlab(),
      watcher: { connected: ({ media }) => mediaStop(media), perceived: () => {} },
    },
  );
  return client;
}

/** Hands the shard a datagram of STUN or DTLS. */
function handControl({ loop, shard, ports, input, slots }: Host, flow: number, bytes: Uint8Array): void {
  input.bytes = slots[0]!;
  input.bytes.set(bytes);
  // The clients catch up between two batches; for the shard time never goes back.
  input.now = micros(Math.max(input.now, loop.now));
  input.flow = flow;
  input.length = bytes.length;
  shardHandle(shard, ports, input);
}
