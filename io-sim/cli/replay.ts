/**
 * `lockstep replay`: shows a story with its seed again, whole or up to a moment, or feeds a journal to the core and
 * compares every effect.
 */
import { isJournal } from "../../core/index.ts";
import { createChecksumCrypto, createNodeCrypto } from "../../io-crypto/index.ts";
import { thisProgram } from "../../program.ts";
import { replayJournal } from "../journal/journal.ts";
import { planToJson } from "../story/plan-json.ts";
import { kindOf, looksLikeJournal, readOrMisuse } from "./files.ts";
import { type LookingOptions, look, looksCloser } from "./looking.ts";
import { EXIT, Misuse } from "./misuse.ts";
import { type JournalOptions, replayServerJournal } from "./replay-journal.ts";
import { type RunningOptions, runOne } from "./running.ts";
import { findStory, noSuchStory, theSeed } from "./stories.ts";
import { answer, createSubcommand } from "./subcommand.ts";

interface ReplayOptions extends RunningOptions, LookingOptions {
  readonly json?: boolean;
  readonly seed?: string;
  readonly plan?: boolean;
}

/** Runs `replay …`. */
export function replay(words: readonly string[]): Promise<number> {
  const command = createSubcommand(
    "replay",
    "Run one story again with its seed, or feed a journal to the core and compare every effect.",
    'lockstep replay "a tunnel" --seed 1 --until 12.5s --state',
  )
    .argument("<story-or-journal>", "a story, a plan as JSON, or the path of a journal")
    .option("--seed <N>", "the seed of the run (default: the only one that is committed)")
    .option("--json", "one JSON object a line")
    .option("--trace", "print what happened, line by line")
    .option("--journal <FILE>", "write the journal of the run to a file")
    .option("--until <EVENT|TIME>", "stop after so many events or inputs (1200), or at a time (12.5s, or as in a log)")
    .option("--back <K>", "stop K events or inputs earlier")
    .option("--state", "print the state there as JSON, without secrets")
    .option("--step", "go on event by event, each time a line is read")
    .option("--fork <SITE/ENTITY/ORDINAL=VALUE>", "with one decision of chance changed")
    .option("--decisions", "list the decisions of chance that the run makes")
    .option("--plan", "print the story's plan as JSON, and run nothing");
  return answer(command, words, replayStoryOrJournal);
}

async function replayStoryOrJournal(name: string, options: ReplayOptions): Promise<number> {
  if (options.step === true && options.json === true) {
    throw new Misuse("--step is for people: leave out --json, or ask for one moment with --until.");
  }
  const story = await findStory(name);
  if (story !== undefined && options.plan === true) {
    process.stdout.write(planToJson(story.plan));
    return EXIT.HELD;
  }
  if (story !== undefined) {
    const seed = theSeed(story, options.seed);
    if (looksCloser(options) && options.journal !== undefined) {
      throw new Misuse("--journal writes a whole run: leave out the flags that look closer.");
    }
    if (looksCloser(options)) return (await look(story, seed, options)) ? EXIT.HELD : EXIT.BROKEN;
    return runOne(story, seed, options).verdict === "held" ? EXIT.HELD : EXIT.BROKEN;
  }
  if (kindOf(name) === "nothing") throw new Misuse(await noSuchStory(name));
  const bytes = new Uint8Array(readOrMisuse(name));
  if (options.plan === true) throw new Misuse("--plan is for stories; a journal has none.");
  if (isJournal(bytes)) return replayServerJournal(name, bytes, serverOptions(options));
  if (!looksLikeJournal(bytes)) throw new Misuse(`"${name}" is no journal, and no story or plan either.`);
  if (looksCloser(options) || options.trace === true || options.seed !== undefined || options.journal !== undefined) {
    throw new Misuse("A simulator's journal has no world to look into: name a story and its seed.");
  }
  return replayFile(name, Buffer.from(bytes).toString("utf8"), options);
}

/** A server's journal has no chance in it that could be changed, and no run that could be written anew. */
function serverOptions(options: ReplayOptions): JournalOptions {
  for (const [flag, value] of Object.entries({ seed: options.seed, journal: options.journal, fork: options.fork })) {
    if (value !== undefined) throw new Misuse(`--${flag} is for stories; a server's journal is played as it is.`);
  }
  if (options.decisions === true) throw new Misuse("--decisions is for stories: a server takes its chances elsewhere.");
  return options;
}

function replayFile(file: string, text: string, options: ReplayOptions): number {
  const startedAt = performance.now();
  const result = replayJournal(
    text,
    (cipher) => (cipher === "real" ? createNodeCrypto() : createChecksumCrypto(createNodeCrypto())),
    { program: thisProgram() },
  );
  const wallMillis = Math.round(performance.now() - startedAt);
  const verdict = result.same ? "held" : "broken";
  const { fingerprint, simulatedMicros, inputs, detail } = result;
  if (options.json === true) {
    process.stdout.write(
      `${JSON.stringify({ journal: file, verdict, detail, fingerprint, inputs, simulatedMicros, wallMillis })}\n`,
    );
  } else {
    process.stdout.write(`${verdict.padEnd(6)}  ${file}  ${inputs} inputs  ${fingerprint}  ${detail}\n`);
  }
  return result.same ? EXIT.HELD : EXIT.BROKEN;
}
