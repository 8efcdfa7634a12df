/**
 * A crew of worker threads that do tasks, one each at a time; without workers the main thread does them itself.
 *
 * What a crew can do is its trade: a function that answers a task. Tasks and answers are plain data, and an answer
 * depends on its task alone, so that it does not matter who did it, nor how many there are.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { Misuse, wholeNumber } from "./misuse.ts";

/** More threads than any machine has use for. */
const WORKERS_MAX = 256;

/** What a crew does: a function, and where threads find it: the module that exports this trade, and under which name. */
export interface Trade<Task, Answer> {
  readonly module: string;
  readonly name: string;
  readonly work: (task: Task) => Answer | Promise<Answer>;
}

/** The number behind `--workers`: one for each core when it is not given. */
export function readWorkers(text: string | undefined): number {
  const workers = text === undefined ? availableParallelism() : wholeNumber(text, "--workers");
  if (workers > WORKERS_MAX) throw new Misuse(`--workers takes at most ${WORKERS_MAX} threads.`);
  return workers;
}

/** A crew; make it with {@link createCrew}. */
export interface Crew<Task, Answer> {
  /** How many tasks are done at a time. */
  readonly size: number;
  /** Does a task as soon as somebody is free. */
  readonly ask: (task: Task) => Promise<Answer>;
  readonly close: () => Promise<void>;
}

interface Member<Answer> {
  readonly worker: Worker;
  settle: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;
}

/** A crew of so many workers; 0 for the main thread alone. */
export function createCrew<Task, Answer>(trade: Trade<Task, Answer>, workers: number): Crew<Task, Answer> {
  if (workers === 0) {
    return { size: 1, ask: (task) => Promise.resolve().then(() => trade.work(task)), close: () => Promise.resolve() };
  }
  const members = Array.from({ length: workers }, () => createMember<Answer>(trade));
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

function createMember<Answer>({ module, name }: { module: string; name: string }): Member<Answer> {
  const worker = new Worker(new URL("./crew-thread.mjs", import.meta.url), {
    execArgv: [],
    workerData: { module, name },
  });
  const member: Member<Answer> = { worker, settle: undefined };
  worker.on("message", (answer: Answer) => member.settle?.resolve(answer));
  worker.on("error", (error: Error) => member.settle?.reject(error));
  return member;
}
