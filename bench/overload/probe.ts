/**
 * Somebody who knocks at a server twice a second, to see whether it still lets anybody in. He never gets connected, and when
 * he is let in he leaves at once.
 */
import { type OfferedMedia, writeOffer } from "../../io-sim/client/offer.ts";

const KNOCK_MILLIS = 500;

/** What came of knocking. */
export interface Knocks {
  readonly tried: number;
  readonly refused: number;
  /** Of the refusals, those with 503 and a Retry-After. */
  readonly toldWhen: number;
}

/** Somebody who knocks; make him with {@link startProbe}. */
export interface Probe {
  /** What came of knocking since the last question. */
  take(): Knocks;
  stop(): void;
}

const OFFERED: OfferedMedia[] = [{ kind: "audio-slot" }, { kind: "video-slot" }];

/** Knocks at a server until it is told to stop. */
export function startProbe(serverUrl: string): Probe {
  let [tried, refused, toldWhen] = [0, 0, 0];
  const offer = writeOffer(
    { sessionId: "1", ufrag: "probe", password: "p".repeat(24), fingerprint: new Uint8Array(32), cname: "probe" },
    OFFERED,
  );
  const knock = async () => {
    const response = await fetch(`${serverUrl}/api/v1/rooms/probe/participants?name=probe`, {
      method: "POST",
      headers: { "content-type": "application/sdp" },
      body: offer,
    });
    await response.text();
    tried++;
    const location = response.headers.get("location");
    if (response.status === 201 && location !== null) {
      await (await fetch(new URL(location, serverUrl), { method: "DELETE" })).text();
      return;
    }
    refused++;
    if (response.status === 503 && response.headers.has("retry-after")) toldWhen++;
  };
  // A server that ends while somebody knocks has nothing to say; the benchmark tells of that itself.
  const timer = setInterval(() => void knock().catch(() => {}), KNOCK_MILLIS);
  return {
    take() {
      const knocks = { tried, refused, toldWhen };
      [tried, refused, toldWhen] = [0, 0, 0];
      return knocks;
    },
    stop: () => clearInterval(timer),
  };
}
