/**
 * Where the server's counters begin in a world in which all of them are about to wrap.
 *
 * Sequence numbers and timestamps wrap after a few packets, and with the first the rollover counter goes on to its very
 * last value. Packet indices (48 bits) and SRTCP indices (31 bits) never wrap: a key is used up with its last one (RFC 3711
 * §9.2), and a story would end there. So they begin one round of sequence numbers before it, and what is sent meanwhile has
 * to get through. Rollover counters begin at 0 for whoever has DTLS alone to agree on them (RFC 5764 §4.2), so clients of
 * such a server are told; and a client that has lost all packets before the first wrap still knows the round.
 */
import type { FirstNumbers } from "../../core/index.ts";

/** Packets that are sent before sequence numbers wrap, and rollover counters with them. */
const PACKETS_BEFORE = 10;

/** Feedbacks and keyframe requests that are sent before their numbers of 8 bits wrap. */
const FEEDBACKS_BEFORE = 2;

/** The first of such numbers. */
export const COUNT_NEAR_END = 0x100 - FEEDBACKS_BEFORE;

/** Sequence numbers in one value of the rollover counter. */
const ROUND = 0x1_0000;

/** SRTCP packets that are left to a key: their low 16 bits are about to wrap as well. */
const SRTCP_LEFT = ROUND + PACKETS_BEFORE;

/** The index of the first SRTCP packet of a client whose counters are about to wrap. */
export const SRTCP_NEAR_END = 2 ** 31 - SRTCP_LEFT;

/** What a server begins with whose counters are about to wrap. */
export const SERVER_NEAR_WRAP: FirstNumbers = {
  // A second of video, half of it in sound.
  timestamp: 2 ** 32 - 90_000,
  srtpIndex: 2 ** 48 - ROUND - PACKETS_BEFORE,
  srtcpIndex: SRTCP_NEAR_END,
  feedbackCount: COUNT_NEAR_END,
};
