/**
 * What somebody may have meant who misspelt a name.
 */

/** Names that are suggested at most. */
const SUGGESTED_MAX = 3;

/** The names that are close to `word`, the closest first: a few letters away, or with all of its words in them. */
export function nearest(word: string, names: readonly string[]): string[] {
  const wanted = plain(word);
  const far = Math.max(2, Math.floor(wanted.length / 3));
  const rated = names.map((name) => {
    const distance = editDistance(wanted, plain(name));
    const holdsAll = wanted.split(" ").every((part) => plain(name).split(" ").includes(part));
    return { name, distance: holdsAll ? Math.min(distance, far) : distance };
  });
  const close = rated.filter(({ distance }) => distance <= far);
  return close
    .sort((a, b) => a.distance - b.distance)
    .slice(0, SUGGESTED_MAX)
    .map(({ name }) => name);
}

/** The question that follows a name which there is not: " Did you mean …?", or nothing when none is close. */
export function didYouMean(word: string, names: readonly string[]): string {
  const meant = nearest(word, names).map((name) => `"${name}"`);
  if (meant.length === 0) return "";
  const last = meant.pop()!;
  return ` Did you mean ${meant.length === 0 ? last : `${meant.join(", ")} or ${last}`}?`;
}

/** A story's file is called as the story is, with hyphens. */
function plain(name: string): string {
  return name
    .replace(/^.*\//, "")
    .replace(/\.m?ts$/, "")
    .replaceAll("-", " ")
    .toLowerCase();
}

/** Letters that have to be put in, left out or replaced to get from one text to the other. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
