import { createSocket } from "node:dgram";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { NoPort, openMediaPorts, shardsOf } from "../../io-node/shard-host.ts";

describe("a machine", () => {
  it("has a shard for each core, less one for everything else where it has four or more", () => {
    expect([1, 2, 3, 4, 8, 64].map(shardsOf)).toEqual([1, 2, 3, 3, 7, 63]);
  });
});

describe("media ports", () => {
  it("follow the first, and none stays open when one of them is taken", async () => {
    const other = createSocket("udp4").bind(0);
    await once(other, "listening");
    const { port } = other.address();
    for (const io of ["portable", "auto"] as const) {
      const error = await openMediaPorts(io, port - 2, 4).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(NoPort);
      expect(error).toMatchObject({ port, cause: { code: "EADDRINUSE" } });
      const media = await openMediaPorts(io, port - 2, 2);
      expect(media.ports.map((each) => each.port)).toEqual([port - 2, port - 1]);
      await Promise.all(media.ports.map((each) => each.close()));
    }
    other.close();
  });

  it("are not begun so high that the last would be beyond all ports", async () => {
    const error = await openMediaPorts("portable", 65_534, 3).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "NoPort", port: 65_536, cause: { code: "ERANGE" } });
  });

  it("of the portable kind are one unless somebody asks for more, since its shards share a thread", async () => {
    const media = await openMediaPorts("portable", 0);
    expect([media.io, media.why, media.ports.length]).toEqual(["portable", "", 1]);
    await media.ports[0]!.close();
  });
});
