import { describe, expect, it } from "vitest";
import type { ShardEvent } from "../../core/index.ts";
import { createLog, type LogLevel, logEvent } from "../../io-node/log.ts";

/** What the log writes about events, without the time. */
function linesOf(level: LogLevel, ...events: ShardEvent[]) {
  const lines: Record<string, unknown>[] = [];
  const log = createLog(level, {
    write(line) {
      const { time, ...rest } = JSON.parse(line) as Record<string, unknown>;
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT/);
      lines.push(rest);
    },
  });
  for (const event of events) logEvent(log, event);
  return lines;
}

describe("the log", () => {
  it("has one line for a join, a connect, a new connection, a leave and the end of a room", () => {
    const lines = linesOf(
      "info",
      { type: "joined", room: "blue", participant: 1, name: "Ana" },
      { type: "connected", room: "blue", participant: 1, connection: 1, afterMicros: 81_499 },
      { type: "reconnecting", room: "blue", participant: 1, connection: 2 },
      { type: "left", room: "blue", participant: 1, reason: "left", detail: "" },
      { type: "room-closed", room: "blue" },
    );
    expect(lines).toEqual([
      { level: "info", room: "blue", participant: 1, name: "Ana", msg: "joined" },
      { level: "info", room: "blue", participant: 1, afterMillis: 81, msg: "connected" },
      { level: "info", room: "blue", participant: 1, msg: "reconnecting" },
      { level: "info", room: "blue", participant: 1, reason: "left", msg: "left" },
      { level: "info", room: "blue", msg: "room closed" },
    ]);
  });

  it.each(["consent-expired", "connect-timeout", "dtls-failed"] as const)("warns of %s and says why", (reason) => {
    const lines = linesOf("warn", { type: "left", room: "blue", participant: 1, reason, detail: "It was so." });
    expect(lines).toEqual([{ level: "warn", room: "blue", participant: 1, reason, detail: "It was so.", msg: "lost" }]);
  });

  it("says that somebody has moved, as after a change of network", () => {
    const lines = linesOf("info", { type: "path-changed", room: "blue", participant: 1, flow: 17 });
    expect(lines).toEqual([{ level: "info", room: "blue", participant: 1, msg: "moved to another address" }]);
  });

  it("has no line for rosters and bindings", () => {
    const lines = linesOf(
      "trace",
      { type: "roster", room: "blue", participants: [] },
      { type: "bindings", room: "blue", participant: 1, slots: [] },
    );
    expect(lines).toEqual([]);
  });

  it("stays one line when a name has line breaks in it", () => {
    const lines = linesOf("info", { type: "joined", room: "blue", participant: 1, name: 'a\n{"level":"fatal"}' });
    expect(lines).toHaveLength(1);
  });

  it("keeps to its level", () => {
    expect(linesOf("warn", { type: "room-closed", room: "blue" })).toEqual([]);
    expect(linesOf("silent", { type: "left", room: "b", participant: 1, reason: "dtls-failed", detail: "" })).toEqual(
      [],
    );
  });
});
