/** When the load's publishers send: not in step with each other, as cameras and microphones of a call do not. */
import { describe, expect, it } from "vitest";
import { createFilm } from "../../bench/load/film.ts";

const CAMERA = { kind: "video", packetsPerSecond: 30, packetBytes: 1_200 } as const;
const MICROPHONE = { kind: "audio", packetsPerSecond: 50, packetBytes: 160 } as const;

/** How much of the interval between two packets is over when each of so many films begins, in order. */
function phases(count: number): number[] {
  const films = Array.from({ length: count }, (_, publisher) => createFilm(CAMERA, 1, publisher));
  return films.map(({ dueMillionths }) => dueMillionths / 1_000_000).sort((a, b) => a - b);
}

describe("films", () => {
  it.each([2, 10, 100])("of %i cameras begin spread over the interval of their packets", (count) => {
    const sorted = phases(count);
    const gaps = sorted.map((phase, index) => (sorted[index + 1] ?? 1 + sorted[0]!) - phase);
    expect(Math.max(...gaps)).toBeLessThan(2 / count);
    expect(Math.min(...gaps)).toBeGreaterThan(0.3 / count);
  });

  it("of one person's camera and microphone do not begin together", () => {
    expect(createFilm(CAMERA, 1, 4).dueMillionths).not.toBe(createFilm(MICROPHONE, 2, 4).dueMillionths);
  });
});
