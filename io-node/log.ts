/**
 * The log: one JSON line for each join, connect, leave and failure, saying why, on stderr.
 *
 * Lines are made of the shard's events alone, and those hold no secret: no resource, no key, no SDP. Rosters and bindings
 * change all the time and tell an operator nothing, so they make no lines. Writing is synchronous: the last line before an
 * end is the one that matters, and there are few.
 */
import { type DestinationStream, type Logger, pino } from "pino";
import type { LeaveReason, ShardEvent } from "../core/index.ts";

/** The log; a line has an object of fields and a few fixed words. */
export type Log = Logger;

/** The levels that `--log-level` takes. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/** A level of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Ends that somebody wanted; the others are failures. */
const WANTED: readonly LeaveReason[] = ["left", "closed-by-peer", "drained"];

/** A log on stderr, or into `destination`. */
export function createLog(
  level: LogLevel,
  destination: DestinationStream = pino.destination({ dest: 2, sync: true }),
): Log {
  const formatters = { level: (label: string) => ({ level: label }) };
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters }, destination);
}

/** Writes the line of an event, if it has one. */
export function logEvent(log: Log, event: ShardEvent): void {
  switch (event.type) {
    case "joined":
      log.info({ room: event.room, participant: event.participant, name: event.name }, "joined");
      return;
    case "reconnecting":
      log.info({ room: event.room, participant: event.participant }, "reconnecting");
      return;
    case "connected": {
      const afterMillis = Math.round(event.afterMicros / 1_000);
      log.info({ room: event.room, participant: event.participant, afterMillis }, "connected");
      return;
    }
    case "left": {
      const { room, participant, reason, detail } = event;
      const fields = detail === "" ? { room, participant, reason } : { room, participant, reason, detail };
      if (WANTED.includes(reason)) log.info(fields, "left");
      else log.warn(fields, "lost");
      return;
    }
    case "path-changed":
      // The number of the flow would tell an operator nothing.
      log.info({ room: event.room, participant: event.participant }, "moved to another address");
      return;
    case "room-closed":
      log.info({ room: event.room }, "room closed");
      return;
  }
}
