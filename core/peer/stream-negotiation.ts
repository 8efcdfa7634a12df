/**
 * The streams of an m-line: the layers and SSRCs that a publication announces, and the SSRCs that a slot is given.
 *
 * A publication with simulcast names its layers by rid (RFC 8851, RFC 8853) and learns its SSRCs from the packets; one
 * without names its SSRC, and that of its RTX in a FID group (RFC 5576). A slot has one SSRC and one for RTX for the whole
 * call. Its `a=msid` makes the player show it as the stream and track `slot-<mid>`: a stream of its own for each slot,
 * because players keep in step what shares a stream, and slots are filled from different people.
 */
import { LIMITS } from "../limits.ts";
import { type MediaDescription, type SdpAttribute, sdpAttribute, sdpAttributeValues } from "../wire/sdp.ts";
import { parseRid, parseSimulcast, parseSsrc, parseSsrcGroup, type Rid } from "../wire/sdp-attributes.ts";

/** The layers of one publication, and the answer's lines for them. */
export interface LayerNegotiation {
  readonly rids: readonly string[];
  readonly attributes: readonly SdpAttribute[];
}

/** The SSRCs that an m-line announces. */
export interface SourceNegotiation {
  readonly ssrcs: readonly number[];
  readonly rtxOf: readonly (readonly [number, number])[];
}

/**
 * Chooses the simulcast layers that the server takes: of each stream of the offer's `a=simulcast:send` the first
 * alternative that is declared and can be sent in one of the `formats`, at most `LIMITS.simulcastLayersMax`. A stream that
 * begins paused ("~") is taken like the others: that the server wants it does not oblige the client to send.
 */
export function negotiateLayers(section: MediaDescription, formats: readonly string[]): LayerNegotiation {
  const declared = new Map<string, Rid>();
  for (const value of sdpAttributeValues(section.attributes, "rid")) {
    const rid = parseRid(value);
    if (rid === undefined || rid.direction !== "send" || rid.rid.length > LIMITS.sdpTokenLengthMax) continue;
    if (!declared.has(rid.rid)) declared.set(rid.rid, rid);
  }
  const wish = sdpAttribute(section.attributes, "simulcast");
  const simulcast = wish === undefined ? undefined : parseSimulcast(wish);
  // A rid without simulcast is one stream with restrictions (RFC 8851 §3); several are a choice, and the first is taken.
  const streams =
    simulcast === undefined ? [[...declared.keys()]] : simulcast.send.map((choices) => choices.map(({ rid }) => rid));
  const rids: string[] = [];
  const attributes: SdpAttribute[] = [];
  for (const choices of streams) {
    if (rids.length >= LIMITS.simulcastLayersMax) break;
    for (const choice of choices) {
      const line = answerRid(declared.get(choice), formats);
      if (line === "") continue;
      // Each rid is answered once, also when the offer lists it in two streams.
      declared.delete(choice);
      rids.push(choice);
      attributes.push({ name: "rid", value: line });
      break;
    }
  }
  if (simulcast !== undefined && rids.length > 0) {
    attributes.push({ name: "simulcast", value: `recv ${rids.join(";")}` });
  }
  return { rids, attributes };
}

/** Reads the SSRCs of a publication. `taken` holds those of the m-lines before it, which are passed over, and is extended. */
export function readSources(section: MediaDescription, taken: Set<number>): SourceNegotiation {
  const ssrcs: number[] = [];
  const rtxOf: [number, number][] = [];
  for (const value of sdpAttributeValues(section.attributes, "ssrc")) {
    const ssrc = parseSsrc(value);
    // Zero is legal on the wire, but here it means "none"; no sender draws it but by a chance of one in 2^32.
    if (ssrc <= 0 || taken.has(ssrc) || ssrcs.length >= LIMITS.streamsPerPublicationMax) continue;
    ssrcs.push(ssrc);
    taken.add(ssrc);
  }
  for (const value of sdpAttributeValues(section.attributes, "ssrc-group")) {
    const group = parseSsrcGroup(value);
    if (group === undefined || group.semantics !== "FID" || group.ssrcs.length !== 2) continue;
    const [primary, rtx] = group.ssrcs as [number, number];
    if (primary === rtx || !ssrcs.includes(primary) || !ssrcs.includes(rtx)) continue;
    if (rtxOf.length < ssrcs.length && !rtxOf.some((pair) => pair.includes(primary) || pair.includes(rtx))) {
      rtxOf.push([primary, rtx]);
    }
  }
  return { ssrcs, rtxOf };
}

/** The answer's lines for a slot; `rtxSsrc` is 0 when its m-line has no RTX. */
export function slotAttributes(mid: string, cname: string, ssrc: number, rtxSsrc: number): SdpAttribute[] {
  const name = `slot-${mid}`;
  const attributes: SdpAttribute[] = [{ name: "msid", value: `${name} ${name}` }];
  if (rtxSsrc !== 0) attributes.push({ name: "ssrc-group", value: `FID ${ssrc} ${rtxSsrc}` });
  for (const each of rtxSsrc === 0 ? [ssrc] : [ssrc, rtxSsrc]) {
    attributes.push({ name: "ssrc", value: `${each} cname:${cname}` });
    attributes.push({ name: "ssrc", value: `${each} msid:${name} ${name}` });
  }
  return attributes;
}

/** The value of the answer's `a=rid` line, or "" when the layer cannot be taken. Restrictions stay as they are. */
function answerRid(rid: Rid | undefined, formats: readonly string[]): string {
  if (rid === undefined) return "";
  const restrictions: string[] = [];
  for (const restriction of rid.restrictions) {
    if (restriction.startsWith("pt=")) {
      const wanted = new Set(restriction.slice(3).split(",", LIMITS.sdpListMax));
      const usable = formats.filter((format) => wanted.has(format));
      if (usable.length === 0) return "";
      restrictions.push(`pt=${usable.join(",")}`);
    } else if (restriction.length <= LIMITS.sdpParameterLengthMax) {
      restrictions.push(restriction);
    } else {
      return "";
    }
  }
  return restrictions.length === 0 ? `${rid.rid} recv` : `${rid.rid} recv ${restrictions.join(";")}`;
}
