/**
 * What the journals' thread does all its life: turns of the writer, and waiting for a shard to show something.
 *
 * The thread never goes back to Node's event loop. It waits for a number in shared memory that whoever has something for it
 * counts up, and fetches messages from its port by hand.
 */
import { writeSync } from "node:fs";
import { type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { Write } from "./files.ts";
import type { JournalLife } from "./life.ts";
import { createWriter, writerBegin, writerTurn } from "./writer.ts";

/** What the thread is told at its birth. */
export interface WriterBoot {
  /** Brings the journals that begin, each as a {@link JournalLife}. */
  readonly port: MessagePort;
  readonly signal: Int32Array;
  /** Shared, and in the order of {@link FLAG}. */
  readonly flags: Int32Array;
}

/** What the thread and its owner tell each other: that it is at the disk just now, and that it is to end. */
export const FLAG = { AT_DISK: 0, ENDS: 1 } as const;

/** The longest wait: whoever had to wake the thread may have died before. */
const WAIT_MILLIS_MAX = 500;

/** Writes until the owner says that it is enough. */
export function runWriterThread(writeBytes: Write = writeSync): void {
  const { port, signal, flags } = workerData as WriterBoot;
  const writer = createWriter((fd, bytes, offset, length) => {
    Atomics.store(flags, FLAG.AT_DISK, 1);
    try {
      return writeBytes(fd, bytes, offset, length);
    } finally {
      Atomics.store(flags, FLAG.AT_DISK, 0);
    }
  });
  while (Atomics.load(flags, FLAG.ENDS) === 0) {
    const seen = Atomics.load(signal, 0);
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      writerBegin(writer, next.message as JournalLife);
    }
    if (!writerTurn(writer, performance.now())) Atomics.wait(signal, 0, seen, WAIT_MILLIS_MAX);
  }
  port.close();
}
