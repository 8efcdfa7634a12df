/**
 * The HTTP interface: a participant comes with one request and goes with another, and the page makes calls out of that.
 *
 * ```
 * POST   /api/v1/rooms/{room}/participants?name=…   application/sdp → 201, the answer; Location, ETag
 * PATCH  {location}                                 application/sdp, If-Match → 200, the answer of a new connection; ETag
 * DELETE {location}                                 204
 * GET    {location}, {location}/events              the call as this participant sees it, once (ETag) or as an event stream
 * GET    /api/v1/rooms/{room}                       who is in the room
 * POST   /whip/{room}, /whep/{room}                 the same as a join, for programs that speak WHIP or WHEP
 * GET    /healthz, /readyz, /metrics                for operators
 * GET    /, /r/{room}, /assets/{file}               the page
 * ```
 *
 * A location is a capability: whoever knows it may end the participant's call. It is told once, in the answer to the join,
 * and stands in no log and no roster. Errors are problem details (io-node/http/problem.ts).
 */
import { type Context, Hono } from "hono";
import type { Registry } from "prom-client";
import {
  type Control,
  findDeparture,
  findParticipant,
  participantStateJson,
  participantStateVersion,
  roomParticipants,
} from "../control.ts";
import { participantEvents } from "./event-stream.ts";
import { addJoins, addWish, type JoinParts, refuseBadRoomName, WISH_METHODS } from "./joins.ts";
import { etagMatches, loadPageFiles, PAGE, pageResponse } from "./page-files.ts";
import { departureResponse, problemResponse } from "./problem.ts";

const ROOM = "/api/v1/rooms/:room";
const PARTICIPANTS = `${ROOM}/participants`;
const PARTICIPANT = `${PARTICIPANTS}/:resource`;
const EVENTS = `${PARTICIPANT}/events`;

/** What the HTTP interface needs; `heartbeatMillis` is for tests. */
export interface HttpParts extends JoinParts {
  readonly metrics: Registry;
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
  addWish(app, parts);
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

function addParticipants(app: Hono, parts: HttpParts): void {
  const { control, heartbeatMillis } = parts;
  app.use(ROOM, (context, next) => refuseBadRoomName(context, next, parts));
  addJoins(app, PARTICIPANTS, parts);
  app.get(ROOM, (context) => {
    const room = context.req.param("room");
    context.header("cache-control", "no-store");
    return context.json({ room, participants: roomParticipants(control, room) });
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
    [PARTICIPANT, "GET, HEAD, PATCH, DELETE"],
    [EVENTS, "GET, HEAD"],
    ["/healthz", "GET, HEAD"],
    ["/readyz", "GET, HEAD"],
    ["/metrics", "GET, HEAD"],
    ["/", "GET, HEAD"],
    ["/r/:room", "GET, HEAD"],
    ["/assets/:file", "GET, HEAD"],
  ];
  for (const [path, allow] of [...allowed, ...WISH_METHODS]) {
    app.options(path, (context) => context.body(null, 204, { allow }));
    app.all(path, () => problemResponse(405, `This address answers ${allow} alone.`, { allow }));
  }
}
