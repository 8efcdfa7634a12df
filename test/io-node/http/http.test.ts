import { describe, expect, it } from "vitest";
import { LIMITS, type RefusalCode } from "../../../core/index.ts";
import { controlCommand } from "../../../io-node/control.ts";
import { createHttp } from "../../../io-node/http/http.ts";
import { createLog } from "../../../io-node/log.ts";
import type { JoinRefusal } from "../../../io-node/metrics/call-tally.ts";
import { createMetrics } from "../../../io-node/metrics/metrics.ts";
import { createFakeShard, resourceOf } from "../fake-shard.ts";

const PARTICIPANTS = "/api/v1/rooms/blue/participants";
const SDP = { "content-type": "application/sdp" };

/** The interface over a fake shard, with its log at hand. */
function createSubject(heartbeatMillis = 60_000) {
  const fake = createFakeShard();
  const lines: string[] = [];
  const log = createLog("trace", { write: (line) => lines.push(line) });
  const app = createHttp({
    control: fake.control,
    metrics: createMetrics(fake.control.placement, []),
    log,
    heartbeatMillis,
  });
  const ask = async (method: string, path: string, headers: Record<string, string> = {}, body?: string) =>
    app.request(path, { method, headers, ...(body === undefined ? {} : { body }) });
  return { ...fake, lines, ask };
}

/** A problem as its reader sees it; fails when the response is none. */
async function problem(response: Response) {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const body = (await response.json()) as { type: string; title: string; status: number; detail: string };
  expect(body.status).toBe(response.status);
  expect(body.title).not.toBe("");
  expect(body.detail).toMatch(/^[A-Z].*[.]$/);
  return body;
}

/** Reads a stream up to and including the text `end`. */
async function readUntil(response: Response, end: string): Promise<string> {
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  let text = "";
  while (!text.includes(end)) {
    const { done, value } = await reader.read();
    if (done) return `${text}<end>`;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text;
}

describe("a join", () => {
  it("is answered with the SDP answer, a location and an entity tag", async () => {
    const { ask, commands } = createSubject();
    const response = await ask("POST", `${PARTICIPANTS}?name=Ana%20Lima`, SDP, "v=0\r\n");
    expect(response.status).toBe(201);
    expect(response.headers.get("content-type")).toBe("application/sdp");
    expect(response.headers.get("location")).toBe(`${PARTICIPANTS}/${resourceOf(1)}`);
    expect(response.headers.get("etag")).toBe('"connection-1"');
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.text()).toBe("v=0\r\n");
    expect(commands).toEqual([{ type: "join", room: "blue", name: "Ana Lima", offer: "v=0\r\n" }]);
  });

  it("takes parameters of the content type", async () => {
    const { ask } = createSubject();
    expect((await ask("POST", PARTICIPANTS, { "content-type": "Application/SDP; charset=utf-8" }, "v=0")).status).toBe(
      201,
    );
  });

  it("takes control and direction characters out of a name", async () => {
    const { ask, commands } = createSubject();
    await ask("POST", `${PARTICIPANTS}?name=%20A%0Ana%E2%80%AE%07%20`, SDP, "v=0");
    expect(commands[0]).toMatchObject({ name: "Ana" });
  });

  it("without a name is a join with an empty one", async () => {
    const { ask, commands } = createSubject();
    await ask("POST", PARTICIPANTS, SDP, "v=0");
    expect(commands[0]).toMatchObject({ name: "" });
  });

  it("of another content type is 415 and says which is wanted", async () => {
    const { ask, commands } = createSubject();
    for (const headers of [{ "content-type": "application/json" }, { "content-type": "application/sdpx" }]) {
      const response = await ask("POST", PARTICIPANTS, headers, "v=0");
      expect(response.status).toBe(415);
      expect((await problem(response)).detail).toContain("application/sdp");
    }
    expect(commands).toEqual([]);
  });

  it("reaches the shard when it is as long as the core takes", async () => {
    const { ask, commands } = createSubject();
    const offer = "v".repeat(LIMITS.sdpLengthMax);
    expect((await ask("POST", PARTICIPANTS, SDP, offer)).status).toBe(201);
    expect(commands).toEqual([{ type: "join", room: "blue", name: "", offer }]);
  });

  it("of more than the core takes is 413, with and without a stated length", async () => {
    const { ask, commands } = createSubject();
    const body = "v".repeat(LIMITS.sdpLengthMax + 1);
    const stated = await ask("POST", PARTICIPANTS, { ...SDP, "content-length": String(body.length) }, body);
    expect(stated.status).toBe(413);
    await problem(stated);
    expect((await ask("POST", PARTICIPANTS, { ...SDP, "transfer-encoding": "chunked" }, body)).status).toBe(413);
    expect(commands).toEqual([]);
  });

  it.each(["a%20b", "%3Cb%3E", "caf%C3%A9", "x".repeat(65), "a%2Fb"])("to a room called %s is 400", async (room) => {
    const { ask, commands } = createSubject();
    const response = await ask("POST", `/api/v1/rooms/${room}/participants`, SDP, "v=0");
    expect(response.status).toBe(400);
    expect((await problem(response)).type).toBe("urn:problem-type:lockstep:bad-room-name");
    expect(commands).toEqual([]);
  });

  it("that its sender breaks off makes nothing, and is no mistake of the server's", async () => {
    const { control, commands, lines } = createSubject();
    const log = createLog("trace", { write: (line) => lines.push(line) });
    const app = createHttp({ control, metrics: createMetrics(control.placement, []), log });
    const body = new ReadableStream({
      pull: (controller) => controller.error(Object.assign(new Error("aborted"), { code: "ECONNRESET" })),
    });
    const request = new Request(`http://localhost${PARTICIPANTS}`, {
      method: "POST",
      headers: SDP,
      body,
      duplex: "half",
    });
    const response = await app.request(request);
    expect(response.status).toBe(400);
    await problem(response);
    expect(commands).toEqual([]);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: "warn", msg: "a client has broken off its request" },
    ]);
  });

  it.each<[RefusalCode, number, boolean]>([
    ["bad-sdp", 400, false],
    ["bad-room-name", 400, false],
    ["room-full", 503, true],
    ["shard-full", 503, true],
    ["draining", 503, true],
    ["not-found", 404, false],
  ])("that the shard refuses with %s is %i", async (code, status, retry) => {
    const { ask, refuse } = createSubject();
    refuse(code, "It is so.");
    const response = await ask("POST", PARTICIPANTS, SDP, "v=0");
    expect(response.status).toBe(status);
    expect(response.headers.has("retry-after")).toBe(retry);
    expect(await problem(response)).toMatchObject({ type: `urn:problem-type:lockstep:${code}`, detail: "It is so." });
  });

  it.each<[string, string, Record<string, string>, number, JoinRefusal]>([
    ["of another type", "blue", {}, 10, "not-sdp"],
    ["that is too long", "blue", SDP, LIMITS.sdpLengthMax + 1, "too-long"],
    ["to a room that can't be", "a%20b", SDP, 10, "bad-room-name"],
    ["that the shard refuses", "blue", SDP, 10, "bad-sdp"],
  ])("%s has a line in the log that says why it was refused", async (_what, room, headers, length, code) => {
    const { ask, control, lines, refuse } = createSubject();
    refuse("bad-sdp", "A secret of the offer.");
    await ask("POST", `/api/v1/rooms/${room}/participants`, headers, "v".repeat(length));
    const said = lines.map((line) => JSON.parse(line) as object);
    const where = room === "blue" ? { room } : {};
    expect(said).toEqual([{ level: "warn", time: expect.any(String), ...where, code, msg: "join refused" }]);
    expect(control.tally.refused.get(code)).toBe(1);
  });
});

describe("a leave", () => {
  it("is 204, and 404 the second time", async () => {
    const { ask } = createSubject();
    const location = (await ask("POST", PARTICIPANTS, SDP, "v=0")).headers.get("location")!;
    const first = await ask("DELETE", location);
    expect(first.status).toBe(204);
    expect(await first.text()).toBe("");
    const second = await ask("DELETE", location);
    expect(second.status).toBe(404);
    await problem(second);
  });

  it("through another room's address is 404 and ends nothing", async () => {
    const { ask } = createSubject();
    await ask("POST", PARTICIPANTS, SDP, "v=0");
    expect((await ask("DELETE", `/api/v1/rooms/red/participants/${resourceOf(1)}`)).status).toBe(404);
    expect((await ask("DELETE", `${PARTICIPANTS}/${resourceOf(1)}`)).status).toBe(204);
  });
});

describe("WHIP and WHEP", () => {
  it.each(["/whip/blue", "/whep/blue"])("%s makes a session by a POST and ends it by a DELETE", async (endpoint) => {
    const { ask, commands } = createSubject();
    const made = await ask("POST", endpoint, { ...SDP, authorization: "Bearer x" }, "v=0\r\n");
    expect([made.status, made.headers.get("content-type")]).toEqual([201, "application/sdp"]);
    expect(made.headers.get("location")).toBe(`${endpoint}/${resourceOf(1)}`);
    expect(commands).toEqual([{ type: "join", room: "blue", name: "", offer: "v=0\r\n" }]);
    expect((await ask("DELETE", made.headers.get("location")!)).status).toBe(204);
    expect((await ask("DELETE", made.headers.get("location")!)).status).toBe(404);
  });

  it("let pages of other servers ask first, and read what they need", async () => {
    const { ask } = createSubject();
    const preflight = await ask("OPTIONS", "/whip/blue", { origin: "https://a.example" });
    expect(preflight.status).toBe(204);
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      "accept-post": "application/sdp",
      "access-control-allow-origin": "*",
      "access-control-allow-methods": "POST, OPTIONS",
      "access-control-allow-headers": "authorization, content-type, if-match",
    });
    const refused = await ask("POST", "/whip/blue", { origin: "https://a.example" }, "v=0");
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([415, "*"]);
    expect(refused.headers.get("access-control-expose-headers")).toContain("location");
    const other = await ask("OPTIONS", PARTICIPANTS, { origin: "https://a.example" });
    expect([other.status, other.headers.get("allow")]).toEqual([204, "POST"]);
    expect(other.headers.has("access-control-allow-origin")).toBe(false);
  });

  it.each([
    ["GET", `/whip/blue/${resourceOf(1)}`, 405, "PATCH, DELETE, OPTIONS"],
    ["GET", "/whip/blue", 405, "POST, OPTIONS"],
    ["PUT", "/whep/blue", 405, "POST, OPTIONS"],
    ["POST", "/whip/a%20b", 400, null],
  ])("answer %s %s with the problem %i", async (method, path, status, allow) => {
    const { ask } = createSubject();
    const response = await ask(method, path, SDP, method === "GET" ? undefined : "v=0");
    expect([response.status, response.headers.get("allow")]).toEqual([status, allow]);
    await problem(response);
  });
});

describe("a roster", () => {
  it("shows public numbers and names, never a resource", async () => {
    const { ask } = createSubject();
    await ask("POST", `${PARTICIPANTS}?name=Ana`, SDP, "v=0");
    const text = await (await ask("GET", "/api/v1/rooms/blue")).text();
    expect(JSON.parse(text)).toEqual({
      room: "blue",
      participants: [{ participant: 1, name: "Ana", publications: [] }],
    });
    expect(text).not.toContain(resourceOf(1));
  });

  it("of a room that nobody is in is empty", async () => {
    const { ask } = createSubject();
    expect(await (await ask("GET", "/api/v1/rooms/red")).json()).toEqual({ room: "red", participants: [] });
  });

  it("of what can't be a room is 400", async () => {
    const { ask } = createSubject();
    const response = await ask("GET", "/api/v1/rooms/a%20b");
    expect(response.status).toBe(400);
    await problem(response);
  });
});

describe("the event stream", () => {
  it("begins with the whole state", async () => {
    const { ask, event } = createSubject();
    await ask("POST", `${PARTICIPANTS}?name=Ana`, SDP, "v=0");
    const slots = [{ mid: "3", kind: "video", publication: 7, participant: 2, paused: false }] as const;
    event({ type: "bindings", room: "blue", participant: 1, slots });
    const response = await ask("GET", `${PARTICIPANTS}/${resourceOf(1)}/events`);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const text = await readUntil(
      response,
      'bindings\ndata: {"slots":[{"mid":"3","kind":"video","publication":7,"participant":2,"paused":false}]}\n\n',
    );
    expect(text).toContain(
      'event: roster\ndata: {"room":"blue","you":1,"participants":[{"participant":1,"name":"Ana","publications":[]}]}\n\n',
    );
  });

  it("tells a change, and at the end who left and why", async () => {
    const { ask, event } = createSubject();
    await ask("POST", PARTICIPANTS, SDP, "v=0");
    const response = await ask("GET", `${PARTICIPANTS}/${resourceOf(1)}/events`);
    setTimeout(() => ask("POST", `${PARTICIPANTS}?name=Bob`, SDP, "v=0"), 5);
    setTimeout(() => event({ type: "left", room: "blue", participant: 1, reason: "dtls-failed", detail: "Why." }), 15);
    const text = await readUntil(response, "never");
    expect(text).toContain('"name":"Bob"');
    expect(text.endsWith('event: left\ndata: {"reason":"dtls-failed","detail":"Why."}\n\n<end>')).toBe(true);
  });

  it("tells of a large room once in a while, and then as it is by then", async () => {
    const { ask, event } = createSubject();
    await ask("POST", `${PARTICIPANTS}?name=Ana`, SDP, "v=0");
    const changes = 10;
    const change = (count: number) => {
      const others = Array.from({ length: 500 }, (_, i) => ({
        participant: i + 1,
        name: `${count}`,
        publications: [],
      }));
      event({ type: "roster", room: "blue", participants: others });
    };
    change(0);
    const response = await ask("GET", `${PARTICIPANTS}/${resourceOf(1)}/events`);
    for (let count = 1; count <= changes; count++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      change(count);
    }
    const text = await readUntil(response, `"name":"${changes}"`);
    expect(text.split("event: roster").length - 1).toBeLessThan(changes / 2);
  });

  it("has a comment when nothing happens", async () => {
    const { ask } = createSubject(5);
    await ask("POST", PARTICIPANTS, SDP, "v=0");
    const response = await ask("GET", `${PARTICIPANTS}/${resourceOf(1)}/events`);
    expect(await readUntil(response, "\n\n: ")).toContain("\n\n: ");
  });

  it("forgets a reader that is gone", async () => {
    const { ask, control } = createSubject();
    await ask("POST", PARTICIPANTS, SDP, "v=0");
    const record = control.byResource.get(resourceOf(1))!;
    await readUntil(await ask("GET", `${PARTICIPANTS}/${resourceOf(1)}/events`), "roster");
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(record.watchers.size).toBe(0);
  });

  it("of nobody is 404", async () => {
    const { ask } = createSubject();
    await problem(await ask("GET", `${PARTICIPANTS}/${resourceOf(1)}/events`));
  });

  it("is not opened by a HEAD request", async () => {
    const { ask, control } = createSubject();
    await ask("POST", PARTICIPANTS, SDP, "v=0");
    expect((await ask("HEAD", `${PARTICIPANTS}/${resourceOf(1)}/events`)).status).toBe(200);
    expect(control.byResource.get(resourceOf(1))!.watchers.size).toBe(0);
  });
});

describe("a participant's own view", () => {
  const LOCATION = `${PARTICIPANTS}/${resourceOf(1)}`;

  it("is the call as the events tell it", async () => {
    const { ask, event } = createSubject();
    await ask("POST", `${PARTICIPANTS}?name=Ana`, SDP, "v=0");
    const slots = [{ mid: "3", kind: "video", publication: 7, participant: 2, paused: false }] as const;
    event({ type: "bindings", room: "blue", participant: 1, slots });
    const response = await ask("GET", LOCATION);
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const participants = [{ participant: 1, name: "Ana", publications: [] }];
    expect(await response.json()).toEqual({ room: "blue", you: 1, participants, slots });
  });

  it("is not sent again until the roster or the slots have changed", async () => {
    const { ask, event } = createSubject();
    await ask("POST", PARTICIPANTS, SDP, "v=0");
    const seen = new Set<string>();
    const look = async () => {
      const etag = (await ask("GET", LOCATION)).headers.get("etag")!;
      const again = await ask("GET", LOCATION, { "if-none-match": etag });
      expect([again.status, again.headers.get("etag"), await again.text()]).toEqual([304, etag, ""]);
      for (const old of seen) expect((await ask("GET", LOCATION, { "if-none-match": old })).status).toBe(200);
      seen.add(etag);
    };
    await look();
    await ask("POST", `${PARTICIPANTS}?name=Bob`, SDP, "v=0");
    await look();
    event({ type: "bindings", room: "blue", participant: 1, slots: [] });
    await look();
    expect(seen.size).toBe(3);
  });

  it("is gone with the participant, and says how he left", async () => {
    const { ask, event } = createSubject();
    await ask("POST", PARTICIPANTS, SDP, "v=0");
    event({ type: "left", room: "blue", participant: 1, reason: "dtls-failed", detail: "Why." });
    for (const path of [LOCATION, `${LOCATION}/events`]) {
      const response = await ask("GET", path);
      expect(response.status).toBe(410);
      const left = { reason: "dtls-failed", detail: "Why." };
      expect(await problem(response)).toMatchObject({ type: "urn:problem-type:lockstep:left", left });
    }
  });

  it("is 404 through another room's address and for nobody, before and after the end", async () => {
    const { ask } = createSubject();
    await ask("POST", PARTICIPANTS, SDP, "v=0");
    const elsewhere = LOCATION.replace("blue", "red");
    for (const path of [elsewhere, `${PARTICIPANTS}/${resourceOf(2)}`]) {
      expect((await ask("GET", path)).status).toBe(404);
    }
    await ask("DELETE", LOCATION);
    expect((await ask("GET", LOCATION)).status).toBe(410);
    await problem(await ask("GET", elsewhere));
    expect((await ask("GET", elsewhere)).status).toBe(404);
  });
});

describe("other addresses", () => {
  it.each([
    ["PUT", "/api/v1/rooms/blue", "GET, HEAD"],
    ["GET", PARTICIPANTS, "POST"],
    ["POST", `${PARTICIPANTS}/${resourceOf(1)}`, "GET, HEAD, PATCH, DELETE"],
    ["POST", `${PARTICIPANTS}/${resourceOf(1)}/events`, "GET, HEAD"],
    ["POST", "/healthz", "GET, HEAD"],
    ["DELETE", "/", "GET, HEAD"],
    ["POST", "/assets/call.js", "GET, HEAD"],
  ])("%s %s is 405 and says what is allowed", async (method, path, allow) => {
    const response = await createSubject().ask(method, path);
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe(allow);
    await problem(response);
  });

  it.each(["/nothing", "/api/v1", "/api/v1/rooms/blue/else", "/assets/nothing.js", "/assets/..%2Fhttp.ts"])(
    "%s is 404",
    async (path) => {
      const response = await createSubject().ask("GET", path);
      expect(response.status).toBe(404);
      await problem(response);
    },
  );

  it("tell whether the server lives, and whether it takes calls", async () => {
    const { ask, control } = createSubject();
    expect((await ask("GET", "/healthz")).status).toBe(200);
    expect((await ask("GET", "/readyz")).status).toBe(200);
    control.draining = true;
    expect((await ask("GET", "/healthz")).status).toBe(200);
    expect((await ask("GET", "/readyz")).status).toBe(503);
  });

  it("shows its metrics as Prometheus reads them", async () => {
    const { control, ask } = createSubject();
    await controlCommand(control, { type: "join", room: "blue", name: "", offer: "v=0" });
    const response = await ask("GET", "/metrics");
    expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(await response.text()).toContain("\nlockstep_rooms 1\n");
    expect((await ask("POST", "/metrics")).status).toBe(405);
  });
});

describe("a mistake of the server", () => {
  it("is 500 without a word of what it was, and the log has no address", async () => {
    const { ask, lines, control } = createSubject();
    await ask("POST", PARTICIPANTS, SDP, "v=0");
    control.byResource.get = () => {
      throw new Error("the reason");
    };
    const response = await ask("GET", `${PARTICIPANTS}/${resourceOf(1)}/events`);
    expect(response.status).toBe(500);
    expect((await problem(response)).detail).not.toContain("the reason");
    expect(lines.join("")).toContain("the reason");
    expect(lines.join("")).not.toContain(resourceOf(1));
  });
});
