/**
 * Waiting for a server that is away for a moment: restarted, or moved to a newer version. Its pages ask whether it takes
 * calls again, and come back one after the other, since everybody who was on it hears of it at once.
 */

/** How long a page waits. */
const PATIENCE_MILLIS = 120_000;

/** Time between two questions, and how long an answer may take. */
const ASK_MILLIS = 1_000;

/** How long all pages together take to come. */
const SPREAD_MILLIS = 2_000;

/** Resolves when it is this page's turn to come back: true, or false when that has taken too long or `isOver()` says so. */
export async function serverIsBack(isOver) {
  const until = performance.now() + PATIENCE_MILLIS;
  while (performance.now() < until && !isOver()) {
    await sleep(ASK_MILLIS);
    if (!(await isReady())) continue;
    await sleep(Math.random() * SPREAD_MILLIS);
    return !isOver();
  }
  return false;
}

async function isReady() {
  try {
    return (await fetch("/readyz", { signal: AbortSignal.timeout(ASK_MILLIS) })).ok;
  } catch {
    return false;
  }
}

function sleep(millis) {
  return new Promise((resolve) => setTimeout(resolve, millis));
}
