/** `lockstep replay` with a journal that a server has written, as its user sees it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { thisProgram } from "../../../program.ts";
import { command } from "../../support/commands/command.ts";
import { recordCall } from "../../support/shards/recording.ts";

const folder = mkdtempSync(join(tmpdir(), "lockstep-replay-"));
const file = join(folder, "shard-0.journal");
let inputs = 0;

beforeAll(() => {
  const recording = recordCall({ runFor: 2_500_000 }, { program: thisProgram() });
  inputs = recording.inputs.length;
  writeFileSync(file, recording.sink.pages()[0]!);
});

afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(name: string, bytes: Uint8Array | string): string {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

describe("lockstep replay of a server's journal", () => {
  it("says that it held, for people and for machines", async () => {
    const { status, out } = await command("replay", file);
    expect(status).toBe(0);
    expect(out).toMatch(new RegExp(`^held    \\S+  inputs 1 to ${inputs}  [\\d.]+ s to 2026-.*Every effect is as it`));
    const json = JSON.parse((await command("replay", file, "--json")).out);
    expect(json).toMatchObject({ verdict: "held", firstInput: 1, lastInput: inputs });
  });

  it("stops where it is told to, shows what came before, and the state without secrets", async () => {
    const stopped = (await command("replay", file, "--until", "300")).out.trim().split("\n");
    expect(stopped).toHaveLength(13);
    expect(stopped.at(-2)).toMatch(/ s {2}\d\d:\d\d:\d\d\.\d{3}Z {7}300 {2}.* → /);
    expect((await command("replay", file, "--until", "303", "--back", "3")).out.trim().split("\n")).toEqual(stopped);
    const state = JSON.parse((await command("replay", file, "--until", "300", "--state")).out);
    expect(state.privateKey).toBe("(secret)");
    expect(state.participants).toHaveLength(3);
    const rows = (await command("replay", file, "--until", "0.5s", "--trace", "--json")).out.trim().split("\n");
    expect(JSON.parse(rows.at(-2)!).micros).toBeGreaterThanOrEqual(500_000);
  });

  it("answers 1 where this core does something else, and names the core that wrote it", async () => {
    const other = recordCall({ runFor: 300_000 }, { program: { version: "0.0.9", core: "00" }, straysAt: 0 });
    const { status, out } = await command("replay", fileOf("other.journal", other.sink.pages()[0]!));
    expect(status).toBe(1);
    expect(out).toMatch(/^broken .* Input \d+ \(.*\) .*\. It was written by Lockstep 0\.0\.9 with core 00; this is/);
  });

  it.each<[string, () => string[], RegExp]>([
    [
      "one of another format",
      () => [fileOf("future", "lockstep journal 7\n")],
      /format 7, and this Lockstep reads format 1/,
    ],
    [
      "one with nothing in it",
      () => [fileOf("empty", "lockstep journal 1\n")],
      /cut or damaged before its first input/,
    ],
    ["a flag for stories", () => [file, "--fork", "a/b/1=0"], /--fork is for stories/],
    ["a moment that is none", () => [file, "--until", "noon"], /--until takes an input such as 1200/],
    ["a directory", () => [folder], /Can't read ".*": it is a directory; name one of the files in it/],
    [
      "a moment before it",
      () => [file, "--until", "2000-01-01T00:00:00.000Z"],
      /begins with input 1 at .*: its shard was not there before/,
    ],
    ["more steps back than there are", () => [file, "--until", "5", "--back", "6"], /begins with input 1 at /],
  ])("answers 2 and a sentence for %s", async (_what, words, sentence) => {
    const { status, err } = await command("replay", ...words());
    expect(status).toBe(2);
    expect(err).toMatch(sentence);
    expect(err.trim().split("\n")).toHaveLength(1);
  });

  it("is not what diff compares", async () => {
    const { status, err } = await command("diff", file, file);
    expect(status).toBe(2);
    expect(err).toMatch(/is a server's journal: "lockstep replay/);
  });
});
