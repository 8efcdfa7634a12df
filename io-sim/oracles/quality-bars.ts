/**
 * The bars of quality: what a call owes those for whom nothing goes wrong, each number with its reason.
 *
 * They are held in the steady time of a plan alone, when the links of the people in question carry what they ask for and
 * nothing befalls them or the server. No bar was tuned to what the server does at present: each says what people notice,
 * or what follows from a protocol constant and the way that the links take.
 *
 * Those of pictures count on what is lost being sent again: behind a lost packet nothing can be shown until the next
 * keyframe, which over a lossy way is as likely to lose one of its own. So they are asked of nobody where a thin client is at
 * the lossy end, who has neither NACK (RFC 4585) nor RTX (RFC 4588).
 */

/** One bar. */
interface Bar {
  readonly bar: number;
  readonly reason: string;
}

/** The bars by what is measured; times in microseconds, shares in percent. */
export const QUALITY_BARS = {
  firstPictureMicros: {
    bar: 1_500_000,
    reason:
      "A keyframe is asked for at most each 500 ms, so the first request may wait for so long; one that gets lost costs " +
      "500 ms more. What is left is for the camera's own period and for those who join at the same time.",
  },
  firstPictureRoundTrips: {
    bar: 3,
    reason: "The end of the handshake, the request and the keyframe each take a round trip of both links together.",
  },
  freezeMicros: {
    bar: 500_000,
    reason:
      "From half a second on people take a picture for frozen (ITU-T P.1203 counts stalls of that length). A lost packet " +
      "is asked for within 30 ms and again after 100 ms, so four tries fit.",
  },
  freezeRoundTrips: { bar: 3, reason: "Each try to have a packet again takes a round trip of one of the two links." },
  tornPercent: {
    bar: 2,
    reason: "One picture in fifty: at 20 a second one each 2.5 s, which is where it begins to look unsteady.",
  },
  silenceMicros: {
    bar: 150_000,
    reason:
      "What is lost of a voice is not sent again. Concealment (RFC 6716 §4.4) fades out after some 100 ms, and a short " +
      "syllable takes 150 ms: beyond that, words get lost.",
  },
  lipSyncMicros: {
    bar: 45_000,
    reason: "ITU-R BT.1359-1: sound that is 45 ms early is noticed; it may be later than that.",
  },
  layerChangesPerMinute: {
    bar: 6,
    reason: "Each change is seen as a jump in sharpness. One in ten seconds is what a link that varies may explain.",
  },
  standingQueueMicros: {
    bar: 50_000,
    reason:
      "A burst drains within a round trip; what waits for a whole second stands (RFC 8289 §3). 50 ms one way is a third " +
      "of what ITU-T G.114 allows a conversation.",
  },
  utilisationPercent: {
    bar: 75,
    reason:
      "Where there is room, a viewer is shown the best layer that comes, but for the second that going up may take.",
  },
  fairnessPercent: {
    bar: 90,
    reason: "Whoever watches the same camera over a link that carries it is shown as many pictures as anybody else.",
  },
} as const satisfies Readonly<Record<string, Bar>>;

/** The numbers alone, so that a test may have others. */
export type QualityBars = { readonly [Key in keyof typeof QUALITY_BARS]: number };

/** The bars that count. */
export function qualityBars(): QualityBars {
  const numbers = Object.entries(QUALITY_BARS).map(([key, { bar }]) => [key, bar]);
  return Object.fromEntries(numbers) as QualityBars;
}
