/** Whether the trace for Perfetto keeps to the trace event format, and holds what happened. */
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { traceToPerfetto } from "../../../io-sim/export/perfetto.ts";
import type { Trace } from "../../../io-sim/trace/trace.ts";
import { tracedStory, traceStory } from "../../support/stories/traced-story.ts";

const place = { pid: z.int().positive(), tid: z.int().nonnegative() };
const time = z.int().nonnegative();
const named = { name: z.string().min(1), ...place };

/** The kinds of events that we write, as the format describes them. */
const EVENT = z.discriminatedUnion("ph", [
  z.strictObject({ ph: z.literal("M"), ...named, args: z.record(z.string(), z.union([z.string(), z.int()])) }),
  z.strictObject({
    ph: z.literal("i"),
    ...named,
    cat: z.string(),
    ts: time,
    s: z.enum(["g", "p", "t"]),
    args: z.record(z.string(), z.unknown()),
  }),
  z.strictObject({
    ph: z.literal("X"),
    ...named,
    cat: z.string(),
    ts: time,
    dur: time,
    args: z.record(z.string(), z.unknown()),
  }),
  z.strictObject({
    ph: z.literal("b"),
    ...named,
    cat: z.string(),
    id: z.string(),
    ts: time,
    args: z.record(z.string(), z.unknown()),
  }),
  z.strictObject({ ph: z.literal("e"), ...named, cat: z.string(), id: z.string(), ts: time }),
  z.strictObject({
    ph: z.literal("C"),
    name: z.string().min(1),
    pid: place.pid,
    ts: time,
    args: z.record(z.string(), z.number().nonnegative()),
  }),
]);

const FILE = z.strictObject({
  displayTimeUnit: z.literal("ms"),
  otherData: z.record(z.string(), z.string()),
  traceEvents: z.array(EVENT).min(1),
});

let trace: Trace;
let file: z.infer<typeof FILE>;

beforeAll(() => {
  ({ trace } = traceStory(tracedStory(), 1));
  file = FILE.parse(JSON.parse(traceToPerfetto(trace)));
});

describe("a trace for Perfetto", () => {
  it("names a process for the server and for each person, and every track that is used", () => {
    const names = file.traceEvents.filter(({ ph, name }) => ph === "M" && name === "process_name");
    expect(names.map((event) => "args" in event && event.args.name)).toEqual([
      "server",
      "ana (lounge)",
      "bob (lounge)",
      "eve (lounge)",
      "next (next-door)",
    ]);
    const track = (event: object) => ("tid" in event && "pid" in event ? `${event.pid}/${event.tid}` : "");
    const known = new Set(file.traceEvents.filter(({ name }) => name === "thread_name").map(track));
    const used = new Set(file.traceEvents.filter(({ ph }) => "iXbe".includes(ph)).map(track));
    expect([...used].filter((name) => !known.has(name))).toEqual([]);
  });

  it("ends every asynchronous slice that it begins", () => {
    const begun = file.traceEvents.flatMap((event) => (event.ph === "b" ? [event.id] : []));
    const ended = file.traceEvents.flatMap((event) => (event.ph === "e" ? [event.id] : []));
    expect(begun.length).toBeGreaterThan(0);
    expect(new Set(begun).size).toBe(begun.length);
    expect(ended).toEqual(begun);
  });

  it("has counters for rates, queues, estimates and widths", () => {
    const counters = new Set(file.traceEvents.filter(({ ph }) => ph === "C").map(({ name }) => name));
    for (const name of ["link up/offered", "link down/queue", "estimate round trip", "seen bob/camera/width"]) {
      expect(counters).toContain(name);
    }
  });

  it("has the steps of the story and the promises as instants", () => {
    const instants = file.traceEvents.filter(({ ph }) => ph === "i").map(({ name }) => name);
    expect(instants).toContain("into the tunnel");
    expect(instants).toContain("S1 held");
  });

  it("of the same run has the same bytes", () => {
    expect(traceToPerfetto(traceStory(tracedStory(), 1).trace)).toBe(traceToPerfetto(trace));
  });
});
