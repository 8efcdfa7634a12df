/** Whether a report is a page that stands alone, says what happened, and can be scrubbed. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { reportAssets } from "../../io-sim/cli/report-assets.ts";
import { traceToHtml } from "../../io-sim/export/html.ts";
import { at, buggify, cut, ms, percent, seconds } from "../../io-sim/index.ts";
import { causalChain } from "../../io-sim/search/causal-chain.ts";
import brokenStory from "../support/stories/broken-story.ts";
import { smallStory } from "../support/stories/small-story.ts";
import { tracedStory, traceStory } from "../support/stories/traced-story.ts";
import { launchChromium } from "./chromium.ts";

const folder = mkdtempSync(join(tmpdir(), "lockstep-report-"));
/** Two people on two shards, and a way between these that loses packets; and some datagrams that the host fails to send. */
function shardedStory() {
  return smallStory({
    shards: { count: 2, delay: ms(1), loss: percent(5) },
    peers: {
      ana: { sends: { camera: "vp8", microphone: true }, shard: 0 },
      "bob-with-a-long-name": { receives: { audio: 1, video: 1 }, shard: 1 },
    },
    timeline: [at(0, "the host fails to send here and there", buggify(["host/send-refused"], percent(1)))],
    runFor: seconds(2),
  });
}

/** So many voices that not each can have its strip; one person hears nobody for most of the time. */
function crowdedStory() {
  const names = ["ana", "bob", "dan", "eve", "mia", "tom", "zoe"];
  const person = { sends: { microphone: true as const }, receives: { audio: names.length - 1 } };
  return smallStory({
    peers: Object.fromEntries(names.map((name) => [name, person])),
    timeline: [at(ms(900), "zoe drives into a tunnel", cut("zoe", "down"))],
    runFor: seconds(3),
  });
}

let browser: Browser;

/** What a page wanted from elsewhere, and what it complained of. */
let trouble: string[] = [];

/** The text of a report. */
function report(plan: Parameters<typeof traceStory>[0]): string {
  return traceToHtml(traceStory(plan, 1).trace, reportAssets(), causalChain(plan, 1));
}

beforeAll(async () => {
  browser = await launchChromium();
  writeFileSync(join(folder, "traced.html"), report(tracedStory()));
  writeFileSync(join(folder, "broken.html"), report(brokenStory));
  writeFileSync(join(folder, "shards.html"), report(shardedStory()));
  writeFileSync(join(folder, "crowd.html"), report(crowdedStory()));
});

afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
});

afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

async function open(name: string, width: number = 1_280, colorScheme: "light" | "dark" = "light"): Promise<Page> {
  trouble = [];
  const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
  const url = pathToFileURL(join(folder, name)).href;
  page.on("request", (request) => {
    if (request.url() !== url) trouble.push(`asked for ${request.url()}`);
  });
  page.on("console", (message) => trouble.push(message.text()));
  page.on("pageerror", (error) => trouble.push(String(error)));
  await page.goto(url);
  return page;
}

/** Where the cursor stands in the first strip, in percent. */
function cursor(page: Page): Promise<number> {
  return page
    .locator(".strip .cursor")
    .first()
    .evaluate((element) => Number.parseFloat(element.style.left));
}

describe("a report", () => {
  it("opens from a disk, asks for nothing else and complains of nothing", async () => {
    const page = await open("traced.html");
    await page.keyboard.press("n");
    await page.getByRole("button", { name: "ana", exact: true }).click();
    expect(trouble).toEqual([]);
  });

  it("tells the story as text, whatever is in it, with verdict, seed and the command that replays it", async () => {
    const page = await open("traced.html");
    expect(await page.locator("h1").textContent()).toBe("“We said </script><b>hello</b> & then goodbye.”");
    expect(await page.locator(".verdict").textContent()).toBe("held");
    expect(await page.locator("header code").textContent()).toBe(
      'node lockstep.mjs replay "a traced story" --seed 1 --trace',
    );
  });

  it("has a strip for each viewer and source, and says what froze", async () => {
    const page = await open("traced.html");
    const frozen = page.locator('.strip [aria-label^="bob, ana/camera: 1 freeze"]');
    expect(await frozen.count()).toBe(1);
    expect(await frozen.locator(".is-frozen").count()).toBe(1);
    expect(await page.locator(".strip .bar").count()).toBe(5);
  });

  it("has the strips with most trouble, where there are too many for a page", async () => {
    const page = await open("crowd.html");
    const section = page.locator("section", { hasText: "What people got" });
    expect(await section.locator(".strip .bar").count()).toBe(30);
    expect(await section.locator(".lead").textContent()).toContain("12 others with less or none");
    const zoes = section.locator(".viewer", { hasText: "zoe sees and hears" }).locator(".strip-sum");
    expect(await zoes.allTextContents()).toEqual(new Array(6).fill(expect.stringMatching(/^1 freeze, \d/)));
    await page.getByRole("button", { name: "ana", exact: true }).click();
    const anas = section.locator(".viewer .strip-sum");
    expect(await anas.allTextContents()).toEqual(new Array(6).fill("never frozen"));
  });

  it("moves its cursor by keys, by the slider and by a click on a strip", async () => {
    const page = await open("traced.html");
    const before = await cursor(page);
    await page.keyboard.press("Shift+ArrowRight");
    const moved = await cursor(page);
    expect(moved).toBeGreaterThan(before);
    await page.getByRole("slider").fill("0");
    expect(await cursor(page)).toBe(0);
    const strip = page.locator(".strip .axis").first();
    const box = (await strip.boundingBox())!;
    await strip.click({ position: { x: box.width / 2, y: 5 } });
    expect(await cursor(page)).toBeCloseTo(50, 0);
    await page.keyboard.press("End");
    expect(await cursor(page)).toBe(100);
  });

  it("goes from flag to flag and says what happens there", async () => {
    const page = await open("traced.html");
    await page.keyboard.press("n");
    expect(await page.locator(".happening").textContent()).toContain("the microphone is muted");
    await page.keyboard.press("n");
    expect(await page.locator(".happening").textContent()).toContain("somebody comes late");
    await page.keyboard.press("p");
    expect(await page.locator(".happening").textContent()).toContain("the microphone is muted");
    await page.getByRole("button", { name: "1.00 s: into the tunnel" }).click();
    expect(await page.locator(".happening").textContent()).toContain("1.00 s  into the tunnel");
  });

  it("says what was last, with the name of whom it is about", async () => {
    const page = await open("traced.html");
    const row = page
      .getByLabel("Log")
      .locator("button", { has: page.locator("b", { hasText: /^eve$/ }) })
      .nth(1);
    const said = await row.locator("span").textContent();
    await row.click();
    expect(await page.locator(".happening span").textContent()).toContain(`eve ${said}`);
  });

  it("plays", async () => {
    const page = await open("traced.html");
    const before = await cursor(page);
    await page.getByRole("button", { name: "Play", exact: true }).click();
    await page.getByRole("button", { name: "Pause", exact: true }).waitFor();
    await expect.poll(() => cursor(page)).toBeGreaterThan(before);
  });

  it("shows the layers of one person's screen", async () => {
    const page = await open("traced.html");
    await page.getByRole("button", { name: "bob", exact: true }).click();
    await page.keyboard.press("n");
    const screen = page.locator(".screen", { hasText: "ana’s camera" });
    expect(await screen.locator(".strip-sum").textContent()).toMatch(/^640 px, \d+ .s$/);
    expect(await screen.locator(".width-area").getAttribute("d")).toMatch(/^M/);
    expect(await screen.locator(".shade").count()).toBe(1);
  });

  it("looks closer at what is at the cursor, and takes the sight along with it", async () => {
    const page = await open("traced.html");
    const times = page.locator(".strip .ruler span");
    const all = await times.allTextContents();
    await page.keyboard.press("+");
    await page.keyboard.press("+");
    const closer = await times.allTextContents();
    expect(closer.length).toBeLessThanOrEqual(11);
    expect(closer).not.toEqual(all);
    await page.keyboard.press("End");
    expect(await times.allTextContents()).not.toEqual(closer);
    const cursorBox = (await page.locator(".strip .cursor").first().boundingBox())!;
    const axisBox = (await page.locator(".strip .axis").first().boundingBox())!;
    expect(cursorBox.x - axisBox.x).toBeLessThanOrEqual(axisBox.width + 1);
    expect(cursorBox.x).toBeGreaterThan(axisBox.x);
    await page.keyboard.press("0");
    expect(await times.allTextContents()).toEqual(all);
    expect(trouble).toEqual([]);
  });

  it("shows on the timeline which part of the run is in sight", async () => {
    const page = await open("traced.html");
    const band = page.locator(".sight i");
    expect(await band.isVisible()).toBe(false);
    for (let i = 0; i < 2; i++) await page.getByRole("button", { name: "Look closer" }).click();
    const [part, whole] = [(await band.boundingBox())!, (await page.locator(".sight").boundingBox())!];
    expect(part.width / whole.width).toBeCloseTo(0.25, 2);
    await page.getByRole("button", { name: "Show the whole run" }).click();
    expect(await band.isVisible()).toBe(false);
  });

  it("says the time at the pointer", async () => {
    const page = await open("traced.html");
    const strip = page.locator(".strip .axis").first();
    await strip.hover();
    expect(await strip.locator(".pointed").textContent()).toMatch(/^\d\.\d\d s$/);
  });

  it("takes kinds of messages out of the sequence, and lays the steps of the story across it", async () => {
    const page = await open("traced.html");
    const hellos = page.locator(".message", { hasText: "ClientHello" });
    expect(await hellos.count()).toBeGreaterThan(0);
    await page.getByRole("button", { name: "handshake", exact: true }).click();
    expect(await hellos.count()).toBe(0);
    expect(await page.locator(".message.step", { hasText: "into the tunnel" }).count()).toBe(1);
  });

  it("shows several people with a Shift", async () => {
    const page = await open("traced.html");
    await page.getByRole("button", { name: "ana", exact: true }).click();
    await page.getByRole("button", { name: "eve", exact: true }).click({ modifiers: ["Shift"] });
    expect(await page.locator(".viewer h3").allTextContents()).toEqual(
      expect.arrayContaining(["ana sees and hears", "eve sees and hears"]),
    );
    expect(await page.locator(".message.head text").allTextContents()).toEqual(["server", "ana", "eve"]);
  });

  it("shows what a link could carry next to what was sent", async () => {
    const page = await open("traced.html");
    await page.getByRole("button", { name: "ana", exact: true }).click();
    await page.keyboard.press("End");
    const out = page.locator(".plot", { hasText: "the server to ana" });
    expect(await out.locator(".legend").textContent()).toContain("the link carries 200 kbit/s");
    expect(await out.locator(".bounds").count()).toBe(1);
  });

  it("plots the links of whoever is chosen, with what the server knows of their ways", async () => {
    const page = await open("traced.html");
    const title = page.locator("section", { has: page.locator(".plots") }).locator("h2");
    const trips = page.locator(".plot", { hasText: "Round trip, as the server estimates it" });
    expect(await title.textContent()).toBe("The links of all together");
    expect(await trips.count()).toBe(0);
    await page.getByRole("button", { name: "ana", exact: true }).click();
    expect(await title.textContent()).toBe("ana’s link");
    await page.keyboard.press("End");
    expect(await trips.locator(".legend").textContent()).toMatch(/^ana [1-9]\d*(\.[1-9])? ms$/);
    expect(await trips.locator("line.grid").count()).toBeGreaterThan(3);
    await page.getByRole("button", { name: "bob", exact: true }).click({ modifiers: ["Shift"] });
    expect(await title.textContent()).toMatch(/^The links of .*ana.*bob.* together$/);
    expect(await trips.locator(".legend li").count()).toBe(2);
  });

  it("plots what shards send each other, and what of it is lost", async () => {
    const page = await open("shards.html");
    await page.keyboard.press("End");
    const plot = (what: string) => page.locator(".plot", { hasText: `Between shards: ${what}` }).locator(".legend li");
    const rates = await plot("packets").allTextContents();
    expect(rates).toEqual([expect.stringMatching(/^from shard 0 [1-9]\d* kbit\/s$/)]);
    expect(await plot("mail").count()).toBe(2);
    expect(await plot("lost").count()).toBe(1);
    await page.goto(page.url().replace("shards", "traced"));
    expect(await plot("packets").count()).toBe(0);
  });

  it("draws the way into a call as a sequence", async () => {
    const page = await open("traced.html");
    const messages = page.locator(".message:not(.head)");
    expect(await messages.filter({ hasText: "ClientHello" }).count()).toBeGreaterThanOrEqual(2);
    expect(await messages.filter({ hasText: "asks for a keyframe" }).count()).toBeGreaterThan(0);
    expect(await messages.filter({ hasText: "dropped: cut" }).count()).toBeGreaterThan(0);
  });

  it("draws what shards tell each other, and what gets lost between them", async () => {
    const page = await open("shards.html");
    const messages = page.locator(".message:not(.head)");
    const crossing = messages.filter({ hasText: "ana's pictures (VP8)" }).first();
    expect(await crossing.getAttribute("title")).toBe("shard 0 to shard 1: ana's pictures (VP8)");
    const [from, to] = ["x1", "x2"].map((name) => crossing.locator("line").getAttribute(name));
    expect(Number(await to)).toBeGreaterThan(Number(await from));
    expect(await messages.filter({ hasText: "lost between shards: ana's" }).count()).toBeGreaterThan(0);
    await page.getByRole("button", { name: "bob-with-a-long-name", exact: true }).click();
    expect(await crossing.count()).toBe(1);
    expect(trouble).toEqual([]);
  });

  it("names the lanes aslant where their names would run into each other", async () => {
    const page = await open("shards.html", 360);
    const labels = page.locator(".message.head text");
    expect(await labels.count()).toBe(4);
    expect(await labels.first().getAttribute("transform")).toMatch(/^rotate/);
  });

  it("counts what was dropped by link and reason, for those who are chosen", async () => {
    const page = await open("traced.html");
    const drops = page.locator("section", { hasText: "Dropped packets" }).locator("tbody tr");
    const cut = drops.filter({ hasText: /^bob, down\s*cut/ });
    expect(Number((await cut.locator(".number").textContent())!.replace(",", ""))).toBeGreaterThan(20);
    const counts = await drops.locator(".number").allTextContents();
    expect(counts).toEqual(counts.toSorted((a, b) => Number(b) - Number(a)));
    await page.getByRole("button", { name: "ana", exact: true }).click();
    expect(await cut.count()).toBe(0);
    expect(await drops.allTextContents()).toEqual(expect.arrayContaining([expect.stringMatching(/^ana, down/)]));
  });

  it("logs what happened, moment by moment, and follows the cursor", async () => {
    const page = await open("traced.html");
    const rows = page.getByLabel("Log").locator("button");
    const tunnel = rows.filter({ hasText: "into the tunnel" });
    expect(await tunnel.locator("time").textContent()).toBe("1.000 s");
    expect(await tunnel.locator("b").textContent()).toBe("story");
    expect(await rows.filter({ has: page.locator("b", { hasText: /^eve$/ }) }).count()).toBeGreaterThan(0);
    await tunnel.click();
    expect(await page.locator(".happening").textContent()).toContain("into the tunnel");
    expect(await tunnel.getAttribute("class")).toMatch(/\bnow\b/);
    expect(await rows.filter({ hasText: "and out" }).getAttribute("class")).toMatch(/\blater\b/);
    await page.getByRole("button", { name: "ana", exact: true }).click();
    expect(await rows.filter({ has: page.locator("b", { hasText: /^eve$/ }) }).count()).toBe(0);
  });

  it("says what was promised, and how often that was judged", async () => {
    const page = await open("broken.html");
    const promises = page.locator("section", { hasText: "What was promised" });
    expect(await promises.locator(".broken-rows tr").allTextContents()).toEqual([
      expect.stringMatching(/^STORY.*broken\d+ ×$/),
    ]);
    const held = promises.locator("details", { hasText: "Those that held" });
    expect(await promises.locator(".lead").textContent()).toContain(
      `${await held.locator("tr").count()} promises held`,
    );
    const unjudged = promises.locator("details", { hasText: "no occasion" }).locator("tr");
    expect(await unjudged.count()).toBeGreaterThan(0);
    expect(await unjudged.first().textContent()).toMatch(/not judged$/);
  });

  it("counts what failed on purpose, where anything did", async () => {
    const page = await open("shards.html");
    const failures = page.locator("section", { hasText: "Injected failures" }).locator("tr");
    expect(await failures.allTextContents()).toEqual([expect.stringMatching(/^host\/send-refused[1-9]\d* of [\d,]+$/)]);
    await page.goto(page.url().replace("shards", "traced"));
    expect(await failures.count()).toBe(0);
  });

  it("says which keys it knows", async () => {
    const page = await open("traced.html");
    const keys = await page.locator(".keys kbd").allTextContents();
    expect(keys).toEqual(expect.arrayContaining(["←", "→", "Shift", "n", "p", "Home", "End", "+", "-", "0", "Space"]));
  });

  it("has no two equal times below an axis", async () => {
    const page = await open("traced.html");
    const times = await page.locator(".track .ruler span").allTextContents();
    expect(new Set(times).size).toBe(times.length);
    expect(times.length).toBeGreaterThan(4);
  });

  it.each([
    [360, "light"],
    [360, "dark"],
    [1_280, "dark"],
  ] as const)("fits a window of %i pixels when it is %s", async (width, scheme) => {
    const page = await open("traced.html", width, scheme);
    const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    expect(await page.evaluate(overflow)).toBe(0);
    const ground = await page.evaluate("getComputedStyle(document.body).backgroundColor");
    expect(ground).toBe(scheme === "dark" ? "rgb(20, 25, 23)" : "rgb(243, 240, 232)");
  });

  it("begins where it stood still with those concerned, and says which promise is broken", async () => {
    const page = await open("broken.html");
    expect(await page.locator(".verdict").textContent()).toBe("broken");
    expect(await page.locator(".breach").textContent()).toContain("bob has perceived nothing of ana/camera");
    expect(await page.locator(".breach").textContent()).toMatch(/ for \d\.\d+ s at the end\./);
    expect(await page.locator(".happening").textContent()).toContain("the camera is covered");
    expect(await page.locator(".strip-broken").textContent()).toMatch(/^ana’s camera.*still for \d\.\d+ s$/);
    const lanes = page.locator(".message.head text");
    expect(await lanes.allTextContents()).toEqual(["server", "ana", "bob"]);
    await page.getByRole("button", { name: "Everyone", exact: true }).click();
    expect(await lanes.count()).toBe(4);
    await page.getByRole("button", { name: "Those concerned" }).click();
    expect(await lanes.allTextContents()).toEqual(["server", "ana", "bob"]);
    await page.getByRole("button", { name: /^Go to where it was judged/ }).click();
    expect(await cursor(page)).toBeGreaterThan(95);
    expect(trouble).toEqual([]);
  });

  it("keeps the breach in sight wherever the cursor is, and tells what led to it", async () => {
    const page = await open("broken.html");
    await page.keyboard.press("Home");
    const strips = page.locator(".strip .axis");
    expect(await strips.locator(".breach-mark").count()).toBe(await strips.count());
    const history = page.locator("section", { hasText: "What led to it" });
    expect(await history.locator("li").allTextContents()).toEqual(
      expect.arrayContaining([
        expect.stringContaining("the camera is covered"),
        expect.stringMatching(/STORY.*is broken/),
      ]),
    );
    await page.getByRole("button", { name: "Look at bob" }).click();
    expect(await page.locator(".viewer h3").first().textContent()).toBe("bob sees and hears");
    expect(await page.locator(".message.head text").allTextContents()).toEqual(["server", "bob"]);
  });

  it("of the same run has the same bytes", () => {
    expect(report(tracedStory())).toBe(readFileSync(join(folder, "traced.html"), "utf8"));
  });
});
