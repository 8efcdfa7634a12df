/** Whether excuses are counted, reach no further than their reasons, and none is left that nobody needs. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { micros } from "../../../core/index.ts";
import { EVENT_CLASS, schedule } from "../../../io-sim/base/event-loop.ts";
import { at, buggify, kbps, link, misbehave, ms, mute, percent, seconds, unmute } from "../../../io-sim/index.ts";
import {
  EXCUSES,
  excused,
  failedInTime,
  failedToKnow,
  failedToSend,
  hasMisbehaved,
  spoilsStreams,
} from "../../../io-sim/oracles/excuses.ts";
import { createPromiseBook } from "../../../io-sim/oracles/promises.ts";
import type { LinkOptions } from "../../../io-sim/story/link-options.ts";
import { type RunOptions, run } from "../../../io-sim/world/run.ts";
import type { World } from "../../../io-sim/world/world.ts";
import { createWorld } from "../../../io-sim/world/world.ts";
import { smallStory } from "../../support/stories/small-story.ts";

const FOLDER = new URL("../../../io-sim/oracles/", import.meta.url);

/** No picture ever leaves the server, nor a report that would speak of one. */
const VOICES_ALONE: RunOptions = {
  sabotage: (target, bytes) => {
    const isPicture = bytes[0]! >= 128 && bytes.length > 200 && !(bytes[1]! >= 192 && bytes[1]! <= 223);
    return isPicture || bytes[1] === 200 ? [] : [{ target, bytes }];
  },
};

/** Long enough for what a way with a narrow place explains: that repetitions get lost too. */
const PATIENCE = seconds(18);

function callOver(link: LinkOptions) {
  const media = { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 } } as const;
  return smallStory({ peers: { ana: { ...media, link }, bob: { ...media, link } }, runFor: PATIENCE });
}

/**
 * From a while after the beginning on, the server has what each new report says of pictures 5 ms late; or what the first one
 * says of each stream, and no other.
 */
function withPicturesLate(from: number, which: "each" | "first" = "each"): RunOptions {
  const seen = new Map<object, number>();
  const makeLate = (world: World) => {
    for (const { publication, clock } of world.node.shard.streams.values()) {
      if (publication.kind !== "video" || seen.get(clock) === clock.reports) continue;
      seen.set(clock, clock.reports);
      if (which === "each" || clock.reports === 1) clock.reportTimestamp = (clock.reportTimestamp - 450) >>> 0;
    }
  };
  return {
    onWorld: (world) => {
      for (let after = from; after < from + seconds(2); after += ms(10)) {
        schedule(world.loop, micros(world.loop.now + after), EVENT_CLASS.STEP, () => makeLate(world));
      }
    },
  };
}

/** A small story's world, in which time zero has passed when it is said to have. */
function worldOf(change: Parameters<typeof smallStory>[0]): World {
  return createWorld(smallStory(change), 1);
}

describe("an excuse", () => {
  it("is counted where it applies, and nowhere else", () => {
    const book = createPromiseBook({ now: 0, ran: 0 });
    expect([excused(book, "no way", true), excused(book, "bad habit", false), excused(book, "no way", true)]).toEqual([
      true,
      false,
      true,
    ]);
    expect([...book.excuses]).toEqual([["no way", 2]]);
  });

  it("is one that some oracle asks for, each of them", () => {
    const text = readdirSync(FOLDER).map((file) => readFileSync(new URL(file, FOLDER), "utf8"));
    const asked = new Set([...text.join("\n").matchAll(/excused\(\s*book,\s*"([^"]+)"/g)].map((match) => match[1]!));
    expect(Object.keys(EXCUSES).filter((name) => !asked.has(name))).toEqual([]);
  });
});

describe("a way that carries nothing", () => {
  it("is not one that has a rate and carries all that is sent: whoever waits there is owed a picture", () => {
    const wide = run(callOver({ up: kbps(50_000), down: kbps(50_000) }), 1, VOICES_ALONE);
    expect([wide.promise, wide.excused.get("no way")]).toEqual(["L1", undefined]);
  });

  it("is one that is too narrow for a call, and then it is said how often that counted", () => {
    const narrow = run(callOver({ down: kbps(900) }), 1, VOICES_ALONE);
    expect(narrow.promise).toBe("");
    expect(narrow.excused.get("no way")).toBeGreaterThan(0);
  });
});

describe("a bad habit", () => {
  it("spoils streams only where it makes packets of them that follow no rule", () => {
    const habits = [
      at(0, "ana asks for a lot", misbehave("ana", "pli-storm", 1_000)),
      at(0, "bob sends what nobody knows", misbehave("bob", "ssrc-collision", 1_000)),
    ];
    const world = worldOf({ timeline: habits });
    expect(["ana", "bob", "next"].map((name) => spoilsStreams(world, name))).toEqual([false, true, false]);
  });

  it("excuses nobody who has not got it yet", () => {
    const world = worldOf({ timeline: [at(seconds(2), "ana lies", misbehave("ana", "lying-feedback", 1_000))] });
    expect(hasMisbehaved(world, "ana")).toBe(false);
    world.zeroAt = world.loop.now;
    expect(hasMisbehaved(world, "ana")).toBe(false);
    world.zeroAt -= 2_000_000;
    expect([hasMisbehaved(world, "ana"), hasMisbehaved(world, "bob")]).toEqual([true, false]);
  });
});

describe("a clock that no report has told yet", () => {
  const simulcast = { camera: "vp8-simulcast", microphone: true } as const;

  it("excuses lips that are off his voice when a layer begins over a way that has become quicker", () => {
    const narrow = { up: kbps(400), delay: ms(90) };
    const receives = { audio: 1, video: 1 };
    const bob = { persona: "chromium", sends: simulcast, receives, link: narrow } as const;
    const healed = at(seconds(6), "bob comes home", link("bob", { up: 0, delay: ms(10) }));
    const verdict = run(smallStory({ peers: { ana: { receives }, bob }, timeline: [healed], runFor: seconds(14) }), 1);
    expect(verdict.promise).toBe("");
    expect(verdict.excused.get("no report yet")).toBeGreaterThan(0);
  });

  it("excuses nothing from the first report of a stream on, however slow its way is", () => {
    const slow = { up: kbps(2_500), delay: ms(30), queue: { time: seconds(3) } };
    const peers = { ana: { sends: simulcast, link: slow }, bob: { receives: { audio: 1, video: 1 } } };
    const timeline = [
      at(0, "ana comes with her camera covered", mute("ana", "camera")),
      at(seconds(7), "and uncovers it", unmute("ana", "camera")),
    ];
    const story = smallStory({ peers, timeline, runFor: seconds(11) });
    expect(run(story, 1).promise).toBe("");
    const breach = run(story, 1, withPicturesLate(seconds(7), "first")).broken;
    expect(breach?.detail).toMatch(/^bob was told to play ana's lips \d+ µs off his voice/);
  });

  it("excuses nothing once a report has come, however much is lost on the way", () => {
    const lossy = { loss: percent(3), jitter: ms(10) };
    const peers = { ana: { sends: simulcast, link: lossy }, bob: { receives: { audio: 1, video: 1 } } };
    const story = smallStory({ peers, runFor: seconds(9) });
    expect(run(story, 1).promise).toBe("");
    const breach = run(story, 1, withPicturesLate(seconds(7))).broken;
    expect(breach?.detail).toMatch(/^bob was told to play ana's lips \d+ µs off his voice/);
  });
});

describe("a failure that was injected", () => {
  /** A world in which this site has failed a second after the beginning, and another one has passed since. */
  function failedAfterOneSecond(site: string): World {
    const world = worldOf({ timeline: [at(0, "it fails", buggify([site], percent(1)))] });
    world.sites.fired = 1;
    world.sites.counts.set(site, { reached: 1, fired: 1, firedAt: [world.loop.now + 1_000_000] });
    world.loop.now = micros(world.loop.now + 2_000_000);
    return world;
  }

  it("excuses what it can have caused, and nothing else", () => {
    const causes = (site: string) => {
      const world = failedAfterOneSecond(site);
      return [failedToSend(world, 0), failedToKnow(world, 0), failedInTime(world, 0)];
    };
    expect(causes("host/send-refused")).toEqual([1, 0, 0]);
    expect(causes("rtcp/sender-report-missed")).toEqual([0, 1, 0]);
    expect(causes("host/timer-late")).toEqual([0, 0, 1]);
    expect(causes("join/ufrag-taken")).toEqual([0, 0, 0]);
  });

  it("excuses nothing that was before it or long after it", () => {
    const world = failedAfterOneSecond("host/send-refused");
    const { now } = world.loop;
    const at = now - 1_000_000;
    expect([failedToSend(world, at), failedToSend(world, at + 1)]).toEqual([1, 0]);
    expect([failedToSend(world, 0, at), failedToSend(world, 0, at - 1)]).toEqual([1, 0]);
  });
});

describe("a failure of long ago", () => {
  const FAILED_ONCE = [
    at(seconds(1), "what is sent gets lost", buggify(["host/send-refused"], percent(20))),
    at(seconds(1.2), "no longer", buggify(["host/send-refused"], 0)),
  ];
  const story = smallStory({ timeline: FAILED_ONCE, runFor: seconds(6) });
  /** Has bob get one more packet, made of his last one, with his first report behind the fourth second. */
  function withOneMore(change: (packet: Uint8Array) => void): RunOptions {
    let world: World;
    let last: Uint8Array | undefined;
    let done = false;
    return {
      onWorld: (made) => {
        world = made;
      },
      sabotage: (target, bytes) => {
        if (!target.startsWith("10.0.0.2:") || bytes[0]! < 128) return [{ target, bytes }];
        const isReport = bytes[1]! >= 192 && bytes[1]! <= 223;
        if (!isReport) last = bytes.slice();
        const isTime = world.zeroAt > 0 && world.loop.now > world.zeroAt + 4_000_000;
        if (!isReport || !isTime || done || last === undefined) return [{ target, bytes }];
        done = true;
        change(last);
        return [
          { target, bytes },
          { target, bytes: last },
        ];
      },
    };
  }

  it("excuses itself", () => {
    const verdict = run(story, 1);
    expect([verdict.promise, verdict.world.sites.fired > 10]).toEqual(["", true]);
  });

  it("does not excuse a packet out of nothing", () => {
    const ahead = withOneMore((packet) => {
      packet[3] = (packet[3]! + 9) & 0xff;
    });
    expect(run(story, 1, ahead).promise).toBe("S8");
  });

  it("does not excuse a packet from before its stream began", () => {
    const early = withOneMore((packet) => {
      packet[2] = packet[2]! ^ 0x80;
    });
    expect(run(story, 1, early).broken?.detail).toContain("from before the stream began");
  });
});

describe("the newest packet of a source that has fallen silent", () => {
  const hidden = smallStory({
    timeline: [
      at(0, "statistics miss packets", buggify(["rtp/statistics-missed"], percent(50))),
      at(seconds(0.4), "ana's camera is off", mute("ana", "camera")),
      at(seconds(1), "statistics are well again", buggify(["rtp/statistics-missed"], 0)),
    ],
    runFor: seconds(6),
  });

  it.each([1, 2, 3, 4])("stays unknown when a failure has hidden it", (seed) => {
    expect(run(hidden, seed).promise).toBe("");
  });
});

describe("a failure before a client has its connection", () => {
  const bob = {
    sends: { microphone: true },
    receives: { audio: 1 },
    link: { direction: "down", loseDtls: [1] },
  } as const;
  const story = smallStory({ peers: { ana: { sends: { microphone: true } }, bob }, runFor: seconds(3) });

  /** Keeps bob's first packet of sound from him, and has something fail then, or when everything has just begun. */
  function withoutTheFirst(fails: "then" | "at the beginning"): { options: RunOptions; droppedAt(): number } {
    let world: World;
    let droppedAt = 0;
    let begunAt = 0;
    return {
      droppedAt: () => droppedAt,
      options: {
        onWorld: (made) => {
          world = made;
          begunAt = made.loop.now;
        },
        sabotage: (target, bytes) => {
          const isSound = bytes[0]! >= 128 && !(bytes[1]! >= 192 && bytes[1]! <= 223);
          if (!target.startsWith("10.0.0.2:") || !isSound || droppedAt > 0) return [{ target, bytes }];
          droppedAt = world.loop.now;
          world.sites.fired = 1;
          const firedAt = [fails === "then" ? droppedAt : begunAt];
          world.sites.counts.set("host/send-refused", { reached: 1, fired: 1, firedAt });
          return [];
        },
      },
    };
  }

  it("excuses a report that counts what it has kept back, once the server has the connection", () => {
    const { options, droppedAt } = withoutTheFirst("then");
    const verdict = run(story, 1, options);
    expect(verdict.broken?.detail ?? "").toBe("");
    expect(verdict.excused.get("failed to send")).toBeGreaterThan(0);
    expect(droppedAt()).toBeLessThan(verdict.world.peers.get("bob")!.client!.connectedAt);
  });

  it("does not excuse it if the server had no connection yet either", () => {
    const verdict = run(story, 1, withoutTheFirst("at the beginning").options);
    expect(verdict.broken?.detail).toMatch(/^bob was told of \d+ packets when \d+ had been sent/);
  });
});

describe("the beginning of a stream", () => {
  const narrow = { direction: "up", up: kbps(300), queue: 10_000 } as const;
  const sends = { camera: "vp8-simulcast" } as const;
  const story = smallStory({
    peers: { ana: { receives: { video: 1 } }, bob: { sends, link: narrow } },
    timeline: [at(0, "a name is not believed", buggify(["rtp/introduction-refused"], percent(30)))],
    runFor: seconds(2),
  });

  /** The server's reports to bob say that so many more packets of each of his streams are lost. */
  function withMoreLost(more: number): RunOptions {
    return {
      onWorld: ({ watchers }) => {
        for (const watcher of watchers) {
          const control = watcher.control?.bind(watcher);
          if (control === undefined) continue;
          watcher.control = (client, sealed, plain) => {
            const told = plain.slice();
            const view = new DataView(told.buffer);
            const blocks = told[1] === 201 ? told[0]! & 31 : 0;
            for (let at = 8; at < 8 + 24 * blocks; at += 24) view.setUint16(at + 6, view.getUint16(at + 6) + more);
            control(client, sealed, told);
          };
        }
      },
    };
  }

  it("is the first packet that no failure has hidden: what was lost before it is not missing", () => {
    const verdict = run(story, 4);
    expect(verdict.broken?.detail ?? "").toBe("");
    expect(verdict.excused.get("failed to know")).toBeGreaterThan(0);
  });

  it.each([4, -4])("excuses no other count of what is lost", (more) => {
    expect(run(story, 4, withMoreLost(more)).broken?.detail).toMatch(/^A report has -?\d+ of bob's stream \d+ lost/);
  });
});
