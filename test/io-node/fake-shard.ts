/**
 * A shard that knows rooms and nothing else: enough to ask the control plane and HTTP what they make of replies and events.
 */
import type { Command, CommandReply, RefusalCode, ShardEvent } from "../../core/index.ts";
import { type Control, controlEvent, controlReply, createControl } from "../../io-node/control.ts";

/** The control plane over a fake shard, and the strings to pull. */
export interface FakeShard {
  readonly control: Control;
  /** Commands so far, in order. */
  readonly commands: Command[];
  /** Refuses the next command. */
  refuse(code: RefusalCode, detail: string): void;
  event(event: ShardEvent): void;
}

interface Member {
  readonly participant: number;
  readonly room: string;
  readonly name: string;
}

/** The resource that the fake gives to a participant. */
export function resourceOf(participant: number): string {
  return participant.toString(16).padStart(32, "c");
}

export function createFakeShard(): FakeShard {
  const commands: Command[] = [];
  const members = new Map<string, Member>();
  let refusal: { code: RefusalCode; detail: string } | undefined;
  let count = 0;
  const obey = (commandId: number, command: Command) => {
    commands.push(command);
    const refused = refusal;
    refusal = undefined;
    if (refused !== undefined) reply({ commandId, type: "refused", ...refused });
    else if (command.type === "join") joined(commandId, command);
    else if (command.type === "leave") left(commandId, command);
    else if (command.type === "reconnect") reconnected(commandId, command);
    else drained(commandId);
  };
  const control = createControl([{ number: 0, command: obey }]);
  const event = (happened: ShardEvent) => controlEvent(control, 0, happened);
  const reply = (said: CommandReply) => controlReply(control, said);
  const roster = (room: string) => {
    const there = [...members.values()].filter((member) => member.room === room);
    const participants = there.map(({ participant, name }) => ({ participant, name, publications: [] }));
    event({ type: "roster", room, participants });
    if (there.length === 0) event({ type: "room-closed", room });
  };
  const joined = (commandId: number, { room, name }: Command & { type: "join" }) => {
    const participant = ++count;
    members.set(resourceOf(participant), { participant, room, name });
    event({ type: "joined", room, participant, name });
    roster(room);
    reply({ commandId, type: "joined", participant, resource: resourceOf(participant), answer: "v=0\r\n" });
  };
  const left = (commandId: number, { room, resource }: Command & { type: "leave" }) => {
    const member = members.get(resource);
    if (member?.room !== room) {
      reply({ commandId, type: "refused", code: "not-found", detail: "There is no such participant." });
      return;
    }
    members.delete(resource);
    event({ type: "left", room, participant: member.participant, reason: "left", detail: "" });
    roster(room);
    reply({ commandId, type: "left" });
  };
  const reconnected = (commandId: number, { room, resource }: Command & { type: "reconnect" }) => {
    const { participant } = members.get(resource)!;
    const connection = ++count;
    event({ type: "reconnecting", room, participant, connection });
    reply({ commandId, type: "reconnected", participant, connection, answer: "v=0\r\no=again\r\n" });
  };
  const drained = (commandId: number) => {
    for (const { room, participant } of members.values())
      event({ type: "left", room, participant, reason: "drained", detail: "" });
    reply({ commandId, type: "drained", sessions: members.size });
    members.clear();
  };
  const refuse = (code: RefusalCode, detail: string) => {
    refusal = { code, detail };
  };
  return { control, commands, refuse, event };
}
