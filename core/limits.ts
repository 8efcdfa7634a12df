/**
 * Every bound of the core that is the same for all shards, by name; tunables.ts has the others. Whatever a peer can make grow
 * stops at one of these; the comment says what happens then. Relations between bounds are asserted when this file loads, so a
 * change that breaks one fails at once.
 */
import { assert } from "./base/assert.ts";
import { seconds } from "./base/micros.ts";

/** The bounds; times are {@link Micros}, sizes bytes unless the name says otherwise. */
export const LIMITS = {
  /** The longest datagram taken or sent. Longer ones are dropped and counted. */
  datagramBytesMax: 2_048,
  /** The longest RTP packet taken: leaves room in a slot for a longer header, RTX's two bytes and the tag. */
  rtpPacketBytesMax: 1_600,
  /** Room that a forwarded packet may need beyond what came in: header extensions, RTX, tag. */
  rtpGrowthBytesMax: 256,
  /** Header extension elements looked at in one packet; later ones are ignored. */
  headerExtensionsMax: 16,

  /** Participants of one shard; a join above it is refused ("shard-full"). */
  participantsPerShardMax: 2_000,
  /** Participants of one room; a join above it is refused ("room-full"). */
  participantsPerRoomMax: 1_024,
  /** Characters of a room's name. */
  roomNameLengthMax: 64,
  /** Characters (UTF-16 units) of a display name; longer ones are cut. */
  displayNameLengthMax: 64,

  /** Characters of an SDP offer; a longer one is refused. */
  sdpLengthMax: 393_216,
  /** Lines of an SDP offer; more are refused. */
  sdpLinesMax: 12_288,
  /** m-lines of an offer; more are refused. */
  sdpMediaMax: 64,
  /** Payload types kept of one m-line; later ones are ignored. */
  sdpCodecsPerMediaMax: 64,
  /** Characters of a mid or rid (RFC 8852 §3.1 asks for no bound); longer ones make the m-line unusable. */
  sdpTokenLengthMax: 32,
  /** Entries of a list in one SDP attribute (parameters, simulcast choices, members of a group); later ones are ignored. */
  sdpListMax: 64,
  /** Characters of one parameter that the answer repeats; longer ones are left out. */
  sdpParameterLengthMax: 64,
  /** Layers (rids) of one simulcast publication; later ones are ignored. */
  simulcastLayersMax: 4,

  /** SSRCs that one publication may bring to life (layers and their RTX); packets of more are dropped. */
  streamsPerPublicationMax: 8,
  /** SSRCs whose SRTP state one peer may have at a time; authenticated packets of more are dropped. */
  srtpStreamsPerPeerMax: 64,
  /** SSRCs of one peer that others have taken the place of, and that are refused from then on; later ones keep their state. */
  srtpRetiredSsrcsMax: 1_024,
  /** How far behind the newest packet of an SRTP stream a late one may be; older ones are dropped. A power of two. */
  srtpReplayWindowPackets: 1_024,
  /** Flows that one ICE agent may keep valid: hosts make room for so many. The tunable of this name may say fewer. */
  iceFlowsPerPeerMax: 8,
  /** Attributes that one 420 response names; later ones are not named. */
  stunUnknownAttributesMax: 16,

  /** Bytes of one DTLS handshake message while its fragments are put together; fragments of longer ones are dropped. */
  dtlsMessageBytesMax: 16_384,
  /** Handshake messages that are put together at a time, in whatever order they come; fragments of others are dropped. */
  dtlsMessagesAheadMax: 8,
  /** How often another copy of one handshake message may take the place of the accepted one; later ones are ignored. */
  dtlsCorrectionsMax: 16,
  /** Retransmissions of one flight before the handshake has failed. */
  dtlsRetransmitsMax: 10,
  /** How long bad plaintext may be outlived by a good copy before it fails the handshake; longer when timers are slow. */
  dtlsDoubtMicros: seconds(2),
  /** Payload bytes of a datagram of our DTLS flights: fits every path MTU that WebRTC meets. */
  dtlsDatagramBytesMax: 1_200,
  /** Encrypted records held while the keys to open them are not known; a later one pushes out the oldest. */
  dtlsEarlyRecordsMax: 4,
  /** Records of one epoch that are remembered against replay (RFC 6347 §4.1.2.6); older ones are dropped. */
  dtlsReplayRecords: 64,
  /** Payloads handed out and not yet taken by the caller; later ones are dropped. More than fit one datagram. */
  dtlsReceivedMax: 64,

  /** How far a sequence number may jump ahead and still belong to the same run (RFC 3550 A.1, MAX_DROPOUT). */
  sequenceAheadMax: 3_000,
  /** Sequence numbers of a slot that can be mapped back to their source; a power of two. Older ones are forgotten. */
  rewriterHistoryPackets: 1_024,
  /** Runs of one source that a slot remembers for retransmission. The oldest are forgotten. */
  rewriterSegmentsMax: 8,
  /** Transport-wide sequence numbers remembered between two feedback packets. The oldest are given up. */
  transportFeedbackPacketsMax: 1_024,

  /** Sender reports over which the offset of a publisher's clock is estimated. The oldest are forgotten. */
  ntpOffsetSamplesMax: 32,

  /** Bytes of one transport-wide feedback packet. */
  rtcpFeedbackBytesMax: 1_100,

  /** Shards of one server, counted from its start: those that took the place of crashed ones have numbers of their own. */
  shardNumberMax: 0xf_ffff,

  /** Messages that the mailboxes of one shard may hold at a time. Reaching it is a mistake of ours. */
  mailboxMessagesMax: 1_048_576,
} as const;

assert(
  LIMITS.rtpPacketBytesMax + LIMITS.rtpGrowthBytesMax <= LIMITS.datagramBytesMax,
  "a packet that was taken can be forwarded",
);
assert(
  (LIMITS.rewriterHistoryPackets & (LIMITS.rewriterHistoryPackets - 1)) === 0,
  "the history of a slot is a power of two",
);
assert(
  (LIMITS.transportFeedbackPacketsMax & (LIMITS.transportFeedbackPacketsMax - 1)) === 0,
  "the arrivals between two feedback packets are a power of two",
);
assert(
  (LIMITS.srtpReplayWindowPackets & (LIMITS.srtpReplayWindowPackets - 1)) === 0 && LIMITS.srtpReplayWindowPackets >= 64,
  "the SRTP replay window is a power of two and no smaller than RFC 3711 §3.3.2 allows",
);
assert(LIMITS.dtlsDatagramBytesMax <= LIMITS.datagramBytesMax, "a DTLS flight fits the send slots");
assert(LIMITS.dtlsReceivedMax * 37 >= LIMITS.datagramBytesMax, "what one DTLS datagram carries is handed out whole");
