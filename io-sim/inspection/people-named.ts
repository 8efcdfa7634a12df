/**
 * Of whom a sentence speaks: oracles name people, and whoever shows a breach wants to begin with them.
 */

/** Those whose names stand in the sentence as words of their own; "ana" does not stand in "ana-2". */
export function peopleNamed<P extends { readonly name: string }>(people: readonly P[], sentence: string): P[] {
  return people.filter(({ name }) => new RegExp(`(?<![\\w-])${escapePattern(name)}(?![\\w-])`).test(sentence));
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
