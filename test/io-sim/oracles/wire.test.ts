/**
 * Whether the oracle at the server's door knows what the holes in a stream come from, also when the connection that the
 * stream belongs to is no more.
 */
import { describe, expect, it } from "vitest";
import { at, cut, inherit, link, move, percent, reconnect, restart, seconds } from "../../../io-sim/index.ts";
import { createPromiseBook, type PromiseBook } from "../../../io-sim/oracles/promises.ts";
import { createTenants } from "../../../io-sim/oracles/tenants.ts";
import { createWireOracle, type WireOracle } from "../../../io-sim/oracles/wire.ts";
import type { Operation, Plan } from "../../../io-sim/story/plan.ts";
import { run } from "../../../io-sim/world/run.ts";
import { smallStory } from "../../support/stories/small-story.ts";

/** What ends bob's first connection. */
const ENDS: readonly (readonly [string, Operation])[] = [
  ["another one has replaced it", reconnect("bob")],
  ["its process has died", restart({ after: seconds(0.2) })],
];

/** Ana speaks to bob, over a way on which so much is lost; and then his connection ends. */
function callWith(end: Operation, loss: number) {
  return smallStory({
    peers: { ana: { sends: { microphone: true }, link: { direction: "up", loss } }, bob: { receives: { audio: 1 } } },
    timeline: [at(seconds(2), "the connection ends", end)],
  });
}

/** What an oracle says for which so many packets of bob's first connection have never been sent. */
function saidOfHoles(holes: number, story: Plan): string | undefined {
  let book: PromiseBook | undefined;
  let wire: WireOracle | undefined;
  const { broken } = run(story, 1, {
    withoutDrain: true,
    onWorld: (world) => {
      const tenants = createTenants(world);
      book = createPromiseBook(world.loop);
      wire = createWireOracle(world, book, tenants);
      const { transmitted } = wire;
      let packets = 0;
      const hides = (target: string, bytes: Uint8Array) =>
        target.startsWith("10.0.0.2:") && bytes[1] === 111 && ++packets > 20 && packets <= 20 + holes;
      world.watchers.push(tenants, {
        ...wire,
        transmitted: (target, bytes, peer, node) => {
          if (!hides(target, bytes)) transmitted?.(target, bytes, peer, node);
        },
      });
    },
  });
  expect(broken).toBeUndefined();
  wire!.finish();
  return book!.broken?.detail;
}

describe("a hole in a stream", () => {
  it.each(ENDS)("has a reason if the packet was lost on its way in, also when %s", (_what, end) => {
    expect(run(callWith(end, percent(10)), 1).broken).toBeUndefined();
    expect(saidOfHoles(10, callWith(end, percent(40)))).toBeUndefined();
  });

  it("has a reason if its sender had moved and was a stranger, also when the process that counted strangers has died", () => {
    const story = smallStory({
      peers: { ana: { receives: { audio: 1 } }, eve: { sends: { microphone: true } } },
      timeline: [
        at(seconds(4), "eve has another address and does not know", move("eve", "port")),
        at(seconds(5), "the server crashes", restart({ after: seconds(0.5) })),
      ],
      runFor: seconds(5),
    });
    expect(run(story, 1).broken).toBeUndefined();
  });

  it.each(ENDS)("has none if nothing was lost, also when %s", (_what, end) => {
    expect(saidOfHoles(10, callWith(end, 0))).toMatch(
      /^10 packets of SSRC \d+ to bob are missing, but only [01] were lost/,
    );
  });

  it("may be one number for each new connection of the sender, who may have been in the middle of a frame", () => {
    const times = [1.2, 2, 2.8].map((time) => at(seconds(time), "ana's page makes a new connection", reconnect("ana")));
    const story = { ...callWith(reconnect("bob"), 0), steps: smallStory({ timeline: times }).steps };
    expect(saidOfHoles(4, story)).toBeUndefined();
    expect(saidOfHoles(5, story)).toMatch(/^5 packets of SSRC \d+ to bob are missing, but only 4 were lost/);
  });

  it("has a reason while somebody else has the receiver's address and he has no other, and none before", () => {
    const displaced = smallStory({
      peers: { ana: { sends: { microphone: true } }, bob: { receives: { audio: 1 } }, eve: { receives: { audio: 1 } } },
      timeline: [
        at(seconds(1.5), "nothing that bob sends comes through", cut("bob", "up")),
        at(seconds(1.5), "bob has another address", move("bob", "network")),
        at(seconds(1.5), "eve gets the one that he had", inherit("eve", "bob")),
        at(seconds(2.5), "what he sends comes through", link("bob", { direction: "up", cut: false })),
      ],
    });
    expect(saidOfHoles(0, displaced)).toBeUndefined();
    expect(saidOfHoles(10, displaced)).toMatch(/^10 packets of SSRC \d+ to bob are missing, but only [01] were lost/);
  });

  it("has a reason where he consents no longer to the address that he had before, until he is heard again", () => {
    const displaced = smallStory({
      peers: { ana: { sends: { microphone: true } }, bob: { receives: { audio: 1 } }, eve: { receives: { audio: 1 } } },
      timeline: [
        at(seconds(1.5), "bob has another address", move("bob", "network")),
        at(seconds(4.2), "nothing that bob sends comes through", cut("bob", "up")),
        at(seconds(4.2), "bob has another address", move("bob", "network")),
        at(seconds(4.2), "eve gets the one that he had", inherit("eve", "bob")),
        at(seconds(32.5), "what he sends comes through", link("bob", { direction: "up", cut: false })),
      ],
      runFor: seconds(34),
    });
    expect(saidOfHoles(0, displaced)).toBeUndefined();
    expect(saidOfHoles(10, displaced)).toMatch(/^10 packets of SSRC \d+ to bob are missing, but only [01] were lost/);
  });
});
