/**
 * What TypeScript has to know of bundle.mjs, where each of these is described. That file is JavaScript, so that the
 * launcher can use it.
 */

/** Modules in one piece. */
export interface Piece {
  readonly name: string;
  readonly text: string;
  /** A source map as JSON. */
  readonly map: string;
}

/** Makes the piece that begins with a module. */
export function bundle(entry: URL, name: string): Piece;

/** Restores the lines of the sources in a stack of calls. */
export function restoreLines(piece: Piece, stack: string): string;

/** Runs a module in one piece, and answers with what it exports. Every stack has the sources' lines from then on. */
export function runBundled<Exports>(entry: URL, name: string): Exports;
