/** What the load generator notices of a server that forwards wrongly: it must be able to say so. */
import { describe, expect, it } from "vitest";
import { createFilm, FILM_HEADER_BYTES, type Film, writeFilmPacket } from "../../bench/load/film.ts";
import { createLedger, ledgerBegin, ledgerCount, ledgerJudge, ledgerLost } from "../../bench/load/ledger.ts";
import { rtpSequence, rtpSetSequence } from "../../core/wire/rtp.ts";

const BYTES = 200;

const PLAN = { kind: "video", packetsPerSecond: 100, packetBytes: BYTES } as const;

/** The film's next packet, under another sequence number as a slot sends it. */
function next(film: Film, sequence: number): Uint8Array {
  const bytes = new Uint8Array(BYTES);
  writeFilmPacket(film, bytes, 0, 0, 1_700_000_000_123_456);
  rtpSetSequence(bytes, 0, sequence & 0xffff);
  return bytes;
}

const stamp = { publisher: 0, ordinal: 0, sentMicros: 0 };
const judge = (ledger: ReturnType<typeof createLedger>, bytes: Uint8Array) =>
  ledgerJudge(ledger, bytes, 0, bytes.length, ledgerCount(ledger, bytes, 0), stamp);

describe("a slot's ledger", () => {
  it("takes a film that goes on as it should, around the wrap of its numbers", () => {
    const ledger = createLedger("video", 7);
    const film = createFilm(PLAN, 7, 3);
    for (let i = 0; i < 10; i++) expect(judge(ledger, next(film, 0xfffb + i))).toBe(true);
    expect([ledger.received, ledgerLost(ledger)]).toEqual([10, 0]);
    expect(stamp).toEqual({ publisher: 3, ordinal: 9, sentMicros: 1_700_000_000_123_456 });
  });

  it("counts what is missing, and nothing for what comes late", () => {
    const ledger = createLedger("video", 7);
    const film = createFilm(PLAN, 7, 3);
    const packets = Array.from({ length: 8 }, (_, i) => next(film, 100 + i));
    for (const i of [0, 1, 4, 3, 7]) ledgerCount(ledger, packets[i]!, 0);
    expect([ledger.received, ledgerLost(ledger)]).toEqual([5, 3]);
    ledgerBegin(ledger);
    expect([ledger.received, ledgerLost(ledger)]).toEqual([0, 0]);
  });

  it("refuses another publisher's film, an old packet under a new number, and a payload that is none", () => {
    const ledger = createLedger("video", 7);
    const film = createFilm(PLAN, 7, 3);
    const first = next(film, 10);
    expect(judge(ledger, first)).toBe(true);
    expect(judge(ledger, next(film, 11))).toBe(true);
    rtpSetSequence(first, 0, 12);
    expect(judge(ledger, first)).toBe(false);
    expect(judge(createLedger("video", 7), first)).toBe(true);
    expect(judge(ledger, next(createFilm(PLAN, 7, 4), 13))).toBe(false);
    expect(ledgerJudge(ledger, first, 0, FILM_HEADER_BYTES + 3, 14, stamp)).toBe(false);
  });
});

describe("a film", () => {
  it("numbers its packets and begins with a keyframe", () => {
    const bytes = new Uint8Array(BYTES);
    const film = createFilm(PLAN, 7, 1);
    writeFilmPacket(film, bytes, 0, 0, 0);
    expect([rtpSequence(bytes, 0), film.written, bytes[FILM_HEADER_BYTES + 6]! & 1]).toEqual([0, 1, 0]);
  });
});
