/**
 * What the gate (test/sim/gates.test.ts) does with each committed seed, for a crew of threads to do: there it goes several
 * times as fast as where the test runner has the modules, and all cores take part.
 */
import { createChecksumCrypto, createNodeCrypto } from "../../../io-crypto/index.ts";
import type { Trade } from "../../../io-sim/cli/crew.ts";
import { failureReport } from "../../../io-sim/inspection/failure-report.ts";
import { type JournalReplay, replayJournal } from "../../../io-sim/journal/journal.ts";
import type { Plan } from "../../../io-sim/story/plan.ts";
import { run } from "../../../io-sim/world/run.ts";

/** Inputs between two cuts of a run that is cut. */
export const CUT_INPUTS = 100;

/** A story and one of its seeds. */
export interface GateTask {
  readonly plan: Plan;
  readonly seed: number;
  /** Whether it is cut by snapshots when it is run again, and replayed from its journals; else it is run again as it was. */
  readonly thoroughly: boolean;
}

/** What came of a run, of the same one again, and of its journals. */
export interface GateAnswer {
  /** The report on a broken promise; empty when all held. */
  readonly report: string;
  readonly verdict: "held" | "broken";
  readonly judged: readonly string[];
  readonly fingerprint: string;
  readonly effectFingerprint: string;
  readonly inputs: number;
  readonly fingerprintAgain: string;
  /** Of each shard, when the run was cut. */
  readonly cuts: readonly { readonly restarts: number; readonly inputs: number }[];
  readonly replays: readonly Pick<JournalReplay, "same" | "fingerprint" | "inputs">[];
}

function work({ plan, seed, thoroughly }: GateTask): GateAnswer {
  const verdict = run(plan, seed, { journal: thoroughly });
  const again = run(plan, seed, thoroughly ? { restartBefore: (input) => input % CUT_INPUTS === CUT_INPUTS - 1 } : {});
  const replays = verdict.journals.map((journal) =>
    replayJournal(journal, (cipher) =>
      cipher === "real" ? createNodeCrypto() : createChecksumCrypto(createNodeCrypto()),
    ),
  );
  return {
    report: failureReport(verdict).join("\n"),
    verdict: verdict.verdict,
    judged: [...verdict.judged.keys()],
    fingerprint: verdict.fingerprint,
    effectFingerprint: verdict.effectFingerprint,
    inputs: verdict.inputs,
    fingerprintAgain: again.fingerprint,
    cuts: again.world.shards.all.map(({ restarts, inputs }) => ({ restarts, inputs })),
    replays: replays.map(({ same, fingerprint, inputs }) => ({ same, fingerprint, inputs })),
  };
}

/** The trade of those who do so. */
export const GATE = { module: import.meta.url, name: "GATE", work } satisfies Trade<GateTask, GateAnswer>;
