/*
 * Opens TCP connections as a director sees them, without keeping any: for each a SYN and an ACK from a port of its own, to
 * servers that never answer. The kernel's table holds such a connection as established for fifteen minutes.
 *
 *   flows FIRST COUNT RATE PORT ADDRESS...
 *
 * Connection i, from FIRST on, goes to each address in turn, from port 1024 + i / addresses. RATE a second; 0: as fast as it
 * goes. IPv6. Needs CAP_NET_RAW.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* Where the kernel puts the checksum, <netinet/tcp.h>. */
static const int checksum_at = 16;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void emit(int sock, const struct sockaddr_in6 *to, int from, int port, int is_syn) {
  struct tcphdr segment = {
      .source = htons(from),
      .dest = htons(port),
      .seq = htonl(is_syn ? 1 : 2),
      .ack_seq = htonl(is_syn ? 0 : 1),
      .doff = sizeof segment / 4,
      .syn = is_syn,
      .ack = !is_syn,
      .window = htons(65535),
  };
  if (sendto(sock, &segment, sizeof segment, 0, (const struct sockaddr *)to, sizeof *to) < 0) fail("sendto");
}

static void rest_until(const struct timespec *from, double seconds) {
  struct timespec then = *from;
  long long ns = then.tv_nsec + (long long)(seconds * 1e9);
  then.tv_sec += ns / 1000000000;
  then.tv_nsec = ns % 1000000000;
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &then, NULL);
}

int main(int argc, char **argv) {
  if (argc < 6) {
    fprintf(stderr, "usage: flows FIRST COUNT RATE PORT ADDRESS...\n");
    return 2;
  }
  int first = atoi(argv[1]), count = atoi(argv[2]), rate = atoi(argv[3]), port = atoi(argv[4]);
  int addresses = argc - 5;
  struct sockaddr_in6 *to = calloc(addresses, sizeof *to);
  for (int i = 0; i < addresses; i++) {
    to[i].sin6_family = AF_INET6;
    if (inet_pton(AF_INET6, argv[5 + i], &to[i].sin6_addr) != 1) fail(argv[5 + i]);
  }
  int sock = socket(AF_INET6, SOCK_RAW, IPPROTO_TCP);
  if (sock < 0) fail("socket");
  if (setsockopt(sock, IPPROTO_IPV6, IPV6_CHECKSUM, &checksum_at, sizeof checksum_at) < 0) fail("setsockopt");
  struct timespec began;
  clock_gettime(CLOCK_MONOTONIC, &began);
  for (int i = 0; i < count; i++) {
    if (rate > 0) rest_until(&began, (double)i / rate);
    int which = (first + i) % addresses, from = 1024 + (first + i) / addresses;
    emit(sock, &to[which], from, port, 1);
    emit(sock, &to[which], from, port, 0);
  }
  return 0;
}
