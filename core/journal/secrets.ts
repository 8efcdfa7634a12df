/**
 * What a journal does not hold, so that whoever has the file can open nothing with it: neither the calls in it, wherever
 * somebody may have captured them, nor later ones.
 *
 * The core's secrets come out of the crypto provider: derived from the seed of the boot record, agreed upon with a client, or
 * drawn out of such an agreement. Nothing that the core does depends on what they are, so a journal has zeros in place of
 * them, and the player answers zeros. A few answers decide something or are sent in the clear anyway: those are written down.
 * A resource is in between: who knows it can end a call, but a leave has to find it again. It is written as a pseudonym, which
 * its owner alone could make.
 */
import { equalBytes } from "../base/bytes.ts";
import { hexDecode, hexEncode, utf8Encode } from "../base/text.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import type { Command, CommandReply } from "../sfu/ports.ts";

/** What becomes of an answer of `hmacSha256`. */
export const FATE = { SECRET: 0, PUBLIC: 1, RESOURCE: 2 } as const;

/** Purposes of derived bytes that are public: they stand in SDP or in a ServerHello (core/crypto/entropy.ts). */
const PUBLIC_PURPOSES = ["ice-ufrag", "cname", "dtls-hello-random"].map(utf8Encode);
const RESOURCE_PURPOSE = utf8Encode("resource");

/** Labels of TLS's PRF whose blocks are compared with what the peer says, and say nothing of the keys (RFC 5246 §7.4.9). */
const FINISHED_LABELS = ["client finished", "server finished"].map(utf8Encode);

/** Behind the block before it stands the label in what makes a block of the PRF (RFC 5246 §5). */
const LABEL_AT = 32;

/** Bytes of a resource, which is written as twice as many hexadecimal digits. */
const RESOURCE_BYTES = 16;

/** What becomes of the answer to an HMAC over this message. The player asks too, and has other keys: they don't count. */
export function fateOfHmac(message: Uint8Array): number {
  if (startsWith(message, 0, RESOURCE_PURPOSE)) return FATE.RESOURCE;
  for (const purpose of PUBLIC_PURPOSES) if (startsWith(message, 0, purpose)) return FATE.PUBLIC;
  for (const label of FINISHED_LABELS) if (startsWith(message, LABEL_AT, label)) return FATE.PUBLIC;
  return FATE.SECRET;
}

/** What stands for these bytes of a resource. */
export function pseudonymOfBytes(crypto: CryptoProvider, key: Uint8Array, resource: Uint8Array): Uint8Array {
  return crypto.hmacSha256(key, resource.slice(0, RESOURCE_BYTES));
}

/** What stands for a resource; any other text stands for itself. */
export function pseudonymOf(crypto: CryptoProvider, key: Uint8Array, resource: string): string {
  const bytes = resource.length === 2 * RESOURCE_BYTES ? hexDecode(resource) : undefined;
  if (bytes === undefined || hexEncode(bytes) !== resource) return resource;
  return hexEncode(pseudonymOfBytes(crypto, key, bytes).slice(0, RESOURCE_BYTES));
}

/** A command as it is written down. */
export function withoutSecrets(command: Command, pseudonym: (resource: string) => string): Command {
  if (command.type === "leave") return { ...command, resource: pseudonym(command.resource) };
  if (command.type !== "join" && command.type !== "reconnect") return command;
  const offer = command.offer.replace(OFFERED_PASSWORD, hidden);
  return command.type === "join" ? { ...command, offer } : { ...command, offer, resource: pseudonym(command.resource) };
}

/** A reply as it goes into the fingerprint: without what the player can't know. */
export function publicReply(reply: CommandReply): unknown {
  if (reply.type !== "joined" && reply.type !== "reconnected") return reply;
  const answer = reply.answer.replace(ANSWERED_PASSWORD, "");
  return reply.type === "joined" ? { ...reply, resource: "", answer } : { ...reply, answer };
}

/** RFC 8839 §5.4. A password with any other characters is refused, and that is an input too. */
const OFFERED_PASSWORD = /(a=ice-pwd:)([A-Za-z0-9+/]+)/g;
const ANSWERED_PASSWORD = /a=ice-pwd:\S*/g;

function hidden(_line: string, name: string, password: string): string {
  return name + "x".repeat(password.length);
}

function startsWith(bytes: Uint8Array, offset: number, start: Uint8Array): boolean {
  if (bytes.length < offset + start.length) return false;
  return equalBytes(bytes.subarray(offset, offset + start.length), start);
}
