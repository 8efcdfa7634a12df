/**
 * Texts that are almost right: a valid one with a few lines dropped, doubled, moved or damaged. They reach code behind the
 * first checks, which arbitrary text never does.
 */
import fc from "fast-check";

type Edit = { readonly at: number; readonly what: number; readonly text: string };

/** Pieces that stand for the edges of what SDP attributes may hold. */
const PIECES = [
  "-1",
  "0",
  "15",
  "255",
  "256",
  "4294967296",
  "99999999999999999999",
  "",
  " ",
  "  ",
  ":",
  ";",
  "~",
  ",",
  "=",
  "/",
  "é",
  "\u0000",
  "\r",
  "sendrecv",
  "x".repeat(300),
];

/** Letters, digits and marks that SDP knows, and what it does not: controls, other scripts, half a surrogate pair. */
const UNITS = [...'abzAZ059 =:;,/~*-+."', "\r", "\n", "\u0000", "\u007f", "é", "日", "\u{1f600}", "\ud800"];

/** Short texts of characters that matter to a parser. */
export function oddText(maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...UNITS), maxLength });
}

/** Variants of a text of lines, with 1 to 12 edits each. */
export function mutated(text: string): fc.Arbitrary<string> {
  const edit = fc.record({
    at: fc.nat(),
    what: fc.nat({ max: 5 }),
    text: fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 8 })),
  });
  return fc
    .array(edit, { minLength: 1, maxLength: 12 })
    .map((edits) => edits.reduce(apply, text.split("\r\n")).join("\r\n"));
}

function apply(lines: string[], { at, what, text }: Edit): string[] {
  const index = at % lines.length;
  const line = lines[index]!;
  const column = at % (line.length + 1);
  switch (what) {
    case 0:
      return lines.length > 1 ? lines.toSpliced(index, 1) : lines;
    case 1:
      return lines.toSpliced(index, 0, line);
    case 2:
      return lines.toSpliced(at % (index + 1), 0, line);
    case 3:
      return lines.with(index, line.slice(0, column) + text + line.slice(column));
    case 4:
      return lines.with(index, line.slice(0, column) + text + line.slice(column + 1));
    default:
      return lines.with(index, line.slice(0, line.indexOf(":") + 1) + text);
  }
}
