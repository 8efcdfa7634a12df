/**
 * What an operator may ask for of the host: the fast one where it can be had, or one kind alone, and the priority of its
 * threads. A file of its own, so that reading the settings loads no host.
 */

/** The kinds, as the setting has them. */
export const IO_CHOICES = ["auto", "fast", "portable"] as const;

/** One of {@link IO_CHOICES}. */
export type IoChoice = (typeof IO_CHOICES)[number];

/** The priorities that a shard's thread may have: before other threads, as far as the system allows, or as they have. */
export const PRIORITY_CHOICES = ["raised", "normal"] as const;

/** One of {@link PRIORITY_CHOICES}. */
export type PriorityChoice = (typeof PRIORITY_CHOICES)[number];
