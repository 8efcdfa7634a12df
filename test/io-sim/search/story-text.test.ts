/**
 * Whether a story file that was written says what the plan says, in the words and the shape of those that people write.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { findStory } from "../../../io-sim/cli/stories.ts";
import { writeStory } from "../../../io-sim/cli/story-files.ts";
import {
  at,
  buggify,
  clock,
  crashShard,
  cut,
  freezes,
  heal,
  join as joins,
  kbps,
  link,
  move,
  ms,
  mute,
  only,
  pause,
  percent,
  plays,
  reconnect,
  restart,
  seconds,
  signalling,
  stays,
  swizzle,
} from "../../../io-sim/index.ts";
import { type LinkPlan, PLAIN_LINK } from "../../../io-sim/link/index.ts";
import { generatePlan } from "../../../io-sim/search/generate.ts";
import { layout, list } from "../../../io-sim/search/layout.ts";
import { linkText } from "../../../io-sim/search/link-text.ts";
import { storyText } from "../../../io-sim/search/story-text.ts";
import { tellStory } from "../../../io-sim/search/telling.ts";
import { type LinkChange, linkChange } from "../../../io-sim/story/link-options.ts";
import type { Plan } from "../../../io-sim/story/plan.ts";
import { planFromJson } from "../../../io-sim/story/plan-json.ts";
import { smallStory } from "../../support/stories/small-story.ts";

const folder = mkdtempSync(join(tmpdir(), "lockstep-story-"));
afterAll(() => rmSync(folder, { recursive: true }));

const INDEX = new URL("../../../io-sim/index.ts", import.meta.url).pathname;
const words = { why: "It was lost on the way, and nobody asked for it again.", importFrom: INDEX };

/** A plan with something of each kind of word. */
function wordy(): Plan {
  const bursts = { good: seconds(1), bad: ms(9), loss: 5 };
  const poor = { loss: percent(2), jitter: ms(3), corrupt: percent(1), queue: 9_000, mtu: 1_280 };
  return smallStory({
    timeline: [
      at(ms(1_500), "slow", link("ana", { up: kbps(400), delay: ms(40), bursts })),
      at(seconds(2), "cut", cut("ana", "up")),
      at(seconds(2.5), "whole", heal("ana")),
      at(1_234_567, "off", mute("bob", "microphone")),
      at(seconds(3), "poor", link("bob", poor)),
      at(seconds(3), "elsewhere", move("bob", "port")),
      at(seconds(3), "asleep", pause(ms(300), "bob")),
      at(seconds(3), "from elsewhere", reconnect("bob")),
      at(seconds(3), "again and again", joins("ana", { times: 3, every: ms(200) })),
      at(seconds(3), "unheard", signalling("ana", { lost: percent(9), late: ms(80) })),
      at(seconds(3), "summer time", clock("ana", { by: seconds(3_600), drift: 9 })),
      at(seconds(3), "hiccups", buggify(["host/paused"], percent(2))),
      at(seconds(3.5), "clogged", swizzle(["ana", "bob"], seconds(0.5))),
      at(seconds(4), "a crash", restart({ after: ms(50) })),
    ],
    chance: [only("link/loss", "ana/up", [3, 4])],
    scheduler: "fifo",
    cipher: "real",
    timersLateBy: ms(5),
    swapsWithin: 100,
    knobs: { nackTriesMax: 1, reportMicros: ms(250), slotYieldMicros: 1_234_567 },
    always: [freezes("bob", "ana/camera").shorterThan(seconds(60))],
    finally: [plays("bob", "ana/camera"), plays("ana", "bob/camera", seconds(9)), stays("ana")],
  });
}

const noted = (word: string) => word;

/** What a link has that a plain one has not. */
function changes(link: LinkPlan): Partial<LinkPlan> {
  const plain = new Map<string, unknown>(Object.entries(PLAIN_LINK));
  return Object.fromEntries(Object.entries(link).filter(([key, value]) => value !== plain.get(key)));
}

/** What the words that say these changes mean. */
function said(up: Partial<LinkPlan>, down: Partial<LinkPlan>): LinkChange {
  const text = layout(linkText(noted, up, down));
  return linkChange(new Function("kbps", "ms", "percent", "seconds", `return ${text}`)(kbps, ms, percent, seconds));
}

describe("the text of a story", () => {
  it("says how many shards there are, what lies between them and which one dies", async () => {
    const shards = { count: 3, delay: ms(1), jitter: ms(2), batch: ms(1), loss: percent(2) };
    const small = smallStory({ shards, timeline: [at(seconds(1), "a crash", crashShard(2))] });
    const plan: Plan = { ...small, peers: small.peers.map((peer, index) => ({ ...peer, shard: index })) };
    const file = join(folder, "shards.ts");
    writeFileSync(file, storyText(plan, words)!);
    expect((await findStory(file))!.plan).toEqual(plan);
  });

  it("compiles to the plan that it was made of", async () => {
    const plan = wordy();
    const file = join(folder, "told.ts");
    writeFileSync(file, storyText(plan, words)!);
    expect((await findStory(file))!.plan).toEqual(plan);
  });

  it.each(["torture", "realistic"] as const)("says every link of generated worlds (%s)", (regime) => {
    for (let number = 0; number < 40; number++) {
      const plan = generatePlan(number, regime);
      for (const { up, down } of plan.peers) {
        const change = said(changes(up), changes(down));
        expect({ ...PLAIN_LINK, ...change.up }).toEqual(up);
        expect({ ...PLAIN_LINK, ...change.down }).toEqual(down);
      }
      for (const { operation } of plan.steps) {
        if (operation.type !== "link") continue;
        const { up, down } = operation;
        expect(said(up, down)).toEqual({ up, down });
      }
    }
  });

  it("says of each direction what is not the same in both, and what has ended", () => {
    const { bob, eve } = {
      bob: [
        { loss: percent(1), up: kbps(300) },
        { direction: "down", jitter: ms(5), slots: ms(2) },
      ] as const,
      eve: { swing: null, outages: null, arq: null, slots: null, stalls: null, cross: null, handovers: null } as const,
    };
    const { up, down } = linkChange(bob);
    expect(layout(linkText(noted, up, down))).toBe(
      '[{ loss: percent(1), up: kbps(300) }, { direction: "down", jitter: ms(5), slots: ms(2) }]',
    );
    const ended = linkChange(eve);
    expect(said(ended.up, ended.down)).toEqual(ended);
    expect(Object.values(ended.up)).toEqual(Array.from({ length: 7 }, () => null));
  });

  it("is laid out as the formatter lays it out", () => {
    const text = storyText(wordy(), { ...words, importFrom: "../io-sim/index.ts" })!;
    const biome = new URL("../../../node_modules/.bin/biome", import.meta.url).pathname;
    const formatted = execFileSync(biome, ["format", "--stdin-file-path=sim-scenarios/told.ts"], { input: text });
    expect(String(formatted)).toBe(text);
  });

  it("does not exist when the words do not suffice", () => {
    const plan = smallStory();
    const [ana, ...others] = plan.peers;
    const odd = { ...ana!, up: { ...ana!.up, overheadBytes: 30 } };
    expect(storyText({ ...plan, peers: [odd, ...others] }, words)).toBeUndefined();
  });

  it("fills lines with long lists of numbers", () => {
    const lines = layout(list(Array.from({ length: 60 }, (_, index) => String(1_000 + index)))).split("\n");
    expect(lines.length).toBe(6);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(120);
  });
});

describe("a story file", () => {
  it("is JSON when the text would not say the same", async () => {
    const halfOfABurst = { burstGoodMicros: 7 };
    const operation = { type: "link", peer: "ana", up: halfOfABurst, down: halfOfABurst } as const;
    const odd = { ...smallStory(), steps: [{ atMicros: 0, label: "odd", operation }] };
    const file = await writeStory({ plan: odd, why: "Because.", fileName: "odd" }, folder);
    expect(file).toBe(join(folder, "odd.json"));
    expect(planFromJson(readFileSync(file, "utf8"))).toEqual(odd);
  });

  it("says in a user's words what was seen", () => {
    const plan = smallStory({ timeline: [at(0, "the lens is covered", mute("ana", "camera"))] });
    expect(tellStory({ ...plan, finally: [plays("bob", "ana/camera")] }, "STORY")).toBe(
      "There were three of us in 2 rooms, then the lens is covered, and bob got nothing of ana's picture.",
    );
    expect(tellStory(plan, "S4")).toContain("the picture came in pieces");
  });
});
