/**
 * The classic BPF program by which the kernel could choose among the sockets of several shards on one port.
 *
 * It sees one datagram and remembers nothing. A connectivity check (STUN) begins with the name of whom it is for, and the
 * first character of that name, which the server has given out, can say the shard. All else (DTLS, media, reports) can only go
 * by where it comes from: the same way each time, but not a way that anybody has chosen.
 *
 *     first byte < 4 and the attribute at 20 is USERNAME?   yes: the character at 24, less "0"
 *                                                           no:  a hash of address and port of the sender
 */

/** Instructions of classic BPF (linux/filter.h). */
const LOAD_BYTE = 0x30;
const LOAD_HALF = 0x28;
const LOAD_WORD = 0x20;
const TO_INDEX = 0x07;
const XOR_INDEX = 0xac;
const SUBTRACT = 0x14;
const MULTIPLY = 0x24;
const SHIFT_RIGHT = 0x74;
const REMAINDER = 0x94;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_GREATER_OR_EQUAL = 0x35;
const RETURN = 0x16;

/** Where offsets from the IP header begin (SKF_NET_OFF), and where in it (without options) the sender stands. */
const IP = 0xfff0_0000;
const SENDER_ADDRESS = IP + 12;
const SENDER_PORT = IP + 20;

const STUN_USERNAME = 6;
const FIRST_ATTRIBUTE = 20;
const FIRST_CHARACTER = 24;
const DIGIT_ZERO = 48;
const GOLDEN = 0x9e37_79b1;

/** The program for so many shards, ten at most, as words of `struct sock_filter`. */
export function flowFilter(shards: number): Uint32Array {
  const step = (code: number, k: number, ifTrue = 0, ifFalse = 0) => [code | (ifTrue << 16) | (ifFalse << 24), k];
  return Uint32Array.from(
    [
      step(LOAD_BYTE, 0),
      step(JUMP_IF_GREATER_OR_EQUAL, 4, 6, 0),
      step(LOAD_HALF, FIRST_ATTRIBUTE),
      step(JUMP_IF_EQUAL, STUN_USERNAME, 0, 4),
      step(LOAD_BYTE, FIRST_CHARACTER),
      step(SUBTRACT, DIGIT_ZERO),
      step(REMAINDER, shards),
      step(RETURN, 0),
      step(LOAD_WORD, SENDER_ADDRESS),
      step(TO_INDEX, 0),
      step(LOAD_HALF, SENDER_PORT),
      step(XOR_INDEX, 0),
      step(MULTIPLY, GOLDEN),
      step(SHIFT_RIGHT, 16),
      step(REMAINDER, shards),
      step(RETURN, 0),
    ].flat(),
  );
}
