/**
 * What happened in a world, one row each, in words: what a failure ends with and what traces are made of.
 *
 * A row says when, in which event of the loop, whom it concerns and what it was. What the server announces by numbers is
 * told by names.
 */
import type { Micros, ParticipantView, ShardEvent } from "../../core/index.ts";
import { handOver } from "./topology.ts";
import type { World } from "./world.ts";

/** One row. */
export interface TraceRow {
  readonly time: Micros;
  readonly event: number;
  /** Whether it is a step of the story, something that the server announces, or something that a client does. */
  readonly kind: "story" | "server" | "client";
  /** The peer that it concerns, or "" for all of them. */
  readonly who: string;
  readonly text: string;
}

/** Notes a row about a peer, or about all of them (""). */
export function note(world: World, kind: TraceRow["kind"], who: string, text: string): void {
  world.rows.push({ time: world.loop.now, event: world.loop.ran, kind, who, text });
}

/** Notes what the server announces. */
export function noteEvent(world: World, event: ShardEvent): void {
  if (event.type === "joined") world.names.set(event.participant, event.name);
  if (event.type === "reconnecting") handOver(world, event.participant);
  const who = "participant" in event ? nameOf(world, event.participant) : "";
  note(world, "server", who, describeEvent(world, event));
}

/** The sentence with names for the server's numbers of participants, and whose addresses it speaks of. */
export function withNames({ names, byAddress }: World, sentence: string): string {
  return sentence
    .replaceAll(/\bParticipant (\d+)/g, (words, number: string) => names.get(Number(number)) ?? words)
    .replaceAll(/\d+(\.\d+){3}:\d+|\[[0-9a-f:]+\]:\d+/g, (address) => {
      const peer = byAddress.get(address);
      return peer === undefined ? address : `${peer.plan.name} at ${address}`;
    });
}

/** A world's time as people read it: seconds from time zero (or from the beginning, before), with milliseconds. */
export function showTime({ startsAt, zeroAt }: Omit<RowScale, "plan">, time: number): string {
  const from = zeroAt === 0 ? startsAt : zeroAt;
  const millis = Math.floor((time - from) / 1_000);
  const size = Math.abs(millis);
  const sign = millis < 0 ? "-" : "";
  return `${sign}${Math.floor(size / 1_000)}.${String(size % 1_000).padStart(3, "0")} s`;
}

/** A row as it is shown. */
export interface ShownRow {
  readonly time: number;
  /** Undefined for what is no event of the loop but follows from several. */
  readonly event: number | undefined;
  readonly who: string;
  readonly text: string;
}

/** What the columns of a world's rows depend on. */
export interface RowScale {
  readonly startsAt: number;
  readonly zeroAt: number;
  readonly plan: { readonly peers: readonly { readonly name: string }[] };
}

/** Whose line a row is, in a word: a peer's, the server's, or the story's, which names people itself. */
export function whoOf({ who, kind }: TraceRow): string {
  return who === "" || kind === "story" ? kind : who;
}

/** A row in columns: time, event, whom it concerns, and what it was. */
export function showRow(scale: RowScale, { time, event, who, text }: ShownRow): string {
  return columns(scale, showTime(scale, time), String(event ?? ""), who, text);
}

/** A row for machines: microseconds of the story, and null for what is no event of its own. */
export function rowAsJson({ startsAt, zeroAt }: Omit<RowScale, "plan">, { time, event, who, text }: ShownRow): object {
  return { storyMicros: time - (zeroAt === 0 ? startsAt : zeroAt), event: event ?? null, who, text };
}

/** The names of the columns. */
export function showHeading(scale: RowScale): string {
  return columns(scale, "time", "event", "who", "what (→ to the server, ← from it)");
}

/** Names differ from world to world, but in one world the columns stand below each other. A rejoined peer is `name#2`. */
function columns({ plan }: RowScale, time: string, event: string, who: string, text: string): string {
  const width = Math.max(6, ...plan.peers.map(({ name }) => name.length + 2));
  return `${time.padStart(10)}  ${event.padStart(7)}  ${who.padEnd(width)}  ${text}`;
}

function nameOf(world: World, participant: number): string {
  return world.names.get(participant) ?? `participant ${participant}`;
}

function describeView({ name, publications }: ParticipantView): string {
  const paused = publications.filter(({ flowing }) => !flowing).map(({ kind }) => kind);
  return paused.length === 0 ? name : `${name} (${paused.join(" and ")} paused)`;
}

function describeEvent(world: World, event: ShardEvent): string {
  switch (event.type) {
    case "joined":
      return `has joined ${event.room} as participant ${event.participant}`;
    case "connected":
      return `is connected at the server ${Math.floor(event.afterMicros / 1_000)} ms after its offer`;
    case "reconnecting":
      return "has lost its connection and is to have a new one";
    case "left":
      return `is gone for the server: ${event.reason}${event.detail === "" ? "" : ` (${event.detail})`}`;
    case "roster":
      return `in ${event.room}: ${event.participants.map(describeView).join(", ") || "nobody"}`;
    case "bindings": {
      const shown = (kind: "audio" | "video") =>
        event.slots
          .filter((slot) => slot.kind === kind)
          .map((slot) => {
            if (slot.publication === 0) return "nobody";
            return `${nameOf(world, slot.participant)}${slot.paused ? " (paused)" : ""}`;
          });
      const parts = [
        ["is shown", shown("video")],
        ["hears", shown("audio")],
      ] as const;
      return parts
        .filter(([, names]) => names.length > 0)
        .map(([verb, names]) => `${verb} ${names.join(", ")}`)
        .join("; ");
    }
    case "path-changed":
      return `has moved to flow ${event.flow}`;
    default:
      return `${event.room} is closed`;
  }
}
