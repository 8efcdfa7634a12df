/**
 * Errors of the HTTP interface as problem details (RFC 9457).
 *
 * `status` and `title` tell programs and people what kind of thing went wrong, `detail` is one sentence that says what to
 * do about it. A refusal of the shard has a `type` of its own; everything else is `about:blank`, whose meaning is that of
 * the status alone (RFC 9457 §4.2.1).
 */
import type { RefusalCode } from "../../core/index.ts";
import type { Departure } from "../control.ts";

/** A response that reports a problem. */
interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** How the participant has left, where that is the problem. */
  readonly left?: Departure;
}

/** The status and title of each refusal, and the seconds after which trying again makes sense (0 for never). */
const REFUSALS: Record<RefusalCode, { status: number; title: string; retrySeconds: number }> = {
  "bad-sdp": { status: 400, title: "The offer can't be used", retrySeconds: 0 },
  "bad-room-name": { status: 400, title: "Not a room name", retrySeconds: 0 },
  "room-full": { status: 503, title: "The room is full", retrySeconds: 30 },
  "shard-full": { status: 503, title: "The server is full", retrySeconds: 30 },
  draining: { status: 503, title: "The server is shutting down", retrySeconds: 5 },
  "shard-failed": { status: 503, title: "The server starts anew", retrySeconds: 1 },
  overloaded: { status: 503, title: "The server is overloaded", retrySeconds: 10 },
  "not-found": { status: 404, title: "No such participant", retrySeconds: 0 },
  "stale-connection": { status: 412, title: "Another connection by now", retrySeconds: 0 },
};

const TITLES: Record<number, string> = {
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  428: "Precondition Required",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** A response whose meaning is that of its status. */
export function problemResponse(status: number, detail: string, headers: Record<string, string> = {}): Response {
  return respond({ type: "about:blank", title: TITLES[status] ?? "Error", status, detail }, headers);
}

/** The response to a command that the shard has refused. */
export function refusalResponse(code: RefusalCode, detail: string): Response {
  const { status, title, retrySeconds } = REFUSALS[code];
  const headers: Record<string, string> = retrySeconds > 0 ? { "retry-after": String(retrySeconds) } : {};
  return respond({ type: `urn:problem-type:lockstep:${code}`, title, status, detail }, headers);
}

/** The response about a participant that has left; `left` is what the last event on its stream has said too. */
export function departureResponse({ reason, detail }: Departure): Response {
  const problem: Problem = {
    type: "urn:problem-type:lockstep:left",
    title: "The participant has left",
    status: 410,
    detail: "This participant has left; join again.",
    left: { reason, detail },
  };
  return respond(problem, {});
}

function respond(problem: Problem, headers: Record<string, string>): Response {
  return new Response(`${JSON.stringify(problem)}\n`, {
    status: problem.status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store", ...headers },
  });
}
