import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createHttp } from "../../io-node/http.ts";
import { createLog } from "../../io-node/log.ts";
import { createMetrics } from "../../io-node/metrics.ts";
import { createFakeShard } from "./fake-shard.ts";

const { control } = createFakeShard();
const app = createHttp({ control, metrics: createMetrics(control.placement, []), log: createLog("silent") });

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
    const { createQuality, lookAtStats } = await import(new URL("../../io-node/page/quality.js", import.meta.url).href);
    const quality = createQuality();
    let [packetsLost, packetsReceived] = [0, 0];
    const looks = [0, 20, 0, 20, 20, 20, 0, 0].map((lost) => {
      packetsLost += lost;
      packetsReceived += 100 - lost;
      return lookAtStats(quality, [{ type: "inbound-rtp", packetsLost, packetsReceived }]);
    });
    expect(looks).toEqual([false, false, false, false, true, true, true, false]);
  });

  it("finds a connection poor by what others miss of it, and by the time there and back", async () => {
    const { createQuality, lookAtStats } = await import(new URL("../../io-node/page/quality.js", import.meta.url).href);
    for (const report of [
      { type: "remote-inbound-rtp", fractionLost: 0.2 },
      { type: "candidate-pair", nominated: true, currentRoundTripTime: 1 },
    ]) {
      const quality = createQuality();
      expect([1, 2].map(() => lookAtStats(quality, [report]))).toEqual([false, true]);
    }
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
