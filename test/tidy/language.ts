/**
 * Which parts of the language stay outside. Above all what would make two runs differ: clocks, chance, locales, garbage
 * collection, functions whose last digit is the machine's own; and state that lives anywhere but in a state machine.
 */
import ts from "typescript";
import { isTest, liesIn, type Offence, offenceAt, type Source } from "./source.ts";

/** Refused in the core and the simulator. */
const UNREPEATABLE_GLOBALS: ReadonlySet<string> = new Set(["Date", "WeakRef", "FinalizationRegistry", "Intl"]);

/** Refused in the core besides. The compiler refuses them too; a name that ours also use, such as `crypto`, it sees better. */
const HOST_GLOBALS: ReadonlySet<string> = new Set([
  "BigInt",
  "BigInt64Array",
  "BigUint64Array",
  "Buffer",
  "Function",
  "Promise",
  "clearTimeout",
  "console",
  "eval",
  "globalThis",
  "performance",
  "process",
  "queueMicrotask",
  "setImmediate",
  "setInterval",
  "setTimeout",
  "structuredClone",
]);

/** What of Math gives the same bits on every machine (ECMA-262 §21.3.2 leaves the rest to the implementation). */
const EXACT_MATH: ReadonlySet<string> = new Set([
  "abs",
  "ceil",
  "clz32",
  "floor",
  "fround",
  "imul",
  "max",
  "min",
  "round",
  "sign",
  "sqrt",
  "trunc",
]);

/** Replaces the globals by ones that throw while the core runs, and so has to name them. */
const GUARDS = "io-sim/base/guards.ts";

/** Methods that change the container that they are called on. */
const MUTATING_METHODS: ReadonlySet<string> = new Set([
  "add",
  "clear",
  "copyWithin",
  "delete",
  "fill",
  "pop",
  "push",
  "reverse",
  "set",
  "shift",
  "sort",
  "splice",
  "unshift",
]);

/** The one place of sequence arithmetic. */
const SEQUENCES = "core/base/sequence.ts";

const TABLE_NAME = /^[A-Z][A-Z0-9_]*$/;

/** Rule: nothing in the core or the simulator reaches for what differs from run to run or from machine to machine. */
export function repeatableOnly(sources: readonly Source[]): Offence[] {
  const offences: Offence[] = [];
  for (const source of sources) {
    const core = liesIn(source.path, "core");
    const simulator = liesIn(source.path, "io-sim") && !liesIn(source.path, "io-sim/cli") && source.path !== GUARDS;
    if (!core && !simulator) continue;
    for (const node of source.nodes) {
      const what = unrepeatable(node) ?? (core ? foreignToCore(node) : undefined);
      if (what !== undefined)
        offences.push(offenceAt(source, node, `${what} is not for ${core ? "the core" : "io-sim"}`));
    }
  }
  return offences;
}

/** Rule: every sort says what its order is; without a comparator numbers are ordered as texts. */
export function sortsHaveComparators(sources: readonly Source[]): Offence[] {
  const offences: Offence[] = [];
  for (const source of sources) {
    for (const node of source.nodes) {
      if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) continue;
      const method = node.expression.name.text;
      if ((method === "sort" || method === "toSorted") && node.arguments.length === 0) {
        offences.push(offenceAt(source, node, `.${method}() has no comparator`));
      }
    }
  }
  return offences;
}

/** Rule: the core has no class but its one error; nobody has an enum or a namespace. */
export function plainConstructs(sources: readonly Source[]): Offence[] {
  const offences: Offence[] = [];
  for (const source of sources) {
    for (const node of source.nodes) {
      if (ts.isEnumDeclaration(node)) offences.push(offenceAt(source, node, "an enum"));
      if (ts.isModuleDeclaration(node)) offences.push(offenceAt(source, node, "a namespace"));
      if (liesIn(source.path, "core") && ts.isClassLike(node) && node.name?.text !== "LockstepError") {
        offences.push(offenceAt(source, node, "a class in the core"));
      }
    }
  }
  return offences;
}

/**
 * Rule: a module of the core keeps no state. What stands at its top level is a function, a plain value, or a table with a
 * name in capitals that no function writes to.
 */
export function noModuleState(sources: readonly Source[]): Offence[] {
  const offences: Offence[] = [];
  for (const source of sources) {
    if (!liesIn(source.path, "core")) continue;
    const tables = new Set<string>();
    for (const statement of source.tree.statements) {
      if (!ts.isVariableStatement(statement)) continue;
      const constant = (statement.declarationList.flags & ts.NodeFlags.Const) !== 0;
      if (!constant) offences.push(offenceAt(source, statement, "a variable at the top level of a module"));
      for (const { name, initializer } of statement.declarationList.declarations) {
        if (initializer === undefined || !ts.isIdentifier(name) || !isContainer(initializer)) continue;
        tables.add(name.text);
        if (!TABLE_NAME.test(name.text)) {
          offences.push(offenceAt(source, name, `the container ${name.text} at the top level of a module`));
        }
      }
    }
    for (const node of source.nodes) {
      const written = writtenTable(node);
      if (written !== undefined && tables.has(written) && isInFunction(node)) {
        offences.push(offenceAt(source, node, `a function writes to the table ${written}`));
      }
    }
  }
  return offences;
}

/** Rule: numbers of 16 bits are added and subtracted in one file of the core, whose tests walk around the wrap. */
export function sequencesInOnePlace(sources: readonly Source[]): Offence[] {
  const offences: Offence[] = [];
  for (const source of sources) {
    if (!liesIn(source.path, "core") || liesIn(source.path, SEQUENCES)) continue;
    for (const node of source.nodes) {
      if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.AmpersandToken) continue;
      const [sum, mask] = [bare(node.left), bare(node.right)];
      if (!ts.isNumericLiteral(mask) || Number(mask.text) !== 0xffff || !ts.isBinaryExpression(sum)) continue;
      const { kind } = sum.operatorToken;
      if (kind !== ts.SyntaxKind.PlusToken && kind !== ts.SyntaxKind.MinusToken) continue;
      offences.push(offenceAt(source, node, "sequence arithmetic outside of core/base/sequence.ts"));
    }
  }
  return offences;
}

/** Rule: every test runs, and none keeps the others from running. */
export function everyTestRuns(sources: readonly Source[]): Offence[] {
  const offences: Offence[] = [];
  for (const source of sources) {
    if (!isTest(source.path)) continue;
    for (const node of source.nodes) {
      if (!ts.isPropertyAccessExpression(node) || !/^(only|skip|todo|fails)$/.test(node.name.text)) continue;
      if (/^(describe|it|test|suite)$/.test(rootOf(node) ?? "")) {
        offences.push(offenceAt(source, node, `.${node.name.text} on a test`));
      }
    }
  }
  return offences;
}

/** What makes `node` differ from run to run, or `undefined`. */
function unrepeatable(node: ts.Node): string | undefined {
  if (ts.isIdentifier(node) && UNREPEATABLE_GLOBALS.has(node.text) && isReference(node)) return node.text;
  if (!ts.isPropertyAccessExpression(node)) return undefined;
  if (node.name.text.startsWith("toLocale") || node.name.text === "localeCompare") return `.${node.name.text}`;
  const object = ts.isIdentifier(node.expression) ? node.expression.text : "";
  if (object === "Math" && node.name.text === "random") return "Math.random";
  if (object === "globalThis" && UNREPEATABLE_GLOBALS.has(node.name.text)) return node.name.text;
  return undefined;
}

/** What of the language at `node` the core does without, or `undefined`. */
function foreignToCore(node: ts.Node): string | undefined {
  if (ts.isIdentifier(node) && HOST_GLOBALS.has(node.text) && isReference(node)) return node.text;
  if (ts.isBigIntLiteral(node)) return "a BigInt";
  if (node.kind === ts.SyntaxKind.AsyncKeyword || node.kind === ts.SyntaxKind.AwaitKeyword) return "async or await";
  if (ts.isAwaitExpression(node)) return "async or await";
  if (node.kind === ts.SyntaxKind.AsteriskAsteriskToken) return "**";
  if (node.kind === ts.SyntaxKind.AsteriskAsteriskEqualsToken) return "**=";
  if (ts.isForInStatement(node)) return "for…in, which takes keys that look like numbers first,";
  if (ts.isCatchClause(node) && node.variableDeclaration !== undefined) return "an error of the engine's";
  if (ts.isPropertyAccessExpression(node) && node.name.text === "stack") return "the text of an error";
  if (!ts.isPropertyAccessExpression(node) || !ts.isIdentifier(node.expression)) return undefined;
  const { text } = node.name;
  if (node.expression.text !== "Math" || text === "random" || EXACT_MATH.has(text)) return undefined;
  return /^[A-Z]/.test(text) ? undefined : `Math.${text}`;
}

/** Whether an identifier refers to something of that name, and does not merely name a property, a key or a declaration. */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isQualifiedName(parent)) return parent.left === node;
  if (ts.isShorthandPropertyAssignment(parent)) return true;
  return !("name" in parent && parent.name === node) && !("propertyName" in parent && parent.propertyName === node);
}

/** An expression without the parentheses and type assertions around it. */
function bare(expression: ts.Expression): ts.Expression {
  let inner = expression;
  while (
    ts.isParenthesizedExpression(inner) ||
    ts.isAsExpression(inner) ||
    ts.isSatisfiesExpression(inner) ||
    ts.isNonNullExpression(inner)
  ) {
    inner = inner.expression;
  }
  return inner;
}

/** Whether the value of an initializer can be changed after it was made: anything made by braces, brackets or a call. */
function isContainer(initializer: ts.Expression): boolean {
  const inner = bare(initializer);
  return (
    ts.isNewExpression(inner) ||
    ts.isArrayLiteralExpression(inner) ||
    ts.isObjectLiteralExpression(inner) ||
    (ts.isCallExpression(inner) && !isNumberCall(inner))
  );
}

/** Calls whose answer is a number or a text: `Math.floor(…)`, and ours from core/base/micros.ts. */
function isNumberCall(call: ts.CallExpression): boolean {
  const { expression } = call;
  if (ts.isIdentifier(expression)) return /^(micros|millis|seconds|after|between|earliest|must)$/.test(expression.text);
  return ts.isPropertyAccessExpression(expression) && rootOf(expression) === "Math";
}

/** The name at the root of what `node` writes to, when it is an assignment, an increment or a mutating call. */
function writtenTable(node: ts.Node): string | undefined {
  if (ts.isBinaryExpression(node)) {
    const assigns =
      node.operatorToken.kind >= ts.SyntaxKind.FirstAssignment &&
      node.operatorToken.kind <= ts.SyntaxKind.LastAssignment;
    return assigns ? rootOf(node.left) : undefined;
  }
  if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) {
    const counts = node.operator === ts.SyntaxKind.PlusPlusToken || node.operator === ts.SyntaxKind.MinusMinusToken;
    return counts ? rootOf(node.operand) : undefined;
  }
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return undefined;
  return MUTATING_METHODS.has(node.expression.name.text) ? rootOf(node.expression.expression) : undefined;
}

/** The identifier from which a chain of properties, elements and calls starts. */
function rootOf(node: ts.Expression): string | undefined {
  let inner = bare(node);
  while (ts.isPropertyAccessExpression(inner) || ts.isElementAccessExpression(inner) || ts.isCallExpression(inner)) {
    inner = bare(inner.expression);
  }
  return ts.isIdentifier(inner) ? inner.text : undefined;
}

function isInFunction(node: ts.Node): boolean {
  for (let at = node.parent; at !== undefined; at = at.parent) if (ts.isFunctionLike(at)) return true;
  return false;
}
