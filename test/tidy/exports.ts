/**
 * Dead exports: names that a file offers and nobody takes. A name that an index passes on is taken when somebody takes it
 * from the index, or when the index is a public surface. A type in the signature of something exported may be exported
 * with it, so that callers can name what they hold.
 */
import ts from "typescript";
import { resolveSpecifier } from "./imports.ts";
import { liesIn, type Offence, offenceAt, type Source } from "./source.ts";

/** Files whose exports are for people outside the project: hosts and writers of scenarios. */
const PUBLIC_SURFACES: ReadonlySet<string> = new Set(["core/index.ts", "io-sim/index.ts"]);

/** The launcher: it names its commands' modules as texts, and calls the `main` of the one that was asked for. */
const LAUNCHER = "lockstep.mjs";

/** Every name of a module. */
const EVERYTHING = "*";

/** One exported name. */
interface Export {
  readonly name: string;
  readonly node: ts.Node;
  /** Where it is passed on from, as `path#name`; empty when it is declared here. */
  readonly origin: string;
}

/** Rule: every exported name is imported somewhere else. */
export function exportsUsed(sources: readonly Source[]): Offence[] {
  const exports = new Map(sources.map((source) => [source.path, exportsOf(source)]));
  const used = new Set<string>();
  for (const source of sources) for (const use of usesOf(source)) markUsed(use, exports, used);
  for (const path of PUBLIC_SURFACES)
    for (const { name } of exports.get(path) ?? []) markUsed(`${path}#${name}`, exports, used);
  const offences: Offence[] = [];
  for (const source of sources) {
    if (used.has(`${source.path}#${EVERYTHING}`)) continue;
    for (const { name, node } of exports.get(source.path) ?? []) {
      if (used.has(`${source.path}#${name}`) || isExempt(source, name, node)) continue;
      offences.push(offenceAt(source, node, `nobody imports ${name}`));
    }
  }
  return offences;
}

/** Marks a use, and what it passes through when the name comes from another file. */
function markUsed(use: string, exports: ReadonlyMap<string, readonly Export[]>, used: Set<string>): void {
  if (used.has(use)) return;
  used.add(use);
  const [path, name] = use.split("#") as [string, string];
  for (const { name: offered, origin } of exports.get(path) ?? []) {
    if (origin === "") continue;
    if (offered === name || name === EVERYTHING) markUsed(origin, exports, used);
    else if (offered === EVERYTHING) markUsed(`${origin.split("#")[0]}#${name}`, exports, used);
  }
}

/** Stories are loaded by the runner, which takes whatever file it is given; types may accompany what they describe. */
function isExempt(source: Source, name: string, node: ts.Node): boolean {
  if (name === EVERYTHING) return true;
  if (name === "default" && (liesIn(source.path, "sim-scenarios") || source.path.endsWith("-story.ts"))) return true;
  if (!ts.isInterfaceDeclaration(node) && !ts.isTypeAliasDeclaration(node)) return false;
  return source.tree.statements.some(
    (statement) => statement !== node && isExported(statement) && mentions(statement, name),
  );
}

/** Whether the outside of a declaration names a type: the bodies of functions do not count. */
function mentions(statement: ts.Node, name: string): boolean {
  let found = false;
  const look = (node: ts.Node): void => {
    if (ts.isTypeReferenceNode(node) && ts.isIdentifier(node.typeName) && node.typeName.text === name) found = true;
    if (ts.isExpressionWithTypeArguments(node) && node.expression.getText() === name) found = true;
    if (!ts.isBlock(node)) ts.forEachChild(node, look);
  };
  look(statement);
  return found;
}

function isExported(statement: ts.Node): boolean {
  const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined;
  return modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;
}

function exportsOf(source: Source): Export[] {
  const exports: Export[] = [];
  for (const statement of source.tree.statements) {
    if (ts.isExportDeclaration(statement)) exports.push(...passedOn(source, statement));
    else if (ts.isExportAssignment(statement)) exports.push({ name: "default", node: statement, origin: "" });
    else if (isExported(statement)) {
      const isDefault =
        ts.canHaveModifiers(statement) &&
        ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword);
      for (const name of isDefault ? ["default"] : declaredNames(statement))
        exports.push({ name, node: statement, origin: "" });
    }
  }
  return exports;
}

/** `export { a, b as c } from "./x.ts"`, `export * from "./x.ts"`, `export { a }`. */
function passedOn(source: Source, statement: ts.ExportDeclaration): Export[] {
  const { moduleSpecifier, exportClause } = statement;
  const from =
    moduleSpecifier !== undefined && ts.isStringLiteral(moduleSpecifier)
      ? resolveSpecifier(source.path, moduleSpecifier.text)
      : "";
  if (exportClause === undefined || !ts.isNamedExports(exportClause)) {
    return [{ name: EVERYTHING, node: statement, origin: `${from}#${EVERYTHING}` }];
  }
  return exportClause.elements.map((element) => ({
    name: element.name.text,
    node: element,
    origin: from === "" ? "" : `${from}#${(element.propertyName ?? element.name).text}`,
  }));
}

function declaredNames(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => name.getText());
  }
  if ("name" in statement && statement.name !== undefined) return [(statement.name as ts.Identifier).text];
  return [];
}

/** What a file takes from others, as `path#name`; `*` when it takes a module whole. Passing on is not taking. */
function usesOf(source: Source): string[] {
  const uses: string[] = [];
  for (const node of source.nodes) {
    if (source.path === LAUNCHER && ts.isStringLiteral(node) && node.text.endsWith(".ts")) {
      uses.push(`${resolveSpecifier(source.path, node.text)}#main`);
    }
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const path = resolveSpecifier(source.path, node.moduleSpecifier.text);
      const bindings = node.importClause?.namedBindings;
      if (node.importClause?.name !== undefined) uses.push(`${path}#default`);
      if (bindings === undefined) continue;
      if (ts.isNamespaceImport(bindings)) uses.push(`${path}#${EVERYTHING}`);
      else for (const { propertyName, name } of bindings.elements) uses.push(`${path}#${(propertyName ?? name).text}`);
    }
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument !== undefined && ts.isStringLiteralLike(argument)) {
        uses.push(`${resolveSpecifier(source.path, argument.text)}#${EVERYTHING}`);
      }
    }
  }
  return uses;
}
