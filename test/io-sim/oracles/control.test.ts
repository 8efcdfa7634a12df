/**
 * Whether the oracle that reads the server's RTCP cries out when it says what is not so: in a sound run, the oracle reads
 * something else than what the server has written.
 */
import { describe, expect, it } from "vitest";
import { eachPacket, FORMAT, REPORT } from "../../../io-sim/oracles/feedback-reading.ts";
import { run } from "../../../io-sim/world/run.ts";
import { smallStory } from "../../support/stories/small-story.ts";

/** What is read in place of this; `ssrc` is that of the reader's camera. */
type Forge = (plain: Uint8Array, ssrc: number) => Uint8Array;

const STORY = smallStory({
  peers: { ana: { sends: { camera: "vp8", microphone: true } }, bob: { receives: { audio: 1, video: 1 } } },
});

/** What breaks, and on which grounds, when the oracle reads what is forged in place of what the server says to ana. */
function read(forge: Forge, every = 0): string {
  let next = 0;
  const { broken } = run(STORY, 1, {
    withoutDrain: true,
    onWorld: (world) => {
      for (const watcher of world.watchers) {
        const { control } = watcher;
        if (control === undefined) continue;
        watcher.control = (client, sealed, plain) => {
          const isTime = client.plan.name === "ana" && world.zeroAt > 0 && world.loop.now >= next;
          if (!isTime) return control(client, sealed, plain);
          next = world.loop.now + every;
          const camera = client.media.outStreams.find(({ kind }) => kind === "video")!;
          control(client, sealed, forge(plain.slice(), camera.ssrc));
        };
      }
    },
  });
  return broken === undefined ? "" : `${broken.promise}: ${broken.detail}`;
}

/** Forges each feedback on arrivals, which begins at this offset. */
function feedback(change: (view: DataView, at: number) => void): Forge {
  return (plain) => {
    eachPacket(plain, (type, format, at) => {
      if (type === REPORT.TRANSPORT && format === FORMAT.TRANSPORT_WIDE) change(new DataView(plain.buffer), at);
    });
    return plain;
  };
}

describe("a report", () => {
  it("speaks of no stream of which nothing has come", () => {
    const other: Forge = (plain) => {
      if (plain[1] === REPORT.RECEIVER && (plain[0]! & 31) > 0) plain[11] = plain[11]! ^ 1;
      return plain;
    };
    expect(read(other)).toMatch(/^S9: A report speaks of ana's stream \d+, of which nothing had come\.$/);
  });
});

describe("feedback on arrivals", () => {
  it("is told once", () => {
    expect(read(feedback((view, at) => view.setUint8(at + 19, 7)))).toBe("S9: ana was told feedback 7 twice.");
  });

  it("calls nothing missing that has come", () => {
    // A run of one symbol, or several symbols: none of them says that something has come.
    const nothing = feedback((view, at) => {
      const chunk = view.getUint16(at + 20);
      view.setUint16(at + 20, chunk & ((chunk & 0x8000) === 0 ? 0x1fff : 0xc000));
    });
    expect(read(nothing)).toMatch(/^S9: ana was told that \d+ is missing, which had come\.$/);
  });

  it("speaks of nothing that has not come", () => {
    const ahead = feedback((view, at) => view.setUint16(at + 12, (view.getUint16(at + 12) + 1_000) & 0xffff));
    expect(read(ahead)).toMatch(/^S9: ana was told that \d+ had come, which had not\.$/);
  });
});

describe("what is asked for", () => {
  it("is given up some time", () => {
    // A number from before the stream began: it never comes.
    expect(read((_plain, ssrc) => nackOf(ssrc, 0), 200_000)).toMatch(/^S9: ana was asked for packet \d+ \d+ times\.$/);
  });

  it("is asked for by FIR under a number of its own each time", () => {
    expect(read((_plain, ssrc) => firOf(ssrc, 7), 1_000_000)).toBe("S9: ana was asked by FIR 7 for a keyframe twice.");
  });
});

function nackOf(ssrc: number, sequence: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  bytes.set([0x80 | FORMAT.NACK, REPORT.TRANSPORT, 0, 3]);
  view.setUint32(8, ssrc);
  view.setUint16(12, sequence);
  return bytes;
}

function firOf(ssrc: number, number: number): Uint8Array {
  const bytes = new Uint8Array(20);
  bytes.set([0x80 | FORMAT.FIR, REPORT.PAYLOAD, 0, 4]);
  new DataView(bytes.buffer).setUint32(12, ssrc);
  bytes[16] = number;
  return bytes;
}
