/** The benchmark of a datagram's way in: all ways bring everything, the filter sends it where it says, and wrong use. */
import { describe, expect, it } from "vitest";
import { flowFilter } from "../../bench/receive/flow-filter.ts";
import {
  attachFilter,
  closeKernel,
  connectTo,
  type Kernel,
  openKernel,
  openPort,
  portOf,
} from "../../bench/receive/kernel.ts";
import { LINUX } from "../../io-node/fast/libc.ts";
import { bench, whyNoLoad } from "../support/commands/bench.ts";

describe("bench receive", () => {
  if (whyNoLoad() !== "") {
    it("says why there is nothing to measure", async () => {
      expect((await bench("receive")).stderr).toContain("Nothing was measured");
    });
    return;
  }

  it("takes every datagram in, whichever way, and prints what each costs", async () => {
    const words = "receive --flows 10 --burst 2 --size 300 --seconds 1 --json".split(" ");
    const { status, stdout, stderr } = await bench(...words);
    expect([status, stderr]).toEqual([0, ""]);
    const { options, ways } = JSON.parse(stdout) as {
      options: object;
      ways: { name: string; sendMicros: number; receiveMicros: number }[];
    };
    expect(options).toEqual({ flows: 10, burst: 2, datagramBytes: 300, seconds: 1 });
    expect(ways.map(({ name }) => name)).toEqual([
      "a port for each shard",
      "one port, by the sender",
      "one port, a socket for each",
      "with UDP_GRO",
      "sent as trains",
      "sent as trains, with UDP_GRO",
    ]);
    for (const { sendMicros, receiveMicros } of ways) expect(Math.min(sendMicros, receiveMicros)).toBeGreaterThan(0);
  });

  it.each([
    ["a burst that fills no round", ["--burst", "3"], /power of two, not 3/],
    ["a datagram that fits no packet", ["--size", "9000"], /--size takes whole numbers of 32 to 1472/],
    ["an even number of runs", ["--runs", "2"], /odd number/],
  ])("answers %s with one sentence and status 2", async (_what, words, sentence) => {
    const { status, stdout, stderr } = await bench("receive", ...words);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(sentence);
    expect(stderr.trimEnd().split("\n").length).toBe(1);
  });
});

/** Sends datagrams from one socket after the other to a port that three shards share; answers which shard has got each. */
function chosen(kernel: Kernel, datagrams: readonly Uint8Array[], senders: number): number[][] {
  const { libc } = kernel;
  const shards = [openPort(kernel, 0, true)];
  const port = portOf(kernel, shards[0]!);
  while (shards.length < 3) shards.push(openPort(kernel, port, true));
  attachFilter(kernel, shards[0]!, flowFilter(3));
  const send = libc.native.find("send", "size_t", ["int", "address", "size_t", "int"]);
  const receive = libc.native.find("recv", "size_t", ["int", "address", "size_t", "int"]);
  const memory = libc.native.allocate(4_096);
  const bytes = libc.native.view(memory, 4_096);
  const got = Array.from({ length: senders }, () => {
    const fd = openPort(kernel, 0, false);
    connectTo(kernel, fd, port);
    const shardOfEach = datagrams.map((datagram) => {
      bytes.set(datagram);
      send(fd, memory, datagram.length, 0);
      return shards.findIndex((shard) => receive(shard, memory, 4_096, LINUX.MSG_DONTWAIT) === datagram.length);
    });
    libc.close(fd);
    return shardOfEach;
  });
  for (const fd of shards) libc.close(fd);
  libc.native.free(memory, 4_096);
  return got;
}

describe.runIf(whyNoLoad() === "")("the filter of one port", () => {
  const kernel = openKernel() as Kernel;
  const media = new Uint8Array(40).fill(0x80);
  const check = (user: string) => {
    const bytes = new Uint8Array(40);
    bytes.set([0, 1, 0, 20], 0);
    bytes.set([0, 6, 0, user.length, ...Buffer.from(user)], 20);
    return bytes;
  };

  it("sends a connectivity check where the name in it says", () => {
    expect(chosen(kernel, [check("0f3a:x"), check("2f3a:x"), check("1f3a:x")], 2)).toEqual([
      [0, 2, 1],
      [0, 2, 1],
    ]);
  });

  it("sends all that one sender sends of media to one shard, and senders to all of them", () => {
    const got = chosen(kernel, [media, media, check("0abc:x"), media], 60);
    for (const [first, second, , last] of got) expect([second, last]).toEqual([first, first]);
    expect([...new Set(got.map(([first]) => first))].sort((a, b) => a! - b!)).toEqual([0, 1, 2]);
    closeKernel(kernel);
  });
});
