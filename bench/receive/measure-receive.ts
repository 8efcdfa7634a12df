/**
 * Measures what a datagram costs on its way in, for each way (ways.ts, trains.ts): the kernel's part, which over loopback is
 * done in the sender's call, and the reader's. The ways take turns of a tenth of a second, so that whatever else the machine
 * does meets all of them alike; processor time is that of the thread.
 */
import { closeKernel, openKernel, threadMicros } from "./kernel.ts";
import { ROUND } from "./senders.ts";
import { openHopefulSingles, openWholeTrains } from "./trains.ts";
import {
  type OpenWay,
  openConnected,
  openCutTrains,
  openFiltered,
  openOwnPorts,
  type ReceiveShape,
  type Way,
} from "./ways.ts";

const WAYS: readonly OpenWay[] = [openOwnPorts, openFiltered, openConnected, openHopefulSingles];
/** Where several datagrams come together. */
const WAYS_OF_TRAINS: readonly OpenWay[] = [openCutTrains, openWholeTrains];

/** Rounds before anything is measured: V8 has compiled what is hot by then. */
const WARM_ROUNDS = 1_000;
const TURN_MILLIS = 100;

/** What a way costs, in microseconds of processor time for each datagram. */
export interface WayFigure {
  readonly name: string;
  readonly sendMicros: number;
  readonly receiveMicros: number;
  readonly datagrams: number;
}

/** Measures all ways for so long each. Throws with a sentence when this machine can't. */
export function measureReceive(
  shape: ReceiveShape,
  seconds: number,
  onProgress: (what: string, part: number) => void,
): WayFigure[] {
  const kernel = openKernel();
  if (typeof kernel === "string") throw new Error(kernel);
  const ways: Way[] = [];
  try {
    const opened = shape.burst > 1 ? [...WAYS, ...WAYS_OF_TRAINS] : WAYS;
    for (const open of opened) ways.push(open(kernel, shape));
    const clock = () => threadMicros(kernel);
    for (const way of ways) for (let i = 0; i < WARM_ROUNDS; i++) measureRound(way, clock);
    const sums = ways.map(({ name }) => ({ name, sendMicros: 0, receiveMicros: 0, datagrams: 0 }));
    const turns = (seconds * 1_000) / TURN_MILLIS;
    for (let turn = 0; turn < turns; turn++) {
      onProgress("taking datagrams in", turn / turns);
      ways.forEach((way, index) => {
        const sum = sums[index]!;
        for (const end = performance.now() + TURN_MILLIS; performance.now() < end; ) {
          const { sendMicros, receiveMicros } = measureRound(way, clock);
          sum.sendMicros += sendMicros;
          sum.receiveMicros += receiveMicros;
          sum.datagrams += ROUND;
        }
      });
    }
    return sums.map(({ name, sendMicros, receiveMicros, datagrams }) => ({
      name,
      sendMicros: sendMicros / datagrams,
      receiveMicros: receiveMicros / datagrams,
      datagrams,
    }));
  } finally {
    for (const way of ways) way.close();
    closeKernel(kernel);
  }
}

function measureRound(way: Way, clock: () => number): { sendMicros: number; receiveMicros: number } {
  const start = clock();
  way.send();
  const sent = clock();
  const taken = way.receive();
  if (taken !== ROUND) throw new Error(`${taken} of ${ROUND} datagrams came in, with ${way.name}`);
  return { sendMicros: sent - start, receiveMicros: clock() - sent };
}
