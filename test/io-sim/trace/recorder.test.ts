/** Whether a trace says what happened, whole and bounded, and whether to look changes nothing. */
import { beforeAll, describe, expect, it } from "vitest";
import { at, buggify, ms, percent, seconds } from "../../../io-sim/index.ts";
import { linkCounters } from "../../../io-sim/link/index.ts";
import type { Trace } from "../../../io-sim/trace/trace.ts";
import { run, type Verdict } from "../../../io-sim/world/run.ts";
import { smallStory } from "../../support/stories/small-story.ts";
import { tracedStory, traceStory } from "../../support/stories/traced-story.ts";

let trace: Trace;
let verdict: Verdict;

beforeAll(() => {
  ({ trace, verdict } = traceStory(tracedStory(), 1));
});

/** The states of a strip in order. */
function statesOf(viewer: string, source: string): string[] {
  const strip = trace.strips.find((candidate) => candidate.viewer === viewer && candidate.source === source);
  return strip?.segments.map(({ state }) => state) ?? [];
}

describe("a traced run", () => {
  it("has the fingerprint of the same run untraced", () => {
    expect(verdict.fingerprint).toBe(run(tracedStory(), 1).fingerprint);
  });

  it("gives the same trace twice", () => {
    const again = traceStory(tracedStory(), 1).trace;
    expect(JSON.stringify([again.messages, again.strips, again.rows, [...again.ticks.series]])).toBe(
      JSON.stringify([trace.messages, trace.strips, trace.rows, [...trace.ticks.series]]),
    );
  });

  it("has every datagram that reached the server, in the order of time", () => {
    const arrived = trace.packets.filter(({ surface, direction }) => surface === "encrypted" && direction === "up");
    const delivered = [...verdict.world.peers.values()].reduce((sum, { up }) => sum + linkCounters(up).delivered, 0);
    expect(arrived).toHaveLength(delivered);
    expect(trace.packets.every(({ at }, index) => index === 0 || at >= trace.packets[index - 1]!.at)).toBe(true);
  });

  it("has the datagrams as they arrived, although the core opens them where they lie", () => {
    const journal = run(tracedStory(), 1, { journal: true }).journal!.split("\n");
    const told = journal.filter((line) => line.includes('"type":"datagram"')).map((line) => JSON.parse(line).bytes);
    const arrived = trace.packets.filter(({ surface, direction }) => surface === "encrypted" && direction === "up");
    expect(arrived.map(({ bytes }) => Buffer.from(bytes).toString("base64"))).toEqual(told);
  });

  it("has every dropped packet with the reason that the link has counted", () => {
    const dropped = trace.packets.filter(({ surface }) => surface === "dropped");
    const counters = linkCounters(verdict.world.peers.get("bob")!.down);
    expect(dropped.filter(({ peer, reason }) => peer === "bob" && reason === "cut")).toHaveLength(
      counters.droppedByCut,
    );
    expect(trace.drops).toContainEqual({
      peer: "bob",
      direction: "down",
      reason: "cut",
      count: counters.droppedByCut,
    });
  });

  it("shows as many plain packets as clients have opened", () => {
    const opened = trace.packets.filter(({ surface, direction }) => surface === "decrypted" && direction === "down");
    const counted = [...verdict.world.peers.values()].reduce((sum, { client }) => sum + client!.media.opened, 0);
    expect(opened).toHaveLength(counted);
  });
});

describe("the strips", () => {
  it("say that a picture froze while nothing came", () => {
    expect(statesOf("bob", "ana/camera")).toEqual(["away", "waiting", "playing", "frozen", "playing"]);
  });

  it("say that a muted source is muted, not frozen", () => {
    expect(statesOf("bob", "ana/microphone").at(-1)).toBe("muted");
    expect(statesOf("bob", "ana/microphone")).not.toContain("frozen");
  });

  it("know nothing of other rooms", () => {
    expect(trace.strips.some(({ viewer, source }) => viewer === "next" || source.startsWith("next/"))).toBe(false);
  });
});

describe("the messages", () => {
  it("begin with the way into a call, in order", () => {
    const first = trace.messages.filter(({ from, to }) => [from, to].includes("ana")).map(({ text }) => text);
    const way = ["join request", "joined", "check", "check answered", "ClientHello"];
    expect(first.slice(0, way.length)).toEqual(way);
  });

  it("have a row of its own for a request for a keyframe", () => {
    const asked = trace.messages.filter(({ kind }) => kind === "keyframe");
    expect(asked.length).toBeGreaterThan(0);
  });
});

describe("the numbers", () => {
  it("add up to what the link has carried", () => {
    const counters = linkCounters(verdict.world.peers.get("ana")!.up);
    const sent = trace.ticks.series.get("link/ana/up/delivered")!.values.reduce((sum, value) => sum + value, 0);
    expect(sent).toBe(counters.deliveredBytes + 28 * counters.delivered);
  });

  it("know what a link carries", () => {
    const carries = trace.ticks.series.get("link/ana/down/capacity")!.values;
    expect([carries[0], carries.at(-1)]).toEqual([-1, 200_000]);
  });

  it("tell a link that carries nothing for a while from one without end", () => {
    const steps = [
      { atMicros: 0, bps: 2_000_000 },
      { atMicros: 1_000_000, bps: 0 },
    ];
    const plan = smallStory();
    const peers = plan.peers.map((peer) => ({
      ...peer,
      down: { ...peer.down, capacity: { kind: "steps" as const, steps, repeatMicros: 2_000_000 } },
    }));
    const { trace: traced } = traceStory({ ...plan, peers }, 1);
    const carries = traced.ticks.series.get("link/ana/down/capacity")!.values;
    expect(new Set(carries)).toEqual(new Set([0, 2_000_000]));
  });

  it("show a queue where a link was made narrow, and none before", () => {
    const queue = trace.ticks.series.get("link/ana/down/queue")!.values;
    const narrowAt = Math.floor((trace.zeroAt + 2_200_000 - trace.startsAt) / trace.ticks.tickMicros);
    expect(Math.max(...queue.slice(0, narrowAt))).toBe(0);
    expect(Math.max(...queue.slice(narrowAt))).toBeGreaterThan(1_000);
  });
});

describe("the estimate of a browser", () => {
  it("climbs from where it begins while nothing is lost", () => {
    const peers = {
      ana: { persona: "chromium" as const, sends: { camera: "vp8-simulcast" as const } },
      bob: { receives: { video: 1 } },
    };
    const { trace: traced } = traceStory(smallStory({ peers, runFor: seconds(2) }), 1);
    const estimate = traced.ticks.series.get("estimate/ana/bandwidth up")!.values;
    expect(estimate.find((bps) => bps > 0)).toBe(300_000);
    expect(estimate.at(-1)).toBeGreaterThan(300_000);
  });
});

describe("places that fail on purpose", () => {
  it("are in the trace with the counts of the run, and no others are", () => {
    const steps = [at(ms(100), "it loses packets", buggify(["host/send-refused"], percent(20)))];
    const failing = traceStory(smallStory({ timeline: steps, runFor: seconds(1) }), 1);
    const { reached, fired } = failing.verdict.world.sites.counts.get("host/send-refused")!;
    expect(fired).toBeGreaterThan(0);
    expect(failing.trace.sites).toEqual([{ site: "host/send-refused", reached, fired }]);
    expect(trace.sites).toEqual([]);
  });
});

describe("a trace with little room", () => {
  it("keeps the first and the latest packets, and counts the others", () => {
    const { trace: small } = traceStory(tracedStory(), 1, 100);
    expect(small.packets).toHaveLength(100);
    expect(small.forgotten.packets).toBe(trace.packets.length - 100);
    expect(small.packets[0]).toEqual(trace.packets[0]);
    expect(small.packets.at(-1)).toEqual(trace.packets.at(-1));
  });
});

describe("a traced run over several shards", () => {
  const story = smallStory({
    shards: { count: 2, delay: ms(1), loss: percent(5) },
    peers: {
      ana: { sends: { camera: "vp8", microphone: true }, shard: 0 },
      bob: { receives: { audio: 1, video: 1 }, shard: 1 },
    },
    runFor: seconds(2),
  });

  it("tells what crosses between the shards, whose it is, and what gets lost there", () => {
    const { messages } = traceStory(story, 1).trace;
    const crossing = messages.filter(({ from, to }) => from === 0 && to === 1);
    const words = new Set(crossing.map(({ kind, text }) => `${kind}: ${text}`));
    expect(words).toContain("relay: ana's pictures (VP8)");
    expect(words).toContain("relay: ana's sound (Opus)");
    expect(words).toContain("drop: lost between shards: ana's pictures (VP8)");
    const back = messages.filter(({ from, to }) => from === 1 && to === 0).map(({ text }) => text);
    expect(back.some((text) => /^mail: .*attach/.test(text))).toBe(true);
  });

  it("says who is at which shard, and has each packet at the door that it passes", () => {
    const { trace: traced, verdict: outcome } = traceStory(story, 1);
    expect(traced.shards.map(({ name }) => name)).toEqual(["shard 0", "shard 1"]);
    expect(traced.peers.map(({ name, shard }) => [name, shard])).toEqual([
      ["ana", 0],
      ["bob", 1],
    ]);
    for (const { peer, direction, source, target } of traced.packets) {
      const server = direction === "up" ? target : source;
      expect([peer, traced.shards.findIndex(({ addresses }) => addresses.includes(server))]).toEqual([
        peer,
        peer === "ana" ? 0 : 1,
      ]);
    }
    expect(outcome.fingerprint).toBe(run(story, 1).fingerprint);
  });

  it("counts for each shard, and measures what goes over each way and what is lost there", () => {
    const { ticks } = traceStory(story, 1).trace;
    const last = (name: string) => ticks.series.get(name)?.values.at(-1) ?? 0;
    const sum = (name: string) => (ticks.series.get(name)?.values ?? []).reduce((all, value) => all + value, 0);
    expect(last("counts/shard 0/rtpReceived")).toBeGreaterThan(100);
    expect(last("counts/shard 1/relayPacketsReceived")).toBeGreaterThan(100);
    expect(sum("way/0 to 1/packets")).toBeGreaterThan(10_000);
    expect(sum("way/0 to 1/lost")).toBeGreaterThan(0);
    expect(sum("way/1 to 0/packets")).toBe(0);
  });
});
