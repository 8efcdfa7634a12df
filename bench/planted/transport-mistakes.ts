/**
 * Mistakes below the media: ICE, DTLS and SRTP, and what a snapshot has to hold.
 *
 * Some of them nobody would notice in a call, but an attacker.
 */
import { edit, type Mistake } from "./mistake.ts";

/** All mistakes below the media. */
export const TRANSPORT_MISTAKES: readonly Mistake[] = [
  {
    id: "rollover-missed",
    what: "the rollover counter stays behind when sequence numbers wrap",
    story: "counters near their wrap",
    promise: "L3",
    edits: [
      edit(
        "srtp/replay-window.ts",
        "if (last - sequence > HALF_ROUND) return round + ROUND + sequence;",
        "if (last - sequence > HALF_ROUND) return round + sequence;",
      ),
    ],
  },
  {
    id: "replay-taken",
    what: "the replay window is asked and not obeyed",
    story: "a duplicated world",
    promise: "S7",
    edits: [
      edit(
        "srtp/context.ts",
        "return verdict === REPLAY.FRESH ? 0 : verdict === REPLAY.SEEN ? SRTP.REPLAYED : SRTP.TOO_OLD;",
        "return verdict === REPLAY.TOO_OLD ? SRTP.TOO_OLD : 0;",
      ),
    ],
  },
  {
    id: "srtcp-index-reused",
    what: "every 64th SRTCP index seals two packets",
    story: "a clean call",
    promise: "S7",
    edits: [
      edit(
        "srtp/context.ts",
        "session.rtcpSendIndex = index + 1;",
        "session.rtcpSendIndex = index + (index % 64 === 63 ? 0 : 1);",
      ),
    ],
  },
  {
    id: "consent-unproved",
    what: "whoever knows a user name renews its consent, without the password",
    story: "a wrong key",
    promise: "S12",
    edits: [
      edit(
        "ice/agent.ts",
        "  if (!stunIntegrityFits(hmac, agent.localKey, bytes, offset)) {",
        "  agent.consentExpiresAt = after(now, agent.tunables.consentMicros + 1 as Micros);\n  if (!stunIntegrityFits(hmac, agent.localKey, bytes, offset)) {",
      ),
    ],
  },
  {
    id: "unmarked-check-taken",
    what: "a connectivity check without FINGERPRINT is taken, and with it a damaged copy of one",
    story: "a copied check",
    promise: "S12",
    edits: [
      edit(
        "ice/agent.ts",
        "  if (stunFindAttribute(bytes, offset, STUN_ATTRIBUTE.FINGERPRINT) < 0) return ICE.DROPPED;\n",
        "",
      ),
    ],
  },
  {
    id: "fingerprint-not-verified",
    what: "any certificate is as good as the one that was named",
    story: "garbage at the door",
    promise: "S13",
    edits: [
      edit(
        "dtls/server.ts",
        "if (!equalConstantTime(fingerprint, 0, dtls.remoteFingerprint, 0, fingerprint.length)) {",
        "if (fingerprint.length !== dtls.remoteFingerprint.length) {",
      ),
    ],
  },
  {
    id: "flight-not-repeated",
    what: "a handshake message that gets lost is never repeated",
    story: "a lost handshake",
    promise: "L1",
    edits: [
      edit("dtls/flight.ts", "  transmitFlight(dtls, now, crypto, sink, flow);\n  return true;", "  return true;"),
    ],
  },
  {
    id: "consent-outlived",
    what: "somebody who has vanished is sent media for another minute",
    story: "killed without a word",
    promise: "S11",
    edits: [
      edit(
        "ice/agent.ts",
        "return after(heardAt, consentMicros);",
        "return after(heardAt, (3 * consentMicros) as Micros);",
      ),
    ],
  },
  {
    id: "consent-for-all",
    what: "a check that comes from one address counts as consent at all others",
    story: "an address of before",
    promise: "S11",
    edits: [
      edit(
        "ice/agent.ts",
        "  for (const heardAt of agent.heardAt) next = earliest(next, consentEnd(agent.tunables, heardAt));\n",
        "",
      ),
      edit(
        "ice/agent.ts",
        "agent.heardAt.findIndex((heardAt) => now >= consentEnd(agent.tunables, heardAt));",
        "-1 as number;",
      ),
    ],
  },
  {
    id: "path-not-followed",
    what: "somebody who has moved is sent to where he was",
    story: "an address changes",
    promise: "L2",
    edits: [
      edit(
        "ice/agent.ts",
        "if (flow === agent.selectedFlow || !(nominates || selectedIsSilent(agent, now))) return false;",
        "if (agent.selectedFlow >= 0) return false;",
      ),
    ],
  },
  {
    id: "address-kept",
    what: "who lived at an address before is sent to it still",
    story: "a second hand address",
    promise: "S13",
    edits: [edit("sfu/lifecycle.ts", "  if (former !== undefined) iceForgetFlow(former.peer.ice, flow);\n", "")],
  },
  {
    id: "restore-forgets-index",
    what: "a restored server counts its SRTCP packets from zero",
    story: "cut and restored",
    promise: "S7",
    edits: [
      edit(
        "peer/peer.ts",
        "if (peer.srtp !== null) srtpBindKeys(peer.srtp, crypto);\n}\n\n/** Once",
        "if (peer.srtp !== null) srtpBindKeys(Object.assign(peer.srtp, { rtcpSendIndex: 0 }), crypto);\n}\n\n/** Once",
      ),
    ],
  },
  {
    id: "restore-forgets-flows",
    what: "a restored server no longer knows who is where",
    story: "cut and restored",
    promise: "S2",
    edits: [edit("sfu/snapshot.ts", "  return value.shard;", "  value.shard.flows.clear();\n  return value.shard;")],
  },
  {
    id: "restore-forgets-timers",
    what: "a restored server waits for nothing",
    story: "cut and restored",
    promise: "S15",
    edits: [
      edit(
        "sfu/snapshot.ts",
        "  return value.shard;",
        "  Object.assign(value.shard.timers, createShardTables(0).timers);\n  return value.shard;",
      ),
    ],
  },
];
