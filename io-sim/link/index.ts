/**
 * The face of the links: what the rest of the simulator needs of this folder.
 *
 * ./link.ts puts the stations in a row and is the place to begin reading; ./plan.ts says what each of them can do to
 * packets, ./counters.ts what is counted.
 */
export type { Bottleneck } from "./bottleneck.ts";
export { type DropReason, linkConserves, linkDropped } from "./counters.ts";
export { changeLink, createLink, linkCounters, linkSend } from "./link.ts";
export { type LinkPlan, linkIsLossy, linkQueueMicros, linkSlowestMicros, PLAIN_LINK } from "./plan.ts";
export type { Link, Packet } from "./state.ts";
