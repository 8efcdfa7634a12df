/**
 * Every bound of the core, by name. Whatever a peer can make grow stops at one of these; the comment says what happens
 * then. Relations between bounds are asserted when this file loads, so a change that breaks one fails at once.
 */
import { assert } from "./base/assert.ts";
import { millis, seconds } from "./base/micros.ts";

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
  /** Flows that one ICE agent keeps valid; the one that was heard longest ago goes first, never the selected one. */
  iceFlowsPerPeerMax: 8,
  /** How long the selected flow may be silent before a check on another one is enough to move there (checks come every 6 s
   * at most, RFC 7675 §5.1). */
  iceSilentMicros: seconds(8),
  /** Attributes that one 420 response names; later ones are not named. */
  stunUnknownAttributesMax: 16,

  /** How long a peer may be silent on ICE before its consent has expired (RFC 7675 §5.1). */
  consentMicros: seconds(30),
  /** How long a participant may take from its join to a finished DTLS handshake. */
  connectMicros: seconds(30),

  /** Bytes of one DTLS handshake message while its fragments are put together; fragments of longer ones are dropped. */
  dtlsMessageBytesMax: 16_384,
  /** Handshake messages that are put together at a time, in whatever order they come; fragments of others are dropped. */
  dtlsMessagesAheadMax: 8,
  /** How often another copy of one handshake message may take the place of the accepted one; later ones are ignored. */
  dtlsCorrectionsMax: 16,
  /** First retransmission of a DTLS flight (RFC 6347 §4.2.4.1 allows less than its 1 s); doubles each time. */
  dtlsRetransmitFirstMicros: millis(200),
  /** The longest wait between two retransmissions of a DTLS flight. */
  dtlsRetransmitLastMicros: seconds(5),
  /** Retransmissions of one flight before the handshake has failed. */
  dtlsRetransmitsMax: 10,
  /** The least time between two sendings of a DTLS flight: how fast a peer can make us repeat ourselves. */
  dtlsRepeatMicros: millis(20),
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

  /** Packets of one video stream kept for retransmission; a power of two. The oldest are overwritten. */
  packetCachePackets: 512,
  /** How old a packet may be to be sent again. */
  packetCacheAgeMicros: seconds(2),
  /** Missing packets of one stream that are asked for at a time; more make a keyframe request instead. */
  nackMissingMax: 256,
  /** How often one missing packet is asked for. */
  nackTriesMax: 8,
  /** How long a missing packet may just be out of order before it is asked for. */
  nackReorderMicros: millis(10),
  /** Newer packets after which a missing one is asked for at once. */
  nackReorderPackets: 3,
  /** The least time between two questions for one packet; a longer round trip makes it longer. */
  nackRepeatMicros: millis(20),
  /**
   * Questions for missing packets that each packet of a stream earns, in percent: what repetitions that come to nothing may
   * take of its way. Those that are answered are given back; without any left, nothing is asked for.
   */
  nackSharePercent: 10,
  /** Questions that a stream may have saved up, as it has at first: so many lost at once are asked for at once. */
  nackSavedMax: 64,
  /** How far a sequence number may jump ahead and still belong to the same run (RFC 3550 A.1, MAX_DROPOUT). */
  sequenceAheadMax: 3_000,
  /** Sequence numbers of a slot that can be mapped back to their source; a power of two. Older ones are forgotten. */
  rewriterHistoryPackets: 1_024,
  /** Runs of one source that a slot remembers for retransmission. The oldest are forgotten. */
  rewriterSegmentsMax: 8,
  /** Transport-wide sequence numbers remembered between two feedback packets. The oldest are given up. */
  transportFeedbackPacketsMax: 1_024,

  /** Packets that go on behind a keyframe that had been lost; behind more, another keyframe has to be waited for. */
  catchUpPacketsMax: 256,

  /** Packets a second that one participant may have sent again; NACKs for more are ignored. */
  retransmitsPerSecondMax: 2_000,
  /** How many of them at once. */
  retransmitBurstPackets: 500,
  /** The round trip to a publisher that is assumed while none has been measured. */
  rttUnknownMicros: millis(100),

  /** The least time between two keyframe requests for one stream. */
  keyframeRequestMicros: millis(500),
  /** The longest wait between two requests for one keyframe: unanswered ones double the wait up to this. */
  keyframeRequestLastMicros: seconds(4),
  /** Sender reports over which the offset of a publisher's clock is estimated. The oldest are forgotten. */
  ntpOffsetSamplesMax: 32,
  /** A stream without a packet for this long does not flow: another layer takes over. */
  layerSilentMicros: millis(750),
  /** A publication without a packet for this long is said to be paused (S20 asks for 1 s). */
  publicationSilentMicros: millis(900),
  /** How long a video publication that is paused, or has not begun, keeps its slots while another one waits for them. */
  slotYieldMicros: millis(2_000),

  /** Time between two transport-wide feedback packets to one publisher. */
  transportFeedbackMicros: millis(50),
  /** Bytes of one transport-wide feedback packet. */
  rtcpFeedbackBytesMax: 1_100,
  /** Transport-wide feedback packets at a time; what is left waits for the next. */
  transportFeedbacksPerTurnMax: 4,
  /** Time between two sender or receiver reports. */
  reportMicros: millis(1_000),
  /** Time between two rounds of comparing how loud the publications of a room are. */
  loudnessMicros: millis(200),

  /** Voices that a room names to its members each round, the loudest first; the others count as silent. */
  loudestPublicationsMax: 32,

  /** How often a participant whose media flows is looked after: NACKs, keyframe requests, layers. */
  mediaTickMicros: millis(20),
  /** A participant without a packet for this long is no longer looked after that often. */
  mediaIdleMicros: seconds(3),

  /** Shards of one server, counted from its start: those that took the place of crashed ones have numbers of their own. */
  shardNumberMax: 0xf_ffff,
  /** Packets of one relay that another shard may ask for again; a power of two. The oldest are forgotten. */
  relayHistoryPackets: 512,
  /** Packets that one request of another shard has sent again; it may ask for the others later. */
  relayRepairsMax: 64,
  /** Publications that a room names in one message to one subscriber; more make more messages. */
  offeringsPerMessageMax: 256,
  /** Letters that travel between two shards in one record. More make more records. */
  lettersPerRecordMax: 64,

  /** Messages that the mailboxes of one shard may hold at a time. Reaching it is a mistake of ours. */
  mailboxMessagesMax: 1_048_576,
} as const;

assert(
  LIMITS.rtpPacketBytesMax + LIMITS.rtpGrowthBytesMax <= LIMITS.datagramBytesMax,
  "a packet that was taken can be forwarded",
);
assert(
  (LIMITS.relayHistoryPackets & (LIMITS.relayHistoryPackets - 1)) === 0 &&
    LIMITS.relayHistoryPackets >= LIMITS.nackMissingMax,
  "what a lane can miss its home still knows, and its history is a power of two",
);
assert(
  LIMITS.nackSavedMax > 0 && LIMITS.nackSavedMax <= LIMITS.nackMissingMax,
  "no more questions are saved up than packets can be missing",
);
assert((LIMITS.packetCachePackets & (LIMITS.packetCachePackets - 1)) === 0, "the packet cache is a power of two");
assert(
  (LIMITS.rewriterHistoryPackets & (LIMITS.rewriterHistoryPackets - 1)) === 0 &&
    LIMITS.rewriterHistoryPackets >= LIMITS.packetCachePackets,
  "a slot can name the source of whatever the packet cache holds, and its history is a power of two",
);
assert(
  (LIMITS.transportFeedbackPacketsMax & (LIMITS.transportFeedbackPacketsMax - 1)) === 0,
  "the arrivals between two feedback packets are a power of two",
);
assert(
  (LIMITS.srtpReplayWindowPackets & (LIMITS.srtpReplayWindowPackets - 1)) === 0 && LIMITS.srtpReplayWindowPackets >= 64,
  "the SRTP replay window is a power of two and no smaller than RFC 3711 §3.3.2 allows",
);
assert(
  LIMITS.srtpReplayWindowPackets >= LIMITS.packetCachePackets,
  "what the packet cache can send again, SRTP can seal again",
);
assert(LIMITS.dtlsDatagramBytesMax <= LIMITS.datagramBytesMax, "a DTLS flight fits the send slots");
assert(LIMITS.dtlsReceivedMax * 37 >= LIMITS.datagramBytesMax, "what one DTLS datagram carries is handed out whole");
