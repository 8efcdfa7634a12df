/**
 * What happened in a world, one row each, in words: the trace that a failure ends with.
 */
import { MICROS_ORIGIN, type Micros, type ShardEvent } from "../core/index.ts";
import type { World } from "./world.ts";

/** One row of the trace. */
export interface TraceRow {
  readonly time: Micros;
  readonly text: string;
}

/** Notes a row for the trace. */
export function note(world: World, text: string): void {
  world.rows.push({ time: world.loop.now, text });
}

/** A world's time as people read it: seconds from time zero (or from the origin, before), with milliseconds. */
export function showTime(world: World, time: number): string {
  const from = world.zeroAt === 0 ? MICROS_ORIGIN : world.zeroAt;
  const millis = Math.floor((time - from) / 1_000);
  const size = Math.abs(millis);
  const sign = millis < 0 ? "-" : "";
  return `${sign}${Math.floor(size / 1_000)}.${String(size % 1_000).padStart(3, "0")} s`;
}

/** What the server announces, in words. */
export function describeEvent(event: ShardEvent): string {
  switch (event.type) {
    case "joined":
      return `${event.name} (${event.participant}) joined ${event.room}`;
    case "connected":
      return `participant ${event.participant} is connected after ${Math.floor(event.afterMicros / 1_000)} ms`;
    case "left":
      return `participant ${event.participant} left: ${event.reason}${event.detail === "" ? "" : ` (${event.detail})`}`;
    case "roster":
      return `roster of ${event.room}: ${event.participants.map((view) => view.name).join(", ")}`;
    case "bindings": {
      const slots = event.slots.map((slot) => `${slot.mid}=${slot.publication === 0 ? "-" : slot.participant}`);
      return `participant ${event.participant} is shown ${slots.join(" ")}`;
    }
    case "path-changed":
      return `participant ${event.participant} moved to flow ${event.flow}`;
    default:
      return `room ${event.room} closed`;
  }
}
