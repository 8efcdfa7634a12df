/**
 * For which layer keyframes are asked, how often, and for whom: of a camera whose upper layer comes and goes, as it does on
 * an uplink that is too narrow for it, or of one that is far away.
 */
import { describe, expect, it } from "vitest";
import { rttSample } from "../../../core/media/rtt.ts";
import { USUAL_TUNABLES } from "../../../core/tunables.ts";
import { feedbackMediaSsrc, isPli, writePli } from "../../../core/wire/rtcp-feedback.ts";
import { createShardCluster, passTogether, relay, type ShardCluster } from "../../support/shards/shard-cluster.ts";
import { join, sendRtcp, sendRtp, type TestClient } from "../../support/shards/shard-world.ts";
import { vp8Packet } from "../../support/wire/media.ts";
import { offerOf } from "../../support/wire/offers.ts";

const FRAME_MILLIS = 50;
/** So many pictures of a layer are missing when it is taken for gone. */
const SILENT_FRAMES = USUAL_TUNABLES.layerSilentMicros / (1_000 * FRAME_MILLIS);
const SSRC = { q: 11, h: 22 } as const;
type Layer = keyof typeof SSRC;

/** A camera of two layers, and what it has been asked for. */
interface Camera {
  readonly cluster: ShardCluster;
  readonly ana: TestClient;
  readonly sent: Record<Layer, number>;
}

/** A camera on shard 0 of so many; the room is there as well. */
function createCamera(shards = 1): Camera {
  const cluster = createShardCluster(shards);
  const ana = enter(cluster, 0, "ana", offerOf([{ kind: "video", rids: ["q", "h"] }]));
  return { cluster, ana, sent: { q: 0, h: 0 } };
}

function enter(cluster: ShardCluster, shard: number, name: string, offer = offerOf([{ kind: "video" }])): TestClient {
  const client = join(cluster.worlds[shard]!, { name, offer, home: 0 });
  relay(cluster);
  return client;
}

/** Sends one picture of each of these layers, and lets the time of one pass; `key` names those that are keyframes. */
function film({ cluster, ana, sent }: Camera, layers: readonly Layer[], key: readonly Layer[] = []): void {
  for (const rid of layers) {
    const keyframe = key.includes(rid);
    const width = rid === "q" ? 320 : 640;
    const packet = { ssrc: SSRC[rid], sequence: 100 + sent[rid]++, keyframe, mid: "0", rid, width };
    sendRtp(cluster.worlds[0]!, ana, vp8Packet(packet));
    relay(cluster);
  }
  passTogether(cluster, FRAME_MILLIS);
}

/** How often keyframes of a layer have been asked for. */
function askedFor({ ana }: Camera, rid: Layer): number {
  return ana.rtcp.filter((packet) => isPli(packet, 0) && feedbackMediaSsrc(packet, 0) === SSRC[rid]).length;
}

/** Films for so many seconds; the upper layer comes for some pictures at a time, and stays away until it is taken for gone. */
function flap(camera: Camera, seconds: number): void {
  const present = 3;
  const period = present + SILENT_FRAMES + 1;
  const answered = { q: askedFor(camera, "q"), h: askedFor(camera, "h") };
  for (let i = 0; i < (seconds * 1_000) / FRAME_MILLIS; i++) {
    const layers: Layer[] = i % period < present ? ["q", "h"] : ["q"];
    const key = layers.filter((rid) => askedFor(camera, rid) > answered[rid]);
    for (const rid of key) answered[rid] = askedFor(camera, rid);
    film(camera, layers, key);
  }
}

/** Films until everybody sees the upper layer. */
function begin(camera: Camera): void {
  for (let i = 0; i < 10; i++) film(camera, ["q", "h"], ["q", "h"]);
}

describe("a publisher who is far away", () => {
  it.each([1, 2])("is not asked again before he can have answered, by viewers on the last of %i shards", (shards) => {
    const camera = createCamera(shards);
    const [world] = camera.cluster.worlds;
    const [publisher] = world!.shard.participants.values();
    rttSample(publisher!.rtt, 1_200_000);
    film(camera, ["q"]);
    enter(camera.cluster, shards - 1, "bob");
    for (let passed = 0; passed < 1_150; passed += FRAME_MILLIS) film(camera, ["q"]);
    expect(askedFor(camera, "q")).toBe(1);
    for (let passed = 0; passed < 100; passed += FRAME_MILLIS) film(camera, ["q"]);
    expect(askedFor(camera, "q")).toBe(2);
  });
});

describe("an upper layer that comes and goes", () => {
  it("has its publisher asked for keyframes more and more rarely, as each switch needs one", () => {
    const camera = createCamera();
    enter(camera.cluster, 0, "bob");
    begin(camera);
    flap(camera, 15);
    const { keyframeAgainLastMicros } = camera.cluster.worlds[0]!.shard.tunables;
    const most = 3 + 15_000_000 / keyframeAgainLastMicros;
    expect(askedFor(camera, "q")).toBeLessThanOrEqual(most);
    expect(askedFor(camera, "h")).toBeLessThanOrEqual(most);
    expect(askedFor(camera, "h")).toBeGreaterThan(3);
  });

  it("lets no one who has yet to begin wait for that", () => {
    const camera = createCamera();
    enter(camera.cluster, 0, "bob");
    begin(camera);
    flap(camera, 15);
    for (let i = 0; i < 600 / FRAME_MILLIS; i++) film(camera, ["q"]);
    const before = askedFor(camera, "q");
    enter(camera.cluster, 0, "carol");
    passTogether(camera.cluster, 10);
    expect(askedFor(camera, "q")).toBe(before + 1);
  });
});

describe.each([
  ["here", 1],
  ["on another shard", 2],
])("a viewer %s", (_where, shards) => {
  function call(): { camera: Camera; bob: TestClient } {
    const camera = createCamera(shards);
    const bob = enter(camera.cluster, shards - 1, "bob");
    begin(camera);
    return { camera, bob };
  }

  function ask({ cluster }: Camera, viewer: TestClient): void {
    const bytes = new Uint8Array(64);
    const length = writePli(bytes, 0, 1, viewer.rtp[0]!.ssrc);
    sendRtcp(cluster.worlds[shards - 1]!, viewer, bytes.slice(0, length));
    relay(cluster);
  }

  it("who is back at the layer that he has never left needs no keyframe of it", () => {
    const { camera, bob } = call();
    const before = askedFor(camera, "h");
    for (let i = 0; i < SILENT_FRAMES + 2; i++) film(camera, ["q"]);
    expect(askedFor(camera, "q")).toBeGreaterThan(0);
    for (let i = 0; i < 20; i++) film(camera, ["q", "h"]);
    expect(askedFor(camera, "h")).toBe(before);
    const shown = bob.rtp.length;
    film(camera, ["q", "h"]);
    expect(bob.rtp.length).toBe(shown + 1);
  });

  it("who has gone over to another layer wishes nothing of the former one any more", () => {
    const { camera, bob } = call();
    ask(camera, bob);
    const before = askedFor(camera, "h");
    expect(before).toBeGreaterThan(0);
    for (let i = 0; i < SILENT_FRAMES + 2; i++) film(camera, ["q"]);
    film(camera, ["q"], ["q"]);
    const gone = askedFor(camera, "h");
    for (let i = 0; i < 200; i++) film(camera, ["q"]);
    expect(askedFor(camera, "h")).toBe(gone);
  });

  it("who has yet to begin wishes for the best layer, and not for the one that is gone, though others are still shown that", () => {
    const { camera } = call();
    for (let i = 0; i < SILENT_FRAMES + 2; i++) film(camera, ["q"]);
    const before = { q: askedFor(camera, "q"), h: askedFor(camera, "h") };
    const carol = enter(camera.cluster, shards - 1, "carol");
    for (let i = 0; i < 100; i++) film(camera, ["q"]);
    expect(askedFor(camera, "h")).toBe(before.h);
    expect(askedFor(camera, "q")).toBeGreaterThan(before.q);
    film(camera, ["q"], ["q"]);
    expect(carol.rtp.length).toBe(1);
  });

  it("who waits to begin with a layer that goes away waits for the next best instead", () => {
    const camera = createCamera(shards);
    for (let i = 0; i < 3; i++) film(camera, ["q", "h"], ["q", "h"]);
    enter(camera.cluster, shards - 1, "bob");
    film(camera, ["q", "h"]);
    expect(askedFor(camera, "h")).toBe(1);
    for (let i = 0; i < SILENT_FRAMES + 100; i++) film(camera, ["q"]);
    expect(askedFor(camera, "h")).toBeLessThanOrEqual(2);
    expect(askedFor(camera, "q")).toBeGreaterThan(2);
  });
});
