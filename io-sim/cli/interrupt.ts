/**
 * The first Ctrl-C of somebody who waits for a search: the search ends, and what it has found is not lost. The second one
 * ends the process as it always does.
 */

/** Hears it until `stop` is called. */
export function hearInterrupt(onHeard: () => void): { readonly isHeard: () => boolean; readonly stop: () => void } {
  let heard = false;
  const hear = () => {
    heard = true;
    process.off("SIGINT", hear);
    onHeard();
  };
  process.on("SIGINT", hear);
  return { isHeard: () => heard, stop: () => process.off("SIGINT", hear) };
}
