/**
 * The last station: the receiving host, which may hand over several packets at once.
 *
 * Network cards gather packets before they interrupt, and busy hosts read their sockets late. The first packet that comes
 * opens a batch; what comes until the batch is handed over waits in the receive buffer, and is lost when that is full.
 */
import { micros } from "../../core/index.ts";
import { EVENT_CLASS, schedule } from "../base/event-loop.ts";
import { drop, enter, type Link, leave, type Packet } from "./state.ts";

/** What the receiving host remembers. */
export interface ReceiverState {
  /** The batch that waits, oldest first, with the times of arrival. */
  batch: { readonly packet: Packet; readonly at: number }[];
  bytes: number;
}

/** A host that has received nothing. */
export function createReceiver(): ReceiverState {
  return { batch: [], bytes: 0 };
}

/** A packet has come to the host: hands it over, or lets it wait for its batch. */
export function receive(link: Link, packet: Packet): void {
  const { receiver, plan, loop } = link;
  enter(link.counted.stations.receiver);
  if (plan.batchMicros === 0 && receiver.batch.length === 0) {
    handOver(link, packet, 0);
    return;
  }
  if (receiver.bytes + packet.bytes.length > plan.receiveBufferBytes) {
    drop(link, "receiver", packet, "receive-buffer");
    return;
  }
  receiver.batch.push({ packet, at: loop.now });
  receiver.bytes += packet.bytes.length;
  if (receiver.batch.length === 1) handOverLater(link);
}

function handOverLater(link: Link): void {
  const { loop, plan, lane } = link;
  schedule(loop, micros(loop.now + plan.batchMicros), EVENT_CLASS.DATAGRAM, () => handOverBatch(link), lane);
}

function handOverBatch(link: Link): void {
  const { receiver, loop } = link;
  const { batch } = receiver;
  receiver.batch = [];
  receiver.bytes = 0;
  for (const { packet, at } of batch) handOver(link, packet, loop.now - at);
}

function handOver(link: Link, packet: Packet, waitedMicros: number): void {
  const { counted } = link;
  leave(counted.stations.receiver, waitedMicros);
  counted.underWay--;
  counted.delivered++;
  counted.deliveredBytes += packet.bytes.length;
  link.deliver(packet);
}
