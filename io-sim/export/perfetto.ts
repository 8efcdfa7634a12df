/**
 * A traced run in the trace event format that Perfetto (and chrome://tracing) opens.
 *
 * Each peer and the server, or each of its shards, is a process. Its tracks are what viewers saw of each source, as slices;
 * what was said, as slices for what lasts and instants for what does not; steps of the story and announcements, as instants.
 * Rates, queues, estimates, widths and the server's counts are counters. Times are microseconds since the beginning of the
 * run.
 */
import { readableTimes } from "../base/readable-times.ts";
import { replayCommand } from "../inspection/replay-command.ts";
import type { TracedMessage } from "../trace/messages.ts";
import { nameOfTab } from "../trace/recording.ts";
import { type TickSeries, WITHOUT_END } from "../trace/ticks.ts";
import type { Trace } from "../trace/trace.ts";
import type { TraceRow } from "../world/rows.ts";

/** An event of the format; which fields there are depends on `ph`. */
type TraceEvent = Readonly<Record<string, unknown>>;

const SERVER_PID = 1;
const TRACK = { ROWS: 1, UP: 2, DOWN: 3, STRIPS: 10 } as const;

/** The file's text. */
export function traceToPerfetto(trace: Trace): string {
  const pids = new Map([...trace.shards, ...trace.peers].map(({ name }, index) => [name, SERVER_PID + index]));
  const events: TraceEvent[] = [
    ...processNames(trace, pids),
    ...trace.rows.map((row) => rowEvent(trace, row, pids)),
    ...breachEvents(trace),
    ...promiseEvents(trace),
    ...messageEvents(trace, pids),
    ...stripEvents(trace, pids),
    ...[...trace.ticks.series].flatMap(([name, series]) => counterEvents(trace, name, series, pids)),
  ];
  const otherData = {
    story: trace.story,
    sentence: trace.sentence,
    seed: String(trace.seed),
    verdict: trace.verdict,
    fingerprint: trace.fingerprint,
    replay: replayCommand(trace.replayName, trace.seed),
  };
  const lines = events.map((event) => JSON.stringify(event)).join(",\n");
  return `{"displayTimeUnit":"ms","otherData":${JSON.stringify(otherData)},"traceEvents":[\n${lines}\n]}\n`;
}

function processNames(trace: Trace, pids: ReadonlyMap<string, number>): TraceEvent[] {
  const relays = trace.shards.length === 1 ? [] : ["to other shards"];
  const events = trace.shards.flatMap(({ name }, place) =>
    processName(SERVER_PID + place, name, [place === 0 ? "events, steps and promises" : "counts", ...relays]),
  );
  for (const { name, room, shard } of trace.peers) {
    const pid = pids.get(name)!;
    const where = trace.shards.length === 1 ? room : `${room}, at ${trace.shards[shard]!.name}`;
    events.push(...processName(pid, `${name} (${where})`, ["steps and events", "link up", "link down"]));
    stripsOf(trace, name).forEach((strip, index) => {
      const verb = strip.source.endsWith("/camera") ? "sees" : "hears";
      events.push(threadName(pid, TRACK.STRIPS + index, `${verb} ${strip.source}`));
    });
  }
  return events;
}

function processName(pid: number, name: string, threads: readonly string[]): TraceEvent[] {
  return [
    { ph: "M", name: "process_name", pid, tid: 0, args: { name } },
    { ph: "M", name: "process_sort_index", pid, tid: 0, args: { sort_index: pid } },
    ...threads.map((thread, index) => threadName(pid, TRACK.ROWS + index, thread)),
  ];
}

function threadName(pid: number, tid: number, name: string): TraceEvent {
  return { ph: "M", name: "thread_name", pid, tid, args: { name } };
}

function rowEvent(trace: Trace, row: TraceRow, pids: ReadonlyMap<string, number>): TraceEvent {
  const { time, event, kind, who, text } = row;
  // What the story does concerns everybody; the rest belongs to a process.
  const scope = kind === "story" ? "g" : "p";
  const pid = pids.get(nameOfTab(who)) ?? SERVER_PID;
  return { ph: "i", name: text, cat: kind, pid, tid: TRACK.ROWS, ts: time - trace.startsAt, s: scope, args: { event } };
}

/** The moment at which a promise was broken. */
function breachEvents({ broken, startsAt }: Trace): TraceEvent[] {
  if (broken === undefined) return [];
  const { promise, detail, time, event } = broken;
  const place = { pid: SERVER_PID, tid: TRACK.ROWS, ts: time - startsAt, s: "g" };
  return [
    { ph: "i", name: `${promise} is broken`, cat: "promise", ...place, args: { event, detail: readableTimes(detail) } },
  ];
}

/** What each promise has come to, at the end of the run. */
function promiseEvents(trace: Trace): TraceEvent[] {
  const ts = trace.endsAt - trace.startsAt;
  return trace.promises
    .filter(({ judged }) => judged > 0)
    .map(({ promise, sentence, judged, broken }) => {
      const name = `${promise} ${broken ? "is broken" : "held"}`;
      return {
        ph: "i",
        name,
        cat: "promise",
        pid: SERVER_PID,
        tid: TRACK.ROWS,
        ts,
        s: "p",
        args: { sentence, judged },
      };
    });
}

/** What lasts overlaps what else lasts, so it is asynchronous: a pair of events that share an id. */
function messageEvents(trace: Trace, pids: ReadonlyMap<string, number>): TraceEvent[] {
  return trace.messages.flatMap((message, index): TraceEvent[] => {
    const { kind, text, at, until, count, event } = message;
    const { pid, tid, way } = placeOfMessage(message, trace, pids);
    const name = until === at ? text : `${way}: ${text}`;
    const common = { name, cat: kind, pid, tid };
    const ts = at - trace.startsAt;
    if (until === at) return [{ ph: "i", ...common, ts, s: "t", args: { count, event } }];
    const id = String(index);
    return [
      { ph: "b", ...common, id, ts, args: { count, event } },
      { ph: "e", ...common, id, ts: until - trace.startsAt },
    ];
  });
}

/** A peer's messages are on the tracks of its link; what shards tell each other belongs to the one that says it. */
function placeOfMessage({ from, to }: TracedMessage, trace: Trace, pids: ReadonlyMap<string, number>) {
  if (typeof from === "string") return { pid: pids.get(from)!, tid: TRACK.UP, way: "up" };
  if (typeof to === "string") return { pid: pids.get(to)!, tid: TRACK.DOWN, way: "down" };
  return { pid: SERVER_PID + from, tid: TRACK.UP, way: `to ${trace.shards[to]!.name}` };
}

function stripEvents(trace: Trace, pids: ReadonlyMap<string, number>): TraceEvent[] {
  return trace.peers.flatMap(({ name }) =>
    stripsOf(trace, name).flatMap(({ source, segments }, index) =>
      segments.map(({ from, to, state }) => ({
        ph: "X",
        name: state,
        cat: "strip",
        pid: pids.get(name)!,
        tid: TRACK.STRIPS + index,
        ts: from - trace.startsAt,
        dur: to - from,
        args: { source },
      })),
    ),
  );
}

function stripsOf(trace: Trace, viewer: string) {
  return trace.strips.filter((strip) => strip.viewer === viewer);
}

/**
 * A counter for each series; sums of bytes become bits per second. Repeated values are left out, and so is what a link
 * without end carries: it has no number.
 */
function counterEvents(
  trace: Trace,
  path: string,
  series: TickSeries,
  pids: ReadonlyMap<string, number>,
): TraceEvent[] {
  const { tickMicros } = trace.ticks;
  const [group, owner, ...rest] = path.split("/");
  const pid = pids.get(owner ?? "") ?? SERVER_PID;
  const isRate = series.rests === "zero" && series.unit === "bytes" && !path.endsWith("/queue");
  const name = group === "counts" ? rest.join("/") : group === "way" ? path : `${group} ${rest.join("/")}`;
  const unit = isRate ? "bit/s" : series.unit;
  const events: TraceEvent[] = [];
  let last: number | undefined;
  series.values.forEach((value, tick) => {
    if (value === last || value === WITHOUT_END) return;
    last = value;
    const shown = isRate ? (value * 8 * 1_000_000) / tickMicros : value;
    events.push({ ph: "C", name, pid, ts: tick * tickMicros, args: { [unit]: shown } });
  });
  if (series.rests === "zero" && last !== 0) {
    events.push({ ph: "C", name, pid, ts: series.values.length * tickMicros, args: { [unit]: 0 } });
  }
  return events;
}
