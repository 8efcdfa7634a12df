/**
 * SDP text (RFC 8866) as a plain record, and back.
 *
 * The record keeps what a WebRTC offer or answer says: the origin, the name, the timing, connection lines, m-lines and
 * every attribute in order, each a name and a value that nobody has interpreted yet (core/wire/sdp-attributes.ts reads the
 * values). Lines of other kinds (i=, u=, e=, p=, b=, r=, z=, k=) are checked for their form and skipped, since nothing in
 * WebRTC depends on them. The order of lines inside a section is not enforced: it carries no meaning, and real senders differ.
 *
 * Lines end with CRLF or LF. The text is walked once from left to right; no regular expression looks at it, and length,
 * lines, m-lines and formats stop at LIMITS.sdp*.
 */
import { LIMITS } from "../limits.ts";

/** One `a=` line. `a=name` and `a=name:` both have the value "". */
export interface SdpAttribute {
  readonly name: string;
  readonly value: string;
}

/** One m-line and what follows it (RFC 8866 §5.14). */
export interface MediaDescription {
  /** "audio", "video", "application" or what else the sender wrote. */
  readonly media: string;
  /** 0 to 65535; 0 means rejected, or in an offer switched off or bundle-only. */
  readonly port: number;
  /** Such as "UDP/TLS/RTP/SAVPF". */
  readonly protocol: string;
  /** Payload types as text, or names; at least one, at most `LIMITS.sdpCodecsPerMediaMax` (later ones are ignored). */
  readonly formats: readonly string[];
  /** The value of the first c= line, or "". */
  readonly connection: string;
  readonly attributes: readonly SdpAttribute[];
}

/** A whole description. */
export interface SessionDescription {
  /** The value of the o= line: six fields (RFC 8866 §5.2). */
  readonly origin: string;
  /** The value of the s= line. */
  readonly name: string;
  /** The value of the first t= line, or "". */
  readonly timing: string;
  /** The value of the first c= line before the m-lines, or "". */
  readonly connection: string;
  /** The attributes of the whole session, in order. */
  readonly attributes: readonly SdpAttribute[];
  readonly media: readonly MediaDescription[];
}

/** What {@link parseSdp} answers; `detail` is a sentence that names the line. */
export type SdpParse =
  | { readonly ok: true; readonly session: SessionDescription }
  | { readonly ok: false; readonly detail: string };

interface OpenMedia extends MediaDescription {
  connection: string;
  attributes: SdpAttribute[];
}

interface Draft {
  origin: string | undefined;
  name: string | undefined;
  timing: string;
  connection: string;
  attributes: SdpAttribute[];
  media: OpenMedia[];
}

/** Characters of a faulty line that the error repeats. */
const EXCERPT_LENGTH = 40;

/** Reads a description. Never throws; the time it takes is linear in the length of the text. */
export function parseSdp(text: string): SdpParse {
  if (text.length > LIMITS.sdpLengthMax) {
    return failed(`The SDP is ${text.length} characters long; at most ${LIMITS.sdpLengthMax} are taken.`);
  }
  const draft: Draft = { origin: undefined, name: undefined, timing: "", connection: "", attributes: [], media: [] };
  let lineNumber = 0;
  let blankLine = 0;
  let at = 0;
  while (at < text.length) {
    const feed = text.indexOf("\n", at);
    const stop = feed < 0 ? text.length : feed;
    const line = text.slice(at, feed > at && text[feed - 1] === "\r" ? feed - 1 : stop);
    at = stop + 1;
    lineNumber++;
    if (lineNumber > LIMITS.sdpLinesMax) {
      return failed(`Line ${lineNumber} is one too many: at most ${LIMITS.sdpLinesMax} lines are taken.`);
    }
    if (line === "") {
      if (blankLine === 0) blankLine = lineNumber;
      continue;
    }
    // Blank lines at the end come from copying text about; between other lines they mean that something is missing.
    if (blankLine > 0) return failed(`Line ${blankLine} is empty, and others follow it.`);
    const complaint = takeLine(draft, line, lineNumber);
    if (complaint !== "") return failed(`Line ${lineNumber} ("${excerpt(line)}") ${complaint}`);
  }
  return finish(draft, lineNumber);
}

/** Writes a description with CRLF line ends. What {@link parseSdp} has answered is written so that it parses equal. */
export function writeSdp(session: SessionDescription): string {
  const lines = ["v=0", `o=${session.origin}`, `s=${session.name}`];
  if (session.connection !== "") lines.push(`c=${session.connection}`);
  if (session.timing !== "") lines.push(`t=${session.timing}`);
  for (const attribute of session.attributes) lines.push(attributeLine(attribute));
  for (const section of session.media) {
    lines.push(`m=${section.media} ${section.port} ${section.protocol} ${section.formats.join(" ")}`);
    if (section.connection !== "") lines.push(`c=${section.connection}`);
    for (const attribute of section.attributes) lines.push(attributeLine(attribute));
  }
  return `${lines.join("\r\n")}\r\n`;
}

/** The value of the first attribute with this name ("" when it has none), or `undefined`. */
export function sdpAttribute(attributes: readonly SdpAttribute[], name: string): string | undefined {
  for (const attribute of attributes) if (attribute.name === name) return attribute.value;
  return undefined;
}

/** The values of all attributes with this name, in order. */
export function sdpAttributeValues(attributes: readonly SdpAttribute[], name: string): string[] {
  const values: string[] = [];
  for (const attribute of attributes) if (attribute.name === name) values.push(attribute.value);
  return values;
}

/** Whether an attribute with this name is there. */
export function sdpHasAttribute(attributes: readonly SdpAttribute[], name: string): boolean {
  return sdpAttribute(attributes, name) !== undefined;
}

/** A number written in decimal digits alone, 0 to `max`; anything else (nothing, a sign, a space) answers -1. */
export function sdpDecimal(text: string, max: number): number {
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    value = value * 10 + digit;
    if (digit < 0 || digit > 9 || value > max) return -1;
  }
  return text === "" ? -1 : value;
}

function failed(detail: string): SdpParse {
  return { ok: false, detail };
}

function finish(draft: Draft, lines: number): SdpParse {
  const { origin, name, timing, connection, attributes, media } = draft;
  if (lines === 0) return failed("The SDP is empty; line 1 must be v=0.");
  if (origin === undefined) return failed(`The SDP ends after line ${lines} without an o= line.`);
  if (name === undefined) return failed(`The SDP ends after line ${lines} without an s= line.`);
  return { ok: true, session: { origin, name, timing, connection, attributes, media } };
}

/** Takes one line into the draft; answers "" or what is wrong with it. */
function takeLine(draft: Draft, line: string, lineNumber: number): string {
  if (line.includes("\r")) return "holds a carriage return that no line feed follows.";
  if (line.includes("\0")) return "holds a NUL character.";
  const type = line.charCodeAt(0);
  if (line[1] !== "=" || type < 0x61 || type > 0x7a) return "does not begin with a small letter and an equals sign.";
  if (lineNumber === 1) return line === "v=0" ? "" : "must be v=0.";
  const value = line.slice(2);
  const section = draft.media[draft.media.length - 1];
  switch (line[0]) {
    case "m":
      return takeMedia(draft, value);
    case "a":
      return takeAttribute(section === undefined ? draft.attributes : section.attributes, value);
    case "c": {
      const target = section ?? draft;
      if (target.connection === "") target.connection = value;
      return "";
    }
    case "v":
    case "o":
    case "s":
    case "t":
      return section === undefined ? takeSessionLine(draft, line[0], value) : "belongs before the first m= line.";
    default:
      return "";
  }
}

function takeSessionLine(draft: Draft, type: string, value: string): string {
  if (type === "v") return "is a second v= line.";
  if (type === "o") {
    if (draft.origin !== undefined) return "is a second o= line.";
    if (fieldsOf(value).length !== 6) return "must have six fields.";
    draft.origin = value;
  } else if (type === "s") {
    if (draft.name !== undefined) return "is a second s= line.";
    draft.name = value;
  } else if (draft.timing === "") {
    draft.timing = value;
  }
  return "";
}

function takeMedia(draft: Draft, value: string): string {
  if (draft.media.length >= LIMITS.sdpMediaMax)
    return `is one m= line too many: at most ${LIMITS.sdpMediaMax} are taken.`;
  const fields = fieldsOf(value);
  const [media, portText, protocol] = fields;
  if (media === undefined || portText === undefined || protocol === undefined || fields.length < 4) {
    return "must have a medium, a port, a protocol and at least one format.";
  }
  const slash = portText.indexOf("/");
  const port = sdpDecimal(slash < 0 ? portText : portText.slice(0, slash), 65_535);
  if (port < 0) return "must have a port between 0 and 65535.";
  const formats = fields.slice(3, 3 + LIMITS.sdpCodecsPerMediaMax);
  draft.media.push({ media, port, protocol, formats, connection: "", attributes: [] });
  return "";
}

function takeAttribute(attributes: SdpAttribute[], value: string): string {
  const colon = value.indexOf(":");
  const name = colon < 0 ? value : value.slice(0, colon);
  if (name === "") return "is an attribute without a name.";
  attributes.push({ name, value: colon < 0 ? "" : value.slice(colon + 1) });
  return "";
}

/** The parts between spaces; runs of spaces count as one. */
function fieldsOf(value: string): string[] {
  return value.split(" ").filter((field) => field !== "");
}

function attributeLine(attribute: SdpAttribute): string {
  return attribute.value === "" ? `a=${attribute.name}` : `a=${attribute.name}:${attribute.value}`;
}

/** The beginning of a line, fit for a sentence: printable ASCII, and not too long. */
function excerpt(line: string): string {
  let text = "";
  for (let i = 0; i < line.length && i < EXCERPT_LENGTH; i++) {
    const code = line.charCodeAt(i);
    text += code >= 0x20 && code < 0x7f ? line[i]! : "?";
  }
  return line.length > EXCERPT_LENGTH ? `${text}…` : text;
}
