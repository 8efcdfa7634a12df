/** Whether streams are found by their SSRCs, whatever half of the 32-bit numbers those lie in. */
import { describe, expect, it } from "vitest";
import type { Client } from "../../../io-sim/client/client.ts";
import { createLedger, outgoingStream, sourceAmong, sourceStream } from "../../../io-sim/oracles/ledger.ts";
import type { Tenants } from "../../../io-sim/oracles/tenants.ts";
import type { World } from "../../../io-sim/world/world.ts";

const SSRCS = [1, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe];

function someClient(): Client {
  const outStreams = SSRCS.map((ssrc) => ({ ssrc, rtxSsrc: 0, kind: "video", clockRate: 90_000 }));
  const media = SSRCS.map((ssrc) => ({ mid: String(ssrc), ssrc, rtxSsrc: 0 }));
  return {
    participant: 1,
    plan: { name: "ana", ordinal: 0 },
    media: { outStreams },
    answer: { media },
  } as unknown as Client;
}

describe("the ledger", () => {
  const world = { byClient: new Map(), plan: { peers: [], steps: [] } } as unknown as World;
  const tenants = {} as Tenants;

  it.each(SSRCS)("finds what a client sends as %i again, by the client and among all", (ssrc) => {
    const ledger = createLedger(world, tenants);
    const client = someClient();
    const source = sourceStream(ledger, client, ssrc);
    expect(source?.ssrc).toBe(ssrc);
    expect(sourceStream(ledger, client, ssrc)).toBe(source);
    expect([...ledger.sources.values()].map((streams) => sourceAmong(streams, ssrc))).toEqual([source]);
    expect(sourceStream(ledger, client, 77)).toBeUndefined();
  });

  it.each(SSRCS)("finds what a client is sent as %i again", (ssrc) => {
    const ledger = createLedger(world, tenants);
    const client = someClient();
    const out = outgoingStream(ledger, client, ssrc);
    expect(out?.mid).toBe(String(ssrc));
    expect(outgoingStream(ledger, client, ssrc)).toBe(out);
  });
});
