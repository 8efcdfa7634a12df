/**
 * The delay at half load, which has an aim of its own: of a hundred packets, ninety-nine are on their way again within a
 * millisecond.
 *
 * Half load is the step of a ramp at which the server needs half of the processor time that it needs at the last step
 * without loss, or the step nearest to that. So a ramp says most when it goes on until something is lost: then the last
 * step without loss is what the server carries. On a machine of two cores let one have the server (`--shards 1`) and the
 * other the generator: with more threads than cores, what is measured is the wait for a core.
 */
import { type ForwardStep, isCarried } from "./measure-forward.ts";

/** The delay aimed at, for 99 of 100 packets. */
const HALF_LOAD_AIM_MICROS = 1_000;

/** What was measured at half load. */
export interface HalfLoad {
  readonly packetsPerSecondPerStream: number;
  readonly packetsPerSecond: number;
  /** Cores that the server needed there, and at the last step without loss. */
  readonly cores: number;
  readonly coresCarried: number;
  /** Whether the ramp went on until packets were lost. If not, the server may carry more. */
  readonly lostInTheEnd: boolean;
  readonly p99Micros: number;
  readonly held: boolean;
}

/** Half load in a ramp; null when too few of its steps went without loss, or the processor time is not known. */
export function halfLoadOf(steps: readonly ForwardStep[]): HalfLoad | null {
  const carried = steps.filter(isCarried);
  const last = carried.at(-1);
  if (last === undefined || carried.length < 2 || last.cpuMicrosPerForwardedPacket === null) return null;
  const half = coresOf(last) / 2;
  const far = (step: ForwardStep) => Math.abs(coresOf(step) - half);
  const nearest = carried.reduce((best, step) => (far(step) < far(best) ? step : best));
  const { p99 } = nearest.addedDelayMicros;
  return {
    packetsPerSecondPerStream: nearest.packetsPerSecondPerStream,
    packetsPerSecond: nearest.packetsPerSecond,
    cores: coresOf(nearest),
    coresCarried: coresOf(last),
    lostInTheEnd: !isCarried(steps.at(-1)!),
    p99Micros: p99,
    held: p99 < HALF_LOAD_AIM_MICROS,
  };
}

/** Half load as lines for people. */
export function halfLoadLines(half: HalfLoad | null): string[] {
  if (half === null) return [];
  const { packetsPerSecondPerStream: rate, cores, coresCarried, p99Micros } = half;
  const verdict = `the aim, under ${HALF_LOAD_AIM_MICROS / 1_000} ms, is ${half.held ? "held" : "not held"}`;
  const share = Math.round((cores / coresCarried) * 100);
  const lines = [
    `Half load   ${rate} packets/s a stream: ${cores.toFixed(2)} cores, ${share} % of the most without loss; delay p99 ${Math.round(p99Micros)} µs, ${verdict}`,
  ];
  if (!half.lostInTheEnd) {
    lines.push(
      "            Nothing was lost at the end of the ramp, so the server may carry more, and half load be higher.",
    );
  }
  return lines;
}

function coresOf(step: ForwardStep): number {
  return ((step.cpuMicrosPerForwardedPacket ?? 0) * step.packetsPerSecond) / 1_000_000;
}
