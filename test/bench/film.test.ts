/** When the load's publishers send: not in step with each other, as cameras and microphones of a call do not. */
import { describe, expect, it } from "vitest";
import { createFilm, filmSent, filmSentAt, writeFilmPacket } from "../../bench/load/film.ts";

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

  it("remember when packets were handed to the system, those of one call alike, and forget it in the end", () => {
    const film = createFilm(CAMERA, 1, 4);
    const bytes = new Uint8Array(CAMERA.packetBytes);
    const write = (count: number) => {
      for (let i = 0; i < count; i++) writeFilmPacket(film, bytes, 0, 0, 1_000);
    };
    expect(filmSentAt(film, 0)).toBe(-1);
    write(1);
    filmSent(film, 1, 5_000);
    write(3);
    expect(filmSentAt(film, 1)).toBe(-1);
    filmSent(film, 3, 6_000);
    expect([0, 1, 2, 3, 4].map((ordinal) => filmSentAt(film, ordinal))).toEqual([5_000, 6_000, 6_000, 6_000, -1]);
    for (let i = 0; i < 4_095; i++) {
      write(1);
      filmSent(film, 1, 7_000 + i);
    }
    expect([2, 3].map((ordinal) => filmSentAt(film, ordinal))).toEqual([-1, 6_000]);
  });

  it("of one person's camera and microphone do not begin together", () => {
    expect(createFilm(CAMERA, 1, 4).dueMillionths).not.toBe(createFilm(MICROPHONE, 2, 4).dueMillionths);
  });
});
