/**
 * The few words of Janus's HTTP interface that a publisher needs: a session, a handle on the VideoRoom, an offer, and
 * forwards of what is published to plain UDP ports (`rtp_forward`), each sealed with a key of its own.
 *
 * Requests are answered at once or with an "ack", after which the answer is fetched with a long poll.
 */

/** The room of the benchmark's configuration. */
export const JANUS_ROOM = 1234;

/** Answers that are waited for come within some polls, or not at all. */
const POLLS_MAX = 10;
/** AES_CM_128_HMAC_SHA1_80, as Janus calls it. */
const SRTP_SUITE = 80;

/** A publisher's hold on the room; make it with {@link enterRoom}. */
export interface JanusPublisher {
  readonly sessionUrl: string;
  readonly handleUrl: string;
  readonly id: number;
}

/** Where something is forwarded to. */
export interface JanusForward {
  readonly port: number;
  readonly ssrc: number;
  readonly payloadType: number;
  /** The SRTP master key and salt. */
  readonly key: Uint8Array;
}

interface Reply {
  readonly janus: string;
  readonly error?: { readonly reason: string };
  readonly data?: { readonly id: number };
  readonly plugindata?: { readonly data: Readonly<Record<string, unknown>> };
  readonly jsep?: { readonly sdp: string };
}

/** Enters the room as somebody who will publish. Throws with Janus's reason when that fails. */
export async function enterRoom(apiUrl: string): Promise<JanusPublisher> {
  const session = await post(apiUrl, { janus: "create" });
  const sessionUrl = `${apiUrl}/${session.data!.id}`;
  const handle = await post(sessionUrl, { janus: "attach", plugin: "janus.plugin.videoroom" });
  const handleUrl = `${sessionUrl}/${handle.data!.id}`;
  await ask(handleUrl, { request: "join", ptype: "publisher", room: JANUS_ROOM });
  const joined = await poll(sessionUrl, ({ plugindata }) => plugindata?.data.videoroom === "joined");
  return { sessionUrl, handleUrl, id: Number(joined.plugindata!.data.id) };
}

/** Publishes what an offer has; answers the answer. */
export async function publish({ sessionUrl, handleUrl }: JanusPublisher, offer: string): Promise<string> {
  await ask(handleUrl, { request: "publish" }, { type: "offer", sdp: offer });
  return (await poll(sessionUrl, ({ jsep }) => jsep !== undefined)).jsep!.sdp;
}

/** Tells the only candidate of whoever publishes: Janus takes no address that it was not told of. */
export async function trickle({ handleUrl }: JanusPublisher, ip: string, port: number): Promise<void> {
  const candidate = `candidate:1 1 udp 2122260223 ${ip} ${port} typ host`;
  await post(handleUrl, { janus: "trickle", candidate: { candidate, sdpMid: "0", sdpMLineIndex: 0 } });
  await post(handleUrl, { janus: "trickle", candidate: { completed: true } });
}

/** Has the first stream that is published forwarded. */
export async function forward({ handleUrl, id }: JanusPublisher, { port, ssrc, payloadType, key }: JanusForward) {
  await ask(handleUrl, {
    request: "rtp_forward",
    room: JANUS_ROOM,
    publisher_id: id,
    host: "127.0.0.1",
    host_family: "ipv4",
    srtp_suite: SRTP_SUITE,
    srtp_crypto: Buffer.from(key).toString("base64"),
    streams: [{ mid: "0", port, ssrc, pt: payloadType }],
  });
}

function ask(handleUrl: string, body: object, jsep?: object): Promise<Reply> {
  return post(handleUrl, { janus: "message", body, ...(jsep === undefined ? {} : { jsep }) });
}

async function post(url: string, message: object): Promise<Reply> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ transaction: "bench", ...message }),
  });
  return judge((await response.json()) as Reply);
}

/** Waits for an event that is wanted. */
async function poll(sessionUrl: string, isWanted: (reply: Reply) => boolean): Promise<Reply> {
  for (let i = 0; i < POLLS_MAX; i++) {
    const reply = judge((await (await fetch(sessionUrl)).json()) as Reply);
    if (isWanted(reply)) return reply;
  }
  throw new Error("Janus does not say what it was asked");
}

function judge(reply: Reply): Reply {
  const refusal = reply.error?.reason ?? reply.plugindata?.data.error;
  if (refusal !== undefined) throw new Error(`Janus refuses: ${String(refusal)}`);
  return reply;
}
