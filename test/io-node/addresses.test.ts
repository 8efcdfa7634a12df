import type { NetworkInterfaceInfo } from "node:os";
import { describe, expect, it } from "vitest";
import { candidateAddress, isAddress, machineAddresses, pageUrl, transportAddress } from "../../io-node/addresses.ts";
import { hex } from "../support/wire/hex.ts";

const entry = (address: string, internal = false): NetworkInterfaceInfo =>
  ({ address, internal, family: address.includes(":") ? "IPv6" : "IPv4" }) as NetworkInterfaceInfo;

const INTERFACES = {
  lo: [entry("127.0.0.1", true), entry("::1", true)],
  eth0: [entry("2001:db8::7"), entry("fe80::1"), entry("192.0.2.7")],
  wlan0: [entry("198.51.100.7")],
};

describe("the addresses that clients are told", () => {
  it("are all of the machine's own, IPv4 first and loopback last", () => {
    expect(machineAddresses(INTERFACES, true)).toEqual(["192.0.2.7", "198.51.100.7", "2001:db8::7", "127.0.0.1"]);
  });

  it("leave IPv6 out where there is no socket for it", () => {
    expect(machineAddresses(INTERFACES, false)).toEqual(["192.0.2.7", "198.51.100.7", "127.0.0.1"]);
  });

  it("are loopback alone on a machine without a network", () => {
    expect(machineAddresses({ lo: INTERFACES.lo }, true)).toEqual(["127.0.0.1"]);
  });

  it("are never more than sixteen", () => {
    const bridges = Array.from({ length: 40 }, (_, index) => entry(`172.17.${index}.1`));
    const addresses = machineAddresses({ bridges }, true);
    expect(addresses).toHaveLength(16);
    expect(addresses.at(-1)).toBe("127.0.0.1");
  });
});

describe("a transport address", () => {
  it.each([
    ["192.0.2.1", 443, "c0 00 02 01  01 bb"],
    ["255.255.255.255", 65_535, "ff ff ff ff  ff ff"],
    ["::", 1, "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  00 01"],
    ["2001:db8::1", 40_000, "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01  9c 40"],
    ["2001:db8:0:1:2:3:4:5", 2, "20 01 0d b8 00 00 00 01 00 02 00 03 00 04 00 05  00 02"],
    ["fe80::1%eth0", 3, "fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 01  00 03"],
    ["::ffff:192.0.2.1", 443, "c0 00 02 01  01 bb"],
    ["::ffff:c000:201", 443, "c0 00 02 01  01 bb"],
    ["64:ff9b::192.0.2.1", 443, "00 64 ff 9b 00 00 00 00 00 00 00 00 c0 00 02 01  01 bb"],
  ])("%s port %i is IP and port in network order", (ip, port, bytes) => {
    expect(transportAddress(ip, port)).toEqual(hex(bytes));
  });

  it.each(["", "example.org", "192.0.2", "192.0.2.256", "2001:db8::1::2"])("is not made of %j", (text) => {
    expect(transportAddress(text, 1)).toBeUndefined();
  });
});

describe("an address from the operator", () => {
  it.each(["203.0.113.5", "2001:db8::5"])("may be %s", (text) => expect(isAddress(text)).toBe(true));
  it.each(["example.org", "fe80::1%eth0", "[2001:db8::5]", "203.0.113.5:40000"])("may not be %s", (text) =>
    expect(isAddress(text)).toBe(false),
  );
});

it("a page's address has brackets around IPv6", () => {
  expect(pageUrl("2001:db8::5", 80)).toBe("http://[2001:db8::5]:80/");
  expect(pageUrl("localhost", 8_080)).toBe("http://localhost:8080/");
});

describe("a public address", () => {
  it.each([
    ["203.0.113.5", "203.0.113.5", 40_000],
    ["203.0.113.5:5000", "203.0.113.5", 5000],
    ["2001:db8::5", "2001:db8::5", 40_000],
    ["[2001:db8::5]:5000", "2001:db8::5", 5000],
  ])("%s is %s with port %i", (text, ip, port) => {
    expect(candidateAddress(text, 40_000)).toEqual({ ip, port });
  });

  it.each([
    "",
    "example.org:5000",
    "203.0.113.5:",
    "203.0.113.5:0",
    "203.0.113.5:65536",
    "[203.0.113.5]:1",
    "[::1]",
    "::1]:5",
  ])("%j is none", (text) => {
    expect(candidateAddress(text, 40_000)).toBeUndefined();
  });
});
