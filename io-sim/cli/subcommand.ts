/**
 * The frame around each of the simulator's commands: flags in, exit status out, wrong use in one sentence.
 */
import { Command } from "commander";
import { EXIT, explainMisuse } from "./misuse.ts";

/** A command without flags yet, whose help ends with an example; it throws where commander would end the process. */
export function createSubcommand(name: string, description: string, example: string): Command {
  return new Command(`lockstep ${name}`)
    .description(description)
    .exitOverride()
    .showHelpAfterError(false)
    .configureOutput({ writeErr: () => {} })
    .addHelpText("after", `\nExample: ${example}`);
}

/** Reads the words, lets `act` do what they ask for (arguments first, then options), and answers the exit status. */
export async function answer(
  command: Command,
  words: readonly string[],
  act: (...given: never[]) => number | Promise<number>,
): Promise<number> {
  let status: number = EXIT.HELD;
  // What commander hands over is what the command has declared.
  command.action(async (...given: unknown[]) => {
    status = await act(...(given as never[]));
  });
  try {
    await command.parseAsync([...words], { from: "user" });
    return status;
  } catch (error) {
    return explainMisuse(error, command.name());
  }
}
