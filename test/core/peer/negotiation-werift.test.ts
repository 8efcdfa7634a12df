/** Another WebRTC implementation takes our answers to its offers. */
import { describe, expect, it } from "vitest";
import { RTCPeerConnection, useH264, useOPUS, useVP8 } from "werift";
import { agreed } from "../../support/wire/negotiating.ts";

type Build = (connection: RTCPeerConnection) => void;

/** Lets a connection offer, answers it, and tells the directions that the connection then has. */
async function directionsAfter(build: Build): Promise<(string | undefined)[]> {
  const connection = new RTCPeerConnection({
    codecs: { audio: [useOPUS()], video: [useVP8(), useH264()] },
    // Without an address family it gathers no candidates, and so asks no public STUN server.
    iceUseIpv4: false,
    iceUseIpv6: false,
  });
  try {
    build(connection);
    const offer = await connection.createOffer();
    await connection.setLocalDescription(offer);
    await connection.setRemoteDescription({ type: "answer", sdp: agreed(offer.sdp).text });
    return connection.getTransceivers().map((transceiver) => transceiver.currentDirection);
  } finally {
    await connection.close();
  }
}

describe("answers in werift", () => {
  it("a publication is received by us", async () => {
    const directions = await directionsAfter((connection) => {
      connection.addTransceiver("audio", { direction: "sendonly" });
      connection.addTransceiver("video", { direction: "sendonly" });
    });
    expect(directions).toEqual(["sendonly", "sendonly"]);
  });

  it("slots are sent by us", async () => {
    const directions = await directionsAfter((connection) => {
      connection.addTransceiver("audio", { direction: "recvonly" });
      connection.addTransceiver("video", { direction: "recvonly" });
      connection.addTransceiver("video", { direction: "recvonly" });
    });
    expect(directions).toEqual(["recvonly", "recvonly", "recvonly"]);
  });

  it("an m-line that does both goes on doing both", async () => {
    expect(
      await directionsAfter((connection) => void connection.addTransceiver("video", { direction: "sendrecv" })),
    ).toEqual(["sendrecv"]);
  });
});
