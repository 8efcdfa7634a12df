/**
 * The way into a room and out of it over HTTP: an offer is posted, the answer comes back with the location of what was made,
 * and to delete that is to leave. The API, WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) are three addresses for it.
 *
 * Whoever has lost his connection patches what was made with another whole offer (reconnects.ts), and stays who he is.
 *
 * WHIP and WHEP are for programs and for pages of other servers, so any page may use them (CORS); whoever wants to know
 * who asks has a proxy in front that does.
 */
import type { Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { isRoomName, LIMITS } from "../../core/index.ts";
import { type Control, controlCommand } from "../control.ts";
import type { Log } from "../log.ts";
import { type JoinRefusal, tallyOne } from "../metrics/call-tally.ts";
import { problemResponse, refusalResponse } from "./problem.ts";
import { connectionTag, contentType, PATCH_TYPES, reconnect } from "./reconnects.ts";

/** What joins need. */
export interface JoinParts {
  readonly control: Control;
  readonly log: Log;
}

/** The endpoints of WHIP and WHEP, and the sessions below them. */
const WISH = ["/whip/:room", "/whep/:room"] as const;

/** The addresses of WHIP and WHEP with the methods that they answer. */
export const WISH_METHODS: readonly (readonly [path: string, allow: string])[] = WISH.flatMap((endpoint) => [
  [endpoint, "POST, OPTIONS"] as const,
  [`${endpoint}/:resource`, "PATCH, DELETE, OPTIONS"] as const,
]);

/** Adds WHIP and WHEP. */
export function addWish(app: Hono, parts: JoinParts): void {
  for (const endpoint of WISH) {
    app.use(`${endpoint}/*`, async (context, next) => {
      await next();
      const { headers } = context.res;
      headers.set("access-control-allow-origin", "*");
      headers.set("access-control-expose-headers", "etag, location, retry-after");
      if (context.req.method !== "OPTIONS") return;
      headers.set("access-control-allow-methods", headers.get("allow") ?? "POST, PATCH, DELETE, OPTIONS");
      headers.set("access-control-allow-headers", "authorization, content-type, if-match");
      headers.set("access-control-max-age", "86400");
      if (context.req.param("resource") === undefined) headers.set("accept-post", "application/sdp");
      else headers.set("accept-patch", PATCH_TYPES);
    });
    addJoins(app, endpoint, parts);
  }
}

/** Adds joins at `endpoint`, a path with a `:room` in it, and reconnects and leaves at the locations below it. */
export function addJoins(app: Hono, endpoint: string, parts: JoinParts): void {
  app.use(`${endpoint}/*`, (context, next) => refuseBadRoomName(context, next, parts));
  const limit = bodyLimit({ maxSize: LIMITS.sdpLengthMax, onError: (context) => tooLong(context, parts) });
  app.post(
    endpoint,
    async (context, next) => (isSdp(context) ? next() : otherType(context, parts)),
    async (context, next) => (statesItsLength(context) ? next() : limit(context, next)),
    (context) => join(context, parts),
  );
  app.patch(
    `${endpoint}/:resource`,
    async (context, next) => (statesItsLength(context) ? next() : limit(context, next)),
    (context) => reconnect(context, parts, (code, room) => noteRefusal(parts, code, room)),
  );
  app.delete(`${endpoint}/:resource`, async (context) => {
    const room = context.req.param("room") ?? "";
    const resource = context.req.param("resource") ?? "";
    const reply = await controlCommand(parts.control, { type: "leave", room, resource });
    return reply.type === "refused" ? refusalResponse(reply.code, reply.detail) : context.body(null, 204);
  });
}

/** Answers a request about what can't be the name of a room; passes all others on. */
export async function refuseBadRoomName(
  context: Context,
  next: () => Promise<void>,
  parts: JoinParts,
): Promise<Response | undefined> {
  if (isRoomName(context.req.param("room") ?? "")) {
    await next();
    return undefined;
  }
  if (context.req.method === "POST") noteRefusal(parts, "bad-room-name");
  const characters = "letters, digits, hyphens, underscores and dots";
  return refusalResponse("bad-room-name", `A room's name has 1 to ${LIMITS.roomNameLengthMax} ${characters}.`);
}

function isSdp(context: Context): boolean {
  return contentType(context) === "application/sdp";
}

/** HTTP holds a body to the length that it states. Counting it would make a stream out of it: a twentieth of a join's price. */
function statesItsLength(context: Context): boolean {
  if (context.req.header("transfer-encoding") !== undefined) return false;
  const length = context.req.header("content-length");
  return length !== undefined && /^\d{1,9}$/.test(length) && Number(length) <= LIMITS.sdpLengthMax;
}

function otherType(context: Context, parts: JoinParts): Response {
  noteRefusal(parts, "not-sdp", context.req.param("room"));
  const detail = "Send the SDP offer with the content type application/sdp.";
  // RFC 9110 §15.5.16 says it by Accept, RFC 9725 by Accept-Post.
  return problemResponse(415, detail, { accept: "application/sdp", "accept-post": "application/sdp" });
}

function tooLong(context: Context, parts: JoinParts): Response {
  noteRefusal(parts, "too-long", context.req.param("room"));
  return problemResponse(413, `Send an offer of at most ${LIMITS.sdpLengthMax} bytes.`);
}

/** Counts a refusal, and says why in the log, in a word: a detail may quote the offer, and goes to the client alone. */
function noteRefusal({ control, log }: JoinParts, code: JoinRefusal, room?: string): void {
  tallyOne(control.tally.refused, code);
  log.warn(room === undefined ? { code } : { room, code }, "join refused");
}

async function join(context: Context, parts: JoinParts): Promise<Response> {
  const room = context.req.param("room")!;
  const name = displayName(context.req.query("name") ?? "");
  const offer = await context.req.text();
  const reply = await controlCommand(parts.control, { type: "join", room, name, offer });
  if (reply.type === "refused") {
    noteRefusal(parts, reply.code, room);
    return refusalResponse(reply.code, reply.detail);
  }
  if (reply.type !== "joined") throw new Error(`the reply to a join is ${reply.type}`);
  return context.body(reply.answer, 201, {
    "content-type": "application/sdp",
    "cache-control": "no-store",
    location: `${context.req.path}/${reply.resource}`,
    etag: connectionTag(reply.participant),
  });
}

/** A name without what would spoil a label or a log line; the shard cuts it to its bound. */
function displayName(text: string): string {
  return text.replace(/\p{Cc}|\p{Cf}/gu, "").trim();
}
