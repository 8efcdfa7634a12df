/**
 * The last step before the wire: plain packets of the client are sealed and sent to the server's address.
 */
import { seqAdd16 } from "../../core/base/sequence.ts";
import { type Client, serverAddress } from "./client.ts";
import { type OutStream, retransmission } from "./out-stream.ts";
import { plainRtp, type WrittenRtp } from "./plain-rtp.ts";

/** Sends a packet of ours. */
export function sendRtp(client: Client, packet: WrittenRtp): void {
  const { media, ports, answer } = client;
  if (media.cipher === undefined || answer === undefined) return;
  if (ports.watcher.plain !== undefined) ports.watcher.plain(client, "up", plainRtp(packet));
  ports.send(media.cipher.sealRtp(packet), serverAddress(client));
}

/** Sends a compound RTCP packet of ours, which has sender reports of these streams in it. */
export function sendRtcp(client: Client, plain: Uint8Array, reported: readonly number[] = []): void {
  const { media, ports, answer } = client;
  if (media.cipher === undefined || answer === undefined) return;
  ports.watcher.plain?.(client, "up", plain);
  const sealed = media.cipher.sealRtcp(plain);
  if (reported.length > 0) ports.watcher.reported?.(client, sealed, reported);
  ports.send(sealed, serverAddress(client));
}

/** Sends packets of a stream again, as RTX. */
export function resend(client: Client, stream: OutStream, sequences: readonly number[]): void {
  for (const sequence of sequences) {
    const packet = retransmission(stream, sequence & 0xffff, client.transportSequence);
    if (packet === undefined) continue;
    client.transportSequence = seqAdd16(client.transportSequence, 1);
    client.ports.watcher.resent?.(client, packet.ssrc, packet.sequence, stream.ssrc, sequence & 0xffff);
    sendRtp(client, packet);
  }
}
