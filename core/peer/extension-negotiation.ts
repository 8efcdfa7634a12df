/**
 * Which header extensions (RFC 8285 §5) of an offered m-line are taken, under the offer's ids.
 *
 * A publication brings what the server reads: who the packet belongs to, how loud it is, when it was sent, which pictures
 * it belongs to; and what a player needs, which goes on to the slots. A slot carries only what it can tell truly. Left
 * out: abs-send-time (transport-wide sequence numbers tell more), video-timing and toffset (nobody reads them here), and
 * video-layers-allocation (which layers flow is seen from the packets themselves). A slot leaves out transport-wide
 * sequence numbers, because the server does not estimate the way down to the client from feedback of that kind; and the
 * dependency descriptor where the forms of headers may not be mixed, as its tables are too long for the one-byte form.
 */
import {
  HEADER_EXTENSION,
  HEADER_EXTENSION_KINDS,
  HEADER_EXTENSION_URI,
  headerExtensionKind,
} from "../wire/header-extensions.ts";
import { type MediaDescription, type SdpAttribute, type SessionDescription, sdpAttributeValues } from "../wire/sdp.ts";
import { type Extmap, parseExtmap, type SdpDirection } from "../wire/sdp-attributes.ts";

/** The extensions of one m-line, and the answer's lines for them. */
export interface ExtensionNegotiation {
  /** Kind to id, 0 for none. */
  readonly ids: Uint8Array;
  /** Id to kind, 0 for none; 256 entries. */
  readonly kinds: Uint8Array;
  readonly attributes: readonly SdpAttribute[];
}

const PUBLICATION_KINDS: readonly number[] = [
  HEADER_EXTENSION.MID,
  HEADER_EXTENSION.RID,
  HEADER_EXTENSION.REPAIRED_RID,
  HEADER_EXTENSION.AUDIO_LEVEL,
  HEADER_EXTENSION.TRANSPORT_CC,
  HEADER_EXTENSION.DEPENDENCY_DESCRIPTOR,
  HEADER_EXTENSION.VIDEO_ORIENTATION,
  HEADER_EXTENSION.PLAYOUT_DELAY,
  HEADER_EXTENSION.VIDEO_CONTENT_TYPE,
  HEADER_EXTENSION.COLOR_SPACE,
];

const SLOT_KINDS: readonly number[] = [
  HEADER_EXTENSION.MID,
  HEADER_EXTENSION.AUDIO_LEVEL,
  HEADER_EXTENSION.DEPENDENCY_DESCRIPTOR,
  HEADER_EXTENSION.VIDEO_ORIENTATION,
  HEADER_EXTENSION.PLAYOUT_DELAY,
  HEADER_EXTENSION.VIDEO_CONTENT_TYPE,
  HEADER_EXTENSION.COLOR_SPACE,
];

/** Ids above this one need two-byte headers (RFC 8285 §4.2). */
const ONE_BYTE_ID_MAX = 14;
/** Reserved in both forms (RFC 8285 §4.2, §4.3). */
const RESERVED_ID = 15;
const ID_MAX = 255;

/**
 * Chooses the extensions of one m-line. `mixed` says whether ids above 14 may be used. `sessionKinds` (256 entries, id to
 * kind) holds what the m-lines before it have taken, and is extended: within BUNDLE an id has one meaning (RFC 9143 §15), so
 * a later m-line that gives a taken id another one does not get that extension.
 */
export function negotiateExtensions(
  offer: SessionDescription,
  section: MediaDescription,
  publishes: boolean,
  isSlot: boolean,
  mixed: boolean,
  sessionKinds: Uint8Array,
): ExtensionNegotiation {
  const ids = new Uint8Array(HEADER_EXTENSION_KINDS);
  const kinds = new Uint8Array(ID_MAX + 1);
  const attributes: SdpAttribute[] = [];
  // Lines before the first m-line count for all of them (RFC 8285 §5).
  const values = sdpAttributeValues(section.attributes, "extmap");
  for (const value of [...values, ...sdpAttributeValues(offer.attributes, "extmap")]) {
    const extmap = parseExtmap(value);
    if (extmap === undefined || !isUsableId(extmap.id, mixed)) continue;
    const kind = headerExtensionKind(extmap.uri);
    if (kind === 0 || ids[kind] !== 0 || kinds[extmap.id] !== 0) continue;
    const meaning = sessionKinds[extmap.id]!;
    if ((meaning !== 0 && meaning !== kind) || !isWanted(kind, extmap, publishes, isSlot, mixed)) continue;
    ids[kind] = extmap.id;
    kinds[extmap.id] = kind;
    sessionKinds[extmap.id] = kind;
    const suffix = extmap.direction === "" ? "" : `/${reversed(extmap.direction)}`;
    attributes.push({ name: "extmap", value: `${extmap.id}${suffix} ${HEADER_EXTENSION_URI[kind]}` });
  }
  return { ids, kinds, attributes };
}

/** The other side's view of a direction (RFC 3264 §6.1). */
export function reversed(direction: SdpDirection): SdpDirection {
  if (direction === "sendonly") return "recvonly";
  return direction === "recvonly" ? "sendonly" : direction;
}

function isUsableId(id: number, mixed: boolean): boolean {
  return id >= 1 && id !== RESERVED_ID && id <= (mixed ? ID_MAX : ONE_BYTE_ID_MAX);
}

function isWanted(kind: number, extmap: Extmap, publishes: boolean, isSlot: boolean, mixed: boolean): boolean {
  const clientSends = extmap.direction === "" || extmap.direction === "sendrecv" || extmap.direction === "sendonly";
  const clientReceives = extmap.direction === "" || extmap.direction === "sendrecv" || extmap.direction === "recvonly";
  if (publishes && clientSends && PUBLICATION_KINDS.includes(kind)) return true;
  if (kind === HEADER_EXTENSION.DEPENDENCY_DESCRIPTOR && !mixed) return false;
  return isSlot && clientReceives && SLOT_KINDS.includes(kind);
}
