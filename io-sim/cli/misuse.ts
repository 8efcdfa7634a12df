/**
 * What the simulator's commands share: their exit statuses, and how they say that they were used wrongly.
 */

/** Exit statuses: it held, a promise was broken (or two runs differ, or something was found), wrong use. */
export const EXIT = { HELD: 0, BROKEN: 1, MISUSED: 2 } as const;

/** Something the caller must do differently; the message is the sentence that says what. */
export class Misuse extends Error {}
