/**
 * What an operator may ask for: the fast host where it can be had, or one kind alone. A file of its own, so that reading
 * the settings loads no host.
 */

/** The kinds, as the setting has them. */
export const IO_CHOICES = ["auto", "fast", "portable"] as const;

/** One of {@link IO_CHOICES}. */
export type IoChoice = (typeof IO_CHOICES)[number];
