/**
 * What a packet leaves on the heap on its way through the fast host: nothing. The packets are real ones, sealed, and go
 * through the kernel in both directions.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

/** What a program of test/support has measured over so many packets. */
function measured(program: string, packets: string) {
  const path = fileURLToPath(new URL(`../../support/hosts/${program}`, import.meta.url));
  const words = ["--expose-gc", "--import", "tsx", path, packets];
  return JSON.parse(execFileSync(process.execPath, words, { encoding: "utf8" }));
}

describe.runIf(process.platform === "linux")("a packet", () => {
  it("leaves nothing on the heap, once the loop is warm", { timeout: 120_000 }, () => {
    const said = measured("fast-garbage.ts", "120000");
    expect(said.measured).toBeGreaterThanOrEqual(120_000);
    expect(said).toMatchObject({ lost: 0, sent: { dropped: 0, failed: 0 }, received: { badLength: 0, noFlow: 0 } });
    // One address above 2^31 that is handed on as an object costs 16. What came in leaves some timestamps: a fortieth.
    expect(said.bytesPerPacket).toBeLessThan(12);
  });

  it("leaves a few numbers on its way to another shard and on to ten viewers there", { timeout: 120_000 }, () => {
    const said = measured("relay-garbage.ts", "6000");
    expect(said.measured).toBeGreaterThanOrEqual(6_000);
    expect(said).toMatchObject({ lost: { crossing: 0, forwarding: 0 }, relayDropped: 0 });
    // A number above 2^31 is 16 bytes where it is an object, and a view of an array more than a hundred.
    expect(said.bytesPerPacket).toBeLessThan(64);
  });
});
