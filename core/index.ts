/**
 * The public face of the core: what a host needs to run a shard, and nothing of how it works inside. See core/README.md
 * for the contract and a host in thirty lines.
 */
export { assert } from "./base/assert.ts";
export type { DatagramSink } from "./base/datagram-sink.ts";
export {
  createFingerprint,
  type Fingerprint,
  fingerprintBytes,
  fingerprintHex,
  fingerprintNumber,
  fingerprintText,
} from "./base/fingerprint.ts";
export { keyedBelow, keyedUint32 } from "./base/keyed-random.ts";
export {
  after,
  between,
  MICROS_ORIGIN,
  type Micros,
  micros,
  millis,
  NEVER,
  seconds,
  type WallMicros,
} from "./base/micros.ts";
export { decodePlain } from "./base/plain-decode.ts";
export { encodePlain } from "./base/plain-encode.ts";
export { ENTROPY_SEED_BYTES } from "./crypto/entropy.ts";
export {
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  type CryptoProvider,
  NAMED_GROUP,
  type NamedGroup,
} from "./crypto/provider.ts";
export { type ErrorCode, LockstepError } from "./errors.ts";
export { CORE_SITES, type Faults } from "./fault-sites.ts";
export {
  BEHIND,
  closingFrame,
  FRAME_HEADER_BYTES,
  JOURNAL_MEMORY_BYTES,
  type JournalSink,
  journalFrame,
  journalTitle,
  type Program,
} from "./journal/format.ts";
export { isJournal, openJournal, type Played, type Player, playerFingerprint, playInput } from "./journal/player.ts";
export { createRecorder, type Recorder, recordEnd, recordFailure, recordHandle } from "./journal/recorder.ts";
export { LIMITS } from "./limits.ts";
export type { CandidateAddress } from "./peer/negotiated.ts";
export type { Counters } from "./sfu/counters.ts";
export type { LeaveReason, ParticipantView, PublicationView, ShardEvent, SlotView } from "./sfu/events.ts";
export { shardOf } from "./sfu/ids.ts";
export {
  createShardLooks,
  disagreementIn,
  excessIn,
  type Finding,
  lookAtShard,
  lossIn,
  STATE_PROMISES,
  type StatePromise,
  wildEstimateIn,
} from "./sfu/invariants.ts";
export { isRoomName } from "./sfu/join.ts";
export {
  type BootRecord,
  type Command,
  type CommandInput,
  type CommandReply,
  createDatagramInput,
  createRelayInput,
  type DatagramInput,
  type FirstNumbers,
  type Outbox,
  type RefusalCode,
  type RelayInput,
  type Scheduler,
  type ShardConfig,
  type ShardInput,
  type ShardLostInput,
  type ShardPorts,
  type TimerInput,
  VIDEO_PARTS,
} from "./sfu/ports.ts";
export { FIRST_COME_FIRST_SERVED, seededScheduler } from "./sfu/scheduler.ts";
export { createShard, shardHandle, shardNextTimeout } from "./sfu/shard.ts";
export { emptyShardResidue, shardResidue, shardRestore, shardSnapshot } from "./sfu/snapshot.ts";
export type { Shard } from "./sfu/state.ts";
export {
  createTunables,
  type Knobs,
  TUNABLE_NAMES,
  TUNABLES,
  type Tunable,
  type TunableName,
  type Tunables,
  tunablesTrouble,
  USUAL_TUNABLES,
} from "./tunables.ts";
