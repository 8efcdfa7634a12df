/** Whether a journal is a complete recording: what it replays is what happened, and a change in it is found. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createChecksumCrypto, createNodeCrypto } from "../../../io-crypto/index.ts";
import { at, restart, seconds } from "../../../io-sim/index.ts";
import { replayJournal } from "../../../io-sim/journal/journal.ts";
import { diffJournals } from "../../../io-sim/journal/journal-diff.ts";
import { run } from "../../../io-sim/world/run.ts";
import { smallStory } from "../../support/stories/small-story.ts";

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
    const replayed = replayJournal(verdict.journal!, crypto, { restoreAt: (input) => input % 100 === 99 });
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
    const future = '{"type":"boot","version":99,"program":{"version":"7.0.0","core":"-"}}';
    expect(() => replayJournal(future, crypto)).toThrow(/format 99.*format 1.*\(Lockstep 7\.0\.0\)/);
    const { journal } = record();
    expect(() => replayJournal(journal!.replace('"type":"timer"', '"type":"tick"'), crypto)).toThrow(/no kind/);
  });
});

describe("the program that wrote a journal", () => {
  const program = { version: "1.0.0", core: "aa" };
  const plan = smallStory({ runFor: seconds(1) });
  const journal = run(plan, 1, { journal: true, program }).journal!;
  const changed = journal.replace('"randomSeed":', '"randomSeed":1');

  it("stands in it, and need not be spoken of when all is the same", () => {
    expect(JSON.parse(journal.split("\n")[0]!).program).toEqual(program);
    expect(replayJournal(journal, crypto, { program }).detail).toBe("Every effect is as it was recorded.");
  });

  it("is named when it is another one, whether that makes a difference or not", () => {
    const here = { program: { version: "1.0.0", core: "bb" } };
    expect(replayJournal(journal, crypto, here)).toMatchObject({
      same: true,
      detail: expect.stringContaining("which does the same here"),
    });
    const { same, detail } = replayJournal(changed, crypto, here);
    expect(same).toBe(false);
    expect(detail).toMatch(
      /^Line 2 .* written by Lockstep 1\.0\.0 with core aa; this is .* core bb, which does something else/,
    );
  });

  it("is at fault when it is this very one and a difference is found, and is asked for when nobody named it", () => {
    expect(replayJournal(changed, crypto, { program }).detail).toContain("this is a mistake in Lockstep");
    const nameless = replayJournal(changed.replace(JSON.stringify(program), "null"), crypto, { program });
    expect(nameless.detail).toContain("does not say which Lockstep wrote it");
  });

  it("alone makes no two runs different", () => {
    const other = journal.replace('"core":"aa"', '"core":"bb"');
    const { same, detail } = diffJournals(journal, other);
    expect([same, detail]).toEqual([true, expect.stringContaining("different versions of Lockstep")]);
    expect(diffJournals(journal, changed).detail).toContain("different seeds");
  });
});

/*
 * The core may come to do things otherwise, so not each effect of a journal from another day has to be the same. What may
 * never stop is that its calls come about: the recorded clients get in, their media is authentic, and it is passed on. When
 * a handshake was changed on purpose, `npx tsx test/support/stories/record-journal.ts` records the journal anew.
 */
describe("a journal of another day", () => {
  const text = readFileSync(new URL("../../fixtures/journals/a-short-call.journal", import.meta.url), "utf8");

  it("is read to its end, and the call in it comes about again", () => {
    const events: string[] = [];
    let sent = 0;
    const { inputs } = replayJournal(text, crypto, {
      onEffects: (effects) => {
        for (const effect of effects) {
          if (effect.kind === "event") events.push(effect.event.type);
          if (effect.kind === "transmit") sent++;
        }
      },
    });
    const lines = text.trim().split("\n");
    expect(inputs).toBe(lines.length - 2);
    for (const type of ["joined", "connected", "left"]) {
      expect([type, events.filter((event) => event === type).length]).toEqual([type, 2]);
    }
    const received = lines.filter((line) => line.includes('"type":"datagram"')).length;
    expect(sent).toBeGreaterThan(received / 2);
  });
});
