import { describe, expect, it } from "vitest";
import { hexEncode } from "../../../core/base/text.ts";
import { pseudoRandom, srtpKeys } from "../../../core/dtls/key-schedule.ts";
import { hex } from "../../support/wire/hex.ts";
import { crypto } from "./rig.ts";

describe("the pseudo-random function of TLS 1.2", () => {
  it("gives the hundred bytes of the well-known SHA-256 vector", () => {
    const secret = hex("9bbe436ba940f017b17652849a71db35");
    const seed = hex("a0ba9f936cda311827a6f796ffd5198c");
    expect(hexEncode(pseudoRandom(crypto, secret, "test label", seed, 100))).toBe(
      "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a" +
        "6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab" +
        "4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701" +
        "87347b66",
    );
  });

  it("gives a shorter answer that begins the same", () => {
    const secret = new Uint8Array(48).fill(1);
    const seed = new Uint8Array(64).fill(2);
    const long = pseudoRandom(crypto, secret, "a label", seed, 100);
    for (const length of [1, 31, 32, 33, 64, 99]) {
      expect(pseudoRandom(crypto, secret, "a label", seed, length)).toEqual(long.slice(0, length));
    }
  });
});

describe("SRTP keys", () => {
  const master = new Uint8Array(48).fill(1);
  const client = new Uint8Array(32).fill(2);
  const server = new Uint8Array(32).fill(3);

  it("have salts of 12 bytes for GCM and of 14 for counter mode", () => {
    expect(srtpKeys(crypto, 7, master, client, server).serverSalt).toHaveLength(12);
    expect(srtpKeys(crypto, 1, master, client, server).serverSalt).toHaveLength(14);
  });

  it("stand in the order client key, server key, client salt, server salt", () => {
    const keys = srtpKeys(crypto, 1, master, client, server);
    const randoms = new Uint8Array(64).fill(2, 0, 32).fill(3, 32);
    const material = pseudoRandom(crypto, master, "EXTRACTOR-dtls_srtp", randoms, 60);
    expect(hexEncode(material)).toBe(
      [keys.clientKey, keys.serverKey, keys.clientSalt, keys.serverSalt].map(hexEncode).join(""),
    );
  });
});
