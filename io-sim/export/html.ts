/**
 * A traced run as one page of HTML that needs nothing else: style, script and data lie in it, and its policy forbids it to
 * load anything. It opens from a disk and from a ticket's attachment alike.
 *
 * The page's own files lie in ./report/; whoever calls this reads them, in the order of {@link REPORT_PARTS}. The data are
 * the trace without packets, as JSON, with times in microseconds since the beginning of the run.
 */

import { readableTimes } from "../base/readable-times.ts";
import { peopleNamed } from "../inspection/people-named.ts";
import { replayCommand } from "../inspection/replay-command.ts";
import { PROMISES } from "../oracles/promises.ts";
import type { Cause } from "../search/causal-chain.ts";
import { historyIn } from "../search/history.ts";
import { type Standstill, standstillOf } from "../trace/standstill.ts";
import type { Trace } from "../trace/trace.ts";

/** The files of the page in ./report/: scripts need those before them. */
export const REPORT_PARTS = {
  style: ["page.css", "timeline.css", "charts.css", "lists.css"],
  script: [
    ...["page.js", "axis.js", "timeline.js", "strips.js", "plots.js", "screens.js"],
    ...["sequence.js", "lists.js", "main.js"],
  ],
} as const;

/** The texts that the page is made of, each of its files one behind the other. */
export interface ReportAssets {
  readonly style: string;
  readonly script: string;
}

/** The timeline goes on for so long after the story, so that the goodbyes are seen. */
const AFTER_STORY_MICROS = 500_000;

/** The page; `causes` are what led to the breach, if there is one. */
export function traceToHtml(trace: Trace, assets: ReportAssets, causes: readonly Cause[] = []): string {
  const title = `${trace.story}, seed ${trace.seed}: ${trace.verdict}`;
  const policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escapeHtml(title)}</title>
<style>
${assets.style}</style>
</head>
<body>
<noscript><p class="notice">This report draws itself with a script, which this browser does not run.</p></noscript>
<main id="report"></main>
<script type="application/json" id="data">${dataOf(trace, causes)}</script>
<script>
${assets.script}</script>
</body>
</html>
`;
}

/** The data as JSON in which nothing can end the element that it stands in. */
function dataOf(trace: Trace, causes: readonly Cause[]): string {
  const since = (at: number) => at - trace.startsAt;
  const { broken } = trace;
  const endsAt = Math.min(trace.endsAt, trace.storyEndsAt + AFTER_STORY_MICROS);
  const data = {
    story: trace.story,
    sentence: trace.sentence,
    seed: trace.seed,
    verdict: trace.verdict,
    fingerprint: trace.fingerprint,
    replay: replayCommand(trace.replayName, trace.seed),
    inputs: trace.inputs,
    zeroAt: since(trace.zeroAt),
    endsAt: Math.max(1, since(endsAt)),
    broken:
      broken === undefined
        ? null
        : {
            ...broken,
            detail: readableTimes(broken.detail),
            standstill: standstillIn(trace),
            people: peopleNamed(trace.peers, broken.detail).map(({ name }) => name),
            at: since(Math.min(broken.time, endsAt)),
            sentence: PROMISES[broken.promise],
          },
    causes: causes.map(({ at, text, times }) => ({ at: since(at), text, times })),
    history: historyIn(trace).map(({ time, who, text }) => ({ at: since(time), who, text })),
    shards: trace.shards.map(({ name }) => name),
    peers: trace.peers.map(({ name, room, shard }) => ({ name, room, shard })),
    strips: trace.strips.map(({ viewer, source, segments }) => ({
      viewer,
      source,
      segments: segments.map(({ from, to, state }) => [since(from), since(to), state]),
    })),
    tickMicros: trace.ticks.tickMicros,
    series: seriesOf(trace),
    messages: trace.messages.map(({ at, until, from, to, kind, text, count }) => {
      return { at: since(at), until: since(until), from, to, kind, text, count };
    }),
    rows: trace.rows.map(({ time, event, kind, who, text }) => ({ at: since(time), event, kind, who, text })),
    promises: trace.promises,
    drops: trace.drops,
    sites: trace.sites,
    forgotten: { rows: trace.forgotten.rows, messages: trace.forgotten.messages },
  };
  return JSON.stringify(data).replaceAll("<", "\\u003c");
}

/** The pause that broke the promise, in the page's times; null when none did. */
function standstillIn(trace: Trace): Standstill | null {
  const standstill = standstillOf(trace);
  if (standstill === undefined) return null;
  const { from, to } = standstill;
  return { ...standstill, from: from - trace.startsAt, to: to - trace.startsAt };
}

/** What the page plots: links, ways between shards, what viewers saw, estimates; the server's counts are for Perfetto. */
function seriesOf(trace: Trace): Record<string, { unit: string; rests: string; values: readonly number[] }> {
  const chosen = [...trace.ticks.series].filter(([name]) => !name.startsWith("counts/"));
  return Object.fromEntries(chosen.map(([name, { unit, rests, values }]) => [name, { unit, rests, values }]));
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
