/**
 * Plays a server's journal: a shard without keys gets the recorded inputs, is answered what was recorded, and has to do what
 * was recorded.
 *
 * A player goes on input by input, so that whoever looks for a mistake can stop before any of them and look at the shard. It
 * says of each input whether the shard has done with it what it did then; from the first difference on the two are no longer
 * the same, and what follows may be nonsense.
 */
import { MICROS_ORIGIN, type Micros } from "../base/micros.ts";
import { utf8Decode } from "../base/text.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { LockstepError } from "../errors.ts";
import { packetCacheOffset } from "../media/packet-cache.ts";
import type { BootRecord, Outbox, ShardInput, ShardPorts } from "../sfu/ports.ts";
import { FIRST_COME_FIRST_SERVED } from "../sfu/scheduler.ts";
import { createShard, shardHandle } from "../sfu/shard.ts";
import { shardRestore } from "../sfu/snapshot.ts";
import type { Shard } from "../sfu/state.ts";
import { refillCaches } from "./blank-snapshot.ts";
import { ITEM, JOURNAL_TITLE, JOURNAL_VERSION, type Program, readFrames } from "./format.ts";
import { type Item, type ItemReader, nextItem } from "./items.ts";
import { createLanes, type Lanes, lanesHex, lanesWord } from "./lanes.ts";
import { createRecordedCrypto, type PlayingContext } from "./recorded-crypto.ts";
import { createWitnessOutbox, type Witness } from "./witness.ts";

/** Does something, and answers what it has thrown as a text; empty when nothing. The core itself catches no errors. */
export type Attempt = (act: () => void) => string;

/** A journal that is being played; make one with {@link openJournal}. */
export interface Player {
  readonly boot: BootRecord;
  /** Who wrote it. */
  readonly program: Program;
  readonly shard: Shard;
  readonly ports: ShardPorts;
  readonly context: PlayingContext;
  readonly lanes: Lanes;
  readonly reader: ItemReader;
  readonly attempt: Attempt;
  /** Inputs that the shard has had; a journal that begins with a snapshot begins with a number above 0. */
  inputs: number;
  readonly firstInput: number;
  /** The time of the last input. */
  now: Micros;
  /** How the journal ends, once it has been played to its end. */
  ending: Ending | undefined;
  /** Why the journal ends although its shard went on, in a word; empty when it does not say so. */
  readonly why: string;
  /** Bytes of the file that were usable, and all. */
  readonly usableBytes: number;
  readonly fileBytes: number;
}

/** How a journal ends. */
export type Ending =
  /** The host has ended the shard in order. */
  | { readonly kind: "closed" }
  /** The shard has thrown: then, and now as well. */
  | { readonly kind: "failed"; readonly error: string }
  /** After a whole input: the rest was never written, or the next journal goes on. */
  | { readonly kind: "stopped" }
  /** Anywhere, because no more could be written: the disk did not keep up (`BEHIND`), or the system gave an error. */
  | { readonly kind: "interrupted"; readonly why: string }
  /** In the middle of an input: the shard was at work on it. */
  | { readonly kind: "cut"; readonly input: ShardInput | undefined };

/** What has come of one input. */
export interface Played {
  /** Its number, from 1 for the first of the shard's life. */
  readonly number: number;
  readonly input: ShardInput;
  /** How this differs from what was recorded; empty when it does not. */
  readonly difference: string;
}

/** Whether a file begins like a journal of a server. */
export function isJournal(file: Uint8Array): boolean {
  return utf8Decode(file, 0, Math.min(file.length, JOURNAL_TITLE.length)) === JOURNAL_TITLE;
}

/**
 * Opens a journal: `outbox` gets what the shard wants done. Throws a `LockstepError` "bad-journal" for what is no journal, is
 * of another version, or was cut before its first input.
 */
export function openJournal(
  file: Uint8Array,
  crypto: Pick<CryptoProvider, "sha256">,
  outbox: Outbox,
  attempt: Attempt,
): Player {
  const { bytes, end, why } = readFrames(file, titleEnd(file));
  const reader: ItemReader = { bytes, at: 0, now: MICROS_ORIGIN, isCut: false };
  const first = nextItem(reader);
  if (first?.kind !== ITEM.BOOT) {
    throw new LockstepError(
      "bad-journal",
      "The journal was cut or damaged before its first input, so there is nothing in it.",
    );
  }
  const { boot, program } = first;
  reader.now = boot.now;
  const lanes = createLanes();
  const witness: Witness = { lanes, effects: 0 };
  const context: PlayingContext = { witness, shard: null, strayed: "", answers: [] };
  const recorded = createRecordedCrypto(crypto, context);
  const { shard, inputs } = beginShard(reader, boot, context, recorded);
  context.shard = shard;
  return {
    boot,
    program,
    shard,
    ports: { crypto: recorded, outbox: createWitnessOutbox(outbox, witness), scheduler: FIRST_COME_FIRST_SERVED },
    context,
    lanes,
    reader,
    attempt,
    inputs,
    firstInput: inputs,
    now: reader.now,
    ending: undefined,
    why,
    usableBytes: end,
    fileBytes: file.length,
  };
}

/** Hands the shard the next input; undefined when there is no other, and then `ending` says why. */
export function playInput(player: Player): Played | undefined {
  const { reader, context, shard, ports } = player;
  if (player.ending !== undefined) return undefined;
  const item = nextItem(reader);
  if (item?.kind !== "input") {
    player.ending = item?.kind === ITEM.END ? { kind: "closed" } : endingOf(player, undefined);
    return undefined;
  }
  const { input } = item;
  context.answers = readAnswers(reader);
  const outcome = nextItem(reader);
  if (outcome === undefined) {
    player.ending = endingOf(player, input);
    return undefined;
  }
  context.witness.effects = 0;
  context.strayed = "";
  player.now = input.now;
  player.inputs++;
  const thrown = player.attempt(() => shardHandle(shard, ports, input));
  if (thrown !== "") player.ending = { kind: "failed", error: thrown };
  return { number: player.inputs, input, difference: differenceOf(player, outcome, thrown) };
}

/** The fingerprint of all effects so far. */
export function playerFingerprint(player: Player): string {
  return lanesHex(player.lanes);
}

/** How a journal ends that has no more items; `input` is the one that came last, without its outcome. */
function endingOf({ why, reader, usableBytes, fileBytes }: Player, input: ShardInput | undefined): Ending {
  if (why !== "") return { kind: "interrupted", why };
  const isWhole = input === undefined && !reader.isCut && usableBytes === fileBytes;
  return isWhole ? { kind: "stopped" } : { kind: "cut", input };
}

/** Where the first line ends, which names the format. */
function titleEnd(file: Uint8Array): number {
  if (!isJournal(file)) throw new LockstepError("bad-journal", "The file is no journal of a server.");
  const end = file.indexOf(NEWLINE);
  const version = utf8Decode(file, JOURNAL_TITLE.length, Math.max(0, end - JOURNAL_TITLE.length));
  if (version !== String(JOURNAL_VERSION)) {
    const what = `The journal has format ${version || "none"}, and this Lockstep reads format ${JOURNAL_VERSION}`;
    throw new LockstepError("bad-journal", `${what}: replay it with the one that wrote it.`);
  }
  return end + 1;
}

const NEWLINE = 0x0a;

/** A shard as it was at the beginning of the journal, and how many inputs it had had by then. */
function beginShard(
  reader: ItemReader,
  boot: BootRecord,
  context: PlayingContext,
  crypto: CryptoProvider,
): { readonly shard: Shard; readonly inputs: number } {
  context.answers = readAnswers(reader);
  const { at, now } = reader;
  const item = nextItem(reader);
  if (item?.kind === ITEM.SNAPSHOT) {
    const { lanes } = context.witness;
    lanes.set([item.high, item.low]);
    const shard = shardRestore(item.state, crypto);
    readCaches(reader, shard);
    return { shard, inputs: item.inputs };
  }
  if (item === undefined && reader.isCut) {
    throw new LockstepError(
      "bad-journal",
      "The journal ends within what the shard was at its beginning, so there is nothing in it: see the one before.",
    );
  }
  [reader.at, reader.now, reader.isCut] = [at, now, false];
  return { shard: createShard(boot, crypto), inputs: 0 };
}

/** Puts into the packet caches what the journal has of their packets. */
function readCaches(reader: ItemReader, shard: Shard): void {
  refillCaches(shard);
  for (;;) {
    const { at, now } = reader;
    const item = nextItem(reader);
    const cache = item?.kind === ITEM.CACHED ? shard.streams.get(item.stream)?.cache : undefined;
    if (item?.kind !== ITEM.CACHED || cache === undefined || cache === null) {
      [reader.at, reader.now, reader.isCut] = [at, now, false];
      return;
    }
    cache.bytes.set(item.bytes, packetCacheOffset(cache, item.slot));
  }
}

/** The answers that come next. */
function readAnswers(reader: ItemReader): Item[] {
  const answers: Item[] = [];
  for (;;) {
    const { at, now } = reader;
    const item = nextItem(reader);
    if (item?.kind === ITEM.ANSWER || item?.kind === ITEM.VERDICT || item?.kind === ITEM.OPENED) answers.push(item);
    else {
      [reader.at, reader.now, reader.isCut] = [at, now, false];
      return answers;
    }
  }
}

/** How an input has come out otherwise than it was recorded, as the end of a sentence; empty when it has not. */
function differenceOf({ context, lanes }: Player, outcome: Item, thrown: string): string {
  if (outcome.kind === ITEM.FAILED) {
    if (thrown === outcome.error) return "";
    return thrown === "" ? `holds where it had failed (${outcome.error})` : `fails otherwise (${thrown})`;
  }
  if (thrown !== "") return `fails (${thrown})`;
  if (context.strayed !== "") return context.strayed;
  if (context.answers.length > 0) return "asks the crypto provider for less";
  if (outcome.kind !== ITEM.DONE) return "was never handled to its end";
  const { effects } = context.witness;
  if (effects !== outcome.effects) return `has ${effects} effects in place of ${outcome.effects}`;
  return lanesWord(lanes) === outcome.witness ? "" : "has other effects";
}
