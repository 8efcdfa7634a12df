/**
 * Who has to do with a breach, the most likely first: where a search for a smaller world begins.
 *
 * Those whom the sentence names; then whoever the latest steps of the story befell, and whom the named see or hear; then the
 * others in their rooms, and the rest of the world last. It is a guess, and needs only be right often.
 */
import { peopleNamed } from "../inspection/people-named.ts";
import type { PeerPlan } from "../story/plan.ts";
import type { World } from "../world/world.ts";

/** Everybody in the world, by how much they seem to have to do with what `detail` says. */
export function involvedIn({ plan, rows, loop }: World, detail: string): string[] {
  const { peers } = plan;
  const named = peopleNamed(peers, detail).map(({ name }) => name);
  const rooms = new Set(peers.filter(({ name }) => named.includes(name)).map(({ room }) => room));
  const near = ({ room }: PeerPlan) => rooms.size === 0 || rooms.has(room);
  const latest = rows.filter(({ time }) => time <= loop.now).reverse();
  const befallen = latest.filter(({ kind, who }) => kind === "story" && who !== "").map(({ who }) => who);
  const shown = named.flatMap((name) => {
    const row = latest.find(({ who, text }) => who.replace(/#\d+$/, "") === name && /^(is shown|hears) /.test(text));
    return row === undefined ? [] : peopleNamed(peers, row.text).map((peer) => peer.name);
  });
  const roommates = peers.filter(near).map(({ name }) => name);
  const first = [...befallen, ...shown].filter((name) => roommates.includes(name));
  return [...new Set([...named, ...first, ...roommates, ...peers.map(({ name }) => name)])];
}
