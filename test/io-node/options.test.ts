import { describe, expect, it } from "vitest";
import { parseServeOptions } from "../../io-node/options.ts";

const options = (words: string[], environment = {}) => {
  const parsed = parseServeOptions(words, environment);
  if (parsed.kind !== "options") throw new Error(JSON.stringify(parsed));
  return parsed.options;
};

const sentence = (words: string[], environment = {}) => {
  const parsed = parseServeOptions(words, environment);
  return parsed.kind === "wrong" ? parsed.sentence : `not wrong: ${JSON.stringify(parsed)}`;
};

describe("the settings of serve", () => {
  it("have defaults that work", () => {
    expect(options([])).toEqual({
      httpPort: 8_080,
      httpHost: undefined,
      udpPort: 40_000,
      publicAddresses: [],
      io: "auto",
      priority: "raised",
      shards: undefined,
      journal: undefined,
      journalLimit: 256,
      logLevel: "info",
    });
  });

  it("come from flags", () => {
    const words = [
      "--http-port",
      "80",
      "--http-host",
      "::1",
      "--udp-port=0",
      "--io",
      "fast",
      "--priority",
      "normal",
      "--shards",
      "3",
      "--journal",
      "journals",
      "--journal-limit=64",
      "--log-level",
      "silent",
    ];
    const addresses = ["--public-address", "203.0.113.5", "--public-address", "2001:db8::5"];
    expect(options([...words, ...addresses])).toEqual({
      httpPort: 80,
      httpHost: "::1",
      udpPort: 0,
      publicAddresses: ["203.0.113.5", "2001:db8::5"],
      io: "fast",
      priority: "normal",
      shards: 3,
      journal: "journals",
      journalLimit: 64,
      logLevel: "silent",
    });
  });

  it("come from the environment", () => {
    const environment = {
      LOCKSTEP_HTTP_PORT: "81",
      LOCKSTEP_HTTP_HOST: "127.0.0.1",
      LOCKSTEP_UDP_PORT: "3478",
      LOCKSTEP_PUBLIC_ADDRESS: "203.0.113.5, 2001:db8::5",
      LOCKSTEP_IO: "portable",
      LOCKSTEP_PRIORITY: "normal",
      LOCKSTEP_SHARDS: "2",
      LOCKSTEP_JOURNAL: "/var/lib/journals",
      LOCKSTEP_JOURNAL_LIMIT: "4",
      LOCKSTEP_LOG_LEVEL: "debug",
    };
    expect(options([], environment)).toEqual({
      httpPort: 81,
      httpHost: "127.0.0.1",
      udpPort: 3_478,
      publicAddresses: ["203.0.113.5", "2001:db8::5"],
      io: "portable",
      priority: "normal",
      shards: 2,
      journal: "/var/lib/journals",
      journalLimit: 4,
      logLevel: "debug",
    });
  });

  it("prefer the flag to the environment", () => {
    expect(options(["--udp-port", "5000"], { LOCKSTEP_UDP_PORT: "6000" }).udpPort).toBe(5_000);
    const addresses = options(["--public-address", "192.0.2.1"], {
      LOCKSTEP_PUBLIC_ADDRESS: "192.0.2.2",
    }).publicAddresses;
    expect(addresses).toEqual(["192.0.2.1"]);
  });

  it("take an empty variable for none", () => {
    expect(options([], { LOCKSTEP_HTTP_PORT: "", LOCKSTEP_PUBLIC_ADDRESS: " " })).toEqual(options([]));
  });
});

describe("wrong use of serve", () => {
  it.each([
    [
      ["--http-port", "99999"],
      '--http-port must be a port from 0 to 65535 (0 lets the system choose), and "99999" is not.',
    ],
    [["--udp-port", "1e3"], '--udp-port must be a port from 0 to 65535 (0 lets the system choose), and "1e3" is not.'],
    [["--http-port", "-1"], '--http-port must be a port from 0 to 65535 (0 lets the system choose), and "-1" is not.'],
    [
      ["--public-address", "0.0.0.0"],
      '--public-address must be an address that clients can send to, and "0.0.0.0" is not.',
    ],
    [
      ["--public-address", "224.0.0.1"],
      '--public-address must be an address that clients can send to, and "224.0.0.1" is not.',
    ],
    [
      ["--public-address", "[ff02::1]:4000"],
      '--public-address must be an address that clients can send to, and "[ff02::1]:4000" is not.',
    ],
    [["--public-address", "::"], '--public-address must be an address that clients can send to, and "::" is not.'],
    [
      ["--public-address", "example.org"],
      '--public-address must be an IPv4 or IPv6 address, with :port if need be, and "example.org" is not.',
    ],
    [["--http-host", "a b"], '--http-host must be an address or a host name, and "a b" is not.'],
    [["--io", "turbo"], '--io must be one of auto, fast, portable, and "turbo" is not.'],
    [["--priority", "low"], '--priority must be one of raised, normal, and "low" is not.'],
    [["--shards", "0"], '--shards must be a number from 1 to 256, and "0" is not.'],
    [["--shards", "257"], '--shards must be a number from 1 to 256, and "257" is not.'],
    [["--shards", "9", "--udp-port", "65530"], "There are no 9 ports from --udp-port 65530 on; choose a lower one."],
    [["--log-level", "loud"], /^--log-level must be one of trace, .*, and "loud" is not\.$/],
    [["--http-prot", "1"], /^Unknown option '--http-prot' \(Did you mean --http-port\?\); /],
    [["--journal-limit", "64"], "--journal-limit bounds what --journal keeps, and no directory for journals is named."],
    [["--nope"], "Unknown option '--nope'; \"lockstep serve --help\" lists the flags."],
    [["--journal", ""], '--journal must be a directory, and "" is not.'],
    ...["3", "1048577", "1e3"].map((limit): [string[], string] => [
      ["--journal-limit", limit],
      `--journal-limit must be a number of MiB from 4 to 1048576, and "${limit}" is not.`,
    ]),
    [["--http-port"], /argument missing; "lockstep serve --help" lists the flags\.$/],
    [["room"], /; "lockstep serve --help" lists the flags\.$/],
  ])("%j is answered with a sentence", (words, expected) => {
    if (typeof expected === "string") expect(sentence(words)).toBe(expected);
    else expect(sentence(words)).toMatch(expected);
  });

  it("names the variable when the mistake is in the environment", () => {
    expect(sentence([], { LOCKSTEP_UDP_PORT: "none" })).toMatch(/^LOCKSTEP_UDP_PORT must be a port/);
    expect(sentence([], { LOCKSTEP_PUBLIC_ADDRESS: "192.0.2.1,here" })).toMatch(
      /^LOCKSTEP_PUBLIC_ADDRESS .* "here" is not\.$/,
    );
  });

  it("is not to ask for help, which names every flag and variable and ends with an example", () => {
    const parsed = parseServeOptions(["--help"], {});
    const text = parsed.kind === "help" ? parsed.text : "";
    for (const word of ["--http-port", "--udp-port", "--public-address", "LOCKSTEP_LOG_LEVEL", "40000"]) {
      expect(text).toContain(word);
    }
    const [example, ...before] = text.trimEnd().split("\n").reverse();
    const [, words] = /^Example: lockstep serve (.*)$/.exec(example!) ?? [];
    expect([before[0], options(words!.split(" ")).publicAddresses]).toEqual(["", ["203.0.113.5"]]);
  });
});
