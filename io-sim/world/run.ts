/**
 * One run from the first datagram to the verdict: everyone connects, the story happens, everyone leaves.
 *
 * Three phases. *Connecting* ends when all who are there from the start are connected, which is time zero. The *story*
 * runs for as long as its plan says; from some time on it may be steady, and then quality is judged as well. In the
 * *drain* everyone leaves, and time goes on until those who vanished without a word have expired too; then nothing may
 * remain. The run stops at the first broken promise.
 */
import { createFingerprint, fingerprintHex, fingerprintText, micros } from "../../core/index.ts";
import { step } from "../base/event-loop.ts";
import { letOut, Trespass, withoutHostGlobals } from "../base/guards.ts";
import { clientIsActive, clientLeave } from "../client/client.ts";
import { journalText } from "../journal/journal.ts";
import type { Excuse } from "../oracles/excuses.ts";
import { createOracles } from "../oracles/oracles.ts";
import {
  type BrokenPromise,
  createPromiseBook,
  judge,
  judgements,
  type PromiseBook,
  type PromiseId,
} from "../oracles/promises.ts";
import { type QualityBars, qualityBars } from "../oracles/quality-bars.ts";
import { measureQuality, type QualityFigures } from "../oracles/quality-figures.ts";
import { canBePerceivedFrom, perceptionOf } from "../oracles/story.ts";
import type { Plan } from "../story/plan.ts";
import { nodeEffectFingerprint, nodeFingerprint } from "./node.ts";
import { note, withNames } from "./rows.ts";
import { beginStory, createWorld, everyoneIsThere, startWorld, type World, type WorldOptions } from "./world.ts";

/** What is added to the longest time that a peer which vanished takes to expire. */
const DRAIN_MORE_MICROS = 5_000_000;

/** Progress is told, and the end of a phase looked for, after so much simulated time at least. */
const SLICE_MICROS = 100_000;

/** What a run has come to. */
export interface Verdict {
  readonly story: string;
  readonly seed: number;
  readonly verdict: "held" | "broken";
  /** The id of the first broken promise, or "". */
  readonly promise: PromiseId | "";
  readonly broken: BrokenPromise | undefined;
  /** 16 hexadecimal digits over all inputs, effects and states. */
  readonly fingerprint: string;
  /** Of the first shard's effects alone; what its journal ends with. */
  readonly effectFingerprint: string;
  readonly simulatedMicros: number;
  readonly inputs: number;
  /** How often each promise was judged. */
  readonly judged: ReadonlyMap<PromiseId, number>;
  /** How often each excuse was used. */
  readonly excused: ReadonlyMap<Excuse, number>;
  /** What each viewer perceived, for people. */
  readonly quality: readonly QualityRow[];
  /** The figures of quality over the whole story, when they were asked for and the story came to its end. */
  readonly figures: QualityFigures | undefined;
  /** The text of the first shard's journal, when one was asked for, and those of all that there have been. */
  readonly journal: string | undefined;
  readonly journals: readonly string[];
  readonly world: World;
}

/** What one viewer perceived of one source. */
export interface QualityRow {
  readonly viewer: string;
  readonly source: string;
  /** Frames, or packets of sound. */
  readonly count: number;
  /** From when both were there to the first of it. */
  readonly firstAfterMicros: number;
  readonly longestGapMicros: number;
}

/** How a run is done; see {@link WorldOptions} for the rest. */
export interface RunOptions extends WorldOptions {
  /** Gets the world before anything happens in it: for tools that look closer, and for tests that break it on purpose. */
  readonly onWorld?: (world: World, book: PromiseBook) => void;
  /** Hears of the run's progress: simulated microseconds so far. May look at the host; called a few times a second of it. */
  readonly onProgress?: (simulatedMicros: number) => void;
  /** Asked before each event whether the run stops here, unjudged: for tools that look at the middle of a run. */
  readonly haltBefore?: (world: World) => boolean;
  /** Judges only what holds under any fault, and neither liveness nor what the story promises. */
  readonly safetyAlone?: boolean;
  /** Counts instead of the bars of quality that there are: for tests. */
  readonly bars?: QualityBars;
  /** Measures the figures of quality over the whole story, for those who compare. */
  readonly measures?: boolean;
  /** Leaves the drain out, and with it what is judged there: for tools that look for a promise broken before it. */
  readonly withoutDrain?: boolean;
}

/** Runs a plan with a seed. The same two always give the same verdict and the same fingerprint. */
export function run(plan: Plan, seed: number, options: RunOptions = {}): Verdict {
  const world = createWorld(plan, seed, options);
  const book = createPromiseBook(world.loop, options.safetyAlone);
  const oracles = createOracles(world, book, options.bars ?? qualityBars());
  const figuresNow = options.measures === true ? measureQuality(world) : undefined;
  options.onWorld?.(world, book);
  const advance = createAdvance(world, book, options);
  const { connectMicros, consentMicros } = world.tunables;

  startWorld(world);
  if (advance(world.loop.now + connectMicros, () => everyoneIsThere(world))) return verdictOf(world, book);
  judgeArrival(world, book);
  beginStory(world);
  if (advance(world.zeroAt + plan.runForMicros)) return verdictOf(world, book);
  const felt = { quality: measure(world), figures: figuresNow?.() };
  if (book.broken === undefined) oracles.judgeStory();
  if (options.withoutDrain === true || book.broken !== undefined) return verdictOf(world, book, felt);
  drain(world);
  const drainedAt = world.loop.now + consentMicros + connectMicros + DRAIN_MORE_MICROS;
  if (advance(drainedAt, () => world.loop.heap.length === 0)) return verdictOf(world, book, felt);
  if (book.broken === undefined) oracles.judgeEmptiness();
  judge(book, "S0", true, () => "");
  return verdictOf(world, book, felt);
}

/** A function that lets time pass until `limit`, until `done`, until a promise is broken or the run is halted (true). */
function createAdvance(world: World, book: PromiseBook, options: RunOptions) {
  const { loop } = world;
  const { onProgress, haltBefore } = options;
  let halted = false;
  const stops = () => {
    halted ||= haltBefore?.(world) === true;
    return halted || book.broken !== undefined;
  };
  const passSlice = (slice: number, done: () => boolean) => {
    while (loop.heap.length > 0 && loop.heap[0]!.time <= slice && !stops() && !done()) judgedStep(world, book);
    if (!stops() && !done()) loop.now = micros(Math.max(loop.now, slice));
  };
  return (limit: number, done: () => boolean = () => false): boolean => {
    withoutHostGlobals(world.guard, () => {
      while (!stops() && loop.now < limit && !done()) {
        passSlice(Math.min(limit, loop.now + SLICE_MICROS), done);
        if (onProgress !== undefined) letOut(world.guard, () => onProgress(loop.now - loop.origin));
      }
    });
    return halted;
  };
}

/** Lets the next event happen; what the core throws is a broken promise, what anybody else throws ends the run. */
function judgedStep(world: World, book: PromiseBook): void {
  try {
    step(world.loop);
  } catch (error) {
    if (!world.guard.coreOnStack || error instanceof Trespass) throw error;
    world.guard.coreOnStack = false;
    judge(book, "S0", false, () => `The server threw: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Everyone who is there from the start must be connected now, but for those who pretend to be somebody else. */
function judgeArrival(world: World, book: PromiseBook): void {
  for (const peer of world.peers.values()) {
    if (!peer.plan.atStart || peer.plan.impostor) continue;
    const { client } = peer;
    const sentence = () => `${peer.plan.name} is not connected: ${client?.status ?? "new"} ${client?.detail ?? ""}`;
    judge(book, "L1", client?.status === "connected", sentence);
  }
}

function drain(world: World): void {
  world.isDraining = true;
  note(world, "story", "", "everyone leaves");
  withoutHostGlobals(world.guard, () => {
    for (const { client } of world.peers.values())
      if (client !== undefined && clientIsActive(client)) clientLeave(client);
  });
}

function measure(world: World): QualityRow[] {
  const rows: QualityRow[] = [];
  for (const peer of world.peers.values()) {
    if (peer.client === undefined) continue;
    for (const other of world.peers.values()) {
      for (const kind of ["camera", "microphone"]) {
        const source = `${other.plan.name}/${kind}`;
        const seen = perceptionOf(world, peer.client, source);
        if (seen === undefined) continue;
        const { count, firstAt, longestGapMicros } = seen;
        const firstAfterMicros = Math.max(0, firstAt - canBePerceivedFrom(world, peer.client, source));
        rows.push({ viewer: peer.plan.name, source, count, firstAfterMicros, longestGapMicros });
      }
    }
  }
  return rows;
}

function verdictOf(
  world: World,
  book: PromiseBook,
  felt: Pick<Verdict, "quality" | "figures"> = { quality: [], figures: undefined },
): Verdict {
  const { plan, seed, loop } = world;
  const { all } = world.shards;
  const broken = book.broken && { ...book.broken, detail: withNames(world, book.broken.detail) };
  const journals = all.flatMap((node) => {
    const { journal } = node.options;
    return journal === undefined ? [] : [journalText(journal, nodeEffectFingerprint(node))];
  });
  return {
    story: plan.name,
    seed,
    verdict: broken === undefined ? "held" : "broken",
    promise: broken?.promise ?? "",
    broken,
    fingerprint: fingerprintOfAll(all.map(nodeFingerprint)),
    effectFingerprint: nodeEffectFingerprint(all[0]!),
    simulatedMicros: loop.now - loop.origin,
    inputs: all.reduce((sum, node) => sum + node.inputs, 0),
    judged: judgements(book),
    excused: book.excuses,
    ...felt,
    journal: journals[0],
    journals,
    world,
  };
}

function fingerprintOfAll(prints: readonly string[]): string {
  if (prints.length === 1) return prints[0]!;
  const hash = createFingerprint();
  for (const print of prints) fingerprintText(hash, print);
  return fingerprintHex(hash);
}
