import { expect, it } from "vitest";
import { createWeriftCipher } from "../../../io-sim/client/media-cipher.ts";

it("a damaged packet that tells of more extensions than it has bytes is refused at once", () => {
  const [localKey, remoteKey] = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)];
  const [localSalt, remoteSalt] = [new Uint8Array(12).fill(3), new Uint8Array(12).fill(4)];
  const cipher = createWeriftCipher({ profile: 7, localKey, localSalt, remoteKey, remoteSalt });
  const bytes = new Uint8Array(1_200).fill(0x10);
  // Version 2 with an extension block of 65,535 words behind the header.
  bytes.set([0x90, 0x60, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xbe, 0xde, 0xff, 0xff]);
  expect(cipher.openRtp(bytes)).toBeUndefined();
});
