/** Every host keeps the contract: the one over real sockets and the one without time. */
import { describe } from "vitest";
import { hostContract } from "./host.ts";
import { createSimHostUnderTest } from "./sim-host-under-test.ts";
import { createUdpHostUnderTest } from "./udp-host-under-test.ts";

describe("the host over UDP", () => hostContract(createUdpHostUnderTest));
describe("the node of the simulator", () => hostContract(createSimHostUnderTest));
