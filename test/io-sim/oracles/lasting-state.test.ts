/**
 * Whether the oracle knows what a stranger may change of a server's state: what is said in a handshake that is under way, and
 * that alone.
 */
import { describe, expect, it } from "vitest";
import { micros, millis } from "../../../core/base/micros.ts";
import type { Shard } from "../../../core/index.ts";
import { encodeMessage, HANDSHAKE_TYPE } from "../../../core/wire/dtls-handshake.ts";
import {
  ALERT,
  ALERT_LEVEL,
  CONTENT_TYPE,
  RECORD_HEADER_BYTES,
  recordWriteHeader,
} from "../../../core/wire/dtls-record.ts";
import { EVENT_CLASS, schedule } from "../../../io-sim/base/event-loop.ts";
import { at, reconnect, seconds } from "../../../io-sim/index.ts";
import { nodeReceive } from "../../../io-sim/world/node.ts";
import { run } from "../../../io-sim/world/run.ts";
import { smallStory } from "../../support/stories/small-story.ts";

/** Bob and eve are connected. Ana's handshake comes to nothing: what answers her hello is too large for her way. */
const STORY = smallStory({
  peers: {
    ana: { receives: { video: 1 }, joinsLater: true, link: { direction: "down", mtu: 600 } },
    bob: { receives: { video: 1 } },
    eve: { receives: { video: 1 } },
  },
  timeline: [at(seconds(1), "ana makes a new connection", reconnect("ana"))],
  runFor: seconds(2),
});

function record(type: number, epoch: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(RECORD_HEADER_BYTES + body.length);
  recordWriteHeader(bytes, 0, type, epoch, 1_000, body.length);
  bytes.set(body, RECORD_HEADER_BYTES);
  return bytes;
}

const HELLO = record(CONTENT_TYPE.HANDSHAKE, 0, encodeMessage(HANDSHAKE_TYPE.CLIENT_HELLO, 0, new Uint8Array(40)));
const ALARM = record(CONTENT_TYPE.ALERT, 0, Uint8Array.of(ALERT_LEVEL.FATAL, ALERT.HANDSHAKE_FAILURE));
const SEALED = record(CONTENT_TYPE.HANDSHAKE, 1, new Uint8Array(60));
const MEDIA = new Uint8Array(60).fill(0x80);

type Person = "ana" | "bob" | "eve";
type Dtls = NonNullable<ReturnType<Shard["participants"]["get"]>>["peer"]["dtls"];

/** What else there is to it when a stranger throws something. */
interface Circumstances {
  /** Whom mischief is done to by what is thrown; default: whose address it comes from. */
  readonly to?: Person;
  readonly mischief?: (dtls: Dtls) => void;
  /** What comes before it, and is not looked at. */
  readonly before?: readonly Uint8Array[];
}

/** The promise that is broken when a stranger throws this under somebody's address. */
function brokenBy(from: Person, bytes: Uint8Array, { to = from, mischief, before = [] }: Circumstances = {}) {
  let thrown = 0;
  const { broken } = run(STORY, 1, {
    withoutDrain: true,
    onWorld: (world) => {
      const peer = (name: Person) => world.peers.get(name)!;
      const throwIt = () => {
        for (const each of before) nodeReceive(world.node, peer(from).address, each);
        world.attacker.inHand = true;
        nodeReceive(world.node, peer(from).address, bytes);
        world.attacker.inHand = false;
      };
      world.watchers.unshift({
        afterInput: (_input, _effects, { shard }) => {
          if (world.attacker.inHand) mischief?.(shard.participants.get(peer(to).client!.participant)!.peer.dtls);
          else if (world.zeroAt > 0 && world.loop.now > world.zeroAt + seconds(1.5) && thrown++ === 0)
            schedule(world.loop, micros(world.loop.now + millis(1)), EVENT_CLASS.DATAGRAM, throwIt);
        },
      });
    },
  });
  expect(thrown).toBeGreaterThan(0);
  return broken?.promise;
}

describe("what a stranger may change", () => {
  it.each([
    ["another hello", HELLO],
    ["an alert", ALARM],
    ["a record that nothing can open yet", SEALED],
  ])("is what has been said in a handshake which is under way: %s", (_what, bytes) => {
    expect(brokenBy("ana", bytes)).toBeUndefined();
  });

  it("is what counts in a handshake which is under way, and with it the turn: another hello that comes once more", () => {
    expect(brokenBy("ana", HELLO, { before: [HELLO] })).toBeUndefined();
  });

  it("is what means nothing: the scratch with which a record was to be opened", () => {
    expect(brokenBy("bob", SEALED)).toBeUndefined();
  });
});

describe("what no stranger may change", () => {
  const challenge = (dtls: Dtls) => dtls.early.push(new Uint8Array(1));

  it.each<[string, (dtls: Dtls) => void]>([
    ["that it has come to an end", (dtls) => (dtls.status = "connected")],
    ["that it has failed", (dtls) => (dtls.status = "failed")],
    ["whose certificate it is to be", (dtls) => (dtls.remoteFingerprint = new Uint8Array(32))],
    ["the keys that it leads to", (dtls) => (dtls.srtp = {} as NonNullable<Dtls["srtp"]>)],
  ])("is of a handshake which is under way: %s", (_what, mischief) => {
    expect(brokenBy("ana", HELLO, { mischief })).toBe("S12");
  });

  it("is what has been said in a handshake, if he throws anything but DTLS", () => {
    expect(brokenBy("ana", MEDIA, { mischief: challenge })).toBe("S12");
  });

  it("is what has been said in a handshake, if he throws it under another's address", () => {
    expect(brokenBy("bob", SEALED, { to: "ana", mischief: challenge })).toBe("S12");
  });

  it("is an association of which the handshake is over", () => {
    expect(brokenBy("bob", SEALED, { mischief: challenge })).toBe("S12");
    expect(brokenBy("bob", SEALED, { mischief: (dtls) => dtls.writeSequences.push(7) })).toBe("S12");
  });

  it("is one with somebody else", () => {
    expect(brokenBy("ana", HELLO, { to: "eve", mischief: challenge })).toBe("S12");
  });
});
