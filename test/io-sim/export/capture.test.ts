/** Whether Wireshark reads a run's capture, and sees in it what was sent. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { traceToPcapng } from "../../../io-sim/export/capture.ts";
import { seconds } from "../../../io-sim/index.ts";
import type { Trace } from "../../../io-sim/trace/trace.ts";
import { tshark } from "../../support/commands/tshark.ts";
import { smallStory } from "../../support/stories/small-story.ts";
import { tracedStory, traceStory } from "../../support/stories/traced-story.ts";

/** What tshark is asked of every frame, in one go because it takes its time to begin. */
const FIELDS = [
  "frame.interface_name",
  "frame.comment",
  "frame.time_epoch",
  "frame.protocols",
  "ip.checksum.status",
  "udp.checksum.status",
  "stun.type",
  "dtls.handshake.type",
  "rtp.p_type",
  "rtcp.pt",
  "_ws.malformed",
] as const;

type Frame = Readonly<Record<(typeof FIELDS)[number], string>>;

const folder = mkdtempSync(join(tmpdir(), "lockstep-capture-"));
let trace: Trace;
let frames: Frame[] = [];

beforeAll(() => {
  const file = join(folder, "run.pcapng");
  ({ trace } = traceStory(tracedStory(), 1));
  writeFileSync(file, Buffer.concat(traceToPcapng(trace)));
  const preferences = ["ip.check_checksum:TRUE", "udp.check_checksum:TRUE"].flatMap((text) => ["-o", text]);
  const output = ["-T", "fields", "-E", "occurrence=a", ...FIELDS.flatMap((field) => ["-e", field])];
  const text = tshark(
    "-r",
    file,
    ...preferences,
    "-d",
    "udp.port==5004,rtp",
    "--enable-heuristic",
    "rtp_udp",
    ...output,
  );
  frames = text
    .split("\n")
    .slice(0, -1)
    .map((line) => Object.fromEntries(line.split("\t").map((value, index) => [FIELDS[index], value])) as Frame);
});

afterAll(() => rmSync(folder, { recursive: true }));

/** The frames that tshark has seen on an interface. */
function seenOn(name: string): Frame[] {
  return frames.filter((frame) => frame["frame.interface_name"] === name);
}

/** All values of a field, one for each time that it occurs. */
function values(of: readonly Frame[], field: (typeof FIELDS)[number]): string[] {
  return of.flatMap((frame) => frame[field].split(",")).filter((value) => value !== "");
}

describe("tshark", () => {
  it("reads the whole file and finds no wrong checksum in it", () => {
    expect(frames).toHaveLength(trace.packets.length);
    expect(new Set(values(frames, "ip.checksum.status"))).toEqual(new Set(["1"]));
    expect(new Set(values(frames, "udp.checksum.status"))).toEqual(new Set(["1"]));
  });

  it.each(["encrypted", "decrypted", "dropped"])("sees the %s packets on an interface of their own", (name) => {
    const packets = trace.packets.filter(({ surface }) => surface === name);
    expect(seenOn(name)).toHaveLength(packets.length);
    expect(packets.length).toBeGreaterThan(10);
  });

  it("decodes STUN checks and their answers", () => {
    expect(new Set(values(seenOn("encrypted"), "stun.type"))).toEqual(new Set(["0x0001", "0x0101"]));
  });

  it("decodes the DTLS handshakes", () => {
    const types = values(seenOn("encrypted"), "dtls.handshake.type");
    const count = (type: string) => types.filter((candidate) => candidate === type).length;
    // ClientHello, ServerHello, Certificate (both sides), ServerKeyExchange, for each of four people.
    expect(["1", "2", "11", "12"].map(count)).toEqual([4, 4, 8, 4]);
  });

  it("decodes every plain packet as RTP or RTCP, and none as malformed", () => {
    const plain = seenOn("decrypted");
    const protocols = plain.map((frame) => frame["frame.protocols"]);
    expect(protocols.filter((chain) => !/:(rtp|rtcp)$/.test(chain))).toEqual([]);
    expect(values(plain, "_ws.malformed")).toEqual([]);
    expect(values(plain, "rtp.p_type")).toContain("111");
    expect(values(plain, "rtcp.pt")).toContain("200");
  });

  it("shows event ids and the reasons of drops as comments", () => {
    const comments = seenOn("dropped").map((frame) => frame["frame.comment"]);
    expect(comments.filter((text) => !/^event \d+, input \d+; \w+, (up|down); dropped: \w+$/.test(text))).toEqual([]);
  });

  it("shows wall-clock time in microseconds", () => {
    const { at } = trace.packets[0]!;
    expect(Number(frames[0]!["frame.time_epoch"])).toBeCloseTo((trace.wallAtStart + at - trace.startsAt) / 1e6, 5);
  });
});

describe("a capture", () => {
  it("of the same run has the same bytes", () => {
    const again = traceToPcapng(traceStory(tracedStory(), 1).trace);
    expect(Buffer.concat(again).equals(Buffer.concat(traceToPcapng(trace)))).toBe(true);
  });
});

describe("the capture of several shards", () => {
  it("says which shard's input a packet was, and has a plain port for each", () => {
    const file = join(folder, "shards.pcapng");
    const peers = {
      ana: { sends: { microphone: true as const }, shard: 0 },
      bob: { receives: { audio: 1 }, shard: 1 },
    };
    const plan = smallStory({ shards: { count: 2 }, peers, runFor: seconds(1) });
    writeFileSync(file, Buffer.concat(traceToPcapng(traceStory(plan, 1).trace)));
    const plain = ["-Y", "frame.interface_name == decrypted && rtp", "-T", "fields"];
    const text = tshark("-r", file, "-d", "udp.port==5004-5005,rtp", ...plain, "-e", "udp.port", "-e", "frame.comment");
    expect(text).toMatch(/5004\tevent \d+, input \d+ of shard 0; ana, up$/m);
    expect(text).toMatch(/5005,\d+\tevent \d+, input \d+ of shard 1; bob, down$/m);
  });
});
