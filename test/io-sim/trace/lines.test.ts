/** Whether a trace can be read from top to bottom, in columns, without looking for anything. */
import { beforeAll, describe, expect, it } from "vitest";
import { traceLines, traceRows } from "../../../io-sim/trace/lines.ts";
import type { Trace } from "../../../io-sim/trace/trace.ts";
import { rowAsJson } from "../../../io-sim/world/rows.ts";
import { tracedStory, traceStory } from "../../support/stories/traced-story.ts";

let trace: Trace;
let lines: string[];

beforeAll(() => {
  ({ trace } = traceStory(tracedStory(), 1));
  lines = traceLines(trace);
});

describe("a trace in lines", () => {
  it("stands in columns under a heading that names them", () => {
    const [heading, ...rest] = lines;
    for (const name of ["time", "event", "who", "what"]) expect(heading).toContain(name);
    const [eventEnds, who, what] = [heading!.indexOf("event") + 5, heading!.indexOf("who"), heading!.indexOf("what")];
    for (const line of rest) {
      expect(line.slice(0, eventEnds)).toMatch(/^ *-?\d+\.\d{3} s +\d*$/);
      expect(line.slice(eventEnds, who)).toBe("  ");
      expect(line.slice(who, what)).toMatch(/^(story|server|ana|bob|eve|next) +$/);
    }
  });

  it("tells things in the order of time, messages and what viewers saw among the steps", () => {
    const rows = traceRows(trace);
    expect(rows.every(({ time }, index) => index === 0 || time >= rows[index - 1]!.time)).toBe(true);
    const texts = rows.map(({ who, text }) => `${who} ${text}`);
    const order = ["ana → join request", "ana → ClientHello", "story into the tunnel", "story and out"];
    const places = order.map((text) => texts.indexOf(text));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(texts.filter((text) => /^bob sees ana's camera stand still for \d\.\d\d s$/.test(text))).toHaveLength(1);
    expect(texts.some((text) => /^bob ← dropped: cut \(media\) × \d+ for /.test(text))).toBe(true);
  });

  it("says by name what the server announces by number", () => {
    expect(lines.some((line) => /bob {5}is shown ana; hears ana$/.test(line))).toBe(true);
    expect(lines.join("\n")).not.toMatch(/participant \d+ is/);
  });

  it("is the same for machines, in microseconds of the story", () => {
    const row = trace.rows.find(({ text }) => text === "into the tunnel")!;
    expect(rowAsJson(trace, { ...row, who: "story" })).toEqual({
      storyMicros: 1_000_000,
      event: row.event,
      who: "story",
      text: "into the tunnel",
    });
  });
});
