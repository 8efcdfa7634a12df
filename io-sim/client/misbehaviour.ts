/**
 * What an authenticated client may do to annoy a server, on purpose or by a bug.
 *
 * Each habit is something that the specifications allow to happen, or that a peer can do anyway; none of them may harm
 * anybody else in the call. Some change what the camera and the microphone do (./client-media.ts asks for those), the rest
 * send things of their own, a few each 10 ms.
 */
import {
  GenericNack,
  PictureLossIndication,
  RtcpPayloadSpecificFeedback,
  RtcpTransportLayerFeedback,
} from "werift-rtp";
import { writeU16, writeU32 } from "../../core/base/bytes.ts";
import { seqAdd16 } from "../../core/base/sequence.ts";
import { below, randomBytes, type Stream } from "../base/random.ts";
import type { Client } from "./client.ts";
import { sendRtcp, sendRtp } from "./client-send.ts";
import { mediaTimestamp, nextPacket, type OutStream } from "./out-stream.ts";
import type { WrittenRtp } from "./plain-rtp.ts";

/** The habits by name: what the client does, in a sentence. */
export const HABITS = {
  "pli-storm": "asks for a keyframe of each slot a hundred times a second",
  "nack-storm": "asks again for packets that were never sent",
  "lying-feedback": "reports losses, round trips and bandwidths that are not true",
  "garbage-rtcp": "sends control packets whose inside makes no sense",
  "ssrc-collision": "sends packets under SSRCs that stand for something else",
  "unknown-types": "sends packets of a payload type that nobody has negotiated",
  "unknown-extensions": "puts header extensions into its packets that nobody has negotiated",
  "bare-rtx": "sends retransmissions without the number of what they repeat",
  "padding-only": "sends packets that are padding alone",
  dtx: "sends a piece of sound each 400 ms, because nobody speaks",
  "huge-frames": "sends frames of twenty times their size",
  "empty-frames": "sends frames in which there is next to nothing",
  "no-keyframes": "never sends a keyframe, whoever asks",
  "layer-flaps": "stops and starts its upper layers each 700 ms",
} as const satisfies Readonly<Record<string, string>>;

/** The name of a habit. */
export type Habit = keyof typeof HABITS;

/** Time between two turns of those that send things of their own. */
export const HABIT_MICROS = 10_000;

/** The turn of a client's bad habits. */
export function misbehave(client: Client): void {
  for (const habit of client.media.habits) TURNS[habit]?.(client, client.media.mischief);
}

const TURNS: Partial<Record<Habit, (client: Client, random: Stream) => void>> = {
  "pli-storm": (client) => {
    for (const { stream } of client.media.slots) {
      const feedback = new PictureLossIndication({ senderSsrc: 1, mediaSsrc: stream.ssrc });
      sendRtcp(client, new RtcpPayloadSpecificFeedback({ feedback }).serialize());
    }
  },
  "nack-storm": (client, random) => {
    for (const { stream } of client.media.slots) {
      const first = below(random, 0x1_0000);
      const lost = Array.from({ length: 17 }, (_, i) => seqAdd16(first, i));
      const feedback = new GenericNack({ senderSsrc: 1, mediaSourceSsrc: stream.ssrc, lost });
      sendRtcp(client, new RtcpTransportLayerFeedback({ feedback }).serialize());
    }
  },
  "lying-feedback": lie,
  "garbage-rtcp": (client, random) => {
    const bytes = randomBytes(random, 8 + 4 * below(random, 40));
    bytes[0] = 0x80 | below(random, 0x20);
    bytes[1] = 200 + below(random, 8);
    writeU16(bytes, 2, below(random, 2) === 0 ? bytes.length / 4 - 1 : below(random, 0x1_0000));
    sendRtcp(client, bytes);
  },
  "ssrc-collision": (client, random) => {
    const { outStreams, slots, audioSsrc, rtxSsrcs } = client.media;
    const others = [audioSsrc, ...rtxSsrcs, ...slots.map(({ stream }) => stream.ssrc)];
    const stream = pick(outStreams, random);
    const ssrc = pick(others, random);
    if (stream !== undefined && ssrc !== undefined && ssrc !== stream.ssrc) {
      extra(client, stream, {
        ssrc,
        // Within half of the circle, or SRTP would have to guess an index below zero (RFC 3711 §3.3.1).
        sequence: below(random, 0x8000),
        payload: randomBytes(random, 40),
        payloadType: 77,
      });
    }
  },
  "unknown-types": (client, random) => {
    const stream = pick(client.media.outStreams, random);
    if (stream !== undefined) {
      extra(client, stream, {
        ssrc: random.next() || 1,
        payload: randomBytes(random, 60),
        payloadType: below(random, 64),
      });
    }
  },
  "bare-rtx": (client, random) => {
    const stream = client.media.outStreams.find((candidate) => candidate.rtxSsrc !== 0);
    if (stream === undefined) return;
    const { rtxSsrc, rtxSequence, payloadType } = stream;
    const payload = new Uint8Array(below(random, 2));
    extra(client, stream, { ssrc: rtxSsrc, sequence: rtxSequence, payload, payloadType: payloadType + 1 });
    stream.rtxSequence = seqAdd16(rtxSequence, 1);
  },
  "padding-only": (client, random) => {
    const stream = client.media.outStreams.findLast((candidate) => candidate.kind === "video");
    if (stream === undefined) return;
    const padding = new Uint8Array(1 + below(random, 255));
    padding[padding.length - 1] = padding.length;
    const { transportSequence } = client;
    const packet = nextPacket(
      stream,
      mediaTimestamp(stream, client.ports.loop.now),
      false,
      padding,
      transportSequence,
      -1,
      true,
    );
    client.transportSequence = seqAdd16(transportSequence, 1);
    sendRtp(client, packet);
  },
};

function pick<T>(list: readonly T[], random: Stream): T | undefined {
  return list[below(random, Math.max(1, list.length))];
}

/** Sends a packet that is like one of this stream but for what is said, and takes no number of it. */
function extra(client: Client, stream: OutStream, changes: Partial<WrittenRtp>): void {
  sendRtp(client, {
    payloadType: stream.payloadType,
    marker: true,
    sequence: stream.sequence,
    timestamp: mediaTimestamp(stream, client.ports.loop.now),
    ssrc: stream.ssrc,
    payload: new Uint8Array(0),
    extensions: [],
    ...changes,
  });
}

/** A receiver report of random numbers for each slot (RFC 3550 §6.4.2), and a REMB of nothing. */
function lie(client: Client, random: Stream): void {
  for (const { stream } of client.media.slots) {
    const report = randomBytes(random, 32);
    report.set([0x81, 201, 0, 7], 0);
    writeU32(report, 8, stream.ssrc);
    sendRtcp(client, report);
    const remb = new Uint8Array(24);
    remb.set([0x8f, 206, 0, 5], 0);
    remb.set([0x52, 0x45, 0x4d, 0x42, 1, 0, 0, below(random, 2)], 12);
    writeU32(remb, 20, stream.ssrc);
    sendRtcp(client, remb);
  }
}

/** The header extensions of a habit: ids that nobody has negotiated, with something in them. */
export function strangeExtensions(client: Client): { readonly id: number; readonly payload: Uint8Array }[] {
  const { habits, mischief } = client.media;
  if (!habits.has("unknown-extensions")) return [];
  return [13, 14].map((id) => ({ id, payload: randomBytes(mischief, 1 + below(mischief, 16)) }));
}

/** Whether the upper layers rest at present because of a habit. */
export function upperLayersRest(client: Client): boolean {
  return client.media.habits.has("layer-flaps") && Math.floor(client.ports.loop.now / 700_000) % 2 === 1;
}

/** How large frames are because of a habit, in percent. */
export function frameScale(client: Client): number {
  const { habits } = client.media;
  return habits.has("huge-frames") ? 2_000 : habits.has("empty-frames") ? 1 : 100;
}
