/**
 * "Joining took a second longer than usual, and then everything was as always."
 *
 * Each peer loses another datagram of the DTLS handshake: the client's and the server's first, second and third.
 */
import { ms, plays, scenario, seconds } from "../io-sim/index.ts";

const delay = ms(20);

export default scenario({
  name: "a lost handshake",
  story: "Joining took a second longer than usual, and then everything was as always.",
  seeds: { 51: "the clients' timers first", 52: "the server's timers first" },
  cipher: "real",
  timersLateBy: ms(10),
  peers: {
    ana: { sends: { camera: "vp8", microphone: true }, receives: { audio: 1, video: 1 }, link: { delay } },
    hello: { receives: { audio: 1, video: 1 }, link: { delay, direction: "up", loseDtls: [0] } },
    "second-hello": { receives: { audio: 1, video: 1 }, link: { delay, direction: "up", loseDtls: [0, 1] } },
    "key-exchange": { receives: { audio: 1, video: 1 }, link: { delay, direction: "up", loseDtls: [1] } },
    "key-exchange-twice": { receives: { audio: 1, video: 1 }, link: { delay, direction: "up", loseDtls: [1, 2] } },
    "server-hello": { receives: { audio: 1, video: 1 }, link: { delay, direction: "down", loseDtls: [0] } },
    "server-finished": { receives: { audio: 1, video: 1 }, link: { delay, direction: "down", loseDtls: [1] } },
    "server-finished-twice": { receives: { audio: 1, video: 1 }, link: { delay, direction: "down", loseDtls: [1, 2] } },
    everything: { receives: { audio: 1, video: 1 }, link: { delay, loseDtls: [0, 2, 4] } },
  },
  runFor: seconds(15),
  steady: {
    from: seconds(10),
    among: [
      "ana",
      "hello",
      "second-hello",
      "key-exchange",
      "key-exchange-twice",
      "server-hello",
      "server-finished",
      "server-finished-twice",
      "everything",
    ],
  },
  finally: [
    plays("hello", "ana/camera"),
    plays("second-hello", "ana/camera"),
    plays("key-exchange", "ana/camera"),
    plays("key-exchange-twice", "ana/camera"),
    plays("server-hello", "ana/camera"),
    plays("server-finished", "ana/camera"),
    plays("server-finished-twice", "ana/camera"),
    plays("everything", "ana/camera"),
  ],
});
