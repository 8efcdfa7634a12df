/**
 * Where two runs part: the first line in which their journals differ, in words.
 *
 * A journal's lines carry the rolling fingerprint of all effects, so equal prefixes prove equal pasts. The boot records are
 * compared apart: two seeds differ there, and everything that the core derives from them differs later.
 */

import { describeDatagram, packetName } from "./input-words.ts";
import { fromBase64 } from "./journal.ts";

/** What was found. */
export interface JournalDiff {
  readonly same: boolean;
  /** Number of the first line that differs, counted from 1; 0 when none does. */
  readonly line: number;
  /** One sentence. */
  readonly detail: string;
  /** The lines before, the same in both, oldest first. */
  readonly before: readonly string[];
  /** The line of either run. */
  readonly first: string;
  readonly second: string;
}

/** Lines that are shown before the parting. */
const BEFORE = 5;
/** Room for "SRTP of 1200 bytes on flow 12 (ssrc 1234567890, number 12345)". */
const WHAT_WIDTH = 64;

/** Compares two journals, line by line. */
export function diffJournals(first: string, second: string): JournalDiff {
  const a = first.split("\n").filter((line) => line !== "");
  const b = second.split("\n").filter((line) => line !== "");
  const boots = compareBoots(a[0] ?? "{}", b[0] ?? "{}");
  const length = Math.max(a.length, b.length);
  for (let at = 1; at < length; at++) {
    if (a[at] === b[at]) continue;
    const before = a.slice(Math.max(1, at - BEFORE), at).map((line) => describeLine(line, a[0]));
    const [one, other] = [describeLine(a[at], a[0]), describeLine(b[at], b[0])];
    const detail = `They part at input ${at} (line ${at + 1}): ${difference(a[at], b[at])}.${boots}`;
    return { same: false, line: at + 1, detail, before, first: one, second: other };
  }
  const detail = boots === "" ? "They are the same to the last byte." : "They hold the same inputs and effects.";
  return { same: true, line: 0, detail: `${detail}${boots}`, before: [], first: "", second: "" };
}

/** What the boot records say, in sentences that begin with a blank; "" when they say the same. */
function compareBoots(one: string, other: string): string {
  const [{ program: first, ...a }, { program: second, ...b }] = [read(one), read(other)];
  const seeds =
    JSON.stringify(a) === JSON.stringify(b)
      ? ""
      : " Their boot records differ too, so they are runs of different seeds or plans.";
  const programs =
    JSON.stringify(first) === JSON.stringify(second) ? "" : " They were written by different versions of Lockstep.";
  return `${seeds}${programs}`;
}

function difference(one: string | undefined, other: string | undefined): string {
  if (one === undefined) return "the first is over";
  if (other === undefined) return "the second is over";
  const [a, b] = [read(one), read(other)];
  const fields = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  const different = fields.filter((field) => JSON.stringify(a[field]) !== JSON.stringify(b[field]));
  const inputs = different.filter((field) => field !== "effects" && field !== "fingerprint");
  if (inputs.length === 0) return "the same input has other effects";
  return `the server is told something else (${inputs.join(", ")})`;
}

function describeLine(line: string | undefined, boot: string | undefined): string {
  if (line === undefined) return "(nothing more)";
  const fields = read(line);
  const { type, now, flow, bytes, effects, fingerprint, command } = fields as Record<string, never>;
  const micros = Number(now ?? 0) - Number(read(boot ?? "{}").now ?? 0);
  const what =
    type === "datagram"
      ? describeRecorded(String(bytes ?? ""), Number(flow))
      : type === "command"
        ? `command ${(command as { type?: string } | undefined)?.type ?? ""}`
        : String(type);
  if (type === "end") return `the end, ${fingerprint}`;
  const time = `${(Math.floor(micros / 1_000) / 1_000).toFixed(3)} s`;
  const led = effects === 1 ? "1 effect" : `${effects ?? 0} effects`;
  return `${time.padStart(10)}  ${what.padEnd(WHAT_WIDTH)}  ${led.padStart(10)}  ${fingerprint ?? ""}`;
}

/** A datagram as it stands in a journal, in base64. */
function describeRecorded(base64: string, flow: number): string {
  const bytes = fromBase64(base64);
  const [name] = packetName(bytes);
  return `${describeDatagram(bytes, flow)}${name === undefined ? "" : ` (${name})`}`;
}

function read(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
