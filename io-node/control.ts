/**
 * The control plane over the shards: commands with promises for their replies, and a view of every room made of events.
 *
 * A join goes to the shard where its room lives (placement.ts), a leave to the participant's, a drain to all of them. The
 * participants' numbers are those of their shard, so that two shards may have the same one.
 *
 * The view holds what the page and the roster request show: who is in a room, and what each participant's slots show. It is
 * replaced whole by each event, so a watcher that misses ten changes and reads once has missed nothing. A participant's
 * resource (its capability) leads to its view; nothing leads back from the public number to the resource.
 */
import type { Command, CommandReply, LeaveReason, ParticipantView, ShardEvent, SlotView } from "../core/index.ts";
import {
  createPlacement,
  type NoPlace,
  type Placement,
  placeInRoom,
  removeFromRoom,
  shardIsLost,
  shardServes,
} from "./placement.ts";

/** Watchers of one participant; one more ends the oldest. A page has one, and a reload may leave one behind for a while. */
const WATCHERS_MAX = 4;

/** Ends that are remembered, so that a page which only asks now and then learns why its call is over; the oldest go first. */
const DEPARTURES_MAX = 1_024;

/** What to do when there is no place for somebody. */
const NO_PLACE: Record<NoPlace, string> = {
  "shard-failed": "The part of the server that carries this room starts anew; try again in a moment.",
  overloaded: "This server has more work than it can do; try again in a while, or on another server.",
};

/** How a participant's time ended. */
export interface Departure {
  readonly reason: LeaveReason;
  /** A sentence, or empty. */
  readonly detail: string;
}

/** What is known of a participant. */
export interface ParticipantRecord {
  readonly shard: number;
  readonly participant: number;
  readonly room: string;
  /** Empty until the join was replied to. */
  resource: string;
  slots: readonly SlotView[];
  /** Counts the changes of `slots`. */
  slotsVersion: number;
  departure: Departure | undefined;
  readonly watchers: Set<Watcher>;
}

/** A room as others see it. */
export interface RoomRecord {
  participants: readonly ParticipantView[];
  /** Counts the changes of `participants`. */
  version: number;
}

/** Somebody who wants to know when a participant's view changes. */
export interface Watcher {
  /** Something has changed: the roster, the slots, or the participant has left. */
  wake(): void;
  /** Another watcher took its place. */
  replaced(): void;
}

/** Hands a command to a shard. */
export type Submit = (commandId: number, command: Command) => void;

/** The control plane's side; make one with {@link createControl}. */
export interface Control {
  readonly shards: readonly ControlledShard[];
  readonly placement: Placement;
  nextCommandId: number;
  draining: boolean;
  readonly waiting: Map<number, WaitingCommand>;
  readonly rooms: Map<string, RoomRecord>;
  readonly byResource: Map<string, ParticipantRecord>;
  /** The last {@link DEPARTURES_MAX} participants that have left, by resource. */
  readonly departed: Map<string, ParticipantRecord>;
}

/** One shard, and its participants by their numbers. */
interface ControlledShard {
  readonly submit: Submit;
  readonly byNumber: Map<number, ParticipantRecord>;
}

/** A command without a reply so far. */
interface WaitingCommand {
  readonly shard: number;
  readonly command: Command;
  readonly resolve: (reply: CommandReply) => void;
}

/** The call as one participant sees it. */
export interface ParticipantState {
  readonly room: string;
  readonly you: number;
  readonly participants: readonly ParticipantView[];
  readonly slots: readonly SlotView[];
}

/** A control plane without rooms over these shards. */
export function createControl(submits: readonly Submit[]): Control {
  return {
    shards: submits.map((submit) => ({ submit, byNumber: new Map() })),
    placement: createPlacement(submits.length),
    nextCommandId: 1,
    draining: false,
    waiting: new Map(),
    rooms: new Map(),
    byResource: new Map(),
    departed: new Map(),
  };
}

/** Hands a join or a leave to the shard that it concerns; resolves with its one reply. */
export async function controlCommand(
  control: Control,
  command: Command & { type: "join" | "leave" },
): Promise<CommandReply> {
  const shard =
    command.type === "join" ? placeInRoom(control.placement, command.room) : shardOf(control, command.resource);
  if (typeof shard === "number") return submit(control, shard, command);
  return { commandId: control.nextCommandId++, type: "refused", code: shard, detail: NO_PLACE[shard] };
}

/** Has a shard leave out so many of `VIDEO_PARTS` of its video. */
export function controlLeaveOutVideo(control: Control, shard: number, parts: number): void {
  void submit(control, shard, { type: "leave-out-video", parts });
}

/** Has every shard close its sessions and refuse joins from now on; resolves with how many sessions there were. */
export async function controlDrain(control: Control): Promise<number> {
  control.draining = true;
  const shards = [...control.shards.keys()].filter((shard) => control.placement.places[shard]!.serves);
  const replies = await Promise.all(shards.map((shard) => submit(control, shard, { type: "drain" })));
  return replies.reduce((sum, reply) => sum + (reply.type === "drained" ? reply.sessions : 0), 0);
}

/** Takes in a reply of a shard. */
export function controlReply(control: Control, reply: CommandReply): void {
  const asked = control.waiting.get(reply.commandId);
  if (asked === undefined) return;
  control.waiting.delete(reply.commandId);
  const { shard, command, resolve } = asked;
  if (reply.type === "joined") {
    const record = control.shards[shard]!.byNumber.get(reply.participant);
    // Without a record the participant has left within the same input.
    if (record !== undefined) {
      record.resource = reply.resource;
      control.byResource.set(reply.resource, record);
    }
  } else if (command.type === "join") {
    removeFromRoom(control.placement, command.room, shard);
  }
  resolve(reply);
}

/** Takes in an event of a shard. */
export function controlEvent(control: Control, shard: number, event: ShardEvent): void {
  const { byNumber } = control.shards[shard]!;
  switch (event.type) {
    case "joined":
      byNumber.set(event.participant, createRecord(shard, event.participant, event.room));
      return;
    case "left":
      participantLeft(control, shard, event.participant, { reason: event.reason, detail: event.detail });
      return;
    case "roster":
      rosterChanged(control, shard, event.room, event.participants);
      return;
    case "bindings": {
      const record = byNumber.get(event.participant);
      if (record === undefined) return;
      record.slots = event.slots;
      record.slotsVersion += 1;
      wakeWatchers(record);
      return;
    }
    case "room-closed":
      control.rooms.delete(event.room);
      return;
  }
}

/**
 * A shard has failed: everybody on it is gone, and commands that were under way there are refused. Whoever watches hears
 * of it. Until {@link controlServes} nothing goes there.
 */
export function controlLost(control: Control, shard: number): void {
  for (const [room, placed] of control.placement.rooms) if (placed.shard === shard) control.rooms.delete(room);
  shardIsLost(control.placement, shard);
  const lost: Departure = { reason: "shard-failed", detail: "The server has lost this call; join again." };
  for (const participant of [...control.shards[shard]!.byNumber.keys()]) {
    participantLeft(control, shard, participant, lost);
  }
  for (const [commandId, asked] of [...control.waiting]) {
    if (asked.shard !== shard) continue;
    controlReply(control, { commandId, type: "refused", code: "shard-failed", detail: NO_PLACE["shard-failed"] });
  }
}

/** A fresh shard has taken the place of one that was lost. */
export function controlServes(control: Control, shard: number): void {
  // A fresh one has not been drained, and nobody shall come any more.
  if (!control.draining) shardServes(control.placement, shard);
}

/** The participant behind a resource of a room; `undefined` when there's none, or none any more. */
export function findParticipant(control: Control, room: string, resource: string): ParticipantRecord | undefined {
  const record = control.byResource.get(resource);
  return record?.room === room ? record : undefined;
}

/** How the participant behind a resource of a room has left; `undefined` when there was none, or long ago. */
export function findDeparture(control: Control, room: string, resource: string): Departure | undefined {
  const record = control.departed.get(resource);
  return record?.room === room ? record.departure : undefined;
}

/** The call as a participant sees it now. */
export function participantState(control: Control, record: ParticipantRecord): ParticipantState {
  const { room, participant, slots } = record;
  return { room, you: participant, participants: roomParticipants(control, room), slots };
}

/** Text that is another one whenever {@link participantState} is, for the same participant. */
export function participantStateVersion(control: Control, record: ParticipantRecord): string {
  return `${control.rooms.get(record.room)?.version ?? 0}-${record.slotsVersion}`;
}

/** Who is in a room; empty when it does not exist. */
export function roomParticipants(control: Control, room: string): readonly ParticipantView[] {
  return control.rooms.get(room)?.participants ?? [];
}

/** Wakes `watcher` at each change until the answered function is called. */
export function watchParticipant(record: ParticipantRecord, watcher: Watcher): () => void {
  if (record.watchers.size >= WATCHERS_MAX) {
    const [oldest] = record.watchers;
    record.watchers.delete(oldest!);
    oldest!.replaced();
  }
  record.watchers.add(watcher);
  return () => record.watchers.delete(watcher);
}

function submit(control: Control, shard: number, command: Command): Promise<CommandReply> {
  const commandId = control.nextCommandId++;
  return new Promise((resolve) => {
    control.waiting.set(commandId, { shard, command, resolve });
    control.shards[shard]!.submit(commandId, command);
  });
}

/** The shard of a participant. Any shard can say that it doesn't know somebody. */
function shardOf(control: Control, resource: string): number | NoPlace {
  const shard = control.byResource.get(resource)?.shard ?? control.placement.places.findIndex(({ serves }) => serves);
  return shard < 0 ? "shard-failed" : shard;
}

function createRecord(shard: number, participant: number, room: string): ParticipantRecord {
  const unknown = { resource: "", slots: [], slotsVersion: 0, departure: undefined };
  return { shard, participant, room, ...unknown, watchers: new Set() };
}

function participantLeft(control: Control, shard: number, participant: number, departure: Departure): void {
  const { byNumber } = control.shards[shard]!;
  const record = byNumber.get(participant);
  if (record === undefined) return;
  record.departure = departure;
  byNumber.delete(participant);
  removeFromRoom(control.placement, record.room, shard);
  if (control.byResource.delete(record.resource)) remember(control, record);
  wakeWatchers(record);
}

function remember(control: Control, record: ParticipantRecord): void {
  record.slots = [];
  control.departed.set(record.resource, record);
  if (control.departed.size <= DEPARTURES_MAX) return;
  const [oldest] = control.departed.keys();
  control.departed.delete(oldest!);
}

function rosterChanged(control: Control, shard: number, room: string, participants: readonly ParticipantView[]): void {
  const record = control.rooms.get(room);
  // An empty room is no room: the shard says so with `room-closed`, and a roster after that must not bring it back.
  if (record === undefined && participants.length === 0) return;
  if (record === undefined) control.rooms.set(room, { participants, version: 1 });
  else {
    record.participants = participants;
    record.version += 1;
  }
  for (const { participant } of participants) {
    const watched = control.shards[shard]!.byNumber.get(participant);
    if (watched !== undefined) wakeWatchers(watched);
  }
}

function wakeWatchers(record: ParticipantRecord): void {
  for (const watcher of record.watchers) watcher.wake();
}
