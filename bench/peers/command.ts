/**
 * `lockstep bench peers`: the same fan-out through Lockstep and through Janus, where that is installed, in one table.
 */
import { LIMITS } from "../../core/index.ts";
import { EXIT } from "../../io-sim/cli/misuse.ts";
import { answer, createSubcommand } from "../../io-sim/cli/subcommand.ts";
import { describeMachine, type Machine, machineLine } from "../machine.ts";
import { addNumbers, type NumberTexts, RATE, readNumbers, SECONDS, SIZE } from "../numbers.ts";
import { FLAGS, measuring } from "../words.ts";
import type { PeerFigure, PeersOptions } from "./measure-peers.ts";

/** Janus drops what is longer than it expects of the network. */
const PACKET_BYTES_MAX = 1_400;

const NUMBERS = {
  subscribers: {
    help: "subscribers of one publisher's video",
    usual: 100,
    least: 1,
    greatest: LIMITS.participantsPerRoomMax - 1,
  },
  rate: { ...RATE, help: "packets a second that are published", usual: 400 },
  size: { ...SIZE, usual: 1_100, greatest: PACKET_BYTES_MAX },
  seconds: { ...SECONDS, usual: 5 },
} as const;

const NO_JANUS =
  "Janus is not installed here, so there is nothing to compare with: on Debian and Ubuntu, apt-get install janus.";

type Flags = NumberTexts<typeof NUMBERS> & { readonly json?: boolean };

/** Runs `bench peers …`. */
export function benchPeers(words: readonly string[]): Promise<number> {
  const command = addNumbers(
    createSubcommand(
      "bench peers",
      "Measure the same fan-out through Lockstep and through Janus.",
      "lockstep bench peers --subscribers 50",
    ),
    NUMBERS,
  ).option(...FLAGS.json);
  return answer(command, words, measure);
}

async function measure(flags: Flags): Promise<number> {
  const { subscribers, rate, size, seconds } = readNumbers(flags, NUMBERS);
  const options: PeersOptions = { subscribers, packetsPerSecond: rate, packetBytes: size, seconds };
  // Loaded only now, so that help and wrong use are answered at once.
  const { janusVersion } = await import("./janus-process.ts");
  const { measureJanus, measureLockstep } = await import("./measure-peers.ts");
  const isJson = flags.json === true;
  const machine = describeMachine();
  if (janusVersion() === "") {
    const skipped = { benchmark: "peers", machine, options, skipped: NO_JANUS, servers: [] };
    process.stdout.write(isJson ? `${JSON.stringify(skipped)}\n` : `${NO_JANUS}\n`);
    return EXIT.HELD;
  }
  return measuring(async (progress) => {
    progress("Lockstep", 0);
    const lockstep = await measureLockstep(options);
    progress("Janus", 0.5);
    const servers = [lockstep, await measureJanus(options)];
    progress("", 1);
    const report = { benchmark: "peers", machine, options, servers };
    process.stdout.write(isJson ? `${JSON.stringify(report)}\n` : peersText(machine, options, servers));
    return servers.some(({ wrong }) => wrong > 0) ? EXIT.BROKEN : EXIT.HELD;
  });
}

function peersText(machine: Machine, options: PeersOptions, servers: readonly PeerFigure[]): string {
  const { subscribers, packetsPerSecond, packetBytes, seconds } = options;
  const lines = [
    `Machine     ${machineLine(machine)}`,
    `Load        one publisher, ${packetsPerSecond} packets/s of ${packetBytes} bytes, to ${subscribers} subscribers; ${seconds} s each`,
    "            Janus forwards by rtp_forward with SRTP to plain ports; Lockstep to WebRTC subscribers",
    "",
    `${"server".padEnd(22)}${"cipher".padEnd(26)}packets/s   µs/packet    user   system   loss %   delay ms: p50     p99   load's core`,
    ...servers.map(figureLine),
  ];
  for (const { server, wrong, verified } of servers) {
    if (wrong > 0) lines.push(`Wrong: ${wrong} of ${verified} packets of ${server} were not what was sent.`);
  }
  return `${lines.join("\n")}\n`;
}

function figureLine(figure: PeerFigure): string {
  const millis = (micros: number) => (micros / 1_000).toFixed(2);
  return [
    figure.server.padEnd(22),
    figure.cipher.padEnd(26),
    Math.round(figure.packetsPerSecond).toLocaleString("en").padStart(9),
    figure.cpuMicrosPerForwardedPacket.toFixed(2).padStart(12),
    figure.userMicrosPerForwardedPacket.toFixed(2).padStart(8),
    figure.systemMicrosPerForwardedPacket.toFixed(2).padStart(9),
    (figure.lossRatio * 100).toFixed(2).padStart(9),
    millis(figure.addedDelayMicros.p50).padStart(16),
    millis(figure.addedDelayMicros.p99).padStart(8),
    `${Math.round(figure.generatorBusy * 100)} %`.padStart(14),
  ].join("");
}
