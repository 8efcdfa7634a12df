/**
 * How an association ends, and how much it takes.
 *
 * What came under the keys is the peer's word and counts at once. What came in plaintext could be anybody's, or damaged, so
 * it never ends a handshake by itself:
 *
 * - A *doubt* is our verdict that an accepted message can't be right (unreadable, no common suite, a wrong signature). A
 *   better copy of the message ends the doubt (inbound.ts). If none has come within `LIMITS.dtlsDoubtMicros`, or twice our
 *   retransmission interval where that is longer, the verdict stands: the alert goes out and the association has failed.
 * - An *alarm* is a fatal alert or a close_notify in plaintext. A peer that gives up falls silent afterwards; so any
 *   handshake message that still comes ends the alarm, and only silence makes it stand.
 *
 * The price: a peer that truly is of no use hears so two seconds late.
 */
import type { DatagramSink } from "../base/datagram-sink.ts";
import { after, type Micros, micros } from "../base/micros.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { LIMITS } from "../limits.ts";
import { ALERT, ALERT_LEVEL } from "../wire/dtls-record.ts";
import { sendAlert } from "./records.ts";
import { type Dtls, dtlsRelease, forgetHandshake } from "./state.ts";

/** Fails the association now: the alert goes out, secrets and key handles are freed. */
export function fail(
  dtls: Dtls,
  crypto: CryptoProvider,
  sink: DatagramSink,
  flow: number,
  alert: number,
  failure: string,
): void {
  sendAlert(dtls, crypto, sink, flow, ALERT_LEVEL.FATAL, alert);
  end(dtls, crypto, "failed", failure);
}

/** Ends the association without a word to the peer. */
export function end(dtls: Dtls, crypto: CryptoProvider, status: "closed" | "failed", failure: string): void {
  dtls.status = status;
  dtls.failure = failure;
  dtls.srtp = null;
  dtls.flight = [];
  forgetHandshake(dtls);
  dtlsRelease(dtls, crypto);
}

/** Holds a verdict upon plaintext until a better copy or its deadline comes. A later verdict keeps the first deadline. */
export function doubt(dtls: Dtls, now: Micros, alert: number, failure: string): void {
  const patience = Math.max(LIMITS.dtlsDoubtMicros, 2 * dtls.retransmitWaitMicros);
  dtls.doubt = { alert, failure, deadline: dtls.doubt?.deadline ?? after(now, micros(patience)) };
}

/** Takes an alert that came in plaintext during a handshake. */
export function takePlainAlert(dtls: Dtls, now: Micros, level: number, description: number): void {
  const closes = description === ALERT.CLOSE_NOTIFY;
  if (!closes && level !== ALERT_LEVEL.FATAL) return;
  dtls.alarm ??= {
    status: closes ? "closed" : "failed",
    failure: closes ? "" : alertSentence(description),
    deadline: after(now, LIMITS.dtlsDoubtMicros),
  };
}

/** Takes an alert that came under the keys: the peer's word. A close_notify is answered with one (RFC 5246 §7.2.1). */
export function takeSealedAlert(
  dtls: Dtls,
  crypto: CryptoProvider,
  sink: DatagramSink,
  flow: number,
  level: number,
  description: number,
): void {
  if (description === ALERT.CLOSE_NOTIFY) {
    sendAlert(dtls, crypto, sink, flow, ALERT_LEVEL.WARNING, ALERT.CLOSE_NOTIFY);
    end(dtls, crypto, "closed", "");
  } else if (level === ALERT_LEVEL.FATAL) {
    end(dtls, crypto, "failed", alertSentence(description));
  }
}

function alertSentence(description: number): string {
  return `The peer ended the DTLS association with alert ${description}.`;
}
