/**
 * How a generated world comes to rest, and what may be promised of its end.
 *
 * Whatever happens before, at one moment all that troubles a core set of peers is healed, and then time goes on for long
 * enough that every protocol has recovered; the troubles of everybody else stay for good. Who of the core set is there at
 * the end owes something: whoever has slots enough sees and hears whoever sends. A realistic world has a steady time
 * behind that, in which those of the core set who have come to rest owe each other quality. What may be promised is read
 * from the plan alone, so that a mutated or a shrunk plan can be asked again; a promise that no longer follows is not
 * made (or, by who shrinks, not kept).
 */
import type { CORE_SITES, Knobs } from "../../core/index.ts";
import { type LinkPlan, PLAIN_LINK } from "../link/index.ts";
import type { ProfileName } from "../profiles/profiles.ts";
import { LINK_DEFAULTS, linkChange } from "../story/link-options.ts";
import type { FinallyPromise, PeerPlan, Plan, StepPlan } from "../story/plan.ts";
import { longestWaitBeyondUsual } from "../world/knobs.ts";
import { withTheirTraits } from "./link-text.ts";

/** Time that a generated world has after everything has healed, where the server waits for nothing longer than usual. */
export const SETTLE_MICROS = 10_000_000;

/** The steady time of a realistic world behind that: long enough for a share of its pictures to mean something. */
const STEADY_MICROS = 6_000_000;

/**
 * Time after which everything must have recovered, with the usual tunables: a DTLS flight is repeated after 5 s at the
 * latest.
 */
const RECOVERY_MICROS = 8_500_000;

/** The longest way of a healed link. */
const HEALED_DELAY_MICROS = 60_000;

/** Networks on which a call is owed quality. */
const GOOD_NETWORKS: readonly ProfileName[] = ["fiber", "wifi-good", "5g", "cable-bloat"];

const GOOD_LINKS: ReadonlySet<string> = new Set(
  GOOD_NETWORKS.flatMap((profile) => {
    const { up, down } = linkChange({ profile });
    return [up, down].map((change) => JSON.stringify({ ...LINK_DEFAULTS, ...change }));
  }),
);

/** The label of steps that heal; they are no part of what happened before. */
const HEALING = "is well again";

/** The plan with healing at `healsAt` for the core set, time to rest, and all promises that follow. */
export function settled(plan: Plan, healsAt: number, core: readonly string[], realistic = false): Plan {
  const steps = plan.steps.filter(({ atMicros }) => atMicros < healsAt).sort((a, b) => a.atMicros - b.atMicros);
  const healing = plan.peers
    .filter(({ name }) => core.includes(name))
    .flatMap((peer) => healingStep({ ...plan, steps }, peer, healsAt));
  const failing = steps.flatMap(({ operation }) => (operation.type === "buggify" ? operation.sites : []));
  if (failing.length > 0) {
    const sites = [...new Set(failing)];
    healing.push({
      atMicros: healsAt,
      label: `the server ${HEALING}`,
      operation: { type: "buggify", sites, sharePpm: 0 },
    });
  }
  const load = steps.findLast(({ operation }) => operation.type === "overload");
  if (load !== undefined && !isOver(load)) healing.push(easing(healsAt));
  const { steady: _, ...rest } = plan;
  const restsAt = healsAt + SETTLE_MICROS + longestWaitBeyondUsual(plan.knobs ?? {});
  const whole: Plan = { ...rest, steps: [...steps, ...healing], runForMicros: restsAt };
  if (!realistic) return { ...whole, always: [], finally: followingPromises(whole) };
  const longer = { ...whole, runForMicros: restsAt + STEADY_MICROS };
  const among = whole.peers.filter((peer) => isOwedQuality(whole, peer)).map(({ name }) => name);
  const steady = { fromMicros: restsAt, among };
  return { ...longer, always: [], finally: followingPromises(longer), steady };
}

/** A settled plan as it was before: without healing and promises, and when it healed. */
export function forget(plan: Plan): { plan: Plan; healsAt: number } {
  const steps = plan.steps.filter(({ label }) => !label.endsWith(HEALING));
  const { steady, ...rest } = plan;
  const restsAt = steady?.fromMicros ?? plan.runForMicros;
  const healsAt = restsAt - SETTLE_MICROS - longestWaitBeyondUsual(plan.knobs ?? {});
  return { plan: { ...rest, steps, always: [], finally: [] }, healsAt };
}

/** A settled plan whose steps have been moved before its healing, with the promises that follow now. */
export function promising(plan: Plan): Plan {
  return { ...plan, finally: followingPromises(plan) };
}

/** A settled plan whose server has these knobs turned; it has as much more time to come to rest. */
export function turned(plan: Plan, knobs: Knobs): Plan {
  if (Object.keys(knobs).length === 0) return plan;
  return { ...plan, knobs, runForMicros: plan.runForMicros + longestWaitBeyondUsual(knobs) };
}

/** A settled plan whose server has these sites fail from the start until everything heals. */
export function failingFromStart(plan: Plan, sites: readonly string[], sharePpm: number): Plan {
  const { healsAt } = forget(plan);
  const [label, wellAgain] = ["parts of the server fail from the start", `the server ${HEALING}`];
  const begins: StepPlan = { atMicros: 0, label, operation: { type: "buggify", sites, sharePpm } };
  const before = plan.steps.filter(({ label }) => label !== wellAgain);
  const failing = [...plan.steps, begins].flatMap(({ operation }) =>
    operation.type === "buggify" ? operation.sites : [],
  );
  const heals: StepPlan = {
    atMicros: healsAt,
    label: wellAgain,
    operation: { type: "buggify", sites: [...new Set(failing)], sharePpm: 0 },
  };
  return promising({ ...plan, steps: [begins, ...before, heals] });
}

/** A settled plan whose server leaves out video by these steps, until everything heals. */
export function overloaded(plan: Plan, loads: readonly StepPlan[]): Plan {
  const { healsAt } = forget(plan);
  const steps = [...plan.steps, ...loads].sort((a, b) => a.atMicros - b.atMicros);
  return promising({ ...plan, steps: [...steps, easing(healsAt)] });
}

function easing(healsAt: number): StepPlan {
  return { atMicros: healsAt, label: `the server's load ${HEALING}`, operation: { type: "overload", parts: 0 } };
}

/** Whether nothing more is left out from this step on. */
function isOver({ operation }: StepPlan): boolean {
  return operation.type === "overload" && operation.parts === 0;
}

/** Time after which everything must have recovered in this plan. */
function recoveryMicros({ knobs = {} }: Plan): number {
  return RECOVERY_MICROS + longestWaitBeyondUsual(knobs);
}

/** Whether every promise that the plan makes follows from the plan. */
export function promisesFollow(plan: Plan): boolean {
  const following = new Set(followingPromises(plan).map(promiseKey));
  if (plan.always.length > 0 || !plan.finally.every((promise) => following.has(promiseKey(promise)))) return false;
  const { steady } = plan;
  if (steady === undefined) return true;
  const before = { ...plan, runForMicros: steady.fromMicros };
  return plan.peers.every((peer) => !steady.among.includes(peer.name) || isOwedQuality(before, peer));
}

function promiseKey(promise: FinallyPromise): string {
  if (promise.kind === "stays") return `${promise.peer} stays`;
  return promise.kind === "departs" ? `${promise.peer} ${promise.reason}` : `${promise.viewer} ${promise.source}`;
}

/** The step that makes a peer's links well, if they are not. */
function healingStep(plan: Plan, peer: PeerPlan, healsAt: number): StepPlan[] {
  const { up, down, healedAt } = lastLinks(plan, peer);
  if (healedAt >= 0) return [];
  const [first, second] = [healingOf(up), healingOf(down)];
  const both = { ...first, ...second };
  const operation = { type: "link", peer: peer.name, up: both, down: both } as const;
  return [{ atMicros: healsAt, label: `${peer.name}'s network ${HEALING}`, operation }];
}

/** The fields that have to change for a link to be well. */
function healingOf(link: LinkPlan): Partial<LinkPlan> {
  const fields = Object.keys(PLAIN_LINK) as (keyof LinkPlan)[];
  const sick = fields.filter((key) => !isWellIn(link, key));
  // Half of a burst is no burst: what belongs together heals together.
  return Object.fromEntries([...withTheirTraits(sick)].map((key) => [key, PLAIN_LINK[key]]));
}

/** What the plan allows to promise of its end: who must see or hear whom. */
function followingPromises(plan: Plan): FinallyPromise[] {
  const rested = plan.peers.filter((peer) => isRested(plan, peer));
  const promises: FinallyPromise[] = [];
  for (const viewer of rested) {
    for (const source of ["camera", "microphone"] as const) {
      if (slotsOf(viewer, source) < rivals(plan, viewer, source)) continue;
      for (const owner of rested) {
        if (owner === viewer || owner.room !== viewer.room || !sends(plan, owner, source)) continue;
        const pair = { viewer: viewer.name, source: `${owner.name}/${source}` };
        promises.push({ kind: "plays", ...pair, withinMicros: 60_000_000 });
      }
    }
  }
  return promises;
}

function slotsOf(peer: PeerPlan, source: "camera" | "microphone"): number {
  return source === "camera" ? peer.videoSlots : peer.audioSlots;
}

/** How many publications may want a slot of the viewer's, the ghosts of those who vanished among them. */
function rivals(plan: Plan, viewer: PeerPlan, source: "camera" | "microphone"): number {
  let count = 0;
  for (const peer of plan.peers) {
    if (peer.room !== viewer.room || peer[source] === null) continue;
    count += lifeOf(plan, peer).tabs - (peer === viewer ? 1 : 0);
  }
  return count;
}

/** Whether the peer is there at the end, has been for long enough, and its link and the server have been well for as long. */
function isRested(plan: Plan, peer: PeerPlan): boolean {
  const { there, since } = lifeOf(plan, peer);
  const { healedAt } = lastLinks(plan, peer);
  // A request that got lost may have been the one that mattered.
  const unheard = stepsOf(plan, peer).some(({ operation }) => operation.type === "signalling");
  // Who misbehaved has earned whatever became of his own streams.
  const misbehaved = stepsOf(plan, peer).some(({ operation }) => operation.type === "misbehave");
  if (!there || peer.impostor || unheard || misbehaved || healedAt < 0) return false;
  if (mayHaveMisheard(plan, peer) || mayBeRefused(plan, peer)) return false;
  return Math.max(since, healedAt, serverWellSince(plan)) + recoveryMicros(plan) <= plan.runForMicros;
}

/** Whether quality is owed to the peer from the end of this plan on. A thin client may lose nothing: nobody repeats it. */
function isOwedQuality(plan: Plan, peer: PeerPlan): boolean {
  const { up, down } = lastLinks(plan, peer);
  const losesNothing = [up, down].every(({ lossPpm, burstBadMicros }) => lossPpm + burstBadMicros === 0);
  return isRested(plan, peer) && (peer.persona !== "thin" || losesNothing);
}

/** Whether the peer may have joined over a link that changes bits: a handshake that was forged by it fails for good. */
function mayHaveMisheard(plan: Plan, peer: PeerPlan): boolean {
  const garbles = (link: Partial<LinkPlan>) => (link.corruptPpm ?? 0) > 0 || (link.truncatePpm ?? 0) > 0;
  let garbled = garbles(peer.up) || garbles(peer.down);
  if (garbled && peer.atStart) return true;
  for (const { operation } of stepsOf(plan, peer)) {
    if (operation.type === "link") garbled ||= garbles(operation.up) || garbles(operation.down);
    if ((operation.type === "join" || operation.type === "rejoin") && garbled) return true;
  }
  return false;
}

/** Sites that have the server refuse somebody, who then does not ask again. */
const REFUSING: readonly string[] = ["join/shard-full", "join/room-full"] satisfies (keyof typeof CORE_SITES)[];

/** Whether the peer may have been refused because a part of the server failed when it came, or came back. */
function mayBeRefused(plan: Plan, peer: PeerPlan): boolean {
  const refuses = plan.steps.some(
    ({ operation }) => operation.type === "buggify" && operation.sites.some((site) => REFUSING.includes(site)),
  );
  return (
    refuses && stepsOf(plan, peer).some(({ operation }) => operation.type === "join" || operation.type === "rejoin")
  );
}

/** Since when nothing has been done to the server; for ever after the end when sites still fail. */
function serverWellSince(plan: Plan): number {
  const failing = new Set<string>();
  let since = 0;
  let hasTime = true;
  for (const step of [...plan.steps].sort((a, b) => a.atMicros - b.atMicros)) {
    const { atMicros, operation } = step;
    // Nobody knows of a server that has forgotten everybody, until he notices and joins again.
    if (operation.type === "crash" || operation.type === "crash-shard") return plan.runForMicros;
    if (operation.type === "swizzle") since = atMicros + operation.overMicros;
    if (operation.type === "restart") since = atMicros;
    if (operation.type === "pause") since = atMicros + operation.forMicros;
    if (operation.type === "overload") {
      since = atMicros;
      hasTime = isOver(step);
    }
    if (operation.type !== "buggify") continue;
    since = atMicros;
    for (const site of operation.sites) {
      if (operation.sharePpm > 0) failing.add(site);
      else failing.delete(site);
    }
  }
  return failing.size > 0 || !hasTime ? plan.runForMicros : since;
}

/** Whether the source is on at the end, and has been for long enough. */
function sends(plan: Plan, owner: PeerPlan, source: "camera" | "microphone"): boolean {
  if (owner[source] === null) return false;
  let on = true;
  let since = 0;
  for (const { atMicros, operation } of stepsOf(plan, owner)) {
    if (operation.type === "rejoin") on = true;
    if (operation.type === "join") on = on || !lifeOf(plan, owner, atMicros).there;
    if ((operation.type !== "mute" && operation.type !== "unmute") || operation.source !== source) continue;
    on = operation.type === "unmute";
    since = atMicros;
  }
  return on && since + recoveryMicros(plan) <= plan.runForMicros;
}

/** Whether the peer is there after all steps before `until`, since when (moves count), and how many tabs it has had. */
function lifeOf(plan: Plan, peer: PeerPlan, until = Number.POSITIVE_INFINITY) {
  let there = peer.atStart;
  let since = 0;
  let tabs = peer.atStart ? 1 : 0;
  let stormUntil = 0;
  let unclear = false;
  for (const { atMicros, operation } of stepsOf(plan, peer)) {
    if (atMicros >= until) break;
    // Who comes or goes in the middle of a storm may be there in the end or not.
    if (["join", "reconnect", "rejoin", "leave", "kill"].includes(operation.type) && atMicros <= stormUntil)
      unclear = true;
    const asksAnew = operation.type === "join" || operation.type === "reconnect";
    if (asksAnew && !there) tabs++;
    if (operation.type === "rejoin") tabs += operation.times;
    if (asksAnew || operation.type === "rejoin") there = true;
    if (operation.type === "leave" || operation.type === "kill") there = false;
    if (["join", "reconnect", "move", "inherit", "clock"].includes(operation.type)) since = atMicros;
    if (operation.type === "rejoin") {
      stormUntil = atMicros + operation.times * operation.everyMicros;
      since = stormUntil;
    }
    if (operation.type === "stall") since = atMicros + operation.forMicros;
  }
  return { there: there && !unclear, since, tabs };
}

/** What the peer's links are in the end, and since when they have been well: 0 for always, -1 for never. */
function lastLinks(plan: Plan, peer: PeerPlan): { up: LinkPlan; down: LinkPlan; healedAt: number } {
  let { up, down } = peer;
  let sick = !isWell(up) || !isWell(down);
  let healedAt = 0;
  for (const { atMicros, operation } of stepsOf(plan, peer)) {
    if (operation.type !== "link") continue;
    up = { ...up, ...operation.up };
    down = { ...down, ...operation.down };
    const well = isWell(up) && isWell(down);
    if (well && sick) healedAt = atMicros;
    sick = !well;
  }
  return { up, down, healedAt: sick ? -1 : healedAt };
}

/** Whether a link does nothing to packets that matters for long. */
function isWell(link: LinkPlan): boolean {
  const wellInAll = (Object.keys(PLAIN_LINK) as (keyof LinkPlan)[]).every((key) => isWellIn(link, key));
  return wellInAll || GOOD_LINKS.has(JSON.stringify(link));
}

/** Fields that do nothing alone, or nothing that matters for long. */
const TOLERATED: ReadonlySet<keyof LinkPlan> = new Set<keyof LinkPlan>([
  "loseDtls",
  "reorderMicros",
  "reorderPackets",
  "duplicateMicros",
  "burstGoodMicros",
  "burstLossPpm",
  "policerBurstBytes",
  "overheadBytes",
]);

function isWellIn(link: LinkPlan, key: keyof LinkPlan): boolean {
  const value = link[key];
  if (TOLERATED.has(key) || value === PLAIN_LINK[key]) return true;
  if (key === "delayMicros") return link.delayMicros <= HEALED_DELAY_MICROS;
  if (key === "jitterMicros") return link.jitterMicros <= HEALED_DELAY_MICROS / 4;
  if (key === "batchMicros") return link.batchMicros <= HEALED_DELAY_MICROS / 4;
  if (key === "queueBytes") return link.queueBytes >= PLAIN_LINK.queueBytes || link.rateBps === 0;
  return false;
}

function stepsOf(plan: Plan, peer: PeerPlan) {
  return plan.steps
    .filter(({ operation }) => "peer" in operation && operation.peer === peer.name)
    .sort((a, b) => a.atMicros - b.atMicros);
}
