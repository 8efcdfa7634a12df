/**
 * The face of the links: what the rest of the simulator needs of ./link/*.ts.
 *
 * ./link/link.ts puts the stations in a row and is the place to begin reading; ./link/plan.ts says what each of them can do
 * to packets, ./link/counters.ts what is counted.
 */
export type { Bottleneck } from "./link/bottleneck.ts";
export { type DropReason, linkConserves, linkDropped } from "./link/counters.ts";
export { changeLink, createLink, linkCounters, linkSend } from "./link/link.ts";
export { type LinkPlan, linkIsLossy, linkQueueMicros, linkSlowestMicros, PLAIN_LINK } from "./link/plan.ts";
export type { Link, Packet } from "./link/state.ts";
