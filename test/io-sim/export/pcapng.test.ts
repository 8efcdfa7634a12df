/** Whether the blocks of a capture are as the specification draws them. */
import { describe, expect, it } from "vitest";
import { enhancedPacket, interfaceDescription, nameResolution, sectionHeader } from "../../../io-sim/export/pcapng.ts";
import { hex } from "../../support/wire/hex.ts";

describe("a capture's blocks", () => {
  it("begin with a section header in little-endian", () => {
    expect(sectionHeader("a", "bcd e")).toEqual(
      hex(`0a0d0d0a 34000000 4d3c2b1a 0100 0000 ffffffffffffffff
           0400 0100 61000000  0100 0500 62636420 65000000  0000 0000  34000000`),
    );
  });

  it("describe an interface of raw IP packets with microseconds", () => {
    expect(interfaceDescription("x", "y")).toEqual(
      hex(`01000000 30000000 6500 0000 00000000
           0200 0100 78000000  0300 0100 79000000  0900 0100 06000000  0000 0000  30000000`),
    );
  });

  it("name addresses", () => {
    expect(nameResolution([{ ip: "10.0.0.1", name: "ana" }])).toEqual(
      hex("04000000 1c000000  0100 0800 0a000001 616e6100  0000 0000  1c000000"),
    );
  });

  it("carry a datagram with checksums that are right", () => {
    const block = enhancedPacket(
      {
        interfaceId: 2,
        wallMicros: 0x1_0000_0000 + 5,
        inbound: false,
        source: "10.0.0.1:1000",
        target: "203.0.113.1:2000",
        payload: hex("61 62 63"),
        comment: "c",
      },
      7,
    );
    expect(block.subarray(0, 28)).toEqual(hex("06000000 54000000 02000000 01000000 05000000 1f000000 1f000000"));
    const packet = block.subarray(28, 28 + 31);
    expect(packet.subarray(0, 10)).toEqual(hex("4500 001f 0007 4000 40 11"));
    expect(sum(packet.subarray(0, 20), 0)).toBe(0xffff);
    expect(sum(packet.subarray(12), 17 + 11)).toBe(0xffff);
    expect(block.subarray(60)).toEqual(hex("0100 0100 63000000  0200 0400 02000000  0000 0000  54000000"));
  });

  it("carry IPv6 too", () => {
    const [source, target] = ["[2001:db8:0:0:0:0:0:1]:1000", "[2001:db8:0:0:0:0:0:2]:2000"];
    const datagram = {
      interfaceId: 0,
      wallMicros: 5,
      inbound: true,
      source,
      target,
      payload: hex("61 62 63"),
      comment: "",
    };
    const packet = enhancedPacket(datagram, 7).subarray(28, 28 + 51);
    expect(packet.subarray(0, 8)).toEqual(hex("6000 0000 000b 11 40"));
    expect(packet.subarray(8, 44)).toEqual(
      hex("20010db8 00000000 00000000 00000001  20010db8 00000000 00000000 00000002  03e8 07d0"),
    );
    expect(sum(packet.subarray(8), 17 + 11)).toBe(0xffff);
    expect(nameResolution([{ ip: "[2001:db8:0:0:0:0:0:1]", name: "a" }]).subarray(8, 12)).toEqual(hex("0200 1200"));
  });
});

/** The Internet checksum's sum without the last complement: all ones when the checksum in the bytes is right. */
function sum(bytes: Uint8Array, more: number): number {
  let total = more;
  for (let at = 0; at < bytes.length; at += 2) total += bytes[at]! * 256 + (bytes[at + 1] ?? 0);
  while (total > 0xffff) total = (total % 0x1_0000) + Math.floor(total / 0x1_0000);
  return total;
}
