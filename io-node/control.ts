/**
 * The control plane's side of a shard: commands with promises for their replies, and a view of every room made of events.
 *
 * The view holds what the page and the roster request show: who is in a room, and what each participant's slots show. It is
 * replaced whole by each event, so a watcher that misses ten changes and reads once has missed nothing. A participant's
 * resource (its capability) leads to its view; nothing leads back from the public number to the resource.
 */
import type { Command, CommandReply, LeaveReason, ParticipantView, ShardEvent, SlotView } from "../core/index.ts";

/** Watchers of one participant; one more ends the oldest. A page has one, and a reload may leave one behind for a while. */
const WATCHERS_MAX = 4;

/** Ends that are remembered, so that a page which only asks now and then learns why its call is over; the oldest go first. */
const DEPARTURES_MAX = 1_024;

/** How a participant's time ended. */
export interface Departure {
  readonly reason: LeaveReason;
  /** A sentence, or empty. */
  readonly detail: string;
}

/** What is known of a participant. */
export interface ParticipantRecord {
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

/** The control plane's side; make one with {@link createControl}. */
export interface Control {
  readonly submit: (commandId: number, command: Command) => void;
  nextCommandId: number;
  draining: boolean;
  readonly waiting: Map<number, (reply: CommandReply) => void>;
  readonly rooms: Map<string, RoomRecord>;
  readonly byNumber: Map<number, ParticipantRecord>;
  readonly byResource: Map<string, ParticipantRecord>;
  /** The last {@link DEPARTURES_MAX} participants that have left, by resource. */
  readonly departed: Map<string, ParticipantRecord>;
}

/** The call as one participant sees it. */
export interface ParticipantState {
  readonly room: string;
  readonly you: number;
  readonly participants: readonly ParticipantView[];
  readonly slots: readonly SlotView[];
}

/** A control plane without rooms; `submit` hands a command to the shard. */
export function createControl(submit: (commandId: number, command: Command) => void): Control {
  return {
    submit,
    nextCommandId: 1,
    draining: false,
    waiting: new Map(),
    rooms: new Map(),
    byNumber: new Map(),
    byResource: new Map(),
    departed: new Map(),
  };
}

/** Hands a command to the shard; resolves with its one reply. */
export function controlCommand(control: Control, command: Command): Promise<CommandReply> {
  const commandId = control.nextCommandId++;
  if (command.type === "drain") control.draining = true;
  return new Promise((resolve) => {
    control.waiting.set(commandId, resolve);
    control.submit(commandId, command);
  });
}

/** Takes in a reply of the shard. */
export function controlReply(control: Control, reply: CommandReply): void {
  if (reply.type === "joined") {
    const record = control.byNumber.get(reply.participant);
    // Without a record the participant has left within the same input.
    if (record !== undefined) {
      record.resource = reply.resource;
      control.byResource.set(reply.resource, record);
    }
  }
  const resolve = control.waiting.get(reply.commandId);
  control.waiting.delete(reply.commandId);
  resolve?.(reply);
}

/** Takes in an event of the shard. */
export function controlEvent(control: Control, event: ShardEvent): void {
  switch (event.type) {
    case "joined":
      control.byNumber.set(event.participant, createRecord(event.participant, event.room));
      return;
    case "left":
      participantLeft(control, event.participant, { reason: event.reason, detail: event.detail });
      return;
    case "roster":
      rosterChanged(control, event.room, event.participants);
      return;
    case "bindings": {
      const record = control.byNumber.get(event.participant);
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
 * The shard has failed and a fresh one takes its place: everybody is gone, and commands that were under way are refused.
 * Whoever watches hears of it; whoever joins again finds empty rooms.
 */
export function controlLost(control: Control): void {
  const lost: Departure = { reason: "shard-failed", detail: "The server has lost this call; join again." };
  for (const participant of [...control.byNumber.keys()]) participantLeft(control, participant, lost);
  control.rooms.clear();
  for (const commandId of [...control.waiting.keys()]) {
    controlReply(control, {
      commandId,
      type: "refused",
      code: "shard-failed",
      detail: "The server has lost its calls and starts anew; try again.",
    });
  }
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

function createRecord(participant: number, room: string): ParticipantRecord {
  return { participant, room, resource: "", slots: [], slotsVersion: 0, departure: undefined, watchers: new Set() };
}

function participantLeft(control: Control, participant: number, departure: Departure): void {
  const record = control.byNumber.get(participant);
  if (record === undefined) return;
  record.departure = departure;
  control.byNumber.delete(participant);
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
  if (record === undefined) control.rooms.set(room, { participants, version: 1 });
  else {
    record.participants = participants;
    record.version += 1;
  }
  for (const { participant } of participants) {
    const watched = control.byNumber.get(participant);
    if (watched !== undefined) wakeWatchers(watched);
  }
}

function wakeWatchers(record: ParticipantRecord): void {
  for (const watcher of record.watchers) watcher.wake();
}
