import { describe, expect, it } from "vitest";
import { connectedRig, createRig, run, start } from "./rig.ts";

describe("a DTLS handshake", () => {
  it("connects both sides over a lossless network in four datagrams", () => {
    const rig = createRig();
    start(rig);
    run(rig);
    expect([rig.client.failure, rig.server.failure]).toEqual(["", ""]);
    expect([rig.client.status, rig.server.status]).toEqual(["connected", "connected"]);
    expect(rig.log).toHaveLength(4);
  });

  it("gives both sides the same SRTP keys, AEAD_AES_128_GCM first", () => {
    const rig = connectedRig();
    expect(rig.server.srtp).not.toBeNull();
    expect(rig.server.srtp).toEqual(rig.client.srtp);
    expect(rig.server.srtp?.profile).toBe(7);
    expect(rig.server.srtp?.clientKey).toHaveLength(16);
    expect(rig.server.srtp?.clientSalt).toHaveLength(12);
  });
});
