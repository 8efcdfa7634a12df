/**
 * The command that shows a run again; whatever tells of a run ends with it.
 */

/**
 * The command as one types it in the folder of the project; `name` is what the command line finds the story by, `flags` how
 * the run is looked at.
 */
export function replayCommand(name: string, seed: number, flags = "--trace"): string {
  return `node lockstep.mjs replay ${shellWord(name)} --seed ${seed} ${flags}`.trimEnd();
}

/** A word that a shell takes as one, whatever is in it. */
function shellWord(text: string): string {
  if (/^[\w./-]+$/.test(text)) return text;
  return /["$`\\!]/.test(text) ? `'${text.replaceAll("'", "'\\''")}'` : `"${text}"`;
}
