/**
 * Plans as JSON: a strict check that turns text into a plan, or says in one sentence what is wrong and where.
 *
 * Nothing is filled in and nothing is ignored: a plan that lacks a field or has one too many is refused, because a plan that
 * was half understood would replay another run than the one that somebody saved. Links are compared with a plain link field
 * by field. Whether the plan makes sense as a story is `checkPlan`'s to say.
 */
import { LockstepError, TUNABLE_NAMES } from "../../core/index.ts";
import { HABITS } from "../client/misbehaviour.ts";
import { type LinkPlan, PLAIN_LINK } from "../link/index.ts";
import { ONE_SHARD } from "../world/shards.ts";
import { CAMERAS, checkPlan, type Operation, type Plan } from "./plan.ts";

/** A check of one value: throws a sentence that begins with `path`. */
type Check = (value: unknown, path: string) => void;

/** The plan in this text; throws "bad-config" with one sentence. */
export function planFromJson(text: string): Plan {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const why = text.trim() === "" ? "the file is empty" : (error as Error).message;
    throw new LockstepError("bad-config", `The plan is no JSON: ${why}.`);
  }
  PLAN(value, "The plan");
  const plan = value as Plan;
  checkPlan(plan);
  return plan;
}

/** The plan as JSON for people and for {@link planFromJson}. */
export function planToJson(plan: Plan): string {
  return `${JSON.stringify(plan, undefined, 2)}\n`;
}

function refuse(path: string, sentence: string): never {
  throw new LockstepError("bad-config", `${path} ${sentence}.`);
}

function show(value: unknown): string {
  const text = value === undefined ? "missing" : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

const text: Check = (value, path) => {
  if (typeof value !== "string") refuse(path, `is ${show(value)}, but has to be a text`);
};

const truth: Check = (value, path) => {
  if (typeof value !== "boolean") refuse(path, `is ${show(value)}, but has to be true or false`);
};

const whole: Check = (value, path) => {
  if (!Number.isSafeInteger(value)) refuse(path, `is ${show(value)}, but has to be a whole number`);
};

const count: Check = (value, path) => {
  whole(value, path);
  if ((value as number) < 0) refuse(path, `is ${show(value)}, but has to be 0 or more`);
};

function oneOf(...values: readonly unknown[]): Check {
  return (value, path) => {
    if (!values.includes(value)) refuse(path, `is ${show(value)}, but has to be one of ${values.map(show).join(", ")}`);
  };
}

function orNull(check: Check): Check {
  return (value, path) => {
    if (value !== null) check(value, path);
  };
}

function listOf(check: Check): Check {
  return (value, path) => {
    if (!Array.isArray(value)) refuse(path, `is ${show(value)}, but has to be a list`);
    value.forEach((item, index) => {
      check(item, `${path}[${index}]`);
    });
  };
}

/** An object with exactly these fields, and maybe the optional ones. */
function fields(required: Readonly<Record<string, Check>>, optional: Readonly<Record<string, Check>> = {}): Check {
  return (value, path) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      refuse(path, `is ${show(value)}, but has to be an object`);
    }
    const holder = value as Record<string, unknown>;
    for (const key of Object.keys(holder)) {
      if (!Object.hasOwn(required, key) && !Object.hasOwn(optional, key))
        refuse(path, `has a field "${key}" of no meaning`);
    }
    for (const [key, check] of Object.entries(required)) {
      if (!Object.hasOwn(holder, key)) refuse(path, `lacks the field "${key}"`);
      check(holder[key], `${path}.${key}`);
    }
    for (const [key, check] of Object.entries(optional))
      if (Object.hasOwn(holder, key)) check(holder[key], `${path}.${key}`);
  };
}

/** An object whose `key` says which other fields it has. */
function variants(key: string, kinds: Readonly<Record<string, Readonly<Record<string, Check>>>>): Check {
  return (value, path) => {
    const kind = (value as Record<string, unknown> | null)?.[key];
    if (typeof kind !== "string" || !Object.hasOwn(kinds, kind)) {
      refuse(`${path}.${key}`, `is ${show(kind)}, but has to be one of ${Object.keys(kinds).map(show).join(", ")}`);
    }
    fields({ [key]: text, ...kinds[kind] })(value, path);
  };
}

/** A value like that of a plain link: a number of 0 or more, a truth, a list of numbers; what is richer is taken as it is. */
function like(example: unknown): Check {
  if (typeof example === "number") return count;
  if (typeof example === "boolean") return truth;
  return Array.isArray(example) ? listOf(() => {}) : () => {};
}

const LINK_FIELDS = Object.fromEntries(Object.entries(PLAIN_LINK).map(([key, example]) => [key, like(example)]));
const LINK: Check = fields(LINK_FIELDS as Record<keyof LinkPlan, Check>);
const LINK_CHANGE: Check = fields({}, LINK_FIELDS);
const SHARDS_FIELDS = Object.fromEntries(Object.keys(ONE_SHARD).map((key) => [key, count]));
const KNOBS: Check = fields({}, Object.fromEntries(TUNABLE_NAMES.map((name) => [name, count])));
const PEER = { peer: text };
const SOURCE = { peer: text, source: oneOf("camera", "microphone") };

const OPERATION: Check = variants("type", {
  join: PEER,
  leave: PEER,
  kill: PEER,
  reconnect: PEER,
  rejoin: { ...PEER, times: count, everyMicros: count },
  move: { ...PEER, to: oneOf("address", "port", "ipv4", "ipv6", "beside"), noticed: truth },
  inherit: { ...PEER, from: text },
  stall: { ...PEER, forMicros: count },
  clock: { ...PEER, stepMicros: whole, driftPpm: whole },
  signalling: { ...PEER, lostPpm: count, unheardPpm: count, repeatedPpm: count, delayMicros: count },
  mute: SOURCE,
  unmute: SOURCE,
  link: { ...PEER, up: LINK_CHANGE, down: LINK_CHANGE },
  misbehave: { ...PEER, habit: oneOf(...Object.keys(HABITS)), forMicros: count },
  garbage: { kind: oneOf("mixed", "spoofed", "probes", "scans"), perSecond: count, forMicros: count },
  restart: {},
  crash: { forMicros: count },
  "crash-shard": { place: count },
  swizzle: { peers: listOf(text), overMicros: count },
  pause: { forMicros: count },
  overload: { parts: count },
  buggify: { sites: listOf(text), sharePpm: count },
} satisfies Record<Operation["type"], Record<string, Check>>);

const ALWAYS = { freezes: { viewer: text, source: text, shorterThanMicros: count } };
const FINALLY = {
  plays: { viewer: text, source: text, withinMicros: count },
  departs: { peer: text, reason: text },
  stays: { peer: text },
};

const ANSWER: Check = (value, path) => {
  listOf(whole)(value, path);
  if ((value as unknown[]).length !== 2) refuse(path, "has to be an ordinal with its answer");
};

const PLAN: Check = fields(
  {
    name: text,
    story: text,
    seeds: listOf(fields({ seed: count, why: text })),
    cipher: oneOf("real", "checksum"),
    scheduler: oneOf("fifo", "seeded"),
    timerLateMicros: count,
    runForMicros: count,
    peers: listOf(
      fields(
        {
          name: text,
          room: text,
          camera: oneOf(null, ...Object.keys(CAMERAS)),
          microphone: orNull(count),
          audioSlots: count,
          videoSlots: count,
          up: LINK,
          down: LINK,
          atStart: truth,
          nearWrap: truth,
          impostor: truth,
        },
        { persona: oneOf("chromium", "thin"), likeness: text, rejoinAfterMicros: count, shard: count },
      ),
    ),
    steps: listOf(fields({ atMicros: count, label: text, operation: OPERATION })),
    always: listOf(variants("kind", ALWAYS)),
    finally: listOf(variants("kind", FINALLY)),
  },
  {
    wallMicros: count,
    swapsWithinMicros: count,
    serverNearWrap: truth,
    turn: fields({ atMicros: count, seed: count }),
    shards: fields(SHARDS_FIELDS),
    knobs: KNOBS,
    steady: fields({ fromMicros: count, among: listOf(text) }),
    decisions: listOf(fields({ site: text, entity: text, answers: listOf(ANSWER), others: orNull(whole) })),
  },
);
