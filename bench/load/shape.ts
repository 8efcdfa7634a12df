/**
 * The shape of a load: who is in which room, who sends what, who receives.
 *
 * Two shapes: *fan-out*, where publishers send video to subscribers who send nothing, and *meeting*, where speakers send
 * video and sound, and everybody receives all of them but himself.
 */
import type { LoadPeerPlan, StreamPlan } from "./messages.ts";

/** What each room looks like. */
export type RoomShape =
  | { readonly kind: "fan-out"; readonly publishers: number; readonly subscribers: number }
  | { readonly kind: "meeting"; readonly people: number; readonly speakers: number };

/** A load: equal rooms. */
export interface LoadShape {
  readonly rooms: number;
  readonly room: RoomShape;
  /** Of each video stream. */
  readonly packetsPerSecond: number;
  readonly packetBytes: number;
  /** Of each microphone; a packet each 20 ms when nothing is said. */
  readonly voicePacketsPerSecond?: number;
}

const VOICE_PACKETS_PER_SECOND = 50;
const VOICE_PACKET_BYTES = 160;

/** The peers of a load, room by room, those who publish first. */
export function peersOf(shape: LoadShape): LoadPeerPlan[] {
  const { rooms, room, packetsPerSecond, packetBytes } = shape;
  const voice: StreamPlan = { kind: "audio", packetsPerSecond: voiceOf(shape), packetBytes: VOICE_PACKET_BYTES };
  const video: StreamPlan = { kind: "video", packetsPerSecond, packetBytes };
  const peers: LoadPeerPlan[] = [];
  for (let index = 0; index < rooms; index++) {
    const name = `bench-${index + 1}`;
    if (room.kind === "meeting") {
      const { people, speakers } = room;
      const speaker = { room: name, sends: [voice, video], audioSlots: speakers - 1, videoSlots: speakers - 1 };
      const listener = { room: name, sends: [], audioSlots: speakers, videoSlots: speakers };
      peers.push(...new Array<LoadPeerPlan>(speakers).fill(speaker));
      peers.push(...new Array<LoadPeerPlan>(people - speakers).fill(listener));
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
export function forwardedPerSecond(shape: LoadShape): number {
  const { rooms, room, packetsPerSecond } = shape;
  if (room.kind === "fan-out") return rooms * room.publishers * room.subscribers * packetsPerSecond;
  return rooms * room.speakers * (room.people - 1) * (packetsPerSecond + voiceOf(shape));
}

function voiceOf({ voicePacketsPerSecond = VOICE_PACKETS_PER_SECOND }: LoadShape): number {
  return voicePacketsPerSecond;
}

/** The shape in words. */
export function shapeWords({ rooms, room, packetBytes }: LoadShape): string {
  const many = (count: number, one: string) => `${count} ${one}${count === 1 ? "" : "s"}`;
  const inside =
    room.kind === "meeting"
      ? `${many(room.people, "participant")}, ${room.speakers === room.people ? "all" : room.speakers} with camera and microphone`
      : `${many(room.publishers, "publisher")} and ${many(room.subscribers, "subscriber")}`;
  return `${many(rooms, "room")} of ${inside}; video in packets of ${packetBytes} bytes`;
}
