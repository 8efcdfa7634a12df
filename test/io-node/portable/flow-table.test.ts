import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFlowTable, flowAt, flowCount, internFlow, releaseFlow } from "../../../io-node/portable/flow-table.ts";

describe("the flow table", () => {
  it("gives one address on one socket one flow", () => {
    const table = createFlowTable(2);
    const flow = internFlow(table, 0, "192.0.2.1", 5_000);
    expect(internFlow(table, 0, "192.0.2.1", 5_000)).toBe(flow);
    expect(flow).toMatchObject({ index: 0, socket: 0, ip: "192.0.2.1", port: 5_000 });
  });

  it("tells ports, addresses and sockets apart", () => {
    const table = createFlowTable(2);
    const indexes = [
      internFlow(table, 0, "192.0.2.1", 5_000),
      internFlow(table, 0, "192.0.2.1", 5_001),
      internFlow(table, 0, "192.0.2.2", 5_000),
      internFlow(table, 1, "192.0.2.1", 5_000),
    ].map((flow) => flow?.index);
    expect(indexes).toEqual([0, 1, 2, 3]);
  });

  it("uses a released number again, and no other", () => {
    const table = createFlowTable(1);
    internFlow(table, 0, "192.0.2.1", 1);
    internFlow(table, 0, "192.0.2.1", 2);
    releaseFlow(table, 0);
    expect(flowAt(table, 0)).toBeUndefined();
    expect(internFlow(table, 0, "192.0.2.1", 2)?.index).toBe(1);
    expect(internFlow(table, 0, "192.0.2.9", 9)?.index).toBe(0);
  });

  it("takes a second release of the same number for nothing", () => {
    const table = createFlowTable(1);
    internFlow(table, 0, "192.0.2.1", 1);
    releaseFlow(table, 0);
    releaseFlow(table, 0);
    releaseFlow(table, 77);
    expect(flowCount(table)).toBe(0);
    expect(internFlow(table, 0, "192.0.2.1", 1)?.index).toBe(0);
    expect(internFlow(table, 0, "192.0.2.1", 2)?.index).toBe(1);
  });

  it("refuses a new address when it is full, and serves those it knows", () => {
    const table = createFlowTable(1, 2);
    internFlow(table, 0, "192.0.2.1", 1);
    internFlow(table, 0, "192.0.2.1", 2);
    expect(internFlow(table, 0, "192.0.2.1", 3)).toBeUndefined();
    expect(internFlow(table, 0, "192.0.2.1", 2)?.index).toBe(1);
  });

  it("refuses port 0, where nothing can be sent", () => {
    expect(internFlow(createFlowTable(1), 0, "192.0.2.1", 0)).toBeUndefined();
  });

  it("keeps nothing of flows that are gone", () => {
    const table = createFlowTable(1);
    for (let port = 1; port <= 100; port++) {
      const flow = internFlow(table, 0, `2001:db8::${port}`, port);
      releaseFlow(table, flow!.index);
    }
    expect(table.bySocket[0]!.size).toBe(0);
    expect(table.flows.length).toBe(1);
  });

  it("agrees with a plain list, whatever comes and goes", () => {
    const step = fc.record({
      ip: fc.integer({ min: 1, max: 3 }),
      port: fc.integer({ min: 1, max: 3 }),
      go: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const table = createFlowTable(1, 5);
        const model = new Map<string, number>();
        for (const { ip, port, go } of steps) {
          const key = `10.0.0.${ip}:${port}`;
          if (go) {
            const index = model.get(key);
            if (index !== undefined) releaseFlow(table, index);
            model.delete(key);
            continue;
          }
          const known = model.get(key);
          const flow = internFlow(table, 0, `10.0.0.${ip}`, port);
          if (known === undefined && model.size === 5) expect(flow).toBeUndefined();
          else {
            if (known === undefined) expect([...model.values()]).not.toContain(flow!.index);
            else expect(flow!.index).toBe(known);
            model.set(key, flow!.index);
          }
          expect(flowCount(table)).toBe(model.size);
        }
      }),
    );
  });
});
