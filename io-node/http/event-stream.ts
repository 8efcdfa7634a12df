/**
 * A participant's view of the call as server-sent events (WHATWG HTML §9.2): `roster`, `bindings`, and at the end `left`.
 *
 * Each event carries the whole state, so a connection that was slow or lost needs no history: after any gap the next event
 * is enough. Changes that come while a slow reader is still being written to melt into one; nothing queues up. So do those
 * that come soon after a long roster: a room of a thousand into which hundreds come each second would else be a hundred
 * thousand rosters a second, of a hundred kilobytes each. A comment every 15 s keeps proxies from closing a quiet stream, and
 * lets the server notice a reader that is gone.
 */
import type { Context } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import {
  type Control,
  type ParticipantRecord,
  roomParticipants,
  rosterJson,
  rosterVersion,
  watchParticipant,
} from "../control.ts";

/** Time between two comments on a quiet stream. */
const HEARTBEAT_MILLIS = 15_000;

/** How long a roster keeps the next one waiting, for each participant in it. */
const ROSTER_MILLIS_PER_PARTICIPANT = 1;

/** What a reader has seen, and how it is woken. */
interface Reader {
  rosterVersion: number;
  /** Before that, no other roster goes out. */
  nextRosterAt: number;
  slotsVersion: number;
  /** The client is gone, or another stream took this one's place. */
  ended: boolean;
  /** Something has changed since the reader last looked. */
  rung: boolean;
  wake: (() => void) | undefined;
}

/** Answers with the stream of a participant's events; it ends when the participant has left. */
export function participantEvents(
  context: Context,
  control: Control,
  record: ParticipantRecord,
  heartbeatMillis: number = HEARTBEAT_MILLIS,
): Response {
  const response = streamSSE(context, (stream) => sendEvents(stream, control, record, heartbeatMillis));
  response.headers.set("cache-control", "no-store");
  // Some reverse proxies hold back what they think is a document.
  response.headers.set("x-accel-buffering", "no");
  return response;
}

async function sendEvents(
  stream: SSEStreamingApi,
  control: Control,
  record: ParticipantRecord,
  heartbeatMillis: number,
): Promise<void> {
  const reader: Reader = {
    rosterVersion: -1,
    nextRosterAt: 0,
    slotsVersion: -1,
    ended: false,
    rung: true,
    wake: undefined,
  };
  const end = () => {
    reader.ended = true;
    ring(reader);
  };
  stream.onAbort(end);
  const unwatch = watchParticipant(record, { wake: () => ring(reader), replaced: end });
  try {
    while (!reader.ended) {
      if (reader.rung) {
        reader.rung = false;
        await sendChanges(stream, control, record, reader);
        if (record.departure !== undefined) return;
        continue;
      }
      const isWaiting = rosterVersion(control, record) !== reader.rosterVersion;
      const pause = isWaiting ? reader.nextRosterAt - performance.now() : heartbeatMillis;
      if (await waitForBell(reader, pause)) continue;
      if (isWaiting) reader.rung = true;
      else await stream.write(": still here\n\n");
    }
  } finally {
    unwatch();
  }
}

async function sendChanges(
  stream: SSEStreamingApi,
  control: Control,
  record: ParticipantRecord,
  reader: Reader,
): Promise<void> {
  if (record.departure !== undefined) {
    await stream.writeSSE({ event: "left", data: JSON.stringify(record.departure) });
    return;
  }
  const version = rosterVersion(control, record);
  const now = performance.now();
  if (version !== reader.rosterVersion && now >= reader.nextRosterAt) {
    reader.rosterVersion = version;
    reader.nextRosterAt = now + roomParticipants(control, record.room).length * ROSTER_MILLIS_PER_PARTICIPANT;
    await stream.writeSSE({ event: "roster", data: rosterJson(control, record) });
  }
  if (record.slotsVersion !== reader.slotsVersion) {
    reader.slotsVersion = record.slotsVersion;
    await stream.writeSSE({ event: "bindings", data: JSON.stringify({ slots: record.slots }) });
  }
}

function ring(reader: Reader): void {
  reader.rung = true;
  reader.wake?.();
}

/** Waits until the bell is rung, or for `waitMillis`; answers whether it was rung. */
function waitForBell(reader: Reader, waitMillis: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      reader.wake = undefined;
      resolve(false);
    }, waitMillis);
    reader.wake = () => {
      reader.wake = undefined;
      clearTimeout(timer);
      resolve(true);
    };
  });
}
