/** Both kinds of host for a shard keep the contract. */
import { describe } from "vitest";
import { openFastResources, startFastHost } from "../../io-node/fast/fast-host.ts";
import { startPortableHost } from "../../io-node/portable/portable-host.ts";
import { openUdpSockets } from "../../io-node/portable/sockets.ts";
import { createFailingEngine } from "../support/hosts/failing-engine.ts";
import { shardHostContract } from "./shard-host.ts";

const ENTRY = new URL("../support/hosts/failing-shard.ts", import.meta.url);

const CANDIDATES = [{ ip: "127.0.0.1", port: 9 }];

describe("the portable host", { timeout: 20_000 }, () =>
  shardHostContract(async (listeners) => {
    const udp = await openUdpSockets(0);
    const parts = { ...listeners, udp, candidates: CANDIDATES, createEngine: createFailingEngine };
    return { host: startPortableHost(parts), port: udp.port };
  }),
);

// It exists on Linux alone, and there it must.
if (process.platform === "linux") {
  describe("the fast host", { timeout: 120_000 }, () =>
    shardHostContract(async (listeners) => {
      const resources = openFastResources(0);
      if (typeof resources === "string") throw new Error(resources);
      const host = await startFastHost({ ...listeners, resources, candidates: CANDIDATES, entry: ENTRY });
      return { host, port: resources.sockets.port };
    }),
  );
}
