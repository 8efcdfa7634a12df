/**
 * Writes a plan as a story file: the words of ../story/scenario.ts in the shape that a person would give them.
 *
 * Not every plan can be said in those words (a step that changes half of what makes a burst, say). Then there is
 * no text, and who asked keeps the plan as JSON. What the text leaves out is what `scenario` fills in.
 */
import { type Knobs, TUNABLES, type TunableName } from "../../core/index.ts";
import type { DecisionPlan } from "../base/decisions.ts";
import { type LinkPlan, PLAIN_LINK } from "../link/index.ts";
import { PROFILES, type ProfileName } from "../profiles/profiles.ts";
import { LINK_DEFAULTS, linkChange } from "../story/link-options.ts";
import type { AlwaysPromise, FinallyPromise, Operation, PeerPlan, Plan, SteadyPlan, StepPlan } from "../story/plan.ts";
import { ONE_SHARD, type ShardsPlan } from "../world/shards.ts";
import { call, field, layout, list, object, type Piece, WIDTH, wrap } from "./layout.ts";
import { linkText, shareText, timeText, Unsayable, type Use } from "./link-text.ts";

/** What the file says besides the plan. */
export interface StoryWords {
  /** What is wrong, a sentence or two for the next reader. */
  readonly why: string;
  /** How the file names ../index.ts. */
  readonly importFrom: string;
}

/** The story file, or undefined when the words do not suffice. */
export function storyText(plan: Plan, { why, importFrom }: StoryWords): string | undefined {
  const words = new Set(["scenario"]);
  const use = (word: string) => {
    words.add(word);
    return word;
  };
  let body: Piece;
  try {
    body = call("export default scenario", [object(storyFields(use, plan), true)]);
  } catch (error) {
    if (error instanceof Unsayable) return undefined;
    throw error;
  }
  const names = object([...words].sort((a, b) => (a < b ? -1 : 1)));
  const head = `/**\n${wrap(`"${plan.story}"`, " * ")}\n *\n${wrap(why, " * ")}\n */`;
  const from = ` from "${importFrom}";`;
  return `${head}\nimport ${layout(names, 0, "import ".length + from.length)}${from}\n\n${layout(body)};\n`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}

/** A field with a sentence in it, which has a line of its own where the name of the field leaves too little room. */
function sentence(name: string, text: string): string {
  const line = `${name}: ${quote(text)}`;
  return line.length + "  ,".length <= WIDTH ? line : `${name}:\n    ${quote(text)}`;
}

function storyFields(use: Use, plan: Plan): Piece[] {
  return [
    `name: ${quote(plan.name)}`,
    sentence("story", plan.story),
    field("seeds", object(plan.seeds.map(({ seed, why }) => `${seed}: ${quote(why)}`))),
    ...(plan.cipher === "real" ? ['cipher: "real"'] : []),
    ...(plan.scheduler === "fifo" ? ['scheduler: "fifo"'] : []),
    ...(plan.timerLateMicros > 0 ? [field("timersLateBy", timeText(use, plan.timerLateMicros))] : []),
    ...(plan.serverNearWrap === true ? ["serverNearWrap: true"] : []),
    ...(plan.swapsWithinMicros === undefined ? [] : [field("swapsWithin", timeText(use, plan.swapsWithinMicros))]),
    ...(plan.knobs === undefined ? [] : [field("knobs", object(knobPieces(use, plan.knobs)))]),
    ...(plan.shards === undefined ? [] : [field("shards", object(shardsText(use, plan.shards)))]),
    field(
      "peers",
      object(
        plan.peers.map((one) => peerText(use, one)),
        true,
      ),
    ),
    ...listField(
      "timeline",
      plan.steps.map((one) => stepText(use, one)),
    ),
    ...listField(
      "chance",
      (plan.decisions ?? []).map((one) => decisionText(use, one)),
    ),
    ...(plan.turn === undefined
      ? []
      : [field("chanceTurns", object([field("at", timeText(use, plan.turn.atMicros)), `seed: ${plan.turn.seed}`]))]),
    field("runFor", timeText(use, plan.runForMicros)),
    ...(plan.steady === undefined ? [] : [field("steady", object(steadyText(use, plan.steady)))]),
    ...listField(
      "always",
      plan.always.map((one) => alwaysText(use, one)),
    ),
    ...listField(
      "finally",
      plan.finally.map((one) => finallyText(use, one)),
    ),
  ];
}

function knobPieces(use: Use, knobs: Knobs): Piece[] {
  return Object.entries(knobs).map(([name, value]) => {
    const isTime = TUNABLES[name as TunableName].unit === "µs";
    return field(name, isTime ? timeText(use, value) : String(value));
  });
}

function steadyText(use: Use, { fromMicros, among }: SteadyPlan): Piece[] {
  return [field("from", timeText(use, fromMicros)), field("among", list(among.map(quote)))];
}

function shardsText(use: Use, shards: ShardsPlan): Piece[] {
  const { count, delayMicros, jitterMicros, batchMicros, lossPpm } = shards;
  if (shards.ringBytes !== ONE_SHARD.ringBytes) throw new Unsayable();
  const times = { delay: delayMicros, jitter: jitterMicros, batch: batchMicros };
  return [
    `count: ${count}`,
    ...Object.entries(times).flatMap(([name, micros]) => (micros === 0 ? [] : [field(name, timeText(use, micros))])),
    ...(lossPpm === 0 ? [] : [field("loss", shareText(use, lossPpm))]),
  ];
}

function peerText(use: Use, one: PeerPlan): Piece {
  const sends = [
    ...(one.camera === null ? [] : [`camera: ${quote(one.camera)}`]),
    ...(one.microphone === null ? [] : [`microphone: ${one.microphone === 30 ? "true" : one.microphone}`]),
  ];
  const receives = [
    ...(one.audioSlots === 0 ? [] : [`audio: ${one.audioSlots}`]),
    ...(one.videoSlots === 0 ? [] : [`video: ${one.videoSlots}`]),
  ];
  const [up, down] = [changesOf(one.up), changesOf(one.down)];
  const isPlain = Object.keys({ ...up, ...down }).length === 0;
  const network = isPlain ? undefined : profileOf(one);
  const name = /^[a-z]\w*$/i.test(one.name) ? one.name : quote(one.name);
  return field(
    name,
    object([
      ...(one.room === "lounge" ? [] : [`room: ${quote(one.room)}`]),
      ...(sends.length === 0 ? [] : [field("sends", object(sends))]),
      ...(receives.length === 0 ? [] : [field("receives", object(receives))]),
      ...(isPlain ? [] : [field("link", network === undefined ? linkText(use, up, down) : profileText(use, network))]),
      ...(one.atStart ? [] : ["joinsLater: true"]),
      ...(one.nearWrap ? ["nearWrap: true"] : []),
      ...(one.impostor ? ["impostor: true"] : []),
      ...(one.shard === undefined ? [] : [`shard: ${one.shard}`]),
      ...(one.persona === undefined ? [] : [`persona: ${quote(one.persona)}`]),
      ...(one.likeness === undefined ? [] : [`likeness: ${quote(one.likeness)}`]),
      ...(one.rejoinAfterMicros === undefined ? [] : [field("rejoinsAfter", timeText(use, one.rejoinAfterMicros))]),
    ]),
  );
}

function profileText(use: Use, network: ProfileName): Piece {
  return call(use("profile"), [quote(network)]);
}

/** The profile whose links the peer has, if any; not one that brings steps of its own. */
function profileOf({ up, down }: PeerPlan): ProfileName | undefined {
  const text = JSON.stringify([up, down]);
  return (Object.keys(PROFILES) as ProfileName[]).find((profile) => {
    if (PROFILES[profile].roaming !== undefined) return false;
    const change = linkChange({ profile });
    return JSON.stringify([change.up, change.down].map((way) => ({ ...LINK_DEFAULTS, ...way }))) === text;
  });
}

function stepText(use: Use, { atMicros, label, operation }: StepPlan): Piece {
  return call(use("at"), [timeText(use, atMicros), quote(label), operationText(use, operation)]);
}

function operationText(use: Use, operation: Operation): Piece {
  switch (operation.type) {
    case "join":
    case "leave":
    case "kill":
    case "reconnect":
      return call(use(operation.type), [quote(operation.peer)]);
    case "move": {
      const how = operation.to !== "address" ? operation.to : operation.noticed ? "network" : "rebinding";
      return call(use("move"), [quote(operation.peer), ...(how === "rebinding" ? [] : [quote(how)])]);
    }
    case "mute":
    case "unmute":
      return call(use(operation.type), [quote(operation.peer), quote(operation.source)]);
    case "garbage": {
      const { kind, perSecond, forMicros } = operation;
      const options = [`perSecond: ${perSecond}`, field("duration", timeText(use, forMicros))];
      return call(use("garbage"), [object(kind === "mixed" ? options : [`kind: ${quote(kind)}`, ...options])]);
    }
    case "restart":
      return call(use("restart"), []);
    case "crash":
      return call(use("restart"), [object([field("after", timeText(use, operation.forMicros))])]);
    case "stall":
      return call(use("pause"), [timeText(use, operation.forMicros), quote(operation.peer)]);
    case "rejoin": {
      const storm = [`times: ${operation.times}`, field("every", timeText(use, operation.everyMicros))];
      return call(use("join"), [quote(operation.peer), object(storm)]);
    }
    case "misbehave": {
      const { peer, habit, forMicros } = operation;
      return call(use("misbehave"), [quote(peer), quote(habit), timeText(use, forMicros)]);
    }
    case "inherit":
      return call(use("inherit"), [quote(operation.peer), quote(operation.from)]);
    case "swizzle":
      return call(use("swizzle"), [list(operation.peers.map(quote)), timeText(use, operation.overMicros)]);
    case "clock": {
      const change = [field("by", timeText(use, operation.stepMicros)), `drift: ${operation.driftPpm}`];
      return call(use("clock"), [quote(operation.peer), object(change)]);
    }
    case "signalling": {
      const { peer, lostPpm, unheardPpm, repeatedPpm, delayMicros } = operation;
      const shares = Object.entries({ lost: lostPpm, unheard: unheardPpm, repeated: repeatedPpm });
      const trouble = shares.filter(([, ppm]) => ppm > 0).map(([name, ppm]) => `${name}: ${shareText(use, ppm)}`);
      const late = delayMicros === 0 ? [] : [field("late", timeText(use, delayMicros))];
      return call(use("signalling"), [quote(peer), object([...trouble, ...late])]);
    }
    case "crash-shard":
      return call(use("crashShard"), [String(operation.place)]);
    case "pause":
      return call(use("pause"), [timeText(use, operation.forMicros)]);
    case "overload":
      return call(use("overload"), [String(operation.parts)]);
    case "buggify":
      return call(use("buggify"), [list(operation.sites.map(quote)), shareText(use, operation.sharePpm)]);
    case "link": {
      const cuts = cutOf(operation);
      if (cuts === "heal") return call(use("heal"), [quote(operation.peer)]);
      if (cuts !== undefined) {
        return call(use("cut"), [quote(operation.peer), ...(cuts === "both" ? [] : [quote(cuts)])]);
      }
      return call(use("link"), [quote(operation.peer), linkText(use, operation.up, operation.down)]);
    }
    default:
      throw new Unsayable();
  }
}

function alwaysText(use: Use, { viewer, source, shorterThanMicros }: AlwaysPromise): Piece {
  const bound = call("shorterThan", [timeText(use, shorterThanMicros)]);
  return `${layout(call(use("freezes"), [quote(viewer), quote(source)]))}.${layout(bound)}`;
}

function finallyText(use: Use, promise: FinallyPromise): Piece {
  if (promise.kind === "departs") return call(use("departs"), [quote(promise.peer), quote(promise.reason)]);
  if (promise.kind === "stays") return call(use("stays"), [quote(promise.peer)]);
  const within = promise.withinMicros === 3_000_000 ? [] : [timeText(use, promise.withinMicros)];
  return call(use("plays"), [quote(promise.viewer), quote(promise.source), ...within]);
}

function decisionText(use: Use, { site, entity, answers, others }: DecisionPlan): Piece {
  if (others !== 0 || answers.some(([, answer]) => answer !== 1)) throw new Unsayable();
  return call(use("only"), [quote(site), quote(entity), list(answers.map(([ordinal]) => String(ordinal)))]);
}

function listField(name: string, items: readonly Piece[]): Piece[] {
  return items.length === 0 ? [] : [field(name, list(items))];
}

/** Whether a change of a link is a cut in these directions or the healing of one. */
function cutOf({ up, down }: Extract<Operation, { type: "link" }>): "both" | "up" | "down" | "heal" | undefined {
  const cuts = (change: Partial<LinkPlan>) => (Object.keys(change).join() === "cut" ? change.cut : undefined);
  const empty = (change: Partial<LinkPlan>) => Object.keys(change).length === 0;
  if (cuts(up) === false && cuts(down) === false) return "heal";
  if (cuts(up) === true && cuts(down) === true) return "both";
  if (cuts(up) === true && empty(down)) return "up";
  return cuts(down) === true && empty(up) ? "down" : undefined;
}

function changesOf(link: LinkPlan): Partial<LinkPlan> {
  const entries = Object.entries(link);
  return Object.fromEntries(
    entries.filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(PLAIN_LINK[key as keyof LinkPlan])),
  );
}
