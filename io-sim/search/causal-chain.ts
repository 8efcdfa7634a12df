/**
 * The chain of causes that ends in the event in which a promise broke.
 *
 * Every event of the loop was scheduled by another one, and what an event did (a datagram that arrived, an input of the
 * server, a step of the story) is noted while it runs. The chain goes from the breach back to where nobody scheduled any
 * more; events that did nothing worth a word are left out, and the same again and again is said once.
 */
import type { Plan } from "../story/plan.ts";
import { showTime } from "../world/rows.ts";
import { type RunOptions, run } from "../world/run.ts";
import type { World } from "../world/world.ts";

/** One link of the chain. */
export interface Cause {
  /** The story's time, as people read it, and the loop's in microseconds. */
  readonly time: string;
  readonly at: number;
  readonly text: string;
  /** How often it happened in a row. */
  readonly times: number;
}

/** What one event did. */
type Happening = Omit<Cause, "time" | "times">;

/** A chain that is made up while a run goes on; make it with {@link createChain}. */
export interface Chain {
  /** For the options of the run. */
  readonly onWorld: NonNullable<RunOptions["onWorld"]>;
  /** The chain, when the run is over: the breach last. */
  readonly causes: (broke: boolean) => Cause[];
}

/** The chain, the breach last; empty when nothing broke, or when it broke in no event but at the end of the story. */
export function causalChain(plan: Plan, seed: number, onWorld: RunOptions["onWorld"] = () => {}): Cause[] {
  const chain = createChain();
  const enter: RunOptions["onWorld"] = (world, book) => {
    chain.onWorld(world, book);
    onWorld(world, book);
  };
  try {
    return chain.causes(run(plan, seed, { onWorld: enter }).broken !== undefined);
  } catch {
    return chain.causes(true);
  }
}

/** A chain of a run that is to come. */
export function createChain(): Chain {
  const notes = new Map<number, Happening>();
  let world: World | undefined;
  return {
    onWorld: (made) => {
      world = made;
      watch(made, notes);
    },
    causes: (broke) => (world === undefined || !broke ? [] : causesIn(world, notes)),
  };
}

/** The chain of a world in which something broke. What broke in no event has none: it was judged when the story was over. */
function causesIn(world: World, notes: ReadonlyMap<number, Happening>): Cause[] {
  const { loop } = world;
  const chain: Happening[] = [];
  for (let order = isInEvent(world) ? loop.running : -1; order >= 0; order = loop.lineage?.[order] ?? -1) {
    const note = notes.get(order);
    if (note !== undefined) chain.unshift(note);
  }
  return folded(chain).map((cause) => ({ ...cause, time: showTime(world, cause.at) }));
}

/** Whether the run was stopped by an event, and not by the end of its story, nor when all had left and nothing was to come. */
function isInEvent({ loop, zeroAt, plan, isDraining }: World): boolean {
  return zeroAt === 0 || loop.now < zeroAt + plan.runForMicros || (isDraining && loop.heap.length > 0);
}

/** Notes what each event does; the first thing that it does says best what it is. */
function watch(world: World, notes: Map<number, Happening>): void {
  const { loop } = world;
  loop.lineage = Array.from({ length: loop.scheduled }, () => -1);
  const note = (text: string) => {
    if (!notes.has(loop.running)) notes.set(loop.running, { at: loop.now, text });
  };
  world.watchers.push({
    step: ({ label }) => {
      note(`step: ${label}`);
      // What the story says has no cause within the world.
      if (loop.lineage !== undefined) loop.lineage[loop.running] = -1;
    },
    signalled: (peer, direction, what) =>
      note(direction === "up" ? `${peer.plan.name} asks: ${what}` : `the server answers ${peer.plan.name}: ${what}`),
    carried: (peer, direction, fate, { packet, reason }) => {
      const way = direction === "up" ? `from ${peer.plan.name}` : `to ${peer.plan.name}`;
      const what = `${kindOf(packet.bytes)} ${way}`;
      if (fate === "delivered") note(`${what} arrives`);
      else note(fate === "offered" ? `${what} is sent` : `${what} is dropped: ${reason}`);
    },
    beforeInput: (input) => {
      if (input.kind === "timer") note("a timer of the server");
      if (input.kind === "datagram" && world.attacker.inHand) note(`${kindOf(input.bytes)} from a stranger arrives`);
    },
  });
}

/** What a datagram's first bytes make of it (RFC 7983 §7, RFC 5761 §4). */
function kindOf(bytes: Uint8Array): string {
  const [lead = 0, second = 0] = bytes;
  if (lead < 4) return "STUN";
  if (lead >= 20 && lead <= 63) return "DTLS";
  if (lead < 128 || lead > 191) return "rubbish";
  if (second >= 192 && second <= 223) return "RTCP";
  return `RTP ${((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0)}`;
}

/** Says once what comes again and again. */
function folded(chain: readonly Happening[]): Omit<Cause, "time">[] {
  const causes: Omit<Cause, "time">[] = [];
  for (const happening of chain) {
    const { text } = happening;
    const last = causes.at(-1);
    const same = last !== undefined && last.text.replaceAll(/\d+/g, "#") === text.replaceAll(/\d+/g, "#");
    if (same) causes[causes.length - 1] = { ...happening, times: last.times + 1 };
    else causes.push({ ...happening, times: 1 });
  }
  return causes;
}
