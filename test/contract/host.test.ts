/** Every host keeps the contract: the two over real sockets and the one without time. */
import { describe } from "vitest";
import { createFastHostUnderTest } from "./fast-host-under-test.ts";
import { hostContract } from "./host.ts";
import { createSimHostUnderTest } from "./sim-host-under-test.ts";
import { createUdpHostUnderTest } from "./udp-host-under-test.ts";

describe("the host over UDP", () => hostContract(createUdpHostUnderTest));
describe("the node of the simulator", () => hostContract(createSimHostUnderTest));
// It exists on Linux alone, and there it must.
if (process.platform === "linux") {
  describe("the fast host", () => hostContract(createFastHostUnderTest));
}
