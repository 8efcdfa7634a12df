/**
 * The oracle in front of the screens: judges what clients see and hear, by the passports in the media itself.
 *
 * A passport has come through two encryptions and the server's rewriting unchanged, so it says beyond doubt whose picture
 * is in whose slot (S1), and whether it was there before (S7). The screens' own complaints, all of them about what no lost
 * packet explains, become S4 and S6.
 */
import type { ShardEvent } from "../../core/index.ts";
import type { Client } from "../client/client.ts";
import type { FramePassport } from "../client/frame-body.ts";
import type { World, WorldWatcher } from "../world.ts";
import { judge, type PromiseBook } from "./promises.ts";

/** How long after its owner has left a picture may still arrive: longer than any queue of any link. */
const LINGER_MICROS = 5_000_000;

/** The oracle of this world. */
export function createPlayerOracle(world: World, book: PromiseBook): WorldWatcher {
  const perceived = new Map<string, Set<number>>();
  const leftAt = new Map<number, number>();

  function judgeSource(client: Client, mid: string, passport: FramePassport): void {
    const source = world.sources.get(passport.source);
    const { name, room } = client.plan;
    judge(book, "S1", source !== undefined, () => `${name} perceived a source that does not exist.`);
    if (source === undefined) return;
    const owner = source.client;
    const what = `${owner.plan.name}'s ${source.kind}`;
    judge(book, "S1", owner !== client, () => `${name} perceived its own ${source.kind} in slot ${mid}.`);
    judge(book, "S1", owner.plan.room === room, () => `${name} in ${room} perceived ${what} from ${owner.plan.room}.`);
    const gone = leftAt.get(owner.participant);
    const lingers = gone !== undefined && world.loop.now > gone + LINGER_MICROS;
    judge(book, "S1", !lingers, () => `${name} perceived ${what} long after its owner had left.`);
  }

  function judgeNew(client: Client, mid: string, passport: FramePassport): void {
    const key = `${client.plan.name}/${client.participant}/${mid}/${passport.source}/${passport.layer}`;
    let seen = perceived.get(key);
    if (seen === undefined) {
      seen = new Set();
      perceived.set(key, seen);
    }
    const isNew = !seen.has(passport.frame);
    seen.add(passport.frame);
    const { name } = client.plan;
    judge(book, "S7", isNew, () => `${name} got frame ${passport.frame} of source ${passport.source} twice.`);
  }

  function judgeScreen(client: Client, mid: string): void {
    const screen = client.media.slots.find((slot) => slot.mid === mid)?.screen;
    if (screen === undefined) return;
    const told = () => `On ${client.plan.name}'s screen ${mid}: ${screen.complaints.at(-1) ?? "no complaint"}.`;
    judge(book, "S4", screen.torn === 0 && screen.unreferenced === 0 && screen.garbled === 0, told);
    judge(book, "S6", screen.pictureIdJumps === 0, told);
  }

  return {
    crashed() {
      leftAt.clear();
    },
    event(event: ShardEvent) {
      if (event.type === "left") leftAt.set(event.participant, world.loop.now);
    },
    perceived(client, mid, kind, passport) {
      judgeSource(client, mid, passport);
      judgeNew(client, mid, passport);
      if (kind === "video") judgeScreen(client, mid);
    },
  };
}
