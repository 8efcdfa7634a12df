/**
 * The book of sites: which declared places of the core and of the simulated host fail in a run, and how often.
 *
 * Each question (site, entity) has a stream of its own, so its answers are decisions like all others (../base/decisions.ts):
 * a run logs them, a plan fixes them, a shrunk world names the one that matters. The book counts how often each site was
 * reached and how often it fired; a site that nobody reaches proves nothing.
 */
import { CORE_SITES, type Faults, LockstepError } from "../../core/index.ts";
import { chance, createStream, type Ppm, type Seed, type Stream } from "../base/random.ts";

/** The sites of the simulated host by name: what goes wrong, in a sentence. */
export const HOST_SITES = {
  "host/receive-dropped": "the receive buffer of the socket is full",
  "host/received-twice": "a datagram is handed over twice",
  "host/flow-table-full": "a new address finds no free flow",
  "host/send-refused": "the socket would block, and what was to be sent is dropped",
  "host/batch-half-sent": "the system takes half of what one input leads to, and the rest is dropped",
  "host/reply-late": "a reply reaches the control plane 50 ms late",
  "host/timer-late": "a timer goes off 50 ms late",
  "host/timer-early": "a timer goes off before its time",
  "host/restored": "the process is replaced by another one that goes on from a snapshot",
  "host/paused": "the process stands still for 100 ms",
} as const satisfies Readonly<Record<string, string>>;

/** The name of a site of the simulated host. */
export type HostSite = keyof typeof HOST_SITES;

/** All names that a plan may use. */
export const SITE_NAMES: readonly string[] = [...Object.keys(CORE_SITES), ...Object.keys(HOST_SITES)];

/** How often a site was asked for, and how often it fired; the book of a run also knows when. */
export interface SiteCount {
  reached: number;
  fired: number;
}

interface SiteRecord extends SiteCount {
  /** When it fired: times of the loop, in order. */
  readonly firedAt: number[];
}

/** The book of one run; make it with {@link createSiteBook}. */
export interface SiteBook extends Faults {
  readonly counts: Map<string, SiteRecord>;
  readonly rates: Map<string, Ppm>;
  /** Failures so far, of all sites. */
  fired: number;
  /** Questions of the core within the present input, and which of them fired: what a journal keeps. */
  asked: number;
  readonly firings: number[];
}

/** A book in which nothing fires yet. */
export function createSiteBook(seed: Seed, clock: { readonly now: number }): SiteBook {
  const streams = new Map<string, Stream>();
  const book: SiteBook = {
    counts: new Map(),
    rates: new Map(),
    fired: 0,
    asked: 0,
    firings: [],
    fires(site, entity) {
      const ordinal = book.asked++;
      const fires = decide(seed, clock.now, book, streams, site, entity);
      if (fires) book.firings.push(ordinal);
      return fires;
    },
  };
  return book;
}

/** From now on these sites fail with this probability. */
export function setSites(book: SiteBook, sites: readonly string[], share: Ppm): void {
  for (const site of sites) book.rates.set(site, share);
}

/** A new input begins: questions are counted from 0 again. */
export function beginSites(book: SiteBook): void {
  book.asked = 0;
  book.firings.length = 0;
}

/** Whether a failure of the simulated host happens; without a book, none does. */
export function hostFails(book: SiteBook | undefined, site: HostSite): boolean {
  if (book === undefined) return false;
  const { asked } = book;
  const fires = book.fires(site, 0);
  // The journal sees what the host does, not why; only the core's questions are counted for it.
  if (fires) book.firings.pop();
  book.asked = asked;
  return fires;
}

/** Answers as a journal recorded them: the questions of one input with these ordinals fire. */
export function recordedFaults(firings: readonly number[]): Faults {
  let asked = 0;
  return { fires: () => firings.includes(asked++) };
}

/** Throws "bad-config" when a plan names a site that does not exist. */
export function checkSites(sites: readonly string[]): void {
  for (const site of sites) {
    if (SITE_NAMES.includes(site)) continue;
    throw new LockstepError("bad-config", `There is no site "${site}"; the sites are ${SITE_NAMES.join(", ")}.`);
  }
}

function decide(
  seed: Seed,
  now: number,
  book: SiteBook,
  streams: Map<string, Stream>,
  site: string,
  entity: number,
): boolean {
  let count = book.counts.get(site);
  if (count === undefined) {
    count = { reached: 0, fired: 0, firedAt: [] };
    book.counts.set(site, count);
  }
  count.reached++;
  const share = book.rates.get(site) ?? 0;
  if (share === 0) return false;
  const key = `${site}#${entity}`;
  let stream = streams.get(key);
  if (stream === undefined) {
    stream = createStream(seed, `site/${site}`, String(entity));
    streams.set(key, stream);
  }
  if (!chance(stream, share)) return false;
  count.fired++;
  count.firedAt.push(now);
  book.fired++;
  return true;
}
