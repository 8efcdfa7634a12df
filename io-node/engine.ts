/**
 * A shard as its host sees it, and what every host is made of besides its sockets: the portable host (udp-host.ts) and the
 * fast one (fast/loop.ts) drive the same engine and tell the same listeners.
 */
import type {
  CommandReply,
  CryptoProvider,
  Faults,
  Micros,
  ShardEvent,
  ShardInput,
  ShardPorts,
} from "../core/index.ts";
import type { Clock } from "./clock.ts";

/** A shard as its host sees it. */
export interface Engine {
  handle(ports: ShardPorts, input: ShardInput): void;
  nextTimeout(): Micros;
  /** It gets no more inputs, because its host ends and not because it has failed. */
  end?(): void;
}

/** What a host drives, what it drives it with, and who hears of it. */
export interface EngineParts {
  readonly engine: Engine;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly onReply: (reply: CommandReply) => void;
  readonly onEvent: (event: ShardEvent) => void;
  /** The shard has thrown, and gets no more inputs. */
  readonly onFailure: (error: unknown) => void;
  /** Failures to inject, for tests; a host that serves people has none. */
  readonly faults?: Faults | undefined;
}
