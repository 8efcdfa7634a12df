/**
 * Places in both hosts and in the ways between shards that may be made to fail: what the system does to sockets, timers and
 * threads when it is short of something. A host that serves people has no faults, and each question is one comparison with
 * undefined; tests give it some, one site at a time, and look whether it recovers. The sites of the core are in
 * core/fault-sites.ts.
 */
import type { Faults } from "../core/index.ts";

/** The sites of the portable host by name: what goes wrong, in a sentence. */
export const UDP_SITES = {
  "udp/receive-dropped": "the kernel had no room for a datagram that came",
  "udp/received-twice": "the network brings a datagram twice",
  "udp/flow-table-full": "a datagram of a new address finds no free flow",
  "udp/send-refused": "the system refuses a datagram",
  "udp/slots-exhausted": "every send slot is under way",
  "udp/socket-error": "a socket reports an error by itself",
  "udp/timer-late": "a timer goes off 20 ms late",
  "udp/timer-early": "a timer goes off before its time",
} as const satisfies Readonly<Record<string, string>>;

/** The same of the fast host. Most lie in its system calls (fast/failing-libc.ts). */
export const FAST_SITES = {
  "fast/receive-again": "the kernel has nothing to read after it has said that it has",
  "fast/receive-interrupted": "a signal interrupts the reading",
  "fast/receive-failed": "the socket reports an error by itself",
  "fast/datagram-cut": "a datagram was longer than its slot",
  "fast/flow-table-full": "a datagram of a new address finds no free flow",
  "fast/send-again": "the socket is full",
  "fast/send-interrupted": "a signal interrupts the sending",
  "fast/send-half": "the kernel takes half of a batch",
  "fast/send-no-buffers": "the kernel has no memory for a message",
  "fast/send-refused": "the system refuses a message",
  "fast/trains-refused": "the kernel does not take a train",
  "fast/wait-interrupted": "a signal interrupts the waiting",
} as const satisfies Readonly<Record<string, string>>;

/** The same of the ways between shards. */
export const RELAY_SITES = {
  "relay/ring-full": "a ring has no room for a packet, or for a piece of mail",
  "relay/wake-late": "another shard is not woken, and finds what is there at its next turn",
  "relay/taken-late": "a shard does not get to a ring within a turn",
} as const satisfies Readonly<Record<string, string>>;

/** The name of a site of the fast host. */
export type FastSite = keyof typeof FAST_SITES;

/** The name of any site of the hosts. */
type HostSite = keyof typeof UDP_SITES | FastSite | keyof typeof RELAY_SITES;

/** Whether this failure happens now. */
export function hostFails(faults: Faults | undefined, site: HostSite): boolean {
  return faults?.fires(site, 0) ?? false;
}
