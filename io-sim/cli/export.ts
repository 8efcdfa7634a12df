/**
 * `lockstep export`: runs one story with one seed and writes what happened as files that other tools open.
 *
 * The run is the very run of `lockstep replay`, and two exports of it have the same bytes. When a promise is broken the
 * files are written all the same.
 */
import { resolve } from "node:path";
import { traceToPcapng } from "../export/capture.ts";
import { traceToHtml } from "../export/html.ts";
import { traceToPerfetto } from "../export/perfetto.ts";
import { type Cause, causalChain } from "../search/causal-chain.ts";
import { createTraceRecorder } from "../trace/recorder.ts";
import type { Trace } from "../trace/trace.ts";
import { mustTakeFile, writeOrMisuse } from "./files.ts";
import { EXIT, Misuse } from "./misuse.ts";
import { reportAssets } from "./report-assets.ts";
import { reportOn, runShowingProgress } from "./running.ts";
import { replayName, theSeed, theStory } from "./stories.ts";
import { answer, createSubcommand } from "./subcommand.ts";

interface ExportOptions {
  readonly seed?: string;
  readonly pcapng?: string;
  readonly perfetto?: string;
  readonly html?: string;
  readonly json?: boolean;
}

/** Runs `export …`. */
export function exportRun(words: readonly string[]): Promise<number> {
  const command = createSubcommand(
    "export",
    "Run one story with one seed, and write what happened as files for other tools.",
    'lockstep export "a partition heals" --seed 1 --html report.html',
  )
    .argument("<story>", "a file name in sim-scenarios/, the name of a story, or the path of a story or plan")
    .option("--seed <N>", "the seed of the run (default: the only one that is committed)")
    .option("--pcapng <FILE>", "a capture for Wireshark: interfaces encrypted, decrypted and dropped")
    .option("--perfetto <FILE>", "a trace for ui.perfetto.dev: people, links and streams as tracks, rates as counters")
    .option("--html <FILE>", "a report in one page, for a browser")
    .option("--json", "one JSON object");
  return answer(command, words, exportStory);
}

async function exportStory(name: string, options: ExportOptions): Promise<number> {
  if (options.pcapng === undefined && options.perfetto === undefined && options.html === undefined) {
    throw new Misuse("Export to what? Name a file with --pcapng, --perfetto or --html.");
  }
  const story = await theStory(name);
  // A run takes seconds; what can't be written is said before them.
  const files = [options.pcapng, options.perfetto, options.html].filter((file) => file !== undefined);
  for (const file of files) mustTakeFile(file);
  if (new Set(files.map((file) => resolve(file))).size < files.length) {
    throw new Misuse("Two of these files are the same: each kind needs a name of its own.");
  }
  // Packets take room, and only a capture shows them.
  const recorder = options.pcapng === undefined ? createTraceRecorder(0) : createTraceRecorder();
  const seed = theSeed(story, options.seed);
  const run = runShowingProgress(story, seed, { onWorld: recorder.onWorld }, options);
  const whyItBroke = () => (run.verdict.broken === undefined ? [] : causalChain(story.plan, seed));
  const written = writeFiles(recorder.finish(run.verdict, replayName(story)), whyItBroke, options);
  reportOn(story, run, { ...options, artifacts: written });
  return run.verdict.verdict === "held" ? EXIT.HELD : EXIT.BROKEN;
}

/** Writes what was asked for, and answers the files' names. */
function writeFiles(trace: Trace, whyItBroke: () => Cause[], options: ExportOptions): string[] {
  const wanted: readonly (readonly [string | undefined, () => string | Uint8Array])[] = [
    [options.pcapng, () => Buffer.concat(traceToPcapng(trace))],
    [options.perfetto, () => traceToPerfetto(trace)],
    [options.html, () => traceToHtml(trace, reportAssets(), whyItBroke())],
  ];
  return wanted.flatMap(([file, content]) => {
    if (file === undefined) return [];
    writeOrMisuse(file, content());
    return [file];
  });
}
