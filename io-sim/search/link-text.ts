/**
 * Writes times and links in the words of stories: what changes, in options that a person would give.
 */
import { type LinkPlan, PLAIN_LINK } from "../link/index.ts";
import { field, list, object, type Piece } from "./layout.ts";

/** Notes that a word is used, so that the file imports it; answers the word. */
export type Use = (word: string) => string;

/** What cannot be said in the words of stories. */
export class Unsayable extends Error {}

/** A time in the unit that makes it short. */
export function timeText(use: Use, micros: number): string {
  if (micros === 0) return "0";
  if (micros % 100_000 === 0) return `${use("seconds")}(${micros / 1_000_000})`;
  return micros % 1_000 === 0 ? `${use("ms")}(${micros / 1_000})` : String(micros);
}

/** A share in percent. */
export function shareText(use: Use, ppm: number): string {
  return ppm === 0 || ppm % 100 !== 0 ? String(ppm) : `${use("percent")}(${ppm / 10_000})`;
}

function rateText(use: Use, bps: number): string {
  return bps === 0 || bps % 1_000 !== 0 ? String(bps) : `${use("kbps")}(${bps / 1_000})`;
}

function traitsText(use: Use, change: Partial<LinkPlan>): Piece[] {
  const time = (micros: number) => timeText(use, micros);
  const share = (ppm: number) => shareText(use, ppm);
  const told = new Set<string>();
  const pieces: Piece[] = [];
  const tell = (keys: readonly (keyof LinkPlan)[], write: (values: LinkPlan) => Piece) => {
    if (!keys.some((key) => Object.hasOwn(change, key))) return;
    for (const key of keys) told.add(key);
    pieces.push(write({ ...PLAIN_LINK, ...change }));
  };
  tell(["cut"], ({ cut }) => `cut: ${cut}`);
  tell(["delayMicros"], ({ delayMicros }) => `delay: ${time(delayMicros)}`);
  tell(["jitterMicros"], ({ jitterMicros }) => `jitter: ${time(jitterMicros)}`);
  tell(["lossPpm"], ({ lossPpm }) => `loss: ${share(lossPpm)}`);
  tell(["burstGoodMicros", "burstBadMicros", "burstLossPpm"], (link) => {
    const [good, bad] = [time(link.burstGoodMicros), time(link.burstBadMicros)];
    return field("bursts", object([`good: ${good}`, `bad: ${bad}`, `loss: ${share(link.burstLossPpm)}`]));
  });
  tell(["reorderPpm", "reorderMicros", "reorderPackets"], ({ reorderPpm, reorderMicros, reorderPackets }) => {
    const packets = reorderPackets === null ? [] : [field("packets", list(reorderPackets.map(String)))];
    return field("reorder", object([`share: ${share(reorderPpm)}`, `by: ${time(reorderMicros)}`, ...packets]));
  });
  tell(["duplicatePpm", "duplicateMicros"], ({ duplicatePpm, duplicateMicros }) =>
    field("duplicate", object([`share: ${share(duplicatePpm)}`, `by: ${time(duplicateMicros)}`])),
  );
  tell(["truncatePpm"], ({ truncatePpm }) => `truncate: ${share(truncatePpm)}`);
  tell(["clogged"], ({ clogged }) => `clogged: ${clogged}`);
  tell(["corruptPpm"], ({ corruptPpm }) => `corrupt: ${share(corruptPpm)}`);
  tell(["queueBytes"], ({ queueBytes }) => `queue: ${queueBytes}`);
  tell(["mtuBytes"], ({ mtuBytes }) => `mtu: ${mtuBytes}`);
  tell(["batchMicros"], ({ batchMicros }) => `batches: ${time(batchMicros)}`);
  tell(["policerBps", "policerBurstBytes"], ({ policerBps, policerBurstBytes }) =>
    field("policer", object([`rate: ${rateText(use, policerBps)}`, `burst: ${policerBurstBytes}`])),
  );
  tell(["loseDtls"], ({ loseDtls }) => field("loseDtls", list(loseDtls.map(String))));
  if (!Object.keys(change).every((key) => told.has(key))) throw new Unsayable();
  return pieces;
}

/** Options of a link that change this much; throws {@link Unsayable} when there are none. */
export function linkText(use: Use, up: Partial<LinkPlan>, down: Partial<LinkPlan>): Piece[] {
  const { rateBps: upRate, ...upRest } = withoutCapacity(up);
  const { rateBps: downRate, ...downRest } = withoutCapacity(down);
  const rates = [
    ...(upRate === undefined ? [] : [`up: ${rateText(use, upRate)}`]),
    ...(downRate === undefined ? [] : [`down: ${rateText(use, downRate)}`]),
  ];
  const isEmpty = (rest: object) => Object.keys(rest).length === 0;
  const same = JSON.stringify(sorted(upRest)) === JSON.stringify(sorted(downRest));
  if (!same && !isEmpty(upRest) && !isEmpty(downRest)) throw new Unsayable();
  const direction = same ? [] : [`direction: ${isEmpty(downRest) ? '"up"' : '"down"'}`];
  return [...direction, ...traitsText(use, isEmpty(upRest) ? downRest : upRest), ...rates];
}

/** A rate replaces a capacity that varies, so a change to none says nothing more. */
function withoutCapacity(change: Partial<LinkPlan>): Partial<LinkPlan> {
  return Object.fromEntries(Object.entries(change).filter(([key, value]) => key !== "capacity" || value !== null));
}

function sorted(change: object): [string, unknown][] {
  return Object.entries(change).sort(([a], [b]) => (a < b ? -1 : 1));
}
