/*
 * The least that a server written in C pays for forwarding: read a batch, open its packets, seal them for each subscriber,
 * send a batch. There is no SFU in it: no lookups, no timers, no feedback; what it costs is the kernel and the cipher.
 * Several packets for one subscriber go as a train, as the adapter sends them (io-node/fast/send-queues.ts).
 *
 * OpenSSL is the system's libcrypto, loaded by name and called through prototypes of our own, so that compiling needs no
 * headers of it. Standard input has one line for the publisher and one for each subscriber: the UDP port on loopback (the
 * publisher's is not used), the AES-128-GCM key and the 12-byte salt in hex, the SSRC. The port that it listens on goes to
 * standard output. It ends when it is told to by a signal, or after 600 seconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH 64
#define SLOT 2048
#define TAG 16
#define HEADER_MAX 64
#define SECONDS_MAX 600
#define UDP_SEGMENT_OPTION 103
#define TRAIN_BYTES_MAX 65000

typedef struct evp_cipher_ctx CTX;
static CTX *(*ctx_new)(void);
static const void *(*aes_128_gcm)(void);
static int (*init_ex)(CTX *, const void *, void *, const uint8_t *, const uint8_t *, int);
static int (*update)(CTX *, uint8_t *, int *, const uint8_t *, int);
static int (*final_ex)(CTX *, uint8_t *, int *);
static int (*control)(CTX *, int, int, void *);

struct end {
  CTX *context;
  uint8_t salt[12];
  uint32_t ssrc;
  struct sockaddr_in address;
};

/* An open packet: its header, its payload, and its index. */
struct packet {
  uint8_t *bytes;
  int header, payload;
  uint64_t index;
};

static uint8_t in_bytes[BATCH][SLOT], out_bytes[2 * BATCH][SLOT];
static struct mmsghdr in_messages[BATCH], out_messages[2 * BATCH];
static struct iovec in_vectors[BATCH], out_vectors[2 * BATCH];
/* What waits to be sent: datagrams, and the messages that they are in. */
static int queued, messages;
static int knows_trains;
static union {
  char bytes[CMSG_SPACE(sizeof(uint16_t))];
  struct cmsghdr header;
} controls[2 * BATCH];

static void die(const char *why) {
  fprintf(stderr, "%s\n", why);
  exit(1);
}

static void load_openssl(void) {
  void *library = dlopen("libcrypto.so.3", RTLD_NOW);
  if (library == NULL) die("libcrypto.so.3 is not there");
  *(void **)&ctx_new = dlsym(library, "EVP_CIPHER_CTX_new");
  *(void **)&aes_128_gcm = dlsym(library, "EVP_aes_128_gcm");
  *(void **)&init_ex = dlsym(library, "EVP_CipherInit_ex");
  *(void **)&update = dlsym(library, "EVP_CipherUpdate");
  *(void **)&final_ex = dlsym(library, "EVP_CipherFinal_ex");
  *(void **)&control = dlsym(library, "EVP_CIPHER_CTX_ctrl");
  if (!ctx_new || !aes_128_gcm || !init_ex || !update || !final_ex || !control) die("libcrypto lacks AES-GCM");
}

static int read_end(struct end *end, int sealing) {
  unsigned port, ssrc;
  char key[64], salt[64];
  uint8_t bytes[16];
  if (scanf("%u %32s %24s %u", &port, key, salt, &ssrc) != 4) return 0;
  for (int i = 0; i < 16; i++) sscanf(key + 2 * i, "%2hhx", &bytes[i]);
  for (int i = 0; i < 12; i++) sscanf(salt + 2 * i, "%2hhx", &end->salt[i]);
  end->context = ctx_new();
  if (init_ex(end->context, aes_128_gcm(), NULL, bytes, NULL, sealing) != 1) die("OpenSSL takes no key");
  end->ssrc = ssrc;
  end->address.sin_family = AF_INET;
  end->address.sin_port = htons((uint16_t)port);
  end->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return 1;
}

static void write32(uint8_t *at, uint32_t value) {
  value = htonl(value);
  memcpy(at, &value, 4);
}

/* RFC 7714 section 8.1: zeros, SSRC, rollover counter and sequence number, over the salt. */
static void make_nonce(uint8_t *nonce, const struct end *end, uint32_t ssrc, uint64_t index) {
  memset(nonce, 0, 12);
  write32(nonce + 2, ssrc);
  write32(nonce + 6, (uint32_t)(index >> 16));
  nonce[10] = (uint8_t)(index >> 8);
  nonce[11] = (uint8_t)index;
  for (int i = 0; i < 12; i++) nonce[i] ^= end->salt[i];
}

static void flush(int fd) {
  for (int done = 0; done < messages;) {
    int taken = sendmmsg(fd, out_messages + done, messages - done, 0);
    if (taken <= 0) break;
    done += taken;
  }
  queued = messages = 0;
}

/* Puts the newest datagram, of this length, into a message of its own, or behind those before it for the same subscriber. */
static void queue(struct end *to, int length, int is_first) {
  struct msghdr *last = messages > 0 ? &out_messages[messages - 1].msg_hdr : NULL;
  out_vectors[queued].iov_base = out_bytes[queued];
  out_vectors[queued].iov_len = length;
  if (knows_trains && !is_first && last->msg_iov[last->msg_iovlen - 1].iov_len == last->msg_iov[0].iov_len &&
      (size_t)length <= last->msg_iov[0].iov_len && (last->msg_iovlen + 1) * last->msg_iov[0].iov_len <= TRAIN_BYTES_MAX) {
    struct cmsghdr *control = &controls[messages - 1].header;
    uint16_t segment = (uint16_t)last->msg_iov[0].iov_len;
    control->cmsg_level = IPPROTO_UDP;
    control->cmsg_type = UDP_SEGMENT_OPTION;
    control->cmsg_len = CMSG_LEN(sizeof segment);
    memcpy(CMSG_DATA(control), &segment, sizeof segment);
    last->msg_control = control;
    last->msg_controllen = sizeof controls[0].bytes;
    last->msg_iovlen++;
  } else {
    out_messages[messages++].msg_hdr = (struct msghdr){
        .msg_name = &to->address, .msg_namelen = sizeof to->address, .msg_iov = &out_vectors[queued], .msg_iovlen = 1};
  }
  queued++;
}

static int open_packet(struct end *publisher, struct packet *packet, uint8_t *bytes, int length) {
  static uint64_t index;
  uint16_t sequence = (uint16_t)(bytes[2] << 8 | bytes[3]);
  index += (uint16_t)(sequence - (uint16_t)index);
  int header = 12 + (bytes[0] & 0x10 ? 4 + 4 * (bytes[14] << 8 | bytes[15]) : 0);
  int payload = length - header - TAG, written;
  uint8_t nonce[12], spare[16];
  uint32_t ssrc;
  memcpy(&ssrc, bytes + 8, 4);
  make_nonce(nonce, publisher, ntohl(ssrc), index);
  if (payload < 0 || header > HEADER_MAX) return 0;
  *packet = (struct packet){bytes, header, payload, index};
  init_ex(publisher->context, NULL, NULL, NULL, nonce, 0);
  control(publisher->context, 0x11, TAG, bytes + header + payload);
  update(publisher->context, NULL, &written, bytes, header);
  update(publisher->context, bytes + header, &written, bytes + header, payload);
  return final_ex(publisher->context, spare, &written) == 1;
}

static void seal(struct end *to, const struct packet *packet, uint8_t *out) {
  uint8_t nonce[12], spare[16];
  int written;
  memcpy(out, packet->bytes, packet->header);
  write32(out + 8, to->ssrc);
  make_nonce(nonce, to, to->ssrc, packet->index);
  init_ex(to->context, NULL, NULL, NULL, nonce, 1);
  update(to->context, NULL, &written, out, packet->header);
  update(to->context, out + packet->header, &written, packet->bytes + packet->header, packet->payload);
  final_ex(to->context, spare, &written);
  control(to->context, 0x10, TAG, out + packet->header + packet->payload);
}

static void forward(int fd, struct end *subscribers, int count, const struct packet *packets, int got) {
  for (int i = 0; i < count; i++) {
    for (int k = 0; k < got; k++) {
      seal(&subscribers[i], &packets[k], out_bytes[queued]);
      queue(&subscribers[i], packets[k].header + packets[k].payload + TAG, k == 0);
    }
    if (queued >= BATCH) flush(fd);
  }
  flush(fd);
}

int main(void) {
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof own;
  int fd = socket(AF_INET, SOCK_DGRAM, 0), buffer = 4 << 20, none = 0, count = 0;
  load_openssl();
  knows_trains = setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT_OPTION, &none, sizeof none) == 0;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  if (bind(fd, (struct sockaddr *)&own, size) || getsockname(fd, (struct sockaddr *)&own, &size)) die("no port");
  printf("%u\n", ntohs(own.sin_port));
  fflush(stdout);
  static struct end publisher, subscribers[4096];
  if (!read_end(&publisher, 0)) die("no publisher");
  while (count < 4096 && read_end(&subscribers[count], 1)) count++;
  for (int i = 0; i < BATCH; i++) {
    in_vectors[i] = (struct iovec){in_bytes[i], SLOT};
    in_messages[i].msg_hdr.msg_iov = &in_vectors[i];
    in_messages[i].msg_hdr.msg_iovlen = 1;
  }
  for (time_t start = time(NULL); time(NULL) - start < SECONDS_MAX;) {
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (poll(&wait, 1, 1000) <= 0) continue;
    int got = recvmmsg(fd, in_messages, BATCH, MSG_DONTWAIT, NULL), opened = 0;
    struct packet packets[BATCH];
    for (int i = 0; i < got; i++) {
      opened += open_packet(&publisher, &packets[opened], in_bytes[i], in_messages[i].msg_len);
    }
    forward(fd, subscribers, count, packets, opened);
  }
  return 0;
}
