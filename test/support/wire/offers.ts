/** Small offers for tests of the SFU: what a client sends and receives, in the words of a browser. */

/** What an offer asks for, m-line by m-line. */
export type Line =
  | { readonly kind: "audio"; readonly ssrc?: number }
  | {
      readonly kind: "video";
      readonly ssrc?: number;
      readonly rtxSsrc?: number;
      readonly rids?: readonly string[];
      /** In order of preference; VP8 alone unless stated. */
      readonly codecs?: readonly ("VP8" | "VP9" | "H264" | "AV1")[];
      /** Leaves RTX out. */
      readonly withoutRtx?: boolean;
    };

/** A line with an `ssrc` or `rids` sends; one without receives. */
export function offerOf(lines: readonly Line[]): string {
  const mids = lines.map((_, index) => String(index));
  return [
    "v=0",
    "o=- 1 2 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    `a=group:BUNDLE ${mids.join(" ")}`,
    "a=extmap-allow-mixed",
    ...lines.flatMap((line, index) => mediaLines(line, mids[index]!)),
    "",
  ].join("\r\n");
}

/** The payload types of {@link offerOf}. */
export const PAYLOAD_TYPE = { opus: 111, VP8: 96, VP9: 98, H264: 102, AV1: 45, rtx: 1 } as const;

/** The header extension ids of {@link offerOf}. */
export const EXTENSION_ID = { mid: 4, level: 1, transportCc: 3, rid: 10, repairedRid: 11, descriptor: 12 } as const;

/** Who publishes a microphone and a camera, with these SSRCs. */
export const PUBLISH_LINES: readonly Line[] = [
  { kind: "audio", ssrc: 1000 },
  { kind: "video", ssrc: 2000, rtxSsrc: 2001 },
];
export const PUBLISH = offerOf(PUBLISH_LINES);

function mediaLines(line: Line, mid: string): string[] {
  const sends = line.ssrc !== undefined || (line.kind === "video" && line.rids !== undefined);
  return [
    ...(line.kind === "audio" ? audioLines() : videoLines(line)),
    "c=IN IP4 0.0.0.0",
    "a=ice-ufrag:test",
    "a=ice-pwd:0123456789012345678901",
    "a=fingerprint:sha-256 00",
    "a=setup:actpass",
    `a=mid:${mid}`,
    `a=extmap:${EXTENSION_ID.mid} urn:ietf:params:rtp-hdrext:sdes:mid`,
    `a=extmap:${EXTENSION_ID.transportCc} http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01`,
    sends ? "a=sendonly" : "a=recvonly",
    "a=rtcp-mux",
    "a=rtcp-rsize",
    ...(line.ssrc === undefined ? [] : [`a=ssrc:${line.ssrc} cname:test`]),
    ...(line.kind === "video" && line.ssrc !== undefined && line.rtxSsrc !== undefined
      ? [`a=ssrc-group:FID ${line.ssrc} ${line.rtxSsrc}`, `a=ssrc:${line.rtxSsrc} cname:test`]
      : []),
  ];
}

function audioLines(): string[] {
  return [
    "m=audio 9 UDP/TLS/RTP/SAVPF 111",
    "a=rtpmap:111 opus/48000/2",
    "a=rtcp-fb:111 transport-cc",
    `a=extmap:${EXTENSION_ID.level} urn:ietf:params:rtp-hdrext:ssrc-audio-level`,
  ];
}

function videoLines(line: Line & { kind: "video" }): string[] {
  const codecs = line.codecs ?? ["VP8"];
  const types = codecs.flatMap((codec) =>
    line.withoutRtx === true ? [PAYLOAD_TYPE[codec]] : [PAYLOAD_TYPE[codec], PAYLOAD_TYPE[codec] + 1],
  );
  const lines = [`m=video 9 UDP/TLS/RTP/SAVPF ${types.join(" ")}`];
  for (const codec of codecs) {
    const type = PAYLOAD_TYPE[codec];
    lines.push(`a=rtpmap:${type} ${codec}/90000`);
    for (const feedback of ["transport-cc", "ccm fir", "nack", "nack pli"]) lines.push(`a=rtcp-fb:${type} ${feedback}`);
    if (codec === "H264") {
      lines.push(`a=fmtp:${type} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f`);
    }
    if (line.withoutRtx !== true) lines.push(`a=rtpmap:${type + 1} rtx/90000`, `a=fmtp:${type + 1} apt=${type}`);
  }
  lines.push(
    `a=extmap:${EXTENSION_ID.rid} urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id`,
    `a=extmap:${EXTENSION_ID.repairedRid} urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id`,
    `a=extmap:${EXTENSION_ID.descriptor} https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension`,
  );
  if (line.rids !== undefined) {
    for (const rid of line.rids) lines.push(`a=rid:${rid} send`);
    lines.push(`a=simulcast:send ${line.rids.join(";")}`);
  }
  return lines;
}
