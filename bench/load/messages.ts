/**
 * What the benchmark and its load generator say to each other, and what the generator is asked to be.
 */

/** One kind of stream that a peer sends. */
export interface StreamPlan {
  readonly kind: "audio" | "video";
  readonly packetsPerSecond: number;
  /** Bytes of an RTP packet before it is sealed. */
  readonly packetBytes: number;
}

/** One peer of the load. */
export interface LoadPeerPlan {
  readonly room: string;
  readonly sends: readonly StreamPlan[];
  readonly audioSlots: number;
  readonly videoSlots: number;
}

/** How peers come to their keys: by joining a server, or with keys that both sides have been given. */
export type Meeting =
  | {
      readonly kind: "join";
      readonly serverUrl: string;
      readonly joinsAtATime: number;
      /** Spreads the joins over so many seconds; 0 is as fast as they go. */
      readonly withinSeconds: number;
      /** Whoever is connected sends at once; otherwise nobody does until a rate is told. */
      readonly sendsAtOnce: boolean;
    }
  | { readonly kind: "given"; readonly ip: string; readonly port: number }
  /** The first peer publishes in a room of Janus, which forwards to all others; see bench/peers/janus-meeting.ts. */
  | { readonly kind: "janus"; readonly apiUrl: string };

/** What a generator is asked to be. */
export interface LoadPlan {
  readonly meeting: Meeting;
  readonly peers: readonly LoadPeerPlan[];
}

/** What the generator is told. */
export type ToLoad =
  | { readonly kind: "plan"; readonly plan: LoadPlan }
  /** Sends this many times the video packets of the plan from now on, and the sound as planned; 0 is silence. */
  | { readonly kind: "rate"; readonly factor: number }
  /** Counts from now on. */
  | { readonly kind: "begin" }
  /** Answers what it has counted. */
  | { readonly kind: "end" }
  /** Answers how its peers have come in. */
  | { readonly kind: "arrivals" }
  | { readonly kind: "stop" };

/** What the generator answers. */
export type FromLoad =
  /**
   * Every peer is connected: how long that took, how often the server asked somebody to come later, and the generator's
   * addresses, peer by peer.
   */
  | { readonly kind: "ready"; readonly seconds: number; readonly refused: number; readonly ports: readonly number[] }
  | { readonly kind: "joined"; readonly count: number }
  | { readonly kind: "counted"; readonly counted: Counted }
  | { readonly kind: "arrivals"; readonly arrivals: Arrivals }
  | { readonly kind: "failed"; readonly sentence: string };

/** Percentiles in microseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

/** How peers have come in, from the moment at which each first asked. */
export interface Arrivals {
  readonly peers: number;
  /** Those whose slots for sound, and for video, have each received something. */
  readonly hearing: number;
  readonly seeing: number;
  readonly connectedMicros: Percentiles;
  /** Until the first packet, and until the last slot had its first. */
  readonly firstPacketMicros: Percentiles;
  readonly allSlotsMicros: Percentiles;
}

/** What was counted of one kind of stream. */
export interface CountedKind {
  /** Packets that publishers handed to the kernel. */
  readonly sent: number;
  /** Packets that slots received, and the gaps in their sequence numbers. */
  readonly received: number;
  readonly lost: number;
  /** Slots that received anything, of all. */
  readonly slotsServed: number;
  readonly slots: number;
}

/** What was counted between `begin` and `end`. */
export interface Counted {
  readonly seconds: number;
  readonly audio: CountedKind;
  readonly video: CountedKind;
  /** Of both kinds together. */
  readonly sent: number;
  /** Packets that the kernel did not take from publishers. */
  readonly refused: number;
  readonly received: number;
  readonly lost: number;
  readonly slotsServed: number;
  readonly slots: number;
  /** Packets that were opened and compared with what was sent, and those of them that were not as they should be. */
  readonly verified: number;
  readonly wrong: number;
  /** From the publisher's system call to the arrival at the subscriber's socket, of the verified packets. */
  readonly delayMicros: Percentiles;
  /** Processor time of the generator. */
  readonly cpuMicros: number;
}
