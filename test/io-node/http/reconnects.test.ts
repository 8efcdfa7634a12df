import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../core/index.ts";
import { createHttp } from "../../../io-node/http/http.ts";
import { createLog } from "../../../io-node/log.ts";
import { createMetrics } from "../../../io-node/metrics/metrics.ts";
import { createFakeShard, resourceOf } from "../fake-shard.ts";

const SDP = "application/sdp";
const FRAGMENT = "application/trickle-ice-sdpfrag";
const LOCATIONS = [["/api/v1/rooms/blue/participants"], ["/whip/blue"], ["/whep/blue"]] as const;

/** Somebody who has joined at one of the addresses, and how to patch what was made. */
async function joined(endpoint: string) {
  const { control, commands, refuse } = createFakeShard();
  const lines: string[] = [];
  const log = createLog("trace", { write: (line) => lines.push(line) });
  const app = createHttp({ control, metrics: createMetrics(control.placement, []), log });
  const made = await app.request(endpoint, { method: "POST", headers: { "content-type": SDP }, body: "v=0" });
  const location = made.headers.get("location")!;
  commands.length = 0;
  const patch = (headers: Record<string, string>, body = "v=0 again", path = location) =>
    app.request(path, { method: "PATCH", headers, body });
  return { app, control, commands, refuse, lines, location, etag: made.headers.get("etag")!, patch };
}

describe.each(LOCATIONS)("a patch of what was made at %s", (endpoint) => {
  it("gives the same participant a new connection, which has a tag of its own", async () => {
    const { patch, etag, commands, control } = await joined(endpoint);
    const response = await patch({ "content-type": SDP, "if-match": etag });
    expect([response.status, response.headers.get("content-type")]).toEqual([200, SDP]);
    expect([response.headers.get("etag"), response.headers.get("cache-control")]).toEqual([
      '"connection-2"',
      "no-store",
    ]);
    expect(await response.text()).toBe("v=0\r\no=again\r\n");
    const resource = resourceOf(1);
    expect(commands).toEqual([{ type: "reconnect", room: "blue", resource, connection: 1, offer: "v=0 again" }]);
    expect(control.tally).toMatchObject({ joined: 1, reconnecting: 1 });
  });

  it("may name the connection among others, weakly, or as whichever it is", async () => {
    const { patch, commands } = await joined(endpoint);
    for (const wanted of ['"connection-9", "connection-1"', 'W/"connection-2"', "*"]) {
      expect((await patch({ "content-type": SDP, "if-match": wanted })).status).toBe(200);
    }
    expect(commands.map((command) => command.type === "reconnect" && command.connection)).toEqual([1, 2, undefined]);
  });

  it("with the tag of a connection that has been replaced is 412", async () => {
    const { patch, etag, commands, lines } = await joined(endpoint);
    await patch({ "content-type": SDP, "if-match": etag });
    lines.length = 0;
    const response = await patch({ "content-type": SDP, "if-match": etag });
    expect([response.status, response.headers.get("content-type")]).toEqual([412, "application/problem+json"]);
    expect(await response.json()).toMatchObject({ type: "urn:problem-type:lockstep:stale-connection", status: 412 });
    expect(commands).toHaveLength(1);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ room: "blue", code: "stale-connection" }]);
  });

  it("that another one has overtaken on its way to the shard is 412 as well", async () => {
    const { patch, etag, refuse } = await joined(endpoint);
    refuse("stale-connection", "Another one by now.");
    const response = await patch({ "content-type": SDP, "if-match": etag });
    expect(response.status).toBe(412);
    expect(await response.json()).toMatchObject({ detail: "Another one by now." });
  });

  it("without a word about which connection is meant is 428", async () => {
    const { patch, commands } = await joined(endpoint);
    const response = await patch({ "content-type": SDP });
    expect(response.status).toBe(428);
    expect(((await response.json()) as { detail: string }).detail).toContain("If-Match");
    expect(commands).toEqual([]);
  });

  it("of nobody is 404", async () => {
    const { app, patch, etag, location } = await joined(endpoint);
    expect((await patch({ "content-type": SDP, "if-match": etag }, "v=0", `${endpoint}/${resourceOf(7)}`)).status).toBe(
      404,
    );
    await app.request(location, { method: "DELETE" });
    expect((await patch({ "content-type": SDP, "if-match": "*" })).status).toBe(404);
  });

  it("takes a trickled candidate for granted, and refuses to restart ICE alone", async () => {
    const { patch, etag, commands } = await joined(endpoint);
    const fragment = "a=ice-ufrag:x\r\na=ice-pwd:y\r\n";
    expect((await patch({ "content-type": FRAGMENT, "if-match": etag }, fragment)).status).toBe(204);
    const restart = await patch({ "content-type": FRAGMENT, "if-match": "*" }, fragment);
    expect(restart.status).toBe(422);
    expect(((await restart.json()) as { detail: string }).detail).toContain("application/sdp");
    expect((await patch({ "content-type": FRAGMENT, "if-match": '"connection-9"' }, fragment)).status).toBe(412);
    expect(commands).toEqual([]);
  });

  it("of another type is 415, of too much 413, and of what the shard can't use 400", async () => {
    const { patch, etag, refuse } = await joined(endpoint);
    const other = await patch({ "content-type": "application/json", "if-match": etag });
    expect([other.status, other.headers.get("accept-patch")]).toEqual([415, `${SDP}, ${FRAGMENT}`]);
    const long = "v".repeat(LIMITS.sdpLengthMax + 1);
    expect((await patch({ "content-type": SDP, "if-match": etag }, long)).status).toBe(413);
    refuse("bad-sdp", "It has no m-lines.");
    const bad = await patch({ "content-type": SDP, "if-match": etag });
    expect(bad.status).toBe(400);
    expect(await bad.json()).toMatchObject({ detail: "It has no m-lines." });
  });
});

describe("pages of other servers", () => {
  it("may ask first whether a session can be patched, and with what", async () => {
    const { app, location } = await joined("/whip/blue");
    const preflight = await app.request(location, { method: "OPTIONS" });
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      "accept-patch": `${SDP}, ${FRAGMENT}`,
      "access-control-allow-methods": "PATCH, DELETE, OPTIONS",
      "access-control-allow-headers": "authorization, content-type, if-match",
    });
    const refused = await app.request(location, { method: "PATCH" });
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([428, "*"]);
  });
});
