/**
 * What a shard wants done, as one number that grows with it: recording and replay come to the same one as long as both do
 * the same.
 *
 * The fingerprint takes in all that a decision can be seen by: where a datagram goes, its length, the bytes of it that
 * travel in the clear, what was sealed into it, and each reply, event and record for another shard. It leaves out what a player
 * has no keys or no payload for: ciphertext, tags, sound and pictures. Of a media payload the descriptor counts, whose
 * picture ids are rewritten.
 */
import { KEY_HANDLE, keyHandleUse } from "../crypto/handles.ts";
import type { ShardEvent } from "../sfu/events.ts";
import type { CommandReply, Outbox } from "../sfu/ports.ts";
import type { Shard } from "../sfu/state.ts";
import { DEMUX, demux } from "../wire/demux.ts";
import { RECORD_HEADER_BYTES, recordBodyLength, recordEpoch } from "../wire/dtls-record.ts";
import { payloadDescriptorLength } from "../wire/payload.ts";
import { RELAY_PACKET_HEADER_BYTES } from "../wire/relay-record.ts";
import { rtpHeaderLength } from "../wire/rtp.ts";
import { type Lanes, mixBytes, mixText, mixWord } from "./lanes.ts";
import { publicReply } from "./secrets.ts";

/** Bytes of an SRTCP packet that travel in the clear: the first header with its SSRC. */
const RTCP_CLEAR_BYTES = 8;

/** What has become of a shard's effects so far. */
export interface Witness {
  readonly lanes: Lanes;
  /** Effects of the input in hand. */
  effects: number;
}

const EFFECT = { TRANSMIT: 1, RELEASE: 2, PACKET: 3, MAIL: 4 } as const;

/** An outbox that passes everything on to `inner`, once `witness` has seen it. */
export function createWitnessOutbox(inner: Outbox, witness: Witness): Outbox {
  const { lanes } = witness;
  const { sendBytes } = inner;
  return {
    // Not asked for each time: an object with a getter is a dictionary for V8, and all of it slow.
    sendBytes,
    reserve: () => inner.reserve(),
    transmit(flow: number, offset: number, length: number) {
      witness.effects += 1;
      mixWord(lanes, EFFECT.TRANSMIT);
      mixWord(lanes, flow);
      mixWord(lanes, length);
      witnessDatagram(lanes, sendBytes, offset, length);
      inner.transmit(flow, offset, length);
    },
    reply(reply: CommandReply) {
      witness.effects += 1;
      mixText(lanes, `reply ${JSON.stringify(publicReply(reply))}`);
      inner.reply(reply);
    },
    event(event: ShardEvent) {
      witness.effects += 1;
      mixText(lanes, `event ${JSON.stringify(event)}`);
      inner.event(event);
    },
    relayPacket(shard: number, offset: number, length: number) {
      witness.effects += 1;
      mixWord(lanes, EFFECT.PACKET);
      mixWord(lanes, shard);
      mixWord(lanes, length);
      const clear = RELAY_PACKET_HEADER_BYTES + rtpHeaderLength(sendBytes, offset + RELAY_PACKET_HEADER_BYTES);
      mixBytes(lanes, sendBytes, offset, clear);
      inner.relayPacket(shard, offset, length);
    },
    relayMail(shard: number, record: Uint8Array) {
      witness.effects += 1;
      mixWord(lanes, EFFECT.MAIL);
      mixWord(lanes, shard);
      mixWord(lanes, record.length);
      mixBytes(lanes, record, 0, record.length);
      inner.relayMail(shard, record);
    },
    releaseFlow(flow: number) {
      witness.effects += 1;
      mixWord(lanes, EFFECT.RELEASE);
      mixWord(lanes, flow);
      inner.releaseFlow(flow);
    },
  };
}

/** Takes in what is about to be sealed with `handle`. */
export function witnessSealed(
  lanes: Lanes,
  shard: Shard | null,
  handle: number,
  source: Uint8Array,
  offset: number,
  length: number,
): void {
  if (shard === null || keyHandleUse(handle) !== KEY_HANDLE.SRTP_WRITE) {
    mixWord(lanes, length);
    mixBytes(lanes, source, offset, length);
    return;
  }
  const { packet } = shard.scratch;
  // RTX has the original sequence number in front of the payload.
  let counts = packet.payloadOffset - offset;
  if (packet.pictureId >= 0 || packet.tl0 >= 0) {
    counts += payloadDescriptorLength(packet.codec, source, packet.payloadOffset, packet.payloadLength);
  }
  mixBytes(lanes, source, offset, counts);
}

/** The bytes of a datagram that travel in the clear. */
function witnessDatagram(lanes: Lanes, bytes: Uint8Array, offset: number, length: number): void {
  const kind = demux(bytes, offset, length);
  if (kind === DEMUX.RTP) mixBytes(lanes, bytes, offset, rtpHeaderLength(bytes, offset));
  else if (kind === DEMUX.RTCP) mixBytes(lanes, bytes, offset, RTCP_CLEAR_BYTES);
  else if (kind === DEMUX.DTLS) witnessRecords(lanes, bytes, offset, offset + length);
  else mixBytes(lanes, bytes, offset, length);
}

function witnessRecords(lanes: Lanes, bytes: Uint8Array, offset: number, end: number): void {
  for (let at = offset; at < end; ) {
    const record = RECORD_HEADER_BYTES + recordBodyLength(bytes, at);
    mixBytes(lanes, bytes, at, recordEpoch(bytes, at) === 0 ? record : RECORD_HEADER_BYTES);
    at += record;
  }
}
