/**
 * Places in the core that may be made to fail: what an engineer fears there, and what makes good for it.
 *
 * `buggify(ports.faults, site, entity)` asks whether the failure happens now. In production a host has no faults to give,
 * so the question is one comparison with undefined. A simulator answers by chance that is keyed by (site, entity,
 * ordinal), which makes every failure a decision that can be logged, told otherwise and taken out of a shrunk world. What
 * was answered is an input like any other: a journal holds it.
 *
 * A site stands where the code must cope with the failure anyway, because the network, the peer or a bound can bring it
 * about. It never makes the core break a promise that it could keep.
 */

/** Answers whether a declared failure happens. */
export interface Faults {
  /** `entity` is whom it concerns: a participant, a stream, a slot, a room, or 0. */
  fires(site: string, entity: number): boolean;
}

/** The sites by name: what goes wrong, in a sentence. */
export const CORE_SITES = {
  "door/stun-lost": "a check vanishes before anybody looks at it",
  "door/dtls-lost": "a datagram of the handshake vanishes",
  "door/rtp-lost": "a media packet vanishes",
  "door/rtcp-lost": "a control packet vanishes",
  "door/flow-not-adopted": "an authenticated check does not lead to its flow being known",
  "join/shard-full": "the shard says that it is full",
  "join/room-full": "the room says that it is full",
  "join/ufrag-taken": "the first ufrag that is derived belongs to somebody already",
  "join/ssrc-taken": "an SSRC that is derived belongs to another slot already",
  "join/peer-index-taken": "the lowest number of key handles is not free",
  "timers/turn-late": "a participant's turn comes one tick late",
  "timers/media-turn-skipped": "a participant's media is not looked after this time",
  "timers/ranking-skipped": "a room does not compare its voices this time",
  "rtp/header-refused": "a packet's header is taken for malformed",
  "rtp/open-fails": "a packet does not authenticate",
  "rtp/plain-refused": "an authenticated packet is taken for malformed",
  "rtp/extensions-unread": "the header extensions of a packet can't be read",
  "rtp/transport-sequence-missed": "a transport-wide sequence number is not noted",
  "rtp/introduction-refused": "a new SSRC is not believed this time",
  "rtp/not-described": "a packet's payload can't be read",
  "rtp/statistics-missed": "a packet is not counted",
  "rtp/clock-missed": "a timestamp does not reach the media clock",
  "rtp/loudness-missed": "an audio level is not noted",
  "rtp/not-cached": "a packet's place in the cache is taken by another at once",
  "rtp/gap-unseen": "a packet does not reach the list of what is missing",
  "rtp/gaps-too-many": "the list of what is missing overflows",
  "rtp/keyframe-unnoticed": "a keyframe is not counted as the answer to a request",
  "rtp/catch-up-refused": "packets that waited for a late keyframe are given up",
  "rtx/dropped": "a retransmission can't be unwrapped",
  "flow/start-unnoticed": "a stream's first packets wake nobody",
  "flow/layers-not-compared": "the best layer is not chosen anew this time",
  "flow/seems-silent": "a publication that flows is taken for silent",
  "flow/seems-idle": "a participant whose media flows is taken for idle",
  "forward/not-begun": "a route can't begin with a packet that could begin it",
  "forward/route-skipped": "a subscriber is left out once",
  "forward/no-path": "the way to a subscriber is not known",
  "forward/seal-fails": "a packet can't be sealed",
  "forward/extensions-dropped": "there is no room for header extensions",
  "again/over-budget": "a subscriber has asked for too much already",
  "again/history-forgotten": "where a packet came from is forgotten",
  "again/cache-evicted": "the packet that is asked for is no longer there",
  "again/not-sent": "the repetition can't be sent",
  "rtcp/open-fails": "a control packet does not authenticate",
  "rtcp/malformed": "an authenticated control packet is taken for malformed",
  "rtcp/sender-report-missed": "a sender report is not noted",
  "rtcp/report-blocks-missed": "a round trip is not measured",
  "rtcp/nack-ignored": "a subscriber's NACK is not read",
  "rtcp/wish-ignored": "a subscriber's wish for a keyframe is not read",
  "requests/no-path": "the way to a publisher is not known",
  "requests/seal-fails": "a control packet can't be sealed",
  "requests/keyframe-unsent": "a keyframe request is made and not sent",
  "requests/nack-unsent": "a NACK is made and not sent",
  "requests/feedback-late": "a transport-wide feedback waits for the next turn",
  "reports/slot-skipped": "a slot's sender report is left out",
  "reports/reception-skipped": "a reception report is left out",
} as const satisfies Readonly<Record<string, string>>;

/** The name of a site of the core. */
export type CoreSite = keyof typeof CORE_SITES;

/** Whether this failure happens now. Costs a comparison when there are no faults. */
export function buggify(faults: Faults | undefined, site: CoreSite, entity: number): boolean {
  return faults?.fires(site, entity) ?? false;
}
