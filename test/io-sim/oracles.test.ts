/**
 * Whether each oracle cries out when what it watches is sabotaged. Every case breaks one thing in an otherwise sound run,
 * and the run must end with the promise that the thing was about; the first case shows that the run is sound.
 */

import { describe, expect, it } from "vitest";
import { MISTAKES } from "../../bench/planted/mistakes.ts";
import { MICROS_ORIGIN, type Micros, micros, NEVER } from "../../core/index.ts";
import { createRoom } from "../../core/sfu/room.ts";
import { USUAL_TUNABLES } from "../../core/tunables.ts";
import { EVENT_CLASS, schedule } from "../../io-sim/base/event-loop.ts";
import { readBody } from "../../io-sim/client/frame-body.ts";
import {
  at,
  cut,
  freezes,
  garbage,
  join,
  leave,
  ms,
  mute,
  plays,
  reconnect,
  seconds,
  unmute,
} from "../../io-sim/index.ts";
import { linkCounters } from "../../io-sim/link/index.ts";
import { PROMISES, type PromiseId } from "../../io-sim/oracles/promises.ts";
import type { Effect } from "../../io-sim/world/recording-outbox.ts";
import { type RunOptions, run } from "../../io-sim/world/run.ts";
import type { World } from "../../io-sim/world/world.ts";
import { smallStory } from "../support/stories/small-story.ts";

/** The promises that a sabotaged run here has broken. */
const shown = new Set<PromiseId>();

/** The promise that the sabotaged run breaks first, or "" when it holds. */
function broken(options: RunOptions, change: Parameters<typeof smallStory>[0] = {}): PromiseId | "" {
  const { promise } = run(smallStory(change), 1, options);
  if (promise !== "") shown.add(promise);
  return promise;
}

/** Does something to the world once, so many microseconds after its origin. */
function later(span: number, act: (world: World) => void): RunOptions {
  return {
    onWorld: (world) => {
      schedule(world.loop, micros(world.loop.now + span), EVENT_CLASS.STEP, () => act(world));
    },
  };
}

function isMedia(bytes: Uint8Array): boolean {
  return bytes[0]! >= 128 && !(bytes[1]! >= 192 && bytes[1]! <= 223);
}

/** Sends everything, and what `more` adds to each datagram of media. */
function sabotageMedia(more: (bytes: Uint8Array, count: number) => readonly Uint8Array[]): RunOptions {
  let count = 0;
  return {
    sabotage: (target, bytes) =>
      (isMedia(bytes) ? more(bytes, count++) : [bytes]).map((sent) => ({ target, bytes: sent })),
  };
}

function withByte(bytes: Uint8Array, offset: number, change: number): Uint8Array {
  const copy = bytes.slice();
  copy[offset] = copy[offset]! ^ change;
  return copy;
}

describe("a sound run", () => {
  it("holds", () => {
    const steps = [at(seconds(1), "rubbish", garbage({ perSecond: 200, duration: seconds(1) }))];
    const verdict = run(smallStory({ timeline: steps, finally: [plays("bob", "ana/camera")] }), 1);
    expect(verdict.broken).toBeUndefined();
  });
});

describe("S0", () => {
  it("breaks when the server throws", () => {
    const act = (world: World) => {
      world.node.shard.flows.get = () => {
        throw new RangeError("no such flow");
      };
    };
    expect(broken(later(1_000_000, act))).toBe("S0");
  });
});

/** Has somebody see a picture of ana's camera, or of another source, that nobody has seen. */
function seesAna(world: World, who: string, sentAt: Micros, source = 1): void {
  const client = world.peers.get(who)!.client!;
  const passport = { source, layer: 0, keyframe: true, frame: 9_999, reference: 0 };
  client.ports.watcher.perceived(client, "2", "video", passport, sentAt);
}

describe("S1", () => {
  it("breaks when somebody perceives himself", () => {
    expect(broken(later(1_000_000, (world) => seesAna(world, "ana", world.loop.now)))).toBe("S1");
  });

  it("breaks when somebody perceives what nobody sends", () => {
    const { broken: breach } = run(
      smallStory(),
      1,
      later(1_000_000, (world) => seesAna(world, "bob", world.loop.now, 99)),
    );
    expect(breach?.detail).toBe("bob perceived a source that does not exist.");
  });

  it("breaks when somebody perceives the room next door", () => {
    expect(broken(later(1_000_000, (world) => seesAna(world, "next", world.loop.now)))).toBe("S1");
  });

  it("breaks when a picture is sent long after its owner has left, not when it was sent in time and waited", () => {
    const story = { timeline: [at(seconds(1), "ana leaves", leave("ana"))], runFor: seconds(8) };
    const waited = (micros: number) =>
      later(8_000_000, (world) => seesAna(world, "bob", (world.loop.now - micros) as Micros));
    expect(broken(waited(0), story)).toBe("S1");
    expect(broken(waited(6_500_000), story)).toBe("");
  });

  it("breaks when media goes to somebody who has left", () => {
    let kept: { target: string; bytes: Uint8Array } | undefined;
    const options: RunOptions = {
      sabotage: (target, bytes) => {
        if (isMedia(bytes) && target.startsWith("10.0.0.2:")) kept = { target, bytes };
        return kept === undefined ? [{ target, bytes }] : [{ target, bytes }, kept];
      },
    };
    expect(broken(options, { timeline: [at(seconds(2), "bob leaves", leave("bob"))] })).toBe("S1");
  });
});

describe("S2", () => {
  it("breaks when a packet goes out from before its stream began", () => {
    // Half of the 16-bit circle back.
    const early = sabotageMedia((bytes, count) => [count === 20 ? withByte(bytes, 2, 0x80) : bytes]);
    expect(run(smallStory(), 1, early).broken?.detail).toContain("from before the stream began");
  });

  it("breaks when a number that goes out is left out for no reason", () => {
    expect(broken(sabotageMedia((bytes, count) => (count === 200 ? [] : [bytes])))).toBe("S2");
  });
});

describe("S3", () => {
  it("breaks when a timestamp goes back", () => {
    // The lowest bit of the highest byte of the timestamp, far ahead and then back again.
    const tamper = (bytes: Uint8Array, count: number) => [count === 200 ? withByte(bytes, 4, 0x01) : bytes];
    expect(broken(sabotageMedia(tamper))).toBe("S3");
  });
});

describe("S4 and S6", () => {
  it("break when a screen has something to complain of", () => {
    const screen = (world: World) => world.peers.get("bob")!.client!.media.slots.find((slot) => slot.screen)!.screen!;
    for (const field of ["torn", "unreferenced", "garbled"] as const) {
      expect(
        broken(
          later(1_000_000, (world) => {
            screen(world)[field] = 1;
          }),
        ),
      ).toBe("S4");
    }
    expect(
      broken(
        later(1_000_000, (world) => {
          screen(world).pictureIdJumps = 1;
        }),
      ),
    ).toBe("S6");
  });
});

describe("S7", () => {
  it("breaks when one index seals two packets", () => {
    const tamper = (bytes: Uint8Array, count: number) =>
      count === 200 ? [bytes, withByte(bytes, bytes.length - 1, 1)] : [bytes];
    expect(broken(sabotageMedia(tamper))).toBe("S7");
  });

  it("breaks when a frame comes twice", () => {
    const act = (world: World) => {
      const { client } = world.peers.get("bob")!;
      const passport = { source: 1, layer: 0, keyframe: true, frame: 0, reference: 0 };
      const { mid } = client!.media.slots.find((slot) => slot.screen !== undefined)!;
      client!.ports.watcher.perceived(client!, mid, "video", passport, world.loop.now);
    };
    expect(broken(later(1_500_000, act))).toBe("S7");
  });

  it("holds when a packet is sent again as it was", () => {
    expect(broken(sabotageMedia((bytes, count) => (count % 50 === 0 ? [bytes, bytes] : [bytes])))).toBe("");
  });
});

describe("S11", () => {
  it("breaks when somebody is sent what is for another", () => {
    let count = 0;
    // Once all are connected.
    const isMisled = (bytes: Uint8Array) => isMedia(bytes) && count++ > 300;
    const sabotage = (target: string, bytes: Uint8Array) =>
      isMisled(bytes)
        ? ["10.0.0.1:20000", "10.0.0.2:20001"].map((each) => ({ target: each, bytes }))
        : [{ target, bytes }];
    expect(broken({ sabotage })).toBe("S11");
  });
});

describe("S12", () => {
  const timeline = [at(seconds(1), "rubbish", garbage({ perSecond: 200, duration: seconds(2) }))];

  it("breaks when a stranger gets more than three times what it sent", () => {
    const options: RunOptions = {
      onWorld: (world) => {
        world.attacker.bytesFrom.set("198.51.100.99:9", 100);
      },
      sabotage: (target, bytes) => [
        { target, bytes },
        { target: "198.51.100.99:9", bytes: new Uint8Array(40) },
      ],
    };
    expect(broken(options)).toBe("S12");
  });

  it("breaks when a stranger's datagram changes the state", () => {
    const options: RunOptions = {
      onWorld: (world) => {
        world.watchers.unshift({
          afterInput: () => {
            if (world.attacker.inHand) world.node.shard.rooms.set("ghost", createRoom(99, "ghost", 0, USUAL_TUNABLES));
          },
        });
      },
    };
    expect(broken(options, { timeline })).toBe("S12");
  });
});

describe("S13", () => {
  it("breaks when media is sent before the fingerprint is verified", () => {
    const early = new Uint8Array(60).fill(0x80);
    expect(
      broken({
        sabotage: (target, bytes) => [
          { target, bytes },
          { target, bytes: early },
        ],
      }),
    ).toBe("S13");
  });

  it("holds for an impostor, who is never connected and let go", () => {
    const peers = { ana: { sends: { camera: "vp8" as const } }, mallory: { receives: { video: 1 }, impostor: true } };
    const verdict = run(smallStory({ peers }), 1);
    expect([verdict.promise, verdict.world.peers.get("mallory")!.client!.status]).not.toContain("connected");
    expect(verdict.verdict).toBe("held");
  });
});

describe("S16", () => {
  it("breaks when a command is never answered", () => {
    expect(broken(later(1_000_000, (world) => world.node.replies.set(99, undefined)))).toBe("S16");
  });

  it("breaks when somebody leaves twice", () => {
    const options: RunOptions = {
      onWorld: (world) => {
        world.watchers.push({
          event: (event) => {
            if (event.type !== "left" || event.detail === "again") return;
            for (const watcher of world.watchers) watcher.event?.({ ...event, detail: "again" });
          },
        });
      },
    };
    expect(broken(options)).toBe("S16");
  });
});

describe("S18", () => {
  it("breaks when a packet is lost without a reason", () => {
    expect(broken(later(1_000_000, (world) => linkCounters(world.peers.get("ana")!.up).delivered--))).toBe("S18");
  });
});

describe("R3", () => {
  it("breaks when one input leads to more than those who are there explain", () => {
    const options: RunOptions = {
      onWorld: (world) => {
        const many = (effects: readonly Effect[]) =>
          world.loop.now > MICROS_ORIGIN + 1_000_000 ? Array.from({ length: 40 }, () => effects).flat() : effects;
        for (const watcher of world.watchers) {
          const afterInput = watcher.afterInput?.bind(watcher);
          if (afterInput === undefined) continue;
          watcher.afterInput = (input, effects, node) => afterInput(input, many(effects), node);
        }
      },
    };
    expect(broken(options)).toBe("R3");
  });
});

describe("L4", () => {
  it("breaks when a voice that was paused is not heard again", () => {
    const deafen = (world: World) => {
      const { slots } = world.peers.get("bob")!.client!.media;
      // Whatever comes is heard as of the moment before the pause.
      for (const { speaker } of slots) if (speaker !== undefined) speaker.heard.get = () => undefined;
    };
    const timeline = [
      at(seconds(1), "ana mutes herself", mute("ana", "microphone")),
      at(seconds(3), "and speaks again", unmute("ana", "microphone")),
    ];
    expect(broken(later(3_500_000, deafen), { timeline, runFor: seconds(9) })).toBe("L4");
  });
});

describe("L6", () => {
  it("breaks when something still waits after everyone has left", () => {
    const act = (world: World) =>
      schedule(world.loop, micros(world.loop.now + 3_600_000_000), EVENT_CLASS.STEP, () => {});
    expect(broken(later(1_000_000, act))).toBe("L6");
  });
});

describe("R1 and L7", () => {
  it("break when something of somebody remains", () => {
    const act = (world: World) => world.node.shard.rooms.set("ghost", createRoom(99, "ghost", 0, USUAL_TUNABLES));
    expect(broken(later(1_000_000, act))).toBe("R1");
  });

  it("break when a timer remains", () => {
    const act = (world: World) => {
      const { timers } = world.node.shard;
      timers.keys.push(-99);
      timers.deadlines.push(micros(world.loop.now + 3_600_000_000));
      timers.orders.push(timers.nextOrder++);
      timers.positions.set(-99, timers.keys.length - 1);
    };
    expect(broken(later(1_000_000, act))).toBe("L7");
    expect(run(smallStory(), 1).world.node.timerAt).toBe(NEVER);
  });
});

describe("L1", () => {
  it("breaks when nobody can connect", () => {
    const noDtls: RunOptions = {
      sabotage: (target, bytes) => (bytes[0]! >= 20 && bytes[0]! <= 63 ? [] : [{ target, bytes }]),
    };
    expect(broken(noDtls)).toBe("L1");
  });

  it("breaks when connecting takes longer than the links explain", () => {
    const act = (world: World) => {
      const client = world.peers.get("bob")!.client!;
      client.joinedAskedAt = micros(client.joinedAskedAt - 60_000_000);
    };
    expect(run(smallStory(), 1, later(3_000_000, act)).broken?.detail).toMatch(/^bob took \d+ µs to connect/);
  });

  it("breaks when the picture does not come", () => {
    // Sender reports go too: they would speak of packets that were not sent.
    const audioOnly: RunOptions = {
      sabotage: (target, bytes) => {
        const isPicture = isMedia(bytes) && bytes.length > 200;
        return isPicture || bytes[1] === 200 ? [] : [{ target, bytes }];
      },
    };
    expect(broken(audioOnly, { runFor: seconds(6) })).toBe("L1");
  });
});

describe("a story's own promises", () => {
  it("break when the source is muted, late or never there", () => {
    const timeline = [at(seconds(1), "the camera is covered", mute("ana", "camera"))];
    expect(broken({}, { timeline, finally: [plays("bob", "ana/camera")] })).toBe("STORY");
    expect(broken({}, { finally: [plays("bob", "ana/camera", 0)] })).toBe("STORY");
    expect(broken({}, { finally: [plays("next", "ana/camera")] })).toBe("STORY");
  });

  it("break when a picture stands still", () => {
    const timeline = [at(seconds(1), "a cut", cut("bob"))];
    const always = [freezes("bob", "ana/camera").shorterThan(ms(500))];
    expect(broken({}, { timeline, always })).toBe("STORY");
    expect(broken({}, { always })).toBe("");
    expect(broken({}, { always: [freezes("bob", "ana/camera").shorterThan(0)] })).toBe("STORY");
  });

  it("break when somebody does not go as was promised", () => {
    const promised = [{ kind: "departs" as const, peer: "bob", reason: "left" }];
    expect(broken({}, { finally: promised })).toBe("STORY");
    const timeline = [at(seconds(1), "bob leaves", leave("bob")), at(seconds(2), "and comes back", join("bob"))];
    expect(broken({}, { finally: promised, timeline })).toBe("");
  });

  it("break when somebody leaves who was to stay, and not when he makes a new connection", () => {
    const promised = [{ kind: "stays" as const, peer: "bob" }];
    const timeline = [at(seconds(1), "bob leaves", leave("bob")), at(seconds(1.1), "and comes back", join("bob"))];
    expect(broken({}, { finally: promised, timeline })).toBe("STORY");
    expect(broken({}, { finally: promised, timeline: timeline.slice(0, 1) })).toBe("STORY");
    const again = [at(seconds(1), "bob's page makes a new connection", reconnect("bob"))];
    expect(broken({}, { finally: promised, timeline: again })).toBe("");
  });
});

describe("the passport in each frame", () => {
  it("is refused when one bit of the body is another", () => {
    expect(readBody(new Uint8Array(40))).toBeUndefined();
  });
});

describe("every promise", () => {
  it("is shown to fail, by a planted mistake or by sabotage", () => {
    const planted = new Set(MISTAKES.map(({ promise }) => promise));
    // Those of quality have a file of their own, ./oracles/quality.test.ts, which goes through all of them.
    const unproved = (Object.keys(PROMISES) as PromiseId[]).filter(
      (promise) => !planted.has(promise) && !shown.has(promise) && !/^Q\d/.test(promise),
    );
    expect(unproved).toEqual([]);
  });
});
