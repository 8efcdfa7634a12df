/**
 * Decisions: the answers of chance that a run consumes, one by one, with names.
 *
 * A decision is the n-th answer (its ordinal, from 0) of one stream, and a stream belongs to a site in the code and an
 * entity: `link/loss`, `ana/up`, 17 is whether the eighteenth packet that ana's uplink could lose is lost. A run can log
 * them, and it can be told other answers. The words are drawn all the same, so overriding one decision moves no other.
 * Answers are whole numbers; yes is 1 and no is 0. The harmless answer of every accident is 0: nothing happens.
 *
 * Raw words that become identities (keys, SSRCs, ufrags) are no decisions: no answer of theirs is more harmless.
 */

/** One answer of chance. */
export interface Decision {
  readonly site: string;
  readonly entity: string;
  readonly ordinal: number;
  readonly answer: number;
}

/**
 * Whether a site asks for accidents: yes is 1, and no is harmless. Others answer with times, places and orders, of which 1 is
 * no accident.
 */
export function asksForAccidents(site: string): boolean {
  return (
    site.startsWith("site/") || /^link\/(loss|burst-loss|handover-loss|reorder|duplicate|corrupt|truncate)$/.test(site)
  );
}

/** Answers that a plan fixes for one stream. */
export interface DecisionPlan {
  readonly site: string;
  readonly entity: string;
  /** Answers by ordinal, as pairs. */
  readonly answers: readonly (readonly [ordinal: number, answer: number])[];
  /** The answer of all other ordinals, or null to leave them to chance. */
  readonly others: number | null;
}

/** What a run does about its decisions. */
export interface DecisionBook {
  /** Where answers are logged, or undefined for nowhere. */
  readonly log: Decision[] | undefined;
  /** Fixed answers by `site|entity`. */
  readonly fixed: ReadonlyMap<
    string,
    { readonly answers: ReadonlyMap<number, number>; readonly others: number | null }
  >;
}

/** A book that logs to a list if there is one, and fixes what the plans say; the last plan to speak of an ordinal counts. */
export function createDecisionBook(plans: readonly DecisionPlan[], log?: Decision[]): DecisionBook {
  const fixed = new Map<string, { answers: Map<number, number>; others: number | null }>();
  for (const { site, entity, answers, others } of plans) {
    const key = `${site}|${entity}`;
    const known = fixed.get(key) ?? { answers: new Map<number, number>(), others: null };
    for (const [ordinal, answer] of answers) known.answers.set(ordinal, answer);
    known.others = others ?? known.others;
    fixed.set(key, known);
  }
  return { log, fixed };
}

/** What stands between one stream and those who ask it: hears each answer and says which one counts. */
export function createTap(book: DecisionBook, site: string, entity: string): ((answer: number) => number) | undefined {
  const fixed = book.fixed.get(`${site}|${entity}`);
  const { log } = book;
  if (log === undefined && fixed === undefined) return undefined;
  let ordinal = 0;
  return (drawn) => {
    const answer = fixed?.answers.get(ordinal) ?? fixed?.others ?? drawn;
    log?.push({ site, entity, ordinal, answer });
    ordinal++;
    return answer;
  };
}
