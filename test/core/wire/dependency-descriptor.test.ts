/** Dependency descriptors: the mandatory fields, template tables written bit by bit, and hostile bytes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  DESCRIPTOR_MANDATORY_BYTES,
  DESCRIPTOR_TEMPLATES_MAX,
  descriptorCheck,
  descriptorEndsFrame,
  descriptorFrameNumber,
  descriptorHasStructure,
  descriptorPatchFrameNumber,
  descriptorReadStructure,
  descriptorStartsFrame,
  descriptorTemplateId,
  descriptorTemplateIndex,
} from "../../../core/wire/dependency-descriptor.ts";
import { bits, fromBits } from "../../support/wire/bits.ts";
import { hex } from "../../support/wire/hex.ts";
import { expectBounded, hostileBytes } from "../../support/wire/hostile.ts";

interface Table {
  idOffset: number;
  decodeTargets: number;
  /** For each template but the first, what is said before it: 0 the same layer, 1 next temporal, 2 next spatial. */
  steps: number[];
  differences: number[];
  chains: number;
  sizes: [number, number][] | undefined;
}

/** `value` below `bound`, as AV1 §4.10.7 writes it. */
function nonSymmetric(value: number, bound: number): string {
  const width = bound.toString(2).length;
  const short = 2 ** width - bound;
  return value < short ? (width > 1 ? bits(value, width - 1) : "") : bits(value + short, width);
}

/** A descriptor with frame number 0x1234, template id 5, first packet of its frame, and this table. */
function encode(table: Table): Uint8Array {
  const templates = table.steps.length + 1;
  const differences = table.differences.map((difference) => `1 ${bits(difference, 4)}`).join("");
  const chains = nonSymmetric(table.chains, table.decodeTargets + 1);
  const protectedBy = Array.from({ length: table.decodeTargets }, () => nonSymmetric(table.chains - 1, table.chains));
  return fromBits(
    `10 ${bits(5, 6)} ${bits(0x1234, 16)}`,
    "1 0 0 0 0",
    bits(table.idOffset, 6),
    bits(table.decodeTargets - 1, 5),
    ...table.steps.map((step) => bits(step, 2)),
    "11",
    "10".repeat(templates * table.decodeTargets),
    `${differences} 0`.repeat(templates),
    chains,
    ...(table.chains === 0 ? [] : [...protectedBy, "0111".repeat(templates * table.chains)]),
    table.sizes ? "1" : "0",
    ...(table.sizes ?? []).map(([width, height]) => bits(width - 1, 16) + bits(height - 1, 16)),
  );
}

/** The layers that the steps lead to. */
function layersOf(steps: readonly number[]): { spatialIds: number[]; temporalIds: number[] } {
  const spatialIds = [0];
  const temporalIds = [0];
  for (const step of steps) {
    spatialIds.push(spatialIds.at(-1)! + (step === 2 ? 1 : 0));
    temporalIds.push(step === 2 ? 0 : temporalIds.at(-1)! + (step === 1 ? 1 : 0));
  }
  return { spatialIds, temporalIds };
}

const tables: fc.Arbitrary<Table> = fc
  .record({
    idOffset: fc.nat(63),
    decodeTargets: fc.integer({ min: 1, max: 32 }),
    steps: fc.array(fc.constantFrom(0, 0, 1, 1, 2), { maxLength: 20 }).filter((steps) => {
      const { spatialIds, temporalIds } = layersOf(steps);
      return Math.max(...spatialIds) < 4 && Math.max(...temporalIds) < 8;
    }),
    differences: fc.array(fc.nat(15), { maxLength: 3 }),
    chainShare: fc.nat(100),
    hasSizes: fc.boolean(),
    size: fc.tuple(fc.integer({ min: 1, max: 0x7fff }), fc.integer({ min: 1, max: 0xffff })),
  })
  .map(({ chainShare, hasSizes, size, ...rest }) => ({
    ...rest,
    chains: Math.min(rest.decodeTargets, Math.floor((chainShare * (rest.decodeTargets + 1)) / 100)),
    sizes: hasSizes ? Array.from({ length: layersOf(rest.steps).spatialIds.at(-1)! + 1 }, () => size) : undefined,
  }));

/** L1T2 without chains: two templates, two decode targets. */
const SMALL = encode({ idOffset: 4, decodeTargets: 2, steps: [1], differences: [0], chains: 0, sizes: [[640, 360]] });

describe("the dependency descriptor", () => {
  it("has a mark for the first and the last packet, a template and a number", () => {
    const bytes = hex("c5 12 34");
    expect(descriptorCheck(bytes.length)).toBe(true);
    expect([descriptorStartsFrame(bytes, 0), descriptorEndsFrame(bytes, 0)]).toEqual([true, true]);
    expect([descriptorTemplateId(bytes, 0), descriptorFrameNumber(bytes, 0)]).toEqual([5, 0x1234]);
    expect([descriptorStartsFrame(hex("45 00 00"), 0), descriptorEndsFrame(hex("85 00 00"), 0)]).toEqual([
      false,
      false,
    ]);
  });

  it("has at least three bytes", () => {
    expect([0, 2, DESCRIPTOR_MANDATORY_BYTES, 200].map(descriptorCheck)).toEqual([false, false, true, true]);
  });

  it("takes another frame number, and nothing else changes", () => {
    const bytes = Uint8Array.from(SMALL);
    descriptorPatchFrameNumber(bytes, 0, 0x1_abcd);
    expect(descriptorFrameNumber(bytes, 0)).toBe(0xabcd);
    descriptorPatchFrameNumber(bytes, 0, 0x1234);
    expect(bytes).toEqual(SMALL);
  });

  it("carries a table only when it says so", () => {
    expect(descriptorHasStructure(SMALL, 0, SMALL.length)).toBe(true);
    expect(descriptorHasStructure(SMALL, 0, DESCRIPTOR_MANDATORY_BYTES)).toBe(false);
    expect(descriptorHasStructure(hex("85 00 00 40 00"), 0, 5)).toBe(false);
    expect(descriptorReadStructure(hex("85 00 00 40 00"), 0, 5)).toBeUndefined();
  });
});

describe("the template table", () => {
  it("is read as it was written, whatever stands in it", () => {
    fc.assert(
      fc.property(tables, (table) => {
        const bytes = encode(table);
        expect(descriptorReadStructure(bytes, 0, bytes.length)).toEqual({
          templateIdOffset: table.idOffset,
          decodeTargetCount: table.decodeTargets,
          ...layersOf(table.steps),
          sizes: (table.sizes ?? []).map(([width, height]) => (width << 16) | height),
        });
      }),
      { numRuns: 300 },
    );
  });

  it("is refused when it is cut", () => {
    fc.assert(
      fc.property(tables, (table) => {
        const bytes = encode(table);
        for (let length = DESCRIPTOR_MANDATORY_BYTES; length < bytes.length; length++) {
          expect(descriptorReadStructure(bytes, 0, length)).toBeUndefined();
        }
      }),
      { numRuns: 20 },
    );
  });

  it("is refused with more templates, or higher layers, than there are ids for", () => {
    const read = (steps: number[]) => {
      const bytes = encode({ idOffset: 0, decodeTargets: 1, steps, differences: [], chains: 0, sizes: undefined });
      return descriptorReadStructure(bytes, 0, bytes.length);
    };
    expect(read(Array<number>(DESCRIPTOR_TEMPLATES_MAX - 1).fill(0))?.spatialIds).toHaveLength(
      DESCRIPTOR_TEMPLATES_MAX,
    );
    expect(read(Array<number>(DESCRIPTOR_TEMPLATES_MAX).fill(0))).toBeUndefined();
    expect(read([2, 2, 2])?.spatialIds).toEqual([0, 1, 2, 3]);
    expect(read([2, 2, 2, 2])).toBeUndefined();
    expect(read(Array<number>(8).fill(1))).toBeUndefined();
  });

  it("is indexed by template ids that wrap at 64", () => {
    const bytes = encode({
      idOffset: 62,
      decodeTargets: 1,
      steps: [1, 1],
      differences: [],
      chains: 0,
      sizes: undefined,
    });
    const structure = descriptorReadStructure(bytes, 0, bytes.length)!;
    const index = (templateId: number) => descriptorTemplateIndex(structure, templateId);
    expect([62, 63, 0, 1, 61].map(index)).toEqual([0, 1, 2, -1, -1]);
  });

  it("is read from the descriptor alone, whatever its bytes", () => {
    const large = encode({
      idOffset: 0,
      decodeTargets: 9,
      steps: [0, 1, 1, 2, 0, 1],
      differences: [1, 2],
      chains: 3,
      sizes: undefined,
    });
    fc.assert(
      fc.property(hostileBytes(SMALL, large), (hostile) => {
        expectBounded(hostile, (bytes, offset, length) => {
          if (!descriptorCheck(length)) return "short";
          return [descriptorFrameNumber(bytes, offset), descriptorReadStructure(bytes, offset, length)];
        });
      }),
      { numRuns: 500 },
    );
  });
});
