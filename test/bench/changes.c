/*
 * Counts the messages by which programs change the IPVS table, whoever sends them, on an nlmon interface: one argument, its
 * name. Prints "ready". Then it answers each line of its standard input with the number so far, and ends with that.
 */
#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/ip_vs.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char family_name[] = IPVS_GENL_NAME;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

/* The number of IPVS among the families of generic netlink. */
static int family(void) {
  struct {
    struct nlmsghdr head;
    struct genlmsghdr generic;
    struct nlattr attribute;
    char name[NLA_ALIGN(sizeof family_name)];
  } ask = {
      .head = {.nlmsg_len = sizeof ask, .nlmsg_type = GENL_ID_CTRL, .nlmsg_flags = NLM_F_REQUEST},
      .generic = {.cmd = CTRL_CMD_GETFAMILY, .version = 1},
      .attribute = {.nla_len = NLA_HDRLEN + sizeof family_name, .nla_type = CTRL_ATTR_FAMILY_NAME},
  };
  memcpy(ask.name, family_name, sizeof family_name);
  int sock = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
  if (sock < 0 || send(sock, &ask, sizeof ask, 0) < 0) fail("netlink");
  _Alignas(struct nlmsghdr) char answer[8192];
  ssize_t length = recv(sock, answer, sizeof answer, 0);
  close(sock);
  if (length < NLMSG_HDRLEN + GENL_HDRLEN || ((struct nlmsghdr *)answer)->nlmsg_type != GENL_ID_CTRL)
    fail("this kernel has no IPVS");
  for (int at = NLMSG_HDRLEN + GENL_HDRLEN; at + NLA_HDRLEN <= length;) {
    struct nlattr *attribute = (struct nlattr *)(answer + at);
    if (attribute->nla_type == CTRL_ATTR_FAMILY_ID) return *(uint16_t *)(answer + at + NLA_HDRLEN);
    at += NLA_ALIGN(attribute->nla_len);
  }
  fail("the family has no number");
  return 0;
}

static int is_change(const struct nlmsghdr *head, int ipvs) {
  if (head->nlmsg_type != ipvs || !(head->nlmsg_flags & NLM_F_REQUEST)) return 0;
  switch (((const struct genlmsghdr *)NLMSG_DATA(head))->cmd) {
    case IPVS_CMD_NEW_SERVICE:
    case IPVS_CMD_SET_SERVICE:
    case IPVS_CMD_DEL_SERVICE:
    case IPVS_CMD_NEW_DEST:
    case IPVS_CMD_SET_DEST:
    case IPVS_CMD_DEL_DEST:
    case IPVS_CMD_FLUSH:
      return 1;
    default:
      return 0;
  }
}

static unsigned long changes;

static void drain(int tap, int ipvs) {
  static _Alignas(struct nlmsghdr) char data[1 << 20];
  for (;;) {
    ssize_t left = recv(tap, data, sizeof data, MSG_DONTWAIT);
    if (left < 0) return;
    for (struct nlmsghdr *head = (struct nlmsghdr *)data; NLMSG_OK(head, left); head = NLMSG_NEXT(head, left))
      changes += is_change(head, ipvs);
  }
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  int ipvs = family();
  int tap = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
  int room = 64 << 20;
  struct sockaddr_ll where = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = if_nametoindex(argv[1])};
  if (tap < 0 || bind(tap, (struct sockaddr *)&where, sizeof where) < 0) fail(argv[1]);
  setsockopt(tap, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  puts("ready");
  fflush(stdout);
  struct pollfd both[] = {{.fd = tap, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
  for (;;) {
    if (poll(both, 2, -1) < 0) fail("poll");
    drain(tap, ipvs);
    if (!both[1].revents) continue;
    char line[64];
    if (read(0, line, sizeof line) <= 0) return 0;
    printf("%lu\n", changes);
    fflush(stdout);
  }
}
