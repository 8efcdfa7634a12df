/**
 * The numbers of Linux that the fast host has by heart, held against what this machine has of them: those that Node itself
 * was built with, and the kernel's headers where they are installed.
 */
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { describe, expect, it } from "vitest";
import { ERRNO, LINUX } from "../../../io-node/fast/libc.ts";

/** Headers of the kernel that are the same on all architectures which use them, and what of them is used. */
const HEADERS = {
  "asm-generic/socket.h": ["SOL_SOCKET", "SO_SNDBUF", "SO_RCVBUF", "SO_MEMINFO"],
  "linux/in6.h": ["IPV6_V6ONLY"],
  "linux/udp.h": ["UDP_SEGMENT"],
  "asm-generic/poll.h": ["POLLIN", "POLLOUT"],
} as const;

describe.runIf(process.platform === "linux")("the numbers of Linux", () => {
  it("are those of this machine's errors", () => {
    for (const [name, value] of Object.entries(ERRNO)) {
      expect([name, value]).toEqual([name, constants.errno[name as keyof typeof constants.errno]]);
    }
  });

  it.runIf(existsSync("/usr/include/linux/udp.h")).each(Object.entries(HEADERS))("are those of %s", (header, names) => {
    const text = readFileSync(`/usr/include/${header}`, "utf8");
    for (const name of names) {
      const value = new RegExp(`^#define\\s+${name}\\s+(\\w+)`, "m").exec(text)?.[1];
      expect([name, Number(value)]).toEqual([name, LINUX[name]]);
    }
  });
});
