/** The page in real browsers, used as people use it: what they press, and what they then see. */
import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { freeUdpPort } from "../support/hosts/free-port.ts";
import { startUdpProxy } from "../support/hosts/udp-proxy.ts";
import {
  type CallServer,
  enterCall,
  enterFrom,
  expectWithin,
  openPage,
  openProfile,
  pictureChange,
  readBindings,
  readStats,
  readTiles,
  startCallServer,
  TINY,
  TINY_CAMERA,
  talk,
  waitConnected,
} from "./calls.ts";
import { launchChromium } from "./chromium.ts";

/** Scripts that make a browser have no devices, or keep them from the page. */
const NO_DEVICES = refusingScript("NotFoundError");
const REFUSED_DEVICES = refusingScript("NotAllowedError");

/** What the README says to paste into a browser's console. */
const README = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const CONSOLE_LINES = /```js\n([^`]*)```/.exec(README)?.[1] ?? "";

let browser: Browser;
let server: CallServer;

beforeAll(async () => {
  browser = await launchChromium("--autoplay-policy=no-user-gesture-required");
  server = await startCallServer("--public-address", "127.0.0.1");
});

afterAll(async () => {
  await browser?.close();
  expect(await server?.stop()).toBe(0);
});

function refusingScript(error: string): string {
  return `navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("", "${error}"); }`;
}

async function openTab(path: string, ...scripts: string[]): Promise<Page> {
  return openPage(await openProfile(browser), server, path, ...scripts);
}

/** Comes into `room` with a small camera. */
function enter(room: string, name: string): Promise<Page> {
  return enterCall(browser, server, { room, name, simulcast: false, camera: TINY });
}

async function closeAll(): Promise<void> {
  for (const context of browser.contexts()) await context.close();
}

/** Waits until the tiles are these: a name each, with "muted" and "picture" behind it where it is so. */
function expectTiles(page: Page, tiles: readonly string[]): Promise<void> {
  const poll = expect.poll(
    async () =>
      (await readTiles(page)).map(({ name, muted, picture }) =>
        [name, ...(muted ? ["muted"] : []), ...(picture ? ["picture"] : [])].join(", "),
      ),
    { timeout: 10_000, interval: 100 },
  );
  return poll.toEqual(tiles);
}

/** Waits until somebody else's picture moves: between two looks at it much has changed, where a still one changes nothing. */
function expectMoves(page: Page): Promise<void> {
  return expectWithin(5_000, async () => (await pictureChange(page)) > 0.5);
}

/** The tile of oneself, and those of others. */
const OWN = ".tile.own";
const OTHER = ".tile:not(.own)";

/** Whether the picture in a tile is shown to its edges, whatever else of the tile stays empty. */
async function isWhole(page: Page, tile: string): Promise<boolean> {
  return (await styleOf(page, tile, "objectFit")) === "contain";
}

async function isMirrored(page: Page, tile: string): Promise<boolean> {
  return (await styleOf(page, tile, "transform")) !== "none";
}

function styleOf(page: Page, tile: string, property: string): Promise<string> {
  return page.evaluate(`getComputedStyle(document.querySelector("${tile} video")).${property}`);
}

/** Evaluates text as a console does: `await` stands anywhere, and what is declared stays. */
async function runInConsole(page: Page, text: string): Promise<unknown> {
  const session = await page.context().newCDPSession(page);
  const how = { replMode: true, awaitPromise: true, returnByValue: true };
  const { result, exceptionDetails } = await session.send("Runtime.evaluate", { expression: text, ...how });
  if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value;
}

async function packetsHeard(page: Page): Promise<number> {
  return (await readStats(page)).audio.reduce((sum, { packets }) => sum + packets, 0);
}

describe("two people", () => {
  let ana: Page;
  let bob: Page;

  beforeAll(async () => {
    ana = await openTab("/", TINY_CAMERA);
    await ana.fill("#name", "Ana");
    await ana.fill("#room", "blue");
    await ana.click("#join");
    await waitConnected(ana);
  });

  afterAll(closeAll);

  it("begin with one who is shown the link to send, and hears nobody", async () => {
    await expectTiles(ana, ["Ana (you), picture"]);
    expect(await ana.textContent("#invitation-link")).toBe(`${new URL(server.url).host}/r/blue`);
    await talk(1_000);
    expect((await readStats(ana)).packetsReceived).toBe(0);
  });

  it("see each other move, by name, once the other has opened the link and pressed Enter", async () => {
    bob = await openTab(new URL(ana.url()).pathname, TINY_CAMERA);
    await bob.fill("#name", "Bob");
    await bob.press("#name", "Enter");
    await waitConnected(bob);
    await expectTiles(ana, ["Bob, picture", "Ana (you), picture"]);
    await expectTiles(bob, ["Ana, picture", "Bob (you), picture"]);
    await expectMoves(ana);
    await expectMoves(bob);
    expect(await ana.locator("#invitation").count()).toBe(0);
  });

  it("see who is muted, and hear nothing of him, nor of themselves", async () => {
    await bob.click("#mic");
    await expectTiles(ana, ["Bob, muted, picture", "Ana (you), picture"]);
    const packetsBefore = await packetsHeard(ana);
    await talk(1_000);
    expect(await packetsHeard(ana)).toBe(packetsBefore);
    await bob.click("#mic");
    await expectTiles(ana, ["Bob, picture", "Ana (you), picture"]);
    await expectWithin(5_000, async () => (await packetsHeard(ana)) > packetsBefore + 50);
  });

  it("see who speaks", async () => {
    // A tone lasts a moment, so it is waited for in the page: who asks from outside may miss each of them on a busy machine.
    await ana.locator('.tile:not(.own)[data-speaking="true"]').waitFor({ timeout: 20_000 });
  });

  it("see initials of who has switched his camera off, and his picture when it is on again", async () => {
    await bob.keyboard.press("v");
    await expectTiles(ana, ["Bob", "Ana (you), picture"]);
    await expectTiles(bob, ["Ana, picture", "Bob (you)"]);
    await bob.keyboard.press("v");
    await expectTiles(ana, ["Bob, picture", "Ana (you), picture"]);
    await expectMoves(ana);
  });

  it("see a screen in the place of a camera, whole, and the camera again", async () => {
    await bob.evaluate(`navigator.mediaDevices.getDisplayMedia = async () => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 480, height: 360 });
      const context = canvas.getContext("2d");
      setInterval(() => context.fillText(String(performance.now()), 20, 20), 100);
      return canvas.captureStream(10);
    }`);
    // Of each picture one of several sizes is seen: of the screen 120, 240 or 480, of the camera 40, 80 or 160.
    const seesScreen = async () => (await readStats(ana)).video[0]!.width % 120 === 0;
    await bob.click("#screen");
    await expectWithin(10_000, seesScreen);
    expect(await bob.getAttribute("#screen", "aria-pressed")).toBe("true");
    expect([await isWhole(bob, OWN), await isMirrored(bob, OWN)]).toEqual([true, false]);
    await expectWithin(3_000, () => isWhole(ana, OTHER));
    expect(await isWhole(bob, OTHER)).toBe(false);
    await bob.keyboard.press("s");
    await expectWithin(10_000, async () => !(await seesScreen()));
    expect([await isWhole(bob, OWN), await isMirrored(bob, OWN)]).toEqual([false, true]);
    await expectWithin(3_000, async () => !(await isWhole(ana, OTHER)));
    expect(await bob.getAttribute("#screen", "aria-pressed")).toBe("false");
  });

  it("see one tile fill the stage when its button is pressed, and all again with Escape", async () => {
    const shown = () => ana.locator("#tiles > .tile:visible").count();
    await ana.locator(`${OTHER} .enlarge`).focus();
    await ana.keyboard.press("Enter");
    expect([await shown(), await isWhole(ana, OTHER)]).toEqual([1, true]);
    await ana.keyboard.press("Escape");
    expect([await shown(), await isWhole(ana, OTHER)]).toEqual([2, false]);
  });

  it("see a tile go when its person leaves, and come again", async () => {
    await bob.click("#leave");
    await expectTiles(ana, ["Ana (you), picture"]);
    expect(await bob.textContent("#lobby-notice")).toBe("You have left the call.");
    await bob.click("#join");
    await waitConnected(bob);
    await expectTiles(ana, ["Bob, picture", "Ana (you), picture"]);
    await expectMoves(ana);
  });
});

describe("somebody", () => {
  afterEach(closeAll);

  it("without a camera is told so, and can watch", async () => {
    await enter("red", "Ana");
    const zed = await openTab("/r/red", NO_DEVICES);
    const sentence = "No camera or microphone was found. Plug one in and press its button.";
    await expect.poll(() => zed.textContent("#device-notice")).toContain(sentence);
    await zed.fill("#name", "Zed");
    await zed.click("#join");
    await waitConnected(zed);
    await expectTiles(zed, ["Ana, picture", "Zed (you), muted"]);
    await expectMoves(zed);
  });

  it("whose browser keeps the camera closed is told where to open it", async () => {
    const zed = await openTab("/r/red", REFUSED_DEVICES);
    const sentence = "This page may not use your camera and microphone. Allow it in the site settings";
    await expect.poll(() => zed.textContent("#device-notice")).toContain(sentence);
  });

  it("who opens a link that was cut can choose a room", async () => {
    const ana = await openTab("/r/%E0%A4%A", TINY_CAMERA);
    expect(await ana.inputValue("#room")).toMatch(/^[a-z]+-[a-z]+-[a-z0-9]{5}$/);
  });

  it("copies the link to send where the browser has no clipboard for the page", async () => {
    const ana = await openTab("/", TINY_CAMERA, "delete Navigator.prototype.clipboard");
    await ana.fill("#room", "red");
    await ana.click("#join");
    await waitConnected(ana);
    await ana.evaluate('addEventListener("copy", () => { window.copied = getSelection().toString(); })');
    await ana.click("#invite");
    await expect.poll(() => ana.textContent("#notices")).toContain("The link is copied");
    expect(await ana.evaluate("window.copied ?? document.activeElement.value")).toBe(`${server.url}/r/red`);
  });

  it("who can't have that room is told why", async () => {
    const ana = await openTab("/", TINY_CAMERA);
    await ana.fill("#room", "my room");
    await ana.click("#join");
    await expect.poll(() => ana.textContent("#lobby-notice")).toContain("A room's name has letters, digits");
    // What the page does not know itself comes from the server.
    const refusal = { type: "about:blank", status: 503, detail: "This room is full; try again later." };
    await ana.route("**/participants?*", (route) => route.fulfill({ status: 503, json: refusal }));
    await ana.fill("#room", "red");
    await ana.click("#join");
    await expect.poll(() => ana.textContent("#lobby-notice")).toBe(refusal.detail);
  });

  it("whose network carries the call badly is told so", async () => {
    const eve = await enter("poor", "Eve");
    await eve.evaluate(`RTCPeerConnection.prototype.getStats = async () =>
      new Map([["report", { type: "remote-inbound-rtp", fractionLost: 0.5 }]])`);
    const said = () => eve.textContent("#call-state");
    await expect.poll(said, { timeout: 10_000 }).toBe("Your connection is poor: voices and pictures may break up.");
  });

  it("in the fourth tab of a browser, where three have a stream of events, sees who comes", async () => {
    const profile = await openProfile(browser);
    const tabs: Page[] = [];
    for (const name of ["1", "2", "3", "4"]) {
      tabs.push(await enterFrom(profile, server, { room: "tabs", name, simulcast: false, camera: TINY }));
    }
    const streams = (tab: Page) => tab.evaluate("window.lockstep.session.watch.events !== null");
    expect(await Promise.all(tabs.map(streams))).toEqual([true, true, true, false]);
    await enter("tabs", "5");
    await expectWithin(10_000, async () => (await readBindings(tabs[3]!)).names.join() === "1,2,3,4,5");
  });

  it("whose stream of events is lost, and can't be opened again, sees who comes", async () => {
    const ana = await enter("broken", "Ana");
    await ana.route("**/events", (route) => route.abort());
    // The server keeps four streams for a participant; a fifth ends the page's own.
    const location = await ana.evaluate("window.lockstep.session.location");
    const others = [1, 2, 3, 4].map(() => fetch(`${server.url}${location}/events`));
    await expect.poll(() => ana.evaluate("window.lockstep.session.watch.events?.readyState")).not.toBe(1);
    await enter("broken", "Bob");
    await expectTiles(ana, ["Bob, picture", "Ana (you), picture"]);
    for (const { body } of await Promise.all(others)) await body?.cancel();
  });
});

describe("the stage", () => {
  afterEach(closeAll);

  it("marks a loud voice, but not of one who is muted: that is an echo", async () => {
    const page = await openTab("/", NO_DEVICES);
    const marked = await page.evaluate(`(async () => {
      const { createStage, showLevel, showPeople } = await import("/assets/stage.js");
      const [tilesElement, playersElement] = [document.createElement("div"), document.createElement("div")];
      const stage = createStage({ tilesElement, playersElement, invitation: null, onBlocked() {} });
      const person = { own: false, stream: null, flowing: false };
      showPeople(stage, [{ ...person, key: "1", name: "Ana", muted: false }, { ...person, key: "2", name: "Bob", muted: true }]);
      for (const key of ["1", "2"]) showLevel(stage, key, 0.5);
      return [...tilesElement.children].map((tile) => tile.dataset.speaking);
    })()`);
    expect(marked).toEqual(["true", "false"]);
  });
});

describe("the lines of the README in a browser's console", () => {
  afterEach(closeAll);

  it("publish, show who else does, and leave with the page", async () => {
    const ana = await enter("standup", "Ana");
    const other = await openTab("/", TINY_CAMERA);
    await runInConsole(other, CONSOLE_LINES);
    await expectTiles(ana, ["Console, picture", "Ana (you), picture"]);
    await expectMoves(ana);
    const decoded = "[...(await pc.getStats()).values()].some((each) => each.framesDecoded > 5)";
    await expectWithin(5_000, async () => (await runInConsole(other, decoded)) === true);
    await other.goto("about:blank");
    await expectTiles(ana, ["Ana (you), picture"]);
  });
});

/** Publishes a moving picture by WHIP, watches it by WHEP, ends both: how many pictures came, and what the ends said. */
const WHIP_TO_WHEP = `(async () => {
  const begin = async (endpoint, pc) => {
    await pc.setLocalDescription();
    const headers = { "content-type": "application/sdp" };
    const reply = await fetch(endpoint, { method: "POST", headers, body: pc.localDescription.sdp });
    await pc.setRemoteDescription({ type: "answer", sdp: await reply.text() });
    return reply.headers.get("location");
  };
  const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
  const context = canvas.getContext("2d");
  setInterval(() => context.fillText(String(performance.now()), 20, 20), 100);
  const [publisher, viewer] = [new RTCPeerConnection(), new RTCPeerConnection()];
  publisher.addTransceiver(canvas.captureStream(10).getTracks()[0], { direction: "sendonly" });
  viewer.addTransceiver("video", { direction: "recvonly" });
  const sessions = [await begin("/whip/wish", publisher), await begin("/whep/wish", viewer)];
  for (let decoded = 0; ; await new Promise((resolve) => setTimeout(resolve, 200))) {
    for (const one of (await viewer.getStats()).values()) decoded = one.framesDecoded ?? decoded;
    if (decoded < 10) continue;
    const ends = await Promise.all(sessions.map((each) => fetch(each, { method: "DELETE" })));
    return ends.map(({ status }) => status);
  }
})()`;

describe("WHIP and WHEP", () => {
  afterEach(closeAll);

  it("carry a picture from one who only sends to one who only watches", async () => {
    const page = await openTab("/", NO_DEVICES);
    expect(await page.evaluate(WHIP_TO_WHEP)).toEqual([204, 204]);
  });
});

describe("somebody whose way to the server is gone", () => {
  afterEach(closeAll);

  it("has a new connection a little later, and nobody sees him leave or come", async () => {
    const udpPort = await freeUdpPort();
    const proxy = await startUdpProxy({
      serverPort: udpPort,
      seed: 1,
      lossPercent: 0,
      reorderPercent: 0,
      holdMillis: 0,
    });
    const words = ["--shards", "1", "--udp-port", String(udpPort), "--public-address", "127.0.0.1"];
    const other = await startCallServer(...words);
    const bob = await enterCall(browser, other, { room: "cafe", name: "Bob", simulcast: false, camera: TINY });
    // Ana's answer names the proxy, which is her network at the desk; the next one names the server itself.
    const profile = await openProfile(browser);
    await profile.route("**/participants?*", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replaceAll(String(udpPort), String(proxy.port)) });
    });
    const ana = await enterFrom(profile, other, { room: "cafe", name: "Ana", simulcast: false, camera: TINY });
    await expectTiles(bob, ["Ana, picture", "Bob (you), picture"]);
    const { own } = await readBindings(ana);
    expect(proxy.counters.forwarded).toBeGreaterThan(0);
    proxy.close();
    await expect.poll(() => ana.evaluate("window.lockstep.state.phase"), { timeout: 15_000 }).toBe("reconnecting");
    await expect.poll(() => ana.evaluate("window.lockstep.state.phase"), { timeout: 15_000 }).toBe("connected");
    expect((await readBindings(ana)).own).toBe(own);
    for (const page of [ana, bob]) await expectMoves(page);
    await expectTiles(bob, ["Ana, picture", "Bob (you), picture"]);
    const came = other
      .log()
      .split("\n")
      .filter((line) => /"msg":"(joined|left|lost|reconnecting)"/.test(line));
    expect(came.map((line) => JSON.parse(line).msg)).toEqual(["joined", "joined", "reconnecting"]);
    await closeAll();
    expect(await other.stop()).toBe(0);
  });

  it("joins anew when the server has forgotten him meanwhile", async () => {
    const bob = await enter("forgotten", "Bob");
    const ana = await enter("forgotten", "Ana");
    const { own } = await readBindings(ana);
    await ana.route("**/participants/*", (route) =>
      route.request().method() === "PATCH" ? route.fulfill({ status: 404, json: {} }) : route.fallback(),
    );
    // As if nothing came through any more: nobody but the page knows.
    await ana.evaluate(`(() => {
      Object.defineProperty(lockstep.session.pc, "connectionState", { value: "failed" });
      lockstep.session.pc.dispatchEvent(new Event("connectionstatechange"));
    })()`);
    await expect.poll(() => ana.evaluate("window.lockstep.state.phase"), { timeout: 20_000 }).toBe("connected");
    expect((await readBindings(ana)).own).not.toBe(own);
    await expectTiles(bob, ["Ana, picture", "Bob (you), picture"]);
  });
});

describe("a server that goes away", () => {
  afterEach(closeAll);

  it("in order is said to shut down", async () => {
    const other = await startCallServer("--public-address", "127.0.0.1");
    const ana = await enterCall(browser, other, { room: "blue", name: "Ana", simulcast: false, camera: TINY });
    expect(await other.stop()).toBe(0);
    await expect.poll(() => ana.textContent("#lobby-notice"), { timeout: 5_000 }).toContain("shutting down");
  });

  it("and comes back finds its people come back by themselves, but not who has gone meanwhile", async () => {
    const first = await startCallServer("--public-address", "127.0.0.1");
    const { port } = new URL(first.url);
    const ana = await enterCall(browser, first, { room: "blue", name: "Ana", simulcast: false, camera: TINY });
    const bob = await enterCall(browser, first, { room: "blue", name: "Bob", simulcast: false, camera: TINY });
    await bob.click("#leave");
    expect(await first.stop()).toBe(0);
    const second = await startCallServer("--public-address", "127.0.0.1", "--http-port", port);
    await expect.poll(() => ana.evaluate("window.lockstep.state.phase"), { timeout: 20_000 }).toBe("connected");
    await expect.poll(async () => (await readBindings(ana)).names).toEqual(["Ana"]);
    await ana.context().close();
    expect(await second.stop()).toBe(0);
  });

  it("without a word is said to be gone, and to be tried again", async () => {
    const other = await startCallServer("--public-address", "127.0.0.1");
    const ana = await enterCall(browser, other, { room: "blue", name: "Ana", simulcast: false, camera: TINY });
    other.child.kill("SIGKILL");
    await expect.poll(() => ana.textContent("#call-state"), { timeout: 20_000 }).toContain("Connection lost");
    const gone = "The server does not answer any more. This page rejoins as soon as the server takes calls again.";
    await expect.poll(() => ana.textContent("#lobby-notice"), { timeout: 20_000 }).toBe(gone);
    await ana.click("#join");
    await expect.poll(() => ana.textContent("#lobby-notice")).toContain("The server does not answer. Check");
  });
});
