/** Which packets belong to which stream, when a publisher goes over from one SSRC to another. */

import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../core/index.ts";
import { USUAL_TUNABLES } from "../../../core/tunables.ts";
import {
  check,
  createShardWorld,
  datagram,
  join,
  passMillis,
  sealRtp,
  sendRtp,
} from "../../support/shards/shard-world.ts";
import { vp8Packet } from "../../support/wire/media.ts";
import { offerOf } from "../../support/wire/offers.ts";

describe("a camera that is restarted", () => {
  it("is shown each time, under another SSRC and however often, and its old packets are not believed again", () => {
    const world = createShardWorld();
    const ana = join(world, { name: "ana", offer: offerOf([{ kind: "video", codecs: ["VP8"], ssrc: 1_000 }]) });
    const bob = join(world, { name: "bob", offer: offerOf([{ kind: "video", codecs: ["VP8"] }]) });
    const restarts = 3 * LIMITS.srtpStreamsPerPeerMax;
    const first = sealRtp(world, ana, vp8Packet({ ssrc: 1_000, sequence: 1, keyframe: true }));
    datagram(world, ana.flow, first);
    for (let i = 1; i <= restarts; i++) {
      for (const client of [ana, bob]) check(world, client, client.flow);
      passMillis(world, USUAL_TUNABLES.layerSilentMicros / 1_000 + 1);
      sendRtp(world, ana, vp8Packet({ ssrc: 1_000 + i, sequence: 1, keyframe: true, mid: "0" }));
    }
    expect(bob.rtp.length).toBe(restarts + 1);
    passMillis(world, USUAL_TUNABLES.layerSilentMicros / 1_000 + 1);
    datagram(world, ana.flow, first);
    expect(bob.rtp.length).toBe(restarts + 1);
    expect(world.shard.history.counters.rtpRefused).toBe(1);
  });
});
