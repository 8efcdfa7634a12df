import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CORE_SITES } from "../../../core/index.ts";
import { createChecksumCrypto, createNodeCrypto } from "../../../io-crypto/index.ts";
import type { Decision } from "../../../io-sim/base/decisions.ts";
import { at, buggify, join, ms, only, percent, plays, scenario, seconds } from "../../../io-sim/index.ts";
import { replayJournal } from "../../../io-sim/journal/journal.ts";
import { run } from "../../../io-sim/world/run.ts";
import { HOST_SITES, SITE_NAMES } from "../../../io-sim/world/sites.ts";

const SEED = 3;

/** Sites that are asked a few times in a call only; the others are asked for each packet or each turn. */
const SELDOM = [
  "door/dtls-lost",
  "rtcp/wish-ignored",
  "requests/keyframe-unsent",
  "host/flow-table-full",
  "host/reply-late",
  ...SITE_NAMES.filter((site) => site.startsWith("join/")),
];

/** The call in which every site is reached: layers, more voices than slots, loss both ways, somebody who joins meanwhile. */
function failingCall(sites: readonly string[], chance: Parameters<typeof scenario>[0]["chance"] = []) {
  // A viewer asks for a keyframe itself only when retransmissions don't help.
  const loss = percent(sites.includes("rtcp/wish-ignored") ? 20 : 4);
  const link = { delay: ms(15), loss, reorder: { share: percent(2), by: ms(30) } };
  const share = sites.some((site) => SELDOM.includes(site)) ? percent(100) : percent(25);
  return scenario({
    name: "a failing call",
    story: "Something inside the server failed for a second, and the call went on.",
    seeds: { [SEED]: "the first that was tried" },
    peers: {
      ana: { sends: { camera: "vp8-simulcast", microphone: 20 }, link },
      bob: { sends: { microphone: 40 }, receives: { audio: 1, video: 1 }, link },
      cleo: { sends: { microphone: 60 }, receives: { audio: 1, video: 1 }, link, joinsLater: true },
    },
    timeline: [
      at(0, "it begins to fail", buggify(sites, share)),
      at(ms(50), "cleo joins", join("cleo")),
      at(ms(1_300), "it works again", buggify(sites, 0)),
      at(ms(1_400), "cleo tries again if it has to", join("cleo")),
    ],
    runFor: seconds(5),
    chance,
    finally: [plays("bob", "ana/camera", seconds(3)), plays("cleo", "ana/camera", seconds(4))],
  });
}

/** The text of all sources of a folder. */
function sourcesOf(folder: string): string {
  const root = new URL(`../../../${folder}/`, import.meta.url);
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  return files.map((file) => readFileSync(new URL(file, root), "utf8")).join("\n");
}

describe("a site that is made to fail", () => {
  it.each(SITE_NAMES)("%s is reached and fires, and the call recovers", (site) => {
    const verdict = run(failingCall([site]), SEED);
    expect(verdict.broken?.detail).toBeUndefined();
    const count = verdict.world.sites.counts.get(site);
    expect(count?.fired ?? 0).toBeGreaterThan(0);
    expect(verdict.world.sites.fired).toBe(count?.fired);
  });

  it("is asked for in the source, each one", () => {
    const core = sourcesOf("core");
    const host = sourcesOf("io-sim");
    for (const site of Object.keys(CORE_SITES)) expect(core).toMatch(new RegExp(`buggify\\([^)]*"${site}"`));
    for (const site of Object.keys(HOST_SITES)) expect(host).toMatch(new RegExp(`hostFails\\([^)]*"${site}"`));
  });

  it("fails by decisions, which can be told otherwise", () => {
    const site = "site/forward/seal-fails";
    const decisionLog: Decision[] = [];
    run(failingCall(["forward/seal-fails"]), SEED, { decisionLog });
    const drawn = decisionLog.filter((decision) => decision.site === site && decision.answer === 1);
    const { entity } = drawn[0]!;
    const retold: Decision[] = [];
    run(failingCall(["forward/seal-fails"], [only(site, entity, [9])]), SEED, { decisionLog: retold });
    const fired = retold.filter((decision) => decision.site === site && decision.answer === 1);
    const ours = (decision: Decision) => decision.entity === entity;
    expect(drawn.filter(ours).length).toBeGreaterThan(1);
    expect(fired.filter(ours)).toEqual([{ site, entity, ordinal: 9, answer: 1 }]);
  });

  it("is journalled, so that the recording replays without the world", () => {
    const sites = ["rtp/open-fails", "forward/route-skipped", "timers/turn-late", "host/restored", "host/timer-early"];
    const { journal, world } = run(failingCall(sites), SEED, { journal: true });
    const crypto = () => createChecksumCrypto(createNodeCrypto());
    expect(world.sites.fired).toBeGreaterThan(20);
    expect(replayJournal(journal!, crypto)).toMatchObject({ same: true, inputs: world.node.inputs });
    const forgotten = journal!.replace(/,"faults":\[[\d,]+\]/, "");
    expect(replayJournal(forgotten, crypto).same).toBe(false);
  });

  it("costs a world without faults nothing: it is not even asked", () => {
    const plan = failingCall([]);
    const { world } = run({ ...plan, steps: plan.steps.filter((step) => step.operation.type !== "buggify") }, SEED);
    expect(world.sites.counts.size).toBe(0);
  });

  it("that nobody has declared is refused", () => {
    expect(() => failingCall(["forward/explodes"])).toThrow('There is no site "forward/explodes"');
  });
});
