import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseLayer, type LayerView } from "../../../core/media/layer-selection.ts";

function layer(order: number, pixels: number, bitrateBps: number, flowing = true): LayerView {
  return { flowing, pixels, bitrateBps, order };
}

const layers = fc.array(
  fc.record({
    flowing: fc.boolean(),
    pixels: fc.constantFrom(0, 57_600, 230_400, 921_600),
    bitrateBps: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 3_000_000 })),
    order: fc.nat(3),
  }),
  { maxLength: 4 },
);

describe("layer selection", () => {
  it("chooses the largest picture when all sizes are known", () => {
    expect(chooseLayer([layer(0, 100, 900), layer(1, 400, 500), layer(2, 200, 999)], 0)).toBe(1);
  });

  it("chooses the highest bitrate while a size is not known", () => {
    expect(chooseLayer([layer(0, 400, 100), layer(1, 0, 800), layer(2, 100, 300)], -1)).toBe(1);
  });

  it("does not leave the current layer for a bitrate that is not a fifth higher", () => {
    expect(chooseLayer([layer(0, 0, 1_000), layer(1, 0, 1_200)], 0)).toBe(0);
    expect(chooseLayer([layer(0, 0, 1_000), layer(1, 0, 1_201)], 0)).toBe(1);
  });

  it("takes the layer that the offer names first while nothing else is known", () => {
    expect(chooseLayer([layer(2, 0, 0), layer(0, 0, 0), layer(1, 0, 0)], -1)).toBe(1);
  });

  it("keeps the current layer while nothing is known", () => {
    expect(chooseLayer([layer(0, 0, 0), layer(1, 0, 0)], 1)).toBe(1);
  });

  it("keeps the current layer among equally large ones", () => {
    expect(chooseLayer([layer(0, 400, 100), layer(1, 400, 900)], 0)).toBe(0);
  });

  it("leaves a layer that has stopped", () => {
    expect(chooseLayer([layer(0, 100, 100), layer(1, 400, 900, false)], 1)).toBe(0);
  });

  it("does not let a layer that has stopped hide the sizes of the others", () => {
    expect(chooseLayer([layer(0, 100, 900), layer(1, 400, 100), layer(2, 0, 0, false)], 0)).toBe(1);
  });

  it("answers -1 when nothing flows", () => {
    expect(chooseLayer([layer(0, 100, 100, false)], 0)).toBe(-1);
    expect(chooseLayer([], -1)).toBe(-1);
  });

  it("chooses a flowing layer whenever there is one, and then stays with it", () => {
    fc.assert(
      fc.property(layers, fc.integer({ min: -1, max: 5 }), (views, current) => {
        const chosen = chooseLayer(views, current);
        expect(chosen >= 0).toBe(views.some((view) => view.flowing));
        if (chosen < 0) return;
        expect(views[chosen]!.flowing).toBe(true);
        expect(chooseLayer(views, chosen)).toBe(chosen);
      }),
    );
  });
});
