/**
 * A crew of worker threads that do tasks, one each at a time; without workers the main thread does them itself.
 */
import { Worker } from "node:worker_threads";
import { type Answer, type Task, work } from "./search-worker.ts";

/** A crew; make it with {@link createCrew}. */
export interface Crew {
  /** How many tasks are done at a time. */
  readonly size: number;
  /** Does a task as soon as somebody is free. */
  readonly ask: (task: Task) => Promise<Answer>;
  readonly close: () => Promise<void>;
}

interface Member {
  readonly worker: Worker;
  settle: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;
}

/** A crew of so many workers; 0 for the main thread alone. */
export function createCrew(workers: number): Crew {
  if (workers === 0) {
    return { size: 1, ask: (task) => Promise.resolve().then(() => work(task)), close: () => Promise.resolve() };
  }
  const members = Array.from({ length: workers }, createMember);
  const waiting: (() => void)[] = [];
  const ask = async (task: Task): Promise<Answer> => {
    while (members.every((member) => member.settle !== undefined)) {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
      });
    }
    const member = members.find((candidate) => candidate.settle === undefined)!;
    try {
      return await new Promise<Answer>((resolve, reject) => {
        member.settle = { resolve, reject };
        member.worker.postMessage(task);
      });
    } finally {
      member.settle = undefined;
      waiting.shift()?.();
    }
  };
  const close = async () => {
    await Promise.all(members.map(({ worker }) => worker.terminate()));
  };
  return { size: workers, ask, close };
}

function createMember(): Member {
  const worker = new Worker(new URL("./search-thread.mjs", import.meta.url), { execArgv: [] });
  const member: Member = { worker, settle: undefined };
  worker.on("message", (answer: Answer) => member.settle?.resolve(answer));
  worker.on("error", (error: Error) => member.settle?.reject(error));
  return member;
}
