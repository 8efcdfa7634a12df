import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createFastFlows,
  type FastFlows,
  fastFlowCount,
  flowNamesBytes,
  hasFastFlow,
  internFastFlow,
  releaseFastFlow,
} from "../../../io-node/fast/flow-table.ts";
import { createFlowTable, flowAt, internFlow, releaseFlow } from "../../../io-node/portable/flow-table.ts";

const FLOWS_MAX = 12;

function createSubject(seed: number): FastFlows {
  const bytes = new Uint8Array(flowNamesBytes(FLOWS_MAX));
  return createFastFlows({ address: 0, bytes, words: new Uint32Array(bytes.buffer) }, seed, FLOWS_MAX);
}

/** A `sockaddr` as the kernel writes it: family in the machine's order, the rest in network order. */
function sockaddr(host: number, port: number, isIpv6: boolean, label = 0): Uint32Array {
  const bytes = new Uint8Array(32);
  bytes.set([isIpv6 ? 10 : 2, 0, port >> 8, port & 255]);
  if (isIpv6) bytes.set([0, label, 0, 0, 0x20, 0x01, 0x0d, 0xb8, ...new Uint8Array(11), host], 4);
  else bytes.set([192, 0, 2, host], 4);
  return new Uint32Array(bytes.buffer);
}

describe("the flows of the fast host", () => {
  it("are those of the portable table, number by number, whatever comes and goes", () => {
    const sender = fc.record({ host: fc.nat(3), port: fc.nat(4), isIpv6: fc.boolean() });
    const step = fc.oneof(
      fc.record({ kind: fc.constant("intern" as const), sender }),
      fc.record({ kind: fc.constant("release" as const), index: fc.nat(FLOWS_MAX) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.integer(), (steps, seed) => {
        const flows = createSubject(seed | 0);
        const table = createFlowTable(2, FLOWS_MAX);
        for (const each of steps) {
          if (each.kind === "release") {
            releaseFastFlow(flows, each.index);
            releaseFlow(table, each.index);
            continue;
          }
          const { host, port, isIpv6 } = each.sender;
          const own = internFastFlow(flows, Number(isIpv6), sockaddr(host, port, isIpv6), 0);
          const other = internFlow(table, Number(isIpv6), isIpv6 ? `2001:db8::${host}` : `192.0.2.${host}`, port);
          expect(own).toBe(other?.index ?? -1);
          if (other !== undefined) expect(flows.addresses[own]).toEqual(other.address);
        }
        for (let index = 0; index < FLOWS_MAX; index++) {
          expect(hasFastFlow(flows, index)).toBe(flowAt(table, index) !== undefined);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("come back to the same number until they are released, and are forgotten then", () => {
    const flows = createSubject(1);
    const words = sockaddr(1, 5_000, false);
    expect([0, 0].map(() => internFastFlow(flows, 0, words, 0))).toEqual([0, 0]);
    releaseFastFlow(flows, 0);
    expect(fastFlowCount(flows)).toBe(0);
    expect(flows.places.every((place) => place === 0)).toBe(true);
  });

  it("are not told apart by IPv6 flow labels", () => {
    const flows = createSubject(1);
    expect([1, 2].map((label) => internFastFlow(flows, 1, sockaddr(1, 5_000, true, label), 0))).toEqual([0, 0]);
  });

  it("are found wherever in a batch a sender stands", () => {
    const flows = createSubject(1);
    const words = new Uint32Array(24);
    words.set(sockaddr(1, 5_000, true), 8);
    words.set(sockaddr(2, 5_000, false), 16);
    expect([8, 16, 8].map((at) => internFastFlow(flows, 0, words, at))).toEqual([0, 1, 0]);
  });

  it("do not exist for families and ports that nothing can be sent to", () => {
    const flows = createSubject(1);
    expect(internFastFlow(flows, 0, sockaddr(1, 0, false), 0)).toBe(-1);
    expect(internFastFlow(flows, 0, new Uint32Array(8).fill(1), 0)).toBe(-1);
  });

  it("stay when somebody is heard again before he is gone", () => {
    const flows = createSubject(1);
    const words = sockaddr(1, 5_000, false);
    internFastFlow(flows, 0, words, 0);
    flows.releasing[0] = 1;
    internFastFlow(flows, 0, words, 0);
    expect(flows.releasing[0]).toBe(0);
  });
});
