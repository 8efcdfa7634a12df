/** What a thread that relays and one that takes what is relayed (way-reader.ts) agree on. */

/** What two threads tell each other in shared words: the reader may begin; something was shown; nothing more will come. */
export const SIGNAL = { BEGIN: 0, BELL: 1, END: 2, TAKEN: 3 } as const;

/** The first words of a record: whether it is mail, its number among its kind, and how many of the other kind came before. */
export const RECORD = { IS_MAIL: 0, NUMBER: 1, OTHERS: 2, FILLING: 3 } as const;
