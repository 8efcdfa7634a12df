/**
 * The HTTP interface: a participant comes with one request and goes with another, and the page makes calls out of that.
 *
 * ```
 * POST   /api/v1/rooms/{room}/participants?name=…   application/sdp → 201, the answer; Location, ETag
 * GET    {location}                                 the call as this participant sees it; ETag, If-None-Match
 * GET    {location}/events                          the same as text/event-stream: roster, bindings, left
 * DELETE {location}                                 204
 * GET    /api/v1/rooms/{room}                       who is in the room
 * GET    /healthz, /readyz, /metrics                for operators
 * GET    /, /r/{room}, /assets/{file}               the page
 * ```
 *
 * A location is a capability: whoever knows it may end the participant's call. It is told once, in the answer to the join,
 * and stands in no log and no roster. Errors are problem details (io-node/problem.ts).
 */
import { createHash } from "node:crypto";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Registry } from "prom-client";
import { isRoomName, LIMITS } from "../core/index.ts";
import {
  type Control,
  controlCommand,
  findDeparture,
  findParticipant,
  participantStateJson,
  participantStateVersion,
  roomParticipants,
} from "./control.ts";
import { participantEvents } from "./event-stream.ts";
import type { Log } from "./log.ts";
import { etagMatches, loadPageFiles, PAGE, pageResponse } from "./page-files.ts";
import { departureResponse, problemResponse, refusalResponse } from "./problem.ts";

const ROOM = "/api/v1/rooms/:room";
const PARTICIPANTS = `${ROOM}/participants`;
const PARTICIPANT = `${PARTICIPANTS}/:resource`;
const EVENTS = `${PARTICIPANT}/events`;

/** What the HTTP interface needs; `heartbeatMillis` is for tests. */
export interface HttpParts {
  readonly control: Control;
  readonly metrics: Registry;
  readonly log: Log;
  readonly heartbeatMillis?: number;
}

/** The HTTP interface, to be called with requests. */
export function createHttp(parts: HttpParts): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    context.res.headers.set("x-content-type-options", "nosniff");
  });
  addParticipants(app, parts);
  addHealth(app, parts);
  addPage(app);
  refuseOtherMethods(app);
  app.notFound(() => problemResponse(404, "There is nothing at this address."));
  app.onError((error) => {
    // The path stays out: it may hold a participant's resource.
    if ("code" in error && error.code === "ECONNRESET") {
      parts.log.warn("a client has broken off its request");
      return problemResponse(400, "The request did not arrive whole; send it again.");
    }
    parts.log.error({ err: error }, "a request failed");
    return problemResponse(500, "The server made a mistake; its log says which.");
  });
  return app;
}

function addParticipants(app: Hono, { control, log, heartbeatMillis }: HttpParts): void {
  app.use(`${ROOM}/*`, async (context, next) => {
    if (isRoomName(context.req.param("room"))) return next();
    if (context.req.method === "POST") logRefusal(log, { code: "bad-room-name" });
    return badRoomName();
  });
  const limit = bodyLimit({ maxSize: LIMITS.sdpLengthMax, onError: (context) => tooLong(context, log) });
  app.get(ROOM, (context) => {
    const room = context.req.param("room");
    context.header("cache-control", "no-store");
    return context.json({ room, participants: roomParticipants(control, room) });
  });
  app.post(
    PARTICIPANTS,
    async (context, next) => (isSdp(context) ? next() : otherType(context, log)),
    async (context, next) => (statesItsLength(context) ? next() : limit(context, next)),
    (context) => join(context, control, log),
  );
  app.delete(PARTICIPANT, async (context) => {
    const { room, resource } = context.req.param();
    const reply = await controlCommand(control, { type: "leave", room: room!, resource: resource! });
    return reply.type === "refused" ? refusalResponse(reply.code, reply.detail) : context.body(null, 204);
  });
  app.get(PARTICIPANT, (context) => state(context, control));
  app.get(EVENTS, (context) => {
    const { room, resource } = context.req.param();
    const record = findParticipant(control, room!, resource!);
    if (record === undefined) return absence(control, room!, resource!);
    // A HEAD request comes here too, and nobody would ever read or cancel the stream of its answer.
    if (context.req.raw.method === "HEAD") return context.body(null, 200, { "content-type": "text/event-stream" });
    return participantEvents(context, control, record, heartbeatMillis);
  });
}

function isSdp(context: Context): boolean {
  return context.req.header("content-type")?.split(";")[0]?.trim().toLowerCase() === "application/sdp";
}

/** HTTP holds a body to the length that it states. Counting it would make a stream out of it: a twentieth of a join's price. */
function statesItsLength(context: Context): boolean {
  if (context.req.header("transfer-encoding") !== undefined) return false;
  const length = context.req.header("content-length");
  return length !== undefined && /^\d{1,9}$/.test(length) && Number(length) <= LIMITS.sdpLengthMax;
}

function otherType(context: Context, log: Log): Response {
  logRefusal(log, { room: context.req.param("room"), code: "not-sdp" });
  const detail = "Send the SDP offer with the content type application/sdp.";
  return problemResponse(415, detail, { accept: "application/sdp" });
}

function tooLong(context: Context, log: Log): Response {
  logRefusal(log, { room: context.req.param("room"), code: "too-long" });
  return problemResponse(413, `Send an offer of at most ${LIMITS.sdpLengthMax} bytes.`);
}

/** Says in the log which join was refused and why, in a word: a detail may quote the offer, and goes to the client alone. */
function logRefusal(log: Log, fields: { readonly room?: string | undefined; readonly code: string }): void {
  log.warn(fields, "join refused");
}

async function join(context: Context, control: Control, log: Log): Promise<Response> {
  const room = context.req.param("room")!;
  const name = displayName(context.req.query("name") ?? "");
  const offer = await context.req.text();
  const reply = await controlCommand(control, { type: "join", room, name, offer });
  if (reply.type === "refused") {
    logRefusal(log, { room, code: reply.code });
    return refusalResponse(reply.code, reply.detail);
  }
  if (reply.type !== "joined") throw new Error(`the reply to a join is ${reply.type}`);
  return context.body(reply.answer, 201, {
    "content-type": "application/sdp",
    "cache-control": "no-store",
    location: `/api/v1/rooms/${room}/participants/${reply.resource}`,
    etag: `"${createHash("sha256").update(reply.answer).digest("hex").slice(0, 16)}"`,
  });
}

/** Answers with what the events would say, for clients that can't keep a connection open for them. */
function state(context: Context, control: Control): Response {
  const { room, resource } = context.req.param();
  const record = findParticipant(control, room!, resource!);
  if (record === undefined) return absence(control, room!, resource!);
  const etag = `"${participantStateVersion(control, record)}"`;
  const headers = { "cache-control": "no-store", etag };
  if (etagMatches(context.req.header("if-none-match"), etag)) return context.body(null, 304, headers);
  return context.body(participantStateJson(control, record), 200, { ...headers, "content-type": "application/json" });
}

function absence(control: Control, room: string, resource: string): Response {
  const departure = findDeparture(control, room, resource);
  if (departure !== undefined) return departureResponse(departure);
  return problemResponse(404, "This participant has left, or never was; join again.");
}

function addHealth(app: Hono, { control, metrics }: HttpParts): void {
  app.get("/healthz", (context) => context.json({ status: "ok" }));
  app.get("/readyz", (context) =>
    control.draining
      ? problemResponse(503, "The server is shutting down; send new calls elsewhere.", { "retry-after": "5" })
      : context.json({ status: "ready" }),
  );
  app.get("/metrics", async (context) => {
    return context.body(await metrics.metrics(), 200, { "content-type": metrics.contentType });
  });
}

function addPage(app: Hono): void {
  const files = loadPageFiles();
  const page = (context: Context) => pageResponse(files.get(PAGE)!, context.req.header("if-none-match"));
  app.get("/", page);
  app.get("/r/:room", page);
  app.get("/assets/:file", (context) => {
    const file = files.get(context.req.param("file"));
    return file === undefined ? context.notFound() : pageResponse(file, context.req.header("if-none-match"));
  });
}

/** Says 405 and not 404 where another method would have had an answer (RFC 9110 §15.5.6). */
function refuseOtherMethods(app: Hono): void {
  const allowed: [string, string][] = [
    [ROOM, "GET, HEAD"],
    [PARTICIPANTS, "POST"],
    [PARTICIPANT, "GET, HEAD, DELETE"],
    [EVENTS, "GET, HEAD"],
    ["/healthz", "GET, HEAD"],
    ["/readyz", "GET, HEAD"],
    ["/metrics", "GET, HEAD"],
    ["/", "GET, HEAD"],
    ["/r/:room", "GET, HEAD"],
    ["/assets/:file", "GET, HEAD"],
  ];
  for (const [path, allow] of allowed) {
    app.all(path, () => problemResponse(405, `This address answers ${allow} alone.`, { allow }));
  }
}

function badRoomName(): Response {
  const characters = "letters, digits, hyphens, underscores and dots";
  return refusalResponse("bad-room-name", `A room's name has 1 to ${LIMITS.roomNameLengthMax} ${characters}.`);
}

/** A name without what would spoil a label or a log line; the shard cuts it to its bound. */
function displayName(text: string): string {
  return text.replace(/\p{Cc}|\p{Cf}/gu, "").trim();
}
