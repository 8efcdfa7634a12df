import { describe, expect, it } from "vitest";
import { loadNative } from "../../io-crypto/native.ts";

describe.runIf(process.platform === "linux")("native memory", () => {
  it("comes zeroed, from where addresses are small integers, in pieces that don't touch", () => {
    const native = loadNative();
    if (typeof native === "string") throw new Error(native);
    const sizes = [64, 4_097, 3_000_000];
    const addresses = sizes.map((size) => native.allocate(size));
    for (const [index, address] of addresses.entries()) {
      expect(address).toBeLessThan(2 ** 31);
      const bytes = native.view(address, sizes[index]!);
      expect(bytes.every((byte) => byte === 0)).toBe(true);
      bytes.fill(index + 1);
    }
    for (const [index, address] of addresses.entries()) {
      expect(native.view(address, sizes[index]!).every((byte) => byte === index + 1)).toBe(true);
      native.free(address, sizes[index]!);
    }
    const [again] = sizes.map((size) => native.allocate(size));
    expect(native.view(again!, sizes[0]!).every((byte) => byte === 0)).toBe(true);
  });
});
