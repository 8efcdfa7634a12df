/**
 * The client's side of the handshake: for simulated clients, and for tests of the server. The flights are drawn in server.ts.
 *
 * The server's flight is judged as a whole too, when all five messages are there: what does not fit is a doubt, because it
 * came in plaintext. Should a better copy of a message turn up after our answer has gone out, the answer is made anew.
 * A server without a CertificateRequest is not talked to, for WebRTC wants both sides to show a certificate (RFC 8827 §6.5).
 * A HelloVerifyRequest, which our server never sends, is obeyed once (RFC 6347 §4.2.1). It moves all message numbers on by
 * one; and since anybody may have sent it, an answer to the first hello is as welcome afterwards as one to the second.
 */
import { must } from "../base/assert.ts";
import { concatBytes, equalConstantTime } from "../base/bytes.ts";
import type { DatagramSink } from "../base/datagram-sink.ts";
import type { Micros } from "../base/micros.ts";
import type { CryptoProvider, NamedGroup } from "../crypto/provider.ts";
import { encodeMessage, HANDSHAKE_TYPE } from "../wire/dtls-handshake.ts";
import {
  CIPHER_SUITE_ECDHE_ECDSA_AES_128_GCM,
  encodeClientHello,
  noExtensions,
  POINT_FORMAT_UNCOMPRESSED,
  parseHelloVerifyRequest,
  parseServerHello,
  type ServerHello,
  SIGNATURE_SCHEME,
} from "../wire/dtls-hello.ts";
import {
  CERTIFICATE_TYPE,
  encodeCertificates,
  encodeCertificateVerify,
  encodeClientKeyExchange,
  encodeServerKeyParameters,
  parseCertificateRequest,
  parseCertificates,
  parseServerKeyExchange,
} from "../wire/dtls-messages.ts";
import { ALERT, CONTENT_TYPE, DTLS_VERSION } from "../wire/dtls-record.ts";
import { doubt } from "./ending.ts";
import { changeCipherSpecItem, messageItem, startFlight } from "./flight.ts";
import { inboundBody, inboundMessages } from "./inbound.ts";
import { masterSecret, recordKeys, srtpKeys, verifyData } from "./key-schedule.ts";
import { ecdhPrivateKey, GROUPS, helloRandom, ourGroup, SCHEMES, SRTP_PROFILES } from "./ours.ts";
import {
  CLIENT_PLACE,
  createPeerMessages,
  type Dtls,
  type Exchange,
  forgetHandshake,
  SERVER_PLACE,
  useKeys,
} from "./state.ts";

/** What the server's flight comes to. */
type Verdict =
  | { readonly ok: true; readonly hello: ServerHello; readonly group: NamedGroup; readonly sharedSecret: Uint8Array }
  | { readonly ok: false; readonly alert: number; readonly failure: string };

/** Sends the ClientHello. */
export function clientStart(dtls: Dtls, now: Micros, crypto: CryptoProvider, sink: DatagramSink, flow: number): void {
  sayHello(dtls, now, crypto, sink, flow, new Uint8Array(0));
}

/** Says hello again, with the cookie that a server without trust in addresses has asked for. */
export function clientShowCookie(
  dtls: Dtls,
  now: Micros,
  crypto: CryptoProvider,
  sink: DatagramSink,
  flow: number,
  request: Uint8Array,
): void {
  const cookie = parseHelloVerifyRequest(request);
  if (cookie === undefined || dtls.ownHellos.length !== 1 || dtls.writeEpoch !== 0) return;
  sayHello(dtls, now, crypto, sink, flow, cookie);
}

/** Follows the server to the hello that it answers: the number of its ServerHello is the number of that. */
export function clientFollow(dtls: Dtls, serverHelloSequence: number): void {
  if (serverHelloSequence === dtls.sequenceBase || dtls.writeEpoch !== 0) return;
  if (serverHelloSequence >= dtls.ownHellos.length) return;
  dtls.sequenceBase = serverHelloSequence;
  dtls.inbound = createPeerMessages("client");
}

function sayHello(
  dtls: Dtls,
  now: Micros,
  crypto: CryptoProvider,
  sink: DatagramSink,
  flow: number,
  cookie: Uint8Array,
): void {
  const body = encodeClientHello({
    version: DTLS_VERSION.V1_2,
    random: helloRandom(dtls, crypto),
    sessionId: new Uint8Array(0),
    cookie,
    cipherSuites: [CIPHER_SUITE_ECDHE_ECDSA_AES_128_GCM],
    compressionMethods: [0],
    extensions: {
      ...noExtensions(),
      groups: [...GROUPS],
      pointFormats: [POINT_FORMAT_UNCOMPRESSED],
      signatureSchemes: [...SCHEMES],
      srtpProfiles: [...SRTP_PROFILES],
      extendedMasterSecret: true,
      renegotiationInfo: new Uint8Array(0),
    },
  });
  dtls.sequenceBase = dtls.ownHellos.length;
  const message = encodeMessage(HANDSHAKE_TYPE.CLIENT_HELLO, dtls.sequenceBase + CLIENT_PLACE.HELLO, body);
  dtls.ownHellos.push(message);
  dtls.flightDueAt = now;
  startFlight(dtls, now, crypto, sink, flow, [messageItem(message, 0)]);
}

/** Goes on with the handshake after the message at `place` was accepted. */
export function clientAdvance(
  dtls: Dtls,
  now: Micros,
  crypto: CryptoProvider,
  sink: DatagramSink,
  flow: number,
  place: number,
): void {
  if (place !== SERVER_PLACE.FINISHED) answerServer(dtls, now, crypto, sink, flow);
  judgeFinished(dtls, now, crypto);
}

function answerServer(dtls: Dtls, now: Micros, crypto: CryptoProvider, sink: DatagramSink, flow: number): void {
  if (inboundMessages(dtls.inbound, SERVER_PLACE.HELLO, SERVER_PLACE.DONE) === undefined) return;
  const verdict = judgeServer(dtls, crypto);
  if (!verdict.ok) {
    doubt(dtls, now, verdict.alert, verdict.failure);
    return;
  }
  dtls.doubt = null;
  const exchange: Exchange = {
    clientRandom: helloRandom(dtls, crypto),
    serverRandom: verdict.hello.random,
    group: verdict.group,
    srtpProfile: must(verdict.hello.extensions.srtpProfiles?.[0], "the server has chosen a profile"),
    masterSecret: new Uint8Array(0),
  };
  dtls.exchange = exchange;
  const messages = plainMessages(dtls, crypto, verdict.group);
  const upToKey = concatBytes(helloAndAnswer(dtls), ...messages);
  const signature = crypto.signEcdsaP256(dtls.privateKey, upToKey);
  const verify = encodeCertificateVerify({ scheme: SIGNATURE_SCHEME.ECDSA_P256_SHA256, signature });
  messages.push(encodeMessage(HANDSHAKE_TYPE.CERTIFICATE_VERIFY, dtls.sequenceBase + CLIENT_PLACE.VERIFY, verify));
  exchange.masterSecret = masterSecret(crypto, verdict.sharedSecret, upToKey);
  const { masterSecret: master, clientRandom, serverRandom } = exchange;
  useKeys(dtls, crypto, recordKeys(crypto, "client", master, clientRandom, serverRandom));
  const proof = verifyData(crypto, "client", master, concatBytes(helloAndAnswer(dtls), ...messages));
  const finished = encodeMessage(HANDSHAKE_TYPE.FINISHED, dtls.sequenceBase + CLIENT_PLACE.FINISHED, proof);
  // A first answer is progress and goes out at once; only an answer made anew waits its turn.
  if (dtls.writeEpoch === 0) dtls.flightDueAt = now;
  dtls.writeEpoch = 1;
  startFlight(dtls, now, crypto, sink, flow, [
    ...messages.map((message) => messageItem(message, 0)),
    changeCipherSpecItem(),
    messageItem(finished, 1),
  ]);
}

/** Our Certificate and ClientKeyExchange. */
function plainMessages(dtls: Dtls, crypto: CryptoProvider, group: NamedGroup): Uint8Array[] {
  const certificates = encodeCertificates([dtls.certificate]);
  const key = encodeClientKeyExchange(crypto.ecdhPublicKey(group, ecdhPrivateKey(dtls, crypto, group)));
  return [
    encodeMessage(HANDSHAKE_TYPE.CERTIFICATE, dtls.sequenceBase + CLIENT_PLACE.CERTIFICATE, certificates),
    encodeMessage(HANDSHAKE_TYPE.CLIENT_KEY_EXCHANGE, dtls.sequenceBase + CLIENT_PLACE.KEY_EXCHANGE, key),
  ];
}

/** The transcript up to the ServerHelloDone. */
function helloAndAnswer(dtls: Dtls): Uint8Array {
  const hello = must(dtls.ownHellos[dtls.sequenceBase], "the server answers a hello of ours");
  const answer = inboundMessages(dtls.inbound, SERVER_PLACE.HELLO, SERVER_PLACE.DONE);
  return concatBytes(hello, ...must(answer, "the server's flight is there"));
}

function judgeServer(dtls: Dtls, crypto: CryptoProvider): Verdict {
  const hello = parseServerHello(bodyOf(dtls, SERVER_PLACE.HELLO));
  const certificate = parseCertificates(bodyOf(dtls, SERVER_PLACE.CERTIFICATE))?.[0];
  const exchange = parseServerKeyExchange(bodyOf(dtls, SERVER_PLACE.KEY_EXCHANGE));
  const request = parseCertificateRequest(bodyOf(dtls, SERVER_PLACE.REQUEST));
  const done = bodyOf(dtls, SERVER_PLACE.DONE);
  if (!hello || !certificate || !exchange || !request || done.length > 0) {
    return refuse(ALERT.DECODE_ERROR, "The server's answer can't be read.");
  }
  const wrong = judgeHello(hello);
  if (wrong !== undefined) return wrong;
  const fingerprint = crypto.sha256(certificate);
  if (!equalConstantTime(fingerprint, 0, dtls.remoteFingerprint, 0, fingerprint.length)) {
    const failure = "The server's certificate is not the one that its session description names.";
    return refuse(ALERT.BAD_CERTIFICATE, failure);
  }
  const parameters = encodeServerKeyParameters(exchange.group, exchange.publicKey);
  const signed = concatBytes(helloRandom(dtls, crypto), hello.random, parameters);
  const holds =
    SCHEMES.includes(exchange.scheme) &&
    crypto.verifySignature(certificate, exchange.scheme, signed, exchange.signature);
  if (!holds) return refuse(ALERT.DECRYPT_ERROR, "The server's signature does not fit its certificate.");
  const takesOurs =
    request.certificateTypes.includes(CERTIFICATE_TYPE.ECDSA_SIGN) &&
    request.signatureSchemes.includes(SIGNATURE_SCHEME.ECDSA_P256_SHA256);
  if (!takesOurs) return refuse(ALERT.HANDSHAKE_FAILURE, "The server does not take ECDSA certificates on P-256.");
  const group = ourGroup(exchange.group);
  const sharedSecret = group && crypto.ecdhSharedSecret(group, ecdhPrivateKey(dtls, crypto, group), exchange.publicKey);
  if (!sharedSecret) return refuse(ALERT.ILLEGAL_PARAMETER, "The server's key share is no point of a group of ours.");
  return { ok: true, hello, group, sharedSecret };
}

/** What is wrong with a ServerHello, or `undefined`. */
function judgeHello(hello: ServerHello): Verdict | undefined {
  const { extensions } = hello;
  if (hello.version !== DTLS_VERSION.V1_2) {
    return refuse(ALERT.PROTOCOL_VERSION, "The server does not speak DTLS 1.2.");
  }
  if (hello.cipherSuite !== CIPHER_SUITE_ECDHE_ECDSA_AES_128_GCM || hello.compressionMethod !== 0) {
    return refuse(ALERT.ILLEGAL_PARAMETER, "The server has chosen what was not offered.");
  }
  if (extensions.others.length > 0) {
    return refuse(ALERT.UNSUPPORTED_EXTENSION, "The server answers an extension that was not offered.");
  }
  if (!extensions.extendedMasterSecret) {
    return refuse(ALERT.HANDSHAKE_FAILURE, "The server does not know the extended master secret.");
  }
  if (extensions.renegotiationInfo === null || extensions.renegotiationInfo.length > 0) {
    return refuse(ALERT.HANDSHAKE_FAILURE, "The server does not know secure renegotiation.");
  }
  const profiles = extensions.srtpProfiles ?? [];
  if (profiles.length !== 1 || !SRTP_PROFILES.includes(profiles[0]!) || extensions.srtpMki.length > 0) {
    return refuse(ALERT.ILLEGAL_PARAMETER, "The server has not chosen one of the SRTP profiles on offer.");
  }
  return undefined;
}

function bodyOf(dtls: Dtls, sequence: number): Uint8Array {
  return must(inboundBody(dtls.inbound, sequence), "the server's flight is there");
}

function refuse(alert: number, failure: string): Verdict {
  return { ok: false, alert, failure };
}

function judgeFinished(dtls: Dtls, now: Micros, crypto: CryptoProvider): void {
  const { exchange } = dtls;
  const finished = inboundBody(dtls.inbound, SERVER_PLACE.FINISHED);
  if (exchange === null || finished === undefined) return;
  const { masterSecret: master, clientRandom, serverRandom } = exchange;
  const ours = dtls.flight.filter((item) => item.contentType === CONTENT_TYPE.HANDSHAKE).map((item) => item.bytes);
  const expected = verifyData(crypto, "server", master, concatBytes(helloAndAnswer(dtls), ...ours));
  if (finished.length !== expected.length || !equalConstantTime(finished, 0, expected, 0, expected.length)) {
    doubt(dtls, now, ALERT.DECRYPT_ERROR, "The server's Finished does not fit the handshake.");
    return;
  }
  dtls.srtp = srtpKeys(crypto, exchange.srtpProfile, master, clientRandom, serverRandom);
  dtls.status = "connected";
  dtls.flight = [];
  forgetHandshake(dtls);
}
