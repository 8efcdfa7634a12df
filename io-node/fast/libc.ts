/**
 * The system calls of the fast host, the numbers of Linux that go with them, and the layouts of the structures in between.
 *
 * Everything here is the same on x64 and arm64 with glibc: both are little-endian, with pointers of 8 bytes and the numbers
 * of `asm-generic`. A structure is written as 32-bit words into memory that the kernel sees too; a pointer takes two.
 *
 *     struct sockaddr_in   family:16 port:16 | address:32                                    (8 of its 16 bytes matter)
 *     struct sockaddr_in6  family:16 port:16 | flow:32 | address:4×32 | scope:32             (28 bytes)
 *     struct iovec         base:64 | length:64
 *     struct mmsghdr       name:64 | nameLength:32 pad | iov:64 | iovLength:64 | control:64 | controlLength:64 |
 *                          flags:32 pad | length:32 pad                                      (64 bytes)
 *     struct cmsghdr       length:64 | level:32 | type:32 | data                             (24 bytes with 2 of data)
 *     struct pollfd        fd:32 | events:16 revents:16
 *     struct timespec      seconds:64 | nanoseconds:64
 */
import { loadNative, type Native, type NativeFunction } from "../../io-crypto/native.ts";

/** Numbers of Linux (bits/socket.h, asm-generic/socket.h, linux/udp.h, poll.h, sys/eventfd.h). */
export const LINUX = {
  AF_INET: 2,
  AF_INET6: 10,
  /** SOCK_DGRAM with SOCK_NONBLOCK and SOCK_CLOEXEC. */
  DATAGRAM_SOCKET: 2 | 0o4000 | 0o2000000,
  SOL_SOCKET: 1,
  SO_SNDBUF: 7,
  SO_RCVBUF: 8,
  /** Counters of a socket's memory, nine of them; the last is that of dropped datagrams (SK_MEMINFO_DROPS). */
  SO_MEMINFO: 55,
  IPPROTO_IPV6: 41,
  IPV6_V6ONLY: 26,
  SOL_UDP: 17,
  UDP_SEGMENT: 103,
  MSG_TRUNC: 0x20,
  MSG_DONTWAIT: 0x40,
  /** CLOCK_THREAD_CPUTIME_ID. */
  THREAD_TIME: 3,
  POLLIN: 1,
  POLLOUT: 4,
  /** EFD_NONBLOCK with EFD_CLOEXEC. */
  EVENT_FLAGS: 0o4000 | 0o2000000,
} as const;

/** What `errno` says. */
export const ERRNO = {
  EINTR: 4,
  EIO: 5,
  EAGAIN: 11,
  EACCES: 13,
  EINVAL: 22,
  EMSGSIZE: 90,
  EOPNOTSUPP: 95,
  EADDRINUSE: 98,
  ENOBUFS: 105,
} as const;

/** 32-bit words of the structures, and where their fields are. */
export const WORDS = {
  SOCKADDR: 8,
  VECTOR: 4,
  VECTOR_LENGTH: 2,
  MESSAGE: 16,
  MESSAGE_NAME_LENGTH: 2,
  MESSAGE_VECTOR: 4,
  MESSAGE_VECTORS: 6,
  MESSAGE_CONTROL: 8,
  MESSAGE_CONTROL_LENGTH: 10,
  MESSAGE_FLAGS: 12,
  MESSAGE_LENGTH: 14,
  CONTROL_LEVEL: 2,
  CONTROL_TYPE: 3,
  CONTROL_DATA: 4,
  POLL: 2,
  TIME: 4,
} as const;

/** Bytes of a control message with 2 bytes of data (CMSG_SPACE). */
export const CONTROL_BYTES = 24;

/** Bytes of the two kinds of socket addresses. */
export const SOCKADDR_BYTES = { IPV4: 16, IPV6: 28 } as const;

/** The system calls; each answers -1 when it has failed, and `native.errno` says why. */
export interface Libc {
  readonly native: Native;
  readonly socket: NativeFunction;
  readonly bind: NativeFunction;
  readonly getsockname: NativeFunction;
  readonly setsockopt: NativeFunction;
  readonly getsockopt: NativeFunction;
  readonly recvmmsg: NativeFunction;
  readonly sendmmsg: NativeFunction;
  readonly ppoll: NativeFunction;
  readonly eventfd: NativeFunction;
  readonly read: NativeFunction;
  readonly write: NativeFunction;
  readonly close: NativeFunction;
  readonly clockGettime: NativeFunction;
  /** Any system call by its number, with four words. */
  readonly syscall: NativeFunction;
}

/** The system calls of this machine, or a sentence that says why they can't be had. */
export function loadLibc(): Libc | string {
  const native = loadNative();
  if (typeof native === "string") return native;
  try {
    return {
      native,
      socket: native.find("socket", "int", ["int", "int", "int"]),
      bind: native.find("bind", "int", ["int", "address", "int"]),
      getsockname: native.find("getsockname", "int", ["int", "address", "address"]),
      setsockopt: native.find("setsockopt", "int", ["int", "int", "int", "address", "int"]),
      getsockopt: native.find("getsockopt", "int", ["int", "int", "int", "address", "address"]),
      recvmmsg: native.find("recvmmsg", "int", ["int", "address", "int", "int", "address"]),
      sendmmsg: native.find("sendmmsg", "int", ["int", "address", "int", "int"]),
      ppoll: native.find("ppoll", "int", ["address", "size_t", "address", "address"]),
      eventfd: native.find("eventfd", "int", ["int", "int"]),
      read: native.find("read", "size_t", ["int", "address", "size_t"]),
      write: native.find("write", "size_t", ["int", "address", "size_t"]),
      close: native.find("close", "int", ["int"]),
      clockGettime: native.find("clock_gettime", "int", ["int", "address"]),
      syscall: native.find("syscall", "int", ["size_t", "size_t", "address", "size_t", "size_t"]),
    };
  } catch {
    return "The C library of this machine lacks a system call for batches of datagrams.";
  }
}

/** Writes a pointer into two words. */
export function writePointer(words: Uint32Array, at: number, address: number): void {
  words[at] = address;
  words[at + 1] = address / 0x1_0000_0000;
}
