/*
 * For keepalived where the kernel has no IPVS, and no table is wanted: LD_PRELOAD=fake-ipvs.so keepalived ...
 *
 * It stands before libnl. Each message to the family IPVS is taken, goes nowhere, and is acknowledged. So the checks of
 * keepalived run, and what they cost can be measured. Netlink messages to other families are sent.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/netlink.h>
#include <string.h>

struct nl_sock;
struct nl_msg;
typedef int (*callback)(struct nl_msg *, void *);

/* Above the numbers that the kernel gives to families of generic netlink. */
#define IPVS 0xfff0
/* enum nl_cb_type of <netlink/handlers.h>. */
#define NL_CB_ACK 4

extern struct nlmsghdr *nlmsg_hdr(struct nl_msg *);

static int is_waiting;
static callback on_ack;
static void *ack_argument;

/* The function of the library that has the name of the one that is called. */
#define LIBRARY(type, name) ((type)dlsym(RTLD_NEXT, name))

int genl_ctrl_resolve(struct nl_sock *socket, const char *name) {
  if (strcmp(name, "IPVS") == 0) return IPVS;
  return LIBRARY(int (*)(struct nl_sock *, const char *), "genl_ctrl_resolve")(socket, name);
}

int nl_socket_modify_cb(struct nl_sock *socket, int type, int kind, callback function, void *argument) {
  if (type == NL_CB_ACK) {
    on_ack = function;
    ack_argument = argument;
  }
  return LIBRARY(int (*)(struct nl_sock *, int, int, callback, void *), "nl_socket_modify_cb")(
      socket, type, kind, function, argument);
}

int nl_send_auto(struct nl_sock *socket, struct nl_msg *message) {
  if (nlmsg_hdr(message)->nlmsg_type != IPVS)
    return LIBRARY(int (*)(struct nl_sock *, struct nl_msg *), "nl_send_auto")(socket, message);
  is_waiting = 1;
  return 1;
}

int nl_recvmsgs_default(struct nl_sock *socket) {
  if (!is_waiting) return LIBRARY(int (*)(struct nl_sock *), "nl_recvmsgs_default")(socket);
  is_waiting = 0;
  if (on_ack) on_ack(NULL, ack_argument);
  return 0;
}
