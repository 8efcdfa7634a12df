/**
 * Lays TypeScript out as the formatter of this project does: on one line what fits into 120 columns, else one item a line.
 *
 * Only what stories are made of: objects, lists and calls. A call whose last argument is an object keeps it open on its
 * line; a list of numbers is filled like a paragraph.
 */

/** A piece of the text: a word, or something in brackets. */
export type Piece = string | Brackets;

interface Brackets {
  readonly kind: "object" | "list" | "call";
  /** What stands before the bracket: the name of a call, or of a field. */
  readonly before: string;
  readonly items: readonly Piece[];
  /** Whether each item has a line of its own, even when all would fit. */
  readonly open: boolean;
}

/** Columns of a line. */
export const WIDTH = 120;

/** `{ a, b }`. An object whose first item begins a line stays that way. */
export function object(items: readonly Piece[], open = false): Brackets {
  return { kind: "object", before: "", items, open };
}

/** `[a, b]`. */
export function list(items: readonly Piece[]): Brackets {
  return { kind: "list", before: "", items, open: false };
}

/** `name(a, b)`. */
export function call(name: string, items: readonly Piece[]): Brackets {
  return { kind: "call", before: name, items, open: false };
}

/** `name: value`. */
export function field(name: string, value: Piece): Piece {
  if (typeof value === "string") return `${name}: ${value}`;
  return { ...value, before: `${name}: ${value.before}` };
}

/** The text of a piece that begins at column `indent` and is followed by `after` more characters. */
export function layout(piece: Piece, indent = 0, after = 0): string {
  const flat = flatText(piece);
  if (typeof piece === "string" || (flat !== undefined && indent + flat.length + after <= WIDTH)) return flat ?? "";
  const [left, right] = bracketsOf(piece);
  const { before, items, kind } = piece;
  const last = items.at(-1);
  if (kind === "call" && typeof last === "object" && last.kind === "object") {
    const others = items.slice(0, -1).map((item) => flatText(item));
    if (!others.includes(undefined)) {
      const lead = `${before}(${others.map((text) => `${text}, `).join("")}`;
      return `${lead}${layout({ ...last, open: true }, indent)})`;
    }
  }
  const inner = indent + 2;
  const pad = " ".repeat(inner);
  if (kind === "list" && items.every((item) => typeof item === "string" && /^\d+$/.test(item))) {
    return `${before}${left}\n${wrap(items.map((item) => `${item as string},`).join(" "), pad)}\n${" ".repeat(indent)}${right}`;
  }
  const lines = items.map((item) => `${pad}${layout(item, inner, 1)},\n`);
  return `${before}${left}\n${lines.join("")}${" ".repeat(indent)}${right}`;
}

/** Words in lines that begin with `lead` and fit. */
export function wrap(text: string, lead: string): string {
  const lines: string[] = [];
  for (const word of text.trim().split(" ")) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= WIDTH) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(`${lead}${word}`);
  }
  return lines.join("\n");
}

/** The piece on one line, or undefined when it may not be. */
function flatText(piece: Piece): string | undefined {
  if (typeof piece === "string") return piece;
  const items = piece.items.map(flatText);
  if (piece.open || items.includes(undefined)) return undefined;
  const [left, right] = bracketsOf(piece);
  const pad = piece.kind === "object" && items.length > 0 ? " " : "";
  return `${piece.before}${left}${pad}${items.join(", ")}${pad}${right}`;
}

function bracketsOf({ kind }: Brackets): readonly [string, string] {
  return kind === "object" ? ["{", "}"] : kind === "list" ? ["[", "]"] : ["(", ")"];
}
