/**
 * How stories speak of links: a profile by name, and a few short options for both directions at once or for one.
 *
 * Whatever a story says beside a profile wins over it. Some of what a link does happens to both directions and to the
 * address together (the phone that roams, the NAT that forgets); that becomes steps of the timeline, see ./roaming.ts.
 */
import { nominalRate } from "../link/capacity.ts";
import { type LinkPlan, PLAIN_LINK } from "../link/index.ts";
import {
  type ArqPlan,
  BYTES_UNLIMITED,
  type CapacityPlan,
  type CrossTrafficPlan,
  type EpisodesPlan,
  type HandoverPlan,
  type MacPlan,
  type Range,
  type SwingPlan,
} from "../link/plan.ts";
import { PROFILES, type ProfileName } from "../profiles/profiles.ts";
import type { RoamingPlan } from "./roaming.ts";

/** What a link is like when a story says nothing: 10 ms each way, without end. */
export const LINK_DEFAULTS: LinkPlan = PLAIN_LINK;

/** A time that is quiet, and one in which something happens, each out of a range. */
export interface EpisodesOptions {
  readonly every: Range;
  readonly lasts: Range;
}

/**
 * A link, or a change to one, in a story's words. Times in microseconds, shares in millionths, rates in bits a second; null
 * where a link no longer has what is named.
 */
export interface LinkOptions {
  /** Everything is as in this profile, but for what else is said here; see `profile`. */
  readonly profile?: ProfileName;
  /** Which direction all options but `up`, `down` and `roaming` mean. Default "both". */
  readonly direction?: "both" | "up" | "down";
  /** Capacity from and to the server; 0 means without end. Replaces a capacity that varies. */
  readonly up?: number;
  readonly down?: number;
  /** A capacity that varies. */
  readonly capacity?: CapacityPlan;
  /** Packets of strangers in the same queue. */
  readonly cross?: CrossTrafficPlan | null;
  /** The name of a bottleneck that all links of that name share, each direction for itself. */
  readonly shared?: string;
  /** One way. */
  readonly delay?: number;
  readonly jitter?: number;
  /** A delay that is redrawn. */
  readonly swing?: SwingPlan | null;
  readonly handovers?: HandoverPlan | null;
  readonly loss?: number;
  /** Bursts of loss: how long the good and the bad times are in the mean, and the loss in the bad ones. */
  readonly bursts?: { readonly good: number; readonly bad: number; readonly loss: number };
  /** Times in which everything is lost both ways. */
  readonly outages?: EpisodesOptions | null;
  /** The share of packets that others overtake, how long they are held back at most, and by how many they are overtaken. */
  readonly reorder?: { readonly share: number; readonly by: number; readonly packets?: Range };
  /** The share of packets that come twice, and how much later the second comes at most. */
  readonly duplicate?: { readonly share: number; readonly by: number };
  /** The share of packets in which bits flip. */
  readonly corrupt?: number;
  /** The share of packets whose end is cut off. */
  readonly truncate?: number;
  /** What the bottleneck's queue holds: bytes, or limits of which the tightest counts (`time` at the capacity). */
  readonly queue?: number | { readonly bytes?: number; readonly packets?: number; readonly time?: number };
  /** Whether CoDel manages the queue. */
  readonly codel?: boolean;
  /** A token bucket that drops what exceeds it: bits a second, bytes. */
  readonly policer?: { readonly rate: number; readonly burst: number };
  /** Slots in a fixed rhythm, or grants some time after they were asked for. */
  readonly slots?: number | null;
  readonly grants?: Range;
  /** Repetition below IP: the share of tries that fail, what each costs, and how many there are. */
  readonly arq?: { readonly fails: number; readonly costs: Range; readonly tries: number } | null;
  /** Times in which the sending host does nothing. */
  readonly stalls?: EpisodesOptions | null;
  /** Largest IP packet. */
  readonly mtu?: number;
  readonly ip?: 4 | 6;
  /** What a firewall does to UDP, and how long a connection may be idle before it is dead. */
  readonly udp?: LinkPlan["udp"];
  readonly idle?: number;
  /** The receiving host hands packets over together, this long after the first; and the bytes that may wait for it. */
  readonly batches?: number;
  readonly receiveBuffer?: number;
  readonly cut?: boolean;
  /** Whether everything waits until this ends. */
  readonly clogged?: boolean;
  /** Datagrams of DTLS that are lost, counted from 0. */
  readonly loseDtls?: readonly number[];
  /** Outages and changes of address that become steps of the timeline. */
  readonly roaming?: RoamingPlan;
}

/** Options, or several, each of which changes what those before it have left: one for each direction, say. */
export type Links = LinkOptions | readonly LinkOptions[];

/** What options change in each direction. */
export interface LinkChange {
  readonly up: Partial<LinkPlan>;
  readonly down: Partial<LinkPlan>;
}

/** What these options change in each direction. */
export function linkChange(links: Links): LinkChange {
  const changes = listOf(links).map(changeBy);
  return {
    up: Object.assign({}, ...changes.map(({ up }) => up)),
    down: Object.assign({}, ...changes.map(({ down }) => down)),
  };
}

function listOf(links: Links): readonly LinkOptions[] {
  return isList(links) ? links : [links];
}

function isList(links: Links): links is readonly LinkOptions[] {
  return Array.isArray(links);
}

function changeBy(options: LinkOptions): LinkChange {
  const profile = options.profile === undefined ? undefined : PROFILES[options.profile];
  const common = definedOf({ ...wayOptions(options), ...gateOptions(options), ...queueOptions(options) });
  const direction = options.direction ?? "both";
  const shared = (way: "up" | "down") =>
    options.shared === undefined || direction === (way === "up" ? "down" : "up")
      ? {}
      : { shared: options.shared === "" ? "" : `${options.shared}/${way}` };
  const rate = (bps: number | undefined) => (bps === undefined ? {} : { rateBps: bps, capacity: null });
  return {
    up: { ...profile?.up, ...(direction === "down" ? {} : common), ...shared("up"), ...rate(options.up) },
    down: { ...profile?.down, ...(direction === "up" ? {} : common), ...shared("down"), ...rate(options.down) },
  };
}

/**
 * The roaming that these options ask for: null when it ends with them, because they name a network on which nobody roams,
 * and undefined when they say nothing of it.
 */
export function roamingOf(links: Links): RoamingPlan | null | undefined {
  const named = listOf(links).findLast(({ roaming, profile }) => roaming !== undefined || profile !== undefined);
  if (named === undefined) return undefined;
  return named.roaming ?? (named.profile === undefined ? null : (PROFILES[named.profile].roaming ?? null));
}

type Loose = { readonly [Key in keyof LinkPlan]?: LinkPlan[Key] | undefined };

function wayOptions(options: LinkOptions): Loose {
  const { bursts, reorder, duplicate } = options;
  return {
    delayMicros: options.delay,
    jitterMicros: options.jitter,
    swing: options.swing,
    handovers: options.handovers,
    lossPpm: options.loss,
    burstGoodMicros: bursts?.good,
    burstBadMicros: bursts?.bad,
    burstLossPpm: bursts?.loss,
    outages: episodes(options.outages),
    reorderPpm: reorder?.share,
    reorderMicros: reorder?.by,
    reorderPackets: reorder === undefined ? undefined : (reorder.packets ?? null),
    duplicatePpm: duplicate?.share,
    duplicateMicros: duplicate?.by,
    corruptPpm: options.corrupt,
    truncatePpm: options.truncate,
    batchMicros: options.batches,
    receiveBufferBytes: options.receiveBuffer,
  };
}

function gateOptions(options: LinkOptions): Loose {
  const { policer } = options;
  return {
    stalls: episodes(options.stalls),
    cut: options.cut,
    clogged: options.clogged,
    mtuBytes: options.mtu,
    udp: options.udp,
    idleMicros: options.idle,
    overheadBytes: options.ip === undefined ? undefined : options.ip === 6 ? 48 : 28,
    loseDtls: options.loseDtls,
    policerBps: policer?.rate,
    policerBurstBytes: policer?.burst,
  };
}

function queueOptions(options: LinkOptions): Loose {
  const { queue, capacity } = options;
  return {
    capacity,
    rateBps: capacity === undefined || capacity.kind === "dips" ? undefined : nominalRate(capacity),
    cross: options.cross,
    ...(typeof queue === "object"
      ? {
          queueBytes: queue.bytes ?? BYTES_UNLIMITED,
          queuePackets: queue.packets ?? 0,
          queueMicros: queue.time ?? 0,
        }
      : { queueBytes: queue }),
    codel: options.codel,
    mac: macOf(options),
    arq: arqOf(options),
  };
}

function macOf({ slots, grants }: LinkOptions): MacPlan | null | undefined {
  if (slots === null) return null;
  if (slots !== undefined) return { kind: "slots", everyMicros: slots };
  return grants === undefined ? undefined : { kind: "grants", waitMicros: grants };
}

function arqOf({ arq }: LinkOptions): ArqPlan | null | undefined {
  return arq === undefined || arq === null ? arq : { failPpm: arq.fails, waitMicros: arq.costs, triesMax: arq.tries };
}

function episodes(options: EpisodesOptions | null | undefined): EpisodesPlan | null | undefined {
  return options === undefined || options === null
    ? options
    : { everyMicros: options.every, lastsMicros: options.lasts };
}

/** Only what is said. */
function definedOf(loose: Loose): Partial<LinkPlan> {
  return Object.fromEntries(Object.entries(loose).filter(([, value]) => value !== undefined)) as Partial<LinkPlan>;
}
