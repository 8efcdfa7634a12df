/** Whether a journal is a complete recording: what it replays is what happened, and a change in it is found. */
import { describe, expect, it } from "vitest";
import { createChecksumCrypto, createNodeCrypto } from "../../io-crypto/index.ts";
import { at, restart, seconds } from "../../io-sim/index.ts";
import { replayJournal } from "../../io-sim/journal.ts";
import { run } from "../../io-sim/run.ts";
import { smallStory } from "../support/small-story.ts";

function crypto(cipher: "real" | "checksum") {
  return cipher === "real" ? createNodeCrypto() : createChecksumCrypto(createNodeCrypto());
}

function record(cipher: "real" | "checksum" = "checksum", scheduler: "fifo" | "seeded" = "seeded") {
  const timeline = [at(seconds(1), "a restart", restart())];
  return run(smallStory({ cipher, scheduler, timeline, runFor: seconds(2) }), 1, { journal: true });
}

describe("a journal", () => {
  it("replays to the effects of the run, with either cipher and either scheduler", () => {
    for (const verdict of [record("real"), record("checksum"), record("checksum", "fifo")]) {
      const replayed = replayJournal(verdict.journal!, crypto);
      expect(replayed).toMatchObject({ same: true, fingerprint: verdict.effectFingerprint, inputs: verdict.inputs });
    }
  });

  it("replays to the same effects when it is cut and restored at every hundredth input", () => {
    const verdict = record();
    const replayed = replayJournal(verdict.journal!, crypto, (input) => input % 100 === 99);
    expect(replayed).toMatchObject({ same: true, fingerprint: verdict.effectFingerprint });
  });

  it("shows the first input whose effects are others than were recorded", () => {
    const lines = record().journal!.split("\n");
    const changed = lines.findIndex((line) => line.includes('"type":"datagram"'));
    lines[changed] = lines[changed]!.replace(/"fingerprint":"[0-9a-f]{4}/, '"fingerprint":"0000');
    const replayed = replayJournal(lines.join("\n"), crypto);
    expect(replayed.same).toBe(false);
    expect(replayed.detail).toContain(`Line ${changed + 1} `);
  });

  it("does not come out the same with another seed in its boot record", () => {
    const { journal } = record();
    expect(replayJournal(journal!.replace(/"randomSeed":\d+/, '"randomSeed":5'), crypto).same).toBe(false);
  });

  it("is refused with a sentence when it is none", () => {
    for (const text of ["", "hello", "[]", '{"type":"boot","version":99}']) {
      expect(() => replayJournal(text, crypto)).toThrow(/journal/);
    }
    const { journal } = record();
    expect(() => replayJournal(journal!.replace('"type":"timer"', '"type":"tick"'), crypto)).toThrow(/no kind/);
  });
});
