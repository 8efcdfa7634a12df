import { describe, expect, it } from "vitest";
import type { Command } from "../../core/index.ts";
import { controlCommand, controlLost, controlServes, createControl } from "../../io-node/control.ts";
import { createLoadWatch, lookAtShards } from "../../io-node/load-watch.ts";
import { createLog } from "../../io-node/log.ts";

const JOIN = { type: "join", room: "blue", name: "", offer: "" } as const;

/** Two shards, of which one works for the given part of the time and the other not at all. */
function createSubject() {
  const given: [shard: number, command: Command][] = [];
  const shards = [0, 1].map((number) => ({
    number,
    command: (_: number, command: Command) => void given.push([number, command]),
  }));
  const control = createControl(shards);
  const hosts = [0, 1].map(() => ({
    cpuMicros: 0,
    droppedUnread: 0,
    sent: { sent: 0, sentBytes: 0, dropped: 0, failed: 0 },
  }));
  const lines: string[] = [];
  const log = createLog("info", { write: (line) => lines.push(JSON.parse(line).msg) });
  const watch = createLoadWatch(control, hosts, log, 0);
  let now = 0;
  const pass = (looks: number, busy: number) => {
    for (let i = 0; i < looks; i++) {
      now += 250;
      hosts[0]!.cpuMicros += busy * 250_000;
      lookAtShards(watch, now);
    }
  };
  const parts = () =>
    given.flatMap(([shard, command]) => (command.type === "leave-out-video" ? [[shard, command.parts]] : []));
  return { control, given, hosts, lines, pass, parts };
}

describe("a shard that is too busy", () => {
  it("gets no joins, then leaves out video bit by bit; the other one is left alone", async () => {
    const { control, pass, parts, given } = createSubject();
    void controlCommand(control, JOIN);
    expect(given.at(-1)![0]).toBe(0);
    pass(40, 1);
    expect(parts()).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((each) => [0, each]));
    // Who comes into the room that lives there comes to the other one, and is told so.
    void controlCommand(control, JOIN);
    expect(given.at(-1)).toEqual([1, { ...JOIN, home: 0 }]);
    void controlCommand(control, { ...JOIN, room: "red" });
    expect(given.at(-1)).toEqual([1, { ...JOIN, room: "red" }]);
  });

  it("sheds as well when the system drops what it does not read in time, but not for one pause of the machine", () => {
    const { control, hosts, pass, parts } = createSubject();
    hosts[0]!.droppedUnread += 5_000;
    pass(20, 0.3);
    expect([control.placement.places[0]!.overloaded, parts()]).toEqual([false, []]);
    for (let look = 0; look < 12; look++) {
      hosts[0]!.droppedUnread += 100;
      pass(1, 0.3);
    }
    expect(control.placement.places[0]!.overloaded).toBe(true);
    expect(parts().length).toBeGreaterThan(0);
  });

  it("takes both back when it has time, and the log says so at each end", () => {
    const { control, pass, parts, lines } = createSubject();
    pass(40, 1);
    pass(60, 0.2);
    expect(parts().at(-1)).toEqual([0, 0]);
    expect(control.placement.places[0]!.overloaded).toBe(false);
    expect(lines[0]).toBe("too busy: joins are refused");
    expect(lines.at(-1)).toBe("joins are taken again");
  });

  it("is forgotten when it dies: the fresh one begins with nothing left out", () => {
    const { control, pass, hosts, parts } = createSubject();
    pass(40, 1);
    controlLost(control, 0);
    hosts[0]!.cpuMicros = 0;
    pass(1, 0);
    controlServes(control, 0);
    const before = parts().length;
    pass(20, 0.5);
    expect([parts().length - before, control.placement.places[0]!.overloaded]).toEqual([0, false]);
  });
});
