/**
 * The shape of a load: who is in which room, who sends what, who receives.
 *
 * Two shapes: *fan-out*, where publishers send video to subscribers who send nothing, and *meeting*, where everyone sends
 * video and sound and receives all others.
 */
import type { LoadPeerPlan, StreamPlan } from "../load/messages.ts";

/** What each room looks like. */
export type RoomShape =
  | { readonly kind: "fan-out"; readonly publishers: number; readonly subscribers: number }
  | { readonly kind: "meeting"; readonly people: number };

/** A load: equal rooms. */
export interface LoadShape {
  readonly rooms: number;
  readonly room: RoomShape;
  /** Of each video stream. */
  readonly packetsPerSecond: number;
  readonly packetBytes: number;
}

/** What a microphone sends: a packet each 20 ms. */
const VOICE: StreamPlan = { kind: "audio", packetsPerSecond: 50, packetBytes: 160 };

/** The peers of a load, room by room, those who publish first. */
export function peersOf({ rooms, room, packetsPerSecond, packetBytes }: LoadShape): LoadPeerPlan[] {
  const video: StreamPlan = { kind: "video", packetsPerSecond, packetBytes };
  const peers: LoadPeerPlan[] = [];
  for (let index = 0; index < rooms; index++) {
    const name = `bench-${index + 1}`;
    if (room.kind === "meeting") {
      const others = room.people - 1;
      const person = { room: name, sends: [VOICE, video], audioSlots: others, videoSlots: others };
      peers.push(...new Array<LoadPeerPlan>(room.people).fill(person));
      continue;
    }
    const publisher = { room: name, sends: [video], audioSlots: 0, videoSlots: 0 };
    const subscriber = { room: name, sends: [], audioSlots: 0, videoSlots: room.publishers };
    peers.push(...new Array<LoadPeerPlan>(room.publishers).fill(publisher));
    peers.push(...new Array<LoadPeerPlan>(room.subscribers).fill(subscriber));
  }
  return peers;
}

/** Packets a second that leave the server when nothing is lost. */
export function forwardedPerSecond({ rooms, room, packetsPerSecond }: LoadShape): number {
  if (room.kind === "fan-out") return rooms * room.publishers * room.subscribers * packetsPerSecond;
  return rooms * room.people * (room.people - 1) * (packetsPerSecond + VOICE.packetsPerSecond);
}

/** The shape in words. */
export function shapeWords({ rooms, room, packetBytes }: LoadShape): string {
  const many = (count: number, one: string) => `${count} ${one}${count === 1 ? "" : "s"}`;
  const inside =
    room.kind === "meeting"
      ? `${many(room.people, "participant")}, all with camera and microphone`
      : `${many(room.publishers, "publisher")} and ${many(room.subscribers, "subscriber")}`;
  return `${many(rooms, "room")} of ${inside}; video in packets of ${packetBytes} bytes`;
}
