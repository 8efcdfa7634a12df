/** Whether every counter of the server and of its clients wraps, or comes near its end, in a world in which they should. */
import { describe, expect, it } from "vitest";
import { readU16, readU32 } from "../../../core/base/bytes.ts";
import { SRTCP_NEAR_END } from "../../../io-sim/base/near-wrap.ts";
import { at, ms, percent, plays, seconds } from "../../../io-sim/index.ts";
import { eachPacket, FORMAT, REPORT } from "../../../io-sim/oracles/feedback-reading.ts";
import { link, type Scenario } from "../../../io-sim/story/scenario.ts";
import { run } from "../../../io-sim/world/run.ts";
import { smallStory } from "../../support/stories/small-story.ts";

const RTCP_FIRST = 192;
const RTCP_LAST = 223;

/** The sequence numbers, timestamps and SRTCP indices that go up and down in a story, in the order of the first. */
function numbersIn(change: Partial<Scenario>) {
  const sequences = { up: new Map<number, number[]>(), down: new Map<number, number[]>() };
  const timestamps = { up: new Map<number, number[]>(), down: new Map<number, number[]>() };
  const indices = { up: [] as number[], down: [] as number[] };
  const note = (map: Map<number, number[]>, ssrc: number, value: number) =>
    map.set(ssrc, [...(map.get(ssrc) ?? []), value]);
  const people = {
    ana: { nearWrap: true, sends: { camera: "vp8", microphone: true } },
    bob: { nearWrap: true, receives: { audio: 1, video: 1 } },
  } as const;
  const finale = [plays("bob", "ana/camera"), plays("bob", "ana/microphone")];
  const plan = smallStory({ serverNearWrap: true, peers: people, runFor: seconds(5), finally: finale, ...change });
  const verdict = run(plan, 1, {
    withoutDrain: true,
    onWorld: (world) =>
      world.watchers.push({
        carried: (_peer, way, fate, { packet: { bytes } }) => {
          if (fate !== "offered" || bytes[0]! >> 6 !== 2) return;
          if (bytes[1]! >= RTCP_FIRST && bytes[1]! <= RTCP_LAST) {
            indices[way].push(readU32(bytes, bytes.length - 4) - 2 ** 31);
          } else {
            note(sequences[way], readU32(bytes, 8), readU16(bytes, 2));
            note(timestamps[way], readU32(bytes, 8), readU32(bytes, 4));
          }
        },
      }),
  });
  return { sequences, timestamps, indices, broken: verdict.broken?.detail ?? "" };
}

/** Whether numbers of so many bits go over their end. */
function wraps(numbers: readonly number[], bits: number): boolean {
  const half = 2 ** (bits - 1);
  return numbers.some((number, at) => at > 0 && numbers[at - 1]! > half && number < half);
}

describe.each(["checksum", "real"] as const)("with the cipher %s, near the wrap", (cipher) => {
  it("every stream of both ends goes over the end of its sequence numbers and timestamps, and is heard and seen", () => {
    const { sequences, timestamps, broken } = numbersIn({ cipher });
    expect(broken).toBe("");
    for (const way of ["up", "down"] as const) {
      expect(sequences[way].size).toBe(2);
      expect([...sequences[way].values()].map((numbers) => wraps(numbers, 16))).toEqual([true, true]);
      expect([...timestamps[way].values()].map((numbers) => wraps(numbers, 32))).toEqual([true, true]);
    }
  });

  it("reports come near the end of their indices, and no one uses one twice", () => {
    const { indices } = numbersIn({ cipher });
    for (const way of ["up", "down"] as const) {
      expect(indices[way].length).toBeGreaterThan(5);
      expect(Math.min(...indices[way])).toBeGreaterThanOrEqual(SRTCP_NEAR_END);
      expect(Math.max(...indices[way])).toBeLessThan(2 ** 31);
    }
  });

  it("who has lost all before the first wrap gets what comes after it", () => {
    const timeline = [
      at(0, "nothing comes down any more", link("bob", { direction: "down", cut: true })),
      at(seconds(2), "and all is well again", link("bob", { direction: "down", cut: false })),
    ];
    const peers = {
      ana: { sends: { camera: "vp8", microphone: true } },
      bob: { receives: { audio: 1, video: 1 }, link: { direction: "down", delay: ms(10) } },
    } as const;
    expect(numbersIn({ cipher, timeline, peers }).broken).toBe("");
  });
});

/** The numbers of 8 bits that a publisher is told and that a thin viewer tells, in order. */
function countsIn(serverNearWrap: boolean) {
  const counts = { feedbacks: [] as number[], firsDown: [] as number[], firsUp: new Map<number, number[]>() };
  const peers = {
    ana: { nearWrap: true, sends: { camera: "vp8" } },
    eve: { nearWrap: true, sends: { camera: "vp8" }, persona: "thin" },
    bob: { nearWrap: true, receives: { video: 2 }, persona: "thin", link: { direction: "down", loss: percent(10) } },
  } as const;
  const plan = smallStory({ serverNearWrap, peers, runFor: seconds(8) });
  const { broken } = run(plan, 1, {
    withoutDrain: true,
    onWorld: (world) =>
      world.watchers.push({
        control: (_client, _sealed, plain) => {
          eachPacket(plain, (type, format, at) => {
            if (type === REPORT.TRANSPORT && format === FORMAT.TRANSPORT_WIDE) counts.feedbacks.push(plain[at + 19]!);
            if (type === REPORT.PAYLOAD && format === FORMAT.FIR) counts.firsDown.push(plain[at + 16]!);
          });
        },
        plain: (_client, way, bytes) => {
          const isFir = way === "up" && bytes[1] === REPORT.PAYLOAD && (bytes[0]! & 31) === FORMAT.FIR;
          if (!isFir) return;
          const ssrc = readU32(bytes, 12);
          counts.firsUp.set(ssrc, [...(counts.firsUp.get(ssrc) ?? []), bytes[16]!]);
        },
      }),
  });
  return { ...counts, broken: broken?.detail ?? "" };
}

describe("numbers of 8 bits", () => {
  it("wrap in what the server tells of arrivals and asks by FIR, and in what a thin viewer asks", () => {
    const { feedbacks, firsDown, firsUp, broken } = countsIn(true);
    expect(broken).toBe("");
    expect(feedbacks.slice(0, 4)).toEqual([254, 255, 0, 1]);
    expect(firsDown.slice(0, 3)).toEqual([254, 255, 0]);
    expect([...firsUp.values()].map((numbers) => numbers.slice(0, 3))).toEqual([
      [254, 255, 0],
      [254, 255, 0],
    ]);
  });

  it("begin at their beginning where no counter is near its wrap", () => {
    const { feedbacks, firsDown } = countsIn(false);
    expect([feedbacks[0], firsDown[0]]).toEqual([0, 1]);
  });
});

describe("far from the wrap", () => {
  it("nothing of the server's is near its end", () => {
    const { sequences, indices } = numbersIn({ serverNearWrap: false });
    expect([...sequences.down.values()].map((numbers) => wraps(numbers, 16))).toEqual([false, false]);
    expect(Math.max(...indices.down)).toBeLessThan(1_000);
  });
});
