/**
 * What a run asks of chance, as far as a search has to know it: of which streams it asked at all, and which accidents befell it
 * when.
 */
import { asksForAccidents, type Decision } from "../base/decisions.ts";
import type { RunOptions } from "../world/run.ts";
import type { World } from "../world/world.ts";

/** An answer of chance that was not harmless, and when it was given. */
export interface Accident extends Decision {
  /** Of the story; -1 before it. */
  readonly atMicros: number;
}

/** What was asked of chance. */
export interface LoggedChance {
  /** The name of each stream (see {@link streamName}), in the order in which they were first asked. */
  readonly streams: readonly string[];
  /** In the order in which they happened. */
  readonly accidents: readonly Accident[];
}

/** The name of a stream of decisions. */
export function streamName({ site, entity }: Pick<Decision, "site" | "entity">): string {
  return `${site}|${entity}`;
}

/** A log, and the options of the run that it is filled by. */
export function createAccidentLog(): { readonly options: RunOptions; readonly logged: LoggedChance } {
  const streams: string[] = [];
  const known = new Set<string>();
  const accidents: Accident[] = [];
  let world: World | undefined;
  /** Hears each decision as it is made, because only then it is known what time it is; and large worlds have millions. */
  class Listener extends Array<Decision> {
    override push(...decisions: Decision[]): number {
      for (const decision of decisions) {
        const name = streamName(decision);
        if (!known.has(name)) streams.push(name);
        known.add(name);
        if (decision.answer === 0 || !asksForAccidents(decision.site)) continue;
        const atMicros = world === undefined || world.zeroAt === 0 ? -1 : world.loop.now - world.zeroAt;
        accidents.push({ ...decision, atMicros });
      }
      return 0;
    }
  }
  const onWorld = (made: World) => {
    world = made;
  };
  return { options: { decisionLog: new Listener(), onWorld }, logged: { streams, accidents } };
}
