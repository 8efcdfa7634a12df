/**
 * What shards tell each other, for people: whose media crosses, which letters are in the mail, and what is lost on the way.
 *
 * The layout of a record is that of core/wire/relay-record.ts. A packet in it is opened, so its type can be read, and the
 * shard that sends it knows whose stream it is.
 */
import { decodePlain } from "../../core/index.ts";
import type { World } from "../world/world.ts";
import { noteMessage } from "./messages.ts";
import { mediaWords } from "./packets.ts";
import { nameOfTab, type Recording } from "./recording.ts";
import { tickAdd } from "./ticks.ts";

/** Where a packet's record says which stream it is of, where the packet begins, and where the letters do in mail. */
const PACKET_STREAM = 8;
const PACKET_RTP = 24;
const MAIL_LETTERS = 4;

/** Notes a record that one shard sends another, by their numbers: a message, and bytes on the track of that way. */
export function recordRelayed(
  { world, ticks, messages }: Recording,
  from: number,
  to: number,
  lane: "packets" | "mail",
  record: Uint8Array,
  isLost: boolean,
): void {
  const { now, ran } = world.loop;
  const places = [from, to].map((number) => world.nodes.findIndex(({ shard }) => shard.number === number));
  const [sender = -1, receiver = -1] = places;
  // A shard that has just died may still be told something; it has no place any more.
  if (sender < 0 || receiver < 0) return;
  tickAdd(ticks, `way/${sender} to ${receiver}/${isLost ? "lost" : lane}`, "bytes", now, record.length);
  const words = lane === "mail" ? `mail: ${letterWords(record)}` : packetWords(world, sender, record);
  const row = { from: sender, to: receiver, at: now, event: ran };
  if (isLost) noteMessage(messages, { ...row, kind: "drop", text: `lost between shards: ${words}` });
  else noteMessage(messages, { ...row, kind: "relay", text: words });
}

/** Whose pictures or sound it is. */
function packetWords(world: World, place: number, record: Uint8Array): string {
  const view = new DataView(record.buffer, record.byteOffset);
  const stream = world.nodes[place]!.shard.streams.get(view.getUint32(PACKET_STREAM));
  const owner = world.names.get(stream?.publication.owner?.id ?? -1);
  const media = mediaWords(record[PACKET_RTP + 1]! & 0x7f);
  return owner === undefined ? media : `${nameOfTab(owner)}'s ${media}`;
}

/** The kinds of the letters, each once. */
function letterWords(record: Uint8Array): string {
  const letters = decodePlain(record.slice(MAIL_LETTERS)) as readonly { readonly message: { readonly type: string } }[];
  return [...new Set(letters.map(({ message }) => message.type))].join(", ");
}
