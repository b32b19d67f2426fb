/*
 * Many small web servers in one process, so cheap that they do not disturb what is measured beside them.
 *
 *   farm COUNT                on ::1, on free ports
 *   farm COUNT PREFIX PORT    on the addresses PREFIX::1, PREFIX::2 and so on, which need not be configured
 *
 * Prints "ready" and the ports. Then it answers commands, one a line: "refuse I", "accept I" (servers count from 0) and
 * "die I", which closes the connections without a request too, with the nanoseconds of CLOCK_MONOTONIC at which it was
 * done, "count" with the requests answered so far, "gaps" with
 * the median, the 99th percentile and the longest of the times between two requests to the same server since the last
 * "gaps", milliseconds. It ends with its standard input.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTION (UINT64_C(1) << 32)
#define COMMANDS UINT64_MAX
#define FIRST_PORT 10000

static const char response[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nOK\n";

static struct server {
  struct sockaddr_in6 address;
  int socket, listens;
  int64_t asked; /* nanoseconds, 0 before the first request */
} *servers;
static int count, poller;
/* The server of each connection that waits for its request; 0: none, else its number and one. */
static int *owners;
static int room;
static unsigned long answered;
static struct {
  float *ms;
  size_t used, room;
} gaps;

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void watch(int descriptor, uint64_t who) {
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = who};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event)) fail("epoll_ctl");
}

static int bound_to(struct sockaddr_in6 *address) {
  int on = 1, bound = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (bound < 0) fail("socket");
  setsockopt(bound, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(bound, SOL_IPV6, IPV6_FREEBIND, &on, sizeof on);
  /* A connection is handed over with its request: one wake-up less for each. */
  setsockopt(bound, SOL_TCP, TCP_DEFER_ACCEPT, &on, sizeof on);
  if (bind(bound, (struct sockaddr *)address, sizeof *address) == 0) return bound;
  if (errno != EADDRINUSE) fail("bind");
  close(bound);
  return -1;
}

/*
 * A socket that is bound to a port by its number has it until it is closed, whether it listens or not. The ports are below those of
 * outgoing connections: the kernel takes a millisecond to choose one where thousands are in use.
 */
static void bind_server(struct server *server) {
  static int next = FIRST_PORT;
  int is_free = server->address.sin6_port == 0;
  do {
    if (is_free) server->address.sin6_port = htons(next++);
    server->socket = bound_to(&server->address);
  } while (is_free && server->socket < 0 && next < 65536);
  if (server->socket < 0) fail("bind");
}

static void open_server(int i) {
  struct server *server = &servers[i];
  if (listen(server->socket, 1024)) fail("listen");
  server->listens = 1;
  watch(server->socket, i);
}

static void close_server(int i) {
  struct server *server = &servers[i];
  if (epoll_ctl(poller, EPOLL_CTL_DEL, server->socket, NULL)) fail("epoll_ctl");
  if (shutdown(server->socket, SHUT_RDWR)) fail("shutdown");
  server->listens = 0;
}

static void answer(int connection, int is_watched, int owner) {
  char request[4096];
  ssize_t length = recv(connection, request, sizeof request, 0);
  if (length < 0 && errno == EAGAIN) {
    if (!is_watched) watch(connection, CONNECTION | connection);
    if (!is_watched && connection < room) owners[connection] = owner;
    return;
  }
  if (connection < room) owners[connection] = 0;
  if (length > 0 && send(connection, response, sizeof response - 1, MSG_NOSIGNAL) > 0) answered++;
  close(connection);
}

static void note_gap(struct server *server) {
  int64_t before = server->asked;
  server->asked = now();
  if (before == 0) return;
  if (gaps.used == gaps.room) {
    gaps.room = gaps.room ? 2 * gaps.room : 4096;
    if (!(gaps.ms = realloc(gaps.ms, gaps.room * sizeof *gaps.ms))) fail("realloc");
  }
  gaps.ms[gaps.used++] = (server->asked - before) / 1e6;
}

static void take_all(struct server *server) {
  int connection;
  while ((connection = accept4(server->socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    note_gap(server);
    answer(connection, 0, server - servers + 1);
  }
}

static int by_size(const void *a, const void *b) {
  float difference = *(const float *)a - *(const float *)b;
  return (difference > 0) - (difference < 0);
}

static void tell_gaps(void) {
  size_t last = gaps.used ? gaps.used - 1 : 0;
  if (gaps.used) qsort(gaps.ms, gaps.used, sizeof *gaps.ms, by_size);
  if (gaps.used) printf("%.2f %.2f %.2f\n", gaps.ms[last / 2], gaps.ms[last * 99 / 100], gaps.ms[last]);
  else printf("0 0 0\n");
  gaps.used = 0;
}

static void die(int i) {
  for (int connection = 0; connection < room; connection++)
    if (owners[connection] == i + 1) {
      owners[connection] = 0;
      close(connection);
    }
}

static void obey(char *line) {
  int i, is_dead = sscanf(line, "die %d", &i) == 1;
  if ((is_dead || sscanf(line, "refuse %d", &i) == 1) && i >= 0 && i < count && servers[i].listens) {
    close_server(i);
    if (is_dead) die(i);
  } else if (sscanf(line, "accept %d", &i) == 1 && i >= 0 && i < count && !servers[i].listens) {
    open_server(i);
  } else if (strcmp(line, "count") == 0) {
    printf("%lu\n", answered);
    return;
  } else if (strcmp(line, "gaps") == 0) {
    tell_gaps();
    return;
  } else {
    printf("unknown command: %s\n", line);
    return;
  }
  printf("%lld\n", (long long)now());
}

static void read_commands(void) {
  static char lines[4096];
  static size_t used;
  ssize_t length = read(0, lines + used, sizeof lines - 1 - used);
  if (length <= 0) exit(0);
  used += length;
  lines[used] = 0;
  char *start = lines;
  for (char *end; (end = strchr(start, '\n')); start = end + 1) {
    *end = 0;
    obey(start);
  }
  fflush(stdout);
  used -= start - lines;
  memmove(lines, start, used);
}

static void make_servers(const char *prefix, int port) {
  servers = calloc(count, sizeof *servers);
  for (int i = 0; i < count; i++) {
    char text[64];
    struct sockaddr_in6 *address = &servers[i].address;
    address->sin6_family = AF_INET6;
    address->sin6_port = htons(port);
    snprintf(text, sizeof text, "%s::%x", prefix, prefix[0] ? i + 1 : 1);
    if (inet_pton(AF_INET6, text, &address->sin6_addr) != 1) fail(text);
    bind_server(&servers[i]);
    open_server(i);
  }
}

/* As many as there may be; root may have more than that. */
static void allow_files(rlim_t wanted) {
  struct rlimit files, more = {.rlim_cur = wanted, .rlim_max = wanted};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, files.rlim_max < wanted ? &more : &files);
}

int main(int argc, char **argv) {
  count = argc > 1 ? atoi(argv[1]) : 0;
  allow_files(2 * count + 2000);
  room = 2 * count + 2000;
  if (!(owners = calloc(room, sizeof *owners))) fail("calloc");
  poller = epoll_create1(EPOLL_CLOEXEC);
  make_servers(argc > 3 ? argv[2] : "", argc > 3 ? atoi(argv[3]) : 0);
  watch(0, COMMANDS);
  printf("ready");
  for (int i = 0; i < count; i++) printf(" %d", ntohs(servers[i].address.sin6_port));
  printf("\n");
  fflush(stdout);
  for (;;) {
    struct epoll_event events[256];
    int ready = epoll_wait(poller, events, 256, -1);
    for (int i = 0; i < ready; i++) {
      uint64_t who = events[i].data.u64;
      if (who == COMMANDS) read_commands();
      else if (who & CONNECTION) answer((int)who, 1, 0);
      else if (servers[who].listens) take_all(&servers[who]);
    }
  }
}
