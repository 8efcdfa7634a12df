/**
 * A guise: how a world may look otherwise without anybody in it being treated otherwise.
 *
 * Chance hangs on the names of the plan and time on the beginning of the world. A guise changes neither: the server is told
 * other names, sees other addresses, lives at another time; the same packets are lost and the same frames are filmed. So
 * what clients get may not change either, which ../equalities/equalities.ts asks.
 */
import { SFU_PORT } from "../base/addresses.ts";

/** How a world looks. */
export interface Guise {
  /** How long all monotonic clocks have been running when the world begins. */
  readonly uptimeMicros: number;
  /** What the server is told a person or a room is called, who have this name in the plan. */
  readonly tell: (name: string) => string;
  /** Peers have the addresses and ports that follow this one. */
  readonly firstAddress: number;
  /** The port of the server's first shard. */
  readonly serverPort: number;
  /** Shards are handed each record of another one by itself, and not all that came together. */
  readonly relaysSingly: boolean;
  /**
   * Links count the headers of IPv4 as long as those of IPv6, and each datagram that is not media as {@link WEIGHT_BYTES}: a
   * rate makes a time of each byte, checks name addresses, and signatures are a byte or two longer or shorter by chance.
   */
  readonly weighsAlike: boolean;
}

/** What a datagram that is not media counts for, headers included, where such datagrams weigh alike: less than any MTU. */
export const WEIGHT_BYTES = 512;

/** How worlds look. */
export const PLAIN_GUISE: Guise = {
  uptimeMicros: 0,
  tell: (name) => name,
  firstAddress: 0,
  serverPort: SFU_PORT,
  relaysSingly: false,
  weighsAlike: false,
};
