/** Whether a publication flows, as rosters say it: by what comes of itself, not by what is repeated. */
import { describe, expect, it } from "vitest";
import { createShardWorld, join, passMillis, sendRtp } from "../../support/shards/shard-world.ts";
import { rtpPacket, vp8Packet } from "../../support/wire/media.ts";
import { offerOf, PAYLOAD_TYPE } from "../../support/wire/offers.ts";

const { VP8 } = PAYLOAD_TYPE;

describe("a publication that has fallen silent", () => {
  it("is said to be paused once, and repetitions that still come do not make it flow", () => {
    const world = createShardWorld();
    const offer = offerOf([{ kind: "video", codecs: ["VP8"], ssrc: 2000, rtxSsrc: 2001 }]);
    const ana = join(world, { name: "ana", offer });
    join(world, { name: "bob", offer: offerOf([{ kind: "video", codecs: ["VP8"] }]) });
    for (const sequence of [10, 11, 20])
      sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence, keyframe: sequence === 10 }));
    const told = () => world.events.filter((event) => event.type === "roster").length;
    const before = told();
    passMillis(world, 1_000);
    expect(told() - before).toBe(1);
    for (let i = 0; i < 5; i++) {
      const payload = [0, 12 + i, 0x90, 0x80, 1, 0x11];
      sendRtp(world, ana, rtpPacket({ payloadType: VP8 + 1, ssrc: 2001, sequence: 500 + i, timestamp: 0, payload }));
      passMillis(world, 40);
    }
    expect(world.shard.history.counters.rtpRecovered).toBe(5);
    expect(told() - before).toBe(1);
    sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 21 }));
    expect(told() - before).toBe(2);
  });

  it("is said to be paused even if its owner was taken for idle while it flowed", () => {
    const plain = createShardWorld();
    const faults = { fires: (site: string) => site === "flow/seems-idle" };
    const world = { ...plain, ports: { ...plain.ports, faults } };
    const ana = join(world, { name: "ana", offer: offerOf([{ kind: "video", codecs: ["VP8"], ssrc: 2000 }]) });
    const flowing = () => {
      const roster = world.events.findLast((event) => event.type === "roster");
      return roster?.participants[0]?.publications[0]?.flowing;
    };
    sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 10, keyframe: true }));
    expect(flowing()).toBe(true);
    passMillis(world, 1_000);
    expect(flowing()).toBe(false);
    sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 11 }));
    expect(flowing()).toBe(true);
  });
});
