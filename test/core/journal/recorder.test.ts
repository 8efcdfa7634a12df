/** Whether a journal holds all that a shard's decisions hang on, and nothing that opens anything. */
import { describe, expect, it } from "vitest";
import { KEY_HANDLE } from "../../../core/crypto/handles.ts";
import { openJournal, type Player, playInput, type ShardInput, shardSnapshot } from "../../../core/index.ts";
import { blankSnapshot } from "../../../core/journal/blank-snapshot.ts";
import { nextItem } from "../../../core/journal/items.ts";
import { createLanes } from "../../../core/journal/lanes.ts";
import { createRecordedCrypto } from "../../../core/journal/recorded-crypto.ts";
import { createRecordingCrypto } from "../../../core/journal/recording-crypto.ts";
import { createNodeCrypto } from "../../../io-crypto/index.ts";
import { percent } from "../../../io-sim/index.ts";
import { attempt } from "../../../io-sim/journal/playback.ts";
import type { Scenario } from "../../../io-sim/story/scenario.ts";
import {
  callOf,
  createMemorySink,
  createSilentOutbox,
  recordCall,
  recordInputs,
} from "../../support/shards/recording.ts";
import { offerOf } from "../../support/wire/offers.ts";

/** Plays a journal to its end; each input has to come out as it was. */
function play(page: Uint8Array): Player {
  const player = openJournal(page, createNodeCrypto(), createSilentOutbox(), attempt);
  for (let played = playInput(player); played !== undefined; played = playInput(player)) {
    expect(played.difference, `input ${played.number}`).toBe("");
  }
  return player;
}

const TWO: Scenario["peers"] = {
  ana: { sends: { camera: "vp8-simulcast", microphone: true }, link: { loss: percent(5) } },
  bob: { receives: { audio: 1, video: 1 }, link: { loss: percent(5) } },
};

describe("a recorded call", () => {
  it.each<[string, Partial<Scenario>]>([
    ["VP8 and sound", {}],
    ["simulcast, loss and retransmissions", { peers: TWO }],
    ["H.264", { peers: { ana: { sends: { camera: "h264" } }, bob: { receives: { video: 1 } } } }],
    ["VP9", { peers: { ana: { sends: { camera: "vp9" } }, bob: { receives: { video: 1 } } } }],
  ])("with %s is played to the same effects by a shard that has no keys", (_name, change) => {
    const { sink, inputs, sent, recorder } = recordCall(change);
    const { counters } = recorder.shard.history;
    const player = play(sink.pages()[0]!);
    expect(player.inputs).toBe(inputs.length);
    expect(player.ending).toEqual({ kind: "closed" });
    expect(player.shard.history.counters).toEqual(counters);
    expect(counters.rtpForwarded).toBeGreaterThan(20);
    expect(sent.length).toBeGreaterThan(counters.rtpForwarded);
  });

  it("can be played from each page on, to the same fingerprint", () => {
    const { sink, inputs } = recordCall({ peers: TWO, runFor: 3_000_000 }, { pageBytes: 6_000 });
    const whole = recordCall({ peers: TWO, runFor: 3_000_000 });
    const players = sink.pages().map(play);
    expect(players.length).toBeGreaterThan(2);
    expect(players.map(({ inputs: last }) => last)).toEqual([
      ...players.slice(1).map(({ firstInput }) => firstInput),
      inputs.length,
    ]);
    expect(players.at(-1)!.lanes).toEqual(play(whole.sink.pages()[0]!).lanes);
  });

  it.each([
    [16, "after half a page", [125_000, 125_000]],
    [17, "after a whole one", [250_000]],
  ])("of %i people goes on in the next journal %s", (people, _when, lengths) => {
    const { boot } = callOf({ runFor: 100_000 });
    const fingerprint = `a=fingerprint:sha-256 ${Array(32).fill("5A").join(":")}`;
    const offer = offerOf([{ kind: "audio", ssrc: 1 }]).replace(/a=fingerprint:.*/g, fingerprint);
    const joins = Array.from({ length: people }, (_, commandId): ShardInput => {
      const command = { type: "join", room: "hall", name: `guest-${commandId}`, offer } as const;
      return { kind: "command", now: boot.now, commandId, command };
    });
    const bytes = new Uint8Array(1_200);
    const address = Uint8Array.of(10, 0, 0, 9);
    const stray: ShardInput = { kind: "datagram", now: boot.now, flow: 9, address, bytes, offset: 0, length: 1_200 };
    const { sink, recorder } = recordInputs(boot, [...joins, ...Array.from({ length: 280 }, () => stray)], {
      pageBytes: 250_000,
    });
    expect(recorder.shard.participants.size).toBe(people);
    const pages = sink.pages().slice(0, -1);
    for (const [index, page] of pages.entries()) expect(page.length).toBeGreaterThanOrEqual(lengths[index]!);
    expect(pages).toHaveLength(lengths.length);
  });

  it("takes a small part of what came in", () => {
    const { sink, inputs } = recordCall();
    const came = inputs.reduce((sum, input) => sum + ("bytes" in input ? input.length : 0), 0);
    expect(sink.pages()[0]!.length).toBeLessThan(came / 3);
  });
});

describe("a snapshot in a journal", () => {
  /** A shard in the middle of a call. */
  function midway() {
    const { boot, inputs } = callOf({ peers: TWO });
    return recordInputs(boot, inputs.slice(0, Math.floor(inputs.length / 2))).recorder;
  }

  it("leaves the shard as it was", () => {
    const { shard } = midway();
    const before = shardSnapshot(shard);
    expect(shard.participants.size).toBe(2);
    const blank = blankSnapshot(shard, (resource) => resource.replaceAll("a", "b"));
    expect(Buffer.compare(blank, before)).not.toBe(0);
    expect(Buffer.compare(shardSnapshot(shard), before)).toBe(0);
  });

  it("has none of its secrets and none of its media", () => {
    const { shard } = midway();
    const secrets: Uint8Array[] = [shard.entropySeed, shard.privateKey];
    for (const { peer, resource, session } of shard.participants.values()) {
      secrets.push(Buffer.from(session.remotePassword));
      const { srtp, dtls, ice } = peer;
      secrets.push(srtp!.readKey, srtp!.readSalt, srtp!.writeKey, srtp!.writeSalt, ice.localKey, Buffer.from(resource));
      secrets.push(dtls.keys!.readKey, dtls.keys!.writeKey);
    }
    const copies = secrets.map((secret) => Buffer.from(secret));
    const [whole, blank] = [shardSnapshot(shard), blankSnapshot(shard, () => "")].map((bytes) => Buffer.from(bytes));
    expect(copies.length).toBe(20);
    for (const [index, copy] of copies.entries()) {
      expect(whole!.includes(copy), `secret ${index} of the whole`).toBe(true);
      expect(blank!.includes(copy), `secret ${index} of the blank`).toBe(false);
    }
  });
});

describe("a journal", () => {
  it("has no key, no password, no resource and no media of the call", () => {
    const { boot, inputs } = callOf({ peers: TWO });
    const { recorder, sink, secrets } = recordInputs(boot, inputs, { pageBytes: 6_000 });
    const page = Buffer.concat(sink.pages());
    const { shard } = recorder;
    for (const secret of [boot.entropySeed, shard.privateKey, ...secrets]) {
      expect(secret.length).toBeGreaterThan(11);
      expect(page.includes(Buffer.from(secret))).toBe(false);
    }
    expect(secrets.length).toBeGreaterThan(14);
    expect(page.includes("ice-pwd:xxxx")).toBe(true);
    expect(page.includes(Buffer.from(shard.certificate))).toBe(true);
  });

  it("tells the player whether a tag fitted, and what was behind it, in AES-CM too", () => {
    const sink = createMemorySink();
    const witness = { lanes: createLanes(), effects: 0 };
    const crypto = createNodeCrypto();
    const recording = createRecordingCrypto(crypto, {
      sink,
      witness,
      pseudonymKey: new Uint8Array(32),
      scratch: new Uint8Array(2_048),
      shard: null,
      flow: 0,
      offset: 0,
    });
    const handle = KEY_HANDLE.SRTCP_READ;
    recording.setCmKey(handle, new Uint8Array(16).fill(1), new Uint8Array(20).fill(2));
    const packet = Uint8Array.from({ length: 60 }, (_, i) => i);
    const tag = new Uint8Array(20);
    crypto.setCmKey(handle, new Uint8Array(16).fill(1), new Uint8Array(20).fill(2));
    crypto.authCm(handle, packet, 0, 46, 7, tag);
    packet.set(tag.subarray(0, 10), 50);
    const iv = new Uint8Array(16);
    recording.authCm(handle, packet, 0, 46, 7, tag);
    const opened = packet.slice();
    recording.cipherCm(handle, iv, packet, 8, 38, opened, 8);
    recording.authCm(handle, packet, 0, 46, 8, tag);
    sink.drain();
    const bytes = sink.pages()[0]!.slice(19 + 8);
    const reader = { bytes, at: 0, now: 0 as never, isCut: false };
    const answers = [nextItem(reader)!, nextItem(reader)!, nextItem(reader)!];
    const recorded = createRecordedCrypto(crypto, { witness, shard: null, strayed: "", answers });
    const blank = new Uint8Array(60);
    const [first, second] = [new Uint8Array(20), new Uint8Array(20)];
    recorded.authCm(handle, blank, 0, 46, 7, first);
    const played = new Uint8Array(60);
    recorded.cipherCm(handle, iv, blank, 8, 38, played, 8);
    recorded.authCm(handle, blank, 0, 46, 8, second);
    expect(first.subarray(0, 10)).toEqual(blank.subarray(50));
    expect(played.subarray(8, 46)).toEqual(opened.subarray(8, 46));
    expect(second.subarray(0, 10)).not.toEqual(blank.subarray(50));
  });
});
