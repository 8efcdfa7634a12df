/**
 * Whom a shard has to take for the tenant of an address: the client whose check it answered there last.
 *
 * Addresses change hands, and a server can know that only from checks. What a peer leaves behind is its own until somebody
 * else has been answered there; and as a flow is a pair of addresses, each shard has a tenant of its own at the same
 * address of a client: nobody has told one shard what another was told.
 */
import type { DatagramInput } from "../../core/index.ts";
import { type Client, checkedUfrag } from "../client/client.ts";
import type { SfuNode } from "../world/node.ts";
import type { Effect } from "../world/recording-outbox.ts";
import type { World, WorldWatcher } from "../world/world.ts";

/** The type of a STUN binding success response (RFC 8489 §5). */
const BINDING_SUCCESS = 0x0101;

/** Who lives where; a watcher, which has to hear of each input before those that ask it. */
export interface Tenants extends WorldWatcher {
  /** The tenant of this address as this shard has to see it, or undefined when it has answered nobody there. */
  at(node: SfuNode, address: string): Client | undefined;
  /**
   * When there last was, or had until then been, no way to this client; or 0. A shard took the address where it was heard last
   * for another's, and may know no other, or only one to which the client has not consented for long.
   */
  displacedAt(client: Client): number;
  /** When the shard has answered a check there last, or 0. Whether the answer came through is not its affair. */
  checkedAt(node: SfuNode, address: string): number;
  /** The tenant of the address that the datagram in hand comes from; undefined when it is a stranger who sent it. */
  senderOn(node: SfuNode, flow: number): Client | undefined;
}

/** What is known of an address. */
interface Tenancy {
  client: Client | undefined;
  checkedAt: number;
}

/** The tenants of a world in which nobody has been answered yet. */
export function createTenants(world: World): Tenants {
  const byNode = new Map<SfuNode, Map<string, Tenancy>>();
  const displaced = new Map<Client, number>();
  // Several oracles ask about each packet, one after the other.
  const last = { node: undefined as SfuNode | undefined, address: "", tenancy: undefined as Tenancy | undefined };
  function tenancyAt(node: SfuNode, address: string): Tenancy | undefined {
    if (last.node === node && last.address === address) return last.tenancy;
    last.node = node;
    last.address = address;
    last.tenancy = byNode.get(node)?.get(address);
    return last.tenancy;
  }
  function beginTenancy(node: SfuNode, address: string): Tenancy {
    const ofNode = byNode.get(node) ?? new Map<string, Tenancy>();
    const tenancy = { client: undefined, checkedAt: 0 };
    byNode.set(node, ofNode.set(address, tenancy));
    last.node = undefined;
    return tenancy;
  }
  const at = (node: SfuNode, address: string) => tenancyAt(node, address)?.client;
  return {
    at,
    displacedAt: (client) => displaced.get(client) ?? 0,
    checkedAt: (node, address) => tenancyAt(node, address)?.checkedAt ?? 0,
    senderOn: (node, flow) => (world.attacker.inHand ? undefined : at(node, node.addresses[flow]?.text ?? "")),
    crashed() {
      byNode.clear();
      last.node = undefined;
    },
    afterInput(input, effects, node) {
      if (input.kind !== "datagram" || input.bytes[input.offset]! > 3) return;
      const address = node.addresses[input.flow]?.text;
      if (address === undefined || !isAnswered(effects, input.flow)) return;
      const tenancy = tenancyAt(node, address) ?? beginTenancy(node, address);
      const { client: former, checkedAt } = tenancy;
      const { now } = world.loop;
      // Strangers have no check of their own; whom they copied lives where he lived.
      const client = world.attacker.inHand ? former : (whoChecks(world, input) ?? former);
      const tenancies = byNode.get(node)!;
      if (client !== undefined && displaced.has(client)) {
        const consents = isHeardAfter(tenancies, client, now - world.tunables.consentMicros);
        if (!consents) displaced.set(client, now);
      }
      tenancy.client = client;
      tenancy.checkedAt = now;
      if (former === undefined || former === client) return;
      if (!isHeardAfter(tenancies, former, checkedAt)) displaced.set(former, now);
    },
  };
}

/** Whether a client has an address where it was heard after a moment. */
function isHeardAfter(tenancies: ReadonlyMap<string, Tenancy>, client: Client, after: number): boolean {
  for (const tenancy of tenancies.values()) if (tenancy.client === client && tenancy.checkedAt > after) return true;
  return false;
}

/** It stands alone because what a function keeps for a closure is made whenever it is called. */
function isAnswered(effects: readonly Effect[], flow: number): boolean {
  return effects.some((effect) => effect.kind === "transmit" && effect.flow === flow && isBindingSuccess(effect.bytes));
}

/** Whether a datagram says that a check was in order. */
export function isBindingSuccess(bytes: Uint8Array): boolean {
  return bytes.length > 1 && ((bytes[0]! << 8) | bytes[1]!) === BINDING_SUCCESS;
}

/** The client whose check this is: it has the server's fragment from its answer. */
function whoChecks(world: World, { bytes, offset, length }: DatagramInput): Client | undefined {
  const ufrag = checkedUfrag(bytes, offset, length);
  if (ufrag === undefined) return undefined;
  for (const { clients } of world.peers.values()) {
    for (let i = 0; i < clients.length; i++) if (clients[i]!.answer?.ufrag === ufrag) return clients[i];
  }
  return undefined;
}
