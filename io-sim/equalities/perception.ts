/**
 * What clients got in a run, in a form that two runs can be compared by: which pictures and sounds, in which slot, in which
 * order, at which time of the story, and what the server said that their slots show.
 *
 * Numbers that a world hands out (participants, sources, SSRCs) are told by names, so that only what a person would notice
 * is left. Times count from the world's beginning.
 */
import type { ShardEvent } from "../../core/index.ts";
import type { FramePassport } from "../client/frame-body.ts";
import { REPORT } from "../oracles/feedback-reading.ts";
import { isMedia } from "../oracles/ledger.ts";
import { clientOf } from "../world/topology.ts";
import type { World } from "../world/world.ts";

/** A picture or a piece of sound that a client got. */
export interface Perceived {
  readonly atMicros: number;
  /** The slot, its frame and what it refers to: `2: layer 1, frame 17, key`. */
  readonly what: string;
}

/** What the clients of a run got; keys are in alphabetical order. */
export interface Perception {
  /** By "viewer < source", such as `bob < ana/camera`. */
  readonly streams: ReadonlyMap<string, readonly Perceived[]>;
  /** By viewer: each change of what the slots are said to show. */
  readonly bindings: ReadonlyMap<string, readonly Perceived[]>;
  /** By publisher: when the server asked it for a keyframe. */
  readonly requests: ReadonlyMap<string, readonly Perceived[]>;
}

/** Writes down what clients get from now on; what it answers says what it was. */
export function watchPerception(world: World): () => Perception {
  const streams = new Map<string, Perceived[]>();
  const bindings = new Map<string, Perceived[]>();
  const requests = new Map<string, Perceived[]>();
  const add = (map: Map<string, Perceived[]>, key: string, what: string) => {
    const list = map.get(key) ?? [];
    if (list.length === 0) map.set(key, list);
    list.push({ atMicros: world.loop.now - world.startsAt, what });
  };
  world.watchers.push({
    perceived(client, mid, _kind, passport) {
      const source = world.sources.get(passport.source);
      const name = source === undefined ? `source ${passport.source}` : `${source.client.plan.name}/${source.kind}`;
      add(streams, `${client.plan.name} < ${name}`, describeFrame(mid, passport));
    },
    transmitted(_target, bytes, peer) {
      if (peer !== undefined && isRequest(bytes)) add(requests, peer.plan.name, "a request");
    },
    event(event) {
      if (event.type !== "bindings") return;
      const viewer = clientOf(world, event.participant);
      if (viewer !== undefined) add(bindings, viewer.plan.name, describeSlots(world, event));
    },
  });
  return () => ({ streams: inOrder(streams), bindings: inOrder(bindings), requests: inOrder(requests) });
}

/** Whether what leaves the server asks for a keyframe, alone in its packet (RFC 5506); the type is in the clear. */
function isRequest(bytes: Uint8Array): boolean {
  return isMedia(bytes) && bytes[1] === REPORT.PAYLOAD;
}

function describeFrame(mid: string, { layer, frame, keyframe }: FramePassport): string {
  return `${mid}: layer ${layer}, frame ${frame}${keyframe ? ", key" : ""}`;
}

function describeSlots(world: World, { slots }: Extract<ShardEvent, { type: "bindings" }>): string {
  const shown = slots.map(({ mid, kind, publication, participant }) => {
    if (publication === 0) return `${mid}: nobody`;
    return `${mid}: ${clientOf(world, participant)?.plan.name ?? "somebody"}'s ${kind}`;
  });
  return shown.join("; ");
}

function inOrder(map: ReadonlyMap<string, readonly Perceived[]>): Map<string, readonly Perceived[]> {
  return new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}
