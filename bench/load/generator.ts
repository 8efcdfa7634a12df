/**
 * The benchmark's hold on its load generator, which runs in a process of its own.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Arrivals, Counted, FromLoad, LoadPlan, ToLoad } from "./messages.ts";

const ENTRY = fileURLToPath(new URL("./process.ts", import.meta.url));

/** A generator that is ready. */
export interface Generator {
  /** How long it took until every peer was connected. */
  readonly joinSeconds: number;
  /** How often the server asked somebody to come later. */
  readonly joinsRefused: number;
  /** The ports of its peers. */
  readonly ports: readonly number[];
  setRate(factor: number): void;
  /** Counts for so long. */
  count(seconds: number): Promise<Counted>;
  /** How its peers have come in so far. */
  arrivals(): Promise<Arrivals>;
  stop(): Promise<void>;
}

/** Starts a generator and waits until all its peers are connected; throws with its sentence when that fails. */
export async function startGenerator(plan: LoadPlan, onJoined: (count: number) => void): Promise<Generator> {
  const child = fork(ENTRY, { execArgv: ["--import", import.meta.resolve("tsx")] });
  const tell = (message: ToLoad) => child.send(message);
  tell({ kind: "plan", plan });
  try {
    const ready = await hear(child, "ready", onJoined);
    return {
      joinSeconds: ready.seconds,
      joinsRefused: ready.refused,
      ports: ready.ports,
      setRate: (factor) => tell({ kind: "rate", factor }),
      async count(seconds) {
        tell({ kind: "begin" });
        await passSeconds(seconds);
        tell({ kind: "end" });
        return (await hear(child, "counted", onJoined)).counted;
      },
      async arrivals() {
        tell({ kind: "arrivals" });
        return (await hear(child, "arrivals", onJoined)).arrivals;
      },
      async stop() {
        tell({ kind: "stop" });
        await ended(child);
      },
    };
  } catch (error) {
    child.kill();
    await ended(child);
    throw error;
  }
}

/** Lets so many seconds pass. */
export function passSeconds(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
}

/** Waits for a message of this kind. */
function hear<Kind extends FromLoad["kind"]>(
  child: ChildProcess,
  kind: Kind,
  onJoined: (count: number) => void,
): Promise<FromLoad & { kind: Kind }> {
  return new Promise((resolve, reject) => {
    const done = () => {
      child.off("message", listen);
      child.off("exit", gone);
    };
    const gone = () => {
      done();
      reject(new Error("the load generator has ended without a word"));
    };
    const listen = (message: FromLoad) => {
      if (message.kind === "joined") onJoined(message.count);
      else if (message.kind === "failed") {
        done();
        reject(new Error(message.sentence));
      } else if (message.kind === kind) {
        done();
        resolve(message as FromLoad & { kind: Kind });
      }
    };
    child.on("message", listen);
    child.once("exit", gone);
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}
