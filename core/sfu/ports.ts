/**
 * The doors of a shard: what a host gives it to work with, what goes in and what comes out.
 *
 * A shard is plain data. Everything it learns arrives as one {@link ShardInput} with the time in it; everything it wants
 * done goes into the host's {@link Outbox}. Equal boot records and equal inputs give equal outputs, so a journal of the
 * inputs is a complete recording.
 */

import type { DatagramSink } from "../base/datagram-sink.ts";
import { MICROS_ORIGIN, type Micros, type WallMicros } from "../base/micros.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import type { Faults } from "../fault-sites.ts";
import type { CandidateAddress } from "../peer/negotiated.ts";
import type { Knobs } from "../tunables.ts";
import type { ShardEvent } from "./events.ts";

/** What a shard is born with; together with the inputs it decides every output byte. */
export interface BootRecord {
  /** 32 secret bytes from which all key material of the shard is derived. */
  readonly entropySeed: Uint8Array;
  /** 32 bits for what need not be secret: SSRCs, first sequence numbers. */
  readonly randomSeed: number;
  /** The monotonic time of boot. */
  readonly now: Micros;
  /** The wall-clock time at `now`: the only place where wall-clock time enters. */
  readonly wall: WallMicros;
  readonly config: ShardConfig;
  /**
   * The shard's number in a server of several, 0 to `LIMITS.shardNumberMax`; default 0. A server never gives a number out
   * twice, not even to the shard that takes the place of a crashed one. All shards of a server are given the same wall
   * clock, however their monotonic ones differ.
   */
  readonly shard?: number;
}

/** What an operator decides for a shard. */
export interface ShardConfig {
  /** The transport addresses that go into the answer as ICE candidates, best first; at least one. */
  readonly candidates: readonly CandidateAddress[];
  /** Tunables that are not to be as usual; what they mean, and what they may be, stands in tunables.ts. Default: none. */
  readonly tunables?: Knobs;
  /** For simulators, in which all counters may begin shortly before they wrap. Default: as the protocols say, or at random. */
  readonly firstNumbers?: FirstNumbers;
}

/** Where the numbers of a shard's streams begin. */
export interface FirstNumbers {
  /** The RTP timestamp of the first packet that is sent: 32 bits. */
  readonly timestamp: number;
  /**
   * The packet index of the first packet that is sent, which ends in its sequence number: 48 bits. What is received begins
   * near it too: no handshake has a word for it, so the clients of such a shard have to know.
   */
  readonly srtpIndex: number;
  /** The index of the first SRTCP packet that is sent: 31 bits. */
  readonly srtcpIndex: number;
  /** The count of the first transport-wide feedback to each publisher, and the number of the first FIR: 8 bits. */
  readonly feedbackCount: number;
}

/** What the shard uses while it handles an input; the host makes it once. */
export interface ShardPorts {
  readonly crypto: CryptoProvider;
  readonly outbox: Outbox;
  readonly scheduler: Scheduler;
  /** Failures that a simulator injects; a host that serves people leaves it out. */
  readonly faults?: Faults | undefined;
}

/** Decides which mailbox runs next. */
export interface Scheduler {
  /**
   * Picks one of `count` mailboxes that have a message, oldest message first: 0 is first come, first served. `ordinal`
   * counts the picks of the shard, so that a seeded scheduler needs no state.
   */
  pick(ordinal: number, count: number): number;
}

/** Everything that a shard can ask its host for. The host carries it out, in order, after each input. */
export interface Outbox extends DatagramSink {
  /** The one reply to a command. */
  reply(reply: CommandReply): void;
  /** Something worth a log line, a metric or a message to a page. */
  event(event: ShardEvent): void;
  /**
   * A record for the shard with this number: `length` bytes from `offset` of `sendBytes`, in a slot of `reserve` as for
   * `transmit`. It holds one media packet, and may be lost; the host drops and counts it when the way is full.
   */
  relayPacket(shard: number, offset: number, length: number): void;
  /** A record for the shard with this number that must not be lost. It comes neither before nor after its turn. */
  relayMail(shard: number, record: Uint8Array): void;
  /** The shard no longer refers to this flow; the host may forget it once what was transmitted before has been sent. */
  releaseFlow(flow: number): void;
}

/** One thing that happened outside. */
export type ShardInput = DatagramInput | CommandInput | RelayInput | ShardLostInput | TimerInput;

/**
 * A datagram has arrived. The host may use one object for all of them. The core decrypts in place, so the bytes between
 * `offset` and `offset + length` are its own until it returns. A datagram that begins its array is copied fastest.
 */
export interface DatagramInput {
  readonly kind: "datagram";
  now: Micros;
  /** The host's number for (local socket, remote address): 0 or more, small, reused only after `releaseFlow`. */
  flow: number;
  /** The remote address: 4 or 16 bytes of IP and 2 of port, in network order. Constant for a flow. */
  address: Uint8Array;
  bytes: Uint8Array;
  offset: number;
  length: number;
}

/**
 * An input for a host that uses one object for all datagrams; `bytes` is where the first of them lies.
 *
 * Its time begins as something that is no number, because V8 copies a number out of a field that has held numbers alone:
 * 16 bytes of garbage for each datagram, where one time should do for all that a host has read at once.
 */
export function createDatagramInput(bytes: Uint8Array): DatagramInput {
  const input: DatagramInput = {
    kind: "datagram",
    now: null as unknown as Micros,
    flow: 0,
    address: new Uint8Array(6),
    bytes,
    offset: 0,
    length: 0,
  };
  input.now = MICROS_ORIGIN;
  return input;
}

/** The control plane wants something; it gets exactly one reply with the same `commandId`. */
export interface CommandInput {
  readonly kind: "command";
  readonly now: Micros;
  readonly commandId: number;
  readonly command: Command;
}

/**
 * Another shard has relayed something: one or more records, one behind the other, in the order in which it gave them out. How
 * many at a time makes no difference. The bytes are the core's own until it returns, as those of a datagram are.
 */
export interface RelayInput {
  readonly kind: "relay";
  now: Micros;
  /** The number of the shard that they come from. */
  shard: number;
  bytes: Uint8Array;
  offset: number;
  length: number;
}

/** An input for a host that uses one object for all that is relayed; see {@link createDatagramInput} for its time. */
export function createRelayInput(bytes: Uint8Array): RelayInput {
  const input: RelayInput = { kind: "relay", now: null as unknown as Micros, shard: 0, bytes, offset: 0, length: 0 };
  input.now = MICROS_ORIGIN;
  return input;
}

/** Another shard is gone for good. Nothing of it is relayed here after this input. */
export interface ShardLostInput {
  readonly kind: "shard-lost";
  readonly now: Micros;
  readonly shard: number;
}

/** Time has reached what `shardNextTimeout` answered, or later. */
export interface TimerInput {
  readonly kind: "timer";
  readonly now: Micros;
}

/** What the control plane can ask for. */
export type Command =
  | {
      readonly type: "join";
      /** Letters, digits, `-`, `_` and `.`; 1 to `LIMITS.roomNameLengthMax` characters. */
      readonly room: string;
      /** What others see; may be empty. */
      readonly name: string;
      /** An SDP offer (RFC 8866) as browsers write them. */
      readonly offer: string;
      /**
       * The shard on which the room lives; default this one. For as long as anybody is in a room, or on the way in, all are
       * told the same home.
       */
      readonly home?: number;
    }
  | { readonly type: "leave"; readonly room: string; readonly resource: string }
  /** Gives a participant a new connection in place of the one that it has; what others see of it stays. */
  | {
      readonly type: "reconnect";
      readonly room: string;
      readonly resource: string;
      /** The number of the connection that is to be replaced; default whichever it is. */
      readonly connection?: number;
      /** The SDP offer of the new connection. What it sends on an m-line that was there goes on as the same publication. */
      readonly offer: string;
    }
  /** Closes every session with close_notify and refuses joins from now on. */
  | { readonly type: "drain" }
  /** Leaves out this many of {@link VIDEO_PARTS} of the video that subscribers get, until another number is said. */
  | { readonly type: "leave-out-video"; readonly parts: number };

/** The parts into which the shard's video can be divided, by its slots. */
export const VIDEO_PARTS = 8;

/** Why a command was refused. "shard-failed" and "overloaded" are words of the host: it has no shard for it just now. */
export type RefusalCode =
  | "bad-sdp"
  | "bad-room-name"
  | "room-full"
  | "shard-full"
  | "draining"
  | "not-found"
  | "stale-connection"
  | "shard-failed"
  | "overloaded";

/** The reply to a command. */
export type CommandReply =
  | {
      readonly commandId: number;
      readonly type: "joined";
      /** The participant's public number: unique for the life of the shard. Its first connection has the same. */
      readonly participant: number;
      /** The unguessable name of the participant's HTTP resource: 32 hexadecimal digits. */
      readonly resource: string;
      /** The SDP answer. */
      readonly answer: string;
    }
  | {
      readonly commandId: number;
      readonly type: "reconnected";
      readonly participant: number;
      /** The number of the new connection. */
      readonly connection: number;
      readonly answer: string;
    }
  | { readonly commandId: number; readonly type: "left" }
  | { readonly commandId: number; readonly type: "drained"; readonly sessions: number }
  | { readonly commandId: number; readonly type: "video-left-out" }
  | {
      readonly commandId: number;
      readonly type: "refused";
      readonly code: RefusalCode;
      /** One sentence that says what is wrong and what to do. */
      readonly detail: string;
    };
