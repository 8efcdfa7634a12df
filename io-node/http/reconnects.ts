/**
 * A new connection for a participant over HTTP: his resource is patched with another whole offer, and what comes back is the
 * answer to that (core/sfu/reconnect.ts). Others do not see him leave and come.
 *
 * The entity tag that came with an answer names the connection; `If-Match` says which one is to be replaced, so that of two
 * requests under way only one has its way (RFC 9110 §13.1.1), and "*" is whichever it is. The view that a GET of the resource
 * shows has tags of its own, which name no connection.
 *
 * WHIP's fragments (RFC 9725 §4.3) come here too. To trickle is always right and never needed: the server learns a client's
 * addresses from its checks. A restart of ICE alone, which a fragment asks for by "*", is not served (422): a new connection
 * costs one handshake more, and is the same way for every client.
 */
import type { Context } from "hono";
import { controlCommand, findParticipant } from "../control.ts";
import type { JoinRefusal } from "../metrics/call-tally.ts";
import type { JoinParts } from "./joins.ts";
import { etagMatches } from "./page-files.ts";
import { problemResponse, refusalResponse } from "./problem.ts";

const SDP = "application/sdp";
const FRAGMENT = "application/trickle-ice-sdpfrag";

/** What a patch may be. */
export const PATCH_TYPES = `${SDP}, ${FRAGMENT}`;

/** The entity tag of the connection with this number. */
export function connectionTag(connection: number): string {
  return `"connection-${connection}"`;
}

/** The media type of a request's content, without parameters. */
export function contentType(context: Context): string | undefined {
  return context.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
}

/** Answers a PATCH of a participant's resource; `onRefusal` hears why an offer was not taken. */
export async function reconnect(
  context: Context,
  { control }: JoinParts,
  onRefusal: (code: JoinRefusal, room: string) => void,
): Promise<Response> {
  const room = context.req.param("room") ?? "";
  const resource = context.req.param("resource") ?? "";
  const refuse = (code: "not-found" | "stale-connection", detail: string) => {
    onRefusal(code, room);
    return refusalResponse(code, detail);
  };
  const record = findParticipant(control, room, resource);
  if (record === undefined) return refuse("not-found", "This participant has left, or never was; join again.");
  const wanted = context.req.header("if-match");
  if (wanted === undefined) {
    return problemResponse(428, "Say with If-Match which connection is to be replaced: the ETag of its answer.");
  }
  const { connection } = record;
  const isAny = wanted.trim() === "*";
  // Weak tags count as well, against the letter: proxies that compress answers make strong ones weak.
  if (!isAny && !etagMatches(wanted, connectionTag(connection))) {
    return refuse("stale-connection", "This participant has another connection by now; join again if it is not yours.");
  }
  const type = contentType(context);
  if (type === FRAGMENT) return isAny ? iceRestart() : context.body(null, 204);
  if (type !== SDP) {
    onRefusal("not-sdp", room);
    const detail = "Send the SDP offer of the new connection with the content type application/sdp.";
    return problemResponse(415, detail, { accept: PATCH_TYPES, "accept-patch": PATCH_TYPES });
  }
  const offer = await context.req.text();
  const which = isAny ? {} : { connection };
  const reply = await controlCommand(control, { type: "reconnect", room, resource, offer, ...which });
  if (reply.type === "refused") {
    onRefusal(reply.code, room);
    return refusalResponse(reply.code, reply.detail);
  }
  if (reply.type !== "reconnected") throw new Error(`the reply to a reconnect is ${reply.type}`);
  return context.body(reply.answer, 200, {
    "content-type": SDP,
    "cache-control": "no-store",
    etag: connectionTag(reply.connection),
  });
}

function iceRestart(): Response {
  const detail = "This server does not restart ICE alone; send a whole offer (application/sdp) for a new connection.";
  return problemResponse(422, detail, { "accept-patch": PATCH_TYPES });
}
