/**
 * Ways to make a plan plainer, for who shrinks it: each is a function from a plan to a plan that says less.
 *
 * What is plain is asked of the words themselves: a peer, or a story, that says nothing compiles to plain values. So a new
 * field of the plan is made plain here without being named. A few fields have steps on the way, such as a camera that is
 * simpler but there.
 */
import { TUNABLES, type TunableName } from "../../core/index.ts";
import { type LinkPlan, PLAIN_LINK } from "../link/index.ts";
import type { PeerPlan, Plan, StepPlan } from "../story/plan.ts";
import { scenario } from "../story/scenario.ts";
import { ONE_SHARD } from "../world/shards.ts";

/** A change; it answers the same plan when there is nothing to change. */
export type Change = (plan: Plan) => Plan;

/** What a story compiles to that says no more than it must: of all fields that it may leave out, the plain values. */
const PLAIN: Plan = scenario({ name: "plain", story: "Nothing.", seeds: { 0: "" }, peers: { peer: {} }, runFor: 0 });

/** Fields that are the plan itself, or that have a way of their own to become smaller. */
const OWN_WAY = new Set<keyof Plan>([
  "name",
  "story",
  "seeds",
  "scheduler",
  "runForMicros",
  "peers",
  "steps",
  "always",
  "finally",
  "decisions",
  "turn",
  "knobs",
]);

/** What people send and receive, and where they meet, is what a world is about; all else of a peer is a trait. */
const ABOUT = new Set<keyof PeerPlan>(["name", "atStart", "room", "camera", "microphone", "audioSlots", "videoSlots"]);

/** The same people in the same story, with no trait that is not plain, at a server like any other. */
export function plainest({ turn: _, knobs: __, ...plan }: Plan): Plan {
  const kept = Object.entries(plan).filter(([key]) => OWN_WAY.has(key as keyof Plan));
  const peers = plan.peers.map((peer) => plainPeer(peer));
  return { ...PLAIN, ...(Object.fromEntries(kept) as unknown as Plan), scheduler: "fifo", peers };
}

function plainPeer(peer: PeerPlan): PeerPlan {
  const about = Object.entries(peer).filter(([key]) => ABOUT.has(key as keyof PeerPlan));
  return { ...PLAIN.peers[0]!, ...(Object.fromEntries(about) as unknown as PeerPlan) };
}

/** Changes that make a plan plainer, the greatest first. */
export function plainer(plan: Plan): Change[] {
  const changes: Change[] = [(now) => ({ ...now, peers: now.peers.map((peer) => ({ ...peer, ...PLAIN_WAYS })) })];
  for (const key of Object.keys(plan) as (keyof Plan)[]) {
    if (!OWN_WAY.has(key)) changes.push((now) => ({ ...now, [key]: PLAIN[key] }));
  }
  for (const count of [plan.shards?.count ?? 0, 2]) changes.push((now) => withPlainShards(now, count));
  changes.push(({ turn, ...rest }) => rest);
  for (const narrower of [0, 1, 100]) changes.push((now) => swapsWithin(now, narrower));
  // Mailboxes that are served in order leave nothing to chance, though stories need to say so.
  changes.push((now) => ({ ...now, scheduler: "fifo" }));
  changes.push((now) => ({ ...now, peers: now.peers.map((peer) => ({ ...peer, room: PLAIN.peers[0]!.room })) }));
  plan.peers.forEach((peer, index) => {
    changes.push(...plainerPeer(peer, index));
  });
  plan.steps.forEach((step, index) => {
    for (const form of plainerForms(step)) {
      changes.push((now) => (now.steps[index] === step ? changeStep(now, index, form) : now));
    }
  });
  return changes;
}

/** The plan whose server has so many shards, if it had as many, and nothing happens on the ways between them. */
function withPlainShards(plan: Plan, count: number): Plan {
  const isFewer = plan.shards !== undefined && count <= plan.shards.count;
  return isFewer ? { ...plan, shards: { ...ONE_SHARD, count } } : plan;
}

/** The plan in which only what is this near may change places. */
function swapsWithin(plan: Plan, micros: number): Plan {
  return (plan.swapsWithinMicros ?? 0) > micros ? { ...plan, swapsWithinMicros: micros } : plan;
}

const PLAIN_WAYS = { up: PLAIN_LINK, down: PLAIN_LINK } as const;

function plainerPeer(peer: PeerPlan, index: number): Change[] {
  const changes: Change[] = [];
  const set = (change: Partial<PeerPlan>) => changes.push((now) => changePeer(now, index, change));
  changes.push((now) => replacePeer(now, index, plainPeer));
  set(PLAIN_WAYS);
  for (const key of Object.keys(peer).filter((key) => !Object.hasOwn(PLAIN.peers[0]!, key))) {
    changes.push((now) => replacePeer(now, index, ({ [key as "persona"]: _, ...rest }) => rest));
  }
  set({ camera: null, microphone: null });
  set({ audioSlots: 0, videoSlots: 0 });
  for (const [key, value] of Object.entries(PLAIN.peers[0]!)) {
    if (key !== "name" && key !== "atStart") set({ [key]: value });
  }
  if (peer.camera !== null) set({ camera: "vp8" });
  if (peer.audioSlots > 1) set({ audioSlots: 1 });
  if (peer.videoSlots > 1) set({ videoSlots: 1 });
  changes.push((now) => startingThere(now, peer.name));
  for (const key of Object.keys(PLAIN_LINK) as (keyof LinkPlan)[]) changes.push((now) => plainField(now, index, key));
  return changes;
}

/** The peer's links with one field as it is on a plain link. */
function plainField(plan: Plan, index: number, key: keyof LinkPlan): Plan {
  const { up, down } = plan.peers[index]!;
  const plain = { [key]: PLAIN_LINK[key] };
  return changePeer(plan, index, { up: { ...up, ...plain }, down: { ...down, ...plain } });
}

function changePeer(plan: Plan, index: number, change: Partial<PeerPlan>): Plan {
  return replacePeer(plan, index, (peer) => ({ ...peer, ...change }));
}

function replacePeer(plan: Plan, index: number, replace: (peer: PeerPlan) => PeerPlan): Plan {
  return { ...plan, peers: plan.peers.map((peer, at) => (at === index ? replace(peer) : peer)) };
}

function changeStep(plan: Plan, index: number, step: StepPlan): Plan {
  return { ...plan, steps: plan.steps.map((old, at) => (at === index ? step : old)) };
}

/** The peer is there from the start, and its first step to join is left out. */
function startingThere(plan: Plan, name: string): Plan {
  const index = plan.peers.findIndex((peer) => peer.name === name);
  if (plan.peers[index]?.atStart !== false) return plan;
  const join = plan.steps.findIndex(({ operation }) => operation.type === "join" && operation.peer === name);
  const steps = plan.steps.filter((_, at) => at !== join);
  return changePeer({ ...plan, steps }, index, { atStart: true });
}

/** A step in plainer forms: once instead of again and again, fewer sites that fail, less of a link that changes. */
function plainerForms(step: StepPlan): StepPlan[] {
  const { operation } = step;
  if (operation.type === "buggify" && operation.sites.length > 1) {
    const halves = [
      operation.sites.slice(0, operation.sites.length >> 1),
      operation.sites.slice(operation.sites.length >> 1),
    ];
    return [...halves, ...operation.sites.map((site) => [site])].map((sites) => ({
      ...step,
      operation: { ...operation, sites },
    }));
  }
  if (operation.type === "rejoin" && operation.times > 1) return [{ ...step, operation: { ...operation, times: 1 } }];
  if (operation.type !== "link") return [];
  const { up, down } = operation;
  const without = (change: Partial<LinkPlan>, key: string) =>
    Object.fromEntries(Object.entries(change).filter(([name]) => name !== key));
  const keys = Object.keys({ ...up, ...down });
  const forms = [
    { up, down: {} },
    { up: {}, down },
    ...(keys.length < 2 ? [] : keys.map((key) => ({ up: without(up, key), down: without(down, key) }))),
  ];
  return forms.map((form) => ({ ...step, operation: { ...operation, ...form } }));
}

/** Changes that make numbers round: times to seconds, halves or tenths, traits of links to one digit. */
export function rounder(plan: Plan): Change[] {
  const changes: Change[] = [];
  for (const unit of [1_000_000, 500_000, 100_000]) {
    changes.push((now) => ({ ...now, runForMicros: Math.ceil(now.runForMicros / unit) * unit }));
  }
  for (const unit of [1_000_000, 500_000, 100_000, 10_000]) {
    const round = (micros: number) => Math.round(micros / unit) * unit;
    changes.push((now) => ({ ...now, steps: now.steps.map((step) => ({ ...step, atMicros: round(step.atMicros) })) }));
    plan.steps.forEach((_, index) => {
      changes.push((now) => {
        const step = now.steps[index];
        return step === undefined ? now : changeStep(now, index, { ...step, atMicros: round(step.atMicros) });
      });
    });
  }
  changes.push((now) => ({ ...now, steps: now.steps.map(roundStep) }));
  for (const name of Object.keys(plan.knobs ?? {}) as TunableName[]) {
    const { isPowerOfTwo } = TUNABLES[name];
    if (!isPowerOfTwo)
      changes.push(({ knobs = {}, ...now }) => ({ ...now, knobs: { ...knobs, [name]: firstDigit(knobs[name] ?? 0) } }));
  }
  plan.peers.forEach(({ microphone }, index) => {
    changes.push((now) => {
      const { up, down } = now.peers[index]!;
      return changePeer(now, index, { up: roundLink(up), down: roundLink(down) });
    });
    if (microphone !== null) changes.push((now) => changePeer(now, index, { microphone: 30 }));
  });
  return changes;
}

/** How long, how often and how much something happens, with the first digit alone. */
function roundStep(step: StepPlan): StepPlan {
  const isAmount = (key: string) => /(Micros|Ppm|Bps|Bytes|perSecond)$/.test(key);
  const rounded = (value: unknown, key: string): unknown => {
    if (typeof value === "number") return isAmount(key) ? firstDigit(value) : value;
    if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, rounded(inner, name)]));
  };
  return { ...step, operation: rounded(step.operation, "") as StepPlan["operation"] };
}

/** Each number of a link with its first digit alone. */
function roundLink(link: LinkPlan): LinkPlan {
  const rounded = Object.entries(link).map(([key, value]) => {
    if (typeof value !== "number" || value === PLAIN_LINK[key as keyof LinkPlan] || value === 0) return [key, value];
    return [key, firstDigit(value)];
  });
  return Object.fromEntries(rounded) as LinkPlan;
}

/** The number with its first digit alone, rounded. */
function firstDigit(value: number): number {
  let unit = 1;
  while (value >= unit * 10) unit *= 10;
  return Math.round(value / unit) * unit;
}
