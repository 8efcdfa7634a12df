/**
 * A loudspeaker: says who is heard, how many packets came, and how long the longest silence was that nobody wanted.
 *
 * Each packet is complete in itself, so there is nothing to put together. A packet whose body is not as the microphone
 * made it is garbled, and that is never explained by a bad network, since SRTP has let it through.
 */
import type { Micros } from "../../core/base/micros.ts";
import { type FramePassport, readBody } from "./frame-body.ts";
import type { ReadRtp } from "./plain-rtp.ts";

/** What was heard of one source. */
export interface SourceHeard {
  readonly source: number;
  packets: number;
  firstAt: number;
  lastAt: number;
  /** RTP timestamp of what was heard last. */
  lastTimestamp: number;
  longestGapMicros: number;
  longestGapAt: number;
}

/** The state of one loudspeaker; make it with {@link createAudioPlayer}. */
export interface AudioPlayer {
  heard: Map<number, SourceHeard>;
  garbled: number;
}

/** A loudspeaker that has played nothing. */
export function createAudioPlayer(): AudioPlayer {
  return { heard: new Map(), garbled: 0 };
}

/** Takes a packet that is new; answers the passport, or undefined when it is garbled. */
export function audioPlayerTake(player: AudioPlayer, now: Micros, packet: ReadRtp): FramePassport | undefined {
  const { bytes, words, at, end, timestamp } = packet;
  const passport = end - at > 1 ? readBody(bytes, at + 1, end, words) : undefined;
  if (passport === undefined) {
    player.garbled++;
    return undefined;
  }
  let heard = player.heard.get(passport.source);
  if (heard === undefined) {
    const { source } = passport;
    heard = { source, packets: 0, firstAt: now, lastAt: now, lastTimestamp: 0, longestGapMicros: 0, longestGapAt: 0 };
    player.heard.set(source, heard);
  }
  if (now - heard.lastAt > heard.longestGapMicros) {
    heard.longestGapMicros = now - heard.lastAt;
    heard.longestGapAt = now;
  }
  heard.packets++;
  heard.lastAt = now;
  heard.lastTimestamp = timestamp;
  return passport;
}
