/**
 * The excuses: everything for which an oracle does not hold the server to a promise, each with its physical reason.
 *
 * An excuse is a hole in the net, so there is one list of them and a count of how often each was used: `lockstep sim` and
 * `lockstep explore` tell them beside what was judged, and a promise that lives on excuses can be seen. Where an oracle can
 * know more, it asks for no excuse. What a link excuses is read from its plan in ./ways.ts, what a failure that was injected
 * excuses depends on which one it was, and a bad habit excuses only those streams that it spoils.
 */
import type { CORE_SITES } from "../../core/index.ts";
import type { Habit } from "../client/misbehaviour.ts";
import type { HostSite } from "../world/sites.ts";
import type { Peer } from "../world/topology.ts";
import type { World } from "../world/world.ts";
import type { PromiseBook } from "./promises.ts";

/** Why nothing can be said, by what the excuse is called. */
export const EXCUSES = {
  "no way":
    "A link that is cut, clogged, dead, filled by others or narrower than a small call carries nothing within a time.",
  "queue on the way": "Where a link is narrow or shared, a queue stands in it whatever the server does.",
  "nothing sent again":
    "Who has neither NACK nor RTX gets what is lost on his way no more, nor anybody what is lost on the way from him.",
  "gone for long": "Over a link that is gone for longer than a freeze, pictures are left out.",
  "no report yet":
    "Until a report of a stream's own has come, its clock is told by its packets alone, and these may be later than reports.",
  disturbed:
    "A step has changed the link, the address, the life or the clock of this peer: the plan no longer says what it is like.",
  "bad habit": "Who misbehaves gets and gives what his habit makes of it.",
  "past opening": "A receiver that hears of a stream after its wrap takes it for younger than it is (RFC 3711 §3.3.1).",
  "few slots": "Where more want to be seen than there are slots, nobody is owed one.",
  "counted reason": "The shard has counted a packet with the reason for which it is not sent on.",
  "unseen beginning":
    "A piece that has begun with a packet of no known stream, or while its receiver had no address, may have begun earlier than is known.",
  "unseen end": "While a receiver has no address, nobody sees that a piece of what is for him has ended.",
  "failed in hand": "A failure was injected while this very input was worked on.",
  "failed to send": "What was made to fail on its way out was sent, as far as the server or the other side knows.",
  "failed to know": "What was made to fail on its way in, or on its way into a table, the server can't know.",
  "failed lately":
    "A failure that was injected a moment ago may have made the server blind for as long as it takes to look again.",
  "failed timers": "A timer that was made to be late, or a check that was made to get lost, is late.",
  "dead shard": "A shard that dies has no last word for anybody.",
} as const satisfies Readonly<Record<string, string>>;

/** What an excuse is called. */
export type Excuse = keyof typeof EXCUSES;

/** Answers whether there is this excuse, and counts it if there is. Ask for it where something would be judged without it. */
export function excused({ excuses }: PromiseBook, excuse: Excuse, applies: boolean): boolean {
  if (applies) excuses.set(excuse, (excuses.get(excuse) ?? 0) + 1);
  return applies;
}

type Site = keyof typeof CORE_SITES | HostSite;

/** Failures after which something is not sent that counts as sent, or that waits and is sent behind its like. */
const SENDING: readonly Site[] = [
  "host/send-refused",
  "host/batch-half-sent",
  "host/restored",
  "forward/not-begun",
  "forward/route-skipped",
  "forward/no-path",
  "forward/seal-fails",
  "forward/extensions-dropped",
  "again/history-forgotten",
  "again/not-sent",
  "rtp/catch-up-refused",
  "rtp/introduction-refused",
  "rtp/not-described",
  "rtp/not-cached",
];

/** Failures after which the server knows less of what has come than the packets at its door tell. */
const KNOWING: readonly Site[] = [
  "rtp/header-refused",
  "rtp/plain-refused",
  "rtp/extensions-unread",
  "rtp/transport-sequence-missed",
  "rtp/introduction-refused",
  "rtp/not-described",
  "rtp/statistics-missed",
  "rtp/clock-missed",
  "rtp/not-cached",
  "rtp/gap-unseen",
  "rtp/gaps-too-many",
  "rtx/dropped",
  "door/rtcp-lost",
  "rtcp/open-fails",
  "rtcp/malformed",
  "rtcp/sender-report-missed",
  "rtcp/report-blocks-missed",
  "host/receive-dropped",
  "host/received-twice",
  "host/paused",
];

/** Failures after which a packet that came does not go out to somebody, whatever else they do. */
const LOSING: readonly Site[] = [...SENDING, ...KNOWING, "door/rtp-lost", "rtp/open-fails"];

/** Failures that make what a clock decides late. */
const TIMERS: readonly Site[] = ["host/timer-late", "host/paused", "timers/turn-late"];

/** How often something has failed from one moment to another, both included, by which what counts as sent is not. */
export function failedToSend(world: World, from: number, to: number = world.loop.now): number {
  return failed(world, SENDING, from, to);
}

/** How often something has failed from one moment to another by which the server does not know what has come. */
export function failedToKnow(world: World, from: number, to: number = world.loop.now): number {
  return failed(world, KNOWING, from, to);
}

/** How often a timer was made to be late from a moment on. */
export function failedInTime(world: World, from: number): number {
  return failed(world, TIMERS, from, world.loop.now);
}

/** How many failures there have been by which a packet gets lost on its way through the server. */
export function failedToForward(world: World): number {
  return failed(world, LOSING, 0, world.loop.now);
}

function failed({ sites }: World, names: readonly string[], from: number, to: number): number {
  if (sites.fired === 0) return 0;
  let count = 0;
  for (const name of names) {
    // The latest are at the end, and of these most questions are.
    const times = sites.counts.get(name)?.firedAt ?? [];
    for (let i = times.length - 1; i >= 0 && times[i]! >= from; i--) if (times[i]! <= to) count++;
  }
  return count;
}

/** Habits that make streams of what follows no rule: packets under numbers and names that are others', or of unknown kinds. */
const SPOILING: readonly Habit[] = ["ssrc-collision", "unknown-types", "bare-rtx", "padding-only"];

/** Whether a peer ever has a habit that spoils what can be known of its streams. */
export function spoilsStreams({ plan }: World, name: string): boolean {
  return plan.steps.some(
    ({ operation }) => operation.type === "misbehave" && operation.peer === name && SPOILING.includes(operation.habit),
  );
}

/** Whether a peer has had any bad habit by now. */
export function hasMisbehaved({ plan, zeroAt, loop }: World, name: string): boolean {
  return plan.steps.some(
    ({ atMicros, operation }) =>
      operation.type === "misbehave" && operation.peer === name && zeroAt > 0 && loop.now >= zeroAt + atMicros,
  );
}

/** Whether a step has set a peer's wall clock, which then drifts, before this moment. */
export function wasClockSet({ plan, zeroAt }: World, name: string, moment: number): boolean {
  return plan.steps.some(
    ({ atMicros, operation }) =>
      operation.type === "clock" && operation.peer === name && zeroAt > 0 && moment >= zeroAt + atMicros,
  );
}

/** Whether a step has changed this peer's link, address or life before this moment. */
export function wasDisturbed({ zeroAt }: World, { disturbedFromMicros }: Peer, moment: number): boolean {
  return zeroAt > 0 && moment >= zeroAt + disturbedFromMicros;
}
