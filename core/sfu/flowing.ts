/**
 * Which publications flow, and which of a publication's layers is the best.
 *
 * A browser starts and stops simulcast layers as it pleases, and a muted camera sends nothing at all. What subscribers get
 * is the best layer that flows; when it stops, another one becomes the best and is asked for a keyframe, at which each
 * route goes over.
 */

import { after, type Micros, NEVER } from "../base/micros.ts";
import { buggify } from "../fault-sites.ts";
import { chooseLayer, type LayerView } from "../media/layer-selection.ts";
import { receiveStatisticsBitrate, receiveStatisticsFlowing } from "../media/receive-statistics.ts";
import { setParticipantTimer } from "./deadlines.ts";
import { deliverMail } from "./delivery.ts";
import { postMail, publicationRef, roomRef } from "./mail.ts";
import type { ShardPorts } from "./ports.ts";
import { becomeBest } from "./requests.ts";
import type { OwnPublication, OwnStream, Participant, Shard } from "./state.ts";

/** Takes note that a packet of this stream has come: wakes what sleeps while nothing comes. */
export function noteFlow(shard: Shard, ports: ShardPorts, now: Micros, stream: OwnStream): void {
  const { publication } = stream;
  const { owner } = publication;
  if (publication.best === null) becomeBest(now, stream);
  if (buggify(ports.faults, "flow/start-unnoticed", stream.id)) return;
  if (owner.nextTickAt === NEVER) {
    owner.nextTickAt = after(now, shard.tunables.mediaTickMicros);
    owner.nextTransportFeedbackAt = after(now, shard.tunables.transportFeedbackMicros);
    setParticipantTimer(shard, owner);
  }
  if (!publication.flowing) setFlowing(shard, ports, now, publication, true);
}

/** Looks whether a publication still flows, and which of its layers is the best now. */
export function checkFlow(shard: Shard, ports: ShardPorts, now: Micros, publication: OwnPublication): void {
  let flowing = false;
  for (const { statistics } of publication.streams) {
    if (receiveStatisticsFlowing(statistics, now, shard.tunables.publicationSilentMicros)) flowing = true;
  }
  if (buggify(ports.faults, "flow/seems-silent", publication.id)) flowing = false;
  if (publication.streams.length > 1 && !buggify(ports.faults, "flow/layers-not-compared", publication.id)) {
    chooseBest(shard, publication, now);
  }
  if (flowing !== publication.flowing) setFlowing(shard, ports, now, publication, flowing);
}

/** Takes note that a publication has stopped, until its next packet. */
export function stopFlow(shard: Shard, ports: ShardPorts, now: Micros, publication: OwnPublication): void {
  if (publication.flowing) setFlowing(shard, ports, now, publication, false);
}

/** Says that a publication has stopped because its connection has ended; the caller delivers the mail. */
export function silencePublication(shard: Shard, publication: OwnPublication): void {
  if (publication.flowing) sayFlowing(shard, publication, false);
}

/** Whether anything has come from a participant lately. */
export function isActive({ tunables }: Shard, participant: Participant, now: Micros): boolean {
  for (const publication of participant.publications) {
    for (const { statistics } of publication.streams) {
      if (receiveStatisticsFlowing(statistics, now, tunables.mediaIdleMicros)) return true;
    }
  }
  return false;
}

function chooseBest({ tunables }: Shard, publication: OwnPublication, now: Micros): void {
  const { streams, best } = publication;
  const layers: LayerView[] = streams.map((stream) => ({
    flowing: receiveStatisticsFlowing(stream.statistics, now, tunables.layerSilentMicros),
    pixels: stream.pixels,
    bitrateBps: receiveStatisticsBitrate(stream.statistics, now),
    order: publication.media.rids.indexOf(stream.rid),
  }));
  const chosen = streams[chooseLayer(layers, best === null ? -1 : streams.indexOf(best))];
  // While none flows the last one stays: it is as good a guess as any for what comes back.
  if (chosen !== undefined && chosen !== best) becomeBest(now, chosen);
}

function setFlowing(shard: Shard, ports: ShardPorts, now: Micros, publication: OwnPublication, flowing: boolean): void {
  sayFlowing(shard, publication, flowing);
  deliverMail(shard, ports, now);
}

function sayFlowing(shard: Shard, publication: OwnPublication, flowing: boolean): void {
  publication.flowing = flowing;
  postMail(shard.mail, publicationRef(publication.id, shard.number), roomRef(publication.owner), {
    to: "room",
    type: "flowing",
    publication: publication.id,
    flowing,
  });
}
