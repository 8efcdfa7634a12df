/**
 * A UDP proxy in user space that loses and reorders, for real browsers against a real server on loopback. What happens to
 * the n-th datagram of a direction is decided by a seed, so a failing run can be looked at again.
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { keyedBelow } from "../../../core/base/keyed-random.ts";

/** What the proxy does to each direction. */
export interface ProxyOptions {
  readonly serverPort: number;
  readonly seed: number;
  /** Of a hundred datagrams. */
  readonly lossPercent: number;
  /** How many of a hundred wait for `holdMillis`, so that later ones overtake them. */
  readonly reorderPercent: number;
  readonly holdMillis: number;
}

/** A running proxy. */
export interface UdpProxy {
  readonly port: number;
  readonly counters: { forwarded: number; lost: number; held: number };
  close(): void;
}

/** Starts a proxy on 127.0.0.1 in front of the server's UDP port. */
export async function startUdpProxy(options: ProxyOptions): Promise<UdpProxy> {
  const counters = { forwarded: 0, lost: 0, held: 0 };
  const front = createSocket("udp4");
  const backs = new Map<string, Socket>();
  let ordinal = 0;

  const pass = (direction: string, send: () => void) => {
    const draw = keyedBelow(options.seed, direction, 0, ordinal++, 100);
    if (draw < options.lossPercent) {
      counters.lost++;
    } else if (draw < options.lossPercent + options.reorderPercent) {
      counters.held++;
      setTimeout(send, options.holdMillis);
    } else {
      counters.forwarded++;
      send();
    }
  };
  const backFor = (address: string, port: number): Socket => {
    const key = `${address}:${port}`;
    const known = backs.get(key);
    if (known) return known;
    const back = createSocket("udp4");
    back.on("message", (bytes) => pass("down", () => ignoreClosed(() => front.send(bytes, port, address))));
    backs.set(key, back);
    return back;
  };
  front.on("message", (bytes, { address, port }) => {
    const back = backFor(address, port);
    pass("up", () => ignoreClosed(() => back.send(bytes, options.serverPort, "127.0.0.1")));
  });
  front.bind(0, "127.0.0.1");
  await once(front, "listening");
  return {
    port: front.address().port,
    counters,
    close: () => {
      front.close();
      for (const back of backs.values()) back.close();
    },
  };
}

/** A datagram that was held back may come due after the proxy was closed. */
function ignoreClosed(send: () => void): void {
  try {
    send();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_SOCKET_DGRAM_NOT_RUNNING") throw error;
  }
}
