/**
 * A trace as lines that people read from top to bottom: what happened, what was said, and what viewers saw, in the order of
 * time and in columns.
 *
 * The sequence of messages is that of ./messages.ts, so what goes on and on is one line with a count and a span.
 */
import { type ShownRow, showHeading, showRow, whoOf } from "../world/rows.ts";
import type { TracedMessage } from "./messages.ts";
import type { Strip } from "./strips.ts";
import type { Trace } from "./trace.ts";

/** All lines of a trace, as data. */
export function traceRows(trace: Trace): ShownRow[] {
  const rows: ShownRow[] = [
    ...trace.rows.map((row) => ({ time: row.time, event: row.event, who: whoOf(row), text: row.text })),
    ...trace.messages.map((message) => messageRow(trace, message)),
    ...trace.strips.flatMap(stripRows),
  ];
  // A sort is stable: what happened at the same moment stays in the order in which it was written down.
  return rows.sort((a, b) => a.time - b.time || (a.event ?? 0) - (b.event ?? 0));
}

/** The lines as text, the first of which names the columns. */
export function traceLines(trace: Trace): string[] {
  const plan = { peers: trace.shards.length > 1 ? [...trace.peers, ...trace.shards] : trace.peers };
  const scale = { startsAt: trace.startsAt, zeroAt: trace.zeroAt, plan };
  return [showHeading(scale), ...traceRows(trace).map((row) => showRow(scale, row))];
}

function messageRow({ shards }: Trace, { at, until, event, from, to, text, count }: TracedMessage): ShownRow {
  const times = count > 1 ? ` × ${count}` : "";
  const span = until > at ? ` for ${seconds(until - at)}` : "";
  const what = `${text}${times}${span}`;
  if (typeof from === "string") return { time: at, event, who: from, text: `→ ${what}` };
  if (typeof to === "string") return { time: at, event, who: to, text: `← ${what}` };
  return { time: at, event, who: shards[from]!.name, text: `→ ${shards[to]!.name}: ${what}` };
}

/** What changes for a viewer. Mutes and goodbyes have lines of their own. */
function stripRows({ viewer, source, segments }: Strip): ShownRow[] {
  const what = source.replace("/", "'s ");
  const verb = source.endsWith("/camera") ? "sees" : "hears";
  return segments.flatMap(({ from, to, state }) => {
    const texts: Partial<Record<typeof state, string>> = {
      playing: `${verb} ${what} for ${seconds(to - from)}`,
      frozen: `${verb} ${what} stand still for ${seconds(to - from)}`,
      waiting: `waits for ${what}, ${seconds(to - from)}`,
      unslotted: `has no slot for ${what}`,
    };
    const text = texts[state];
    return text === undefined ? [] : [{ time: from, event: undefined, who: viewer, text }];
  });
}

function seconds(micros: number): string {
  return `${(micros / 1_000_000).toFixed(2)} s`;
}
