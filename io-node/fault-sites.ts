/**
 * Places in the portable host that may be made to fail: what the system does to sockets and timers when it is short of
 * something. A host that serves people has no faults, and each question is one comparison with undefined; tests give it
 * some, one site at a time, and look whether it recovers. The sites of the core are in core/fault-sites.ts.
 */
import type { Faults } from "../core/index.ts";

/** The sites by name: what goes wrong, in a sentence. */
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

/** The name of a site of the portable host. */
export type UdpSite = keyof typeof UDP_SITES;

/** Whether this failure happens now. */
export function hostFails(faults: Faults | undefined, site: UdpSite): boolean {
  return faults?.fires(site, 0) ?? false;
}
