/**
 * What a shard tells the world about itself. Logs, metrics, traces and the page's view of a room are made of these alone.
 * No event holds a secret, and none is made per packet.
 */

/** How a participant's time in a room ended. */
export type LeaveReason =
  /** The client asked for it (DELETE). */
  | "left"
  /** The client closed its DTLS association. */
  | "closed-by-peer"
  /** No ICE check for `consentMicros` (RFC 7675). */
  | "consent-expired"
  /** Not connected within `connectMicros` of the join. */
  | "connect-timeout"
  /** The DTLS handshake failed; `detail` says why. */
  | "dtls-failed"
  /** The room turned out to be full: it lives on another shard, and others came first. */
  | "room-full"
  /** The room lived on a shard that is gone, and the room with it. */
  | "shard-lost"
  /** The shard is shutting down. */
  | "drained"
  /** The shard has found a mistake of its own. Its host says so, since the shard can't any more. */
  | "shard-failed";

/** A publication as others see it. */
export interface PublicationView {
  /** Unique for the life of the shard. */
  readonly publication: number;
  readonly kind: "audio" | "video";
  /** Whether packets arrive; false is shown as muted. */
  readonly flowing: boolean;
}

/** A participant as others see it. */
export interface ParticipantView {
  readonly participant: number;
  readonly name: string;
  readonly publications: readonly PublicationView[];
}

/** What one slot shows. */
export interface SlotView {
  /** The mid of the slot's m-line. */
  readonly mid: string;
  readonly kind: "audio" | "video";
  /** The publication in the slot, or 0 for none, and whose it is. */
  readonly publication: number;
  readonly participant: number;
  /** Whether the server leaves it out for want of time: what stands here is not forwarded until this is false again. */
  readonly paused: boolean;
}

/** Something that happened in a shard. */
export type ShardEvent =
  | { readonly type: "joined"; readonly room: string; readonly participant: number; readonly name: string }
  /** The connection with this number stands, so long after its offer. */
  | {
      readonly type: "connected";
      readonly room: string;
      readonly participant: number;
      readonly connection: number;
      readonly afterMicros: number;
    }
  /** The participant has asked for a new connection in place of the one before, which is gone. */
  | {
      readonly type: "reconnecting";
      readonly room: string;
      readonly participant: number;
      readonly connection: number;
    }
  | {
      readonly type: "left";
      readonly room: string;
      readonly participant: number;
      readonly reason: LeaveReason;
      readonly detail: string;
    }
  /** Who is in a room, whole, in order of arrival; sent after each change. */
  | { readonly type: "roster"; readonly room: string; readonly participants: readonly ParticipantView[] }
  /** What a participant's slots show, whole; sent after each change. */
  | {
      readonly type: "bindings";
      readonly room: string;
      readonly participant: number;
      readonly slots: readonly SlotView[];
    }
  /**
   * The peer was heard from another address with an authenticated check, and is now sent to there. The first path that a
   * joining client settles on is no change.
   */
  | { readonly type: "path-changed"; readonly room: string; readonly participant: number; readonly flow: number }
  | { readonly type: "room-closed"; readonly room: string };
