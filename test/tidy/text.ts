/**
 * What a file looks like to its reader: how long it and its functions are, whether it introduces itself, whether what it
 * offers is documented, and whether something in it was put off.
 */
import ts from "typescript";
import { isTest, liesIn, type Offence, offenceAt, type Source } from "./source.ts";

/** No file is longer, whatever the reason; 500 lines are where it should have been split. */
const FILE_LINES_MAX = 800;

/** Columns of a line of prose; the formatter sees to code, and leaves comments alone. */
const PROSE_COLUMNS_MAX = 128;

/** Lines between the braces of a function: what fits on a screen. */
const FUNCTION_LINES_MAX = 70;

/** Lines of the comment that a file opens with, at least; its first and last often hold no words. */
const HEADER_LINES_MIN = 3;

/** And at most: fifteen lines of prose between its first and its last. */
const HEADER_LINES_MAX = 17;

/** Where files open with prose, and where what is exported is documented. */
const INTRODUCED = ["bench", "core", "io-crypto", "io-node", "io-sim", "sim-scenarios"] as const;
const DOCUMENTED = ["bench", "core", "io-crypto", "io-node", "io-sim"] as const;

const FILE_NAME = /^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.d)?\.(ts|mjs)$/;
const PROSE = /^\s*(\*|\/\/|\/\*\*) /;
const PUT_OFF = /\b(TODO|FIXME|XXX|HACK)\b/;

/** Rule: files are named in kebab-case. */
export function fileNames(sources: readonly Source[]): Offence[] {
  return sources
    .filter(({ path }) => !FILE_NAME.test(path.slice(path.lastIndexOf("/") + 1)))
    .map(({ path }) => ({ path, line: 1, what: "its name is not kebab-case" }));
}

/** Rule: no file is too long to be read in one sitting. */
export function fileLengths(sources: readonly Source[]): Offence[] {
  const offences: Offence[] = [];
  for (const { path, text } of sources) {
    const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
    if (lines > FILE_LINES_MAX) offences.push({ path, line: lines, what: `${lines} lines` });
  }
  return offences;
}

/** Rule: no line of a comment runs out of the window. */
export function proseWidths(sources: readonly Source[]): Offence[] {
  return sources.flatMap(({ path, text }) =>
    text.split("\n").flatMap((words, index) => {
      const isWide = words.length > PROSE_COLUMNS_MAX && PROSE.test(words);
      return isWide ? [{ path, line: index + 1, what: `a comment of ${words.length} columns` }] : [];
    }),
  );
}

/** Rule: a function fits on a screen. The bodies that a test hands to `describe` and `it` are no functions of that kind. */
export function functionLengths(sources: readonly Source[]): Offence[] {
  const offences: Offence[] = [];
  for (const source of sources) {
    for (const node of source.nodes) {
      if (!ts.isFunctionLike(node) || !("body" in node) || node.body === undefined || !ts.isBlock(node.body)) continue;
      if (isTest(source.path) && isTestBody(node, node.body)) continue;
      const first = source.tree.getLineAndCharacterOfPosition(node.body.getStart(source.tree)).line;
      const last = source.tree.getLineAndCharacterOfPosition(node.body.end).line;
      const lines = last - first - 1;
      if (lines > FUNCTION_LINES_MAX) offences.push(offenceAt(source, node, `a function of ${lines} lines`));
    }
  }
  return offences;
}

/** Rule: a file opens with prose that says what it is. A scenario may say it in `//` lines. */
export function headersPresent(sources: readonly Source[]): Offence[] {
  const offences: Offence[] = [];
  for (const { path, text } of sources) {
    if (!liesIn(path, ...INTRODUCED)) continue;
    const code = text.startsWith("#!") ? text.slice(text.indexOf("\n") + 1) : text;
    const [first] = ts.getLeadingCommentRanges(code, 0) ?? [];
    if (liesIn(path, "sim-scenarios") && first !== undefined) continue;
    const isBlock = first?.kind === ts.SyntaxKind.MultiLineCommentTrivia;
    const lines = isBlock ? code.slice(first.pos, first.end).split("\n") : [];
    if (lines.length < HEADER_LINES_MIN) offences.push({ path, line: 1, what: "it does not open with prose" });
    if (lines.length > HEADER_LINES_MAX) offences.push({ path, line: 1, what: "its prose is too long to be read" });
  }
  return offences;
}

/** Rule: what a file exports has a doc comment. */
export function exportsDocumented(sources: readonly Source[]): Offence[] {
  const offences: Offence[] = [];
  for (const source of sources) {
    if (!liesIn(source.path, ...DOCUMENTED)) continue;
    for (const [index, statement] of source.tree.statements.entries()) {
      if (!ts.canHaveModifiers(statement)) continue;
      if (!ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) continue;
      const comments = ts.getLeadingCommentRanges(source.text, statement.pos) ?? [];
      const docs = comments.filter(({ pos }) => source.text.startsWith("/**", pos));
      // In a file that imports nothing the first comment is the file's own.
      if (docs.length < (index === 0 ? 2 : 1))
        offences.push(offenceAt(source, statement, "an export without a doc comment"));
    }
  }
  return offences;
}

/** Rule: no comment puts something off. */
export function nothingPutOff(sources: readonly Source[]): Offence[] {
  const offences: Offence[] = [];
  for (const source of sources) {
    if (!PUT_OFF.test(source.text)) continue;
    for (const { pos, end } of commentsOf(source)) {
      const mark = PUT_OFF.exec(source.text.slice(pos, end));
      if (mark === null) continue;
      const line = source.tree.getLineAndCharacterOfPosition(pos + mark.index).line + 1;
      offences.push({ path: source.path, line, what: `a comment says ${mark[0]}` });
    }
  }
  return offences;
}

/** Whether a function is handed to `describe`, `it` or the like, or is a list of such calls itself, as contract suites are. */
function isTestBody(node: ts.Node, body: ts.Block): boolean {
  return (
    isTestCall(node.parent) ||
    body.statements.some((statement) => ts.isExpressionStatement(statement) && isTestCall(statement.expression))
  );
}

function isTestCall(node: ts.Node): boolean {
  return (
    ts.isCallExpression(node) &&
    /^(describe|it|test|beforeEach|beforeAll|afterEach|afterAll)\b/.test(node.expression.getText())
  );
}

/** Every comment of a file, each once. */
function commentsOf(source: Source): readonly ts.CommentRange[] {
  const comments = new Map<number, ts.CommentRange>();
  const look = (node: ts.Node): void => {
    const children = node.getChildren(source.tree);
    for (const child of children) look(child);
    if (children.length > 0) return;
    const before = ts.getLeadingCommentRanges(source.text, node.pos) ?? [];
    const behind = ts.getTrailingCommentRanges(source.text, node.pos) ?? [];
    for (const comment of [...behind, ...before]) comments.set(comment.pos, comment);
  };
  look(source.tree);
  return [...comments.values()];
}
