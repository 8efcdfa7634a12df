/**
 * The control plane over the shards: commands with promises for their replies, and a view of every room made of events.
 *
 * A join goes to the shard that placement.ts finds, with word of where the room lives; a leave or a reconnect to the
 * participant's, a drain to all of them. Rosters come from a room's home alone. What a shard still says of a room that has
 * ended or lives elsewhere by now is not heard.
 *
 * The view holds what the page and the roster request show: who is in a room, and what each participant's slots show. It is
 * replaced whole by each event, so a watcher that misses ten changes and reads once has missed nothing. A participant's
 * resource (its capability) leads to its view; nothing leads back from the public number to the resource.
 */

import type { Command, CommandReply, LeaveReason, ParticipantView, ShardEvent, SlotView } from "../core/index.ts";
import { type CallTally, createCallTally, tallyOne } from "./metrics/call-tally.ts";
import {
  createPlacement,
  giveBack,
  type NoPlace,
  type Placement,
  placeInRoom,
  shardIsLost,
  shardServes,
  type Ticket,
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
  /** Empty until the join was replied to; the ticket is there from then on too. */
  resource: string;
  /** The number of its present connection. */
  connection: number;
  ticket: Ticket | undefined;
  slots: readonly SlotView[];
  /** Counts the changes of `slots`. */
  slotsVersion: number;
  departure: Departure | undefined;
  readonly watchers: Set<Watcher>;
}

/** A room as others see it. */
export interface RoomRecord {
  participants: readonly ParticipantView[];
  /** The same as JSON, once somebody has asked; empty until then. */
  json: string;
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

/** A shard as the control plane sees it. */
export interface ControlledShard {
  /** Its number; a fresh shard in the same place has another one. */
  readonly number: number;
  command(commandId: number, command: Command): void;
}

/** The control plane's side; make one with {@link createControl}. A shard is named by its place, 0 and up. */
export interface Control {
  readonly shards: readonly ControlledShard[];
  /** Sees to it that two shards can reach each other. */
  readonly connect: (one: number, other: number) => void;
  readonly placement: Placement;
  nextCommandId: number;
  draining: boolean;
  readonly waiting: Map<number, WaitingCommand>;
  readonly rooms: Map<string, RoomRecord>;
  /** Participants by their numbers, which differ between shards too. */
  readonly byNumber: Map<number, ParticipantRecord>;
  readonly byResource: Map<string, ParticipantRecord>;
  /** The last {@link DEPARTURES_MAX} participants that have left, by resource. */
  readonly departed: Map<string, ParticipantRecord>;
  readonly tally: CallTally;
}

/** A command without a reply so far. */
interface WaitingCommand {
  readonly shard: number;
  readonly command: Command;
  /** Of a join. */
  readonly ticket: Ticket | undefined;
  readonly resolve: (reply: CommandReply) => void;
}

/** A control plane without rooms over these shards, which `connect` lets reach each other; a lone one needs none. */
export function createControl(
  shards: readonly ControlledShard[],
  connect: Control["connect"] = () => {},
  placement: Placement = createPlacement(shards.length),
): Control {
  return {
    shards,
    connect,
    placement,
    nextCommandId: 1,
    draining: false,
    waiting: new Map(),
    rooms: new Map(),
    byNumber: new Map(),
    byResource: new Map(),
    departed: new Map(),
    tally: createCallTally(),
  };
}

/** Hands a join, a leave or a reconnect to the shard that it concerns; resolves with its one reply. */
export async function controlCommand(
  control: Control,
  command: Command & { type: "join" | "leave" | "reconnect" },
): Promise<CommandReply> {
  if (command.type === "join") {
    const ticket = placeInRoom(control.placement, command.room);
    return typeof ticket === "string" ? noPlace(control, ticket) : join(control, ticket, command);
  }
  const shard = shardOf(control, command.resource);
  return typeof shard === "string" ? noPlace(control, shard) : submit(control, shard, command);
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
  const { ticket, resolve } = asked;
  const record = reply.type === "joined" ? control.byNumber.get(reply.participant) : undefined;
  if (reply.type === "joined" && record !== undefined) {
    record.resource = reply.resource;
    record.ticket = ticket;
    control.byResource.set(reply.resource, record);
  } else if (ticket !== undefined) {
    // Refused; or the participant has left within the same input.
    giveBack(control.placement, ticket);
  }
  resolve(reply);
}

/** Takes in an event of a shard. */
export function controlEvent(control: Control, shard: number, event: ShardEvent): void {
  const { byNumber, tally } = control;
  switch (event.type) {
    case "joined":
      tally.joined += 1;
      byNumber.set(event.participant, createRecord(shard, event.participant, event.room));
      return;
    case "reconnecting": {
      tally.reconnecting += 1;
      const record = byNumber.get(event.participant);
      if (record !== undefined) record.connection = event.connection;
      return;
    }
    case "connected":
      tally.connected += 1;
      tally.connectMicros += event.afterMicros;
      return;
    case "left":
      participantLeft(control, event.participant, { reason: event.reason, detail: event.detail });
      return;
    case "roster":
      if (livesOn(control, event.room) === shard) rosterChanged(control, event.room, event.participants);
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
      if ((livesOn(control, event.room) ?? shard) === shard) control.rooms.delete(event.room);
      return;
  }
}

/**
 * A shard has failed: everybody on it is gone, and commands that were under way there are refused. Whoever watches hears
 * of it. Until {@link controlServes} nothing goes there.
 */
export function controlLost(control: Control, shard: number): void {
  for (const [room, { home }] of control.placement.rooms) if (home === shard) control.rooms.delete(room);
  shardIsLost(control.placement, shard);
  const lost: Departure = { reason: "shard-failed", detail: "The server has lost this call; join again." };
  for (const record of [...control.byNumber.values()]) {
    if (record.shard === shard) participantLeft(control, record.participant, lost);
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

/** Who is in a participant's room, and which of them it is, as JSON: `room`, `you`, `participants`. */
export function rosterJson(control: Control, record: ParticipantRecord): string {
  return `{${rosterFields(control, record)}}`;
}

/** The call as a participant sees it now, as JSON: what {@link rosterJson} has, and `slots`. */
export function participantStateJson(control: Control, record: ParticipantRecord): string {
  return `{${rosterFields(control, record)},"slots":${JSON.stringify(record.slots)}}`;
}

/** Text that is another one whenever {@link participantStateJson} is, for the same participant. */
export function participantStateVersion(control: Control, record: ParticipantRecord): string {
  return `${rosterVersion(control, record)}-${record.slotsVersion}`;
}

/** Who is in a room; empty when it does not exist. */
export function roomParticipants(control: Control, room: string): readonly ParticipantView[] {
  return control.rooms.get(room)?.participants ?? [];
}

/** Counts the changes of the roster of a participant's room. */
export function rosterVersion({ rooms }: Control, { room }: ParticipantRecord): number {
  return rooms.get(room)?.version ?? 0;
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

/** Everybody in a room has to hear everybody, and the home has to hear all. */
function join(control: Control, ticket: Ticket, command: Command & { type: "join" }): Promise<CommandReply> {
  const { shard, room } = ticket;
  for (const other of room.members.keys()) if (other !== shard) control.connect(shard, other);
  const home = control.shards[room.home]!.number;
  return submit(control, shard, room.home === shard ? command : { ...command, home }, ticket);
}

function submit(control: Control, shard: number, command: Command, ticket?: Ticket): Promise<CommandReply> {
  const commandId = control.nextCommandId++;
  return new Promise((resolve) => {
    control.waiting.set(commandId, { shard, command, ticket, resolve });
    control.shards[shard]!.command(commandId, command);
  });
}

function noPlace(control: Control, code: NoPlace): CommandReply {
  return { commandId: control.nextCommandId++, type: "refused", code, detail: NO_PLACE[code] };
}

/** Where a room has its home; undefined when there is no such room, or none any more. */
function livesOn({ placement }: Control, room: string): number | undefined {
  return placement.rooms.get(room)?.home;
}

/** The shard of a participant. Any shard can say that it doesn't know somebody. */
function shardOf(control: Control, resource: string): number | NoPlace {
  const shard = control.byResource.get(resource)?.shard ?? control.placement.places.findIndex(({ serves }) => serves);
  return shard < 0 ? "shard-failed" : shard;
}

function createRecord(shard: number, participant: number, room: string): ParticipantRecord {
  const unknown = { resource: "", ticket: undefined, slots: [], slotsVersion: 0, departure: undefined };
  return { shard, participant, room, connection: participant, ...unknown, watchers: new Set() };
}

function participantLeft(control: Control, participant: number, departure: Departure): void {
  const { byNumber } = control;
  const record = byNumber.get(participant);
  if (record === undefined) return;
  record.departure = departure;
  tallyOne(control.tally.left, departure.reason);
  byNumber.delete(participant);
  if (record.ticket !== undefined) giveBack(control.placement, record.ticket);
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

function rosterChanged(control: Control, room: string, participants: readonly ParticipantView[]): void {
  const record = control.rooms.get(room);
  // An empty room is no room: the shard says so with `room-closed`, and a roster after that must not bring it back.
  if (record === undefined && participants.length === 0) return;
  if (record === undefined) control.rooms.set(room, { participants, json: "", version: 1 });
  else {
    record.participants = participants;
    record.json = "";
    record.version += 1;
  }
  for (const { participant } of participants) {
    const watched = control.byNumber.get(participant);
    if (watched !== undefined) wakeWatchers(watched);
  }
}

/** The roster is the same for everybody, and long in a large room: its JSON is made once for all of them. */
function rosterFields({ rooms }: Control, { room, participant }: ParticipantRecord): string {
  const found = rooms.get(room);
  if (found !== undefined && found.json === "") found.json = JSON.stringify(found.participants);
  return `"room":${JSON.stringify(room)},"you":${participant},"participants":${found?.json ?? "[]"}`;
}

function wakeWatchers(record: ParticipantRecord): void {
  for (const watcher of record.watchers) watcher.wake();
}
