/*
 * The least that a server written in C pays for forwarding: read a batch, open a packet, seal it for each subscriber, send
 * a batch. There is no SFU in it: no lookups, no timers, no feedback; what it costs is the kernel and the cipher.
 *
 * OpenSSL is the system's libcrypto, loaded by name and called through prototypes of our own, so that compiling needs no
 * headers of it. Standard input has one line for the publisher and one for each subscriber: the UDP port on loopback (the
 * publisher's is not used), the AES-128-GCM key and the 12-byte salt in hex, the SSRC. The port that it listens on goes to
 * standard output. It ends when it is told to
 * by a signal, or after 600 seconds.
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

static uint8_t in_bytes[BATCH][SLOT], out_bytes[BATCH][SLOT];
static struct mmsghdr in_messages[BATCH], out_messages[BATCH];
static struct iovec in_vectors[BATCH], out_vectors[BATCH];
static int queued;

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
  for (int done = 0; done < queued;) {
    int taken = sendmmsg(fd, out_messages + done, queued - done, 0);
    if (taken <= 0) break;
    done += taken;
  }
  queued = 0;
}

static void forward(int fd, struct end *publisher, struct end *subscribers, int count, uint8_t *packet, int length) {
  static uint64_t index;
  uint16_t sequence = (uint16_t)(packet[2] << 8 | packet[3]);
  index += (uint16_t)(sequence - (uint16_t)index);
  int header = 12 + (packet[0] & 0x10 ? 4 + 4 * (packet[14] << 8 | packet[15]) : 0);
  int payload = length - header - TAG, written;
  uint8_t nonce[12], spare[16];
  uint32_t ssrc;
  memcpy(&ssrc, packet + 8, 4);
  make_nonce(nonce, publisher, ntohl(ssrc), index);
  if (payload < 0 || header > HEADER_MAX) return;
  init_ex(publisher->context, NULL, NULL, NULL, nonce, 0);
  control(publisher->context, 0x11, TAG, packet + header + payload);
  update(publisher->context, NULL, &written, packet, header);
  update(publisher->context, packet + header, &written, packet + header, payload);
  if (final_ex(publisher->context, spare, &written) != 1) return;
  for (int i = 0; i < count; i++) {
    struct end *to = &subscribers[i];
    uint8_t *out = out_bytes[queued];
    memcpy(out, packet, header);
    write32(out + 8, to->ssrc);
    make_nonce(nonce, to, to->ssrc, index);
    init_ex(to->context, NULL, NULL, NULL, nonce, 1);
    update(to->context, NULL, &written, out, header);
    update(to->context, out + header, &written, packet + header, payload);
    final_ex(to->context, spare, &written);
    control(to->context, 0x10, TAG, out + header + payload);
    out_vectors[queued].iov_len = length;
    out_messages[queued].msg_hdr.msg_name = &to->address;
    out_messages[queued].msg_hdr.msg_namelen = sizeof to->address;
    if (++queued == BATCH) flush(fd);
  }
}

int main(void) {
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof own;
  int fd = socket(AF_INET, SOCK_DGRAM, 0), buffer = 4 << 20, count = 0;
  load_openssl();
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
    out_vectors[i] = (struct iovec){out_bytes[i], SLOT};
    in_messages[i].msg_hdr.msg_iov = &in_vectors[i];
    out_messages[i].msg_hdr.msg_iov = &out_vectors[i];
    in_messages[i].msg_hdr.msg_iovlen = out_messages[i].msg_hdr.msg_iovlen = 1;
  }
  for (time_t start = time(NULL); time(NULL) - start < SECONDS_MAX;) {
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (poll(&wait, 1, 1000) <= 0) continue;
    int got = recvmmsg(fd, in_messages, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < got; i++) forward(fd, &publisher, subscribers, count, in_bytes[i], in_messages[i].msg_len);
    flush(fd);
  }
  return 0;
}
