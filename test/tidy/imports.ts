/**
 * Who may import whom: the table of the house, folder by folder. A folder may always import itself. Protocols are
 * siblings and never meet; the two hosts never meet; the core knows no package and no host at all.
 */
import { posix } from "node:path";
import ts from "typescript";
import { liesIn, type Offence, offenceAt, type Source } from "./source.ts";

/** What the files of one place may import, besides each other. */
interface Zone {
  /** A folder, or one file. */
  readonly place: string;
  /** Folders and files of the project. */
  readonly mayImport: readonly string[];
  /** Packages; `node:` stands for every module of Node, `*` for every package. */
  readonly packages: readonly string[];
}

const BELOW_PROTOCOLS = [
  "core/base",
  "core/wire",
  "core/crypto",
  "core/limits.ts",
  "core/tunables.ts",
  "core/errors.ts",
] as const;
const PROTOCOLS = ["core/ice", "core/dtls", "core/srtp", "core/sctp", "core/media"] as const;

/** The first zone that a file lies in is the one that counts. */
const ZONES: readonly Zone[] = [
  { place: "core/base", mayImport: ["core/errors.ts"], packages: [] },
  { place: "core/errors.ts", mayImport: [], packages: [] },
  { place: "core/limits.ts", mayImport: ["core/base"], packages: [] },
  { place: "core/tunables.ts", mayImport: ["core/base", "core/errors.ts", "core/limits.ts"], packages: [] },
  { place: "core/wire", mayImport: ["core/base", "core/limits.ts", "core/errors.ts"], packages: [] },
  { place: "core/crypto", mayImport: ["core/base"], packages: [] },
  ...PROTOCOLS.map((place) => ({ place, mayImport: BELOW_PROTOCOLS, packages: [] })),
  { place: "core/peer", mayImport: [...BELOW_PROTOCOLS, ...PROTOCOLS], packages: [] },
  {
    place: "core/sfu",
    mayImport: [...BELOW_PROTOCOLS, ...PROTOCOLS, "core/peer", "core/fault-sites.ts"],
    packages: [],
  },
  { place: "core/fault-sites.ts", mayImport: [], packages: [] },
  { place: "core", mayImport: ["core"], packages: [] },
  // Byte helpers and assertions are the bottom of the house; to write them again for the providers would help nobody.
  {
    place: "io-crypto",
    mayImport: ["core/index.ts", "core/crypto", "core/base"],
    packages: ["node:crypto", "node:module", "@noble/*", "koffi"],
  },
  { place: "program.ts", mayImport: ["core/index.ts"], packages: ["node:"] },
  { place: "io-node", mayImport: ["core/index.ts", "io-crypto", "program.ts", "bundle.mjs"], packages: ["node:", "*"] },
  { place: "io-sim/cli", mayImport: ["core/index.ts", "io-crypto", "io-sim", "program.ts"], packages: ["node:", "*"] },
  { place: "io-sim/base", mayImport: ["core/index.ts", "io-crypto"], packages: ["*"] },
  { place: "io-sim/link", mayImport: ["core/index.ts", "io-sim/base"], packages: [] },
  {
    place: "io-sim/client",
    mayImport: ["core/index.ts", "core/wire", "core/base", "core/dtls", "io-crypto", "io-sim/base"],
    packages: ["*"],
  },
  { place: "io-sim", mayImport: ["core/index.ts", "io-crypto"], packages: ["*"] },
  // Benchmarks measure both hosts, and drive them with clients made of the core's protocols.
  { place: "bench", mayImport: ["core", "io-crypto", "io-node", "io-sim"], packages: ["node:", "*"] },
  { place: "sim-scenarios", mayImport: ["io-sim/index.ts"], packages: [] },
];

/** Rule: a file imports only what its folder may. Tests may import anything. */
export function importDirections(sources: readonly Source[]): Offence[] {
  const offences: Offence[] = [];
  for (const source of sources) {
    const zone = ZONES.find(({ place }) => liesIn(source.path, place));
    if (zone === undefined) continue;
    for (const specifier of importSpecifiers(source)) {
      if (!mayImport(zone, source.path, specifier.text)) {
        offences.push(offenceAt(source, specifier, `${zone.place} must not import "${specifier.text}"`));
      }
    }
  }
  return offences;
}

/** The path of the project's file that a relative specifier in the file at `path` names. */
export function resolveSpecifier(path: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(path), specifier));
}

function mayImport(zone: Zone, path: string, specifier: string): boolean {
  if (specifier.startsWith(".")) return liesIn(resolveSpecifier(path, specifier), zone.place, ...zone.mayImport);
  return zone.packages.some((allowed) => {
    if (allowed === "*") return !specifier.startsWith("node:");
    if (allowed === "node:") return specifier.startsWith("node:");
    return allowed.endsWith("/*") ? specifier.startsWith(allowed.slice(0, -1)) : specifier === allowed;
  });
}

/** Every text that stands where a module is named: imports, exports from elsewhere, `import()` and import types. */
function importSpecifiers(source: Source): ts.StringLiteralLike[] {
  const specifiers: ts.StringLiteralLike[] = [];
  const add = (node: ts.Node | undefined): void => {
    if (node !== undefined && ts.isStringLiteralLike(node)) specifiers.push(node);
  };
  for (const node of source.nodes) {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier);
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) add(node.arguments[0]);
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal);
  }
  return specifiers;
}
