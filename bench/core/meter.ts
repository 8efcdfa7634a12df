/**
 * The instruments that a benchmark reads. They come from the command line, because nothing else in the simulator may look
 * at the machine.
 */

/** The instruments of the host. */
export interface Meter {
  /** Processor time of this process so far, in microseconds. */
  cpuMicros(): number;
  /** Bytes in use on the heap. */
  heapBytes(): number;
  /** Empties the young part of the heap, so that nothing is collected while something is measured. */
  collect(): void;
}
