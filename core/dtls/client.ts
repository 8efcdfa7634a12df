/**
 * The client's side of the handshake: for simulated clients, and for tests of the server. The flights are drawn in server.ts.
 *
 * The server's flight is judged as a whole too, when all five messages are there: what does not fit is a doubt, because it
 * came in plaintext. Should a better copy of a message turn up after our answer has gone out, the answer is made anew.
 * A server without a CertificateRequest is not talked to, for WebRTC wants both sides to show a certificate (RFC 8827 §6.5);
 * nor is a HelloVerifyRequest answered, which no peer behind ICE has reason to send.
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
import { CLIENT_SEQUENCE, type Dtls, type Exchange, forgetHandshake, SERVER_SEQUENCE, useKeys } from "./state.ts";

/** What the server's flight comes to. */
type Verdict =
  | { readonly ok: true; readonly hello: ServerHello; readonly group: NamedGroup; readonly sharedSecret: Uint8Array }
  | { readonly ok: false; readonly alert: number; readonly failure: string };

/** Sends the ClientHello. */
export function clientStart(dtls: Dtls, now: Micros, crypto: CryptoProvider, sink: DatagramSink, flow: number): void {
  const body = encodeClientHello({
    version: DTLS_VERSION.V1_2,
    random: helloRandom(dtls, crypto),
    sessionId: new Uint8Array(0),
    cookie: new Uint8Array(0),
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
  dtls.ownHello = encodeMessage(HANDSHAKE_TYPE.CLIENT_HELLO, CLIENT_SEQUENCE.HELLO, body);
  startFlight(dtls, now, crypto, sink, flow, [messageItem(dtls.ownHello, 0)]);
}

/** Goes on with the handshake after the message numbered `sequence` was accepted. */
export function clientAdvance(
  dtls: Dtls,
  now: Micros,
  crypto: CryptoProvider,
  sink: DatagramSink,
  flow: number,
  sequence: number,
): void {
  if (sequence !== SERVER_SEQUENCE.FINISHED) answerServer(dtls, now, crypto, sink, flow);
  judgeFinished(dtls, now, crypto);
}

function answerServer(dtls: Dtls, now: Micros, crypto: CryptoProvider, sink: DatagramSink, flow: number): void {
  if (inboundMessages(dtls.inbound, SERVER_SEQUENCE.HELLO, SERVER_SEQUENCE.DONE) === undefined) return;
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
  messages.push(encodeMessage(HANDSHAKE_TYPE.CERTIFICATE_VERIFY, CLIENT_SEQUENCE.VERIFY, verify));
  exchange.masterSecret = masterSecret(crypto, verdict.sharedSecret, upToKey);
  const { masterSecret: master, clientRandom, serverRandom } = exchange;
  useKeys(dtls, crypto, recordKeys(crypto, "client", master, clientRandom, serverRandom));
  const proof = verifyData(crypto, "client", master, concatBytes(helloAndAnswer(dtls), ...messages));
  const finished = encodeMessage(HANDSHAKE_TYPE.FINISHED, CLIENT_SEQUENCE.FINISHED, proof);
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
    encodeMessage(HANDSHAKE_TYPE.CERTIFICATE, CLIENT_SEQUENCE.CERTIFICATE, certificates),
    encodeMessage(HANDSHAKE_TYPE.CLIENT_KEY_EXCHANGE, CLIENT_SEQUENCE.KEY_EXCHANGE, key),
  ];
}

/** The transcript up to the ServerHelloDone. */
function helloAndAnswer(dtls: Dtls): Uint8Array {
  const answer = inboundMessages(dtls.inbound, SERVER_SEQUENCE.HELLO, SERVER_SEQUENCE.DONE);
  return concatBytes(dtls.ownHello, ...must(answer, "the server's flight is there"));
}

function judgeServer(dtls: Dtls, crypto: CryptoProvider): Verdict {
  const hello = parseServerHello(bodyOf(dtls, SERVER_SEQUENCE.HELLO));
  const certificate = parseCertificates(bodyOf(dtls, SERVER_SEQUENCE.CERTIFICATE))?.[0];
  const exchange = parseServerKeyExchange(bodyOf(dtls, SERVER_SEQUENCE.KEY_EXCHANGE));
  const request = parseCertificateRequest(bodyOf(dtls, SERVER_SEQUENCE.REQUEST));
  const done = bodyOf(dtls, SERVER_SEQUENCE.DONE);
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
  const finished = inboundBody(dtls.inbound, SERVER_SEQUENCE.FINISHED);
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
