/** Whether `lockstep export` writes what it is asked for, and says in a sentence what it can't. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { command } from "../../support/commands/command.ts";

const SMALL = fileURLToPath(new URL("../../support/stories/small-story.ts", import.meta.url));
const BROKEN = fileURLToPath(new URL("../../support/stories/broken-story.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "lockstep-export-"));

afterAll(() => rmSync(folder, { recursive: true }));

const exportRun = (...words: string[]) => command("export", ...words);

describe("lockstep export", () => {
  it("writes the three files of one run, and says so in JSON when asked", async () => {
    const [pcapng, perfetto, html] = ["a.pcapng", "a.json", "a.html"].map((name) => join(folder, name));
    const words = ["--seed", "1", "--pcapng", pcapng!, "--perfetto", perfetto!, "--html", html!];
    const { status, out } = await exportRun(SMALL, ...words, "--json");
    const result = JSON.parse(out);
    expect([status, result.verdict, result.seed]).toEqual([0, "held", 1]);
    expect(result.files).toEqual([pcapng, perfetto, html]);
    expect(readFileSync(pcapng!).subarray(0, 4).toString("hex")).toBe("0a0d0d0a");
    expect(JSON.parse(readFileSync(perfetto!, "utf8")).otherData.fingerprint).toBe(result.fingerprint);
    expect(readFileSync(html!, "utf8")).toContain(result.fingerprint);
  });

  it("writes the files of a broken run too, and answers 1", async () => {
    const html = join(folder, "broken.html");
    const { status, out } = await exportRun(BROKEN, "--seed", "7", "--html", html);
    expect(status).toBe(1);
    expect(out).toContain("BROKEN");
    expect(readFileSync(html, "utf8")).toContain("bob has perceived nothing");
  });

  it.each([
    [["a clean call", "--seed", "1"], "--pcapng, --perfetto or --html"],
    [["no-such-story", "--html", "x"], "no story called"],
    [["a clean call", "--html", "x"], "--seed N; committed are 1, 2"],
    [[SMALL, "--seed", "x", "--html", "x"], "whole number"],
    [[SMALL, "--seed", "1", "--html", join(folder, "none", "x.html")], "there is no folder"],
    [["--html", "x"], "missing required argument"],
    [[SMALL, "--bogus"], "unknown option"],
    [["package.json", "--seed", "1", "--html", "x"], "The plan has a field"],
  ])("%j answers 2 and one sentence", async (words, sentence) => {
    const { status, out, err } = await exportRun(...words);
    expect([status, out]).toEqual([2, ""]);
    expect(err).toContain(sentence);
    expect(err.trim().split("\n").length).toBe(1);
  });

  it("explains itself", async () => {
    const { status, out } = await exportRun("--help");
    expect(status).toBe(0);
    for (const word of ["--pcapng <FILE>", "--perfetto <FILE>", "--html <FILE>", "Example:"])
      expect(out).toContain(word);
  });
});
