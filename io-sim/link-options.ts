/**
 * How stories speak of links: a few short options for both directions at once, or for one.
 */
import { type LinkPlan, PLAIN_LINK } from "./link.ts";

/** What a link is like when a story says nothing: 10 ms each way, without end. */
export const LINK_DEFAULTS: LinkPlan = PLAIN_LINK;

/** A link, or a change to one, in a story's words. Times in microseconds, shares in millionths, rates in bits a second. */
export interface LinkOptions {
  /** Which direction all options but `up` and `down` mean. Default "both". */
  readonly direction?: "both" | "up" | "down";
  /** Capacity from and to the server; 0 means without end. */
  readonly up?: number;
  readonly down?: number;
  /** One way. */
  readonly delay?: number;
  readonly jitter?: number;
  readonly loss?: number;
  /** Bursts of loss: how long the good and the bad times are in the mean, and the loss in the bad ones. */
  readonly bursts?: { readonly good: number; readonly bad: number; readonly loss: number };
  /** The share of packets that others overtake, and how long they are held back at most. */
  readonly reorder?: { readonly share: number; readonly by: number };
  /** The share of packets that come twice, and how much later the second comes at most. */
  readonly duplicate?: { readonly share: number; readonly by: number };
  /** The share of packets in which bits flip. */
  readonly corrupt?: number;
  /** Bytes that the bottleneck's queue holds. */
  readonly queue?: number;
  readonly cut?: boolean;
  /** Datagrams of DTLS that are lost, counted from 0. */
  readonly loseDtls?: readonly number[];
}

/** What these options change in each direction. */
export function linkChange(options: LinkOptions): { up: Partial<LinkPlan>; down: Partial<LinkPlan> } {
  const common: Partial<LinkPlan> = {
    ...(options.delay === undefined ? {} : { delayMicros: options.delay }),
    ...(options.jitter === undefined ? {} : { jitterMicros: options.jitter }),
    ...(options.loss === undefined ? {} : { lossPpm: options.loss }),
    ...(options.bursts === undefined
      ? {}
      : {
          burstGoodMicros: options.bursts.good,
          burstBadMicros: options.bursts.bad,
          burstLossPpm: options.bursts.loss,
        }),
    ...(options.reorder === undefined ? {} : { reorderPpm: options.reorder.share, reorderMicros: options.reorder.by }),
    ...(options.duplicate === undefined
      ? {}
      : { duplicatePpm: options.duplicate.share, duplicateMicros: options.duplicate.by }),
    ...(options.corrupt === undefined ? {} : { corruptPpm: options.corrupt }),
    ...(options.queue === undefined ? {} : { queueBytes: options.queue }),
    ...(options.cut === undefined ? {} : { cut: options.cut }),
    ...(options.loseDtls === undefined ? {} : { loseDtls: options.loseDtls }),
  };
  const direction = options.direction ?? "both";
  return {
    up: { ...(direction === "down" ? {} : common), ...(options.up === undefined ? {} : { rateBps: options.up }) },
    down: { ...(direction === "up" ? {} : common), ...(options.down === undefined ? {} : { rateBps: options.down }) },
  };
}
