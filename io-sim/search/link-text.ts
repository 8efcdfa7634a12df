/**
 * Writes times and links in the words of stories: what changes, in options that a person would give.
 *
 * A trait is what one option says: one field of a link's plan, or a few that belong together. What both directions have in
 * common is said once, and what only one of them has in an entry of its own behind it.
 */
import { nominalRate } from "../link/capacity.ts";
import { type LinkPlan, PLAIN_LINK } from "../link/index.ts";
import { BYTES_UNLIMITED } from "../link/plan.ts";
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

/** The fields that one option names, and how it says those of a link that has changed this much. */
interface Trait {
  readonly keys: readonly (keyof LinkPlan)[];
  readonly write: (use: Use, link: LinkPlan, change: Partial<LinkPlan>) => Piece;
}

const TRAITS: readonly Trait[] = [
  { keys: ["cut"], write: (_, { cut }) => `cut: ${cut}` },
  { keys: ["clogged"], write: (_, { clogged }) => `clogged: ${clogged}` },
  { keys: ["udp"], write: (_, { udp }) => `udp: ${JSON.stringify(udp)}` },
  time("idle", "idleMicros"),
  { keys: ["mtuBytes"], write: (_, { mtuBytes }) => `mtu: ${mtuBytes}` },
  { keys: ["overheadBytes"], write: (_, { overheadBytes }) => `ip: ${familyOf(overheadBytes)}` },
  {
    keys: ["policerBps", "policerBurstBytes"],
    write: (use, { policerBps, policerBurstBytes }) =>
      field("policer", object([`rate: ${rateText(use, policerBps)}`, `burst: ${policerBurstBytes}`])),
  },
  time("delay", "delayMicros"),
  data("swing", "swing"),
  data("handovers", "handovers"),
  time("jitter", "jitterMicros"),
  share("loss", "lossPpm"),
  {
    keys: ["burstGoodMicros", "burstBadMicros", "burstLossPpm"],
    write: (use, { burstGoodMicros, burstBadMicros, burstLossPpm }) => {
      const [good, bad] = [timeText(use, burstGoodMicros), timeText(use, burstBadMicros)];
      return field("bursts", object([`good: ${good}`, `bad: ${bad}`, `loss: ${shareText(use, burstLossPpm)}`]));
    },
  },
  { keys: ["outages"], write: (use, { outages }) => episodesText(use, "outages", outages) },
  { keys: ["stalls"], write: (use, { stalls }) => episodesText(use, "stalls", stalls) },
  {
    keys: ["reorderPpm", "reorderMicros", "reorderPackets"],
    write: (use, { reorderPpm, reorderMicros, reorderPackets }) => {
      const packets = reorderPackets === null ? [] : [field("packets", list(reorderPackets.map(String)))];
      const by = `by: ${timeText(use, reorderMicros)}`;
      return field("reorder", object([`share: ${shareText(use, reorderPpm)}`, by, ...packets]));
    },
  },
  {
    keys: ["duplicatePpm", "duplicateMicros"],
    write: (use, { duplicatePpm, duplicateMicros }) =>
      field("duplicate", object([`share: ${shareText(use, duplicatePpm)}`, `by: ${timeText(use, duplicateMicros)}`])),
  },
  share("truncate", "truncatePpm"),
  share("corrupt", "corruptPpm"),
  data("cross", "cross"),
  { keys: ["shared"], write: (_, { shared }) => `shared: ${JSON.stringify(shared)}` },
  { keys: ["queueBytes", "queuePackets", "queueMicros"], write: queueText },
  { keys: ["codel"], write: (_, { codel }) => `codel: ${codel}` },
  { keys: ["mac"], write: macText },
  { keys: ["arq"], write: arqText },
  time("batches", "batchMicros"),
  { keys: ["receiveBufferBytes"], write: (_, link) => `receiveBuffer: ${link.receiveBufferBytes}` },
  { keys: ["loseDtls"], write: (_, { loseDtls }) => field("loseDtls", list(loseDtls.map(String))) },
];

function time(name: string, key: "idleMicros" | "delayMicros" | "jitterMicros" | "batchMicros"): Trait {
  return { keys: [key], write: (use, link) => `${name}: ${timeText(use, link[key])}` };
}

function share(name: string, key: "lossPpm" | "truncatePpm" | "corruptPpm"): Trait {
  return { keys: [key], write: (use, link) => `${name}: ${shareText(use, link[key])}` };
}

function data(name: string, key: "swing" | "handovers" | "cross"): Trait {
  return { keys: [key], write: (use, link) => field(name, dataText(use, name, link[key])) };
}

/** Plain data whose fields say their units. */
function dataText(use: Use, key: string, value: unknown): Piece {
  if (Array.isArray(value)) return list(value.map((item) => dataText(use, key, item)));
  if (typeof value === "object" && value !== null) {
    return object(Object.entries(value).map(([name, item]) => field(name, dataText(use, name, item))));
  }
  if (typeof value !== "number") return JSON.stringify(value);
  if (key.endsWith("Micros")) return timeText(use, value);
  if (key.endsWith("Ppm")) return shareText(use, value);
  return /bps$/i.test(key) ? rateText(use, value) : String(value);
}

function familyOf(overheadBytes: number): 4 | 6 {
  if (overheadBytes === 28) return 4;
  if (overheadBytes === 48) return 6;
  throw new Unsayable();
}

function episodesText(use: Use, name: string, episodes: LinkPlan["outages"]): Piece {
  if (episodes === null) return `${name}: null`;
  const range = (micros: readonly number[]) => list(micros.map((bound) => timeText(use, bound)));
  const { everyMicros, lastsMicros } = episodes;
  return field(name, object([field("every", range(everyMicros)), field("lasts", range(lastsMicros))]));
}

function queueText(use: Use, link: LinkPlan, change: Partial<LinkPlan>): Piece {
  const { queueBytes, queuePackets, queueMicros } = link;
  if (change.queuePackets === undefined && change.queueMicros === undefined) return `queue: ${queueBytes}`;
  const bytes = queueBytes === BYTES_UNLIMITED ? [] : [`bytes: ${queueBytes}`];
  const packets = queuePackets === 0 ? [] : [`packets: ${queuePackets}`];
  const micros = queueMicros === 0 ? [] : [`time: ${timeText(use, queueMicros)}`];
  return field("queue", object([...bytes, ...packets, ...micros]));
}

function macText(use: Use, { mac }: LinkPlan): Piece {
  if (mac === null) return "slots: null";
  if (mac.kind === "slots") return `slots: ${timeText(use, mac.everyMicros)}`;
  return field("grants", list(mac.waitMicros.map((bound) => timeText(use, bound))));
}

function arqText(use: Use, { arq }: LinkPlan): Piece {
  if (arq === null) return "arq: null";
  const costs = list(arq.waitMicros.map((bound) => timeText(use, bound)));
  const fails = `fails: ${shareText(use, arq.failPpm)}`;
  return field("arq", object([fails, field("costs", costs), `tries: ${arq.triesMax}`]));
}

const WAYS = ["up", "down"] as const;

/** What is said of both directions, and of each alone; and the rates, which are said of each. */
interface Said {
  readonly both: Piece[];
  readonly up: Piece[];
  readonly down: Piece[];
  readonly rates: string[];
}

/** The options of a link that change this much, or a list of them; throws {@link Unsayable} when there are none. */
export function linkText(use: Use, up: Partial<LinkPlan>, down: Partial<LinkPlan>): Piece {
  const said: Said = { both: [], up: [], down: [], rates: [] };
  sayCapacity(use, said, up, down);
  const ways = { up: withoutWay(up, "up"), down: withoutWay(down, "down") };
  const told = new Set<string>(["rateBps", "capacity"]);
  for (const { keys, write } of TRAITS) {
    for (const key of keys) told.add(key);
    const [ofUp, ofDown] = WAYS.map((way) => {
      if (!keys.some((key) => Object.hasOwn(ways[way], key))) return undefined;
      return write(use, { ...PLAIN_LINK, ...ways[way] }, ways[way]);
    });
    say(said, ofUp, ofDown);
  }
  if (![...Object.keys(up), ...Object.keys(down)].every((key) => told.has(key))) throw new Unsayable();
  return entries(said);
}

function say({ both, up, down }: Said, ofUp: Piece | undefined, ofDown: Piece | undefined): void {
  if (ofUp !== undefined && JSON.stringify(ofUp) === JSON.stringify(ofDown)) {
    both.push(ofUp);
    return;
  }
  if (ofUp !== undefined) up.push(ofUp);
  if (ofDown !== undefined) down.push(ofDown);
}

/**
 * A rate ends a capacity that varies, and a capacity that varies has a rate of its own. One that dips does so from the rate
 * that was said before it, so that is said in an entry before.
 */
function sayCapacity(use: Use, said: Said, up: Partial<LinkPlan>, down: Partial<LinkPlan>): void {
  const [ofUp, ofDown] = ([up, down] as const).map(({ capacity, rateBps }, index) => {
    const varies = capacity ?? null;
    const hasOwnRate = varies !== null && varies.kind !== "dips";
    if (hasOwnRate && nominalRate(varies) !== rateBps) throw new Unsayable();
    if (!hasOwnRate && rateBps !== undefined) said.rates.push(`${WAYS[index]}: ${rateText(use, rateBps)}`);
    return varies === null ? undefined : field("capacity", dataText(use, "capacity", varies));
  });
  if (said.rates.length > 0) {
    if (ofUp !== undefined) said.up.push(ofUp);
    if (ofDown !== undefined) said.down.push(ofDown);
  } else say(said, ofUp, ofDown);
}

/** The bottleneck that links share has a name of its own in each direction. */
function withoutWay(change: Partial<LinkPlan>, way: "up" | "down"): Partial<LinkPlan> {
  const { shared } = change;
  if (shared === undefined || shared === "") return change;
  if (!shared.endsWith(`/${way}`)) throw new Unsayable();
  return { ...change, shared: shared.slice(0, -`/${way}`.length) };
}

/** One entry where that suffices. Each entry changes what those before it left, so rates stand before what varies. */
function entries({ both, up, down, rates }: Said): Piece {
  if (up.length + down.length === 0) return object([...both, ...rates]);
  const ofUp = ['direction: "up"', ...up];
  const ofDown = ['direction: "down"', ...down];
  if (both.length + rates.length === 0 && down.length === 0) return object(ofUp);
  if (both.length + rates.length === 0 && up.length === 0) return object(ofDown);
  return list([
    ...(both.length + rates.length === 0 ? [] : [object([...both, ...rates])]),
    ...(up.length === 0 ? [] : [object(ofUp)]),
    ...(down.length === 0 ? [] : [object(ofDown)]),
  ]);
}

/** These fields, and those that are said with them. */
export function withTheirTraits(fields: readonly (keyof LinkPlan)[]): ReadonlySet<keyof LinkPlan> {
  const groups = [["rateBps", "capacity"] as const, ...TRAITS.map(({ keys }) => keys)];
  const whole = groups.flatMap((keys) => (keys.some((key) => fields.includes(key)) ? keys : []));
  return new Set([...fields, ...whole]);
}
