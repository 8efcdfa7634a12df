/** What a player makes of journals that are not as they were written, and of a core that does something else. */
import { beforeAll, describe, expect, it } from "vitest";
import {
  BEHIND,
  closingFrame,
  FRAME_HEADER_BYTES,
  journalFrame,
  journalTitle,
  openJournal,
  type Player,
  playInput,
  type Shard,
} from "../../../core/index.ts";
import { readFrames } from "../../../core/journal/format.ts";
import { createNodeCrypto } from "../../../io-crypto/index.ts";
import { attempt } from "../../../io-sim/journal/playback.ts";
import { createSilentOutbox, type Recording, recordCall } from "../../support/shards/recording.ts";

let recording: Recording;
let page: Uint8Array;

beforeAll(() => {
  recording = recordCall({ runFor: 2_500_000 });
  [page] = recording.sink.pages() as [Uint8Array];
});

function open(file: Uint8Array): Player {
  return openJournal(file, createNodeCrypto(), createSilentOutbox(), attempt);
}

/** The first input with a difference, and how it ends. */
function play(player: Player): { number: number; difference: string } {
  for (let played = playInput(player); played !== undefined; played = playInput(player)) {
    if (played.difference !== "") return played;
  }
  return { number: 0, difference: "" };
}

describe("a journal that was cut", () => {
  it("is played up to its cut, wherever that is", () => {
    const lengths = new Set<number>();
    let before = -1;
    for (let length = page.length - 1; length > 30; length -= Math.ceil(page.length / 20)) {
      const cut = page.slice(0, length);
      let player: Player;
      try {
        player = open(cut);
      } catch (error) {
        expect(String(error)).toMatch(/cut or damaged before its first input/);
        continue;
      }
      expect(play(player)).toMatchObject({ difference: "" });
      expect(player.ending).toMatchObject({ kind: "cut" });
      expect(player.usableBytes).toBeLessThanOrEqual(length);
      if (before >= 0) expect(player.inputs).toBeLessThanOrEqual(before);
      lengths.add(player.inputs);
      before = player.inputs;
    }
    expect(lengths.size).toBeGreaterThan(1);
  });

  it("names the input that the shard was at work on", () => {
    const { sink, inputs } = recordCall({ runFor: 600_000 }, { endsAfter: 100 });
    const player = open(sink.pages()[0]!);
    expect(play(player).difference).toBe("");
    expect(player.inputs).toBe(100);
    expect(player.ending).toMatchObject({ kind: "cut", input: { kind: inputs[100]!.kind, now: inputs[100]!.now } });
  });
});

describe("a journal that was interrupted", () => {
  it("says why, wherever in an input that was, and what is behind that does not count", () => {
    const items = readFrames(page, TITLE_BYTES).bytes;
    for (const missing of [END_BYTES, END_BYTES + 1, END_BYTES + 40]) {
      const player = open(Buffer.concat([journalOf(items.slice(0, -missing)), closingFrame(BEHIND), page]));
      expect(play(player).difference).toBe("");
      expect(player.ending).toEqual({ kind: "interrupted", why: BEHIND });
    }
  });

  it("has nothing in it when that was within its snapshot", () => {
    const [, second] = recordCall({}, { pageBytes: 4_000 }).sink.pages();
    const snapshot = readFrames(second!, TITLE_BYTES).bytes.slice(0, 2_000);
    const file = Buffer.concat([journalOf(snapshot), closingFrame(BEHIND)]);
    expect(() => open(file)).toThrow(/ends within what the shard was at its beginning/);
  });

  const TITLE_BYTES = journalTitle().length;

  /** The last item says that the shard was closed. */
  const END_BYTES = 9;

  /** A journal with these items, in one frame. */
  function journalOf(items: Uint8Array): Uint8Array {
    const frame = Buffer.concat([new Uint8Array(FRAME_HEADER_BYTES), items]);
    journalFrame(frame, frame.length);
    return Buffer.concat([journalTitle(), frame]);
  }
});

describe("a journal that was changed", () => {
  it("ends before the frame with the changed byte", () => {
    for (let at = 40; at < page.length; at += 4_997) {
      const changed = page.slice();
      changed[at]! ^= 0x10;
      try {
        const player = open(changed);
        expect(play(player).difference).toBe("");
        expect(player.ending).toMatchObject({ kind: "cut" });
        expect(player.usableBytes).toBeLessThanOrEqual(at);
      } catch (error) {
        expect(String(error)).toMatch(/cut or damaged/);
      }
    }
  });
});

describe("what is no journal of this Lockstep", () => {
  it("is refused with a sentence that says what it is", () => {
    const text = (line: string) => new Uint8Array(Buffer.from(line));
    expect(() => open(text(""))).toThrow(/no journal/);
    expect(() => open(text('{"type":"boot"}'))).toThrow(/no journal/);
    expect(() => open(text("lockstep journal 9\n"))).toThrow(/format 9.*reads format 1: replay it with the one/);
    expect(() => open(text("lockstep journal 1\n"))).toThrow(/cut or damaged before its first input/);
    expect(() => open(page.slice(0, 30))).toThrow(/cut or damaged before its first input/);
  });
});

describe("a core that does something else", () => {
  it.each<[string, (shard: Shard) => unknown, RegExp]>([
    ["has other effects", (shard) => Object.assign(shard, { randomSeed: shard.randomSeed + 1 }), /has other effects/],
    [
      "refuses what was taken",
      (shard) => Object.assign(shard, { draining: true }),
      /asks the crypto provider for less/,
    ],
    ["fails", (shard) => Object.assign(shard, { rooms: null }), /fails \(TypeError/],
  ])("is found out at the first input where it %s", (_claim, change, difference) => {
    const player = open(page);
    change(player.shard);
    const first = play(player);
    expect(first.difference).toMatch(difference);
    expect(recording.inputs[first.number - 1]!.kind).toBe("command");
  });
});
