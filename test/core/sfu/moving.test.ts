import { describe, expect, it } from "vitest";
import { micros } from "../../../core/base/micros.ts";
import { iceSendFlow } from "../../../core/ice/agent.ts";
import { USUAL_TUNABLES } from "../../../core/tunables.ts";
import {
  check,
  command,
  createShardWorld,
  datagram,
  join,
  pass,
  type ShardWorld,
  sayGoodbye,
  sealRtp,
  sendRtp,
} from "../../support/shards/shard-world.ts";
import { vp8Packet } from "../../support/wire/media.ts";
import { offerOf } from "../../support/wire/offers.ts";

const VIDEO = offerOf([{ kind: "video", ssrc: 2000, rtxSsrc: 2001 }]);
const WATCH = offerOf([{ kind: "video" }]);

/** The participants of whom the shard has said that their path has changed, with the flow, in order. */
function pathChanges(world: ShardWorld) {
  return world.events.flatMap((event) => (event.type === "path-changed" ? [[event.participant, event.flow]] : []));
}

function pair() {
  const world = createShardWorld();
  const ana = join(world, { name: "ana", offer: VIDEO });
  const bob = join(world, { name: "bob", offer: WATCH });
  sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 10, keyframe: true }));
  return { world, ana, bob };
}

describe("a peer that moves to another address", () => {
  it("is sent to there once an authenticated check has come from there", () => {
    const { world, ana, bob } = pair();
    check(world, bob, 900);
    sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 11 }));
    expect(bob.rtp).toHaveLength(2);
    expect(world.shard.participants.get(bob.participant)!.peer.ice.selectedFlow).toBe(900);
  });

  it("is sent nothing at an address that did not get known, for that may be somebody else's by then", () => {
    const { world: plain, ana, bob } = pair();
    const former = bob.flow;
    let fails = true;
    const faults = { fires: (site: string) => fails && site === "door/flow-not-adopted" };
    const world = { ...plain, ports: { ...plain.ports, faults } };
    check(world, bob, 900);
    const { ice } = world.shard.participants.get(bob.participant)!.peer;
    expect(world.released).toContain(900);
    expect([ice.flows.includes(900), ice.selectedFlow, pathChanges(world)]).toEqual([false, former, []]);
    fails = false;
    check(world, bob, 901);
    sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 11 }));
    expect(bob.rtp).toHaveLength(2);
    expect(pathChanges(world)).toEqual([[bob.participant, 901]]);
  });

  it("is not moved by media from an address that no check has come from", () => {
    const { world, ana, bob } = pair();
    const sealed = sealRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 11 }));
    datagram(world, 901, sealed);
    expect(bob.rtp).toHaveLength(1);
    expect(world.released).toContain(901);
    expect(world.shard.history.counters.datagramsFromStrangers).toBe(1);
  });

  it("loses a flow that another peer's check has taken, and hears nothing on it any more", () => {
    const { world, ana, bob } = pair();
    const eve = join(world, { name: "eve", offer: WATCH, connect: false });
    const former = bob.flow;
    bob.flow = -1;
    check(world, eve, former);
    eve.datagrams.length = 0;
    sendRtp(world, ana, vp8Packet({ ssrc: 2000, sequence: 11 }));
    expect(eve.datagrams).toHaveLength(0);
    expect(world.shard.flows.get(former)?.id).toBe(eve.participant);
  });

  it("is not sent to where it was before for longer than it consented there, though its new flow was taken from it", () => {
    const { world, bob } = pair();
    const former = bob.flow;
    const half = micros(USUAL_TUNABLES.consentMicros / 2);
    pass(world, half);
    check(world, bob, 900);
    check(world, join(world, { name: "eve", offer: WATCH, connect: false }), 900);
    const { ice } = world.shard.participants.get(bob.participant)!.peer;
    expect(iceSendFlow(ice)).toBe(former);
    pass(world, half);
    expect(iceSendFlow(ice)).toBe(-1);
    expect([world.shard.flows.has(former), world.released.includes(former)]).toEqual([false, true]);
    expect(world.shard.participants.has(bob.participant)).toBe(true);
    check(world, bob, 901);
    expect(iceSendFlow(ice)).toBe(901);
  });

  it("is said to have moved, once for each address", () => {
    const { world, bob } = pair();
    for (const flow of [900, 900, 901, 900]) check(world, bob, flow);
    const moves = [900, 901, 900].map((flow) => [bob.participant, flow]);
    expect(pathChanges(world)).toEqual(moves);
  });

  it("is not said to have moved when it has only just come", () => {
    const { world, bob } = pair();
    expect(world.shard.participants.get(bob.participant)!.connected).toBe(true);
    expect(pathChanges(world)).toEqual([]);
  });
});

describe("the flow of somebody who is gone", () => {
  it("is released once, however he went", () => {
    const { world, ana, bob } = pair();
    world.heard = [];
    sayGoodbye(world, ana);
    // Once for each datagram: what comes after the goodbye comes from a stranger, whose flow is released at once.
    expect(world.released).toEqual(world.heard.map(() => ana.flow));
    world.heard.length = 0;
    command(world, { type: "leave", room: "room", resource: bob.resource });
    expect(world.released.filter((flow) => flow === bob.flow)).toHaveLength(1 + world.heard.length);
  });
});
