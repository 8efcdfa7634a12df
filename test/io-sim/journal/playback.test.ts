/** What `lockstep replay` can say of a journal that a server has written. */
import { beforeAll, describe, expect, it } from "vitest";
import { createNodeCrypto } from "../../../io-crypto/index.ts";
import {
  beginPlayback,
  describePlayback,
  type PlaybackRow,
  type PlaybackStop,
  playbackHolds,
  playUntil,
  wallOf,
} from "../../../io-sim/journal/playback.ts";
import { PROGRAM, recordCall } from "../../support/shards/recording.ts";

let page: Uint8Array;

beforeAll(() => {
  [page] = recordCall({ runFor: 2_500_000 }).sink.pages() as [Uint8Array];
});

function playedUntil(stop: PlaybackStop, file = page) {
  const playback = beginPlayback(file, createNodeCrypto());
  const rows: PlaybackRow[] = [];
  playUntil(playback, stop, (row) => rows.push(row));
  return { playback, rows };
}

describe("a playback", () => {
  it("stops after an input, after a time, or at a time of the clock on the wall", () => {
    expect(playedUntil({ kind: "input", input: 40 }).playback.player.inputs).toBe(40);
    const { playback, rows } = playedUntil({ kind: "time", micros: 300_000 });
    const passed = playback.player.now - playback.startsAt;
    expect(passed).toBeGreaterThanOrEqual(300_000);
    expect(rows.at(-2)!.time - playback.startsAt).toBeLessThan(300_000);
    const byWall = playedUntil({ kind: "wall", micros: wallOf(playback, playback.player.now) });
    expect(byWall.playback.player.now).toBe(playback.player.now);
  });

  it("tells of each input what it led to", () => {
    const texts = playedUntil({ kind: "end" }).rows.map(({ text }) => text);
    const has = (pattern: RegExp) => texts.some((text) => pattern.test(text));
    expect(has(/^command 1: join → .*joined/)).toBe(true);
    expect(has(/^STUN of \d+ bytes on flow \d \(ana in lounge\) → 1 sent, stunAnswered \+1/)).toBe(true);
    expect(has(/^DTLS of .*connected/)).toBe(true);
    expect(has(/^SRTP of .*\(ana in \S+, ssrc \d+, number \d+\) → 1 sent, .*rtpForwarded \+1/)).toBe(true);
  });

  it("says who wrote the journal, and how it ends", () => {
    const sentence = (file: Uint8Array, program = PROGRAM) =>
      describePlayback(playedUntil({ kind: "end" }, file).playback, program);
    expect(sentence(page)).toBe("Every effect is as it was recorded.");
    expect(sentence(page, { version: "1.0.1", core: "bb" })).toMatch(/written by Lockstep 1\.0\.0 with core aa; this/);
    expect(sentence(page.slice(0, -3))).toMatch(/^Every .*; the file is cut or damaged behind byte \d+ of \d+\.$/);
    const killed = recordCall({ runFor: 600_000 }, { endsAfter: 60 }).sink.pages()[0]!;
    expect(sentence(killed)).toMatch(/^Every .*; the shard was at work on input 61 \(.*\)\.$/);
  });

  it("names the first input that has come out otherwise, whoever wrote it", () => {
    const playback = beginPlayback(page, createNodeCrypto());
    playback.player.shard.randomSeed += 1;
    playUntil(playback, { kind: "end" });
    expect(playbackHolds(playback)).toBe(false);
    const sentence = describePlayback(playback, PROGRAM);
    expect(sentence).toMatch(/^Input \d+ \(command 1: join\) has other effects\. It was written by this very core/);
    expect(playback.rows.some(({ text }) => text.includes("OTHERWISE: has other effects"))).toBe(true);
  });
});
