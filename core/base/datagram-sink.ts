/**
 * Where a state machine puts the datagrams that it wants sent.
 *
 * The host owns an arena of send slots. A machine reserves a slot, writes the datagram there, and names the flow that it
 * goes to; nothing is copied afterwards and nothing is allocated. This is the part of the outbox (core/sfu/ports.ts) that
 * the protocols below the SFU need.
 */

/** The sending half of the outbox. */
export interface DatagramSink {
  /** The arena that send slots lie in. It may be another array after each {@link reserve}; read it afresh. */
  readonly sendBytes: Uint8Array;

  /**
   * The offset of a free slot of `LIMITS.datagramBytesMax` bytes. It stays reserved until the next call of
   * {@link transmit}; reserving again without transmitting answers the same slot. Never fails: a host that runs out of
   * slots sends what it holds first.
   */
  reserve(): number;

  /** Hands the first `length` bytes of the reserved slot at `offset` to `flow`. */
  transmit(flow: number, offset: number, length: number): void;
}
