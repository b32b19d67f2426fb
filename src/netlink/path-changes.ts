/** Learns from the kernel that addresses, routes, rules or interfaces of this machine have changed: NETLINK_ROUTE. */
import { SystemError } from '../system/libc.js'
import type { Socket } from './connection.js'
import { decodeMessages } from './message.js'

/** What has changed since the last question. */
export interface PathChanges {
  readonly addresses: boolean
  /** Routes, rules, interfaces. */
  readonly routes: boolean
}

export interface PathWatch {
  /** Takes what the kernel has reported. Costs one system call if that is nothing. */
  take(): PathChanges
  close(): void
}

/** Groups of NETLINK_ROUTE (linux/rtnetlink.h) as a bit mask: the bit of group N is N - 1. */
const RTNLGRP = {
  LINK: 1,
  IPV4_IFADDR: 5,
  IPV4_ROUTE: 7,
  IPV4_RULE: 8,
  IPV6_IFADDR: 9,
  IPV6_ROUTE: 11,
  IPV6_RULE: 19,
}
export const PATH_GROUPS = Object.values(RTNLGRP).reduce((mask, group) => mask | (1 << (group - 1)), 0)

/** Values of nlmsg_type (linux/rtnetlink.h). */
const RTM_NEWADDR = 20
const RTM_DELADDR = 21

const NONE: PathChanges = { addresses: false, routes: false }

/** `socket` has joined the groups. If it overflows, everything counts as changed. */
export function watchPaths(socket: Socket): PathWatch {
  const buffer = Buffer.allocUnsafeSlow(65536)

  function receive(): number | null | 'lost' {
    try {
      return socket.receive(buffer)
    } catch (error) {
      if (error instanceof SystemError && error.code === 'ENOBUFS') return 'lost'
      throw error
    }
  }

  return {
    take() {
      let changes = NONE
      for (let length = receive(); length !== null; length = receive()) {
        if (length === 'lost') changes = { addresses: true, routes: true }
        else
          for (const { type } of decodeMessages(buffer, length)) {
            const isAddress = type === RTM_NEWADDR || type === RTM_DELADDR
            changes = isAddress ? { ...changes, addresses: true } : { ...changes, routes: true }
          }
      }
      return changes
    },

    close: () => socket.close(),
  }
}
