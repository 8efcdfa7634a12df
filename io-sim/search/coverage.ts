/**
 * What runs have covered together: how often each promise was judged, and how often each fault site was reached and fired.
 *
 * A promise that was never judged held for want of a case, and a site that never fired proves nothing; so whoever reports on
 * many runs names them.
 */
import type { Excuse } from "../oracles/excuses.ts";
import { PROMISES, type PromiseId } from "../oracles/promises.ts";
import { SITE_NAMES, type SiteCount } from "../world/sites.ts";

/** What a run says of itself. */
export interface Covered {
  readonly judged: readonly (readonly [PromiseId, number])[];
  readonly excused: readonly (readonly [Excuse, number])[];
  readonly sites: readonly (readonly [string, SiteCount])[];
}

/** The sums over many runs; make it with {@link createCoverage}. */
export interface Coverage {
  readonly judged: Map<PromiseId, number>;
  readonly excused: Map<Excuse, number>;
  readonly sites: Map<string, SiteCount>;
}

/** Nothing is covered. */
export function createCoverage(): Coverage {
  return { judged: new Map(), excused: new Map(), sites: new Map() };
}

/** Adds a run. */
export function cover({ judged, excused, sites }: Coverage, run: Covered): void {
  for (const [excuse, times] of run.excused) excused.set(excuse, (excused.get(excuse) ?? 0) + times);
  for (const [promise, times] of run.judged) judged.set(promise, (judged.get(promise) ?? 0) + times);
  for (const [site, { reached, fired }] of run.sites) {
    const known = sites.get(site) ?? { reached: 0, fired: 0 };
    sites.set(site, { reached: known.reached + reached, fired: known.fired + fired });
  }
}

/** The numbers of a coverage. */
export function coverageNumbers({ judged, sites }: Coverage) {
  const counts = [...sites.values()];
  return {
    sites: SITE_NAMES.length,
    sitesReached: counts.filter(({ reached }) => reached > 0).length,
    sitesFired: counts.filter(({ fired }) => fired > 0).length,
    promises: Object.keys(PROMISES).length,
    promisesJudged: judged.size,
    judgements: [...judged.values()].reduce((sum, times) => sum + times, 0),
  };
}

/** The numbers in words. */
export function coverageText(coverage: Coverage): string {
  const { sites, sitesReached, sitesFired, promises, promisesJudged } = coverageNumbers(coverage);
  return `of ${sites} fault sites ${sitesReached} reached and ${sitesFired} fired, ${promisesJudged} of ${promises} promises judged`;
}

/** How often each excuse was used, the most used first: one line, or none. */
export function excusesText({ excused }: Coverage): string[] {
  const used = [...excused].sort(([a, most], [b, more]) => more - most || (a < b ? -1 : 1));
  return used.length === 0 ? [] : [`excused: ${used.map(([excuse, times]) => `${excuse} ${times}`).join(", ")}`];
}

/** The promises that were never judged, and the sites that never fired. */
export function never({ judged, sites }: Coverage) {
  return {
    neverJudged: (Object.keys(PROMISES) as PromiseId[]).filter((promise) => !judged.has(promise)),
    neverFired: SITE_NAMES.filter((site) => (sites.get(site)?.fired ?? 0) === 0),
  };
}

/** More sites than this are counted instead of named. */
const NAMED_MAX = 12;

/** The same in words, a line each, where there is anything to say. */
export function neverText(coverage: Coverage): string[] {
  const { neverJudged, neverFired } = never(coverage);
  const { length } = neverFired;
  const sites =
    length === SITE_NAMES.length
      ? "any site"
      : length > NAMED_MAX
        ? countedByFolder(neverFired)
        : neverFired.join(", ");
  return [
    ...(neverJudged.length === 0 ? [] : [`never judged: ${neverJudged.join(", ")}`]),
    ...(length === 0 ? [] : [`never fired: ${sites}`]),
  ];
}

/** How many there are of each kind, such as "3 of door, 5 of rtp". */
function countedByFolder(sites: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const site of sites) {
    const kind = site.slice(0, site.indexOf("/"));
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return `${[...counts].map(([kind, count]) => `${count} of ${kind}`).join(", ")} (--json names them)`;
}
