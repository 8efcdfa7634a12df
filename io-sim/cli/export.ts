/**
 * `lockstep export`: runs one story with one seed and writes what happened as files that other tools open.
 *
 * The run is the very run of `lockstep replay`, and two exports of it have the same bytes. When a promise is broken the
 * files are written all the same.
 */
import { existsSync } from "node:fs";
import { traceToPcapng } from "../export/capture.ts";
import { traceToHtml } from "../export/html.ts";
import { traceToPerfetto } from "../export/perfetto.ts";
import { type Cause, causalChain } from "../search/causal-chain.ts";
import { createTraceRecorder } from "../trace/recorder.ts";
import type { Trace } from "../trace/trace.ts";
import { EXIT, Misuse } from "./misuse.ts";
import { reportAssets } from "./report-assets.ts";
import { mustHaveFolder, reportOn, runShowingProgress, writeOrMisuse } from "./running.ts";
import { findStory, noSuchStory, replayName, theSeed } from "./stories.ts";
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
  const story = await findStory(name);
  if (story === undefined) {
    const what = "is no story and no plan; a journal has no clients to show, so export the story that it came from.";
    throw new Misuse(existsSync(name) ? `"${name}" ${what}` : await noSuchStory(name));
  }
  // A run takes seconds; what can't be written is said before them.
  for (const file of [options.pcapng, options.perfetto, options.html]) mustHaveFolder(file);
  // Packets take room, and only a capture shows them.
  const recorder = options.pcapng === undefined ? createTraceRecorder(0) : createTraceRecorder();
  const seed = theSeed(story, options.seed);
  const run = runShowingProgress(story, seed, { onWorld: recorder.onWorld }, options);
  const whyItBroke = () => (run.verdict.broken === undefined ? [] : causalChain(story.plan, seed));
  const files = writeFiles(recorder.finish(run.verdict, replayName(story)), whyItBroke, options);
  reportOn(story, run, { ...options, artifacts: files });
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
