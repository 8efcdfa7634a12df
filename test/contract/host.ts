/**
 * What the core relies on in any host (core/sfu/ports.ts), as a suite that runs on each of them around a real shard. A
 * host is seen from its two sides: by clients that send and receive datagrams, and by a record of the inputs that the
 * shard was given and of what it wanted done.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { utf8Encode } from "../../core/base/text.ts";
import { createDtls, dtlsStart } from "../../core/dtls/dtls.ts";
import {
  type Command,
  type CommandReply,
  LIMITS,
  type Micros,
  millis,
  NEVER,
  type ShardInput,
} from "../../core/index.ts";
import { parseSdp } from "../../core/wire/sdp.ts";
import { stunReadMappedAddress, stunWriteBindingRequest } from "../../core/wire/stun.ts";
import { createNodeCrypto } from "../../io-crypto/index.ts";
import { attributeOf } from "../support/shards/shard-world.ts";
import { offerOf } from "../support/wire/offers.ts";

/** One input that a shard was given. */
export interface Step {
  readonly kind: ShardInput["kind"];
  readonly now: Micros;
  /** The time for which the shard had asked for a timer before this input. */
  readonly askedFor: Micros;
  /** Of a datagram; -1 otherwise. */
  readonly flow: number;
  /** Of a datagram; empty otherwise. */
  readonly address: string;
  /** Of a command; 0 otherwise. */
  readonly commandId: number;
  /** What the shard wanted done, in order. */
  readonly transmitted: { readonly flow: number; readonly bytes: Uint8Array }[];
  readonly released: number[];
  readonly replies: CommandReply[];
}

/** A host around a new shard, and clients 0, 1, 2 and so on with an address each. */
export interface HostUnderTest {
  /** Everything so far, oldest first. */
  readonly steps: readonly Step[];
  /** Sends a datagram from a client to the host. */
  send(client: number, bytes: Uint8Array): void;
  /** What has come to a client. */
  received(client: number): readonly Uint8Array[];
  /** A client's address as the core sees it: IP and port in network order. */
  addressOf(client: number): Uint8Array;
  /** Gives the shard a command; resolves with its reply. */
  command(command: Command): Promise<CommandReply>;
  /** Lets time pass until the condition holds. */
  until(condition: () => boolean): Promise<void>;
  /** Lets this much time pass. */
  pass(span: Micros): Promise<void>;
  /** Ends the host. */
  stop(): Promise<void>;
}

const CLIENTS = 8;
const FINGERPRINT = Array(32).fill("AB").join(":");
const OFFER = offerOf([{ kind: "video", ssrc: 1 }, { kind: "video" }]).replace(
  /a=fingerprint:.*/g,
  `a=fingerprint:sha-256 ${FINGERPRINT}`,
);

/** Runs the suite on hosts for `clients` clients. */
export function hostContract(create: (clients: number) => Promise<HostUnderTest>): void {
  let host: HostUnderTest;
  let stopped: boolean;

  beforeEach(async () => {
    host = await create(CLIENTS);
    stopped = false;
  });

  afterEach(async () => {
    if (!stopped) await host.stop();
  });

  describe("commands", () => commands(() => host));
  describe("flows", () => flows(() => host));
  describe("time", () => time(() => host));

  it("once stopped hands over nothing, sends nothing and wakes nobody", async () => {
    const { check } = await joined(host);
    host.send(0, clientHello());
    host.send(0, check(1));
    host.send(0, clientHello());
    await host.until(() => host.received(0).length >= 2);
    await host.stop();
    stopped = true;
    const [steps, received] = [host.steps.length, host.received(0).length];
    host.send(0, check(2));
    // Longer than the first retransmission of a handshake takes.
    await host.pass(millis(300));
    expect([host.steps.length, host.received(0).length]).toEqual([steps, received]);
  });
}

function commands(subject: () => HostUnderTest): void {
  it("bring one reply each, whatever comes of them", async () => {
    const host = subject();
    const first = await host.command({ type: "join", room: "blue", name: "ana", offer: OFFER });
    expect(first.type).toBe("joined");
    const resource = first.type === "joined" ? first.resource : "";
    const replies = [
      await host.command({ type: "join", room: "blue", name: "ana", offer: "no offer" }),
      await host.command({ type: "join", room: "no room!", name: "ana", offer: OFFER }),
      await host.command({ type: "leave", room: "red", resource }),
      await host.command({ type: "leave", room: "blue", resource }),
      await host.command({ type: "leave", room: "blue", resource }),
      await host.command({ type: "drain" }),
      await host.command({ type: "join", room: "blue", name: "ana", offer: OFFER }),
    ];
    expect(replies.map((reply) => (reply.type === "refused" ? reply.code : reply.type))).toEqual([
      "bad-sdp",
      "bad-room-name",
      "not-found",
      "left",
      "not-found",
      "drained",
      "draining",
    ]);
    const given = host.steps.filter((step) => step.kind === "command");
    expect(given.map((step) => step.replies.map((reply) => reply.commandId))).toEqual(
      given.map((step) => [step.commandId]),
    );
    expect(new Set(given.map((step) => step.commandId)).size).toBe(8);
  });

  it("give a participant a new connection, whose flow and answer take the place of the old one's", async () => {
    const host = subject();
    const { check, resource } = await joined(host);
    host.send(0, check(1));
    await host.until(() => host.received(0).length === 1);
    const command = { type: "reconnect", room: "blue", resource, connection: 1, offer: OFFER } as const;
    const reply = await host.command(command);
    if (reply.type !== "reconnected") throw new Error(`not reconnected: ${reply.type}`);
    expect(reply.participant).toBe(1);
    const [former] = host.steps.filter((step) => step.kind === "datagram");
    expect(host.steps.at(-1)!.released).toEqual([former!.flow]);
    expect(await host.command(command)).toMatchObject({ type: "refused", code: "stale-connection" });
    // The old name is nobody's; the new one is answered where the old one was.
    host.send(0, check(2));
    host.send(0, checksOf(reply.answer)(3));
    // A goodbye to the connection before comes there as well.
    const answered = () =>
      host
        .received(0)
        .filter((bytes) => bytes[0] === 1)
        .map((bytes) => bytes[8]);
    await host.until(() => answered().includes(3));
    expect(answered()).toEqual([1, 3]);
  });

  it("that are given at once all bring their replies, in their order", async () => {
    const host = subject();
    const order: number[] = [];
    await Promise.all(
      [0, 1, 2, 3].map(async (index) => {
        await host.command({ type: "join", room: `room-${index}`, name: "", offer: OFFER });
        order.push(index);
      }),
    );
    expect(order).toEqual([0, 1, 2, 3]);
  });
}

function flows(subject: () => HostUnderTest): void {
  it("lead an answer back to the address that asked, which is the one that the shard was told", async () => {
    const host = subject();
    const { check } = await joined(host);
    for (const client of [0, 1, 2]) host.send(client, check(client));
    await host.until(() => [0, 1, 2].every((client) => host.received(client).length === 1));
    for (const client of [0, 1, 2]) {
      const [answer] = host.received(client);
      expect([...answer!.slice(8, 20)]).toEqual([...check(client).slice(8, 20)]);
      const mapped = new Uint8Array(18);
      const length = stunReadMappedAddress(answer!, 0, mapped);
      expect(mapped.slice(0, length)).toEqual(host.addressOf(client));
    }
  });

  it("stay with their address, and differ between addresses", async () => {
    const host = subject();
    const { check } = await joined(host);
    for (const client of [3, 4, 3, 5, 4, 3]) {
      const count = host.steps.length;
      host.send(client, check(client));
      await host.until(() => host.steps.length > count);
    }
    const used = host.steps.filter((step) => step.kind === "datagram").map((step) => step.flow);
    const [a, b, , c] = used;
    expect(used).toEqual([a, b, a, c, b, a]);
    expect(new Set([a, b, c]).size).toBe(3);
  });

  it("are given to another address only after the shard has released them", async () => {
    const host = subject();
    const { check } = await joined(host);
    // Strangers come and go between somebody who stays.
    for (const client of [1, 0, 2, 3, 0, 4, 1, 0, 5, 6]) {
      const count = host.steps.length;
      host.send(client, client === 0 ? check(count) : Uint8Array.of(0xff, client));
      await host.until(() => host.steps.length > count);
    }
    const holders = new Map<number, string>();
    let used = 0;
    for (const { kind, flow, address, released } of host.steps) {
      if (kind === "datagram") {
        expect(holders.get(flow) ?? address).toBe(address);
        if (!holders.has(flow)) expect([...holders.values()]).not.toContain(address);
        holders.set(flow, address);
        used = Math.max(used, flow + 1);
      }
      for (const each of released) holders.delete(each);
    }
    expect([...holders.values()]).toEqual([host.addressOf(0).join()]);
    // Small numbers: what is released is used again.
    expect(used).toBeLessThanOrEqual(2);
  });

  it("are released once, not twice", async () => {
    const host = subject();
    const { check, resource } = await joined(host);
    host.send(0, check(0));
    host.send(1, check(1));
    await host.until(() => host.received(1).length === 1 && host.received(0).length === 1);
    await host.command({ type: "leave", room: "blue", resource });
    const released = host.steps.flatMap((step) => step.released);
    expect(released.toSorted((a, b) => a - b)).toEqual(
      host.steps
        .filter(({ kind }) => kind === "datagram")
        .map(({ flow }) => flow)
        .toSorted((a, b) => a - b),
    );
  });

  it("take a datagram of the greatest length, and answer behind it", async () => {
    const host = subject();
    const { check } = await joined(host);
    host.send(0, new Uint8Array(LIMITS.datagramBytesMax).fill(0xff));
    host.send(0, check(7));
    await host.until(() => host.received(0).length === 1);
    expect(host.steps.filter((step) => step.kind === "datagram")).toHaveLength(2);
  });

  it("carry what is sent to one address in the order in which it was sent", async () => {
    const host = subject();
    const { check } = await joined(host);
    const count = 40;
    for (let i = 0; i < count; i++) host.send(i % 2, check(i));
    await host.until(() => host.received(0).length + host.received(1).length === count);
    for (const client of [0, 1]) {
      const flow = host.steps.find((step) => step.address === host.addressOf(client).join())!.flow;
      const wanted = host.steps.flatMap((step) => step.transmitted).filter((each) => each.flow === flow);
      expect(host.received(client)).toEqual(wanted.map((each) => each.bytes));
      expect(wanted).toHaveLength(count / 2);
    }
  });
}

function time(subject: () => HostUnderTest): void {
  it("never goes back from one input to the next", async () => {
    const host = subject();
    const { check } = await joined(host);
    for (let i = 0; i < 20; i++) host.send(i % 4, i % 3 === 0 ? Uint8Array.of(1) : check(i));
    await host.until(() => host.steps.length >= 21);
    for (let i = 1; i < host.steps.length; i++) {
      expect(host.steps[i]!.now).toBeGreaterThanOrEqual(host.steps[i - 1]!.now);
    }
  });

  it("wakes the shard when it has asked for that, and not before", async () => {
    const host = subject();
    const { check } = await joined(host);
    host.send(0, check(0));
    await host.until(() => host.received(0).length === 1);
    // Nobody answers the server's flight, so it is sent again after a while, and then after twice as long.
    host.send(0, clientHello());
    const woken = () => host.steps.filter((step) => step.kind === "timer");
    await host.until(() => host.received(0).length >= 4);
    expect(woken().filter((step) => step.transmitted.length > 0).length).toBeGreaterThanOrEqual(2);
    for (const step of woken()) expect(step.now).toBeGreaterThanOrEqual(step.askedFor);
  });

  it("passes in silence while the shard waits for nothing", async () => {
    const host = subject();
    expect(host.steps).toEqual([]);
    await host.pass(millis(50));
    await host.command({ type: "drain" });
    await host.pass(millis(50));
    expect(host.steps.map((step) => [step.kind, step.askedFor])).toEqual([["command", NEVER]]);
  });
}

/** Somebody has joined: checks that his client would send, different for each number. */
async function joined(host: HostUnderTest) {
  const reply = await host.command({ type: "join", room: "blue", name: "ana", offer: OFFER });
  if (reply.type !== "joined") throw new Error(`not joined: ${reply.type}`);
  return { check: checksOf(reply.answer), resource: reply.resource };
}

/** Checks that a client with this answer would send. */
function checksOf(sdp: string): (number: number) => Uint8Array {
  const crypto = createNodeCrypto();
  const answer = parseSdp(sdp);
  if (!answer.ok) throw new Error(answer.detail);
  return (number) => {
    const bytes = new Uint8Array(256);
    const length = stunWriteBindingRequest(crypto, bytes, 0, {
      transactionId: Uint8Array.of(number, number >> 8, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
      username: `${attributeOf(answer.session, "ice-ufrag")}:test`,
      key: utf8Encode(attributeOf(answer.session, "ice-pwd")),
      priority: 1,
      controlling: true,
      tieBreakerHigh: 1,
      tieBreakerLow: 2,
      useCandidate: false,
    });
    return bytes.slice(0, length);
  };
}

/** The datagram with which a client's DTLS handshake begins. */
function clientHello(): Uint8Array {
  const crypto = createNodeCrypto();
  const privateKey = new Uint8Array(32).fill(9);
  const now = millis(9_000_000);
  const dtls = createDtls({
    role: "client",
    certificate: crypto.createCertificate(privateKey),
    privateKey,
    remoteFingerprint: new Uint8Array(32),
    secret: new Uint8Array(32).fill(1),
    keyHandleBase: 0,
    now,
  });
  const sent: Uint8Array[] = [];
  const sendBytes = new Uint8Array(LIMITS.datagramBytesMax);
  const transmit = (_flow: number, offset: number, length: number) =>
    void sent.push(sendBytes.slice(offset, offset + length));
  dtlsStart(dtls, now, crypto, { sendBytes, reserve: () => 0, transmit }, 0);
  return sent[0]!;
}
