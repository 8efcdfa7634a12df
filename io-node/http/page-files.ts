/**
 * The files of the page, read once and served as they lie there: no build step, nothing from another host.
 *
 * The content security policy allows this server's own scripts and styles and nothing inline, so a display name or a room
 * name that slipped into the markup could not run.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { programFile } from "../../program.ts";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
} as const;

/** Every file of the page; the first is the page itself. */
const NAMES = [
  "index.html",
  "call.js",
  "session.js",
  "connection.js",
  "watch.js",
  "stage.js",
  "devices.js",
  "quality.js",
  "screens.js",
  "address.js",
  "comeback.js",
  "style.css",
  "icon.svg",
] as const;

const SECURITY_HEADERS = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "media-src 'self' blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; "),
  "permissions-policy":
    "camera=(self), microphone=(self), display-capture=(self), autoplay=(self), geolocation=(), payment=(), usb=()",
  "referrer-policy": "no-referrer",
} as const;

/** One file, ready to be sent. */
interface PageFile {
  readonly body: string;
  readonly headers: Record<string, string>;
}

/** The files by name. */
export type PageFiles = ReadonlyMap<string, PageFile>;

/** The name of the page itself. */
export const PAGE = NAMES[0];

/** Reads the page's files. */
export function loadPageFiles(): PageFiles {
  return new Map(NAMES.map((name) => [name, loadFile(name)]));
}

/** Answers a request for a file of the page: the file, or 304 when the client has this version. */
export function pageResponse(file: PageFile, ifNoneMatch: string | undefined): Response {
  const known = etagMatches(ifNoneMatch, file.headers.etag!);
  return new Response(known ? null : file.body, { status: known ? 304 : 200, headers: file.headers });
}

/** Whether a client's `If-None-Match` names `etag` (RFC 9110 §13.1.2, where weak tags count as strong ones). */
export function etagMatches(ifNoneMatch: string | undefined, etag: string): boolean {
  return ifNoneMatch?.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag) ?? false;
}

function loadFile(name: (typeof NAMES)[number]): PageFile {
  const body = readFileSync(programFile(`io-node/page/${name}`), "utf8");
  const extension = name.slice(name.lastIndexOf(".")) as keyof typeof TYPES;
  const etag = `"${createHash("sha256").update(body).digest("hex").slice(0, 16)}"`;
  return {
    body,
    headers: { ...SECURITY_HEADERS, "content-type": TYPES[extension], "cache-control": "no-cache", etag },
  };
}
