/** Learns from the kernel that addresses, routes, rules or interfaces of this machine have changed: NETLINK_ROUTE. */
import { SystemError } from '../system/libc.js'
import type { Socket } from './connection.js'
import { decodeMessages } from './message.js'
import { ownAddress } from './paths.js'

/** What has changed since the last question. */
export interface PathChanges {
  /** The texts of addresses of this machine that came, went or changed. */
  readonly addresses: ReadonlySet<string>
  /** Routes, rules, interfaces. */
  readonly routes: boolean
  /** True if the kernel could not report all. Anything may have changed. */
  readonly isLost: boolean
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

export const NO_CHANGES: PathChanges = { addresses: new Set(), routes: false, isLost: false }

/** `socket` has joined the groups. */
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
      let length = receive()
      if (length === null) return NO_CHANGES
      const addresses = new Set<string>()
      let [routes, isLost] = [false, false]
      for (; length !== null; length = receive()) {
        if (length === 'lost') isLost = true
        else
          for (const message of decodeMessages(buffer, length)) {
            const isAddress = message.type === RTM_NEWADDR || message.type === RTM_DELADDR
            const own = isAddress ? ownAddress(message) : null
            if (own) addresses.add(own.address.text)
            else routes = true
          }
      }
      return { addresses, routes, isLost }
    },

    close: () => socket.close(),
  }
}
