/**
 * The system calls of the fast host as they are when the system is short of something.
 *
 * A loop with faults is given these in place of the real ones: a call fails before it has come to the kernel, or the kernel
 * is asked for less, and `errno` says what it would say. A loop without faults has the real ones, and pays nothing. The sites
 * and their sentences are in io-node/fault-sites.ts.
 */
import type { Faults } from "../../core/index.ts";
import { type FastSite, hostFails } from "../fault-sites.ts";
import { ERRNO, type Libc } from "./libc.ts";

/** What each site has the system say. */
const ERRORS = {
  "fast/receive-again": ERRNO.EAGAIN,
  "fast/receive-interrupted": ERRNO.EINTR,
  "fast/receive-failed": ERRNO.EIO,
  "fast/send-again": ERRNO.EAGAIN,
  "fast/send-interrupted": ERRNO.EINTR,
  "fast/send-no-buffers": ERRNO.ENOBUFS,
  "fast/send-refused": ERRNO.EACCES,
  "fast/trains-refused": ERRNO.EINVAL,
  "fast/wait-interrupted": ERRNO.EINTR,
} as const satisfies Partial<Record<FastSite, number>>;

/** These system calls with failures. */
export function failingLibc(libc: Libc, faults: Faults): Libc {
  let failure = 0;
  const fails = (...sites: readonly (keyof typeof ERRORS)[]): boolean => {
    const site = sites.find((each) => hostFails(faults, each));
    failure = site === undefined ? 0 : ERRORS[site];
    return site !== undefined;
  };
  return {
    ...libc,
    native: { ...libc.native, errno: () => (failure === 0 ? libc.native.errno() : failure) },
    recvmmsg(fd, messages, count, flags, timeout) {
      if (fails("fast/receive-again", "fast/receive-interrupted", "fast/receive-failed")) return -1;
      return libc.recvmmsg(fd, messages, count, flags, timeout);
    },
    sendmmsg(fd, messages, count, flags) {
      const isOne = Number(count) === 1;
      if (fails("fast/send-again", "fast/send-interrupted", "fast/send-no-buffers", "fast/send-refused")) return -1;
      if (fails("fast/trains-refused")) return -1;
      const some = !isOne && hostFails(faults, "fast/send-half") ? Number(count) >> 1 : count;
      return libc.sendmmsg(fd, messages, some, flags);
    },
    ppoll(polls, count, time, mask) {
      if (fails("fast/wait-interrupted")) return -1;
      return libc.ppoll(polls, count, time, mask);
    },
  };
}
