/** Whether sums over runs say what was covered, and name what never was. */
import { expect, it } from "vitest";
import { PROMISES } from "../../../io-sim/oracles/promises.ts";
import {
  cover,
  coverageNumbers,
  coverageText,
  createCoverage,
  excusesText,
  never,
  neverText,
} from "../../../io-sim/search/coverage.ts";
import { SITE_NAMES } from "../../../io-sim/world/sites.ts";

it("runs add up, and what no run has judged or fired is named", () => {
  const coverage = createCoverage();
  const [first, second] = SITE_NAMES;
  cover(coverage, { judged: [["S1", 3]], excused: [["no way", 2]], sites: [[first!, { reached: 2, fired: 1 }]] });
  cover(coverage, {
    judged: [
      ["S1", 1],
      ["L6", 1],
    ],
    excused: [
      ["no way", 1],
      ["bad habit", 9],
    ],
    sites: [
      [first!, { reached: 1, fired: 0 }],
      [second!, { reached: 5, fired: 0 }],
    ],
  });
  expect([coverage.judged.get("S1"), coverage.sites.get(first!)]).toEqual([4, { reached: 3, fired: 1 }]);
  expect(coverageNumbers(coverage)).toMatchObject({ sitesReached: 2, sitesFired: 1, promisesJudged: 2, judgements: 5 });
  expect(excusesText(coverage)).toEqual(["excused: bad habit 9, no way 3"]);
  expect(excusesText(createCoverage())).toEqual([]);
  expect(coverageText(coverage)).toBe(
    `of ${SITE_NAMES.length} fault sites 2 reached and 1 fired, 2 of ${Object.keys(PROMISES).length} promises judged`,
  );
  const [unjudged, unfired] = neverText(coverage);
  expect(unjudged).toMatch(/^never judged: S0, S2, /);
  expect(unfired).toMatch(/^never fired: 4 of door, 5 of join, .*, 10 of host \(--json names them\)$/);
  expect(never(coverage).neverFired).toEqual(SITE_NAMES.slice(1));
  for (const site of SITE_NAMES.slice(3))
    cover(coverage, { judged: [], excused: [], sites: [[site, { reached: 1, fired: 1 }]] });
  expect(neverText(coverage)[1]).toBe(`never fired: ${SITE_NAMES.slice(1, 3).join(", ")}`);
  expect(neverText(createCoverage())[1]).toBe("never fired: any site");
});
