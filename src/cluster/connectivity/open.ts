/** Connects the monitor with the sockets of this machine. They are opened when a configuration has conditions. */
import type { Address } from '../../core/address.js'
import { openPathEvents } from '../../netlink/path-events.js'
import { openPaths, type Paths } from '../../netlink/paths.js'
import { openSocket } from '../../netlink/socket.js'
import type { Log } from '../../system/log.js'
import { type Clock, steadyNow, systemClock } from '../../util/clock.js'
import { type ConnectivityChange, ConnectivityMonitor, type OwnPaths } from './monitor.js'
import { icmpPinger } from './pinger.js'

export interface ConnectivityParts {
  readonly log: Pick<Log, 'warn'>
  readonly clock?: Clock
  /** Returns the source address for a ping, or null: the kernel chooses. */
  sourceOf?(target: Address): Address | null
  onChange(change: ConnectivityChange): void
  onLook(): void
}

/** Bytes of the buffers of the socket for questions. An answer has about 2 KiB. */
const PATHS_BUFFER = 64 * 1024

export function openConnectivity({
  log,
  clock = systemClock,
  sourceOf = () => null,
  onChange,
  onLook,
}: ConnectivityParts): ConnectivityMonitor {
  return new ConnectivityMonitor({
    clock,
    steady: steadyNow,
    pinger: icmpPinger(sourceOf),
    paths: ownPathsBy(() => openPaths(openSocket(PATHS_BUFFER, 'route'))),
    openEvents: openPathEvents,
    onChange,
    onLook,
    onTrouble: ({ message }) =>
      log.warn(
        'director.connectivity-unknown',
        { error: message },
        `lvsd cannot judge a part of its connectivity, which counts as good: ${message}`,
      ),
  })
}

/** `open` is called at the first question. */
function ownPathsBy(open: () => Pick<Paths, 'link' | 'linkNamed' | 'routeTo' | 'close'>): OwnPaths {
  let opened: ReturnType<typeof open> | null = null
  const paths = () => {
    opened ??= open()
    return opened
  }
  return {
    link(name) {
      const link = paths().linkNamed(name)
      return link === null ? 'absent' : link.isWorking ? 'works' : 'down'
    },
    hasRoute(address) {
      const route = paths().routeTo(address)
      return route?.kind === 'by' ? (paths().link(route.link)?.isWorking ?? false) : route?.kind === 'local'
    },
    nameOf: index => paths().link(index)?.name ?? null,
    close() {
      opened?.close()
      opened = null
    },
  }
}
