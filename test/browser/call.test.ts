/** Calls between real browsers through the real server: what people would see and hear. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { freeUdpPort } from "../support/hosts/free-port.ts";
import { startUdpProxy } from "../support/hosts/udp-proxy.ts";
import {
  type CallServer,
  enterCall,
  expectWithin,
  pictureChange,
  readBindings,
  readStats,
  readTiles,
  startCallServer,
  TINY,
  talk,
} from "./calls.ts";
import { launchChromium } from "./chromium.ts";

let browser: Browser;
let server: CallServer;

beforeAll(async () => {
  browser = await launchChromium("--autoplay-policy=no-user-gesture-required");
  server = await startCallServer("--public-address", "127.0.0.1");
});

afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
});

afterAll(async () => {
  await browser?.close();
  expect(await server?.stop()).toBe(0);
});

describe("two people in a call", () => {
  it("see each other move and hear each other for ten seconds, and nobody hears himself", async () => {
    const ana = await enterCall(browser, server, { room: "two", name: "Ana" });
    const bob = await enterCall(browser, server, { room: "two", name: "Bob" });
    await talk(10_000);
    for (const page of [ana, bob]) {
      const stats = await readStats(page);
      expect(stats.video).toHaveLength(1);
      expect(stats.video[0]!.framesDecoded).toBeGreaterThan(100);
      expect(stats.audio).toHaveLength(1);
      expect(stats.audio[0]!.energy).toBeGreaterThan(0.001);
      expect(await pictureChange(page)).toBeGreaterThan(0.5);
      const { own, bound, names } = await readBindings(page);
      expect(names).toEqual(["Ana", "Bob"]);
      expect(bound).not.toContain(own);
      expect(bound).toHaveLength(2);
    }
  });

  it("send several layers, and get the best of them", async () => {
    const ana = await enterCall(browser, server, { room: "layers", name: "Ana" });
    const bob = await enterCall(browser, server, { room: "layers", name: "Bob", camera: TINY });
    // How many layers a browser sends is its own affair (bandwidth, CPU); the best of them is what the other must see.
    await expectWithin(120_000, async () => {
      const { layersSent, widestSent } = await readStats(ana);
      return layersSent.length >= 2 && (await readStats(bob)).video[0]?.width === widestSent;
    });
  });
});

describe("a codec", () => {
  it.each(["vp8", "h264", "vp9", "av1"])("%s makes a call, with one stream and with simulcast", async (codec) => {
    for (const simulcast of [false, true]) {
      const room = `${codec}-${simulcast}`;
      const ana = await enterCall(browser, server, { room, name: "Ana", codec, simulcast });
      const bob = await enterCall(browser, server, { room, name: "Bob", codec, simulcast });
      await expectWithin(15_000, async () => (await readStats(bob)).video.some((each) => each.framesDecoded > 30));
      await expectWithin(15_000, async () => (await readStats(ana)).video.some((each) => each.framesDecoded > 30));
      expect((await readStats(bob)).video[0]!.codec.toLowerCase()).toBe(`video/${codec}`);
      expect((await readStats(ana)).layers).toEqual(simulcast ? ["f", "h", "q"] : [""]);
      // A busy machine shows fewer pictures: then half a second may hold little of the movement.
      await expectWithin(15_000, async () => (await pictureChange(bob)) > 0.5);
      await ana.context().close();
      await bob.context().close();
    }
  });
});

describe("more people", () => {
  it("who come late see a picture within two seconds", async () => {
    await enterCall(browser, server, { room: "late", name: "Ana" });
    await enterCall(browser, server, { room: "late", name: "Bob" });
    await talk(3_000);
    const eve = await enterCall(browser, server, { room: "late", name: "Eve" });
    await expectWithin(2_000, async () => {
      const [ana, bob, own] = await readTiles(eve);
      return ana!.picture && bob?.picture === true && own?.name === "Eve (you)";
    });
    expect((await readStats(eve)).video).toHaveLength(2);
    expect(await pictureChange(eve)).toBeGreaterThan(0.5);
  });

  it("who leave are gone for the others at once", async () => {
    const ana = await enterCall(browser, server, { room: "leave", name: "Ana" });
    const bob = await enterCall(browser, server, { room: "leave", name: "Bob" });
    await expectWithin(5_000, async () => (await readStats(ana)).video.length === 1);
    await bob.click("#leave");
    await expectWithin(2_000, async () => (await readBindings(ana)).names.join() === "Ana");
    expect((await readBindings(ana)).bound).toEqual([]);
  });

  it("who are killed without a word disappear within the time of their consent", async () => {
    const ana = await enterCall(browser, server, { room: "killed", name: "Ana" });
    const other = await launchChromium();
    try {
      await enterCall(other, server, { room: "killed", name: "Bob" });
      await expectWithin(5_000, async () => (await readBindings(ana)).names.length === 2);
      await crash(other);
      await expectWithin(40_000, async () => (await readBindings(ana)).names.join() === "Ana");
      expect(server.log()).toContain("consent-expired");
    } finally {
      await other.close();
    }
  });

  it("can be eight", async () => {
    const pages: Page[] = [];
    for (const name of ["1", "2", "3", "4", "5", "6", "7", "8"]) {
      pages.push(await enterCall(browser, server, { room: "eight", name, simulcast: false, camera: TINY }));
    }
    for (const page of [pages[0]!, pages[7]!]) {
      await expectWithin(120_000, async () => (await readStats(page)).video.length === 7);
      const { own, bound } = await readBindings(page);
      expect(bound).not.toContain(own);
    }
  }, 300_000);
});

describe("a network that loses 5 % and reorders", () => {
  it("holds the call", async () => {
    const udpPort = await freeUdpPort();
    const proxy = await startUdpProxy({
      serverPort: udpPort,
      seed: 5,
      lossPercent: 5,
      reorderPercent: 3,
      holdMillis: 15,
    });
    const address = ["--udp-port", String(udpPort), "--public-address", `127.0.0.1:${proxy.port}`];
    const lossy = await startCallServer("--shards", "1", ...address);
    try {
      const ana = await enterCall(browser, lossy, { room: "lossy", name: "Ana" });
      const bob = await enterCall(browser, lossy, { room: "lossy", name: "Bob" });
      await talk(5_000);
      const before = await readStats(bob);
      await talk(10_000);
      const after = await readStats(bob);
      expect(proxy.counters.lost).toBeGreaterThan(50);
      expect(proxy.counters.held).toBeGreaterThan(30);
      expect(after.video[0]!.framesDecoded - before.video[0]!.framesDecoded).toBeGreaterThan(100);
      expect(after.audio[0]!.energy).toBeGreaterThan(before.audio[0]!.energy);
      expect(await pictureChange(ana)).toBeGreaterThan(0.5);
    } finally {
      expect(await lossy.stop()).toBe(0);
      proxy.close();
    }
  });
});

/** Ends a browser's processes without letting any page say goodbye. */
async function crash(victim: Browser): Promise<void> {
  const session = await victim.newBrowserCDPSession();
  await session.send("Browser.crash").catch(() => {});
}
