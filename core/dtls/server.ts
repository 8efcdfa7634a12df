/**
 * The server's side of the handshake (RFC 6347 §4.2.4, RFC 5246 §7.3): what a browser talks to.
 *
 *     ClientHello                                          ->
 *          <-  ServerHello Certificate ServerKeyExchange CertificateRequest ServerHelloDone
 *     Certificate ClientKeyExchange CertificateVerify [ChangeCipherSpec] Finished  ->
 *          <-  [ChangeCipherSpec] Finished
 *
 * The client's second flight is judged as a whole: its Finished, sealed under keys that cover every message up to the
 * ClientKeyExchange, vouches for what came in plaintext. Only then the fingerprint and the signature are looked at, and
 * what they say is final. ChangeCipherSpec carries nothing that the epoch of a record does not say, so it is sent but never
 * waited for. No session is ever resumed. A client that also speaks TLS 1.3 gets DTLS 1.2 without the downgrade sentinel of
 * RFC 8446 §4.1.3: that mark is for servers which speak 1.3 too, and makes such clients give up.
 */

import { must } from "../base/assert.ts";
import { concatBytes, equalConstantTime } from "../base/bytes.ts";
import type { DatagramSink } from "../base/datagram-sink.ts";
import { type Micros, NEVER } from "../base/micros.ts";
import { type CryptoProvider, NAMED_GROUP, type NamedGroup } from "../crypto/provider.ts";
import { encodeMessage, HANDSHAKE_TYPE } from "../wire/dtls-handshake.ts";
import {
  CIPHER_SUITE_ECDHE_ECDSA_AES_128_GCM,
  CIPHER_SUITE_RENEGOTIATION_SIGNAL,
  type ClientHello,
  encodeServerHello,
  noExtensions,
  POINT_FORMAT_UNCOMPRESSED,
  parseClientHello,
  SIGNATURE_SCHEME,
} from "../wire/dtls-hello.ts";
import {
  CERTIFICATE_TYPE,
  encodeCertificateRequest,
  encodeCertificates,
  encodeServerKeyExchange,
  encodeServerKeyParameters,
  parseCertificates,
  parseCertificateVerify,
  parseClientKeyExchange,
} from "../wire/dtls-messages.ts";
import { ALERT, DTLS_VERSION } from "../wire/dtls-record.ts";
import { doubt, fail } from "./ending.ts";
import { changeCipherSpecItem, messageItem, startFlight, startLastFlight } from "./flight.ts";
import { inboundBody, inboundMessages } from "./inbound.ts";
import { masterSecret, recordKeys, srtpKeys, verifyData } from "./key-schedule.ts";
import { ecdhPrivateKey, helloRandom, SCHEMES, SRTP_PROFILES } from "./ours.ts";
import { CLIENT_PLACE, type Dtls, type Exchange, forgetHandshake, SERVER_PLACE, useKeys } from "./state.ts";

/** What the server settles upon. */
type Choice =
  | { readonly ok: true; readonly group: NamedGroup; readonly srtpProfile: number }
  | { readonly ok: false; readonly alert: number; readonly failure: string };

/** Goes on with the handshake after the message at `place` was accepted. */
export function serverAdvance(
  dtls: Dtls,
  now: Micros,
  crypto: CryptoProvider,
  sink: DatagramSink,
  flow: number,
  place: number,
): void {
  if (place === CLIENT_PLACE.HELLO) answerHello(dtls, now, crypto, sink, flow);
  if (place !== CLIENT_PLACE.FINISHED) agreeOnKeys(dtls, now, crypto);
  judgeFinished(dtls, now, crypto, sink, flow);
}

function answerHello(dtls: Dtls, now: Micros, crypto: CryptoProvider, sink: DatagramSink, flow: number): void {
  dtls.exchange = null;
  dtls.keys = null;
  dtls.flight = [];
  dtls.retransmitAt = NEVER;
  const hello = parseClientHello(must(inboundBody(dtls.inbound, CLIENT_PLACE.HELLO), "a ClientHello was accepted"));
  const choice = hello ? choose(hello) : refuse(ALERT.DECODE_ERROR, "The ClientHello can't be read.");
  if (!hello || !choice.ok) {
    if (!choice.ok) doubt(dtls, now, choice.alert, choice.failure);
    return;
  }
  dtls.doubt = null;
  dtls.exchange = {
    clientRandom: hello.random,
    serverRandom: helloRandom(dtls, crypto),
    group: choice.group,
    srtpProfile: choice.srtpProfile,
    masterSecret: new Uint8Array(0),
  };
  const flight = serverFlight(dtls, crypto, hello, choice.group, dtls.exchange);
  startFlight(dtls, now, crypto, sink, flow, flight);
}

/** Settles the version, suite, group and profile, or says why that can't be done. */
function choose(hello: ClientHello): Choice {
  const { extensions } = hello;
  const isDtls12 = hello.version >> 8 === 0xfe && hello.version <= DTLS_VERSION.V1_2;
  if (!isDtls12) return refuse(ALERT.PROTOCOL_VERSION, "The client does not speak DTLS 1.2.");
  if (!hello.compressionMethods.includes(0))
    return refuse(ALERT.ILLEGAL_PARAMETER, "The client insists on compression.");
  if (!hello.cipherSuites.includes(CIPHER_SUITE_ECDHE_ECDSA_AES_128_GCM)) {
    return refuse(ALERT.HANDSHAKE_FAILURE, "The client does not offer ECDHE-ECDSA with AES-128-GCM.");
  }
  if (!extensions.extendedMasterSecret) {
    return refuse(ALERT.HANDSHAKE_FAILURE, "The client does not offer the extended master secret.");
  }
  if (extensions.renegotiationInfo !== null && extensions.renegotiationInfo.length > 0) {
    return refuse(ALERT.HANDSHAKE_FAILURE, "The client wants to renegotiate in a first handshake.");
  }
  if (extensions.pointFormats !== null && !extensions.pointFormats.includes(POINT_FORMAT_UNCOMPRESSED)) {
    return refuse(ALERT.ILLEGAL_PARAMETER, "The client does not take uncompressed points.");
  }
  if (!extensions.signatureSchemes?.includes(SIGNATURE_SCHEME.ECDSA_P256_SHA256)) {
    return refuse(ALERT.HANDSHAKE_FAILURE, "The client does not take ECDSA signatures with P-256 and SHA-256.");
  }
  const srtpProfile = SRTP_PROFILES.find((profile) => extensions.srtpProfiles?.includes(profile));
  if (srtpProfile === undefined) return refuse(ALERT.HANDSHAKE_FAILURE, "The client offers no SRTP profile of ours.");
  // A client without a list of groups takes any (RFC 8422 §4); one that old is most likely to know P-256.
  const groups: readonly number[] = extensions.groups ?? [NAMED_GROUP.P256];
  if (groups.includes(NAMED_GROUP.X25519)) return { ok: true, group: NAMED_GROUP.X25519, srtpProfile };
  if (groups.includes(NAMED_GROUP.P256)) return { ok: true, group: NAMED_GROUP.P256, srtpProfile };
  return refuse(ALERT.HANDSHAKE_FAILURE, "The client offers neither X25519 nor P-256.");
}

function refuse(alert: number, failure: string): Choice {
  return { ok: false, alert, failure };
}

function serverFlight(
  dtls: Dtls,
  crypto: CryptoProvider,
  hello: ClientHello,
  group: NamedGroup,
  exchange: Exchange,
): Dtls["flight"] {
  const { extensions: offered } = hello;
  const signalled = hello.cipherSuites.includes(CIPHER_SUITE_RENEGOTIATION_SIGNAL);
  const serverHello = encodeServerHello({
    version: DTLS_VERSION.V1_2,
    random: exchange.serverRandom,
    sessionId: new Uint8Array(0),
    cipherSuite: CIPHER_SUITE_ECDHE_ECDSA_AES_128_GCM,
    compressionMethod: 0,
    extensions: {
      ...noExtensions(),
      extendedMasterSecret: true,
      renegotiationInfo: signalled || offered.renegotiationInfo ? new Uint8Array(0) : null,
      pointFormats: offered.pointFormats ? [POINT_FORMAT_UNCOMPRESSED] : null,
      srtpProfiles: [exchange.srtpProfile],
    },
  });
  const publicKey = crypto.ecdhPublicKey(group, ecdhPrivateKey(dtls, crypto, group));
  const parameters = encodeServerKeyParameters(group, publicKey);
  const scheme = SIGNATURE_SCHEME.ECDSA_P256_SHA256;
  const signed = concatBytes(exchange.clientRandom, exchange.serverRandom, parameters);
  const signature = crypto.signEcdsaP256(dtls.privateKey, signed);
  const request = encodeCertificateRequest({
    certificateTypes: [CERTIFICATE_TYPE.ECDSA_SIGN, CERTIFICATE_TYPE.RSA_SIGN],
    signatureSchemes: [...SCHEMES],
  });
  const { HELLO, CERTIFICATE, KEY_EXCHANGE, REQUEST, DONE } = SERVER_PLACE;
  const exchangeBody = encodeServerKeyExchange({ group, publicKey, scheme, signature });
  return [
    encodeMessage(HANDSHAKE_TYPE.SERVER_HELLO, HELLO, serverHello),
    encodeMessage(HANDSHAKE_TYPE.CERTIFICATE, CERTIFICATE, encodeCertificates([dtls.certificate])),
    encodeMessage(HANDSHAKE_TYPE.SERVER_KEY_EXCHANGE, KEY_EXCHANGE, exchangeBody),
    encodeMessage(HANDSHAKE_TYPE.CERTIFICATE_REQUEST, REQUEST, request),
    encodeMessage(HANDSHAKE_TYPE.SERVER_HELLO_DONE, DONE, new Uint8Array(0)),
  ].map((message) => messageItem(message, 0));
}

/** Draws the record keys once the client's messages before its Finished are there. */
function agreeOnKeys(dtls: Dtls, now: Micros, crypto: CryptoProvider): void {
  const { exchange, inbound } = dtls;
  if (exchange === null) return;
  dtls.keys = null;
  const certificateBody = inboundBody(inbound, CLIENT_PLACE.CERTIFICATE);
  const keyBody = inboundBody(inbound, CLIENT_PLACE.KEY_EXCHANGE);
  if (certificateBody && parseCertificates(certificateBody)?.length === 0) {
    doubt(dtls, now, ALERT.HANDSHAKE_FAILURE, "The client has no certificate.");
  }
  if (!certificateBody || !keyBody || inboundBody(inbound, CLIENT_PLACE.VERIFY) === undefined) return;
  const clientKey = parseClientKeyExchange(keyBody);
  const group = exchange.group as NamedGroup;
  const shared = clientKey && crypto.ecdhSharedSecret(group, ecdhPrivateKey(dtls, crypto, group), clientKey);
  if (!shared) {
    doubt(dtls, now, ALERT.ILLEGAL_PARAMETER, "The client's key share is no point of the group.");
    return;
  }
  dtls.doubt = null;
  exchange.masterSecret = masterSecret(crypto, shared, transcript(dtls, CLIENT_PLACE.KEY_EXCHANGE));
  const { clientRandom, serverRandom } = exchange;
  useKeys(dtls, crypto, recordKeys(crypto, "server", exchange.masterSecret, clientRandom, serverRandom));
}

/** The hello, our flight, and the client's messages up to the place `last`. */
function transcript(dtls: Dtls, last: number): Uint8Array {
  const messages = must(inboundMessages(dtls.inbound, CLIENT_PLACE.HELLO, last), "the client's messages are there");
  const [hello, ...others] = messages;
  return concatBytes(must(hello, "a hello comes first"), ...dtls.flight.map((item) => item.bytes), ...others);
}

function judgeFinished(dtls: Dtls, now: Micros, crypto: CryptoProvider, sink: DatagramSink, flow: number): void {
  const { exchange, inbound } = dtls;
  const finished = inboundBody(inbound, CLIENT_PLACE.FINISHED);
  if (exchange === null || dtls.keys === null || finished === undefined) return;
  const expected = verifyData(crypto, "client", exchange.masterSecret, transcript(dtls, CLIENT_PLACE.VERIFY));
  if (finished.length !== expected.length || !equalConstantTime(finished, 0, expected, 0, expected.length)) {
    // The keys don't cover the CertificateVerify: that one may still be a damaged copy.
    doubt(dtls, now, ALERT.DECRYPT_ERROR, "The client's Finished does not fit the handshake.");
    return;
  }
  const certificate = parseCertificates(must(inboundBody(inbound, CLIENT_PLACE.CERTIFICATE), "it was needed"))?.[0];
  if (certificate === undefined) {
    fail(dtls, crypto, sink, flow, ALERT.DECODE_ERROR, "The client's certificate can't be read.");
    return;
  }
  const fingerprint = crypto.sha256(certificate);
  if (!equalConstantTime(fingerprint, 0, dtls.remoteFingerprint, 0, fingerprint.length)) {
    const failure = "The client's certificate is not the one that its session description names.";
    fail(dtls, crypto, sink, flow, ALERT.BAD_CERTIFICATE, failure);
    return;
  }
  if (!signatureHolds(dtls, crypto, certificate)) {
    fail(dtls, crypto, sink, flow, ALERT.DECRYPT_ERROR, "The client's signature does not fit its certificate.");
    return;
  }
  finish(dtls, now, crypto, sink, flow, exchange);
}

function signatureHolds(dtls: Dtls, crypto: CryptoProvider, certificate: Uint8Array): boolean {
  const verify = parseCertificateVerify(must(inboundBody(dtls.inbound, CLIENT_PLACE.VERIFY), "it was needed"));
  if (verify === undefined || !SCHEMES.includes(verify.scheme)) return false;
  const signed = transcript(dtls, CLIENT_PLACE.KEY_EXCHANGE);
  return crypto.verifySignature(certificate, verify.scheme, signed, verify.signature);
}

function finish(
  dtls: Dtls,
  now: Micros,
  crypto: CryptoProvider,
  sink: DatagramSink,
  flow: number,
  exchange: Exchange,
): void {
  const { masterSecret: master, clientRandom, serverRandom } = exchange;
  const proof = verifyData(crypto, "server", master, transcript(dtls, CLIENT_PLACE.FINISHED));
  const finished = encodeMessage(HANDSHAKE_TYPE.FINISHED, SERVER_PLACE.FINISHED, proof);
  dtls.srtp = srtpKeys(crypto, exchange.srtpProfile, master, clientRandom, serverRandom);
  dtls.status = "connected";
  dtls.writeEpoch = 1;
  startLastFlight(dtls, now, crypto, sink, flow, [changeCipherSpecItem(), messageItem(finished, 1)]);
  forgetHandshake(dtls);
}
