/**
 * The sentences that a source file can say of what is wrong, as they stand in its text, so that a test can ask for each of them
 * to be seen. What a sentence has in a place of its own is three dots here.
 */
import { readFileSync } from "node:fs";
import ts from "typescript";
import { parseSource } from "../../tidy/source.ts";

const ROOT = new URL("../../../", import.meta.url);

/** What stands where a sentence speaks of something that it was told. */
const TOLD = "…";

/**
 * All strings of several words in a file, in the order of the text, but for what only puts another sentence (called `trouble`)
 * into a frame. Where one stands twice it is answered twice: whoever sees it could not tell which one it was.
 */
export function sentencesIn(path: string): string[] {
  const { nodes } = parseSource(path, readFileSync(new URL(path, ROOT), "utf8"));
  const sentences = nodes.map((node) => {
    if (ts.isStringLiteral(node)) return ts.isImportDeclaration(node.parent) ? "" : node.text;
    if (!ts.isTemplateExpression(node)) return "";
    const frames = node.templateSpans.some(({ expression }) => expression.getText() === "trouble");
    return frames
      ? ""
      : [node.head, ...node.templateSpans.map(({ literal }) => literal)].map(({ text }) => text).join(TOLD);
  });
  return sentences.filter((text) => text.includes(" "));
}

/** Fits what is said with this sentence, alone or behind what frames it. */
export function saying(sentence: string): RegExp {
  const parts = sentence.split(TOLD).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`(^|[ :])${parts.join(".+")}$`);
}
