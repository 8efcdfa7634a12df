/**
 * A crypto provider that knows no keys: it answers as a journal says that another one has answered.
 *
 * What a journal leaves out is answered with zeros (secrets.ts), and what is sealed becomes zeros. An answer that the journal
 * does not have where it is asked for means that the core asks something else than the one that was recorded: that is noted,
 * and answered with zeros or no.
 */
import type { CryptoProvider } from "../crypto/provider.ts";
import { AEAD_TAG_BYTES, createCryptoWorkspace } from "../crypto/provider.ts";
import type { Shard } from "../sfu/state.ts";
import { CALL, ITEM } from "./format.ts";
import type { Item } from "./items.ts";
import { authTagOffset, isForReading, tagStands } from "./recording-crypto.ts";
import { FATE, fateOfHmac } from "./secrets.ts";
import { type Witness, witnessSealed } from "./witness.ts";

/** What the provider knows of the player that it works for. */
export interface PlayingContext {
  readonly witness: Witness;
  /** The shard that asks, while it handles an input. */
  shard: Shard | null;
  /** What is answered next. */
  answers: Item[];
  /** How the core has asked something else; empty when it has not. */
  strayed: string;
}

const SECRET_BYTES = 32;
const TAG_BYTES_MAX = 20;

/** A provider that answers out of a journal. SHA-256 is the one thing that it has to be able to do. */
export function createRecordedCrypto(
  { sha256 }: Pick<CryptoProvider, "sha256">,
  context: PlayingContext,
): CryptoProvider {
  return {
    workspace: createCryptoWorkspace(),
    sha256,
    ...answeredFunctions(context),
    ...answeredCiphers(context),
    setAeadKey() {},
    setCmKey() {},
    releaseKey() {},
  };
}

function answeredFunctions(context: PlayingContext) {
  return {
    hmacSha256(_key, bytes) {
      return fateOfHmac(bytes) === FATE.SECRET
        ? new Uint8Array(SECRET_BYTES)
        : bytesOf(context, CALL.HMAC_SHA256, SECRET_BYTES);
    },
    hmacSha1(_key, _bytes, _offset, _length, tag) {
      tag.set(bytesOf(context, CALL.HMAC_SHA1, TAG_BYTES_MAX).subarray(0, tag.length), 0);
    },
    aesCmKeystream: (_key, _iv, length) => new Uint8Array(length),
    ecdhPublicKey: () => bytesOf(context, CALL.ECDH_PUBLIC_KEY, SECRET_BYTES),
    ecdhSharedSecret: () => (verdictOf(context, CALL.ECDH_SHARED_SECRET) ? new Uint8Array(SECRET_BYTES) : undefined),
    signEcdsaP256: () => bytesOf(context, CALL.SIGN, 0),
    verifySignature: () => verdictOf(context, CALL.VERIFY),
    createCertificate: () => bytesOf(context, CALL.CERTIFICATE, 0),
  } satisfies Partial<CryptoProvider>;
}

function answeredCiphers(context: PlayingContext) {
  const { lanes } = context.witness;
  return {
    sealAead(handle, _nonce, _aad, _aadOffset, _aadLength, source, sourceOffset, sourceLength, target, targetOffset) {
      witnessSealed(lanes, context.shard, handle, source, sourceOffset, sourceLength);
      target.fill(0, targetOffset, targetOffset + sourceLength + AEAD_TAG_BYTES);
    },
    openAead(_handle, _nonce, _aad, _aadOffset, _aadLength, _source, _offset, sourceLength, target, targetOffset) {
      const item = context.answers.shift();
      if (item?.kind === ITEM.VERDICT && item.call === CALL.OPEN) return false;
      if (
        item?.kind === ITEM.OPENED &&
        item.call === CALL.OPEN &&
        item.bytes.length === sourceLength - AEAD_TAG_BYTES
      ) {
        target.set(item.bytes, targetOffset);
        return true;
      }
      stray(context, CALL.OPEN, item);
      return false;
    },
    cipherCm(handle, _iv, source, sourceOffset, sourceLength, target, targetOffset) {
      if (!isForReading(handle)) {
        witnessSealed(lanes, context.shard, handle, source, sourceOffset, sourceLength);
        target.fill(0, targetOffset, targetOffset + sourceLength);
        return;
      }
      const item = context.answers.shift();
      const fits = item?.kind === ITEM.OPENED && item.call === CALL.CIPHER && item.bytes.length === sourceLength;
      if (fits) target.set(item.bytes, targetOffset);
      else stray(context, CALL.CIPHER, item);
    },
    authCm(handle, bytes, offset, length, _suffix, tag) {
      tag.fill(0);
      if (!isForReading(handle)) return;
      const at = authTagOffset(handle, offset, length);
      // The tag that came in is not in the journal; it fits, or it does not.
      if (verdictOf(context, CALL.AUTH)) for (let i = 0; i < tag.length; i++) tag[i] = bytes[at + i] ?? 0;
      else if (tagStands(tag, bytes, at)) tag.fill(1);
    },
  } satisfies Partial<CryptoProvider>;
}

function bytesOf(context: PlayingContext, call: number, length: number): Uint8Array {
  const item = context.answers.shift();
  if (item?.kind === ITEM.ANSWER && item.call === call) return item.bytes;
  stray(context, call, item);
  return new Uint8Array(length);
}

function verdictOf(context: PlayingContext, call: number): boolean {
  const item = context.answers.shift();
  if (item?.kind === ITEM.VERDICT && item.call === call) return item.holds;
  stray(context, call, item);
  return false;
}

function stray(context: PlayingContext, call: number, item: Item | undefined): void {
  const asked = nameOfCall(call);
  const recorded = item === undefined || !("call" in item) ? "nothing more" : nameOfCall(item.call);
  context.strayed ||= `asks the crypto provider for ${asked} where it was recorded to ask for ${recorded}`;
}

function nameOfCall(call: number): string {
  return Object.entries(CALL).find(([, number]) => number === call)?.[0] ?? "something else";
}
