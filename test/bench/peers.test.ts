/** The comparison with Janus as a command: skipped with a sentence where there is none, one table where there is. */
import { afterEach, describe, expect, it } from "vitest";
import { janusVersion } from "../../bench/peers/janus-process.ts";
import type { PeerFigure } from "../../bench/peers/measure-peers.ts";
import { bench, whyNoLoad } from "../support/commands/bench.ts";

const { PATH } = process.env;
afterEach(() => {
  process.env.PATH = PATH;
});

describe("bench peers", () => {
  it("is skipped with a sentence that says what to do where Janus is not installed", async () => {
    process.env.PATH = "/nowhere";
    const { status, stdout, stderr } = await bench("peers");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^Janus is not installed here, .*apt-get install janus\.\n$/);
    const json = await bench("peers", "--json");
    expect(JSON.parse(json.stdout)).toMatchObject({ benchmark: "peers", servers: [] });
  });

  // A test that does not run counts as failed here, and Janus is nobody's duty to have.
  const title = "opens what both have sealed, in one table";
  if (janusVersion() !== "" && whyNoLoad() === "")
    it(title, async () => {
      const words = ["peers", "--subscribers", "3", "--rate", "100", "--seconds", "1", "--json"];
      const { status, stdout, stderr } = await bench(...words);
      expect([status, stderr]).toEqual([0, ""]);
      const { servers } = JSON.parse(stdout) as { servers: PeerFigure[] };
      expect(servers.map(({ server }) => server.split(/[ ,]/)[0])).toEqual(["Lockstep", "Janus"]);
      for (const { verified, wrong } of servers) {
        expect(verified).toBeGreaterThan(0);
        expect(wrong).toBe(0);
      }
    });

  it("takes no packet that Janus would not", async () => {
    const { status, stderr } = await bench("peers", "--size", "1500");
    expect([status, stderr]).toEqual([2, expect.stringMatching(/^--size takes whole numbers of \d+ to 1400/)]);
  });
});
