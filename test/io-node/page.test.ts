import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createHttp } from "../../io-node/http/http.ts";
import { createLog } from "../../io-node/log.ts";
import { createMetrics } from "../../io-node/metrics/metrics.ts";
import { createFakeShard } from "./fake-shard.ts";

const { control } = createFakeShard();
const app = createHttp({ control, metrics: createMetrics(control.placement, []), log: createLog("silent") });

const quality = () => import(new URL("../../io-node/page/quality.js", import.meta.url).href);

describe("the page", () => {
  it.each(["/", "/?room=blue", "/r/blue"])("is served at %s", async (path) => {
    const response = await app.request(path);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(await response.text()).toContain("<title>Lockstep</title>");
  });

  it("may run no script but its own, and be framed by nobody", async () => {
    const policy = (await app.request("/")).headers.get("content-security-policy");
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
  });

  it("has neither script nor style inside, nor anything from another host", async () => {
    const text = await (await app.request("/")).text();
    expect(text).not.toMatch(/<script(?![^>]*\bsrc=)/);
    expect(text).not.toMatch(/<style|\sstyle=|\son[a-z]+=/);
    expect(text).not.toMatch(/(src|href)="(https?:)?\/\//);
  });

  it("finds everything that it refers to", async () => {
    const text = await (await app.request("/")).text();
    const paths = [...text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((match) => match[1]!);
    for (const path of paths) {
      if (!path.endsWith(".js")) continue;
      const script = await (await app.request(path)).text();
      // The list grows while it is walked: what a script imports may import more.
      for (const match of script.matchAll(/from "\.\/([^"]+)"/g)) paths.push(`/assets/${match[1]}`);
    }
    expect(paths.length).toBeGreaterThan(5);
    for (const path of paths) expect([path, (await app.request(path)).status]).toEqual([path, 200]);
  });

  it("finds a connection poor after two bad looks, and good again after two good ones", async () => {
    const { createQuality, lookAtStats } = await quality();
    const connection = createQuality();
    let [packetsLost, packetsReceived] = [0, 0];
    const looks = [0, 20, 0, 20, 20, 20, 0, 0].map((lost) => {
      packetsLost += lost;
      packetsReceived += 100 - lost;
      return lookAtStats(connection, [{ type: "inbound-rtp", packetsLost, packetsReceived }]);
    });
    expect(looks).toEqual([false, false, false, false, true, true, true, false]);
  });

  it.each([
    ["of which others miss a part", { type: "remote-inbound-rtp", fractionLost: 0.2 }, true],
    ["of which others miss next to nothing", { type: "remote-inbound-rtp", fractionLost: 0.05 }, false],
    ["that takes long there and back", { type: "candidate-pair", nominated: true, currentRoundTripTime: 1 }, true],
    ["across an ocean", { type: "candidate-pair", nominated: true, currentRoundTripTime: 0.4 }, false],
    [
      "over another way than the long one",
      { type: "candidate-pair", nominated: false, currentRoundTripTime: 1 },
      false,
    ],
    ["over which nobody gets anything else", { type: "outbound-rtp", fractionLost: 1 }, false],
  ])("judges a connection %s", async (_which, report, isPoor) => {
    const { createQuality, lookAtStats } = await quality();
    const connection = createQuality();
    expect([1, 2].map(() => lookAtStats(connection, [report]))).toEqual([false, isPoor]);
  });

  it.each([
    ["a loss of a twentieth", [5, 95], false],
    ["a loss of a tenth", [10, 90], true],
    ["most of a few packets", [30, 15], false],
  ] as const)("makes of %s what it is worth", async (_what, [lost, received], isPoor) => {
    const { createQuality, lookAtStats } = await quality();
    const connection = createQuality();
    const looks = [1, 2].map((look) =>
      lookAtStats(connection, [{ type: "inbound-rtp", packetsLost: look * lost, packetsReceived: look * received }]),
    );
    expect(looks).toEqual([false, isPoor]);
  });

  it("knows the slots that show a screen by what their browser says of what it plays", async () => {
    const { screensIn } = await import(new URL("../../io-node/page/screens.js", import.meta.url).href);
    const reports = [
      { type: "inbound-rtp", mid: "3", contentType: "screenshare" },
      { type: "inbound-rtp", mid: "4" },
      { type: "outbound-rtp", mid: "1", contentType: "screenshare" },
    ];
    expect(screensIn(reports)).toEqual(["3"]);
  });

  it("is not sent again to who has it", async () => {
    const first = await app.request("/assets/call.js");
    const etag = first.headers.get("etag")!;
    const again = await app.request("/assets/call.js", { headers: { "if-none-match": `W/"x", ${etag}` } });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe("");
  });

  it("has no element that its script looks for in vain", async () => {
    const text = await (await app.request("/")).text();
    const script = readFileSync(new URL("../../io-node/page/call.js", import.meta.url), "utf8");
    for (const match of script.matchAll(/find\("([a-z-]+)"\)/g)) expect(text).toContain(`id="${match[1]}"`);
  });
});
