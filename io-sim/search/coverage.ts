/**
 * What runs have covered together: how often each promise was judged, and how often each fault site was reached and fired.
 *
 * A promise that was never judged held for want of a case, and a site that never fired proves nothing; so whoever reports on
 * many runs names them.
 */
import { PROMISES, type PromiseId } from "../oracles/promises.ts";
import { SITE_NAMES, type SiteCount } from "../sites.ts";

/** What a run says of itself. */
export interface Covered {
  readonly judged: readonly (readonly [PromiseId, number])[];
  readonly sites: readonly (readonly [string, SiteCount])[];
}

/** The sums over many runs; make it with {@link createCoverage}. */
export interface Coverage {
  readonly judged: Map<PromiseId, number>;
  readonly sites: Map<string, SiteCount>;
}

/** Nothing is covered. */
export function createCoverage(): Coverage {
  return { judged: new Map(), sites: new Map() };
}

/** Adds a run. */
export function cover({ judged, sites }: Coverage, run: Covered): void {
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

/** What was never judged, and what never fired: a line each, where there is anything to name. */
export function neverText({ judged, sites }: Coverage): string[] {
  const unjudged = (Object.keys(PROMISES) as PromiseId[]).filter((promise) => !judged.has(promise));
  const unfired = SITE_NAMES.filter((site) => (sites.get(site)?.fired ?? 0) === 0);
  return [
    ...(unjudged.length === 0 ? [] : [`never judged: ${unjudged.join(", ")}`]),
    ...(unfired.length === 0
      ? []
      : [`never fired: ${unfired.length === SITE_NAMES.length ? "any site" : unfired.join(", ")}`]),
  ];
}
