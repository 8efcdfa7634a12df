/**
 * Walls around a run: while simulated time passes, the host's clocks, timers and random numbers throw.
 *
 * The core must not reach for them (STYLE 1), and neither may anything else in a world, or a run would not replay. The
 * walls stand while the loop runs, which is all synchronous, and are taken down before control returns. The sentence says
 * whether the core was on the stack, because then the mistake is the worse one. They have a door, for those whom a run asks
 * and whose answers it does not depend on.
 */
import type { CryptoProvider } from "../../core/index.ts";
import { createChecksumCrypto, createNodeCrypto, type WordViews } from "../../io-crypto/index.ts";

/** Who is on the stack. */
export interface GuardState {
  /** The core; the node sets it around each call. */
  coreOnStack: boolean;
  /** Somebody who may look at the host: a slow function of the provider of cryptography, or who hears of progress. */
  outsiderOnStack: boolean;
}

/**
 * The provider, with a door in the wall for its elliptic curves: the library blinds its multiplications with the host's
 * random numbers against side channels. What it answers does not depend on them (RFC 6979, and tests that compare).
 */
export function letProviderOut(state: GuardState, crypto: CryptoProvider): CryptoProvider {
  const open = <Arguments extends unknown[], Result>(act: (...values: Arguments) => Result) => {
    return (...values: Arguments): Result => letOut(state, () => act(...values));
  };
  return {
    ...crypto,
    ecdhPublicKey: open(crypto.ecdhPublicKey),
    ecdhSharedSecret: open(crypto.ecdhSharedSecret),
    signEcdsaP256: open(crypto.signEcdsaP256),
    verifySignature: open(crypto.verifySignature),
    createCertificate: open(crypto.createCertificate),
  };
}

/** The provider of a world with this cipher, let out of the walls; all those of a world share its views of packets. */
export function createGuardedProvider(
  cipher: "real" | "checksum",
  guard: GuardState,
  words: WordViews,
): CryptoProvider {
  const crypto = letProviderOut(guard, createNodeCrypto());
  return cipher === "real" ? crypto : createChecksumCrypto(crypto, words);
}

/** Somebody in a run has reached for the host. It is a mistake of ours and no promise's, so it ends a run at once. */
export class Trespass extends Error {}

/** Lets `act` look at the host although the walls stand. */
export function letOut<T>(state: GuardState, act: () => T): T {
  state.outsiderOnStack = true;
  try {
    return act();
  } finally {
    state.outsiderOnStack = false;
  }
}

/** Runs `act` with the host's globals behind walls, and puts them back whatever happens. */
export function withoutHostGlobals<T>(state: GuardState, act: () => T): T {
  const restore: (() => void)[] = [];
  const trespass = (name: string): never => {
    const who = state.coreOnStack ? "the core" : "the simulated world";
    throw new Trespass(`${who} reached for ${name}: nothing in a run may depend on the host`);
  };
  const wall = (holder: object, key: string, name: string) => {
    const descriptor = Object.getOwnPropertyDescriptor(holder, key);
    if (descriptor === undefined || descriptor.configurable === false) return;
    const look = () => {
      if (!state.outsiderOnStack) trespass(name);
      return descriptor.get === undefined ? descriptor.value : descriptor.get.call(holder);
    };
    Object.defineProperty(holder, key, { configurable: true, enumerable: descriptor.enumerable ?? false, get: look });
    restore.push(() => Object.defineProperty(holder, key, descriptor));
  };
  const host = globalThis as Record<string, unknown>;
  // A getter on Math would turn it into a dictionary for V8, for good: Math.imul takes five times as long from then on.
  const { random } = Math;
  Math.random = () => (state.outsiderOnStack ? random() : trespass("Math.random"));
  restore.push(() => {
    Math.random = random;
  });
  for (const name of TIMERS) wall(host, name, name);
  // Nothing here may load a module of Node when it is looked up, as WebSocket does: that module wants to know the time.
  for (const name of ["Date", "performance", "crypto", "fetch"]) wall(host, name, name);
  const { process } = host as { process?: object };
  if (process !== undefined)
    for (const name of ["hrtime", "uptime", "nextTick"]) wall(process, name, `process.${name}`);
  try {
    return act();
  } finally {
    for (const put of restore.reverse()) put();
  }
}

const TIMERS = [
  "setTimeout",
  "setInterval",
  "setImmediate",
  "clearTimeout",
  "clearInterval",
  "clearImmediate",
  "queueMicrotask",
];
