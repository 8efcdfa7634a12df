/**
 * Everything that must hold, in one command: types, lint, then the tests of vitest without and with a browser.
 *
 *     npm test                        everything
 *     npm test -- --skip-browser      without the browser; the summary says so
 *
 * Each step prints as it goes. The last line counts over all that ran: `N passed, N failed`; the exit status is 0 only
 * when nothing failed.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureBrowser } from "./support/commands/ensure-browser.ts";
import { ensureTshark } from "./support/commands/tshark.ts";

interface StepResult {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly note: string;
}

const skipBrowser = readFlags(process.argv.slice(2));
const results: StepResult[] = [];
const scratch = mkdtempSync(join(tmpdir(), "lockstep-test-"));

results.push(check("types of the core", ["tsc", "-p", "core/tsconfig.json"]));
results.push(check("types", ["tsc", "-p", "tsconfig.json"]));
results.push(check("lint", ["biome", "check", "--error-on-warnings", "."]));
results.push(nodeStep());
results.push(skipBrowser ? skipped("browser", "skipped by request (--skip-browser)") : browserStep());
rmSync(scratch, { recursive: true, force: true });

console.log("\nSummary");
for (const { name, passed, failed, note } of results) {
  console.log(
    `  ${name.padEnd(18)} ${String(passed).padStart(5)} passed ${String(failed).padStart(4)} failed  ${note}`,
  );
}
const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.reduce((sum, result) => sum + result.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

function readFlags(argv: readonly string[]): boolean {
  const unknown = argv.filter((argument) => argument !== "--skip-browser");
  if (unknown.length > 0) {
    console.error(
      `npm test takes --skip-browser alone, not ${unknown.join(" ")}; to run one file use npx vitest run FILE.`,
    );
    process.exit(2);
  }
  return argv.includes("--skip-browser");
}

function check(name: string, words: readonly string[]): StepResult {
  console.log(`\n${name}: ${words.join(" ")}`);
  const ok = run(words) === 0;
  return { name, passed: ok ? 1 : 0, failed: ok ? 0 : 1, note: "" };
}

function vitest(project: string): StepResult {
  const name = `tests (${project})`;
  console.log(`\n${name}`);
  const report = join(scratch, `${project}.json`);
  process.env.LOCKSTEP_TEST_MEMORY = join(scratch, `${project}.memory`);
  const status = run([
    "vitest",
    "run",
    `--project=${project}`,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
  ]);
  const result = countTests(name, report, status);
  return { ...result, note: [result.note, mostMemory(process.env.LOCKSTEP_TEST_MEMORY)].filter(Boolean).join("; ") };
}

/** Which test file needed most memory, by what each has noted (test/support/commands/resident-memory.ts). */
function mostMemory(notes: string): string {
  if (!existsSync(notes)) return "";
  const lines = readFileSync(notes, "utf8").trim().split("\n");
  const [most] = lines.sort((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10));
  const [mebibytes, file] = most!.split(" ");
  return `at most ${mebibytes} MiB resident (${file})`;
}

/** Counts what vitest reports; a run that could not even begin, or ran nothing, is one failure. */
function countTests(name: string, report: string, status: number): StepResult {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(report, "utf8"));
    const notRun = numPendingTests + numTodoTests;
    const unexplained = status !== 0 && numFailedTests === 0 ? 1 : 0;
    const failures = numFailedTests + notRun + unexplained + (numPassedTests === 0 ? 1 : 0);
    return { name, passed: numPassedTests, failed: failures, note: notRun > 0 ? `${notRun} did not run` : "" };
  } catch {
    return { name, passed: 0, failed: 1, note: "vitest wrote no report" };
  }
}

/** Tests that need Wireshark fail where there is none; the summary says so, so that nobody looks for another reason. */
function nodeStep(): StepResult {
  const missing = ensureTshark();
  if (missing !== "") console.error(`\n${missing}`);
  const result = vitest("node");
  return missing === "" ? result : { ...result, note: [result.note, missing].filter((text) => text !== "").join("; ") };
}

function browserStep(): StepResult {
  const missing = ensureBrowser();
  if (missing === "") return vitest("browser");
  console.error(`\n${missing}`);
  return { name: "tests (browser)", passed: 0, failed: 1, note: missing };
}

function skipped(name: string, note: string): StepResult {
  return { name: `tests (${name})`, passed: 0, failed: 0, note };
}

function run(words: readonly string[]): number {
  const { status } = spawnSync("npx", ["--no-install", ...words], { stdio: "inherit" });
  return status ?? 1;
}
