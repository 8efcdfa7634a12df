/**
 * How the load generator's peers meet in Janus: the first publishes over ICE, DTLS and SRTP as it does with any server, the
 * others are ports that Janus forwards to, sealed for each with a key of its own.
 */
import { SRTP_PROFILE } from "../../core/srtp/profile.ts";
import { PAYLOAD_TYPE } from "../../io-sim/client/offer.ts";
import { givenKeys } from "../load/given-keys.ts";
import type { LoadPeerPlan } from "../load/messages.ts";
import { connectPeer, createGivenPeer, givenSlotSsrc, type LoadHost, type LoadPeer, loadNow } from "../load/peer.ts";
import { localPort } from "../load/system.ts";
import { enterRoom, forward, publish, trickle } from "./janus-room.ts";

/** Makes all peers. The first of the plans sends one video stream, the others have a slot for it. */
export async function meetInJanus(host: LoadHost, plans: readonly LoadPeerPlan[], apiUrl: string): Promise<LoadPeer[]> {
  const [speaker, ...listeners] = plans;
  const room = await enterRoom(apiUrl);
  const publisher = await connectPeer(host, speaker!, 0, loadNow(), (offer) =>
    // Whoever is "active" begins the DTLS handshake, and a peer of the load always does.
    publish(room, offer.replaceAll("a=setup:actpass", "a=setup:active")),
  );
  // Janus has its addresses of this machine, so ours is the same.
  const ip = publisher.connection!.answer.addresses[0]!.replace(/:\d+$/, "");
  await trickle(room, ip, localPort(host.system, publisher.fd));
  const peers = [publisher];
  for (const [at, plan] of listeners.entries()) {
    const index = at + 1;
    const keys = givenKeys(index, SRTP_PROFILE.AES128_CM_SHA1_80);
    const peer = createGivenPeer(host, plan, index, keys, undefined);
    peers.push(peer);
    await forward(room, {
      port: localPort(host.system, peer.fd),
      ssrc: givenSlotSsrc(index),
      payloadType: PAYLOAD_TYPE.VP8,
      key: Uint8Array.from([...keys.key, ...keys.salt]),
    });
  }
  return peers;
}
