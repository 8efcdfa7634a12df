/**
 * What tests of the negotiation share: the captured offers, a server to negotiate with, and small edits of an offer.
 */
import { readFileSync } from "node:fs";
import { LIMITS } from "../../../core/limits.ts";
import { type LocalDescription, type Negotiation, negotiate } from "../../../core/peer/negotiation.ts";
import { parseSdp, type SessionDescription } from "../../../core/wire/sdp.ts";

/** The offer that a browser with camera and microphone made, with simulcast and a data channel. */
export const PUBLISH_OFFER = readCapture("chromium-156-publish-offer.sdp");

/** The offer of a browser that only receives: one audio and three video m-lines. */
export const SUBSCRIBE_OFFER = readCapture("chromium-156-subscribe-offer.sdp");

/** A server with one IPv4 address; its slots have the SSRCs 1001, 1002, … */
export const LOCAL: LocalDescription = {
  ufrag: "lockstep",
  password: "lockstepLOCKSTEP01234567",
  fingerprint: new Uint8Array(32).fill(0xa5),
  candidates: [{ ip: "192.0.2.1", port: 5000 }],
  sessionId: "4611686018427387904",
  cname: "server",
  ssrcs: Array.from({ length: 2 * LIMITS.sdpMediaMax }, (_, index) => 1001 + index),
};

/** Parses what must parse. */
export function parsed(text: string): SessionDescription {
  const result = parseSdp(text);
  if (!result.ok) throw new Error(result.detail);
  return result.session;
}

/** Negotiates an offer in text form. */
export function negotiated(text: string, local: Partial<LocalDescription> = {}): Negotiation {
  return negotiate(parsed(text), { ...LOCAL, ...local });
}

/** Negotiates an offer that must be accepted; the answer also comes as a record. */
export function agreed(text: string, local: Partial<LocalDescription> = {}) {
  const result = negotiated(text, local);
  if (!result.ok) throw new Error(`the offer was refused: ${result.detail}`);
  const { answer, session } = result;
  return { text: answer, lines: answer.split("\r\n"), answer: parsed(answer), session, media: session.media };
}

/** Why an offer was refused; an accepted one fails the test. */
export function refusal(text: string, local: Partial<LocalDescription> = {}): string {
  const result = negotiated(text, local);
  if (result.ok) throw new Error("the offer was accepted");
  return result.detail;
}

/** The lines of an SDP text with CRLF line ends. */
export function sdpText(...lines: readonly string[]): string {
  return lines.map((line) => `${line}\r\n`).join("");
}

/** The lines before the first m-line of a hand-made offer, transport included; `more` are further lines. */
export function sessionLines(...more: readonly string[]): string[] {
  return [
    "v=0",
    "o=- 1 1 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    "a=ice-ufrag:abcd",
    "a=ice-pwd:abcdefghijklmnopqrstuv",
    `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => "0A").join(":")}`,
    "a=setup:actpass",
    ...more,
  ];
}

/** An audio m-line that is accepted; `more` are further lines. */
export function audioLines(mid: string, ...more: readonly string[]): string[] {
  return ["m=audio 9 UDP/TLS/RTP/SAVPF 111", `a=mid:${mid}`, "a=rtcp-mux", "a=rtpmap:111 opus/48000/2", ...more];
}

/** A video m-line that is accepted; `more` are further lines. */
export function videoLines(mid: string, ...more: readonly string[]): string[] {
  return ["m=video 9 UDP/TLS/RTP/SAVPF 96", `a=mid:${mid}`, "a=rtcp-mux", "a=rtpmap:96 VP8/90000", ...more];
}

function readCapture(name: string): string {
  return readFileSync(new URL(`../../fixtures/captures/${name}`, import.meta.url), "utf8");
}
