#!/usr/bin/env node
/**
 * The command `lockstep`: finds the subcommand and hands it the rest of the words.
 *
 * This file is plain JavaScript and imports nothing that it may not need, so that `lockstep --help` answers at once. The
 * subcommands are TypeScript and run as they lie there: the server in one piece, as calls may wait for it to begin, and the
 * others module by module through tsx, since stories import what the simulator is running. A subcommand's module exports
 * `main(words: string[]): Promise<number>`, whose answer is the exit status: 0 it held, 1 a promise was broken or the
 * command has failed, 2 wrong use.
 */
import { readFileSync } from "node:fs";

/** What ends a server. Until its own code hears them, they end it at once: there is nobody yet to say goodbye to. */
const ENDS = ["SIGTERM", "SIGINT"];

const SIMULATOR = "./io-sim/cli/main.ts";

/** Each subcommand: its module, and a line of help. The simulator's module has several, and is told which. */
const COMMANDS = new Map([
  ["serve", { module: "./io-node/main.ts", help: "serve calls: a page, an API and media" }],
  ["sim", { module: SIMULATOR, help: "run stories in the simulated world" }],
  ["replay", { module: SIMULATOR, help: "run a story again from its seed, or a journal" }],
  ["diff", { module: SIMULATOR, help: "find the first event in which two runs part" }],
  ["export", { module: SIMULATOR, help: "write a run for Wireshark, Perfetto or a browser" }],
  ["explore", { module: SIMULATOR, help: "search new worlds for broken promises" }],
  ["explain", { module: SIMULATOR, help: "say why a promise broke" }],
  ["shrink", { module: SIMULATOR, help: "make a world in which a promise breaks small" }],
  ["bench", { module: "./bench/main.ts", help: "measure what it costs" }],
]);

const HELP = `lockstep: a self-hostable WebRTC SFU that replays to the byte

Usage: lockstep <command> [flags]

${[...COMMANDS].map(([name, { help }]) => `  ${name.padEnd(8)} ${help}`).join("\n")}

  --help     show this; "lockstep <command> --help" shows a command's flags
  --version  show the version
`;

async function run([name, ...words]) {
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    (name === undefined ? process.stderr : process.stdout).write(HELP);
    return name === undefined ? 2 : 0;
  }
  if (name === "--version" || name === "-V") {
    const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
    process.stdout.write(`${version}\n`);
    return 0;
  }
  const command = COMMANDS.get(name);
  if (command === undefined) {
    const { didYouMean } = await load("./io-sim/cli/nearest.ts");
    const question = didYouMean(name, [...COMMANDS.keys()]);
    process.stderr.write(`lockstep: there is no command "${name}"; "lockstep --help" lists them.${question}\n`);
    return 2;
  }
  if (name === "serve") return serve(command.module, words);
  const { main } = await load(command.module);
  return main(command.module === SIMULATOR ? [name, ...words] : words);
}

/** A module of TypeScript. */
async function load(module) {
  const { register } = await import("tsx/esm/api");
  register();
  return import(module);
}

async function serve(module, words) {
  const end = () => process.exit(0);
  for (const signal of ENDS) process.on(signal, end);
  const { runBundled } = await import("./bundle.mjs");
  const status = runBundled(new URL(module, import.meta.url), "lockstep-serve.js").main(words);
  // It hears them itself by now.
  for (const signal of ENDS) process.off(signal, end);
  return status;
}

// Whoever reads the output may stop reading: `lockstep replay … | head`.
process.stdout.on("error", (error) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

process.exitCode = await run(process.argv.slice(2));
