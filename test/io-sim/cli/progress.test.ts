/** Whether those who wait hear of it: often at a terminal, now and then in a log, never beside JSON. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createProgress } from "../../../io-sim/cli/progress.ts";

/** What was written to standard error. */
let err = "";

/** Progress as it is where standard error is a terminal, or is none. */
function progressAt(place: "terminal" | "log", json = false) {
  vi.spyOn(process.stderr, "isTTY", "get").mockReturnValue(place === "terminal");
  return createProgress({ json });
}

beforeEach(() => {
  err = "";
  Object.defineProperty(process.stderr, "isTTY", { value: false, configurable: true, writable: false });
  vi.useFakeTimers();
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    err += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("progress", () => {
  it("is a line of its own every ten seconds in a log", () => {
    const progress = progressAt("log");
    for (let second = 0; second < 25; second++) {
      progress.say(() => `${second} s`);
      vi.advanceTimersByTime(1_000);
    }
    progress.end();
    expect(err).toBe("9 s\n19 s\n");
  });

  it("is told in a log too while one long task says nothing", () => {
    const progress = progressAt("log");
    progress.say(() => "one of two");
    vi.advanceTimersByTime(25_000);
    progress.end();
    vi.advanceTimersByTime(60_000);
    expect(err).toBe("one of two\none of two\n");
  });

  it("is one line at a terminal, which goes at the end", () => {
    const progress = progressAt("terminal");
    for (const text of ["a", "b", "c"]) {
      vi.advanceTimersByTime(150);
      progress.say(() => text);
    }
    progress.end();
    expect(err).toBe("\r\u001b[Kb\r\u001b[K");
  });

  it("is not told beside JSON", () => {
    const progress = progressAt("log", true);
    progress.say(() => "a");
    vi.advanceTimersByTime(60_000);
    progress.end();
    expect(err).toBe("");
  });
});
