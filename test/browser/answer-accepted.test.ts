/**
 * A real browser takes our answers: offers of several kinds are made in a page, answered here, and set as its remote
 * description. Nothing connects; what counts is that the browser agrees with the answer and with what it means.
 */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { agreed, refusal } from "../support/wire/negotiating.ts";
import { launchChromium } from "./chromium.ts";

/** What the page tells after it has taken an answer. */
interface Taken {
  readonly transceivers: readonly { mid: string; direction: string; rids: string[]; codec: string }[];
  /** The stream ids of the tracks that the answer has made known. */
  readonly streams: readonly string[];
}

/** Served under an origin that counts as secure, since a page without one has no camera. */
const ORIGIN = "http://localhost/";
const PAGE = `<!doctype html><script>
  let pc;
  let streams;
  async function offerOf(build, configuration) {
    if (pc) pc.close();
    pc = new RTCPeerConnection(configuration);
    streams = [];
    pc.ontrack = (event) => streams.push(...event.streams.map((stream) => stream.id));
    const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    await build(pc, media.getAudioTracks()[0], media.getVideoTracks()[0]);
    await pc.setLocalDescription();
    return pc.localDescription.sdp;
  }
  async function take(sdp) {
    await pc.setRemoteDescription({ type: "answer", sdp });
    const transceivers = pc.getTransceivers().map((transceiver) => {
      const { encodings, codecs } = transceiver.sender.getParameters();
      return {
        mid: transceiver.mid,
        direction: transceiver.currentDirection,
        rids: encodings.map((encoding) => encoding.rid ?? ""),
        codec: codecs[0]?.mimeType ?? "",
      };
    });
    return { transceivers, streams };
  }
</script>`;

describe("answers in Chromium", () => {
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    browser = await launchChromium();
    page = await browser.newPage();
    await page.route(`${ORIGIN}**`, (route) => route.fulfill({ contentType: "text/html", body: PAGE }));
    await page.goto(ORIGIN);
  });

  afterAll(() => browser?.close());

  /** `build` is the body of a function of (pc, audio, video). */
  function offer(build: string, configuration = "{}"): Promise<string> {
    return page.evaluate(`offerOf(async (pc, audio, video) => { ${build} }, ${configuration})`);
  }

  async function call(build: string, configuration = "{}") {
    const { text, media } = agreed(await offer(build, configuration), {
      candidates: [
        { ip: "127.0.0.1", port: 5000 },
        { ip: "::1", port: 5000 },
      ],
    });
    const taken: Taken = await page.evaluate(`take(${JSON.stringify(text)})`);
    return { ...taken, media, directions: taken.transceivers.map((transceiver) => transceiver.direction) };
  }

  it("a page that publishes camera and microphone sends both", async () => {
    const { directions, media, transceivers } = await call(`
      pc.addTransceiver(audio, { direction: "sendonly" });
      pc.addTransceiver(video, { direction: "sendonly" });`);
    expect(directions).toEqual(["sendonly", "sendonly"]);
    expect(transceivers[0]!.codec).toBe("audio/opus");
    expect(media[1]!.ssrcs.length).toBe(2);
    expect(media[1]!.rtxOf).toEqual([media[1]!.ssrcs]);
  });

  it("a page that publishes with simulcast keeps its layers", async () => {
    const { directions, media, transceivers } = await call(`
      pc.addTransceiver(audio, { direction: "sendonly" });
      pc.addTransceiver(video, {
        direction: "sendonly",
        sendEncodings: [
          { rid: "q", scaleResolutionDownBy: 4 }, { rid: "h", scaleResolutionDownBy: 2 }, { rid: "f" },
        ],
      });`);
    expect(directions).toEqual(["sendonly", "sendonly"]);
    expect(media[1]!.rids).toEqual(["q", "h", "f"]);
    expect(transceivers[1]!.rids).toEqual(["q", "h", "f"]);
  });

  it("a layer that begins switched off is kept too", async () => {
    const { media, transceivers } = await call(`
      pc.addTransceiver(video, {
        direction: "sendonly",
        sendEncodings: [{ rid: "low", scaleResolutionDownBy: 2 }, { rid: "high", active: false }],
      });`);
    expect(media[0]!.rids).toEqual(["low", "high"]);
    expect(transceivers[0]!.rids).toEqual(["low", "high"]);
  });

  it("twelve slots are received, each as a stream of its own", async () => {
    const { directions, media, streams } = await call(`
      for (let i = 0; i < 8; i++) pc.addTransceiver("video", { direction: "recvonly" });
      for (let i = 0; i < 4; i++) pc.addTransceiver("audio", { direction: "recvonly" });`);
    expect(directions).toEqual(Array(12).fill("recvonly"));
    expect(streams).toEqual(media.map(({ mid }) => `slot-${mid}`));
  });

  it("an m-line that sends and receives stays so", async () => {
    const { directions, streams } = await call(`
      pc.addTransceiver(audio, { direction: "sendrecv" });
      pc.addTransceiver(video, { direction: "sendrecv" });`);
    expect(directions).toEqual(["sendrecv", "sendrecv"]);
    expect(streams).toEqual(["slot-0", "slot-1"]);
  });

  it("an inactive m-line stays inactive", async () => {
    const { directions } = await call(`
      pc.addTransceiver("audio", { direction: "recvonly" });
      pc.addTransceiver("video", { direction: "inactive" });`);
    expect(directions).toEqual(["recvonly", "inactive"]);
  });

  it("a data channel beside media is turned down and the media goes on", async () => {
    const { directions } = await call(`
      pc.createDataChannel("chat");
      pc.addTransceiver(audio, { direction: "sendonly" });`);
    expect(directions).toEqual(["sendonly"]);
  });

  it("a data channel alone is refused", async () => {
    expect(refusal(await offer(`pc.createDataChannel("chat");`))).toMatch(/application/);
  });

  // Not so with bundlePolicy "max-bundle": there Chromium gives up its only transport with the m-line that is turned down.
  it("when the first m-line is turned down, the next one carries the transport", async () => {
    const { transceivers } = await call(`
      const first = pc.addTransceiver(audio, { direction: "sendonly" });
      const { codecs } = RTCRtpSender.getCapabilities("audio");
      first.setCodecPreferences(codecs.filter((codec) => codec.mimeType === "audio/PCMU"));
      pc.addTransceiver(video, { direction: "sendonly" });`);
    expect(transceivers.map(({ mid, direction }) => `${mid} ${direction}`)).toEqual(["1 sendonly"]);
  });

  it.each(["balanced", "max-compat", "max-bundle"])("a page with the bundle policy %s is answered", async (policy) => {
    const { directions } = await call(
      `pc.addTransceiver(audio, { direction: "sendonly" });
       pc.addTransceiver("video", { direction: "recvonly" });
       pc.createDataChannel("chat");`,
      `{ bundlePolicy: "${policy}" }`,
    );
    expect(directions).toEqual(["sendonly", "recvonly"]);
  });

  it.each(["video/VP8", "video/H264", "video/VP9", "video/AV1"])("a camera that prefers %s sends it", async (codec) => {
    const { transceivers } = await call(`
      const camera = pc.addTransceiver(video, { direction: "sendonly" });
      const { codecs } = RTCRtpSender.getCapabilities("video");
      camera.setCodecPreferences(codecs.filter((codec) => codec.mimeType === "${codec}"));`);
    expect(transceivers[0]!.codec).toBe(codec);
  });
});
