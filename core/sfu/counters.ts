/**
 * What a shard counts: every datagram and packet that came, went or was dropped, with the reason. Counters are how bytes
 * from a peer that were refused become visible; nothing else remains of them.
 */

/** Whole numbers that only grow, for the life of the shard. */
export interface Counters {
  datagramsReceived: number;
  /** Not STUN, DTLS, RTP or RTCP; or longer than a datagram may be. */
  datagramsUnknown: number;
  /** From a flow that no check has authenticated. */
  datagramsFromStrangers: number;
  stunDropped: number;
  stunAnswered: number;
  stunRefused: number;
  rtpMalformed: number;
  /** Failed authentication, or a replay. */
  rtpRefused: number;
  rtpReceived: number;
  /** Authentic, but of no m-line, payload type or layer that was negotiated. */
  rtpUnroutable: number;
  /** Packets times receivers: each is forwarded, or counted by one of the reasons below. */
  rtpOffered: number;
  rtpForwarded: number;
  /** Not forwarded because the subscriber is shown another stream of the publication, or nothing to begin with. */
  rtpNotChosen: number;
  /** Not forwarded because the subscriber still waits for a keyframe. */
  rtpAwaitingKeyframe: number;
  /** Not forwarded because the host has no time for it. */
  rtpLeftOut: number;
  /** Not forwarded because it came from before the current source began. */
  rtpTooLate: number;
  /** Not forwarded because the subscriber has not negotiated the codec. */
  rtpCodecMismatch: number;
  /** Not forwarded because there is no path to the subscriber, or its key is worn out. */
  rtpUnsendable: number;
  /** Not forwarded because it was padding alone. */
  rtpPaddingSkipped: number;
  rtpRecovered: number;
  rtpRetransmitted: number;
  /** Asked for by NACK but not to be had, or over the budget. */
  retransmitsRefused: number;
  rtcpMalformed: number;
  rtcpRefused: number;
  rtcpReceived: number;
  rtcpSent: number;
  keyframesRequested: number;
  nacksSent: number;
  /** To other shards and from them; what was sent again counts as well. */
  relayPacketsSent: number;
  relayPacketsReceived: number;
  relayPacketsRepaired: number;
  /** Of a lane or a stream that is no more, or is not known yet. */
  relayPacketsStray: number;
  /** Nobody but a mistake of ours makes them. */
  relayMalformed: number;
}

/** All zero. */
export function createCounters(): Counters {
  return {
    datagramsReceived: 0,
    datagramsUnknown: 0,
    datagramsFromStrangers: 0,
    stunDropped: 0,
    stunAnswered: 0,
    stunRefused: 0,
    rtpMalformed: 0,
    rtpRefused: 0,
    rtpReceived: 0,
    rtpUnroutable: 0,
    rtpOffered: 0,
    rtpForwarded: 0,
    rtpNotChosen: 0,
    rtpAwaitingKeyframe: 0,
    rtpLeftOut: 0,
    rtpTooLate: 0,
    rtpCodecMismatch: 0,
    rtpUnsendable: 0,
    rtpPaddingSkipped: 0,
    rtpRecovered: 0,
    rtpRetransmitted: 0,
    retransmitsRefused: 0,
    rtcpMalformed: 0,
    rtcpRefused: 0,
    rtcpReceived: 0,
    rtcpSent: 0,
    keyframesRequested: 0,
    nacksSent: 0,
    relayPacketsSent: 0,
    relayPacketsReceived: 0,
    relayPacketsRepaired: 0,
    relayPacketsStray: 0,
    relayMalformed: 0,
  };
}
